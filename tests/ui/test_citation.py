from pathlib import Path

from ui.citation import cite, path_within, place, short_path


def test_a_citation_names_the_words_the_title_and_the_line():
    assert cite("Clay\n tiles.", "Roof", "/n/roof.md", 31, None) == "“Clay tiles.” — Roof, /n/roof.md:31"


def test_a_file_with_pages_is_cited_by_page_and_one_without_title_by_its_name():
    assert cite("Leaks.", "", "/n/survey.pdf", 4, 7) == "“Leaks.” — survey, /n/survey.pdf, page 7"
    assert place("/n/a.md", 3, None) == "/n/a.md:3"


def test_the_home_folder_is_a_tilde_and_long_paths_lose_their_middle():
    home = str(Path.home())
    assert short_path(str(Path(home, "Notes", "a.md"))) == str(Path("~/Notes/a.md"))
    long = "/data/" + "/".join(["folder"] * 20) + "/end.md"
    assert len(short_path(long, 40)) <= 40
    assert short_path(long, 40).endswith("end.md")
    assert "…" in short_path(long, 40)


def test_paths_are_told_from_the_watched_folder_on():
    assert path_within("/n/a/b.md", ["/n"]) == "a/b.md"
    assert path_within("/n/a/b.md", ["/n", "/m"]) == "n/a/b.md"
    assert path_within("/nn/b.md", ["/n"]) == "/nn/b.md"
