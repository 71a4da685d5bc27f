"""Tables and progress: rich where a person looks, plain lines where a program reads."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from ..text import one_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

CELL = 60  # characters of a cell in a plain table
LAST_CELL = 400  # the last column holds what is read whole: a reason, a feedback line


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header. Cells are text from anywhere: they are made harmless when they are shown.

    `styles` colours whole rows on a terminal, by their number.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    styles: dict[int, str] = field(default_factory=dict)


def console(stream: TextIO) -> Console:
    """A console that colours only where a person looks, and never wraps what a program reads."""
    from rich.console import Console

    return Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=not stream.isatty())


def print_table(table: Table, stream: TextIO | None = None) -> None:
    """Print a table, aligned in columns.

    >>> print_table(Table("Tools", ["tool", "calls"], [["calculate", "3"], ["get_price", "12"]]))
    Tools
      tool       calls
      calculate  3
      get_price  12
    """
    out = stream or sys.stdout
    if out.isatty():
        _print_rich(table, out)
        return
    rows = [
        [*(one_line(cell, CELL) for cell in row[:-1]), one_line(row[-1], LAST_CELL)]
        for row in (table.header, *table.rows)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if table.title:
        out.write(table.title + "\n")
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        out.write(f"  {'  '.join(cells)}".rstrip() + "\n")


def _print_rich(table: Table, out: TextIO) -> None:
    from rich.table import Table as RichTable
    from rich.text import Text

    shown = RichTable(
        title=table.title or None, box=None, title_justify="left", title_style="bold", pad_edge=True
    )
    for place, name in enumerate(table.header):
        shown.add_column(
            name, header_style="dim", overflow="fold" if place else "ellipsis", no_wrap=not place
        )
    for number, row in enumerate(table.rows):
        style = table.styles.get(number, "")
        shown.add_row(*(Text(one_line(cell, LAST_CELL), style=style) for cell in row))
    console(out).print(shown)


class Progress:
    """How far a piece of work is: a bar on a terminal, elsewhere a line for every tenth of it.

    >>> import io
    >>> out = io.StringIO()
    >>> with Progress(2, out) as progress:
    ...     progress.advance("1 passed")
    ...     progress.advance("1 passed")
    >>> [line.split(", ")[:2] for line in out.getvalue().splitlines()]
    [['1/2', '1 passed'], ['2/2', '1 passed']]
    """

    def __init__(self, total: int, stream: TextIO | None = None, *, done: int = 0) -> None:
        self.total = total
        self.done = self._before = done
        self._stream = stream or sys.stderr
        self._started = time.perf_counter()
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Progress:
        if self._stream.isatty():
            self._bar, self._task = _bar(self._stream, self.total, self.done)
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, status: str) -> None:
        """One more is done; `status` says how it goes so far."""
        self.done += 1
        rate = (self.done - self._before) / max(time.perf_counter() - self._started, 1e-9)
        pace = f"{rate:.1f}/s"
        if self.done < self.total:
            pace += f", {_duration((self.total - self.done) / rate)} left"
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=1, status=status, rate=pace)
        elif self.done == self.total or self.done * 10 // self.total > (self.done - 1) * 10 // self.total:
            self._stream.write(f"{self.done}/{self.total}, {status}, {pace}\n")
            self._stream.flush()


def _duration(seconds: float) -> str:
    """A time as a person reads a clock.

    >>> _duration(7.4), _duration(95), _duration(4000)
    ('7 s', '1:35', '1:06:40')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def _bar(stream: TextIO, total: int, done: int) -> tuple[RichProgress, TaskID]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    bar = RichProgress(
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[status]}"),
        TextColumn("{task.fields[rate]}", style="dim"),
        TimeElapsedColumn(),
        console=console(stream),
        transient=True,
    )
    return bar, bar.add_task("", total=total, completed=done, status="", rate="")
