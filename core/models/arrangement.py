"""The order in which a prompt gives its excerpts, so that what a model has read already is not read again.

A model keeps the beginning that two prompts share. While a person types, the same passages come back in another order
with each word; as long as they are given in the order in which they were read, only what is new has to be read.
"""

from collections.abc import Sequence

from msgspec import structs

from core.models.model import Message


def arranged(messages: Sequence[Message], before: Sequence[str]) -> tuple[list[Message], list[str]]:
    """The messages with the excerpts of the last one in the order in which the model has read them.

    Args:
        before: what was returned for the last prompt.

    Returns:
        The messages, which say the same as before, and the excerpts in their new order. Nothing is moved but excerpts
        that stand one after the other at the beginning of the message.
    """
    *others, last = messages
    texts = _leading(last)
    known = [text for text in before if text in texts]
    order = [*known, *(text for text in texts if text not in known)]
    if len(set(texts)) < len(texts) or order == texts:
        return [*messages], texts
    tail = last.content[sum(map(len, texts)) :]
    return [*others, structs.replace(last, content="".join(order) + tail, excerpts=())], order


def _leading(message: Message) -> list[str]:
    """The excerpts that stand one after the other at the beginning of a message."""
    texts: list[str] = []
    end = 0
    for excerpt in message.excerpts:
        if excerpt.start != end:
            break
        texts.append(message.content[excerpt.start : excerpt.end])
        end = excerpt.end
    return texts
