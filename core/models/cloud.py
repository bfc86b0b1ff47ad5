"""A model behind an OpenAI-compatible service: OpenAI, OpenRouter, Ollama, vLLM, LM Studio, and their like.

Nothing is tried twice here: the route has the next model in line. A stream that ends without its end mark is a failure,
never a short answer.
"""

import contextlib
import json
import logging
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Any

from core.errors import CloudFailed
from core.models.model import Cleared, Finished, Prompt, Sender, Token, Uncleared
from core.network import Gate, checked_host
from core.protocol import RouteKind
from indexer.records import Problem
from indexer.worker import Cancellation, start_thread

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
FIRST_WORD_SECONDS = 10.0  # connecting included
STALL_SECONDS = 20.0
POLL_SECONDS = 0.02
NOTES_TOKENS = 1500

_NEXT = "Ask again later, or go on with the local model."
_STATUS = {
    400: ("{host} refused the request.", "Check the model's name in the settings."),
    401: ("{host} refused the API key.", "Set a valid key with `offhand keys set`."),
    402: ("{host} says that the account has no credit left.", "Top it up there, or choose another service."),
    403: ("{host} does not allow this key to use {model}.", "Check the key's rights there."),
    404: ("{host} does not know {model}.", "Check the model's name and the service's address in the settings."),
    408: ("{host} took too long.", _NEXT),
    413: ("{host} found the request too large.", "Ask a narrower question."),
    429: ("{host} is too busy, or your limit there is reached.", _NEXT),
}


class CloudModel:
    """The ChatModel behind a service.

    Args:
        model: the model's name at the service.
        base_url: the service's address, as in https://host/v1.
        key: looks the API key up when it is needed; None where the service wants none.
        gate: the door to the network.
        sender: what clears each prompt and writes down that it left.
    """

    kind: RouteKind = "cloud"
    notes_tokens = NOTES_TOKENS

    def __init__(self, model: str, base_url: str, key: Callable[[], str | None], gate: Gate, sender: Sender) -> None:
        self.name = model
        self._base_url = base_url
        self._key = key
        self._gate = gate
        self._sender = sender

    @property
    def host(self) -> str:
        """To whom its prompts go.

        Raises:
            BadInput: the address cannot be used.
        """
        return checked_host(self._base_url)

    @property
    def open(self) -> bool:
        """Whether the network door lets its requests pass now."""
        try:
            self._gate.check(self.host)
        except Problem:
            return False
        return True

    def stream(self, prompt: Prompt, max_tokens: int, cancelled: Cancellation) -> Iterator[Token | Finished]:
        """See `ChatModel.stream`. The network is read in a thread of its own, so that a stop never waits for it.

        Raises:
            Offline: the door is closed; nothing was tried.
            CloudFailed: the service refused, was out of reach, or broke off.
            BadInput: the address cannot be used.
            KeyringUnusable: the key cannot be read.
            Problem: see `Sender.send`.
        """
        host = self.host
        self._gate.check(host)
        key = self._key() or "none"  # the SDK wants one even for a server that asks for none

        def ask(cleared: Cleared) -> Iterator[Token | Finished]:
            return self._read(host, key, cleared, max_tokens, cancelled)

        request = Uncleared(host, self.name, prompt(NOTES_TOKENS), max_tokens)
        yield from self._sender.send(request, ask)

    def _read(
        self, host: str, key: str, cleared: Cleared, max_tokens: int, cancelled: Cancellation
    ) -> Iterator[Token | Finished]:
        inbox: deque[Token | Finished | Problem] = deque()
        unwanted = Cancellation()
        reader = start_thread("cloud", self._receive, host, key, cleared, inbox, unwanted)
        deadline: float | None = time.monotonic() + FIRST_WORD_SECONDS
        written = 0
        try:
            while not cancelled.requested:
                alive = reader.is_alive()  # looked at first: what it left behind is complete once it is dead
                while inbox:
                    event = inbox.popleft()
                    if isinstance(event, Problem):
                        raise event
                    yield event
                    deadline = None
                    written += 1
                    if isinstance(event, Finished):
                        return
                    if written == max_tokens:
                        yield Finished("length", tokens=written)
                        return
                if not alive:
                    raise CloudFailed(f"{host} broke off in the middle.", _NEXT)
                if deadline is not None and time.monotonic() > deadline:
                    raise CloudFailed(f"{host} did not begin to answer in time.", _NEXT)
                cancelled.wait(POLL_SECONDS)
        finally:
            unwanted.cancel()

    def _receive(
        self,
        host: str,
        key: str,
        cleared: Cleared,
        inbox: "deque[Token | Finished | Problem]",
        unwanted: Cancellation,
    ) -> None:
        """Read the whole stream into `inbox`; ends early when nobody wants it any more."""
        try:
            with contextlib.closing(self._events(host, key, cleared)) as events:
                for event in events:
                    if unwanted.requested:
                        return
                    inbox.append(event)
        except Problem as problem:
            inbox.append(problem)

    def _events(self, host: str, key: str, cleared: Cleared) -> Generator[Token | Finished, None, None]:
        import openai  # more than a second, once, and only for those who use the cloud

        with (
            self._gate.client(self._base_url, connect=CONNECT_SECONDS, read=STALL_SECONDS) as http,
            openai.OpenAI(api_key=key, base_url=self._base_url, http_client=http, max_retries=0) as client,
        ):
            try:
                # No limit and no temperature are sent: newer models refuse requests that carry them.
                stream: Any = client.chat.completions.create(
                    model=self.name,
                    messages=[{"role": m.role, "content": m.content} for m in cleared.messages],  # type: ignore[misc]
                    stream=True,
                )
                self._expect_stream(host, stream.response.headers.get("content-type", ""))
                yield from self._words(host, stream)
            except openai.APIStatusError as error:
                log.info("%s answered %d: %.500s", host, error.status_code, error.message)
                raise self._refused(host, error.status_code) from error
            except openai.APIConnectionError as error:
                log.info("%s: %r", host, error.__cause__ or error)
                raise CloudFailed(_out_of_reach(host, error), _NEXT) from error
            except openai.OpenAIError as error:  # an error sent inside the stream, or a client that cannot be made
                log.info("%s: %.500s", host, error)
                raise CloudFailed(f"{host} reported an error instead of an answer.", _NEXT) from error
            except (json.JSONDecodeError, UnicodeError, AttributeError, TypeError) as error:
                # The last two are what JSON of another shape ends in: the SDK does not check what a service sends.
                log.info("%s: %r", host, error)
                raise CloudFailed(f"{host} answered with something unreadable.", _NEXT) from error

    def _expect_stream(self, host: str, content_type: str) -> None:
        if "text/html" in content_type:
            raise CloudFailed(
                f"{host} answered with a web page instead of a model's words.",
                "Sign in to this network if it asks for that, and check the service's address.",
            )
        if "text/event-stream" not in content_type:
            raise CloudFailed(f"{host} did not answer with a stream.", "Check the service's address in the settings.")

    def _words(self, host: str, stream: Any) -> Iterator[Token | Finished]:
        reason = None
        words = 0
        for chunk in stream:
            for choice in chunk.choices or ():
                if choice.delta and choice.delta.content:
                    words += 1
                    yield Token(choice.delta.content)
                reason = choice.finish_reason or reason
            if reason is not None:
                break
        if reason is None:
            raise CloudFailed(f"{host} broke off in the middle." if words else f"{host} sent no answer.", _NEXT)
        if reason == "content_filter":
            raise CloudFailed(f"{host} withheld the answer (its content filter).", "The passages are below.")
        yield Finished("length" if reason == "length" else "stop", tokens=words)

    def _refused(self, host: str, status: int) -> CloudFailed:
        if status in _STATUS:
            what, next_step = _STATUS[status]
        elif 300 <= status < 400:
            what, next_step = "{host} sent the request elsewhere.", "Check the service's address in the settings."
        elif status >= 500:
            what, next_step = "{host} has a problem of its own ({status}).", _NEXT
        else:
            what, next_step = "{host} refused the request ({status}).", "Check the settings."
        return CloudFailed(what.format(host=host, model=self.name, status=status), next_step)


def _out_of_reach(host: str, error: BaseException) -> str:
    """One sentence from the cause furthest down the chain of exceptions."""
    from openai import APITimeoutError

    if isinstance(error, APITimeoutError):
        return f"{host} did not answer in time."
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case ssl.SSLCertVerificationError():
                return f"The connection to {host} is not safe: {cause.verify_message or 'its certificate is refused'}."
            case ssl.SSLError():
                return f"{host} does not speak https at this address."
            case socket.gaierror():
                return f"{host} was not found: is this computer online?"
            case ConnectionRefusedError():
                return f"Nothing answers at {host}."
        cause = cause.__cause__ or cause.__context__
    return f"The connection to {host} broke."
