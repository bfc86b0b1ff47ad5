"""A real HTTP server on loopback that plays the model hub, with one fault at a time.

`/org/repo/resolve/REVISION/FILE` states the file's SHA-256 and size and sends to `/files/FILE` under another name of
this machine, as the hub sends to where large files lie; that answers with the bytes, by ranges too.
"""

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PIECE = 1 << 16  # bytes
HTML = b"<html><body>Sign in to the hotel network</body></html>"


class HubServer(ThreadingHTTPServer):
    """Set `content` and, before a request, `fault`; `requests` holds what arrived, as (path, headers).

    fault: "none", a status as "404" or "429 after 60", "cut" (once, after `after` bytes), "cut always", "short"
        (the length is right, the file is not whole), "long" (more than was said), "other length", "no ranges",
        "weak etag", "no etag", "web page", "gzip", "circle", "elsewhere" (to a host outside), "silence", "drip".
    etag: of the bytes.  stated: what the hub says is their SHA-256, "" for nothing, None for the truth.
    after: bytes before a fault in the middle.  released: ends what stalls.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.content = content
        self.fault = "none"
        self.etag = '"first"'
        self.stated: str | None = None
        self.after = len(content) // 2
        self.requests: list[tuple[str, Message]] = []
        self.cuts = 0
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def ranges(self) -> list[str]:
        """The ranges that were asked for where the bytes lie, "" for all."""
        return [headers.get("Range", "") for path, headers in self.requests if path.startswith("/files/")]

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients that hang up are what is being tested


class _Answer(BaseHTTPRequestHandler):
    server: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        server = self.server
        server.requests.append((self.path, self.headers))
        if server.fault == "silence":
            server.released.wait(30)
        status, _, detail = server.fault.partition(" ")
        if status.isdigit():
            self._plain(int(status), b"no", {"Retry-After": detail.removeprefix("after ")} if detail else {})
        elif server.fault == "web page":
            self._plain(200, HTML, {"Content-Type": "text/html; charset=utf-8"})
        elif "/resolve/" in self.path:
            self._state()
        else:
            self._file()

    def _state(self) -> None:
        server = self.server
        port = server.server_address[1]
        where = f"http://localhost:{port}/files/{self.path.rsplit('/', 1)[-1]}"
        if server.fault == "circle":
            where = self.path
        elif server.fault == "elsewhere":
            where = "http://files.example.org/model.gguf"
        elif server.fault == "nowhere":
            where = "https://[files/model.gguf"
        headers = {"Location": where}
        stated = server.sha256 if server.stated is None else server.stated
        if stated:
            headers |= {"X-Linked-Etag": f'"{stated}"', "X-Linked-Size": str(len(server.content))}
        self._plain(302, b"Found", headers)

    def _file(self) -> None:
        server, content = self.server, self.server.content
        etag = {"weak etag": f"W/{server.etag}", "no etag": ""}.get(server.fault, server.etag)
        wanted = self.headers.get("Range", "")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        unchanged = self.headers.get("If-Range") in (None, etag)
        headers = {"ETag": etag} if etag else {}
        if wanted and unchanged and start >= len(content):
            self._plain(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            return
        if not wanted or not unchanged or server.fault == "no ranges":
            start = 0
            self.send_response(200)
        else:
            self.send_response(206)
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        length = len(content) - start + (100 if server.fault in ("other length", "long") else 0)
        if server.fault == "gzip":
            headers["Content-Encoding"] = "gzip"
        if server.fault != "long":
            headers["Content-Length"] = str(length)
        for name, value in {**headers, "Content-Type": "binary/octet-stream", "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        self._send(content[start:] + (b"0" * 100 if server.fault in ("other length", "long") else b""), start)
        self.close_connection = True

    def _send(self, content: bytes, start: int) -> None:
        server = self.server
        cut = server.fault == "cut always" or (server.fault == "cut" and not server.cuts)
        end = max(server.after - start, 0) if cut and start < server.after else len(content)
        if server.fault == "cut always":
            end = min(PIECE, len(content) - 1)
        server.cuts += cut
        with contextlib.suppress(OSError):
            for first in range(0, end, PIECE):
                self.wfile.write(content[first : min(first + PIECE, end)])
                self.wfile.flush()
                if server.fault == "drip" and server.released.wait(0.02):
                    pass

    def _plain(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def running(content: bytes) -> Iterator[HubServer]:
    server = HubServer(content)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join(5)
