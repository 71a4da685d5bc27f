"""One folder that tools may see and change, and nothing outside it.

A path is walked from the root, name by name. A link is not followed by the system: it is read, and the path that it
holds is walked in the same way, so that a link inside the folder works and one that leads out is refused, also in
the middle of a path and also when it appears while the walk is under way (see `directory` for what that rests on).
Nothing outside is touched, not even to ask whether it is there. A hard link is a file like any other: whoever could
make one inside the folder had the file already.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import BinaryIO

from ..errors import ToolFailed, nearest
from .directory import DESCRIPTORS, Directory, NotAFile

_MAX_LINKS = 40  # followed in one path, as Linux does
_MAX_NAMES = 100  # in one path, those of the links in it included
_MAX_SIBLINGS = 2_000  # looked at for a name like the one that is not there
_OUTSIDE = "lies outside the folder; give a path inside it"


def shown(path: str) -> str:
    r"""A path between quotes for a message or a list: what would break a line or a terminal is spelt out.

    >>> print(shown("docs/a.md"), shown("a\nb"))
    "docs/a.md" "a\nb"
    """
    return json.dumps(path[:200], ensure_ascii=not path.isprintable())


def plain(name: str) -> str:
    r"""A name for a list: as it is, or as a JSON string where that would break a line or a terminal.

    >>> print(plain("a b.md"), plain("a\x1b[2Jb"))
    a b.md "a\u001b[2Jb"
    """
    return name if name.isprintable() else json.dumps(name)


@dataclass(frozen=True, slots=True)
class Folder:
    """A root; paths are given relative to it, and lie below it once every link is followed."""

    root: Path
    given: Path  # the root as it was named, which may itself go through links
    descriptors: bool = DESCRIPTORS  # whether names are opened relative to open folders; see `directory`

    @classmethod
    def at(cls, place: str | Path | Folder) -> Folder:
        """The folder at this place; raises `NotADirectoryError` where there is none."""
        if isinstance(place, Folder):
            return place
        given = Path(place).expanduser().absolute()
        root = given.resolve()
        if not root.exists():
            raise NotADirectoryError(f"{root} does not exist: make the folder first")
        if not root.is_dir():
            raise NotADirectoryError(f"{root} is no folder")
        return cls(root, given)

    @contextmanager
    def holder(
        self, path: str, *, make: Callable[[], object] | None = None
    ) -> Iterator[tuple[Directory, str]]:
        """The open folder that holds what a path names, and its name there, links followed; "." for the root itself.

        With `make`, folders on the way that are not there are made; it is called before each, and may refuse. Raises
        `ToolFailed`, also for an `OSError` of the body.
        """
        trail: list[Directory] = []
        try:
            trail.append(self._opened_root())
            name = self._walk(path, trail, make=make)
            yield trail[-1], name
        except FileNotFoundError as error:
            missing = PurePath(str(error.filename or path)).name
            raise ToolFailed(f"there is no {shown(path)}{_hint(missing, trail)}") from None
        except IsADirectoryError:
            raise ToolFailed(f"{shown(path)} is a folder; list_files shows what is in it") from None
        except NotAFile:
            raise ToolFailed(f"{shown(path)} is no regular file") from None
        except OSError as error:
            raise ToolFailed(
                f"{shown(path)} can't be opened: {error.strerror or 'the system refuses it'}"
            ) from None
        except (ValueError, RecursionError):  # a NUL in it, or what no name can hold
            raise ToolFailed(f"{shown(path)} can't be opened: it is no path") from None
        finally:
            for one in trail:
                one.close()

    @contextmanager
    def directory(self, path: str) -> Iterator[Directory]:
        """A folder, open."""
        with self.holder(path) as (here, name):
            if name == ".":
                yield here
                return
            here.status(name)  # FileNotFoundError before NotADirectoryError
            try:
                inside = here.enter(name)
            except NotADirectoryError:
                raise ToolFailed(f"{shown(path)} is a file; read_file shows what is in it") from None
            with inside:
                yield inside

    def open_file(self, path: str) -> BinaryIO:
        """Open a regular file for reading; devices, pipes and folders are refused without opening them."""
        with self.holder(path) as (here, name):
            return here.open(name)

    def _opened_root(self) -> Directory:
        try:
            return Directory.at(self.root, descriptors=self.descriptors)
        except OSError as error:
            raise ToolFailed(
                f"the folder itself can't be opened any more: {error.strerror}; nothing in it can be reached"
            ) from None

    def _walk(self, path: str, trail: list[Directory], *, make: Callable[[], object] | None) -> str:
        """Open the folders on the way to what a path names, onto the trail; gives the last name."""
        todo = deque(self._names(path))
        links = names = 0
        while todo:
            name = todo.popleft()
            names += 1
            if names > _MAX_NAMES:
                raise OSError(0, "the path is too long")
            if name == "..":
                if len(trail) == 1:
                    raise ToolFailed(f"{shown(path)} {_OUTSIDE}")
                trail.pop().close()
                continue
            target = trail[-1].link(name)
            if target is not None:
                links += 1
                if links > _MAX_LINKS:
                    raise OSError(0, "links that lead in a circle")
                todo.extendleft(reversed(self._through(target, path, trail)))
            elif not todo:
                return name
            else:
                trail.append(self._entered(trail[-1], name, make=make))
        return "."

    def _entered(self, here: Directory, name: str, *, make: Callable[[], object] | None) -> Directory:
        try:
            return here.enter(name)
        except FileNotFoundError:
            if make is None:
                raise
            make()
            return here.make(name)

    def _through(self, target: str, path: str, trail: list[Directory]) -> tuple[str, ...]:
        """The names that a link stands for; the trail goes back to the root where it holds a whole path."""
        if not PurePath(target).anchor:
            return PurePath(target).parts
        while len(trail) > 1:
            trail.pop().close()
        return self._names(target, asked=path)

    def _names(self, path: str, asked: str | None = None) -> tuple[str, ...]:
        pure = PurePath(path)
        if not pure.anchor:
            return pure.parts
        for root in (self.root, self.given):
            if pure.is_relative_to(root):
                return pure.relative_to(root).parts
        raise ToolFailed(f"{shown(path if asked is None else asked)} {_OUTSIDE}")


def _hint(missing: str, trail: list[Directory]) -> str:
    """A name like the one that is missing, in the folder where the walk ended."""
    siblings: list[tuple[str, bool]] = []
    with suppress(OSError, IndexError):
        siblings = trail[-1].names(_MAX_SIBLINGS)
    near = nearest(missing, (name for name, _ in siblings))
    return f"; did you mean {shown(near)}?" if near else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in a folder: its path from where the walk began, and the open folder that holds it."""

    path: str
    is_folder: bool
    holder: Directory
    name: str


@dataclass(slots=True)
class Walk:
    """The entries below an open folder, each folder's in order; links are named and never followed.

    A walk looks at `entries` of them at most, goes `depth` folders down, and ends at `deadline` (of the monotonic clock).
    `missed` then says what was left out, in words.
    """

    top: Directory
    deadline: float
    deep: bool = True
    hidden: bool = True  # whether to go into folders whose name starts with a dot
    entries: int = 50_000
    depth: int = 64
    missed: dict[str, None] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Entry]:
        return self._below(self.top, "", self.depth)

    def _below(self, here: Directory, start: str, depth: int) -> Iterator[Entry]:
        for name, is_folder in self._names(here):
            if time.monotonic() > self.deadline:
                self.missed["the time ended before everything was looked at"] = None
                return
            yield Entry(start + name, is_folder, here, name)
            if not is_folder or not self.deep or (name.startswith(".") and not self.hidden):
                continue
            if depth == 1:
                self.missed[f"folders more than {self.depth} deep were left out"] = None
                continue
            try:
                inside = here.enter(name)
            except (OSError, ValueError):
                self.missed["some folders could not be opened"] = None
                continue
            with inside:
                yield from self._below(inside, f"{start}{name}/", depth - 1)

    def _names(self, here: Directory) -> list[tuple[str, bool]]:
        try:
            found = here.names(self.entries + 1)
        except OSError:
            self.missed["some folders could not be opened"] = None
            return []
        if len(found) > self.entries:
            self.missed["there are too many entries to look at them all"] = None
            found.pop()
        self.entries -= len(found)
        return sorted(found)
