"""The language layer held against itself: what it compiles, and everything that a program can reach."""

from __future__ import annotations

import ast
import contextlib
import dis
import io
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.sandbox import Level, Limits, ProcessSandbox, probe
from loopwright.sandbox.facades import preload
from loopwright.sandbox.guards import Guards
from loopwright.sandbox.names import BINDABLE, INTERNALS, VARIABLES, WRITABLE, is_dunder, is_plain
from loopwright.sandbox.namespace import make_builtins
from loopwright.sandbox.policy import PolicyError, compile_program
from loopwright.sandbox.wire import WireError, pack, read

LEVEL: Level = probe().level  # what this system reaches; the tests hold it to that

# -- generated programs ------------------------------------------------------------------------

_HARMLESS = st.sampled_from(
    ["a", "b", "self", "_x", "__y", "format", "register", "int", "_", "print", "__name__"]
)
_GUARDED = st.sampled_from(
    [
        "__class__",
        "__builtins__",
        "__import__",
        "__init__",
        "__globals__",
        "__match_args__",
        "gi_frame",
        "f_back",
    ]
)
_NAMES = st.integers(0, 9).flatmap(lambda roll: _GUARDED if roll == 0 else _HARMLESS)
_TELLING = st.sampled_from(
    ["__subclasses__", "__dict__", "__code__", "__mro__", "format_map", "__self__", *sorted(INTERNALS)]
)
_ATTRIBUTES = st.integers(0, 5).flatmap(lambda roll: _TELLING if roll == 0 else _NAMES)


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("{}.{}".format, inner, _ATTRIBUTES),
        st.builds("({}).{}".format, inner, _ATTRIBUTES),
        st.builds("{}({}, *{}, {}={})".format, inner, inner, inner, _NAMES, inner),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("[{} for {} in {} if {}]".format, inner, _NAMES, inner, inner),
        st.builds("(lambda {}: {})".format, _NAMES, inner),
        st.builds("(yield {})".format, inner),
        st.builds("({} := {})".format, _NAMES, inner),
        st.builds(
            "f'{{{}!r:{{{}}}}}'".format, st.sampled_from(["a", "a.b", "a._x", "a.__globals__"]), _NAMES
        ),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("{{{}: {}, **{}}}".format, inner, inner, inner),
    )


_EXPRESSIONS = st.recursive(st.one_of(_NAMES, st.just("1"), st.just("'s'")), _compound, max_leaves=6)


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))


def _block(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = inner.map(_indent)
    return st.one_of(
        st.builds("def {}({}, *{}, **{}):\n{}".format, _NAMES, _NAMES, _NAMES, _NAMES, body),
        st.builds("class {}({}, metaclass={}):\n{}".format, _NAMES, _EXPRESSIONS, _EXPRESSIONS, body),
        st.builds("for {} in {}:\n{}".format, _EXPRESSIONS, _EXPRESSIONS, body),
        st.builds("with {} as {}:\n{}".format, _EXPRESSIONS, _EXPRESSIONS, body),
        st.builds("try:\n{}\nexcept {} as {}:\n    pass".format, body, _EXPRESSIONS, _NAMES),
        st.builds(
            "match {}:\n    case {}({}, {}={}):\n    {}".format,
            _EXPRESSIONS,
            _NAMES,
            _NAMES,
            _ATTRIBUTES,
            _NAMES,
            body,
        ),
        st.builds(
            "match {}:\n    case {{'k': {}, **{}}}:\n    {}".format, _EXPRESSIONS, _NAMES, _NAMES, body
        ),
        st.builds("if {}:\n{}".format, _EXPRESSIONS, body),
        st.builds(
            "async def {}():\n    async for {} in {}:\n    {}".format, _NAMES, _NAMES, _EXPRESSIONS, body
        ),
    )


_SIMPLE = st.one_of(
    _EXPRESSIONS,
    st.builds("{} = {}".format, _EXPRESSIONS, _EXPRESSIONS),
    st.builds("{} += {}".format, _EXPRESSIONS, _EXPRESSIONS),
    st.builds("{}: {} = {}".format, _EXPRESSIONS, _EXPRESSIONS, _EXPRESSIONS),
    st.builds("del {}".format, _EXPRESSIONS),
    st.builds("import {} as {}".format, _NAMES, _NAMES),
    st.builds("from {} import {} as {}".format, _NAMES, _NAMES, _NAMES),
    st.builds("global {}".format, _NAMES),
)
_PATTERNS = st.builds("match a:\n    case b({}, {}={}): pass".format, _HARMLESS, _ATTRIBUTES, _HARMLESS)
_PARAMETERS = st.builds("def a({}, *{}, b={}, **c): pass".format, _NAMES, _NAMES, _EXPRESSIONS)
_PROGRAMS = st.one_of(st.recursive(_SIMPLE, _block, max_leaves=3), _PATTERNS, _PARAMETERS)

_READS = {"LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR"}
_WRITES = {"STORE_ATTR", "DELETE_ATTR"}
_MADE_BY_COMPILER = {
    "__module__",
    "__qualname__",
    "__annotations__",
    "__classcell__",
    "__classdict__",
    "__conditional_annotations__",
}
_MADE_BY_COMPILER |= {
    "__static_attributes__",
    "__firstlineno__",
    "__type_params__",
    "__annotate__",
    "__classdictcell__",
}


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


def instructions(code: types.CodeType) -> Iterator[dis.Instruction]:
    for inner in codes(code):
        yield from dis.get_instructions(inner)


def assert_guarded(code: types.CodeType) -> None:
    """No instruction reads, writes or binds by a name that only a guard may use."""
    for inner in codes(code):
        for name in (*inner.co_varnames, *inner.co_cellvars, *inner.co_freevars):
            assert not is_dunder(name) or name in VARIABLES | _MADE_BY_COMPILER, f"has a variable {name}"
    before: dis.Instruction | None = None
    for found in instructions(code):
        name = found.argval
        if found.opname == "MATCH_CLASS":  # it reads the attributes that the constant before it names
            assert before is not None
            for read_by_pattern in before.argval:
                assert is_plain(read_by_pattern), f"a pattern reads {read_by_pattern}"
        before = found
        if found.opname in _READS:
            simple = name.startswith("_") and not is_dunder(name)  # behind a test of the receiver's type
            assert is_plain(name) or simple or name in WRITABLE, f"reads {name}"
        elif found.opname in _WRITES:
            assert name not in INTERNALS, f"writes {name}"
            assert not is_dunder(name) or name in WRITABLE, f"writes {name}"
        elif found.opname.startswith(("STORE_", "DELETE_")) and isinstance(name, str):
            assert not is_dunder(name) or name in BINDABLE | _MADE_BY_COMPILER, f"binds {name}"
        elif found.opname.startswith("LOAD_") and isinstance(name, str) and "CONST" not in found.opname:
            assert not is_dunder(name) or name in VARIABLES | _MADE_BY_COMPILER, f"loads {name}"
        assert found.opname != "IMPORT_NAME"


@pytest.mark.no_cover  # covered elsewhere; it takes three times as long with an eye on it
def test_whatever_is_accepted_compiles_to_guarded_code_only() -> None:
    accepted = []

    @settings(max_examples=400)
    @given(_PROGRAMS)
    def check(source: str) -> None:
        try:
            ast.parse(source)
            code = compile_program(source, "<program>")
        except (SyntaxError, PolicyError):
            return
        assert_guarded(code)
        accepted.append(source)

    check()
    assert len(accepted) > 10, "too few programs were accepted for this to mean anything"


# -- all that a program can reach ----------------------------------------------------------------

_THINGS = """
import abc, calendar, collections, contextlib, copy, csv, dataclasses, datetime, decimal, difflib, enum
import fractions, functools, graphlib, io, itertools, json, math, numbers, operator, random, re, statistics
import string, sys, textwrap, types, typing, uuid
def f(a=1, *b, c=3, **d): return lambda: a
async def co(): pass
async def ag(): yield 1
class A:
    x = 1
    def m(self): return self
    @property
    def p(self): return 1
    @classmethod
    def c(cls): return cls
class AB(abc.ABC):
    @abc.abstractmethod
    def q(self): ...
class En(enum.Enum):
    A = 1
@dataclasses.dataclass
class D:
    x: int = 1
class NT(typing.NamedTuple):
    a: int = 1
class Pr(typing.Protocol):
    def f(self): ...
T = typing.TypeVar("T")
class G(typing.Generic[T]): pass
P = collections.namedtuple("P", "x y")
@contextlib.contextmanager
def cm(): yield
trace = None
class CM:
    def __enter__(self): return self
    def __exit__(self, kind, error, tb):
        global trace
        trace = tb
        return True
with CM(): 1 / 0
errors = []
def fail(g):
    try: g()
    except Exception as e: errors.append(e)
fail(lambda: {}["k"]); fail(lambda: A().nothing); fail(lambda: undefined); fail(lambda: json.loads("{"))
fail(lambda: getattr(f, "__globals__")); fail(lambda: "{0.__class__.__x}".format(1)); fail(lambda: math.nothing)
@functools.lru_cache
def cached(n): return n
cor = co()
cor.close()
things = [A(), A().m, A.m, f(1), (i for i in "a"), cor, ag(), D(), NT(), P(1, 2), En.A, G(), G[int], list[int],
    int | str, typing.List[int], typing.Optional[int], typing.Type[int], cm(), trace, cached, functools.singledispatch(f),
    functools.partial(f, 1), functools.cmp_to_key(f), functools.cached_property(f), random.Random(1),
    json.JSONEncoder(), json.JSONDecoder(), decimal.Decimal(1), decimal.getcontext(), fractions.Fraction(1),
    re.compile("a"), re.match("a", "a"), string.Template("a"), string.Formatter(), io.StringIO(), io.BytesIO(),
    datetime.datetime.now(), itertools.count(), itertools.groupby([1]), operator.itemgetter(1),
    operator.attrgetter("a"), operator.methodcaller("a"), textwrap.TextWrapper(), csv.reader(["a"]),
    csv.DictReader(["a"]), statistics.NormalDist(0, 1), types.SimpleNamespace(a=1), types.MappingProxyType({}),
    collections.Counter(), collections.deque(), collections.ChainMap(), collections.defaultdict(list),
    memoryview(b"a"), bytearray(b"a"), slice(1), range(3), property(f), staticmethod(f), iter([1]), iter({}), map(f, [1]),
    uuid.uuid4(), graphlib.TopologicalSorter(), difflib.SequenceMatcher(), calendar.TextCalendar(), contextlib.ExitStack(),
    contextlib.suppress(), dataclasses.fields(D), ..., None, 1, 1.5, 1j, "a", b"a", {}, [], (), set(), {}.keys(),
    ExceptionGroup("a", [ValueError()]), type, type(f), type((i for i in "a")), type(trace), type(math), type(AB)]
"""
_UNREACHABLE = (types.FrameType, types.CodeType, types.ModuleType, types.CellType, Guards)


def test_nothing_that_leads_out_is_reached_by_reading_attributes() -> None:
    """From all built-ins, modules and a hundred kinds of objects, every attribute the guard allows is followed."""
    preload()
    variables: dict[str, Any] = {"__name__": "__main__"}
    guards = Guards(variables)
    visible = make_builtins(guards, len, str, {})
    variables["__builtins__"] = visible
    before = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        exec(compile_program(_THINGS, "<program>"), variables)  # noqa: S102 - the layer under test
    finally:
        sys.modules["__main__"] = before
    namespaces = {id(vars(module)) for module in sys.modules.values() if hasattr(module, "__dict__")}
    namespaces |= {id(visible), id(variables)}
    count = 0
    for path, ob in everything({**variables, **visible}, guards):
        count += 1
        metaclass = isinstance(ob, type) and issubclass(ob, type)
        assert not metaclass, f"{path} is a metaclass"
        assert not issubclass(type(ob), _UNREACHABLE), f"{path} is a {type(ob).__name__}"
        assert type(ob) is not dict or id(ob) not in namespaces, f"{path} is a namespace"
    assert count > 3_000


def everything(start: dict[str, Any], guards: Guards) -> Iterator[tuple[str, Any]]:
    """Each object that is reached, once by kind and name, with the path to it."""
    found: list[tuple[str, Any]] = []
    seen: set[object] = set()

    def add(path: str, ob: Any) -> None:
        last = path.rpartition(".")[2]
        alike = (
            (type(ob), getattr(ob, "__qualname__", ""))
            if type(ob).__module__ == "builtins"
            else (type(ob), last)
        )
        key: object = id(ob) if isinstance(ob, type | dict | list | tuple | set) else alike
        if key not in seen and path.count(".") < 7:
            seen.add(key)
            found.append((path, ob))

    for name, ob in start.items():
        if "!" not in name and name != "__builtins__":
            add(name, ob)
    for path, ob in found:  # it grows while it is read
        yield path, ob
        for name in sorted({*dir(type(ob)), *_own_dir(ob)}):
            with contextlib.suppress(Exception):
                add(f"{path}.{name}", guards.getattr(ob, name))
        if type(ob) in (list, tuple, dict):
            for index, item in enumerate(ob.values() if type(ob) is dict else ob):
                add(f"{path}[{index}]", item)


def _own_dir(ob: Any) -> list[str]:
    with contextlib.suppress(Exception):
        return dir(ob)
    return []


# -- noise ---------------------------------------------------------------------------------------


@pytest.mark.no_cover
@settings(max_examples=300)
@given(
    st.one_of(st.text(max_size=200), _PROGRAMS, st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
)
def test_any_text_as_a_program_gives_an_execution(source: str) -> None:
    execution = NOISE.run(source)
    assert execution.end in ("ok", "error", "refused", "timeout", "memory", "output", "killed")
    assert execution.ok == (execution.error is None)


NOISE = ProcessSandbox(Limits(wall_seconds=60), level=LEVEL)


@pytest.fixture(autouse=True, scope="module")
def _close_noise() -> Iterator[None]:
    yield
    NOISE.close()


@settings(max_examples=300)
@given(st.binary(max_size=64))
def test_any_bytes_as_a_frame_are_a_message_or_a_wire_error(raw: bytes) -> None:
    for sent in (raw, len(raw).to_bytes(4, "big") + raw):
        with contextlib.suppress(WireError):
            assert isinstance(read(io.BytesIO(sent).read, 1_000), dict)


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b"9" * 5_000, b"[]", b"\xff", b"", b'{"a":' * 50_000],
    ids=["deep", "digits", "list", "bytes", "empty", "deep dicts"],
)
def test_a_frame_that_is_no_object_is_a_wire_error(body: bytes) -> None:
    with pytest.raises(WireError):
        read(io.BytesIO(len(body).to_bytes(4, "big") + body).read, 1_000_000)


def test_a_frame_over_the_limit_is_not_read() -> None:
    with pytest.raises(WireError, match="at most 10 may come"):
        read(io.BytesIO(pack({"a": "x" * 100})).read, 10)
