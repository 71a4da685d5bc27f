"""Matchers: what a task file says that a value must be, of an answer or of an argument of a call."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ...adapters.values import format_value
from ...text import MAX_READ, one_line
from ..file.json_schemas import schema_problem, value_problem
from .answers import contains_text, identical, near, one_number, same_value

SHOWN = 100  # characters of a value that a line of feedback repeats

Read = Callable[[object], object]


class Strict(BaseModel):
    """A part of the file: frozen, no coercion, no unknown keys."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class Number(Strict):
    """A number, give or take `tol`."""

    value: float = Field(allow_inf_nan=False)
    tol: float = Field(default=0.0, ge=0, allow_inf_nan=False, description="how far off is still right")


def listed(given: Any) -> Any:
    """One text stands for a list of one."""
    return [given] if isinstance(given, str) else given


_TEXTS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
Texts = Annotated[list[str], BeforeValidator(listed), WithJsonSchema(_TEXTS)]


class JudgeSpec(Strict):
    """A model's verdict on an answer, by a rubric: a check that costs a model call, and is marked as such.

    Without `pass` the model says pass or fail; with it, how far the rubric is met, from 0 to 1.
    """

    rubric: str = Field(min_length=1, max_length=20_000, description="what the answer must be, in words")
    model: str | None = Field(default=None, description="the model that judges; the run's own by default")
    pass_: float | None = Field(
        default=None, gt=0, le=1, alias="pass", description="the score from which it passes"
    )

    def __str__(self) -> str:
        return f"judged by {one_line(self.rubric, SHOWN)!r}"


class Matcher(Strict):
    """What a value must be; a plain value (no mapping) stands for `equals`. All that is given must hold."""

    equals: Any = Field(
        default=None, description="the value itself; texts but for case, punctuation, a, an, the"
    )
    contains: Texts = Field(default=[], description="texts that occur in it, as whole words")
    not_contains: Texts = Field(default=[], description="texts that do not occur in it")
    regex: str | None = Field(default=None, description="a Python regular expression that is found in it")
    number: Annotated[Number, Field(description="a number, or {value, tol}")] | None = None
    one_of: list[Any] | None = Field(
        default=None, min_length=1, description="several values, one of which it equals"
    )
    not_: Any = Field(default=None, alias="not", description="a value that it does not equal")
    json_schema: dict[str, Any] | bool | None = Field(
        default=None, description="a JSON Schema (2020-12) that it fits; a text is read as JSON for it"
    )
    judge: JudgeSpec | None = Field(default=None, description="a rubric that a model judges it by")

    @model_validator(mode="before")
    @classmethod
    def _from_short_forms(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return {"equals": given}
        if not given:
            raise PydanticCustomError("empty", "says nothing: give a value, or one of its keys")
        for key, value in given.items():
            if key not in ("equals", "not", "json_schema") and value in (None, []):
                raise PydanticCustomError("empty", "{key} is empty", {"key": key})
        read = dict(given)
        if isinstance(read.get("number"), int | float) and not isinstance(read["number"], bool):
            read["number"] = {"value": read["number"]} | ({"tol": read.pop("tol")} if "tol" in read else {})
        if "tol" in read:
            raise PydanticCustomError("tol", "tol goes with a plain number, as in number: 20, tol: 0.01")
        return read

    @field_validator("regex")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern)
            except (re.error, RecursionError, OverflowError) as error:
                raise PydanticCustomError(
                    "regex", "is no regular expression: {why}", {"why": str(error)}
                ) from None
        return pattern

    @field_validator("json_schema")
    @classmethod
    def _is_a_schema(cls, schema: dict[str, Any] | bool | None) -> dict[str, Any] | bool | None:
        if schema is None:
            raise PydanticCustomError("empty", "json_schema is empty")
        if problem := schema_problem(schema):
            raise PydanticCustomError("json_schema", "is no JSON Schema: {why}", {"why": problem})
        return schema

    @property
    def only_judged(self) -> bool:
        """Whether nothing but a model's verdict is asked for."""
        return self.model_fields_set == {"judge"}

    def values(self) -> list[tuple[tuple[str | int, ...], Any]]:
        """The values that are compared as they stand, each with its place in the matcher."""
        found: list[tuple[tuple[str | int, ...], Any]] = []
        if "equals" in self.model_fields_set:
            found.append((("equals",), self.equals))
        if "not_" in self.model_fields_set:
            found.append((("not",), self.not_))
        return found + [(("one_of", i), value) for i, value in enumerate(self.one_of or ())]

    def problem(self, value: object, read: Read, *, exact: bool = False) -> str | None:
        """Why a value is not what is wanted, as in "71 is not 17"; None where it is. No model is asked.

        `read` makes a value of the file one of the field's or parameter's type; `exact` compares texts
        to the letter.
        """
        same = identical if exact else same_value
        wanted = self.model_fields_set
        if "equals" in wanted and not same(read(self.equals), value):
            return f"{shown(value)} is not {shown(read(self.equals))}"
        if self.one_of is not None and not any(same(read(one), value) for one in self.one_of):
            return f"{shown(value)} is none of {', '.join(shown(read(one)) for one in self.one_of)}"
        if "not_" in wanted and same(read(self.not_), value):
            return f"{shown(value)} is what it must not be"
        if self.number is not None and (reason := _number_problem(self.number, value)):
            return reason
        if self.json_schema is not None and (reason := value_problem(self.json_schema, value)):
            return f"{shown(value)} does not fit the JSON Schema: {reason}"
        return self._text_problem(value)

    def _text_problem(self, value: object) -> str | None:
        for part in self.contains:
            if not _holds(value, part):
                return f"{shown(value)} does not contain {shown(part)}"
        for part in self.not_contains:
            if _holds(value, part):
                return f"{shown(value)} contains {shown(part)}"
        if self.regex is not None and (
            value is None or not re.search(self.regex, format_value(value)[:MAX_READ])
        ):  # what was never answered is no text, not even "null"
            return f"{shown(value)} does not match /{one_line(self.regex, SHOWN)}/"
        return None

    def __str__(self) -> str:
        parts = []
        if "equals" in self.model_fields_set:
            parts.append(shown(self.equals))
        if self.number is not None:
            parts.append(_number_text(self.number))
        if self.one_of is not None:
            parts.append(f"one of {', '.join(map(shown, self.one_of))}")
        if "not_" in self.model_fields_set:
            parts.append(f"not {shown(self.not_)}")
        parts += [f"with {shown(part)}" for part in self.contains]
        parts += [f"without {shown(part)}" for part in self.not_contains]
        parts += [f"/{one_line(self.regex, SHOWN)}/"] if self.regex is not None else []
        parts += ["a value of the JSON Schema"] if self.json_schema is not None else []
        parts += [str(self.judge)] if self.judge is not None else []
        return " and ".join(parts)


def shown(value: object) -> str:
    r"""A value as a line of feedback shows it: text in quotes, short, harmless for a terminal.

    >>> shown("a\nb"), shown(3.0), shown(None)
    ('"a ⏎ b"', '3', 'null')
    """
    if value is None:
        return "null"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = one_line(format_value(value), SHOWN)
    return f'"{text}"' if isinstance(value, str) else text


def _holds(value: object, part: str) -> bool:
    if isinstance(value, str):
        return contains_text(value, part)
    return isinstance(value, list | tuple | set | frozenset) and any(same_value(part, one) for one in value)


def _number_problem(wanted: Number, value: object) -> str | None:
    number = one_number(value)
    if number is None:
        held = "no number, or several" if isinstance(value, str) and value else "no number"
        return f"{shown(value)} holds {held}; {_number_text(wanted)} is wanted"
    if near(wanted.value, number, wanted.tol):
        return None
    return f"{shown(number)} is not {_number_text(wanted)}"


def _number_text(wanted: Number) -> str:
    return f"{shown(wanted.value)} ± {shown(wanted.tol)}" if wanted.tol else shown(wanted.value)
