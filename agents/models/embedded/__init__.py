"""The embedded model: a very small language model that calls tools, shipped in the package.

It runs on a CPU with numpy and tokenizers alone, needs no key and no network, and answers a request with
exactly one call of one of its tools. What it can and can't do is in CARD.md beside this file.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from loopwright.tools.calls import ToolSpec

from ...errors import BadRequestError, ContextWindowError
from ..base import BaseLM, Capabilities, LMRequest, LMResponse, Usage
from .forms import refusal
from .template import render_prompt

if TYPE_CHECKING:
    from .decoder import Choice, Decoder  # numpy and tokenizers are loaded with the first request

FOLDER = Path(__file__).parent
CONTEXT_WINDOW = 640
"""Tokens of prompt and call together; no longer conversation was trained on."""
LONGEST_CALL = 160
"""Tokens of one call where the request does not say."""


class EmbeddedLM(BaseLM):
    """The embedded model behind the seam. Its weights are loaded with the first request.

    Every answer is one tool call. `temperature` None or 0 takes the most likely token; above 0 it draws,
    the same for equal `seed` and `rollout_id`. `folder` holds other weights of the same form.

    >>> EmbeddedLM().capabilities.chat
    False
    """

    model = "embedded"

    def __init__(self, folder: str | Path = FOLDER) -> None:
        self._folder = Path(folder)
        self._loaded: Decoder | None = None
        self._lock = threading.Lock()

    @property
    def identity(self) -> str:
        """The model's name, and the folder where the weights are not those of the package."""
        return self.model if self._folder == FOLDER else f"{self.model}:{self._folder}"

    @property
    def capabilities(self) -> Capabilities:
        """Tools, and nothing else."""
        return Capabilities(
            native_tools=True, response_format=False, chat=False, context_window=CONTEXT_WINDOW
        )

    def complete(self, request: LMRequest) -> LMResponse:
        """Answer with one tool call.

        Raises BadRequestError where the request is of a form that it was not trained for (no tools, functions
        for programs, several outputs), ContextWindowError where the conversation is too long for it.
        """
        allowed = self._allowed(request)
        if problem := refusal(request.tools):
            raise self._refused(problem)
        decoder = self._decoder()
        ids = decoder.encode(render_prompt(request.messages, request.tools))
        limit = min(request.max_tokens or LONGEST_CALL, CONTEXT_WINDOW - len(ids))
        if limit < 1:
            raise ContextWindowError(
                f"the conversation takes {len(ids)} tokens, and the embedded model reads {CONTEXT_WINDOW}: "
                "give it fewer tools, shorter inputs or fewer demonstrations, or name another model",
                model=self.model,
            )
        written = decoder.write(ids, allowed, _choice(request), limit)
        usage = Usage(written.prompt_tokens, written.written_tokens, written.cached_tokens, usd=0.0)
        turn = sum(message.role == "assistant" for message in request.messages) + 1
        call = replace(written.call, id=f"call_{turn}")
        return LMResponse(
            "",
            (call,),
            finish_reason="tool_calls" if written.complete else "length",
            usage=usage,
            model=self.model,
        )

    def _allowed(self, request: LMRequest) -> Sequence[ToolSpec]:
        """The tools that may be called."""
        forbidden = "calls are forbidden" if request.tool_choice == "none" else None
        if not request.tools or forbidden:
            raise self._refused(forbidden or refusal(()) or "")
        if request.tool_choice in ("auto", "required"):
            return request.tools
        chosen = [tool for tool in request.tools if tool.name == request.tool_choice]
        if not chosen:
            names = ", ".join(tool.name for tool in request.tools)
            raise BadRequestError(
                f"tool_choice is {request.tool_choice!r}, and the tools are {names}", model=self.model
            )
        return chosen

    def _refused(self, problem: str) -> BadRequestError:
        return BadRequestError(
            f"the embedded model can't answer this: {problem}; for anything else name another model, such as "
            'loopwright.configure(lm="openai/gpt-5-mini") or LOOPWRIGHT_MODEL=openai/gpt-5-mini',
            model=self.model,
        )

    def _decoder(self) -> Decoder:
        with self._lock:
            if self._loaded is None:
                from .decoder import Decoder

                self._loaded = Decoder(self._folder)
            return self._loaded


def _choice(request: LMRequest) -> Choice:
    from .decoder import Choice

    top_p = 1.0 if request.top_p is None else request.top_p
    return Choice(request.temperature or 0.0, top_p, f"{request.seed}/{request.rollout_id}")
