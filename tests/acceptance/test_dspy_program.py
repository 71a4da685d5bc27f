"""Programs as DSPy's tutorials write them, run with only their import changed, against a real HTTP server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from openai_server import Serve, from_lm

from loopwright.models import Capabilities, FunctionLM, LMRequest
from loopwright.models.scripted import Answer
from loopwright.tools import ToolCall

# They run on DSPy 3.4.1 as they stand, and print the same there (with models that answer in its forms).
PROGRAMS = Path(__file__).parent / "dspy_programs"

DESK = """\
score 75.0
How much is an oak desk? -> sales 149.5 True
What does a floor lamp cost? -> sales 39.9 True
My lamp is broken! -> support None True
What does an attic cost? -> sales 0.0 False
get_price {'item': 'oak desk'} 149.5
['triage.predict', 'quote.react'] 1
support
Ghent
Paris
"""

GUIDE = """\
[('Bern', 137000), ('Basel', 178000)]
2 Bern, after 1 turns
['Paris', 'Rome']
['Paris', 'Rome']
Rome
Paris
Brussels
['Paris', 'Rome']
['parts[0]', 'parts[1]']
Paris
"""


def clerk(request: LMRequest) -> Answer:
    """A model that sorts mails, and looks prices up before it names them."""
    mails = [m.content for m in request.messages if m.role == "user" and "mail" in m.content]
    mail = mails[-1] if mails else ""
    if request.tools:
        last = request.messages[-1]
        if last.role == "tool":
            price = re.fullmatch(r"\d+(\.\d+)?", last.content)
            return ToolCall("submit", {"total": float(price[0]) if price else 0.0})
        item = next((item for item in ("oak desk", "floor lamp") if item in mail), "attic")
        return ToolCall("get_price", {"item": item})
    if mail:
        team = "support" if "broken" in mail else "sales"
        return sections(reasoning="What it says.", team=team, urgent=json.dumps(team == "support"))
    return sections(answer="Brussels" if request.temperature != 1.0 else "Ghent")


def sections(**fields: str) -> str:
    return "\n\n".join(f"[[ ## {name} ## ]]\n{text}" for name, text in fields.items())


CAPITALS = {"France": "Paris", "Italy": "Rome", "Belgium": "It is Brussels"}


def guide(request: LMRequest) -> Answer:
    """A model that knows three capitals, and answers with one word once it is told to."""
    system, last = request.messages[0].content, request.messages[-1].content
    if "the cities that a text names" in system:
        named = re.findall(r"(\w+)(?: has)? (\d+)", last)
        return sections(cities=json.dumps([{"name": name, "people": int(count)} for name, count in named]))
    if "a traveller" in system:
        before = sum(message.role == "assistant" for message in request.messages)
        return sections(reasoning="-", answer=f"Bern, after {before} turns")
    if "reasoning_attempt_1" in system:
        return sections(rationale="Two of three.", answer="Rome")
    if "discussion" in system:
        return sections(discussion="-", advice=json.dumps({"self": "One word."}))
    asked = re.search(r"Capital of (\w+)", last)
    assert asked
    name = CAPITALS[asked[1]]
    return sections(answer=name.split()[-1] if "One word." in last else name)


@pytest.mark.parametrize(
    ("name", "model", "printed", "saved"),
    [("desk", clerk, DESK, ["desk.json"]), ("guide", guide, GUIDE, [])],
    ids=["desk", "guide"],
)
def test_a_program_of_dspys_runs_with_only_its_import_changed(
    name: str,
    model: Callable[[LMRequest], Answer],
    printed: str,
    saved: list[str],
    openai_server: Serve,
    tmp_path: Path,
) -> None:
    server = openai_server(from_lm(FunctionLM(model, capabilities=Capabilities(native_tools=True))))
    written = (PROGRAMS / f"{name}.py.txt").read_text(encoding="utf-8")
    program = written.replace("import dspy\n", "import loopwright as dspy\n", 1)
    changed = [line for line in program.splitlines() if line not in written.splitlines()]
    assert changed == ["import loopwright as dspy"]
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env={**os.environ, "MODEL_URL": server.url, "LOOPWRIGHT_CACHE": "off"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed
    assert [file.name for file in tmp_path.glob("*.json")] == saved
