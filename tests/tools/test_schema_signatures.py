"""Our schemas against pydantic's own, the JSON Schema standard, and what providers take."""

from __future__ import annotations

import collections
import enum
import functools
import inspect
import json
import typing
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path
from typing import (
    Annotated,
    Any,
    ForwardRef,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    Required,
    TypeVar,
    Union,
    get_type_hints,
)

import jsonschema
import pytest
from pydantic import (
    AnyUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveInt,
    RootModel,
    StrictInt,
    StrictStr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    create_model,
)
from tool_dialect import misfits
from typing_extensions import TypedDict

from loopwright.tools import Tool, ToolCall, ToolDefinitionError
from loopwright.tools.exports import openai_tool


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 5


class Mixed(enum.Enum):
    ONE = 1
    A = "a"
    NOTHING = None


class Item(BaseModel):
    name: str
    qty: int = 1


class Order(BaseModel):
    items: list[Item]
    note: str | None = None


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int
    b: str = "x"


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    a: int


class Renamed(BaseModel):
    kind_of: str = Field(alias="kindOf")


class Node(BaseModel):
    label: str
    children: list[Node] = []


class Even(BaseModel):
    left: Odd | None = None


class Odd(BaseModel):
    right: Even | None = None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    good: bool = True


class Tags(RootModel[list[str]]):
    pass


T = TypeVar("T")


class Box(BaseModel, Generic[T]):
    content: T


@dataclass
class Point:
    x: float
    y: float = 0.0


@dataclass
class Line:
    start: Point
    end: Point
    labels: list[str] = field(default_factory=list)


class Film(TypedDict):
    title: str
    year: NotRequired[int]


class Partial(TypedDict, total=False):
    a: int
    b: str


class Pair(NamedTuple):
    a: int
    b: str = "x"


UserId = NewType("UserId", int)

KINDS: dict[str, Any] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "none": None,
    "object": object,
    "any": Any,
    "date": date,
    "datetime": datetime,
    "time": time,
    "timedelta": timedelta,
    "decimal": Decimal,
    "uuid": uuid.UUID,
    "path": Path,
    "bytes": bytes,
    "url": AnyUrl,
    "ip": IPv4Address,
    "new type": UserId,
    "list": list,
    "list of int": list[int],
    "list of list": list[list[int]],
    "list of date": list[date],
    "sequence": Sequence[str],
    "set": set[int],
    "frozenset": frozenset[str],
    "deque": collections.deque[int],
    "tuple": tuple[int, str],
    "tuple of alike": tuple[int, int],
    "tuple of any length": tuple[int, ...],
    "bare tuple": tuple,
    "dict": dict,
    "dict of int": dict[str, int],
    "dict of lists": dict[str, list[int]],
    "mapping": Mapping[str, float],
    "dict by literal": dict[Literal["a", "b"], int],
    "dict by enum": dict[Colour, int],
    "optional": Optional[int],  # noqa: UP045 - as users write it
    "optional new": int | None,
    "optional list": list[int] | None,
    "union": int | str,
    "old union": Union[int, list[int]],  # noqa: UP007 - as users write it
    "union of three": bool | list[str] | None,
    "union of models": Item | Point,
    "union in a list": list[int | str],
    "union in a dict": dict[str, int | None],
    "literal": Literal["asc", "desc"],
    "literal of numbers": Literal[1, 2],
    "mixed literal": Literal[1, "a", True, None],
    "one literal": Literal["only"],
    "literal or null": Literal["a", "b"] | None,
    "list of literals": list[Literal["a", "b"]],
    "enum": Colour,
    "int enum": Level,
    "mixed enum": Mixed,
    "enum or null": Colour | None,
    "list of enums": list[Colour],
    "at least": Annotated[int, Field(ge=1)],
    "between": Annotated[int, Field(gt=0, lt=10)],
    "positive": PositiveInt,
    "multiple": Annotated[int, Field(multiple_of=5)],
    "bounded float": Annotated[float, Field(ge=0, le=1)],
    "short text": Annotated[str, Field(min_length=1, max_length=3)],
    "pattern": Annotated[str, Field(pattern=r"^[a-z]+$")],
    "string constraints": Annotated[str, StringConstraints(to_lower=True)],
    "short list": Annotated[list[int], Field(min_length=1, max_length=2)],
    "bounds inside": list[Annotated[int, Field(ge=0)]],
    "bounds or null": Annotated[int, Field(ge=1)] | None,
    "described": Annotated[int, "How many."],
    "described by a field": Annotated[int, Field(description="How many.", examples=[3])],
    "validator": Annotated[int, BeforeValidator(lambda value: value)],
    "strict int": StrictInt,
    "strict text": StrictStr,
    "model": Item,
    "nested model": Order,
    "closed model": Closed,
    "open model": Open,
    "aliased model": Renamed,
    "root model": Tags,
    "generic model": Box[int],
    "generic of generic": Box[Box[str]],
    "list of models": list[Item],
    "dict of models": dict[str, Item],
    "optional model": Item | None,
    "recursive model": Node,
    "list of recursive": list[Node],
    "mutually recursive": Even,
    "tagged union": Annotated[Cat | Dog, Field(discriminator="kind")],
    "list of tagged": list[Annotated[Cat | Dog, Field(discriminator="kind")]],
    "untagged union": Cat | Dog,
    "dataclass": Point,
    "nested dataclass": Line,
    "list of dataclasses": list[Point],
    "optional dataclass": Point | None,
    "typed dict": Film,
    "partial typed dict": Partial,
    "list of typed dicts": list[Film],
    "named tuple": Pair,
    "list of named tuples": list[Pair],
    "counter": collections.Counter[str],
    "ordered dict": collections.OrderedDict[str, int],
    "deep": dict[str, list[tuple[int, Film | None]]],
}

OPEN = [  # values of any type, and objects of any names
    *(
        object,
        Any,
        list,
        tuple,
        dict,
        dict[str, int],
        dict[str, list[int]],
        Mapping[str, float],
        dict[Colour, int],
    ),
    *(dict[Literal["a", "b"], int], dict[str, int | None], dict[str, Item], Open, collections.Counter[str]),
    *(collections.OrderedDict[str, int], dict[str, list[tuple[int, Film | None]]]),
]

SAMPLES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 5, 10, 2.5, 5.0, 1e3, 10**20),
    *("", "5", "2.5", "a", "b", "x", "abc", "abcd", "ABC", "red", "blue", "asc", "only", "true", "null"),
    *(
        "2026-01-31",
        "2026-01-31T10:00:00",
        "10:00:00",
        "PT1H",
        "not a date",
        "127.0.0.1",
        "https://example.com/a",
    ),
    "00000000-0000-0000-0000-000000000001",
    *(
        [],
        [1],
        ["1"],
        ["a"],
        ["red"],
        [1, "a"],
        [1, 2],
        [1, 2, 3],
        [[1]],
        [["x"]],
        [None],
        [{}],
        [-1],
        ["2026-01-31"],
    ),
    *(
        {},
        {"a": 1},
        {"a": "x"},
        {"a": None},
        {"a": [1]},
        {"b": "y"},
        {"a": 1, "c": 2},
        {"red": 1},
        {"a": {"name": "n"}},
    ),
    *(
        {"name": "pen"},
        {"name": "pen", "qty": "2"},
        {"name": 1.5, "qty": "x"},
        {"qty": 1},
        {"name": "pen", "extra": 1},
    ),
    *(
        {"items": [{"name": "pen"}]},
        {"items": [], "note": None},
        {"items": {}},
        {"kindOf": "a"},
        {"kind_of": "a"},
    ),
    *({"x": 1}, {"x": "1", "y": 2}, {"x": "one"}, {"start": {"x": 1}, "end": {"x": 2}}, {"start": {"x": 1}}),
    *(
        {"label": "a"},
        {"label": "a", "children": [{"label": "b"}]},
        {"label": "a", "children": [{}]},
        {"content": 5},
    ),
    *({"content": {"content": "x"}}, {"content": "x"}, {"left": {"right": {"left": None}}}, {"left": 5}),
    *({"kind": "cat"}, {"kind": "dog", "good": "no"}, {"kind": "cow"}, {"kind": "cat", "lives": "x"}),
    *({"title": "M"}, {"title": "M", "year": 1931}, {"title": "M", "year": "soon"}, {"year": 1}),
    *(
        [{"name": "pen"}],
        [{"x": 1}],
        [{"kind": "cat"}],
        [{"title": "M"}],
        [{"label": "a"}],
        [[1, "a"]],
        [[1]],
    ),
    *([1, {"title": "M"}], {"a": [[1, None]]}, {"a": [[1, {"title": "M"}]]}),
]


def takes(kind: object) -> Callable[..., object]:
    def take(value: object) -> object:
        return value

    take.__annotations__ = {"value": kind}
    return take


def pydantics_schema(kind: Any) -> dict[str, Any]:
    """The schema of the arguments as pydantic has it for a model with this one field."""
    return create_model("Arguments", value=(kind, ...)).model_json_schema()


kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


@kinds
def test_a_schema_says_the_same_as_pydantics_own(kind: object) -> None:
    tool = Tool(takes(kind))
    ours = jsonschema.Draft202012Validator(tool.spec.parameters)
    theirs = jsonschema.Draft202012Validator(pydantics_schema(kind))
    for sample in SAMPLES:
        assert ours.is_valid({"value": sample}) == theirs.is_valid({"value": sample}), sample


@kinds
def test_what_pydantic_accepts_is_read_as_pydantic_reads_it(kind: Any) -> None:
    tool, theirs = Tool(takes(kind)), TypeAdapter[object](kind)
    for sample in SAMPLES:
        try:
            wanted = theirs.validate_python(sample)
        except ValidationError:
            continue
        assert tool.coerced(ToolCall("take", {"value": sample})) == {"value": wanted}, sample


def is_idle_null(kind: object, sample: object) -> bool:
    """Whether it is a null that says "not given" of what need not be given."""
    return kind is Partial and sample == {"a": None}


@kinds
def test_what_pydantic_refuses_is_refused_and_named_unless_it_can_be_mended(kind: Any) -> None:
    tool = Tool(takes(kind))
    theirs = TypeAdapter[object](kind)
    for sample in SAMPLES:
        try:
            theirs.validate_python(sample)
            continue
        except ValidationError as error:
            reasons = {one["type"] for one in error.errors()}
        result = tool.run(ToolCall("take", {"value": sample}))
        if result.ok:
            assert "string_type" in reasons or is_idle_null(kind, sample), (
                sample
            )  # a number where text is wanted
        else:
            assert result.content.startswith('Error: take: "value'), sample


@kinds
def test_a_schema_fits_the_standard_and_every_provider(kind: object) -> None:
    assert misfits(openai_tool(Tool(takes(kind)).spec)) == []


@kinds
def test_a_strict_schema_is_strict_or_refused_with_the_reason(kind: object) -> None:
    spec = Tool(takes(kind)).spec
    if kind in OPEN:
        with pytest.raises(ToolDefinitionError, match="take: a strict schema has no place for"):
            openai_tool(spec, strict=True)
    else:
        assert misfits(openai_tool(spec, strict=True), strict=True) == []


# ---- whole signatures


def plain(a: int, b: str, c: float) -> None: ...
def defaults(a: int = 1, b: str = "x", c: float = 2.5, d: bool = False, e: None = None) -> None: ...
def some_defaults(a: int, b: str = "x", *, c: float, d: bool = True) -> None: ...
def keyword_only(*, a: int, b: str = "x") -> None: ...
def position_only(a: int, b: str = "x", /, c: float = 1.0) -> None: ...
def optional(a: int | None = None, b: Optional[str] = None) -> None: ...  # noqa: UP045 - as users write it
def null_but_required(a: int | None, b: str | None) -> None: ...
def enums(a: Colour = Colour.RED, b: Level = Level.HIGH, c: Mixed = Mixed.A) -> None: ...
def literals(a: Literal["x", "y"] = "x", b: Literal[1, 2] = 2) -> None: ...
def models(a: Item, b: Order | None = None) -> None: ...
def model_defaults(a: Item = Item(name="pen"), b: Point = Point(1.0)) -> None: ...  # noqa: B008 - the case
def lists(a: list[int], b: list[str] = [], c: tuple[int, str] = (1, "a")) -> None: ...  # noqa: B006 - the case
def dates(a: date, b: datetime | None = None, c: date = date(2026, 1, 31)) -> None: ...
def numbers(a: Decimal, b: Annotated[int, Field(ge=1, le=9)] = 3, c: Decimal = Decimal("1.5")) -> None: ...
def annotated(
    a: Annotated[int, Field(description="How many.")], b: Annotated[str, "What."] = "x"
) -> None: ...
def recursive(a: Node, b: list[Node] | None = None) -> None: ...
def twice(a: Item, b: Item, c: list[Item]) -> None: ...
def words(title: str, type: str, properties: int = 1, required: bool = True, default: int = 0) -> None: ...  # noqa: A002 - the case
def dunder(_a: int, b_: str = "x") -> None: ...
def many(a: int, b: int, c: int, d: int, e: int, f: int, g: int, h: int, i: int = 1, j: int = 2) -> None: ...
def nothing() -> None: ...
def typed(a: Film, b: Pair, c: Partial = {"a": 1}) -> None: ...  # noqa: B006 - the case
def unions(a: int | str, b: int | list[int] = 5, c: Cat | Dog | None = None) -> None: ...


async def awaited(a: int, b: str = "x") -> None: ...


class Shop:
    def method(self, a: int, b: str = "x") -> None: ...

    @classmethod
    def of_class(cls, a: int, b: Colour = Colour.RED) -> None: ...

    @staticmethod
    def static(a: int, b: date | None = None) -> None: ...

    def __call__(self, a: int, *, b: list[str]) -> None: ...


SIGNATURES: list[Callable[..., object]] = [
    *(
        plain,
        defaults,
        some_defaults,
        keyword_only,
        position_only,
        optional,
        null_but_required,
        enums,
        literals,
    ),
    *(
        models,
        model_defaults,
        lists,
        dates,
        numbers,
        annotated,
        recursive,
        twice,
        words,
        dunder,
        many,
        nothing,
    ),
    *(
        typed,
        unions,
        awaited,
        Shop().method,
        Shop.of_class,
        Shop.static,
        Shop(),
        functools.partial(plain, c=1.5),
    ),
    functools.partial(some_defaults, 1),
]
signatures = pytest.mark.parametrize(
    "func", SIGNATURES, ids=lambda func: getattr(func, "__name__", type(func).__name__)
)


def pydantics_own(func: Callable[..., object]) -> dict[str, Any]:
    """The schema that pydantic has for a function; for one by position, as if it took names."""
    signature = inspect.signature(func)

    stand_in: Any = lambda: None  # noqa: E731 - an object with a signature of its own

    named = [one.replace(kind=one.KEYWORD_ONLY) for one in signature.parameters.values()]
    stand_in.__signature__ = signature.replace(parameters=named)
    routine = func if inspect.isroutine(func) else getattr(func, "func", type(func).__call__)
    stand_in.__annotations__ = get_type_hints(routine, include_extras=True)
    return TypeAdapter[object](stand_in).json_schema()


@signatures
def test_names_and_defaults_are_those_that_pydantic_sees(func: Callable[..., object]) -> None:
    ours: Any = Tool(func, "tool").spec.parameters
    theirs = pydantics_own(func)
    assert list(ours["properties"]) == list(theirs["properties"])
    assert ours["required"] == theirs.get("required", [])
    for name, schema in theirs["properties"].items():
        if schema.get("default") is not None:
            assert ours["properties"][name]["default"] == schema["default"]


@signatures
def test_a_whole_schema_fits_the_standard_and_every_provider(func: Callable[..., object]) -> None:
    assert misfits(openai_tool(Tool(func, "tool").spec)) == []


@signatures
def test_a_whole_schema_accepts_what_pydantics_accepts(func: Callable[..., object]) -> None:
    ours = jsonschema.Draft202012Validator(Tool(func, "tool").spec.parameters)
    theirs = jsonschema.Draft202012Validator(pydantics_own(func))
    names = list(inspect.signature(func).parameters)
    for start, sample in enumerate(SAMPLES):
        given = {name: SAMPLES[(start + 7 * place) % len(SAMPLES)] for place, name in enumerate(names)}
        for arguments in (
            given,
            dict.fromkeys(names, sample),
            {**given, "other": 1},
            dict.fromkeys(names[:1], sample),
        ):
            assert ours.is_valid(arguments) == theirs.is_valid(arguments), arguments


def test_the_table_is_as_long_as_it_should_be() -> None:
    assert len(KINDS) + len(SIGNATURES) >= 100


# ---- what is our own


def test_a_name_that_no_provider_takes_is_mangled_and_the_function_gets_its_own() -> None:
    def greet(größe: int, имя: str = "x", /) -> list[object]:
        return [größe, имя]

    tool = Tool(greet)
    assert list(tool.args) == ["grosse", "x-63565d"]
    assert tool.run(ToolCall("greet", {"grosse": "2", "имя": 5})).content == '[2, "5"]'
    assert misfits(openai_tool(tool.spec)) == []


def test_types_that_unfold_without_bounds_stay_definitions() -> None:
    grown: type[BaseModel] = Item
    for n in range(60):
        grown = create_model(f"Level{n}", left=(grown, ...), right=(grown, ...))
    tool = Tool(takes(grown))
    assert len(json.dumps(tool.spec.parameters)) < 20_000
    assert misfits(openai_tool(tool.spec)) == []
    assert tool.run(ToolCall("take", {"value": {"left": 1}})).error == "invalid_args"


def test_many_types_that_all_refer_to_each_other_make_a_small_schema() -> None:
    names = [f"Kind{n}" for n in range(12)]
    made: dict[str, Any] = {}
    for name in names:
        fields: Any = {f"to_{other.lower()}": (ForwardRef(other) | None, None) for other in names}
        made[name] = create_model(name, **fields)
    for model in made.values():
        model.model_rebuild(_types_namespace=made)
    tool = Tool(takes(made["Kind0"]))
    assert len(json.dumps(tool.spec.parameters)) < 20_000
    assert misfits(openai_tool(tool.spec)) == []


def test_an_iterable_is_a_list_that_is_checked_at_once() -> None:
    tool = Tool(takes(Iterable[int]))
    assert tool.coerced(ToolCall("take", {"value": ["1", 2]})) == {"value": [1, 2]}
    assert tool.run(ToolCall("take", {"value": "12"})).error == "invalid_args"


class Song(typing.TypedDict):
    title: str
    year: NotRequired[int]


class Album(typing.TypedDict, total=False):
    songs: Required[list[Song]]
    label: str | None


@pytest.mark.parametrize("kind", [Album, list[Album], Album | None, Annotated[Album, "It."]], ids=str)
def test_a_typed_dict_of_the_standard_library_is_read_on_every_python(kind: object) -> None:
    tool = Tool(takes(kind))
    album = {"songs": [{"title": "One", "year": "1991"}]}
    read = tool.coerced(ToolCall("take", {"value": [album] if "list" in str(kind) else album}))["value"]
    assert read in (
        {"songs": [{"title": "One", "year": 1991}]},
        [{"songs": [{"title": "One", "year": 1991}]}],
    )
    assert "title" in complaint(tool, [{"songs": [{}]}] if "list" in str(kind) else {"songs": [{}]})
    assert misfits(openai_tool(tool.spec)) == []


def complaint(tool: Tool, value: object) -> str:
    result = tool.run(ToolCall("take", {"value": value}))
    assert result.error == "invalid_args"
    return result.content
