"""The example task files, each with a good run of every task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loopwright import TaskFile

from . import figures, research, support, tasks
from .playing import Play, Turn

EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True)
class ExampleFile:
    """One file: its good runs by task, what somebody answers who does nothing, and whether results feed the answer."""

    path: Path
    plays: Mapping[str, Play] = field(repr=False)
    idle: Mapping[str, object]
    propagates: bool = False

    @property
    def set(self) -> str:
        """The folder that it is in."""
        return self.path.parent.name

    @property
    def name(self) -> str:
        """Folder and file, as a test's id."""
        return f"{self.set}/{self.path.stem}"

    def load(self) -> TaskFile:
        """Read the file."""
        return TaskFile.load(self.path)


def _figures(name: str) -> ExampleFile:
    output, idle = ("day", "2000-01-01") if name == "dates" else ("answer", 0)
    path = EXAMPLES / "figures" / f"{name}.yaml"
    calls = figures.DATES if name == "dates" else figures.NUMBERS
    plays = {
        task.id: (
            Turn(tuple(calls[task.id]), {output: figures.VALUES.get(task.id, f"${len(calls[task.id])}")}),
        )
        for task in TaskFile.load(path).tasks
    }
    return ExampleFile(path, plays, {output: idle}, propagates=True)


def _tasks(name: str, idle: object) -> ExampleFile:
    path = EXAMPLES / "tasks" / f"{name}.yaml"
    plays = {}
    for task in TaskFile.load(path).tasks:
        calls, _ = tasks.CALLS[task.id]
        part = ".text" if task.id in tasks.WEEKDAYS else ""
        plays[task.id] = (Turn(tuple(calls), {"answer": f"${len(calls)}{part}"}),)
    return ExampleFile(path, plays, {"answer": idle}, propagates=True)


def _programs() -> ExampleFile:
    plays = {
        name: (Turn(tuple(calls), {"answer": answer}),) for name, (calls, _, answer) in tasks.PROGRAMS.items()
    }
    return ExampleFile(EXAMPLES / "tasks" / "programs.yaml", plays, {"answer": 0})


FILES = (
    _tasks("arithmetic", 0),
    _tasks("lookup", 0),
    _programs(),
    _tasks("units_and_dates", ""),
    _figures("money"),
    _figures("measures"),
    _figures("equations"),
    _figures("dates"),
    ExampleFile(
        EXAMPLES / "research_desk" / "tasks.yaml",
        {name: look.play for name, look in research.LOOKS.items()},
        {"answer": "", "sources": []},
    ),
    ExampleFile(
        EXAMPLES / "support_desk" / "tasks.yaml", support.PLAYS, {"reply": "", "outcome": "informed"}
    ),
)
