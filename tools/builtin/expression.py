"""The grammar of `calculate` and `solve`: a tokenizer and an operator-precedence parser of our own.

Nothing is ever given to `eval` or to sympy's parser. The parser knows no numbers either: it tells an
`Algebra` what to compute as it reads, so one grammar serves the exact rational arithmetic and sympy.
With unknowns in it, other names are let in, and `2x` and `(x + 1)(x - 1)` are products.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, NoReturn, Protocol, TypeVar

from ..errors import ToolFailed, nearest

T = TypeVar("T")

MAX_LENGTH = 2_000  # characters of an expression
_MAX_DEPTH = 50  # parentheses, signs and powers inside one another
_MAX_EXPONENT = 5_000  # of a literal such as 1e300
_MAX_NAME = 30  # characters of an unknown


class TooLong(ToolFailed):
    """A number, or what it would come to, is beyond what can be computed here."""


# how many arguments each function takes: at least, at most (None: any number)
FUNCTIONS: dict[str, tuple[int, int | None]] = {
    **dict.fromkeys(("sqrt", "cbrt", "abs", "floor", "ceil", "factorial"), (1, 1)),
    **dict.fromkeys(("exp", "ln", "log10", "log2"), (1, 1)),
    **dict.fromkeys(("sin", "cos", "tan", "asin", "acos", "atan"), (1, 1)),
    **dict.fromkeys(("round", "log"), (1, 2)),
    **dict.fromkeys(("pow", "mod"), (2, 2)),
    **dict.fromkeys(("min", "max", "sum", "mean", "gcd", "lcm"), (1, None)),
}
CONSTANTS = {"pi": "pi", "π": "pi", "e": "e"}
_ALIASES = {"ceiling": "ceil", "average": "mean", "avg": "mean", "arcsin": "asin", "arccos": "acos"}
_ALIASES |= {"arctan": "atan"}

_LOOSEST, _SUM, _PRODUCT, _SIGN, _POWER = 0, 10, 20, 25, 30
_WORDS = {"of": "*", "x": "*", "mod": "mod"}  # operators that are words
_INFIX = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "//": _PRODUCT, "mod": _PRODUCT, "^": _POWER}

_SPELLINGS = str.maketrans({"×": "*", "·": "*", "∙": "*", "÷": "/", "−": "-", "–": "-", "\u00a0": " "})
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_RAISED_RUN = re.compile("⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_NO_NUMBERS = ("inf", "infinity", "nan", "oo")  # what is not let in as the name of an unknown
_TOKEN = re.compile(
    r"(?P<grouped>\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,.]))"
    r"|(?P<number>(?:\d+(?:_\d{3})*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[^\W\d_]\w*)"
    r"|(?P<symbol>\*\*|//|[-+*/^%!°(),])"
)
_PLAIN_NUMBER = re.compile(r"\d{1,3}(?:\.\d+)?")


class Algebra(Protocol[T]):
    """What the parser needs to compute: each method may raise `ToolFailed`."""

    def number(self, value: Fraction) -> T:
        """A literal."""
        ...

    def constant(self, name: str) -> T:
        """One of `pi` and `e`."""
        ...

    def apply(self, name: str, args: Sequence[T]) -> T:
        """An operator (`+ - * / // ^ mod neg`) or a function of `FUNCTIONS`."""
        ...


class AlgebraWithUnknowns(Algebra[T], Protocol[T]):
    """An algebra for expressions in which names stand for unknowns."""

    def unknown(self, name: str) -> T:
        """A name that is neither a function nor a constant."""
        ...


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, name, symbol or end
    text: str
    at: int


def compute(expression: str, algebra: Algebra[T]) -> T:
    """Read an expression of numbers and compute it; raises `ToolFailed` in words for a model."""
    text = _bounded(expression)
    return _whole(_Parser(text, _tokens(text), algebra))


def compute_with_unknowns(expression: str, algebra: AlgebraWithUnknowns[T]) -> T:
    """As `compute`, for an expression that may hold unknowns; there, x is one and no sign to multiply."""
    text = _bounded(expression)
    return _whole(_Parser(text, _with_products(text, _tokens(text)), algebra, algebra.unknown))


def _bounded(expression: str) -> str:
    if len(expression) > MAX_LENGTH:
        raise ToolFailed(
            f"the expression has {len(expression):,} characters; at most {MAX_LENGTH:,} can be read"
        )
    text = _RAISED_RUN.sub(lambda match: f"^({match[0].translate(_RAISED)})", expression)
    return text.translate(_SPELLINGS)


def _whole(parser: _Parser[T]) -> T:
    value = parser.expression(_LOOSEST)
    if parser.next.kind != "end":
        parser.complain(parser.next, "an operator")
    return value


def _with_products(text: str, tokens: list[_Token]) -> list[_Token]:
    """The tokens with the * that `2x`, `3(x + 1)` and `(x + 1)(x - 1)` leave away."""
    found: list[_Token] = []
    for token in tokens:
        opens = token.text == "(" or (token.kind == "name" and token.text.lower() not in ("of", "mod"))
        if opens and found and (found[-1].kind == "number" or found[-1].text == ")"):
            if found[-1].kind == "number" and len(found) > 1 and found[-2].text in ("/", "//", "%"):
                start = found[-2].at
                shown = text[start : token.at + 10]
                raise ToolFailed(f'"{shown}" can be read in two ways: write parentheses and * there')
            found.append(_Token("symbol", "*", token.at))
        found.append(token)
    return found


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    calls: list[bool] = []  # for each open parenthesis, whether it holds a function's arguments
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return [*found, _Token("end", "", at)]
        match = _TOKEN.match(text, at)
        if match and match.lastgroup == "grouped" and calls and calls[-1]:
            match = _PLAIN_NUMBER.match(text, at)  # max(1,250): there, a comma stands between arguments
        if match is None or (match.lastgroup == "name" and not match[0].isidentifier()):  # ½ is no name
            raise ToolFailed(
                f'can\'t read "{text[at : at + 20]}" in the expression: numbers, + - * / ^ % and functions'
            )
        kind = match.lastgroup or "number"
        if match[0] == "(":
            calls.append(bool(found) and found[-1].kind == "name" and _known(found[-1].text) in FUNCTIONS)
        elif match[0] == ")" and calls:
            calls.pop()
        found.append(_Token("number" if kind == "grouped" else kind, match[0], at))
        at = match.end()


def _known(name: str) -> str:
    lower = name.lower()
    return _ALIASES.get(lower, lower)


class _Parser(Generic[T]):
    def __init__(
        self,
        text: str,
        tokens: list[_Token],
        algebra: Algebra[T],
        unknown: Callable[[str], T] | None = None,
    ) -> None:
        self.text = text
        self.tokens = tokens
        self.algebra = algebra
        self.unknown = unknown
        self.place = 0
        self.depth = 0

    @property
    def next(self) -> _Token:
        return self.tokens[self.place]

    def take(self) -> _Token:
        token = self.tokens[self.place]
        self.place += 1
        return token

    def complain(self, token: _Token, wanted: str) -> NoReturn:
        if token.kind == "end":
            raise ToolFailed(f"the expression ends where {wanted} is wanted")
        shown = self.text[token.at : token.at + 20]
        if token.text == ",":
            start = max(0, token.at - 8)
            raise ToolFailed(
                f'the comma in "{self.text[start : token.at + 8].strip()}" is neither in a number like 1,250.5 nor '
                f"between a function's arguments; write decimals with a point"
            )
        if token.text == "(" or (wanted == "an operator" and token.kind in ("number", "name")):
            raise ToolFailed(f'an operator is wanted before "{shown}": write * to multiply')
        index = self.tokens.index(token)
        after = f' after "{self.tokens[index - 1].text}"' if index else ""
        raise ToolFailed(f'{wanted} is wanted{after} where "{shown}" stands')

    def expression(self, binding: int) -> T:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ToolFailed(f"the expression is nested more than {_MAX_DEPTH} deep")
        value = self.operand()
        while (found := self.infix()) is not None and found[1] > binding:
            name, strength = found
            self.take()
            right = self.expression(strength - 1 if name == "^" else strength)
            value = self.algebra.apply(name, [value, right])
        self.depth -= 1
        return value

    def infix(self) -> tuple[str, int] | None:
        """The operator that comes next, and how strongly it binds."""
        token = self.next
        name = token.text.lower()
        name = {"**": "^", "%": "mod"}.get(name, name)
        if token.kind == "name" and not (self.unknown and name == "x"):
            name = _WORDS.get(name, name)
        return (name, _INFIX[name]) if name in _INFIX else None

    def operand(self) -> T:
        token = self.take()
        if token.text in ("-", "+"):
            value = self.expression(_SIGN)
            return self.algebra.apply("neg", [value]) if token.text == "-" else value
        if token.kind == "number":
            value = self.algebra.number(_literal(token.text))
        elif token.text == "(":
            value = self.expression(_LOOSEST)
            self.close()
        elif token.kind == "name":
            value = self.named(token)
        else:
            self.complain(token, "a number")
        return self.postfix(value)

    def postfix(self, value: T) -> T:
        while self.next.text in ("!", "°", "%"):
            if self.next.text == "%" and self.is_modulo():
                break
            sign = self.take().text
            if sign == "!":
                value = self.algebra.apply("factorial", [value])
            elif sign == "%":
                value = self.algebra.apply("/", [value, self.algebra.number(Fraction(100))])
            else:
                degree = [self.algebra.constant("pi"), self.algebra.number(Fraction(180))]
                value = self.algebra.apply("*", [value, self.algebra.apply("/", degree)])
        return value

    def is_modulo(self) -> bool:
        """Whether the % that comes next stands between two operands, as in `17 % 5`."""
        after = self.tokens[self.place + 1]
        if after.kind == "name":
            named = _known(after.text) in FUNCTIONS or after.text.lower() in CONSTANTS
            return named or (self.unknown is not None and after.text.lower() not in ("of", "mod"))
        return after.kind == "number" or after.text == "("

    def named(self, token: _Token) -> T:
        name = _known(token.text)
        if name in FUNCTIONS:
            if self.next.text != "(":
                raise ToolFailed(f'"{name}" wants its argument in parentheses: {name}(2)')
            return self.call(name)
        if name in CONSTANTS:
            return self.algebra.constant(CONSTANTS[name])
        if self.unknown is not None and self.next.text != "(" and token.text.lower() not in ("of", "mod"):
            if len(token.text) > _MAX_NAME:
                raise ToolFailed(
                    f'the name "{token.text[:_MAX_NAME]}..." is longer than {_MAX_NAME} characters'
                )
            if name in _NO_NUMBERS:
                raise ToolFailed(f'"{token.text}" is no number that can be computed with')
            return self.unknown(unicodedata.normalize("NFKC", token.text))
        known = [*FUNCTIONS, "pi", "e"]
        near = nearest(name, known)
        hint = f'did you mean "{near}"?' if near else f"known are {', '.join(known)}"
        if self.unknown is not None:
            hint = hint if near else f"write {token.text[:20]}*(...) to multiply"
        raise ToolFailed(f'there is no function or constant "{token.text[:40]}"; {hint}')

    def call(self, name: str) -> T:
        self.take()
        args: list[T] = []
        spaced, grouped = False, ""  # whether a comma has a space after it; what looks like 1,250
        while self.next.text != ")":
            if args:
                comma = self.take()
                if comma.text != ",":
                    self.complain(comma, '"," or ")"')
                spaced = spaced or self.text[comma.at + 1 : comma.at + 2].isspace()
                grouped = grouped or self.grouped_at(comma)
            args.append(self.expression(_LOOSEST))
        self.take()
        if spaced and grouped:
            raise ToolFailed(
                f'"{grouped}" inside {name}(...) may be one number or two: write {grouped.replace(",", "")}, '
                f"or a space after each comma"
            )
        self.check_count(name, len(args), grouped)
        return self.algebra.apply(name, args)

    def grouped_at(self, comma: _Token) -> str:
        """What stands around a comma that may be a thousands separator, "" where it can't be one."""
        before, after = self.tokens[self.place - 2], self.tokens[self.place]
        looks_so = (
            before.text.isdigit() and len(before.text) <= 3 and re.fullmatch(r"\d{3}(\.\d*)?", after.text)
        )
        touching = before.at + len(before.text) == comma.at == after.at - 1
        return f"{before.text},{after.text}" if looks_so and touching else ""

    def check_count(self, name: str, count: int, grouped: str) -> None:
        least, most = FUNCTIONS[name]
        if count >= least and (most is None or count <= most):
            return
        wanted = f"{least}" if least == most else f"{least} or {most}" if most else f"at least {least}"
        plural = "" if wanted in ("1", "at least 1") else "s"
        hint = "; write numbers without thousands separators there" if grouped else ""
        raise ToolFailed(f"{name} takes {wanted} argument{plural}, not {count}{hint}")

    def close(self) -> None:
        token = self.take()
        if token.text != ")":
            self.complain(token, '")"')


def _literal(text: str) -> Fraction:
    digits, _, exponent = text.replace(",", "").replace("_", "").lower().partition("e")
    if exponent and (len(exponent) > 6 or abs(int(exponent)) > _MAX_EXPONENT):
        raise TooLong(f"{text[:40]} is beyond what can be computed: exponents go up to {_MAX_EXPONENT:,}")
    return Fraction(f"{digits}e{exponent}" if exponent else digits)
