"""A real HTTP server on loopback that plays a cloud service, OpenAI's or Anthropic's, with one fault at a time.

Its words are scripted, or come from a real model server behind it (`upstream`), and the faults break those.
"""

import contextlib
import gzip
import http.client
import json
import socket
import threading
import time
from collections.abc import Generator, Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

WORDS = ("The boat ", "is ", "blue.")
IN_THE_MIDDLE = ("cut", "cut chunk", "reset", "stall", "truncated", "rubbish later", "filtered", "error later")
BOMB = gzip.compress(b"0" * (64 << 20), 1)
HTML = b"<html><body>Sign in to the hotel network</body></html>"


class FaultServer(ThreadingHTTPServer):
    """Set `fault` before a request; `requests` holds what arrived, as (path, headers, body).

    words: the scripted answer, piece by piece.  upstream: base URL of a real server that answers instead.
    after: pieces that are sent before a fault in the middle.  pace: seconds between two pieces.
    `faulty`: how many requests get the fault, None for all.  `sent_at`: when each piece was sent (monotonic seconds).
    `released` ends what stalls; `hung_up` is set when the client leaves an endless answer.
    """

    daemon_threads = True
    block_on_close = False  # a stalled answer must not hold up the test's end
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.fault = "none"
        self.words: tuple[str, ...] = WORDS
        self.upstream = ""
        self.after = len(WORDS)
        self.pace = 0.0
        self.faulty: int | None = None
        self.requests: list[tuple[str, Message, Any]] = []
        self.sent_at: list[float] = []
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
        if self.fault not in ("reset", "reset at once"):  # a shutdown would send a polite FIN first
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
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.server.requests.append((self.path, self.headers, body))
        fault = self.server.fault
        if self.server.faulty is not None and len(self.server.requests) > self.server.faulty:
            fault = "none"
        self._speaker: _Speaker = _Anthropic(self) if "/messages" in self.path else _OpenAI(self)
        status, _, detail = fault.partition(" ")
        if status.isdigit():
            self._status(int(status), detail)
        elif fault == "web page":
            self._plain(200, "text/html; charset=utf-8", HTML)
        elif fault == "no stream":
            self._plain(200, "application/json", b'{"choices": []}')
        elif fault == "gzip bomb":
            self._plain(200, "text/event-stream", BOMB, encoding="gzip")
        elif fault == "gzip rubbish":
            self._plain(200, "text/event-stream", b"this was never compressed", encoding="gzip")
        elif fault == "silence":
            self.server.released.wait(30)
        elif fault == "reset at once":
            self._reset()
        elif fault == "no prefill" and body["messages"][-1]["role"] == "assistant":
            refusal = {"type": "error", "error": {"type": "invalid_request_error", "message": "prefill not supported"}}
            self._plain(400, "application/json", json.dumps(refusal).encode())
        else:
            self._stream(fault, body)

    def _status(self, status: int, detail: str) -> None:
        if 300 <= status < 400:
            self.send_response(status)
            self.send_header("Location", f"http://localhost:{self.server.server_address[1]}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif detail == "html":
            self._plain(status, "text/html", HTML)
        elif detail == "too long":
            message = "This model's maximum context length is 4096 tokens"
            self._plain(status, "application/json", json.dumps({"error": {"message": message}}).encode())
        else:
            body = json.dumps({"error": {"message": f"fault {status}"}}).encode()
            self._plain(status, "application/json", body, retry_after=detail.removeprefix("after "))

    def _plain(self, status: int, kind: str, body: bytes, *, encoding: str = "", retry_after: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in (("Content-Encoding", encoding), ("Retry-After", retry_after)):
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        """End with an RST instead of a FIN: linger 0 drops what is unsent."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close_connection = True

    def _stream(self, fault: str, body: Any) -> None:
        self.chunked = fault == "cut chunk"
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        if self.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        whole = {
            "rubbish": b"data: {not json\n\n",
            "not text": b"data: \xff\xfe\xfa\n\n",
            "another shape": b'data: ["words", "without", "a", "frame"]\n\n',
        }
        if fault in whole:
            self.wfile.write(whole[fault])
        elif fault == "empty":
            self._speaker.close("stop", said=False)
        elif fault == "error inside":
            self._speaker.error("the model fell over")
        elif fault == "endless":
            self._babble()
        elif fault == "drip":
            self._endlessly(b":\n", 0.05)
        elif fault == "huge line":
            self._endlessly(b"data: " + b"0" * (1 << 20), 0.0)
        else:
            self._words(fault, body)
        self.close_connection = True

    def _babble(self) -> None:
        try:
            while not self.server.released.wait(0.01):
                self._speaker.say("and so on ")
        except OSError:
            self.server.hung_up.set()

    def _endlessly(self, piece: bytes, pause: float) -> None:
        with contextlib.suppress(OSError):
            while not self.server.released.wait(pause):
                self.wfile.write(piece)
                self.wfile.flush()

    def _words(self, fault: str, body: Any) -> None:
        with contextlib.closing(self._source(body)) as words:
            for number, word in enumerate(words):
                if fault in IN_THE_MIDDLE and number == self.server.after:
                    break
                time.sleep(self.server.pace)
                self.server.sent_at.append(time.monotonic())
                self._speaker.say(word)
        if fault in ("cut", "cut chunk"):
            return  # the end mark never comes, nor the terminating chunk of the chunked encoding
        if fault == "reset":
            time.sleep(0.05)  # what was sent is to arrive
            self._reset()
        elif fault == "stall":
            self.server.released.wait(30)
        elif fault == "truncated":
            self.wfile.write(b'data: {"id": "1", "object": "chat.comple')
        elif fault == "rubbish later":
            self.wfile.write(b"data: {not json\n\n")
        elif fault == "error later":
            self._speaker.error("the model fell over")
        else:
            self._speaker.close("content_filter" if fault == "filtered" else "stop", said=True)

    def _source(self, body: Any) -> Generator[str, None, None]:
        if not self.server.upstream:
            yield from self.server.words
            return
        where = urlsplit(self.server.upstream)
        connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=60)
        with contextlib.closing(connection):
            connection.request("POST", f"{where.path}/chat/completions", json.dumps({**body, "max_tokens": 80}), _JSON)
            with connection.getresponse() as lines:
                for line in lines:
                    if line.startswith(b"data: {"):
                        for choice in json.loads(line[6:])["choices"]:
                            if choice["delta"].get("content"):
                                yield choice["delta"]["content"]

    def event(self, text: str, name: str = "") -> None:
        event = (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event) if self.chunked else event)
        self.wfile.flush()


_JSON = {"Content-Type": "application/json"}


class _OpenAI:
    """OpenAI's events."""

    def __init__(self, answer: _Answer) -> None:
        self._answer = answer

    def say(self, text: str) -> None:
        self._answer.event(self._chunk({"content": text}))

    def close(self, reason: str, *, said: bool) -> None:
        if said:
            self._answer.event(self._chunk({}, reason))
        self._answer.event("[DONE]")

    def error(self, message: str) -> None:
        self._answer.event(json.dumps({"error": {"message": message}}))

    def _chunk(self, delta: dict[str, str], reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return json.dumps(
            {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
        )


class _Anthropic:
    """Anthropic's events."""

    def __init__(self, answer: _Answer) -> None:
        self._answer = answer
        self._begun = False

    def say(self, text: str) -> None:
        self._begin()
        self._send("content_block_delta", index=0, delta={"type": "text_delta", "text": text})

    def close(self, reason: str, *, said: bool) -> None:
        self._begin()
        stop = {"content_filter": "refusal", "stop": "end_turn"}[reason]
        self._send("content_block_stop", index=0)
        self._send("message_delta", delta={"stop_reason": stop, "stop_sequence": None}, usage={"output_tokens": 3})
        self._send("message_stop")

    def error(self, message: str) -> None:
        self._send("error", error={"type": "overloaded_error", "message": message})

    def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        message: dict[str, Any] = {
            "id": "1",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [],
            "stop_reason": None,
        }
        usage = {"input_tokens": 7, "output_tokens": 1}
        self._send("message_start", message={**message, "stop_sequence": None, "usage": usage})
        self._send("content_block_start", index=0, content_block={"type": "text", "text": ""})
        self._send("ping")

    def _send(self, kind: str, **fields: Any) -> None:
        self._answer.event(json.dumps({"type": kind, **fields}), kind)


_Speaker = _OpenAI | _Anthropic


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
