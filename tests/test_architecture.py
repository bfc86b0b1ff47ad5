"""The house rules as a test: who may import whom, which library lives where, how large a file may grow."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("ui", "core", "indexer")
SOURCES = [*sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")), ROOT / "main.py"]

LINES_ALLOWED = 400
FUNCTION_ALLOWED = 60
METHODS_ALLOWED = 20
FORBIDDEN_WORDS = ("manager", "util", "utils", "helper", "helpers", "common", "misc", "base", "handler")

UI_MAY_IMPORT = {"core.protocol", "core.client", "core.launch", "core.paths"}

# library → the only places that may import it, and what the others should do instead
ONLY_IN = {
    "PySide6": ({"ui/"}, "speak the protocol; drawing belongs to ui/"),
    "chromadb": ({"indexer/store/vectors.py"}, "use indexer.store.vectors"),
    "llama_cpp": ({"core/models/llama.py"}, "use core.models.llama"),
    "openai": ({"core/models/openai_service.py"}, "use core.models.cloud"),
    "anthropic": ({"core/models/anthropic_service.py"}, "use core.models.cloud"),
    "httpx": (set(), "ask core.network for a client: it is the only door"),
    # the others pass a client on, name its errors, or bound what it receives; they make none
    "httpx2": (
        {
            "core/network.py",
            "core/models/service.py",
            "core/models/failures.py",
            "core/models/transfer.py",
            "core/models/openai_service.py",
            "core/models/anthropic_service.py",
        },
        "ask core.network for a client: it is the only door",
    ),
    "requests": (set(), "ask core.network for a client: it is the only door"),
    "urllib.request": (set(), "ask core.network for a client: it is the only door"),
    "http.client": (set(), "ask core.network for a client: it is the only door"),
    "phonenumbers": ({"core/privacy/sensitive.py"}, "use core.privacy.sensitive"),
    "dateparser": ({"core/answering/period.py"}, "use core.answering.period"),
    "stdnum": ({"core/privacy/sensitive.py"}, "use core.privacy.sensitive"),
    "jeepney": ({"ui/hotkeys/"}, "use ui.hotkeys.session_bus"),
    "keyring": ({"core/models/keys.py"}, "use core.models.keys"),
    "rapidfuzz": ({"indexer/store/vocabulary.py"}, "use indexer.store.vocabulary"),
    "kreuzberg": ({"indexer/extract/documents.py"}, "use indexer.extract.documents"),
    "onnxruntime": ({"indexer/embed.py", "indexer/onnx_graph.py"}, "use indexer.embed"),
    "socket": (
        {"indexer/worker.py", "ui/instance.py", "core/network.py", "core/models/failures.py"},
        "use indexer.worker, or core.network for the outside",
    ),
    "subprocess": ({"indexer/child.py", "core/launch.py", "ui/opening.py", "ui/instance.py"}, "use indexer.child"),
    "threading": (
        {
            "indexer/worker.py",
            "indexer/child.py",
            "indexer/index.py",
            "indexer/pipeline.py",
            "indexer/scanner.py",
            "indexer/waiting.py",
            "indexer/watch.py",
            "indexer/semantics.py",
            "indexer/store/",
            "core/client.py",
            "core/settings.py",
            "core/engine/",
            "core/models/breaker.py",  # one question at a time may try a provider again
            "ui/engine_link.py",
        },
        "use indexer.worker.start_thread, or hand the state to who owns it",
    ),
    "pickle": (set(), "use msgspec"),
    "asyncio": (set(), "use a synchronous generator"),
}


def imports(path: Path) -> set[str]:
    """Every module a file imports, anywhere in it; `from core import paths` counts as core.paths."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found.add(node.module or "")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def modules(names: set[str]) -> set[str]:
    """Of the imported names, those of our own rooms that are modules."""
    return {
        name
        for name in names
        if name.split(".")[0] in ROOMS
        and ((ROOT / (name.replace(".", "/") + ".py")).exists() or (ROOT / name.replace(".", "/")).is_dir())
        and name not in ROOMS
    }


@pytest.mark.parametrize("path", SOURCES, ids=place)
def test_rooms_import_downwards_only(path: Path) -> None:
    room = place(path).split("/")[0]
    ours = modules(imports(path))
    if room == "indexer":
        assert not {name for name in ours if not name.startswith("indexer")}, "indexer imports nothing of ours"
    if room == "core":
        assert not {name for name in ours if name.startswith("ui")}, "core never imports a front door"
    if room == "ui":
        outside = {name for name in ours if not name.startswith("ui")} - UI_MAY_IMPORT
        assert not outside, f"ui speaks only the protocol; {outside} belong behind it"


def test_inside_core_the_ladder_is_engine_answering_privacy_models() -> None:
    forbidden = {
        "core/models/": ("core.privacy", "core.answering", "core.engine"),
        "core/privacy/": ("core.answering", "core.engine"),
        "core/answering/": ("core.engine",),
    }
    for path in SOURCES:
        for start, names in forbidden.items():
            if place(path).startswith(start):
                assert not [name for name in imports(path) if name.startswith(names)], place(path)


@pytest.mark.parametrize("path", SOURCES, ids=place)
def test_libraries_live_where_they_belong(path: Path) -> None:
    for name in imports(path):
        for library, (allowed, instead) in ONLY_IN.items():
            if name == library or name.startswith(library + "."):
                assert any(place(path).startswith(where) for where in allowed), f"{name} in {place(path)}: {instead}"


def test_only_clearance_says_that_a_prompt_may_leave() -> None:
    for path in SOURCES:
        made = [n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)]
        names = {n.func.id if isinstance(n.func, ast.Name) else getattr(n.func, "attr", "") for n in made}
        assert "Cleared" not in names or place(path) == "core/privacy/clearance.py", f"{place(path)}: ask for clearance"


def test_there_are_no_import_rings() -> None:
    graph = {
        place(path)[:-3].replace("/", "."): modules(imports(path)) for path in SOURCES if path.name != "__init__.py"
    }
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " → ".join((*above, name))
        if name in done or name not in graph:
            return
        for other in graph[name]:
            visit(other, (*above, name))
        done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("path", SOURCES, ids=place)
def test_files_functions_and_classes_stay_small(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= LINES_ALLOWED, "split it along its seams"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < FUNCTION_ALLOWED, f"{node.name} is too long"
        if isinstance(node, ast.ClassDef):
            public = [n for n in node.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]
            assert len(public) <= METHODS_ALLOWED, f"{node.name} does too much"


@pytest.mark.parametrize("path", SOURCES, ids=place)
def test_names_say_what_a_thing_is(path: Path) -> None:
    names = [path.stem] + [n.name for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.ClassDef)]
    for name in names:
        words = re.findall(r"[a-z]+", re.sub(r"([A-Z])", r"_\1", name).lower())
        assert not set(words) & set(FORBIDDEN_WORDS), f"{name}: name the thing, not its role"


@pytest.mark.parametrize("path", [p for p in SOURCES if p.stat().st_size], ids=place)
def test_every_file_says_why_it_exists(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), "begin with one to three sentences"


def test_packaging_is_no_package() -> None:
    assert not (ROOT / "packaging" / "__init__.py").exists(), "it would hide the `packaging` library"


@pytest.mark.parametrize(
    ("module", "never"),
    [
        (
            "core.engine.engine",
            (
                "chromadb",
                "llama_cpp",
                "onnxruntime",
                "kreuzberg",
                "PySide6",
                "openai",
                "anthropic",
                "phonenumbers",
                "dateparser",
            ),
        ),
        ("core.client", ("apsw", "chromadb", "numpy", "PySide6")),
        ("ui.terminal", ("PySide6", "apsw", "chromadb", "numpy")),
        ("indexer.semantics", ("chromadb", "onnxruntime")),
        ("main", ("PySide6", "typer", "core", "indexer")),
    ],
)
def test_a_process_imports_only_what_it_needs(module: str, never: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not set(out.split()) & set(never)


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.lock")), ids=lambda p: p.name)
def test_locks_name_no_host_and_hash_everything(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "://" not in text
    requirements = re.split(r"\n(?=\S)", text.strip())
    assert requirements
    assert all("==" in entry and "--hash=sha256:" in entry for entry in requirements)
