"""From a request to a call: encode, read, write token by token within the grammar."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from tokenizers import Tokenizer

from loopwright.tools.calls import ToolCall, ToolSpec

from .grammar import Call
from .network import Array, Memory, Network
from .template import ARG, END, MARKERS, Piece, arguments_of


@dataclass(frozen=True, slots=True)
class Choice:
    """How the next token is chosen: the most likely one, or (temperature above 0) a seeded draw."""

    temperature: float = 0.0
    top_p: float = 1.0
    seed: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """What the model wrote, and what that took."""

    call: ToolCall
    complete: bool
    prompt_tokens: int
    cached_tokens: int
    written_tokens: int


class Conversations:
    """What was read lately, so that a prompt that goes on from an earlier one is not read again.

    Holds at most `size` memories. They are copied before they grow, so threads may share them.
    """

    def __init__(self, size: int = 16) -> None:
        self._size = size
        self._kept: OrderedDict[tuple[int, ...], Memory] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, ids: Sequence[int]) -> tuple[Memory | None, int]:
        """The memory that shares the longest beginning with the prompt, and how much it shares."""
        with self._lock:
            shared = {key: _shared(key, ids) for key in self._kept}
            if not shared:
                return None, 0
            best = max(shared, key=shared.__getitem__)
            self._kept.move_to_end(best)
            return self._kept[best], shared[best]

    def remember(self, memory: Memory) -> None:
        """Keep a memory; one that it merely continues is dropped, and the longest unused where there are too many."""
        key = tuple(memory.ids)
        with self._lock:
            for old in [old for old in self._kept if key[: len(old)] == old]:
                del self._kept[old]
            self._kept[key] = memory
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)


def _shared(left: Sequence[int], right: Sequence[int]) -> int:
    return next(
        (i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
    )


class Decoder:
    """The network with its tokenizer. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        self.network = Network(folder)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.encode_special_tokens = True  # a marker that stands in a text is text
        numbers = self.tokenizer.get_vocab()
        self.markers = {marker: numbers[marker] for marker in MARKERS}
        self._marker_ids = frozenset(self.markers.values())
        self._bytes = _token_bytes(self.tokenizer)
        self._conversations = Conversations()

    def encode(self, pieces: Sequence[Piece]) -> list[int]:
        """Token ids of a rendered conversation; no text can spell a marker."""
        texts = iter(self.tokenizer.encode_batch([piece.text for piece in pieces if not piece.marker]))
        ids: list[int] = []
        for piece in pieces:
            ids += [self.markers[piece.text]] if piece.marker else next(texts).ids
        return ids

    def write(self, ids: list[int], tools: Sequence[ToolSpec], choice: Choice, limit: int) -> Written:
        """Write one call of one of the tools, in at most `limit` tokens."""
        recalled, shared = self._conversations.recall(ids)
        shared = min(shared, len(ids) - 1)
        capacity = len(ids) + limit + 1
        memory = recalled.fork(shared, capacity) if recalled else self.network.new_memory(capacity)
        waiting, call, pending = ids[shared:], Call({spec.name: arguments_of(spec) for spec in tools}), b""
        rng, written = Random(choice.seed), 0
        ended = False
        while written < limit and not ended:
            forced = self.tokenizer.encode(call.forced).ids[: limit - written] if call.forced else []
            if forced and not pending:
                waiting, call, written = (
                    [*waiting, *forced],
                    call.write(call.forced) or call,
                    written + len(forced),
                )
                continue
            scores = self.network.read(waiting, memory)
            for token in _candidates(scores, choice, rng):
                step = self._take(call, pending, token)
                if step is not None:
                    break
            else:
                break
            call, pending, ended = step
            waiting, written = [token], written + 1
        self._conversations.remember(memory)
        return Written(_read_call(call, tools, ended), ended, len(ids), shared, written)

    def _take(self, call: Call, pending: bytes, token: int) -> tuple[Call, bytes, bool] | None:
        """The call with one more token: None where the grammar forbids it.

        `pending` are bytes of a character that is not yet whole; the last item says that the call ended.
        """
        if token in self._marker_ids:
            if pending:
                return None
            if token == self.markers[END]:
                return (call, b"", True) if call.may_end else None
            return (
                (call.next_argument(), b"", False) if token == self.markers[ARG] and call.may_go_on else None
            )
        text, rest = _whole_characters(pending + self._bytes[token])
        if text is None:
            return None
        grown = call.write(text) if text else call
        if grown is None or (rest and call.at == "value" and not call.text):
            return None
        return grown, rest, False


def _read_call(call: Call, tools: Sequence[ToolSpec], ended: bool) -> ToolCall:
    name, written = call.finished()
    if not ended:
        return ToolCall(
            name,
            malformed=", ".join(f"{argument}={value.strip()}" for argument, value in written) or "(nothing)",
        )
    return ToolCall(
        name,
        {argument: value[1:] if value.startswith(" ") else json.loads(value) for argument, value in written},
    )


def _candidates(scores: Array, choice: Choice, rng: Random) -> Iterator[int]:
    """Tokens in the order in which they are tried.

    Trying draws without replacement until one is allowed is the same as drawing among those allowed.
    """
    order = np.argsort(-scores, kind="stable")
    if choice.temperature <= 0:
        yield from map(int, order)
        return
    shares = np.exp((scores[order] - scores[order[0]]).astype(np.float64) / choice.temperature)
    shares /= shares.sum()
    inside = np.cumsum(shares) - shares < choice.top_p
    weights = np.where(inside, shares, 0.0)
    while (total := float(weights.sum())) > 0:
        at = min(
            int(np.searchsorted(np.cumsum(weights), rng.random() * total, side="right")), len(weights) - 1
        )
        if weights[at] == 0:
            at = int(np.argmax(weights))
        weights[at] = 0.0
        yield int(order[at])
    yield from map(int, order[~inside])


def _whole_characters(raw: bytes) -> tuple[str | None, bytes]:
    """The text of whole UTF-8 characters and the bytes of one not yet whole; None where it can't be UTF-8."""
    try:
        return raw.decode(), b""
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            return raw[: error.start].decode(), raw[error.start :]
        return None, b""


def _token_bytes(tokenizer: Tokenizer) -> list[bytes]:
    """The bytes that each token stands for, out of the printable letters that byte-level BPE writes for them."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [each for each in range(256) if each not in plain]
    letters = {chr(each): each for each in plain} | {chr(256 + at): each for at, each in enumerate(others)}
    names = [tokenizer.id_to_token(i) or "" for i in range(tokenizer.get_vocab_size())]
    return [b"" if name in MARKERS else bytes(letters[letter] for letter in name) for name in names]
