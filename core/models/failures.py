"""What a service's failure means: one more try there, the next in line, or a word to the person.

The two SDKs are made by the same generator and name their errors alike; both are sorted here.
"""

import email.utils
import json
import logging
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType

from core.errors import CloudBusy, CloudFailed, CloudRefused, CloudTooLong, CloudUnfit
from indexer.records import Problem

log = logging.getLogger(__name__)

NEXT = "Ask again later, or go on with the local model."
SIGN_IN = "Sign in to this network if it asks for that, and check the service's address."
OVERLOADED = 529  # Anthropic's own status for "overloaded", beside HTTP's 503
RETRY_503 = 0.5  # seconds until the one more try, where the service names none
RETRY_RESET = 0.2

_REFUSED = {
    401: ("{host} refused the API key.", "Set a valid key with `offhand keys set`.", True),
    402: ("{host} says that the account has no credit left.", "Top it up there, or choose another service.", False),
    403: ("{host} does not allow this key to use {model}.", "Check the key's rights there.", True),
    404: ("{host} does not know {model}.", "Check the model's name and the service's address.", True),
}
_FAILED = {
    408: ("{host} took too long.", NEXT),
    429: ("{host} is too busy, or your limit there is reached.", NEXT),
}
_TOO_LONG = re.compile(r"context.?length|maximum context|context window|prompt is too long|too many tokens", re.I)


@contextmanager
def sorted_failures(sdk: ModuleType, host: str, model: str) -> Iterator[None]:
    """Turn what `sdk` and the connection under it raise into one of our errors.

    Raises:
        CloudBusy, CloudRefused, CloudTooLong, CloudFailed: see each.
        Problem: one of ours that was raised inside, as it was.
    """
    import httpx2

    try:
        yield
    except sdk.APIStatusError as error:
        log.info("%s answered %d", host, error.status_code)
        raise by_status(host, model, error.status_code, error.response.headers, str(error.body)) from error
    except (sdk.APIConnectionError, httpx2.HTTPError) as error:
        raise out_of_reach(host, error) from error
    except sdk.APIError as error:  # sent inside the stream
        log.info("%s: an error inside the stream", host)
        raise CloudFailed(f"{host} reported an error instead of an answer.", NEXT) from error
    except (
        json.JSONDecodeError,
        UnicodeError,
        AttributeError,
        TypeError,
        KeyError,
        sdk.APIResponseValidationError,
    ) as e:
        # JSON of another shape ends in the middle ones: the SDKs do not check what a service sends.
        log.info("%s: %s", host, type(e).__name__)
        raise CloudFailed(f"{host} answered with something unreadable.", NEXT) from e


def expect_stream(host: str, content_type: str) -> None:
    """Look at what a service says it sends, before any of it is read.

    Raises:
        CloudFailed: it is no stream of events.
    """
    if "text/html" in content_type:
        raise web_page(host)
    if "text/event-stream" not in content_type:
        raise CloudFailed(f"{host} did not answer with a stream.", "Check the service's address in the settings.")


def web_page(host: str) -> CloudFailed:
    """A hotel's or a company's sign-in page stands in the way."""
    return CloudFailed(f"{host} answered with a web page instead of a model's words.", SIGN_IN)


def by_status(host: str, model: str, status: int, headers: Mapping[str, str], body: str) -> CloudFailed:
    """The error for a status that is not 200.

    Args:
        headers: of the answer; `content-type` and `retry-after` are looked at.
        body: of the answer, as text.
    """
    if "text/html" in headers.get("content-type", "") and status < 500:
        return web_page(host)
    after = retry_after(headers.get("retry-after", ""))
    if status == 413 or (status == 400 and _TOO_LONG.search(body)):
        return CloudTooLong(f"{host} found the request too large.", "Ask a narrower question.")
    if status in _REFUSED:
        what, next_step, lasting = _REFUSED[status]
        return CloudRefused(what.format(host=host, model=model), next_step, lasting=lasting)
    if status in (503, OVERLOADED):
        return CloudBusy(f"{host} has a problem of its own ({status}).", NEXT, RETRY_503 if after is None else after)
    if status == 429 and after is not None:
        return CloudBusy(_FAILED[429][0].format(host=host), NEXT, after)
    if status < 300:  # Anthropic's SDK gives an error inside the stream the stream's own status
        return CloudFailed(f"{host} reported an error instead of an answer.", NEXT)
    if status == 400:
        return CloudUnfit(f"{host} refused the request.", "Check the model's name in the settings.")
    if status in _FAILED:
        what, next_step = _FAILED[status]
    elif 300 <= status < 400:
        what, next_step = "{host} sent the request elsewhere.", SIGN_IN
    elif status >= 500:
        what, next_step = "{host} has a problem of its own ({status}).", NEXT
    else:
        return CloudUnfit(f"{host} refused the request ({status}).", "Check the settings.")
    return CloudFailed(what.format(host=host, status=status), next_step)


def retry_after(value: str) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3: seconds or a date), None without a usable one."""
    value = value.strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def out_of_reach(host: str, error: BaseException) -> Problem:
    """The error for a connection that failed, from the cause furthest down the chain of exceptions."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    log.info("%s: %s", host, ", ".join(type(one).__name__ for one in causes))
    for one in causes:
        match one:
            case Problem():
                return one  # one of ours, raised under the SDK: the closed door, too large an answer
            case ssl.SSLCertVerificationError():
                why = one.verify_message or "its certificate is refused"
                return CloudFailed(f"The connection to {host} is not safe: {why}.", SIGN_IN)
            case ssl.SSLError():
                return CloudFailed(f"{host} does not speak https at this address.", NEXT)
            case socket.gaierror():
                return CloudFailed(f"{host} was not found: is this computer online?", NEXT)
            case ConnectionRefusedError():
                return CloudFailed(f"Nothing answers at {host}.", NEXT)
            case TimeoutError():
                return CloudFailed(f"{host} did not answer in time.", NEXT)
            case ConnectionResetError() | BrokenPipeError():
                return CloudBusy(f"The connection to {host} broke.", NEXT, RETRY_RESET)
    names = {type(one).__name__ for one in causes}
    if any("Timeout" in name for name in names):
        return CloudFailed(f"{host} did not answer in time.", NEXT)
    if names & {"RemoteProtocolError", "ReadError"}:  # the other side hung up without a word
        return CloudBusy(f"The connection to {host} broke.", NEXT, RETRY_RESET)
    return CloudFailed(f"The connection to {host} broke.", NEXT)
