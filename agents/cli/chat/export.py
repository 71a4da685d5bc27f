"""A conversation as Markdown, as JSON, or as a page that works on its own."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from ...adapters.base import SUBMIT
from ...adapters.values import format_value
from ...text import one_line, plain
from .conversation import Conversation, Turn
from .events import EndEvent, StepEvent
from .forms import CallForm
from .show import result_line

FORMS = ("md", "json", "html")

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: 0; unicode-bidi: plaintext; }}
.person {{ background: #eef2f7; border-radius: .5rem; padding: .6rem .9rem; margin: 1.5rem 0 .6rem; }}
.answer {{ padding: 0 .9rem; }}
details {{ margin: .3rem .9rem; font: 14px/1.4 ui-monospace, monospace; color: #345; }}
.failed summary {{ color: #a12; }}
.note {{ color: #777; font-size: 13px; padding: 0 .9rem; }}
@media (prefers-color-scheme: dark) {{
 body {{ background: #16181b; color: #dcdfe3; }} .person {{ background: #23272d; }} details {{ color: #9fb4c8; }}
}}
</style>
</head>
<body>
<h1>{title}</h1>
<p class="note">{note}</p>
{turns}
</body>
</html>
"""


def exported(form: str, conversation: Conversation, session: str) -> str:
    """The conversation in one of `FORMS`; what could steer a terminal or a browser is made visible."""
    if form == "json":
        return _json(conversation, session)
    return _html(conversation, session) if form == "html" else _markdown(conversation, session)


def _note(conversation: Conversation, session: str) -> str:
    setup = conversation.setup
    model = "" if setup is None else f", {setup.model}"
    return plain(
        f"loopwright chat, session {session or '(not saved)'}{model}, {len(conversation.turns)} turns"
    )


def _answer(turn: Turn) -> str:
    return _ending(turn.end)


def _ending(end: EndEvent | None) -> str:
    outputs = {} if end is None else end.outputs
    several = len(outputs) > 1
    parts = [f"{name}: {format_value(v)}" if several else format_value(v) for name, v in outputs.items()]
    problem = end.error if end is not None and not parts else ""
    return "\n".join(parts) or f"(no answer{f': {problem}' if problem else ''})"


def _said(turn: Turn) -> list[str]:
    """What a person said of the answer, in a line: that it was put right, good, or bad and why."""
    notes = (
        []
        if turn.said is None
        else [f"put right by hand; the agent said: {one_line(_ending(turn.said), 200)}"]
    )
    if turn.mark in ("good", "bad"):
        notes.append(f"marked {turn.mark}" + (f": {one_line(turn.why, 200)}" if turn.why else ""))
    return [f"({'; '.join(notes)})"] if notes else []


def _attached(turn: Turn) -> list[str]:
    """That more was sent than was typed, in a line; JSON and the page have it all."""
    more = len(turn.message) - len(turn.typed)
    return [f"(with {more:,} characters of files and output)"] if more > 0 else []


def _steps(turn: Turn) -> list[StepEvent]:
    return [StepEvent.of(turn.number, step) for step in turn.steps]


def _markdown(conversation: Conversation, session: str) -> str:
    parts = [f"# {one_line(conversation.title, 80) or 'A chat'}", f"*{_note(conversation, session)}*"]
    for turn in conversation.turns:
        parts.append("\n".join(f"> {plain(line)}" for line in [*turn.typed.splitlines(), *_attached(turn)]))
        for step in _steps(turn):
            for call, result in zip(step.calls, step.results, strict=False):
                if call.name != SUBMIT:
                    parts.append(f"    → {one_line(str(call.call()), 200)} {result_line(result)}")
        parts.append(plain(_answer(turn)))
        parts += _said(turn)
    return "\n\n".join(parts) + "\n"


def _json(conversation: Conversation, session: str) -> str:
    turns = [
        {
            "message": turn.message,
            "outputs": turn.outputs,
            "reason": "" if turn.end is None else turn.end.reason,
            "said": None if turn.said is None else turn.said.outputs,
            "mark": turn.mark,
            "why": turn.why,
            "steps": [
                step.model_dump(mode="json", include={"thought", "calls", "results", "inner", "seconds"})
                for step in _steps(turn)
            ],
            "usage": None if turn.end is None else turn.end.usage.model_dump(mode="json"),
        }
        for turn in conversation.turns
    ]
    setup = None if conversation.setup is None else conversation.setup.model_dump(mode="json")
    whole: dict[str, Any] = {"session": session, "setup": setup, "turns": turns}
    return json.dumps(whole, indent=1, ensure_ascii=True) + "\n"


def _html(conversation: Conversation, session: str) -> str:
    turns = "\n".join(map(_html_turn, conversation.turns))
    title = _safe(one_line(conversation.title, 80) or "A chat")
    return _PAGE.format(title=title, note=_safe(_note(conversation, session)), turns=turns)


def _html_turn(turn: Turn) -> str:
    parts = [f'<div class="person"><pre>{_safe(turn.typed)}</pre></div>']
    parts += [
        f"<details><summary>{_safe(line)}</summary><pre>{_safe(turn.message)}</pre></details>"
        for line in _attached(turn)
    ]
    for step in _steps(turn):
        for call, result in zip(step.calls, step.results, strict=False):
            if call.name != SUBMIT:
                failed = "" if result.error is None else ' class="failed"'
                parts.append(
                    f"<details{failed}><summary>{_line(call)} {_safe(result_line(result))}</summary>"
                    f"<pre>{_safe(result.content)}</pre></details>"
                )
    parts.append(f'<div class="answer"><pre>{_safe(_answer(turn))}</pre></div>')
    parts += [f'<p class="note">{_safe(line)}</p>' for line in _said(turn)]
    return "\n".join(parts)


def _line(call: CallForm) -> str:
    return _safe("→ " + one_line(str(call.call()), 200))


def _safe(text: str) -> str:
    return escape(plain(text))
