from hypothesis import given
from hypothesis import strategies as st

from ui.snippet import excerpt, spans


def bold(text: str, words: str) -> list[str]:
    return [text[a:b] for a, b in spans(text, words)]


def test_words_are_marked_from_their_first_to_their_last_letter():
    assert bold("The roof, roofing and proof", "Roof") == ["roof", "roofing"]


def test_short_words_are_marked_only_where_nothing_else_was_typed():
    assert bold("What did we do about the roof", "what did the roof") == ["What", "roof"]
    assert bold("the end", "the") == ["the"]


def test_scripts_without_spaces_are_marked_inside():
    assert bold("我们决定用陶瓦屋顶", "屋顶") == ["屋顶"]
    assert bold("我们决定用陶瓦屋顶", "屋顶决定用什么") == ["决定用", "屋顶"]
    assert bold("학교에서 배웠다", "학교는 B细胞") == ["학교"]
    assert bold("B细胞和T细胞", "B细胞") == ["细胞", "细胞"]
    assert bold("东北的北", "北") == ["北", "北"]


def test_the_excerpt_shows_the_part_with_most_of_the_words_and_no_markup():
    text = "## Plan\n" + "filler words here " * 30 + "the **clay** tiles of the roof [[note]] " + "more filler " * 40
    shown, marks = excerpt(text, "clay tiles roof", 120)
    assert {shown[a:b] for a, b in marks} == {"clay", "tiles", "roof"}
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert "**" not in shown
    assert "\n" not in shown


def test_frontmatter_is_shown_only_where_there_is_nothing_else():
    assert excerpt("---\ntitle: Roof\n---\nClay tiles.\n", "tiles", 80)[0] == "Clay tiles."
    assert "title: Roof" in excerpt("---\ntitle: Roof\n---\n", "roof", 80)[0]


def test_a_table_is_shown_as_its_cells():
    table = "Paints:\n\n| room | code |\n|:---|---:|\n| hall | AP-1002 |\n| kitchen | |\n\n"
    table += "Read or write a | b.\n\n---\nEnd."
    assert excerpt(table, "hall", 200)[0] == "Paints: room · code hall · AP-1002 kitchen Read or write a | b. End."


@given(st.text(max_size=400), st.text(max_size=60), st.integers(10, 200))
def test_any_text_and_any_words_give_spans_inside_the_excerpt(text, words, length):
    shown, marks = excerpt(text, words, length)
    assert len(shown) <= length + 2
    assert all(0 <= a < b <= len(shown) for a, b in marks)
