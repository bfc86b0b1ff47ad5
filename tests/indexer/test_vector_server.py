"""Vectors on a Chroma server: a real `chroma run` on loopback, which is killed, comes back, and loses everything."""

import http.server
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.index import Index
from indexer.store import vectors as chroma
from indexer.store.batch_stamp import BatchStamp
from indexer.store.database import Database, open_reader
from indexer.store.vector_index import VectorIndex
from indexer.worker import start_thread
from tests.indexer import damage
from tests.indexer.conftest import NOTES, Parts, eventually, settled, write_notes
from tests.indexer.damage import clusters, point

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SECONDS = 120.0  # a server that was away is asked again after a minute at most


class ChromaServer:
    """`chroma run` with a directory of its own, always at the same free port."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = shutil.which("chroma", path=str(Path(sys.executable).parent))
        assert command is not None
        self._process = subprocess.Popen(
            [command, "run", "--host", "127.0.0.1", "--port", str(self.port), "--path", str(self.path)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
        )
        assert eventually(self._answers, 60)

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def send(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


@pytest.fixture(autouse=True)
def _the_server_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a library too large to compare every passage."""
    monkeypatch.setattr("indexer.store.vector_index.EXACT", 0)
    monkeypatch.setattr("indexer.store.vector_index.NEWEST", 1)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ChromaServer]:
    made = ChromaServer(tmp_path / "server")
    made.start()
    yield made
    made.kill()


@pytest.fixture
def parts(tmp_path: Path, models: Path, server: ChromaServer) -> Iterator[Parts]:
    made = Parts(tmp_path / "home", models)
    made.vectors = server.url
    yield made
    made.stop_all()


def found(index: Index, words: str) -> tuple[str, str]:
    """The file on top of a fused search, and the note."""
    *_, (stage, hits, note) = index.search(words, 5)
    assert stage == "fused"
    return Path(hits[0].path).name if hits else "", note


def embeddings(parts: Parts) -> set[tuple[object, ...]]:
    return set(open_reader(parts.catalog).execute("SELECT id, hash FROM embeddings"))


def vectors(index: Index) -> tuple[str, int]:
    report = index.vectors.report
    return (report.state, report.vectors) if report is not None else ("", 0)


def test_a_library_on_a_server_that_is_killed_comes_back_and_is_wiped(
    parts: Parts, server: ChromaServer, root: Path
) -> None:
    write_notes(root, NOTES)
    index = parts.index()
    index.add_folder(root)
    assert settled(index, SECONDS)
    assert eventually(lambda: vectors(index)[0] == "ready", SECONDS)
    assert found(index, "young pets") == ("kittens.txt", "")
    assert not list((parts.home / "vectors").glob("gen-*"))
    (finding,) = [finding for finding in index.check() if finding.name == "vector index"]
    assert finding.ok, finding
    assert server.url in finding.what
    before = embeddings(parts)

    server.kill()
    (root / "gutter.md").write_text("# Gutter\n\nOksana cleaned it after the leaves had fallen.\n")
    assert eventually(lambda: found(index, "Oksana leaves")[0] == "gutter.md", SECONDS)
    assert eventually(lambda: found(index, "maintenance in autumn") == ("gutter.md", ""), SECONDS)  # by exact scan
    assert eventually(lambda: index.counts().vectors_owed == 1, SECONDS)
    assert eventually(lambda: any("cannot be reached" in notice for notice in index.notices()), SECONDS)
    assert settled(index, SECONDS), "what waits for the server keeps nobody waiting"
    (finding,) = [finding for finding in index.check() if finding.name == "vector index"]
    assert not finding.ok
    assert "does not answer" in finding.what

    server.start()
    assert eventually(lambda: index.counts().vectors_owed == 0, SECONDS)
    assert eventually(lambda: not index.notices(), SECONDS)
    assert before < embeddings(parts)

    server.kill()
    shutil.rmtree(server.path)
    server.start()
    (root / "fence.md").write_text("# Fence\n\nThe fence is painted green every third year.\n")
    assert eventually(lambda: index.counts().indexed == len(NOTES) + 2, SECONDS)
    assert eventually(lambda: vectors(index) == ("ready", index.counts().chunks), SECONDS), index.notices()
    assert before < embeddings(parts), "nothing was embedded again"
    assert found(index, "young pets") == ("kittens.txt", "")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A catalog of ten passages with vectors."""
    from tests.indexer.test_vectors import fill

    home = tmp_path / "small"
    home.mkdir()
    database = Database(home / "c.sqlite3")
    fill(database, 10)
    with database.write() as connection:
        connection.execute("DELETE FROM vector_outbox")
    database.close()
    return home


@pytest.fixture
def opened(small: Path) -> Iterator[Callable[[str], VectorIndex]]:
    made: list[VectorIndex] = []

    def open_index(url: str) -> VectorIndex:
        made.append(VectorIndex(damage.store_process(small, url), small / "c.sqlite3", BatchStamp(small / "vectors")))
        made[-1].begin("a model")
        return made[-1]

    yield open_index
    for index in made:
        index.close()


def test_from_this_computer_to_a_server_and_back(
    small: Path, server: ChromaServer, opened: Callable[[str], VectorIndex]
) -> None:
    generations = []
    for url in ("embedded", server.url, "embedded", server.url):
        index = opened(url)
        assert eventually(lambda index=index: index.report().state == "ready", SECONDS)
        assert sorted(index.ids()) == list(range(1, 11))
        generations.append(index.report().pointer.generation)
        point(small, index.report().pointer)
        index.close()
    assert generations == [1, 2, 3, 4]
    again = opened(server.url)
    assert eventually(lambda: again.report().state == "ready", SECONDS)
    assert again.report().pointer.generation == 4


def test_no_server_and_one_that_is_no_chroma(opened: Callable[[str], VectorIndex]) -> None:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as other:
        start_thread("other", other.serve_forever)
        for url in (f"http://127.0.0.1:{other.server_port}", "http://127.0.0.1:9"):
            index = opened(url)
            assert eventually(lambda index=index: index.report().state == "away", SECONDS)
            assert "does not answer" in index.report().why
            query = clusters(1)[0]
            near, exact = index.nearest(query, 10)
            assert exact
            assert len(near) == 10
        other.shutdown()


@pytest.mark.logs("vectors did not answer within")
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="a server is made to hang by a signal of POSIX")
def test_a_server_that_hangs_is_away_until_it_goes_on(
    server: ChromaServer, opened: Callable[[str], VectorIndex], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = opened(server.url)
    assert eventually(lambda: index.report().state == "ready", SECONDS)
    point(index._catalog.parent, index.report().pointer)
    with monkeypatch.context() as hasty:
        hasty.setattr("indexer.store.store_process.OPEN_SECONDS", 5.0)
        server.send(signal.SIGSTOP)
        _, exact = index.nearest(clusters(1)[0], 5)
        assert exact, "nobody waits for it"
        assert eventually(lambda: index.report().state == "away", SECONDS)
    server.send(signal.SIGCONT)

    def is_back() -> bool:
        index.begin("a model")  # what the engine does now and then
        return index.report().state == "ready"

    assert eventually(is_back, SECONDS)
    assert index.report().pointer.generation == 1


def test_a_collection_that_somebody_emptied_is_built_anew(
    small: Path, server: ChromaServer, opened: Callable[[str], VectorIndex]
) -> None:
    index = opened(server.url)
    assert eventually(lambda: index.report().state == "ready", SECONDS)
    point(small, index.report().pointer)
    index.close()
    client = chroma.ServerClient(server.url)
    (name,) = client.names("offhand-")
    client.collection(name, fresh=False).apply([], [3, 4])
    client.close()
    again = opened(server.url)
    assert eventually(lambda: again.report().state == "ready", SECONDS)
    assert again.report().pointer.generation == 2
    assert sorted(again.ids()) == list(range(1, 11))
