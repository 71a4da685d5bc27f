"""The chat's page names every command and every event that there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from loopwright.cli.chat.commands import COMMANDS
from loopwright.cli.chat.events import json_schema

PAGE = (Path(__file__).parents[3] / "agents" / "cli" / "chat" / "README.md").read_text(encoding="utf-8")


def first_cells(heading: str) -> str:
    """The first cell of each row of the table under a heading."""
    section = PAGE.split(heading)[1].split("\n## ")[0].replace(r"\|", "/")
    return "\n".join(row.split("|")[1] for row in section.splitlines() if row.startswith("| `"))


def test_every_command_is_on_the_page() -> None:
    assert set(re.findall(r"`(/[\w-]+)", first_cells("## Commands"))) == set(COMMANDS)


def test_every_event_is_on_the_page() -> None:
    events = set(json_schema()["discriminator"]["mapping"])
    assert set(re.findall(r"`(\w+)`", first_cells("## Without a terminal"))) == events
