"""The JSON adapter: the answer is one JSON object; a model that can be held to a schema is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from ..errors import OutputError
from ..example import Example
from ..signature import Signature
from .annotations import hint_type, json_schema, outputs_schema
from .base import Prompt
from .text import TextAdapter
from .values import format_value, to_plain, write_json

MAX_TRIES = 20  # places where the object may begin, after words with braces in them
MAX_MENDED = 100_000  # characters of broken JSON that are worth mending; it is slow


class JSONAdapter(TextAdapter):
    """Outputs as a JSON object, inputs as labelled text.

    >>> JSONAdapter().read('Sure: {"answer": 4}')
    {'answer': 4}
    """

    def format(self, signature: Signature, demos: Sequence[Example], inputs: Mapping[str, Any]) -> Prompt:
        """As text, with the outputs' schema for a model that takes one."""
        return replace(super().format(signature, demos, inputs), response_format=outputs_schema(signature))

    def form(self, signature: Signature) -> str:
        """An object with a hint in the place of each value, in quotes where the value is text."""
        hints = ((name, field, f"<{hint_type(field)}>") for name, field in signature.output_fields.items())
        shown = (
            f'"{name}": ' + (f'"{hint}"' if json_schema(field).get("type") == "string" else hint)
            for name, field, hint in hints
        )
        return f"{{{', '.join(shown)}}}"

    def write(self, values: Mapping[str, object]) -> str:
        """One JSON object."""
        return write_json({name: to_plain(value) for name, value in values.items()})

    def write_inputs(self, values: Mapping[str, object]) -> str:
        """Each input with its name before it."""
        return "\n\n".join(f"{name}:\n{format_value(value)}" for name, value in values.items())

    def read(self, text: str) -> dict[str, Any]:
        """The first JSON object in the text; small faults of its form are mended, a missing end is not."""
        decoder = json.JSONDecoder()
        for start in islice(_places(text, "{"), MAX_TRIES):
            try:
                answer, _ = decoder.raw_decode(text, start)
            except ValueError:
                continue
            except RecursionError:
                raise OutputError("it is nested too deep") from None
            if answer:
                return dict(answer)
        return _mended(text)


def _places(text: str, mark: str) -> Iterator[int]:
    place = text.find(mark)
    while place >= 0:
        yield place
        place = text.find(mark, place + 1)


def _mended(text: str) -> dict[str, Any]:
    """Read an object with faults such as single quotes or a comma too many."""
    start, end = text.find("{"), text.rfind("}") + 1
    if not 0 <= start < end:
        raise OutputError("there is no JSON object in it" if start < 0 else "its JSON object does not end")
    if end - start <= MAX_MENDED:
        from json_repair import repair_json

        try:
            answer = repair_json(text[start:end], return_objects=True)
        except (ValueError, RecursionError):
            answer = None
        if isinstance(answer, dict) and answer:
            return answer
    raise OutputError("its JSON object can't be read")
