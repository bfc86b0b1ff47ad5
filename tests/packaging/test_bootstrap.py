"""The set-up's own logic. The set-up as a whole is what every run of the tests begins with."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))

import bootstrap  # noqa: E402  # scripts of packaging/ are not a package, on purpose
import debian  # noqa: E402


def test_the_progress_of_a_build_is_read_from_its_output() -> None:
    said = ["Building wheels", "  [1/83] Building C object x.o", "  warning: [9]", "[83/83] Linking"]
    assert list(bootstrap.progress(iter(said))) == [(1, 83), (83, 83)]


def test_progress_is_short_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    bootstrap.show_progress(iter([(n, 200) for n in range(1, 201)]))
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "  compiling: 200 of 200"
    assert len(lines) == 11


@pytest.mark.parametrize(("version", "fits"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False)])
def test_another_python_is_refused_in_one_sentence(version: tuple[int, int], fits: bool) -> None:
    said = bootstrap.version_problem(version)
    assert (said == "") is fits
    if not fits:
        assert "needs Python 3.11 to 3.13" in said


def test_a_step_is_done_once_and_again_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "STAMPS", tmp_path / "stamps")
    done: list[str] = []
    for stamp in ("a", "a", "b"):
        bootstrap.step("x", stamp, "Doing x", lambda stamp=stamp: done.append(stamp))
    assert done == ["a", "b"]


def test_a_step_that_failed_is_not_stamped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "STAMPS", tmp_path / "stamps")

    def fail() -> None:
        raise bootstrap.SetupFailed("no")

    with pytest.raises(bootstrap.SetupFailed):
        bootstrap.step("x", "a", "Doing x", fail)
    done: list[int] = []
    bootstrap.step("x", "a", "Doing x", lambda: done.append(1))
    assert done == [1]


def test_the_line_to_paste_is_complete() -> None:
    assert debian.line_to_paste(["libegl1", "xvfb"]) == "sudo apt-get install --no-install-recommends libegl1 xvfb"


def test_the_lock_holds_what_the_project_asks_for() -> None:
    import re
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lock = (ROOT / "requirements.lock").read_text("utf-8").lower()
    wanted = list(project["project"]["dependencies"])
    for group in ("build", "llama-needs", "dev"):
        wanted += project["dependency-groups"][group]
    for requirement in wanted:
        name = re.split(r"[\[<>=]", requirement)[0].lower()
        assert re.search(rf"^{re.escape(name)}==", lock, re.MULTILINE), f"{requirement} is not in requirements.lock"


def test_set_up_and_doctor_know_the_same_model_files() -> None:
    from core.engine.checkup import PUBLISHED

    assert {Path(name).name: digest for name, digest in PUBLISHED.items()} == bootstrap.SHA256


def test_a_step_is_done_again_when_what_it_made_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "STAMPS", tmp_path / "stamps")
    model = tmp_path / "model"
    for _ in range(2):
        bootstrap.step("x", "a", "Doing x", model.touch, model)
        model.unlink()
    bootstrap.step("x", "a", "Doing x", model.touch, model)
    assert model.exists()


def test_an_environment_of_another_python_or_place_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    Path(bootstrap.python()).parent.mkdir(parents=True)
    Path(bootstrap.python()).touch()
    assert not bootstrap._made_here()
    ours = sys.version.split()[0]
    for version, place, kept in ((ours, tmp_path, True), ("3.9.1", tmp_path, False), (ours, tmp_path / "x", False)):
        (tmp_path / "pyvenv.cfg").write_text(f"version = {version}\ncommand = python -m venv {place}\n")
        assert bootstrap._made_here() is kept


def test_the_last_words_of_a_build_are_plain() -> None:
    said = "one\n\n  \x1b[31mtwo\x1b[0m\nthree\nerror: subprocess-exited-with-error\nnote: not a problem with pip\n"
    assert bootstrap.last_lines(said, 2) == ["two", "three"]


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A set-up whose steps only note that they ran."""
    ran: list[str] = []
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "STAMPS", tmp_path / ".venv" / "stamps")
    monkeypatch.setattr(bootstrap, "STARTER", {})
    monkeypatch.setattr(bootstrap, "MODELS", tmp_path)
    (tmp_path / "all-MiniLM-L6-v2").mkdir()
    (tmp_path / "all-MiniLM-L6-v2" / "model.onnx").touch()
    monkeypatch.setattr(debian, "missing", lambda tests: [])
    monkeypatch.setattr(bootstrap, "pip", lambda *arguments: ran.append("pip"))
    for name in ("make_environment", "install_models", "prepare_graph", "build_llama"):
        monkeypatch.setattr(bootstrap, name, lambda name=name: ran.append(name))
    return ran


def test_a_second_set_up_does_nothing(steps: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    bootstrap.set_up(tests=True)
    assert sorted(steps) == ["build_llama", "install_models", "make_environment", "pip", "pip", "prepare_graph"]
    capsys.readouterr()
    steps.clear()
    bootstrap.set_up(tests=True)
    assert (steps, capsys.readouterr().out) == ([], "")


def test_without_a_compiler_the_rest_is_set_up(
    steps: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise bootstrap.SetupFailed(bootstrap.WITHOUT_LLAMA)

    monkeypatch.setattr(bootstrap, "build_llama", fail)
    bootstrap.set_up(tests=False)
    assert steps.count("pip") == 2
    assert "everything works but prose from a local model" in capsys.readouterr().out
    with pytest.raises(bootstrap.SetupFailed):
        bootstrap.set_up(tests=True)
