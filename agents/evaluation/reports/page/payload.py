"""The trials as they travel inside the page: an index that is read at once, and chunks that are read when opened.

Both are JSON in ASCII, without `<`, in script elements that a browser does not run; what is large is deflated
and written in base64, for the page to unpack. Texts are cut where a page would grow too large: the whole of
them is in `report.json`.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ....adapters.base import SUBMIT
from ..stored import finite
from .compared import task_changes

CUTS = (100_000, 20_000, 5_000, 1_200, 300)  # characters of a text that are kept, tried in turn
MAX_BYTES = 16_000_000  # of all that is embedded; the whole page stays below 20 MB
CHUNK = 250_000  # characters of JSON in a chunk: unpacked in a few milliseconds
PLAIN = 60_000  # characters that are left as they are, for people who look at the page's source
NAME, NAMES = (
    200,
    50,
)  # characters of a tool's name, and names of a trial: a model may make up as many as it likes
WHY = 300  # characters of a line of feedback in the table


@dataclass(frozen=True, slots=True)
class Block:
    """A script element that holds JSON; `packed` says that it is deflated and in base64."""

    name: str
    text: str
    packed: bool


@dataclass(frozen=True, slots=True)
class Payload:
    """What is embedded: the blocks, and the number of characters at which texts were cut (None: none was)."""

    blocks: Sequence[Block]
    cut_at: int | None


def payload(
    report: Mapping[str, Any], comparison: Mapping[str, Any] | None = None, *, max_bytes: int = MAX_BYTES
) -> Payload:
    """The trials of a report (the form of `report.json`), with as much of their texts as fits in so many bytes."""
    for limit in CUTS:
        cutter = _Cutter(limit)
        room = math.inf if limit == CUTS[-1] else max_bytes
        blocks = _fitting(_blocks(report, comparison, cutter), room)
        if blocks is not None:
            break
    return Payload(blocks or (), limit if cutter.has_cut else None)


def _fitting(blocks: Iterable[Block], room: float) -> list[Block] | None:
    """The blocks, if all of them together have room."""
    taken: list[Block] = []
    for block in blocks:
        taken.append(block)
        room -= len(block.text)
        if room < 0:
            return None
    return taken


def _blocks(
    report: Mapping[str, Any], comparison: Mapping[str, Any] | None, cutter: _Cutter
) -> Iterator[Block]:
    alike = {
        (trial["file"], trial["id"], trial["epoch"]): number
        for number, cluster in enumerate(report.get("clusters", ()))
        for trial in cluster["trials"]
    }
    changes = task_changes(comparison) if comparison else {}
    tasks: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    chunk: list[str] = []
    size = number = 0
    for place, task in enumerate(report.get("tasks", ())):
        named = {name: task.get(name) for name in ("file", "id", "tags", "split")}
        tasks.append(named | changes.get((task["file"], task["id"]), {}))
        for trial in task["trials"]:
            cluster = alike.get((task["file"], task["id"], trial.get("epoch", 0)))
            where = {"task": place, "chunk": number, "place": len(chunk), "cluster": cluster}
            rows.append(where | _row(trial))
            chunk.append(cutter.dump({"input": task.get("input", {}), **trial}))
            size += len(chunk[-1])
            if size >= CHUNK:
                yield _block(f"chunk-{number}", f"[{','.join(chunk)}]")
                chunk, size, number = [], 0, number + 1
    if chunk:
        yield _block(f"chunk-{number}", f"[{','.join(chunk)}]")
    yield _block("index", _dump({"tasks": tasks, "trials": rows}))


def _row(trial: Mapping[str, Any]) -> dict[str, Any]:
    """What the table shows of a trial and filters by."""
    steps = trial.get("trajectory", ())
    made = [call for step in steps for call in (*step.get("inner", ()), *step.get("calls", ()))]
    names = [str(call.get("name", "")) for call in made]
    usage = trial.get("usage", {})
    failed = [c for c in trial.get("checks", ()) if not c["passed"] and not c.get("error")]
    first = failed[0] if failed else {}
    why = str(first.get("feedback") or trial.get("error") or "")
    return {
        "epoch": trial.get("epoch", 0),
        "outcome": trial["outcome"],
        "score": trial.get("score"),
        "check": first.get("check", ""),
        "why": why if len(why) <= WHY else why[:WHY] + "…",
        "ending": trial.get("termination", ""),
        "steps": len(steps),
        "calls": sum(name not in ("", SUBMIT) for name in names),
        "tokens": usage.get("prompt_tokens", 0) + usage.get("completion_tokens", 0),
        "usd": usage.get("usd"),
        "seconds": trial.get("seconds", 0),
        "tools": sorted({name[:NAME] for name in names if name not in ("", SUBMIT)})[:NAMES],
    }


def _dump(value: object) -> str:
    """JSON that can stand in a script element: ASCII, and nothing in it ends the element."""
    try:
        text = _encode(value)
    except ValueError:  # a number that JSON has none for
        text = _encode(finite(value))
    return text.replace("<", "\\u003c")


_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def _block(name: str, text: str) -> Block:
    if len(text) <= PLAIN:
        return Block(name, text, packed=False)
    return Block(name, base64.b64encode(zlib.compress(text.encode("ascii"), 6)).decode("ascii"), packed=True)


class _Cutter:
    """Cuts the texts in a value of JSON's types, and remembers whether there was anything to cut."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.has_cut = False

    def dump(self, value: object) -> str:
        """The value as JSON, its texts cut: what is short as a whole holds none that is too long."""
        text = _dump(value)
        return text if len(text) <= self.limit else _dump(self.cut(value))

    def cut(self, value: Any) -> Any:
        """The value with each text cut that is too long."""
        if isinstance(value, str) and len(value) > self.limit:
            self.has_cut = True
            return f"{value[: self.limit]}… (cut here: {len(value):,} characters in all)"
        if isinstance(value, Mapping):
            return {self.cut(str(name)): self.cut(part) for name, part in value.items()}
        return [self.cut(part) for part in value] if isinstance(value, list | tuple) else value
