import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.answering.sentences import sentences, units

PROSE = [
    ("One. Two! Three?", ["One.", "Two!", "Three?"]),
    ("Dr. Heinz came at 10 a.m. with Mr. Pym.", ["Dr. Heinz came at 10 a.m. with Mr. Pym."]),
    ("It holds 3.5 bar. Version 2.0.1 shipped.", ["It holds 3.5 bar.", "Version 2.0.1 shipped."]),
    ("J. R. R. Tolkien wrote it. Ida read it.", ["J. R. R. Tolkien wrote it.", "Ida read it."]),
    ("See e.g. the list, etc. and more.", ["See e.g. the list, etc. and more."]),
    ('"Is it?" he asked. She nodded.', ['"Is it?" he asked.', "She nodded."]),
    ("He said “Stop.” Then he left.", ["He said “Stop.”", "Then he left."]),
    ("Der 3. Oktober ist frei. Dr. Müller kommt.", ["Der 3. Oktober ist frei.", "Dr. Müller kommt."]),
    ("这是第一句。这是第二句！真的吗？", ["这是第一句。", "这是第二句！", "真的吗？"]),
    ("See https://a.example/b.c?d=e. Then go.", ["See https://a.example/b.c?d=e.", "Then go."]),
    ("**Bold end.** Next one.", ["**Bold end.**", "Next one."]),
    ("no end mark", ["no end mark"]),
    ("", []),
]


@pytest.mark.parametrize(("text", "expected"), PROSE)
def test_prose_is_split_where_a_reader_would(text: str, expected: list[str]):
    assert [text[start:end] for start, end in sentences(text)] == expected


NOTE = """# House

Setext title
------------

The valve was replaced. It cost 40 EUR
and two hours.

Shopping:
- [ ] milk
- eggs
  for Anna
1. First this. Then that.

> quoted line one.
> and line two.

| item | price |
|------|-------|
| pump | 40 |

```python
x = 1
# no heading
```
"""


def test_a_note_is_split_into_sentences_items_rows_headings_and_lines_of_code():
    found = [(unit.kind, NOTE[unit.start : unit.end]) for unit in units(NOTE)]
    assert found == [
        ("heading", "House"),
        ("heading", "Setext title"),
        ("prose", "The valve was replaced."),
        ("prose", "It cost 40 EUR\nand two hours."),
        ("prose", "Shopping:"),
        ("item", "[ ] milk"),
        ("item", "eggs\n  for Anna"),
        ("item", "First this. Then that."),
        ("item", "quoted line one.\n> and line two."),
        ("header", "| item | price |"),
        ("row", "| pump | 40 |"),
        ("code", "x = 1"),
        ("code", "# no heading"),
    ]


def test_rows_and_items_know_what_they_hang_under():
    context = {NOTE[unit.start : unit.end]: unit.context for unit in units(NOTE)}
    assert context["| pump | 40 |"] == "Setext title Shopping: | item | price |"
    assert context["[ ] milk"] == "Setext title Shopping:"


def test_a_long_list_item_is_split_into_its_sentences():
    text = "- " + "This sentence is one of several in an item. " * 8
    assert len(units(text)) == 8


@given(st.text(alphabet=st.sampled_from("ab .!?\n#-|>`=*1。é\u2028\r"), max_size=200))
def test_units_are_ordered_disjoint_and_trimmed_whatever_the_text(text: str):
    end = 0
    for unit in units(text):
        words = text[unit.start : unit.end]
        assert unit.start >= end
        assert words
        assert words == words.strip()
        end = unit.end
