"""A prompt whose beginning was read for another one is the same to the model as one that is read as a whole."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.models.llama import Generate, LanguageModel, Reading, Warm
from core.models.model import FromNotes, Message, Token, composed
from indexer.worker import Cancellation

pytestmark = pytest.mark.slow

WRITTEN = 24  # tokens whose likeliest successor is compared
TOLERANCE = 0.15
"""Of logits, which reach from about -20 to 30. Matrices are multiplied in another order when a prompt is cut into other
slices, in 8 bits where the weights have 4; with the same cut not a bit is different."""

NOTES = (
    "The boiler is serviced every October by Mr Hale. His number is on the lid of the fuse box.",
    "Heinz replaced the pressure valve on 3 May. It cost 118 euros, and the receipt is in the blue folder.",
    "The chimney sweep comes in November. Somebody has to be at home, and the stove must be cold by then.",
    "Anna booked the cabin by the lake for the end of June. The key is under the third stone on the left.",
)


def prompt(question: str, *notes: str) -> list[Message]:
    system = Message("system", "Answer the question in one short sentence with words from the notes.")
    parts = (FromNotes(f'<note from="House">\n{note}\n</note>\n', ("/notes/a.md",)) for note in notes)
    return [system, composed("user", *parts, f"\nQuestion: {question}")]


WANTED = prompt("When was the pressure valve replaced, and by whom?", *NOTES[:3])
TYPED = (  # what may have been read before, while the question was typed, or for another one
    prompt("When was", *NOTES[:3]),
    prompt("When was the pressure valve replaced", NOTES[1], NOTES[0]),
    prompt("When was the pressure valve replaced, and by whom?", *NOTES[:3]),
    prompt("Who has the key of the cabin?", NOTES[3], NOTES[0]),
    [Message("user", "Something else altogether. " * 30)],
)


@pytest.fixture(scope="module")
def model(starter_model: Path) -> LanguageModel:
    made = LanguageModel(str(starter_model), 2)
    list(made.handle(Warm(), Cancellation()))
    return made


def tokens(model: LanguageModel, messages: Sequence[Message]) -> list[int]:
    return model._tokens(messages, 40)[0]


def logits(model: LanguageModel) -> NDArray[np.float32]:
    """Of the token after the last one that was read."""
    import llama_cpp

    found = llama_cpp.llama_get_logits_ith(model._llama.ctx, -1)
    return np.ctypeslib.as_array(found, (model._llama.n_vocab(),)).copy()


def forget(model: LanguageModel) -> None:
    model._keep([-1])
    assert model._llama.n_tokens == 0


def read(model: LanguageModel, prompt: list[int], cut: int) -> None:
    """Read what the model does not know of a prompt, cut at the same places whatever it knows."""
    done = model._keep(prompt)
    while done < len(prompt):
        end = min((done // cut + 1) * cut, len(prompt))
        model._llama.eval(prompt[done:end])
        done = end


@pytest.mark.parametrize("typed", TYPED)
def test_with_the_same_cut_not_a_bit_is_different(model: LanguageModel, typed: list[Message]) -> None:
    wanted = tokens(model, WANTED)
    forget(model)
    read(model, wanted, 16)
    cold = logits(model)
    forget(model)
    read(model, tokens(model, typed), 16)
    same = model._keep(wanted[:-1])
    model._llama.n_tokens = same // 16 * 16  # as if it had been stopped at a cut
    read(model, wanted, 16)
    assert np.array_equal(logits(model), cold)


@pytest.mark.parametrize("typed", TYPED)
def test_with_any_cut_the_next_words_are_the_same_and_the_logits_within_the_tolerance(
    model: LanguageModel, typed: list[Message]
) -> None:
    wanted = tokens(model, WANTED)

    def followed() -> tuple[NDArray[np.float32], list[int]]:
        """The logits after each of the next tokens, and the likeliest one each time."""
        model._llama.eval(wanted[model._llama.n_tokens :])
        found, likeliest = [logits(model)], []
        for _ in range(WRITTEN):
            likeliest.append(int(found[-1].argmax()))
            model._llama.eval(likeliest[-1:])
            found.append(logits(model))
        return np.array(found), likeliest

    forget(model)
    list(model._read(wanted[:-1], Cancellation()))
    cold, words = followed()
    forget(model)
    list(model._read(tokens(model, typed)[:-1], Cancellation()))
    list(model._read(wanted[:-1], Cancellation()))
    warm, again = followed()
    print(f"largest difference {np.abs(warm - cold).max():.4f}, logits from {cold.min():.1f} to {cold.max():.1f}")
    assert again == words
    assert np.abs(warm - cold).max() <= TOLERANCE


def test_reading_that_was_stopped_anywhere_goes_on_from_there(model: LanguageModel) -> None:
    forget(model)
    whole = "".join(e.text for e in model.handle(Generate(WANTED, 40), Cancellation()) if isinstance(e, Token))
    for slices in (1, 2, 3):
        forget(model)
        cancelled = Cancellation()
        for number, _ in enumerate(model.handle(Generate(WANTED, 40, only_read=True), cancelled), 1):
            if number == slices:
                cancelled.cancel()
        known = model._llama.n_tokens
        assert known
        events = list(model.handle(Generate(WANTED, 40), Cancellation()))
        assert "".join(event.text for event in events if isinstance(event, Token)) == whole
        first = next((event for event in events if isinstance(event, Reading)), None)
        assert first is None or first.done > known


def test_passages_in_another_order_are_not_read_again(model: LanguageModel) -> None:
    def known() -> list[int]:
        return [int(token) for token in model._llama.input_ids[: model._llama.n_tokens]]

    forget(model)
    list(model.handle(Generate(prompt("When was", *NOTES[:3]), 40, only_read=True), Cancellation()))
    before = known()
    reordered = prompt("When was the valve replaced?", NOTES[1], NOTES[2], NOTES[3], NOTES[0])
    list(model.handle(Generate(reordered, 40, only_read=True), Cancellation()))
    after = known()
    shared = next(place for place, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1])
    question = len(model._llama.tokenize(b"\nQuestion: When was", add_bos=False))
    assert shared >= len(before) - question - 6, "nothing but the end, which comes after the passages"
    assert len(after) > len(before)
