"""A lending library in an SQLite database, as a world and with the tools over it.

`snapshot` and `restore` are the database's own bytes; `view` is what checks see: each table by its row numbers.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from loopwright.tools import ToolFailed, tool

SCHEMA = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")


class Library:
    """The database that every trial begins with, in memory."""

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:", check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        self.db.executescript(SCHEMA)

    def snapshot(self) -> bytes:
        return self.db.serialize()

    def restore(self, state: bytes) -> None:
        self.db.deserialize(state)

    def view(self) -> dict[str, object]:
        tables = self.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: self._rows(f"SELECT rowid AS row, * FROM {name}") for (name,) in tables}  # noqa: S608  # our own names

    def _rows(self, query: str) -> dict[str, object]:
        rows = [dict(row) for row in self.db.execute(query)]
        return {str(row.pop("row")): row for row in rows}


@tool(effect="read")
def find_books(title: str, library: Library) -> list[dict[str, object]]:
    """Books with this in their title, and how many copies are not lent out."""
    found = library.db.execute(
        "SELECT id, title, copies - (SELECT count(*) FROM loans WHERE book_id = id) AS free FROM books "
        "WHERE instr(lower(title), lower(?))",
        (title,),
    )
    return [dict(row) for row in found]


@tool(effect="read")
def find_members(name: str, library: Library) -> list[dict[str, object]]:
    """Members of this name; one who is barred must not be lent anything."""
    found = library.db.execute("SELECT * FROM members WHERE instr(lower(name), lower(?))", (name,))
    return [dict(row) for row in found]


@tool
def lend(book_id: int, member_id: int, library: Library) -> str:
    """Lend a book to a member for three weeks."""
    (free,) = library.db.execute(
        "SELECT coalesce(max(copies), 0) - (SELECT count(*) FROM loans WHERE book_id = ?) FROM books WHERE id = ?",
        (book_id, book_id),
    ).fetchone()
    if free < 1:
        raise ToolFailed(f"no copy of book {book_id} is there")
    library.db.execute("INSERT INTO loans VALUES (?, ?, '2026-07-22')", (book_id, member_id))
    library.db.commit()
    return "lent until 22 July 2026"


@tool
def take_back(book_id: int, member_id: int, library: Library) -> str:
    """Note that a member has brought a book back."""
    gone = library.db.execute("DELETE FROM loans WHERE book_id = ? AND member_id = ?", (book_id, member_id))
    library.db.commit()
    if not gone.rowcount:
        raise ToolFailed(f"member {member_id} does not have book {book_id}")
    return "taken back"


TOOLS = [find_books, find_members, lend, take_back]
