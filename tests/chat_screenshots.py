"""Pictures of the chat, from real sessions in a real terminal: `python tests/chat_screenshots.py [FOLDER]`.

`embedded.svg` is a session with the embedded model, `approval.svg` one with a model of three prepared answers behind a
server on loopback. The folder is examples/chat by default, which README.md shows.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree

import pyte
from chat_room import Room, call, made
from chat_terminal import Terminal
from openai_server import answer
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.style import Style
from rich.text import Text

FOLDER = Path(__file__).parent.parent / "examples" / "chat"
WIDTH, HEIGHT = 92, 38
_COLOURS = {"brown": "yellow", "brightbrown": "bright_yellow", "default": None}


def embedded(room: Room) -> Terminal:
    """Questions for the embedded model; one becomes a demonstration, and all of them a task."""
    terminal = room.terminal(None, width=WIDTH, height=HEIGHT)
    terminal.say("What is 15% of 240?")
    terminal.say("How many days are there from 2026-03-01 to 2026-05-10?")
    terminal.say("/good")
    terminal.say("/last")
    terminal.say("/save-task tasks.yaml")
    return terminal


def approval(room: Room) -> Terminal:
    """A call that a person changes before it is made."""
    server = room.server(
        call("get_order", order_id=17),
        answer("Order **17** is `shipped`. Shall I refund anything?"),
        call("refund", order_id=17, amount=500),
        answer("I refunded **5 EUR**, as you said:\n\n- order 17\n- the rest stays paid"),
    )
    terminal = room.terminal(server, width=WIDTH, height=HEIGHT)
    terminal.say("Where is my order 17?")
    terminal.enter("Refund it, please.")
    terminal.wait(r"allow\?")
    terminal.type("e\r")
    terminal.wait("as JSON")
    terminal.type("\x15" + '{"order_id": 17, "amount": 5}\r')
    terminal.wait("stays paid")
    terminal.wait_for_prompt()
    return terminal


SESSIONS: dict[str, Callable[[Room], Terminal]] = {"embedded": embedded, "approval": approval}


def picture(name: str) -> str:
    """Run a session, and give what its terminal shows as SVG."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        terminal = SESSIONS[name](made(Path(folder), stack))
        return _svg(terminal.screen)


def _svg(screen: pyte.Screen) -> str:
    rows = [_row(screen, y) for y in range(screen.lines)]
    while rows and rows[-1].plain.strip() in ("", ">"):
        del rows[-1]
    console = Console(record=True, width=screen.columns, file=io.StringIO(), color_system="truecolor")
    for row in rows:
        console.print(row, no_wrap=True)
    plain = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return console.export_svg(
        title="loopwright chat", code_format=plain.replace("Fira Code", "monospace"), unique_id="chat"
    )


def _row(screen: pyte.Screen, y: int) -> Text:
    text = Text()
    cells = [screen.buffer[y][x] for x in range(screen.columns)]
    for (fg, bg, bold, italics), run in groupby(
        cells, key=lambda cell: (cell.fg, cell.bg, cell.bold, cell.italics)
    ):
        style = Style(color=_colour(fg), bgcolor=_colour(bg), bold=bold, italic=italics)
        text.append("".join(cell.data for cell in run), style)
    text.rstrip()
    return text


def _colour(name: str) -> str | None:
    found = _COLOURS.get(name, name)
    if found is None:
        return None
    return (
        f"#{found}"
        if re.fullmatch(r"[0-9a-f]{6}", found)
        else found.replace("bright", "bright_").replace("__", "_")
    )


def shape(svg: str) -> list[str]:
    """The lines that a picture shows, with every number as 0: what must be as in a picture made now."""
    texts = [one for one in ElementTree.fromstring(svg).iter() if one.tag.endswith("}text")]  # noqa: S314  # our own
    rows: dict[str, str] = {}
    for one in texts:
        rows[one.get("y", "")] = rows.get(one.get("y", ""), "") + "".join(one.itertext())
    return [re.sub(r"\d+", "0", row.replace("\xa0", " ")).rstrip() for row in rows.values()]


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    target.mkdir(parents=True, exist_ok=True)
    for session in SESSIONS:
        (target / f"{session}.svg").write_text(picture(session), encoding="utf-8")
