"""Anthropic's interface: the Messages API with its named events."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from core.errors import CloudCannotGoOn, CloudFailed, CloudWithheld
from core.models.failures import NEXT, expect_stream, sorted_failures
from core.models.model import Finished, Token
from core.models.service import Request

if TYPE_CHECKING:
    import httpx2


def ask(http: "httpx2.Client", request: Request) -> Iterator[Token | Finished]:
    """See `Service`. Words that exist are given as the beginning of the model's own turn, and it goes on from them.

    Raises:
        CloudCannotGoOn: some models refuse that.
        CloudFailed: see `Service`.
    """
    import anthropic  # a second, once, and only for those who use it

    with (
        anthropic.Anthropic(
            api_key=request.key,
            base_url=request.base_url.removesuffix("/v1"),  # it adds that itself
            http_client=http,
            max_retries=0,
            open_telemetry=False,
        ) as client,
        sorted_failures(anthropic, request.host, request.model),
    ):
        try:
            stream = _opened(client, request)
        except anthropic.BadRequestError as error:
            if request.so_far and "prefill" in str(error.body).lower():
                raise CloudCannotGoOn(f"{request.host} does not go on from another's words.", NEXT) from error
            raise
        yield from _joined(request.so_far, _words(stream, request))


def _opened(client: Any, request: Request) -> Any:
    messages = [{"role": m.role, "content": m.content} for m in request.messages if m.role != "system"]
    if request.so_far:  # white space at its end is refused
        messages.append({"role": "assistant", "content": request.so_far.rstrip()})
    stream = client.messages.create(
        model=request.model,
        max_tokens=request.max_tokens,
        system="\n\n".join(m.content for m in request.messages if m.role == "system"),
        messages=messages,
        stream=True,
    )
    expect_stream(request.host, stream.response.headers.get("content-type", ""))
    return stream


def _words(stream: Any, request: Request) -> Iterator[Token | Finished]:
    reason = None
    read = written = 0
    said = False
    for event in stream:
        match event.type:
            case "message_start":
                read = event.message.usage.input_tokens or 0
            case "content_block_delta" if event.delta.type == "text_delta":
                said = said or bool(event.delta.text)
                yield Token(event.delta.text)
            case "content_block_delta":
                yield Token("")  # it thinks
            case "message_delta":
                reason = event.delta.stop_reason or reason
                written = event.usage.output_tokens or written
            case "message_stop":
                break
    else:
        raise CloudFailed(f"{request.host} {'broke off in the middle' if said else 'sent no answer'}.", NEXT)
    if reason == "refusal":
        raise CloudWithheld(f"{request.host} withheld the answer (its content filter).", "The passages are below.")
    if not said and not request.so_far:
        raise CloudFailed(f"{request.host} sent no answer.", NEXT)
    yield Finished("length" if reason == "max_tokens" else "stop", read, written)


def _joined(so_far: str, words: Iterator[Token | Finished]) -> Iterator[Token | Finished]:
    """The words as they follow `so_far`, whose white space at the end the model was not shown."""
    spaced = so_far != so_far.rstrip()
    for event in words:
        if spaced and isinstance(event, Token) and event.text:
            spaced = False
            event = Token(event.text.lstrip())  # noqa: PLW2901
        yield event
