"""Taking sessions out of the files for good, and by itself what nobody needs after a while."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing

from ...errors import ConfigurationError
from ...runtime.journal.file import JournalFile
from .store import SessionInfo, Sessions

DAY = 86_400.0  # seconds
RECORDED_DAYS = 30  # after which what the turns of a session did is forgotten; the session itself is not


def untouched(store: Sessions, days: float, besides: str) -> list[SessionInfo]:
    """The sessions that nobody went on with for so many days, but for the one that is open."""
    before = time.time() - days * DAY
    return [one for one in store.known() if one.updated < before and one.id != besides]


def dropped(store: Sessions, names: Iterable[str]) -> int:
    """Take these sessions out, with what their turns did; returns how many bytes smaller the files are.

    Raises `ConfigurationError` for a session that another chat has open, `OSError` where the files can't be written.
    """
    before = _size(store)
    with closing(JournalFile(store.journal)) as journal:
        runs = [run.id for run in journal.runs()]
        for name in names:
            store.forget(name)
            for run in runs:
                if run.startswith(f"{name}."):
                    journal.forget(run)
        journal.shrink()
    store.shrink()
    return max(0, before - _size(store))


def tidy(store: Sessions) -> None:
    """Forget what turns of long ago did, and sessions in which nothing was said; a turn that was cut off is not forgotten."""
    if not store.journal.exists():
        return
    before = time.time() - RECORDED_DAYS * DAY
    try:
        with closing(JournalFile(store.journal)) as journal:
            for run in journal.runs():
                if run.started < before and run.status != "running":
                    journal.forget(run.id)
        store.forget_empty(before)
    except (ConfigurationError, OSError):
        return  # another time: nobody waits for it


def _size(store: Sessions) -> int:
    files = store.folder.glob("*.sqlite*")
    return sum(path.stat().st_size for path in files if path.suffix != ".lock")
