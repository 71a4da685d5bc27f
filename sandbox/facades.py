"""The modules that a program may import, as read-only stand-ins that hold a positive list of names.

A facade is never the module: what is not listed is not there, and a submodule is reached only where it is
listed itself. Left out on purpose, because each has led out of a language-only sandbox: whatever evaluates
text (`typing.get_type_hints`), reads attributes by name (`operator.attrgetter`, `functools.wraps`,
`string.Formatter`; they have guarded equals in `replacements`), lies about types
(`typing.runtime_checkable`), compiles a class from text (`dataclasses.make_dataclass`), or opens files
(`io.open`).
"""

from __future__ import annotations

import codecs
import functools
import importlib
from collections.abc import Iterable, Mapping
from typing import Any

from .names import words
from .standins import stand_in_for_modules_of

NAMES: Mapping[str, str] = {
    "abc": "ABC abstractmethod abstractproperty abstractclassmethod abstractstaticmethod",
    "array": "array",
    "ast": "literal_eval",
    "base64": """b64encode b64decode b32encode b32decode b16encode b16decode b85encode b85decode
        standard_b64encode standard_b64decode urlsafe_b64encode urlsafe_b64decode""",
    "binascii": "hexlify unhexlify crc32 b2a_hex a2b_hex b2a_base64 a2b_base64 Error",
    "bisect": "bisect bisect_left bisect_right insort insort_left insort_right",
    "calendar": """isleap leapdays monthrange weekday monthcalendar month_name month_abbr day_name day_abbr
        timegm MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY Calendar month calendar
        TextCalendar firstweekday setfirstweekday""",
    "cmath": """acos acosh asin asinh atan atanh cos cosh e exp inf infj isclose isfinite isinf isnan log
        log10 nan nanj phase pi polar rect sin sinh sqrt tan tanh tau""",
    "collections": "ChainMap Counter OrderedDict UserDict UserList abc defaultdict deque",
    "collections.abc": """AsyncGenerator AsyncIterable AsyncIterator Awaitable Callable
        Collection Container Coroutine Generator Hashable ItemsView Iterable Iterator KeysView Mapping
        MappingView MutableMapping MutableSequence MutableSet Reversible Sequence Set Sized ValuesView""",
    "colorsys": "rgb_to_yiq yiq_to_rgb rgb_to_hls hls_to_rgb rgb_to_hsv hsv_to_rgb",
    "contextlib": """AbstractContextManager ContextDecorator ExitStack closing contextmanager nullcontext
        suppress""",
    "copy": "copy deepcopy Error",
    "csv": """DictReader DictWriter Error QUOTE_ALL QUOTE_MINIMAL QUOTE_NONE QUOTE_NONNUMERIC reader
        writer""",
    "dataclasses": """FrozenInstanceError KW_ONLY MISSING InitVar asdict astuple field fields is_dataclass
        replace""",
    "datetime": "MAXYEAR MINYEAR UTC date datetime time timedelta timezone tzinfo",
    "decimal": """BasicContext Clamped Context ConversionSyntax Decimal DecimalException DecimalTuple
        DefaultContext DivisionByZero DivisionImpossible DivisionUndefined ExtendedContext FloatOperation
        Inexact InvalidContext InvalidOperation MAX_EMAX MAX_PREC MIN_EMIN MIN_ETINY Overflow
        ROUND_05UP ROUND_CEILING ROUND_DOWN ROUND_FLOOR ROUND_HALF_DOWN ROUND_HALF_EVEN ROUND_HALF_UP
        ROUND_UP Rounded Subnormal Underflow getcontext localcontext setcontext""",
    "difflib": "SequenceMatcher get_close_matches ndiff unified_diff context_diff",
    "enum": """CONTINUOUS Enum EnumCheck Flag FlagBoundary IntEnum IntFlag NAMED_FLAGS ReprEnum StrEnum
        UNIQUE auto member nonmember property unique verify""",
    "fractions": "Fraction",
    "functools": """cache cached_property cmp_to_key lru_cache partial partialmethod reduce
        total_ordering""",
    "graphlib": "CycleError TopologicalSorter",
    "hashlib": """blake2b blake2s md5 sha1 sha224 sha256 sha384 sha3_224 sha3_256 sha3_384 sha3_512
        sha512""",
    "heapq": "heapify heappop heappush heappushpop heapreplace merge nlargest nsmallest",
    "hmac": "compare_digest digest new",
    "html": "escape unescape",
    "io": "BytesIO StringIO",
    "itertools": """accumulate batched chain combinations combinations_with_replacement compress count
        cycle dropwhile filterfalse groupby islice pairwise permutations product repeat starmap takewhile
        tee zip_longest""",
    "json": "JSONDecodeError JSONDecoder JSONEncoder dumps loads",
    "keyword": "iskeyword issoftkeyword kwlist softkwlist",
    "math": """acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist e erf
        erfc exp exp2 expm1 fabs factorial floor fma fmod frexp fsum gamma gcd hypot inf isclose isfinite
        isinf isnan isqrt lcm ldexp lgamma log log10 log1p log2 modf nan nextafter perm pi pow prod
        radians remainder sin sinh sqrt sumprod tan tanh tau trunc ulp""",
    "numbers": "Complex Integral Number Rational Real",
    "operator": """abs add and_ concat contains countOf delitem eq floordiv ge getitem gt iadd iand
        iconcat ifloordiv ilshift imatmul imod imul index indexOf inv invert ior ipow irshift is_ is_not
        isub itemgetter itruediv ixor le length_hint lshift lt matmul mod mul ne neg not_ or_ pos pow
        rshift setitem sub truediv truth xor""",
    "os": "curdir extsep linesep pardir path pathsep sep",
    "os.path": """basename commonpath commonprefix curdir dirname extsep isabs join normcase normpath pardir sep
        split splitext""",
    "pprint": "pformat",
    "random": """Random betavariate choice choices expovariate gammavariate gauss getrandbits getstate
        lognormvariate normalvariate paretovariate randbytes randint random randrange sample seed setstate
        shuffle triangular uniform vonmisesvariate weibullvariate""",
    "re": """A ASCII DOTALL I IGNORECASE M MULTILINE Match NOFLAG Pattern RegexFlag S U UNICODE VERBOSE X
        compile error escape findall finditer fullmatch match purge search split sub subn""",
    "secrets": "choice randbelow randbits token_bytes token_hex token_urlsafe",
    "statistics": """NormalDist StatisticsError correlation covariance fmean geometric_mean harmonic_mean
        linear_regression mean median median_grouped median_high median_low mode multimode pstdev
        pvariance quantiles stdev variance""",
    "string": """Template ascii_letters ascii_lowercase ascii_uppercase capwords digits hexdigits
        octdigits printable punctuation whitespace""",
    "struct": "Struct calcsize error iter_unpack pack pack_into unpack unpack_from",
    "textwrap": "TextWrapper dedent fill indent shorten wrap",
    "time": """asctime ctime gmtime localtime mktime monotonic monotonic_ns perf_counter perf_counter_ns
        process_time process_time_ns sleep strftime strptime struct_time time time_ns""",
    "types": "GenericAlias MappingProxyType MethodType SimpleNamespace UnionType",
    "typing": """AbstractSet Annotated Any AnyStr AsyncGenerator AsyncIterable AsyncIterator Awaitable
        Callable ChainMap ClassVar Collection Concatenate Container ContextManager Coroutine Counter
        DefaultDict Deque Dict Final FrozenSet Generator Generic Hashable ItemsView Iterable Iterator
        KeysView List Literal LiteralString Mapping MutableMapping MutableSequence MutableSet NamedTuple
        Never NewType NoReturn NotRequired Optional OrderedDict ParamSpec Protocol Required Reversible
        Self Sequence Set Sized SupportsAbs SupportsFloat SupportsIndex SupportsInt SupportsRound Text
        Tuple Type TypeAlias TypeGuard TypeVar TypeVarTuple TypedDict Union Unpack ValuesView
        assert_never assert_type cast final overload override reveal_type TYPE_CHECKING""",
    "unicodedata": "bidirectional category combining decimal digit east_asian_width name normalize numeric lookup",
    "urllib": "parse",
    "urllib.parse": """parse_qs parse_qsl quote quote_plus unquote unquote_plus urlencode urljoin urlparse
        urlsplit urlunparse urlunsplit""",
    "uuid": "NAMESPACE_DNS NAMESPACE_URL UUID uuid3 uuid4 uuid5",
    "zlib": "adler32 compress crc32 decompress error",
}

# Imported by the interpreter itself on behalf of a program's call, never by the program.
INTERNAL = ("__future__", "_strptime", "time", "datetime", "locale", "stringprep", "typing", "warnings")
_ENCODINGS = (
    "ascii latin-1 utf-8-sig utf-16 utf-32 cp1252 idna punycode unicode_escape raw_unicode_escape rot13 hex"
)


def preload() -> None:
    """Import everything that a program can reach, while files can still be read."""
    for name in INTERNAL:
        importlib.import_module(name)
    for name in NAMES:
        listed(name)
    for encoding in words(_ENCODINGS):
        codecs.lookup(encoding)


class Module:
    """A facade; its class is shown to programs as `module`."""

    def __getattr__(self, name: str) -> Any:
        # Reached only for what the facade does not hold.
        raise AttributeError(f"module {self.__dict__['__name__']!r} has no {name!r} in the sandbox")

    def __repr__(self) -> str:
        return f"<module {self.__dict__['__name__']!r}>"

    def __dir__(self) -> Iterable[str]:
        return sorted(self.__dict__)


stand_in_for_modules_of(Module)


def facade(name: str, members: Mapping[str, Any]) -> Module:
    """A module-like object that holds exactly `members`."""
    made = object.__new__(Module)
    made.__dict__.update(members)
    made.__dict__["__name__"] = name
    made.__dict__["__doc__"] = None
    return made


def public_names(module: Module) -> dict[str, Any]:
    """What `from module import *` brings."""
    return {name: value for name, value in module.__dict__.items() if not name.startswith("_")}


@functools.cache
def listed(name: str) -> Mapping[str, Any]:
    """What a module itself offers of the names that are listed for it; older Pythons lack some."""
    real = importlib.import_module(name) if name in NAMES else None
    found = {member: getattr(real, member) for member in words(NAMES.get(name, "")) if hasattr(real, member)}
    return {member: [*value] if type(value) is list else value for member, value in found.items()}


def build(replacements: Mapping[str, Mapping[str, Any]]) -> dict[str, Module]:
    """Every facade, by dotted name; `replacements` has the guarded equals of names that are left out above."""
    nothing: dict[str, Any] = {}
    names = {*NAMES, *replacements}
    made = {name: facade(name, {**listed(name), **replacements.get(name, nothing)}) for name in names}
    for name in names:
        outer, dot, inner = name.rpartition(".")
        if dot:
            made[outer].__dict__[inner] = made[name]
    return made
