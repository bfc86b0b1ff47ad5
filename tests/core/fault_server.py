"""A real HTTP server on loopback that plays an OpenAI-compatible service with one fault at a time."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FaultServer(ThreadingHTTPServer):
    """Set `fault` before a request; `requests` holds what arrived, as (path, headers, body).

    `released` ends what stalls; `hung_up` is set when the client leaves an endless answer.
    """

    daemon_threads = True
    block_on_close = False  # a stalled answer must not hold up the test's end

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.fault = "none"
        self.requests: list[tuple[str, Message, Any]] = []
        self.released = threading.Event()
        self.hung_up = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    @property
    def named_url(self) -> str:
        """The same server by a name, which counts as outside this machine: only an address is literally loopback."""
        return f"http://localhost:{self.server_address[1]}/v1"

    def shutdown_request(self, request: Any) -> None:
        if self.fault != "reset":  # a shutdown would send a polite FIN first
            super().shutdown_request(request)
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients that hang up are what is being tested


class _Answer(BaseHTTPRequestHandler):
    server: FaultServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.server.requests.append((self.path, self.headers, None))
        self._plain(200, "text/html", b"<html>moved here</html>")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.path, self.headers, json.loads(body)))
        fault = self.server.fault
        if fault.isdigit():
            self._status(int(fault))
        elif fault == "web page":
            self._plain(200, "text/html; charset=utf-8", b"<html><body>Sign in to the hotel network</body></html>")
        elif fault == "no stream":
            self._plain(200, "application/json", b'{"choices": []}')
        elif fault == "silence":
            self.server.released.wait(30)
        else:
            self._stream(fault)

    def _status(self, status: int) -> None:
        if 300 <= status < 400:
            self.send_response(status)
            self.send_header("Location", f"http://localhost:{self.server.server_address[1]}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._plain(status, "application/json", json.dumps({"error": {"message": f"fault {status}"}}).encode())

    def _plain(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, fault: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        if fault == "cut chunk":
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if fault == "empty":
            self._event("[DONE]")
        elif fault == "rubbish":
            self._event("{not json")
        elif fault == "not text":
            self.wfile.write(b"data: \xff\xfe\xfa\n\n")
        elif fault == "another shape":
            self._event(json.dumps(["words", "without", "a", "frame"]))
        elif fault == "error inside":
            self._event(json.dumps({"error": {"message": "the model fell over"}}))
        elif fault == "endless":
            self._babble()
        else:
            self._words(fault)
        self.close_connection = True

    def _babble(self) -> None:
        try:
            while not self.server.released.wait(0.01):
                self._event(_chunk({"content": "and so on "}))
        except OSError:
            self.server.hung_up.set()

    def _words(self, fault: str) -> None:
        words = ("Ask [EMA", "IL-1", "].") if fault == "placeholder" else ("The boat ", "is ", "blue.")
        for word in words:
            self._event(_chunk({"content": word}))
        if fault == "cut":
            return  # the connection ends without finish_reason
        if fault == "cut chunk":
            return  # the terminating chunk of the chunked encoding never comes
        if fault == "reset":
            # An RST instead of a FIN: linger 0 drops what is unsent.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            time.sleep(0.05)
            return
        if fault == "stall":
            self.server.released.wait(30)
            return
        self._event(_chunk({}, finish_reason="content_filter" if fault == "filtered" else "stop"))
        self._event("[DONE]")

    def _event(self, text: str) -> None:
        event = f"data: {text}\n\n".encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event) if self.server.fault == "cut chunk" else event)
        self.wfile.flush()


def _chunk(delta: dict[str, str], finish_reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return json.dumps({"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]})


@contextlib.contextmanager
def running() -> Iterator[FaultServer]:
    server = FaultServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join(5)
