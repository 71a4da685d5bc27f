"""The keys of a task file that are about worlds: what is there, what goes wrong, what must be there in the end.

    defaults:
      world:                            # a text alone is a file's path or a simulator's name
        file: shop.yaml                 # or data: {…}, or simulator: "hotel.py:Hotel"
        tools:
          get_order: {get: "orders.{order_id}", desc: Look an order up.}
          find_orders: {find: "orders.*", where: [status, customer]}
          set_status: {set: "orders.{order_id}.status", value: [paid, refunded]}
          set_total: {set: "orders.{order_id}.total", value: number, args: {order_id: text}}
          book: {append: ledger, value: {order: integer, amount: number}}
          drop: {remove: "carts.{cart_id}"}
    tasks:
    - id: refund
      world: {set: {orders.17.status: sent}, append: {ledger: [{order: 1, amount: 5}]}, remove: [carts.3]}
      faults:
      - {tool: get_order, call: 1, error: 503 upstream}       # the tool is not called, and has failed
      - {tool: get_order, call: 2, delay_s: 2}                # it takes longer, within its own time limit
      - {tool: book, kind: timeout, done: true}               # it was called, and its answer got lost
      - {tool: get_order, call: 3, result: {status: sent}}    # it is not called, and this is its answer
      expect:
        state:
        - {path: orders.17.status, equals: refunded}          # any matcher; texts to the letter
        - {path: ledger, length: 2}
        - {path: carts.4, absent: true}
        - {unchanged: ["orders.*", "!orders.17"]}             # the last pattern that covers a value decides
        reference:                      # or the list of calls alone
          calls: [{tool: set_status, args: {order_id: 17, value: refunded}}]
          ignore: ["*.updated_at"]      # at the start, `*.` is any way down; elsewhere `*` is one key
          answer: {reply: Refunded.}    # for --check alone

`loopwright.tools.world` says what a path and a pattern are.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from loopwright.tools.world.crud import OPERATIONS, Declared, Operation

from ..checks.matching import Matcher, Strict, Texts

DATA_FILES = (".yaml", ".yml", ".json")


class DeclaredToolSpec(Strict):
    """A tool over the world: what it does at a path, whose parameters stand in braces: `orders.{order_id}.status`."""

    get: str | None = Field(default=None, description="the path of what it looks up")
    find: str | None = Field(default=None, description="the pattern of what it finds, as in orders.*")
    set: str | None = Field(default=None, description="the path of what it sets to a value")
    append: str | None = Field(default=None, description="the path of the list that it adds a value to")
    remove: str | None = Field(default=None, description="the path of what it removes")
    desc: str = Field(default="", description="what a model is told of it")
    value: Any = Field(
        default="any",
        description="of set and append, the value's type: text (or string), integer, number, boolean, any; a list of the "
        "values that it may be; or a mapping of its fields to their types",
    )
    where: Texts = Field(default=[], description="of find, the fields by which it may choose")
    args: dict[str, Any] = Field(
        default={}, description="types of parameters, as of value, where the world does not tell them"
    )

    @model_validator(mode="after")
    def _one_operation(self) -> Self:
        if len(self._named()) != 1:
            raise PydanticCustomError("operation", f"takes one of {', '.join(OPERATIONS)}, each with a path")
        return self

    def _named(self) -> list[Operation]:
        return [one for one in OPERATIONS if getattr(self, one) is not None]

    def declared(self, name: str) -> Declared:
        """The tool that is to be made."""
        operation = self._named()[0]
        path = getattr(self, operation)
        return Declared(name, operation, path, self.desc, self.value, tuple(self.where), self.args)


class WorldSpec(Strict):
    """The world of every trial, a fresh one each time. A text alone is the path of a file, or names a simulator."""

    file: str | None = Field(
        default=None, description="a YAML or JSON file of its data, from this file's folder"
    )
    data: dict[str, Any] | None = Field(default=None, description="its data")
    simulator: str | None = Field(
        default=None,
        description='"module:name" or "file.py:name": a class or function without arguments that gives an object with '
        "snapshot() and restore()",
    )
    tools: dict[str, DeclaredToolSpec] = Field(
        default={}, description="tools over its data that need no code"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"file" if given.endswith(DATA_FILES) else "simulator": given}
        return given

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(one is not None for one in (self.file, self.data, self.simulator)) != 1:
            raise PydanticCustomError("world", "takes one of file, data and simulator")
        return self


class TaskWorld(Strict):
    """What is different in a task's world from the start."""

    set: dict[str, Any] = Field(default={}, description="values by path")
    append: dict[str, list[Any]] = Field(default={}, description="items to put at the end of lists, by path")
    remove: Texts = Field(default=[], description="paths of what is not there")


class FaultSpec(Strict):
    """What goes wrong with one call of a tool in every trial."""

    tool: str
    call: int = Field(
        default=1, ge=1, le=10_000, description="which of the calls that reach the tool, from 1"
    )
    error: str | None = Field(default=None, min_length=1, description="the call fails in these words")
    kind: Literal["raised", "timeout"] = Field(
        default="raised", description="timeout: it fails as one that takes too long, without the wait"
    )
    done: bool = Field(
        default=False, description="the call is carried out before it fails: its answer is lost"
    )
    result: Any = Field(default=None, description="what the call gives in place of the tool's own result")
    delay_s: float = Field(
        default=0, ge=0, le=600, allow_inf_nan=False, description="seconds that it takes longer"
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        fails = self.error is not None or self.kind == "timeout"
        if not fails and "result" not in self.model_fields_set and not self.delay_s:
            raise PydanticCustomError(
                "fault", "says nothing that goes wrong: give error, kind: timeout, result or delay_s"
            )
        if fails and "result" in self.model_fields_set:
            raise PydanticCustomError("fault", "takes one of error and result")
        if self.done and not fails:
            raise PydanticCustomError("fault", "done goes with error or kind: timeout")
        if self.kind == "timeout" and self.error is not None:
            raise PydanticCustomError("fault", "kind: timeout has words of its own: leave error out")
        return self


class StateCheck(Matcher):
    """What must be at a path of the world in the end: a value, its length, or nothing; or what must be as it was."""

    path: str | None = None
    unchanged: Texts | None = Field(
        default=None, description='patterns of what stays as it was; "!orders.17" takes a part out again'
    )
    length: int | None = Field(default=None, ge=0, description="how many items or keys there are")
    exists: bool | None = Field(default=None, description="whether there is anything")
    absent: bool | None = Field(default=None, description="whether there is nothing")

    @model_validator(mode="before")
    @classmethod
    def _no_short_form(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            raise PydanticCustomError("model_type", "must be a mapping")
        return given

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        wanted = self.model_fields_set - {"path", "unchanged"}
        if (self.path is None) == (self.unchanged is None):
            raise PydanticCustomError("state", "takes one of path and unchanged")
        if self.unchanged is not None and wanted:
            raise PydanticCustomError("state", "unchanged stands alone")
        if self.path is not None and not wanted:
            raise PydanticCustomError(
                "state", "does not say what must be there: equals, length, absent: true …"
            )
        if self.wants_nothing and len(wanted) > 1:
            raise PydanticCustomError(
                "state", "absent: true stands alone: nothing else can be said of nothing"
            )
        if {"judge", "json_schema"} & {name for name in wanted if getattr(self, name) is not None}:
            raise PydanticCustomError("state", "judge and json_schema are for answers, not for the world")
        return self

    @property
    def about(self) -> str:
        """What it looks at: a path, or the patterns of what stays."""
        return self.path or ", ".join(self.unchanged or ())

    @property
    def matches(self) -> bool:
        """Whether the value itself must be something."""
        return bool(self.model_fields_set - {"path", "unchanged", "length", "exists", "absent"})

    @property
    def wants_nothing(self) -> bool:
        """Whether there must be nothing."""
        return self.absent is True or self.exists is False


class ReferenceCall(Strict):
    """A call that is made as it stands."""

    tool: str
    args: dict[str, Any] = Field(default={})


class Reference(Strict):
    """One way to do the task: calls that bring about the wanted end state, which a run may reach in another way.

    `--check` proves the task by them, and by `answer`. A run is never held against the calls themselves.
    """

    calls: list[ReferenceCall] | None = Field(
        default=None, max_length=200, description="an empty list: the world is wanted as it was"
    )
    ignore: Texts = Field(default=[], description='patterns of what may differ, as in "*.updated_at"')
    answer: dict[str, Any] = Field(default={}, description="an answer that passes, by output field")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.calls is None and not self.answer:
            raise PydanticCustomError("reference", "takes calls, or an answer, or both")
        return self


def _listed(given: Any) -> Any:
    return {"calls": given} if isinstance(given, list) else given


ReferenceField = Annotated[Reference, BeforeValidator(_listed)]
