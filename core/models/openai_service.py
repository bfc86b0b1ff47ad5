"""OpenAI's interface, which most services and model servers speak: OpenRouter, Groq, Ollama, vLLM and many others."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from core.errors import CloudFailed, CloudWithheld
from core.models.failures import NEXT, expect_stream, sorted_failures
from core.models.model import Finished, Token
from core.models.service import Request

if TYPE_CHECKING:
    import httpx2


def ask(http: "httpx2.Client", request: Request) -> Iterator[Token | Finished]:
    """See `Service`. The interface has no way to go on from words that exist: it is given none."""
    import openai  # more than a second, once, and only for those who use the cloud

    with (
        openai.OpenAI(api_key=request.key, base_url=request.base_url, http_client=http, max_retries=0) as client,
        sorted_failures(openai, request.host, request.model),
    ):
        # No limit and no temperature are sent: newer models refuse requests that carry them.
        stream: Any = client.chat.completions.create(
            model=request.model,
            messages=[{"role": m.role, "content": m.content} for m in request.messages],  # type: ignore[misc]
            stream=True,
        )
        expect_stream(request.host, stream.response.headers.get("content-type", ""))
        yield from _words(stream, request)


def _words(stream: Any, request: Request) -> Iterator[Token | Finished]:
    reason = usage = None
    words = 0
    for chunk in stream:
        usage = getattr(chunk, "usage", None) or usage
        for choice in chunk.choices or ():
            reason = choice.finish_reason or reason
            if choice.delta and choice.delta.content:
                words += 1
                yield Token(choice.delta.content)
            elif choice.delta and _thinks(choice.delta):
                yield Token("")
        if reason is not None:
            break
    if reason is None:
        said = "broke off in the middle" if words else "sent no answer"
        raise CloudFailed(f"{request.host} {said}.", NEXT)
    if reason == "content_filter":
        raise CloudWithheld(f"{request.host} withheld the answer (its content filter).", "The passages are below.")
    if not words:
        raise CloudFailed(f"{request.host} sent no answer.", NEXT)
    counts = (usage.prompt_tokens or 0, usage.completion_tokens or words) if usage else (0, words)
    yield Finished("length" if reason == "length" else "stop", *counts)


def _thinks(delta: Any) -> bool:
    """Whether a reasoning model shows that it is at work (DeepSeek's and OpenRouter's names for it)."""
    return bool(getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None))
