"""The JSON adapter: the answer is one JSON object; a model that can be held to a schema is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..example import Example
from ..signature import Signature
from .base import Prompt
from .text import TextAdapter
from .values import format_value, outputs_schema, to_plain


class JSONAdapter(TextAdapter):
    """Outputs as a JSON object, inputs as labelled text.

    >>> JSONAdapter().read('Sure: {"answer": 4}')
    {'answer': 4}
    """

    def format(self, signature: Signature, demos: Sequence[Example], inputs: Mapping[str, Any]) -> Prompt:
        """As text, with the outputs' schema for a model that takes one."""
        return replace(super().format(signature, demos, inputs), response_format=outputs_schema(signature))

    def write(self, values: Mapping[str, object]) -> str:
        """One JSON object."""
        return json.dumps({name: to_plain(value) for name, value in values.items()}, ensure_ascii=False)

    def write_inputs(self, values: Mapping[str, object]) -> str:
        """Each input with its name before it."""
        return "\n\n".join(f"{name}:\n{format_value(value)}" for name, value in values.items())

    def read(self, text: str) -> dict[str, Any]:
        """The first JSON object in the text; small faults of form are mended."""
        start = text.find("{")
        if start < 0:
            raise ValueError("there is no JSON object in it")
        try:
            answer, _ = json.JSONDecoder().raw_decode(text[start:])
        except ValueError:
            from json_repair import repair_json

            answer = repair_json(text[start:], return_objects=True)
        if not isinstance(answer, dict) or not answer:
            raise ValueError("there is no JSON object in it")
        return answer
