"""The task file, version 1, as pydantic reads it: what keys there are, and of what type.

What these models can't see (whether a tool exists, whether an argument fits it) is judged in
`semantics`; what pydantic finds is put into words in `problems`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from ...trajectory import TerminationReason
from ..checks.matching import Matcher, Strict, listed
from .world_format import FaultSpec, ReferenceField, StateCheck, TaskWorld, WorldSpec

Split = Literal["train", "dev", "test"]


class LimitsSpec(Strict):
    """What a trial may use before it is ended."""

    steps: int | None = Field(default=None, ge=1, le=10_000, description="turns of the model")
    tool_calls: int | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, ge=1, description="prompt and answer together, over all turns")
    usd: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False, description="wall time")

    def over(self, defaults: LimitsSpec) -> dict[str, Any]:
        """The limits that are given, by their names in `Limits`; these go before the defaults."""
        return defaults.model_dump(exclude_none=True) | self.model_dump(exclude_none=True)


CALLS_TOOLS = ("react", "code_act")
TAKES_STEPS = (*CALLS_TOOLS, "program_of_thought")


class AgentSpec(Strict):
    """The agent that the tasks are for: a module of this package, or a program of one's own."""

    module: Literal[
        "react", "code_act", "program_of_thought", "chain_of_thought", "predict", "multi_chain"
    ] = "react"
    signature: str | None = Field(
        default=None,
        description='what goes in and what must come out: "question -> answer: float"; '
        "a program of one's own may have it of itself",
    )
    instructions: str = ""
    tools: list[str] = Field(default=[], description='built-in names, "module:name" or "file.py:name"')
    program: str | None = Field(
        default=None,
        description='a saved program\'s .json, from this file\'s folder; or "module:name" or "file.py:name", '
        "a function without arguments that returns a module",
    )
    turn_input: str | None = Field(
        default=None,
        description="the input that holds what the user says in a turn; the first text by default",
    )

    @property
    def built(self) -> bool:
        """Whether the program is code: a function that builds it."""
        return self.program is not None and not self.program.endswith(".json")


def _off(given: Any) -> Any:
    return "off" if given is False else given  # what YAML makes of off


class JournalSpec(Strict):
    """Where what models and tools say is recorded, a run for each trial by its name: file/task/epoch.

    `record` makes a new record, `replay` repeats the one that is there and asks nobody, `auto` goes on with
    the one that is there and records what it lacks.
    """

    mode: Annotated[Literal["off", "record", "replay", "auto"], BeforeValidator(_off)] = "auto"
    path: str = Field(
        default="runs/", description="a folder (its end is /), or a journal's file; from this file's folder"
    )


class Defaults(Strict):
    """What holds for every task that says nothing else."""

    epochs: int = Field(default=1, ge=1, le=1_000, description="times that each task is tried")
    seed: int | None = Field(default=None, ge=0, description="goes to the model, different for each trial")
    limits: LimitsSpec = LimitsSpec()
    world: WorldSpec | None = None
    journal: JournalSpec | None = None
    approve: dict[str, Literal["allow", "deny"]] = Field(
        default={},
        description='patterns of calls, the first that fits decides: "read_*", "refund(order_id=17*)"; '
        "without one, all but irreversible tools are allowed",
    )


class CallPattern(Strict):
    """Calls of a tool: those whose arguments are these, whatever else they are given."""

    tool: str
    args: dict[str, Matcher] = Field(default={}, description="what its arguments must be")

    def __str__(self) -> str:
        return self._text(open_ended=True)

    def _text(self, *, open_ended: bool) -> str:
        args = [f"{name}={matcher}" for name, matcher in self.args.items()]
        return f"{self.tool}({', '.join([*args, '…'] if open_ended else args)})"


class RequiredCall(CallPattern):
    """A call that must be made: with these arguments and no others.

    Without `count` once or more often; with it exactly so many times. An argument that is not named here
    may be given only when it equals the tool's default, unless `extra` allows it.
    """

    count: int | None = Field(default=None, ge=1, le=100)
    extra: Literal["refuse", "allow"] = "refuse"

    def __str__(self) -> str:
        return self._text(open_ended=self.extra == "allow")


def _pattern(given: Any) -> Any:
    return {"tool": given} if isinstance(given, str) else given


Ordered = Annotated[CallPattern, BeforeValidator(_pattern)]


class Order(Strict):
    """The order of the calls that succeeded.

    `exact`: these and no others. `subsequence`: these in this order, others may stand between. `any`:
    these in any order. A name stands for any call of that tool.
    """

    mode: Literal["exact", "subsequence", "any"] = "subsequence"
    of: list[Ordered] = Field(min_length=1, max_length=200)


class CallsSpec(Strict):
    """What calls must, and must not, be made."""

    required: list[RequiredCall] = Field(default=[], max_length=200)
    forbidden: list[CallPattern] = Field(default=[], max_length=200)
    order: Order | None = None
    max: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default={}, description='calls at most: "total", a tool\'s name, or a pattern such as "get_*"'
    )
    no_repeat: bool = Field(default=False, description="no call is made again after it succeeded")


class TurnExpect(Strict):
    """What must be true of a turn: of its own calls, of what it answers, and of the world that it leaves."""

    answer: dict[str, Matcher] = Field(default={}, description="by output field")
    calls: CallsSpec = CallsSpec()
    ends: Annotated[list[TerminationReason], BeforeValidator(listed)] = Field(
        default=[], description="how the run must end: one reason, or several that will do"
    )
    state: list[StateCheck] = Field(
        default=[], max_length=200, description="of the world in the end; unchanged: since the start"
    )

    def __bool__(self) -> bool:
        calls = self.calls
        asked = (calls.required, calls.forbidden, calls.order, calls.max, calls.no_repeat)
        return bool(self.answer or self.ends or self.state or any(asked))


class Expect(TurnExpect):
    """What must be true of a trial for it to pass: of a conversation, all its calls and its last answer."""

    reference: ReferenceField | None = Field(
        default=None, description="calls that, made on a fresh world, leave it as it should be"
    )

    def __bool__(self) -> bool:
        return super().__bool__() or bool(self.reference)


class Simulate(Strict):
    """A user that a model plays, for as many turns as the conversation takes."""

    persona: str = Field(min_length=1, description="who the user is, and how they talk")
    goal: str = Field(min_length=1, description="what the user wants, and what they know")
    max_turns: int = Field(default=8, ge=1, le=50)
    model: str | None = Field(default=None, description="who plays the user; the run's own model by default")


class TurnSpec(Strict):
    """One turn of the user as it is written, or several that a model plays; and what is expected of the agent."""

    user: str | None = None
    simulate: Simulate | None = None
    expect: TurnExpect = TurnExpect()

    @model_validator(mode="after")
    def _one_user(self) -> Self:
        if (self.user is None) == (self.simulate is None):
            raise PydanticCustomError("turn", 'takes one of user: "…" and simulate: {persona, goal}')
        return self


class ScoreSpec(Strict):
    """How the checks make up a score between 0 and 1, and when it is enough.

    A gate that fails makes it 0. The rest is the weighted mean over `weights`, of each the part of its checks
    that passed; a kind of check without a weight weighs 1. Without any weights each check counts the same.
    """

    gates: list[str] = Field(default=[], description='what must pass: "state", "calls.forbidden", "turns" …')
    weights: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(
        default={}, description="what the rest is worth; what is worth 0 is shown only"
    )
    pass_: float = Field(
        default=1.0, gt=0, le=1, alias="pass", description="the score from which a trial has passed"
    )


class Task(Strict):
    """One task: what the agent is given and what is expected of it."""

    id: str = Field(min_length=1, max_length=200, pattern=r"^[^\s\x00-\x1f\x7f/]+$")
    tags: list[str] = Field(default=[])
    split: Split | None = None
    input: dict[str, Any] = Field(
        default={}, description="the signature's inputs; beside turns, those that stay the same"
    )
    turns: list[TurnSpec] = Field(
        default=[], min_length=1, max_length=100, description="what the user says, one after the other"
    )
    world: TaskWorld | None = None
    faults: list[FaultSpec] = Field(default=[], max_length=200, description="what goes wrong with calls")
    expect: Expect = Expect()
    score: ScoreSpec | None = None
    limits: LimitsSpec = LimitsSpec()


class TaskFileSpec(Strict):
    """The whole file."""

    version: Literal[1]
    name: str = Field(default="", max_length=200)
    agent: AgentSpec
    defaults: Defaults = Defaults()
    tasks: list[Task] = Field(min_length=1)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a task file, the short forms included."""
    schema = TaskFileSpec.model_json_schema(by_alias=True)
    parts = schema["$defs"]
    for name in ("Matcher", "StateCheck"):
        fields = parts[name]["properties"]
        number = {"anyOf": [{"type": "number"}, *fields["number"].pop("anyOf")]}
        fields["number"] = {**number, **fields["number"]}
        fields["tol"] = {"type": "number", "minimum": 0, "description": "how far off a plain number may be"}
    for name in ("Expect", "TurnExpect"):
        ends = parts[name]["properties"]["ends"]
        array = {"type": ends.pop("type"), "items": ends.pop("items")}
        ends["anyOf"] = [array["items"], array]
    parts["TurnSpec"]["oneOf"] = [{"required": ["user"]}, {"required": ["simulate"]}]
    order = parts["Order"]["properties"]["of"]
    order["items"] = {"anyOf": [{"type": "string"}, order["items"]]}
    calls = {"type": "array", "items": {"$ref": "#/$defs/ReferenceCall"}, "minItems": 1}
    scalars = {"type": ["string", "number", "boolean", "null", "array"]}
    for name, short in (("Matcher", scalars), ("WorldSpec", {"type": "string"}), ("Reference", calls)):
        parts[name] = {"anyOf": [parts[name], short]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
