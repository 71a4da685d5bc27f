"""The question before a call: yes, no, always this tool, this pattern, other arguments, or no because of something."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from loopwright.tools import Answer, Approval, Question
from loopwright.tools.approval import Rule
from loopwright.tools.errors import ToolDefinitionError

from ..approving import arguments_problem, question_text
from ..options import json_text
from .columns import wrapped
from .echo import forget_typed
from .running import interrupt_from_here
from .show import Show

CHOICES = "y: yes, n: no, a: always this tool, p: calls like this, e: edit, or why not"


class Asks(Protocol):
    """Somebody who answers a question."""

    async def ask(self, question: str, default: str = "") -> str:
        """The answer; raises KeyboardInterrupt or EOFError where there will be none."""


@dataclass
class Asker:
    """Asks a person about a call. What is to hold from now on becomes a rule of the policy."""

    show: Show
    line: Asks
    policy: Approval

    async def answer(self, question: Question) -> Answer:
        """The person's answer; Ctrl-C and Ctrl-D stop the turn."""
        try:
            with self.show.held():
                self.show.text(wrapped(f"{question_text(question)}.\n{CHOICES}"))
                forget_typed()
                return await self._answer(question)
        except (KeyboardInterrupt, EOFError):
            await interrupt_from_here()
            raise AssertionError("an interrupted turn goes no further") from None

    async def _answer(self, question: Question) -> Answer:
        answer: Answer | None = None
        while answer is None:
            answer = await self._said(question, (await self.line.ask("allow? ")).strip())
        return answer

    async def _said(self, question: Question, said: str) -> Answer | None:
        """What a word of the person means; None where they thought better of a pattern or of other arguments."""
        match said.lower():
            case "y" | "yes":
                return Answer(allowed=True)
            case "" | "n" | "no":
                return Answer(allowed=False)
            case "a" | "always":
                self.policy.remembered.insert(0, Rule.parse(question.call.name, "allow"))
                return Answer(allowed=True)
            case "p" | "pattern":
                return await self._by_pattern(question)
            case "e" | "edit":
                return await self._edited(question)
        reason = said[3:] if said.lower().startswith(("no ", "no,", "no:")) else said
        return Answer(allowed=False, reason=reason.strip(" ,:") or said)

    async def _by_pattern(self, question: Question) -> Answer | None:
        """Allow this call and all that are like it, by a pattern that the person sees and may change."""
        shown = pattern_of(question)
        while shown := (await self.line.ask("allow calls that fit: ", shown)).strip():
            try:
                rule = Rule.parse(shown, "allow")
            except ToolDefinitionError as error:
                self.show.text(wrapped(str(error)))
                continue
            if not rule.fits(question.call.name, question.args):
                self.show.text(wrapped(f"{shown} does not fit this call"))
                continue
            self.policy.remembered.insert(0, rule)
            return Answer(allowed=True)
        return None

    async def _edited(self, question: Question) -> Answer | None:
        """Other arguments, asked for until the tool takes them."""
        shown = json_text(dict(question.call.args))
        while (shown := await self.line.ask("arguments, as JSON: ", shown)).strip():
            try:
                args = json.loads(shown)
            except (ValueError, RecursionError) as error:
                self.show.text(wrapped(f"no JSON: {error}"))
                continue
            problem = arguments_problem(question, args)
            if not problem:
                return Answer(allowed=True, args=args)
            self.show.text(wrapped(problem))
        return None


def pattern_of(question: Question) -> str:
    """A pattern that fits this call, of the arguments that it was given."""
    given = {name: question.args.get(name, value) for name, value in question.call.args.items()}
    return call_pattern(question.call.name, given)


def call_pattern(tool: str, args: Mapping[str, object]) -> str:
    """A pattern of a call: its short arguments as they are, the others as `*`.

    >>> call_pattern("refund", {"order_id": 17, "reason": "late, and broken"})
    'refund(order_id=17, reason=*)'
    """
    parts = []
    for name, value in args.items():
        text = value if isinstance(value, str) else json_text(value)
        plain = len(text) <= 40 and text.isprintable() and not set(text) & set(",()*?[")
        parts.append(f"{name}={text if plain else '*'}")
    return f"{tool}({', '.join(parts)})" if parts else tool
