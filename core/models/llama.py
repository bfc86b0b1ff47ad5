"""The local model inside its child process, the only one that loads llama.cpp; the engine's end is `models.local`.

It runs one call at a time (two threads in one context crash it), reads prompts in short slices so that stop and hang
are noticed, and stays a stranger to the network and to keys.
"""

import codecs
import logging
import os
import re
import struct
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from core.errors import ModelMissing
from core.models.arrangement import arranged
from core.models.model import Finished, Message, ModelFailed, Token
from indexer.worker import Cancellation

log = logging.getLogger(__name__)

CONTEXT = 2048  # tokens; the prompt and the answer together. Its memory is taken at once (46 MB for the starter model)
BATCH = 128  # tokens; larger batches read prompts no faster on a CPU and only delay a stop
SLICE_SECONDS = 0.1  # a prompt is read in slices of about this long: a stop is heard between them
SMALLEST_SLICE = 8  # tokens
TAIL = 160  # tokens of the prompt's end (the question) that survive when a prompt is too long
CROWDED = 0.75  # share of their time in which the threads really compute; below it, fewer of them write faster
LOOK_EVERY = 4  # tokens
REPEAT_PENALTY = 1.1  # over the model's own words only; small models otherwise loop
CANDIDATES = 512  # tokens looked at for one that goes on with a given word

_HEADER = struct.Struct("<4sIQQ")  # magic, version, tensors, key-value pairs (GGUF specification, version 3)
_LAST_WORD = re.compile(r"\s?\S{1,24}\Z|\s\Z")  # long enough for words; scripts without spaces lose nothing by it
_CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class Warm(Struct, frozen=True, tag=True):
    """Load the model, if it is not yet → Ready."""


class Generate(Struct, frozen=True, tag=True):
    """Write the next message → Reading*, Token*, Finished.

    so_far: the message's beginning, which others have written; only what follows it is written.
    only_read: read the prompt and the beginning, so that the same call without this begins at once → Reading*.
    """

    messages: list[Message]
    max_tokens: int
    so_far: str = ""
    only_read: bool = False


class Ready(Struct, frozen=True, tag=True):
    """The model is loaded; `context` is in tokens, `load_ms` 0 when it had been loaded before."""

    context: int
    parameters: int
    load_ms: float


class Reading(Struct, frozen=True, tag=True):
    """So many of the prompt's tokens have been read. It comes several times a second: silence means a hang."""

    done: int
    total: int


Call = Warm | Generate
Event = Ready | Reading | Token | Finished


def build(config: dict[str, Any]) -> "LanguageModel":
    """The child's service. `config`: "model" (path of a GGUF file), "threads", and optionally "context" (tokens)."""
    # Threads that wait for each other by spinning lose nine tenths of their speed as soon as anything else wants a core
    # (measured: 20 tokens/s against 108). Read by the OpenMP library when llama.cpp is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return LanguageModel(config["model"], int(config["threads"]), int(config.get("context", CONTEXT)))


def check_file(path: Path, name: str = "") -> None:
    """Look at a model file's first bytes before llama.cpp's parser, which is C++, sees any of it.

    Args:
        path: the file.
        name: what it is called in a refusal, by default its own name.

    Raises:
        ModelMissing: it is not there, not readable, or not a GGUF file.
    """
    called = name or path.name
    again = "Choose another model file in the settings, or run the set-up again."
    try:
        with path.open("rb") as file:
            start = file.read(_HEADER.size)
    except OSError as error:
        raise ModelMissing(f"The model file {path} cannot be read: {error.strerror}.", again) from error
    if len(start) < _HEADER.size or start[:4] != b"GGUF":
        raise ModelMissing(f"{called} is not a GGUF model file.", again)
    _, version, tensors, pairs = _HEADER.unpack(start)
    if version not in (2, 3) or not 0 < tensors < 100_000 or not 0 < pairs < 100_000:
        raise ModelMissing(f"{called} is damaged or a GGUF file of an unknown version.", again)


class LanguageModel:
    """A GGUF model, loaded at its first use.

    Args:
        path: the GGUF file.
        threads: processor threads for reading and for writing.
        context: tokens that prompt and answer may have together; less where the model was trained on less.
    """

    def __init__(self, path: str, threads: int, context: int = CONTEXT) -> None:
        self._path = Path(path)
        self._threads = threads
        self._context = context
        self._llama: Any = None
        self._parameters = 0
        self._vocabulary: Any = None
        self._template: Any = None
        self._abort: Any = None  # kept because llama.cpp only borrows it
        self._slice = SMALLEST_SLICE * 4  # tokens; as the last ones went
        self._order: list[str] = []  # the excerpts of the last prompt, as they stood in it
        self._cancelled = Cancellation()

    def handle(self, call: Call, cancelled: Cancellation) -> Iterator[Event]:
        """Answer a call.

        Raises:
            ModelMissing: the file is missing, foreign or damaged.
            ModelFailed: llama.cpp gave up, most likely for want of memory.
        """
        started = time.perf_counter()
        loaded = self._llama is not None
        if not loaded:
            self._load()
        if isinstance(call, Warm):
            milliseconds = 0.0 if loaded else (time.perf_counter() - started) * 1000
            yield Ready(self._llama.n_ctx(), self._parameters, milliseconds)
            return
        self._cancelled = cancelled
        try:
            yield from self._write(call, cancelled)
        except RuntimeError as error:  # what llama_cpp raises when llama_decode fails, or was aborted by us
            if not cancelled.requested:
                log.info("llama.cpp: %s", error)
                raise ModelFailed("The local model failed while writing.", "Ask again; the quote stands.") from error

    def _load(self) -> None:
        check_file(self._path)
        import llama_cpp  # a quarter of a second and a native library, which only this process pays for
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        llama_cpp.llama_log_set(_native_log(), None)
        try:
            self._llama = llama_cpp.Llama(
                str(self._path),
                n_ctx=self._context,
                n_batch=BATCH,
                n_ubatch=BATCH,
                n_threads=self._threads,
                n_threads_batch=self._threads,
                verbose=False,
            )
        except ValueError as error:
            raise ModelMissing(
                f"{self._path.name} cannot be loaded: it is damaged, incomplete, or too large for the memory.",
                "Choose another model file in the settings, or run the set-up again.",
            ) from error
        self._abort = llama_cpp.ggml_abort_callback(lambda _: self._cancelled.requested)
        llama_cpp.llama_set_abort_callback(self._llama.ctx, self._abort, None)
        self._parameters = int(llama_cpp.llama_model_n_params(self._llama.model))
        self._vocabulary = llama_cpp.llama_model_get_vocab(self._llama.model)
        self._template = Jinja2ChatFormatter(
            self._llama.metadata.get("tokenizer.chat_template", _CHATML),
            eos_token=self._text(self._llama.token_eos()),
            bos_token=self._text(self._llama.token_bos()),
        )

    def _write(self, call: Generate, cancelled: Cancellation) -> Iterator[Event]:
        messages, self._order = arranged(call.messages, self._order)
        prompt, unfinished = self._tokens(messages, call.max_tokens, call.so_far)
        yield from self._read(prompt[:-1], cancelled)
        if call.only_read or cancelled.requested:
            return
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        spelt, beyond = self._spell(prompt, unfinished)
        prompt += spelt
        if text := decoder.decode(beyond):
            yield Token(text)
        max_tokens = max(1, call.max_tokens - self._length(call.so_far))
        # generate() finds all but the prompt's last token already read, and goes on from there.
        tokens = self._llama.generate(prompt, temp=0.0, repeat_penalty=REPEAT_PENALTY)
        self._write_with(self._threads)
        crew = _Crew(self._threads)
        for written, token in enumerate(tokens):
            if written % LOOK_EVERY == LOOK_EVERY - 1:
                self._write_with(crew.threads())
            if cancelled.requested:
                return
            if self._ends(token) or written == max_tokens:
                rest = decoder.decode(b"", final=True)
                if rest:
                    yield Token(rest)
                yield Finished("stop" if self._ends(token) else "length", len(prompt), written)
                return
            text = decoder.decode(self._llama.detokenize([token]))
            if text:
                yield Token(text)

    def _read(self, tokens: list[int], cancelled: Cancellation) -> Iterator[Reading]:
        """Evaluate the tokens that differ from those the model has in mind, in slices of about SLICE_SECONDS."""
        done = self._keep(tokens)
        while done < len(tokens) and not cancelled.requested:
            started = time.perf_counter()
            piece = tokens[done : done + self._slice]
            self._llama.eval(piece)
            done += len(piece)
            if len(piece) == self._slice:  # a shorter one, the last, says little about the pace
                pace = SLICE_SECONDS / max(time.perf_counter() - started, 1e-6)
                self._slice = max(SMALLEST_SLICE, min(BATCH, int(len(piece) * pace)))
            yield Reading(done, len(tokens))

    def _write_with(self, threads: int) -> None:
        import llama_cpp

        llama_cpp.llama_set_n_threads(self._llama.ctx, threads, self._threads)

    def _keep(self, tokens: list[int]) -> int:
        """Forget everything after the longest common beginning with the last prompt; returns its length."""
        import llama_cpp

        known = self._llama.input_ids[: self._llama.n_tokens].tolist()
        shorter = min(len(known), len(tokens))
        same = next((i for i in range(shorter) if known[i] != tokens[i]), shorter)
        if llama_cpp.llama_memory_seq_rm(llama_cpp.llama_get_memory(self._llama.ctx), 0, same, -1):
            self._llama.n_tokens = same
        else:
            self._llama.reset()  # recurrent models cannot forget a part
        return int(self._llama.n_tokens)

    def _spell(self, prompt: list[int], unfinished: bytes) -> tuple[list[int], bytes]:
        """The tokens that spell `unfinished` after `prompt`, the likeliest each time, and what the last says beyond it.

        A model reads a word in pieces of its own: one that is cut in its middle is no beginning it has ever seen. So
        its last word is written again under this guidance ("token healing"), and what is shown need not change.
        """
        spelt: list[int] = []
        while unfinished:
            self._llama.eval([*prompt, *spelt][self._llama.n_tokens :])
            token, piece = self._agreeing(unfinished)
            spelt.append(token)
            if len(piece) >= len(unfinished):
                return spelt, piece[len(unfinished) :]
            unfinished = unfinished[len(piece) :]
        return spelt, b""

    def _agreeing(self, wanted: bytes) -> tuple[int, bytes]:
        """The likeliest next token whose text begins `wanted` or begins with it."""
        import llama_cpp
        import numpy as np

        logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(self._llama.ctx, -1), (self._llama.n_vocab(),))
        likeliest = np.argsort(-logits)[:CANDIDATES].tolist()
        plain = self._llama.tokenize(wanted, add_bos=False, special=False)[:1]
        for token in (*likeliest, *plain):
            piece = self._llama.detokenize([token])
            if piece and not self._ends(token) and (wanted.startswith(piece) or piece.startswith(wanted)):
                return token, piece
        return plain[0], wanted  # a vocabulary that cannot spell it: it goes on after it all the same

    def _length(self, text: str) -> int:
        return len(self._llama.tokenize(text.encode("utf-8", "replace"), add_bos=False, special=False)) if text else 0

    def _tokens(self, messages: Sequence[Message], max_tokens: int, so_far: str = "") -> tuple[list[int], bytes]:
        """The prompt with the answer so far, and the answer's last word, which is still to be spelt.

        The template's own marks become control tokens; what people, notes and other models wrote never does. A prompt
        that leaves no room for the answer loses its middle: instructions stand first, the question last.
        """
        cut = _LAST_WORD.search(so_far)
        whole, unfinished = (so_far[: cut.start()], cut.group()) if cut else (so_far, "")
        answer = self._llama.tokenize(whole.encode("utf-8", "replace"), add_bos=False, special=False) if whole else []
        marks = [f"\ue000{number}\ue001" for number in range(len(messages))]
        contents = {mark: message.content.strip() for mark, message in zip(marks, messages, strict=True)}
        rendered = self._rendered([{"role": m.role, "content": mark} for m, mark in zip(messages, marks, strict=True)])
        tokens: list[int] = []
        for piece in re.split("(\ue000[0-9]+\ue001)", rendered):
            text = contents.get(piece, piece).encode("utf-8", "replace")
            tokens += self._llama.tokenize(text, add_bos=False, special=piece not in contents) if text else []
        room = int(self._llama.n_ctx()) - max(max_tokens, len(answer)) - TAIL
        if len(tokens) > room:
            tokens = [*tokens[: max(room - TAIL, 0)], *tokens[-min(TAIL, room) :]]
        return [*tokens, *answer], unfinished.encode("utf-8", "replace")

    def _rendered(self, messages: list[dict[str, str]]) -> str:
        try:
            return str(self._template(messages=messages).prompt)
        except ValueError:  # some templates know no system role: what it says then opens the first question
            first, second, *others = messages
            together = {"role": "user", "content": f"{first['content']}\n\n{second['content']}"}
            return str(self._template(messages=[together, *others]).prompt)

    def _ends(self, token: int) -> bool:
        import llama_cpp

        return bool(llama_cpp.llama_vocab_is_eog(self._vocabulary, token))

    def _text(self, token: int) -> str:
        import llama_cpp

        return llama_cpp.llama_vocab_get_text(self._vocabulary, token).decode() if token >= 0 else ""


class _Crew:
    """How many threads write. A small model's thousand steps a token are so short that threads spend their time waiting
    for each other, more so when other programs want the processor; reading a prompt gains from every core.

    Measured on two cores, the starter model: reading 330 tokens/s with two threads, 238 with one; writing 72 and 130.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._wall, self._used = time.perf_counter(), time.process_time()

    def threads(self) -> int:
        """How many threads to go on with, judged by the time since the last look. They only become fewer."""
        wall, used = time.perf_counter(), time.process_time()
        share = (used - self._used) / max(wall - self._wall, 1e-6) / self._threads
        self._wall, self._used = wall, used
        if share < CROWDED:
            self._threads = max(1, int(share * self._threads))
        return self._threads


@cache  # llama.cpp only borrows the function, for as long as the process lives
def _native_log() -> Any:
    import llama_cpp

    def note(_level: int, text: bytes, _data: object) -> None:
        log.debug("llama.cpp: %s", text.decode("utf-8", "replace").rstrip())

    return llama_cpp.llama_log_callback(note)
