"""Expressions written to hurt, for `calculate` and `solve`: none does anything but be answered or refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from loopwright.tools import ToolCall, builtin_tool

PYTHON = "reaching for Python"
CORPUS = {
    PYTHON: [
        "__import__('os').system('touch canary')",
        "__import__",
        "__class__",
        "().__class__.__bases__[0].__subclasses__()",
        "x.__class__",
        "x.__init__.__globals__",
        "sqrt.__globals__",
        "open('canary', 'w')",
        "exec('import os')",
        "eval('1+1')",
        "compile(1)",
        "getattr(x, y)",
        "globals()",
        "locals()",
        "vars(x)",
        "dir()",
        "input()",
        "breakpoint()",
        "exit()",
        "quit(1)",
        "help(x)",
        "print(1)",
        "os.system(1)",
        "subprocess.run(x)",
        "sys.exit()",
        "lambda: 0",
        "lambda x: x",
        "(lambda: 0)()",
        "[x for x in (1,)]",
        "(y for y in x)",
        "{x: 1}",
        "{1, 2}",
        "[1, 2]",
        "x[0]",
        "f'{1}'",
        "f\"{__import__('os')}\"",
        "'text'",
        '"text"',
        "b'x'",
        "`id`",
        "$(touch canary)",
        "; touch canary",
        "1; import os",
        "import os",
        "from os import system",
        "del x",
        "x := 5",
        "(x := 5)",
        "x = y = z",
        "x += 1",
        "x if 1 else 2",
        "not x",
        "x or y",
        "x and y",
        "x is y",
        "1 in x",
        "x @ y",
        "x & y",
        "x | y",
        "~x",
        "1 << 100",
        "x >> 1",
        "x -> y",
        "@x",
        "# comment",
        "1 # x = 2",
        "\\",
        "1 \\\n + 1",
        "yield x",
        "await x",
        "async x",
        "raise x",
        "assert x",
        "global x",
        "while 1: pass",
        "def f(): pass",
        "class A: pass",
        "*args",
        "**x",
        "x...",
        "...",
        "None",
        "True",
        "False",
        "self",
        "type(x)",
        "object()",
        "str(1)",
        "int('9')",
        "chr(65)",
        "10 .real",
        "1..real",
        "1.5.real",
        "sympify('1')",
        "Symbol('x')",
        "S.Zero",
        "parse_expr(x)",
        "E1",
        "oo",
        "zoo",
        "I",
        "S",
        "N(1)",
        "Eq(x, 1)",
        "solve(x)",
        "diff(x, x)",
        "integrate(x, x)",
        "factorint(10^300)",
        "limit(x, x, 0)",
    ],
    "text that misleads": [
        "\x00",
        "1\x00+1",
        "x\x00 = 1",
        "\ufeff1 + 1",
        "１ + １",
        "１ = x",
        "²",
        "x² = 4",
        "x = ½",
        "٣ + ٤",
        "x = ∞",
        "х = 1",
        "ｘ = 1",
        "e\u0301 = 2",
        "\u202e1 + 1",
        "1\u200b + 1",
        "√2",
        "2 √ 3",
        "\ud800",
        "𝟏 + 𝟏",
        "1 ⁄ 2",
        "x \u2260 1",
        "“x” = 1",
        "x ＝ 1",
        "١٢ = x",
        "\r\n",
        "\t1\t+\t1\t",
        "\v1\f+1",
        "𝑥 = 2",
        "𝒙 + x = 2",
        "ﬁ = 2",
        "K = 2",
    ],
    "numbers that are none, or no end of": [
        "inf",
        "-inf",
        "nan",
        "infinity",
        "1e309",
        "1e5000",
        "1e5001",
        "1e999999999",
        "1e-5001",
        "1e+",
        "0x10",
        "0b11",
        "0o7",
        "1j",
        "2 + 3j",
        "1__0",
        "1_0",
        "_1",
        "1e1e1",
        "1.2.3",
        "..1",
        "0.0.0",
        "9" * 1999,
        "9" * 100_000,
        "0." + "0" * 1900 + "1",
        "1" + "0" * 1990 + "^9",
        "00012",
        "1 / 0",
        "0 / 0",
        "0^0",
        "0^-1",
        "1 / (1 - 1)",
        "1 % 0",
        "1 // 0",
        "log(0)",
        "tan(90°)",
        "x / 0 = 1",
        "0 * x = 1",
        "1 / x = 1 / 0",
        "x = inf",
        "x = nan",
    ],
    "what grows": [
        "9**9**9",
        "9^9^9^9 = x",
        "x^9^9^9 = 1",
        "9^9^x = 1",
        "x^x^x^x^x = 10",
        "2^2^2^2^2^2",
        "((10^9)^9)^9",
        "(1e4000)^2",
        "(10^5000)*(10^5000)*(10^5000)*(10^5000)*(10^5000)",
        "factorial(10**9)",
        "factorial(10^9) = x",
        "x! = 120",
        "5000!!",
        "((5!)!)!",
        "3!!!!!!",
        "99999! / 99998!",
        "lcm(10^5000+1, 10^5001+3, 10^4999+7, 10^4998+9, 10^4000+13)",
        "gcd(10^5000, 10^4999)",
        "round(1/3, 10^9)",
        "round(1, -10^9)",
        "exp(exp(exp(exp(x)))) = 2",
        "exp(10^10)",
        "exp(exp(exp(9)))",
        "sqrt(2)^sqrt(3)^sqrt(2)^sqrt(3)^sqrt(2)",
        "^".join(["sqrt(2)"] * 30),
        "^".join(["sqrt(x)"] * 12) + " = 2",
        "cos(pi/65537)",
        "sin(10^999)",
        "log(10^9999, 3)",
        "2^(1/99999999)",
        "(10^900+7)^(1/1000003)",
        "sqrt(10^999+1)",
    ],
    "what nests, or goes on": [
        "(" * 49 + "1" + ")" * 49,
        "(" * 100_000 + "1" + ")" * 100_000,
        "(" * 100_000,
        ")" * 100_000,
        "(" * 900 + "x" + ")" * 900 + " = 1",
        "-" * 100_000 + "1",
        "-" * 1900 + "x = 1",
        "+" * 1900,
        "1" + "+1" * 990,
        "1" + "+1" * 100_000,
        "1" + "^1" * 900,
        "x" + "^2" * 49 + " = 1",
        "sqrt(" * 300 + "1" + ")" * 300,
        "sin(" * 45 + "x" + ")" * 45 + " = 1/2",
        "sqrt(x+" * 40 + "1" + ")" * 40 + " = 9",
        "max(" + "1, " * 600 + "1)",
        "max(" + "x, " * 600 + "1) = 3",
        ";" * 1900,
        "x=1;" * 400,
        "=" * 1900,
        "x" + "=x" * 900,
        "x < " * 400 + "x",
        ",".join(["x=1"] * 31),
        "a" * 1999 + " = 1",
        "x" * 31 + " = 1",
        "!" * 1900,
        "1" + "!" * 500,
        "1" + "%" * 500,
        "%" * 1900,
    ],
    "systems and polynomials that are too much": [
        "x^1000000 = 1",
        "((x^30 + x + 1)^30 + x)^30 = 7",
        "x^(1/999) + x^(1/998) = 3",
        "; ".join(f"x{n} + x{(n + 1) % 25} = {n}" for n in range(25)),
        "; ".join(f"x{n}^2 + x{(n + 1) % 12}*x{(n + 3) % 12} = {n}" for n in range(12)),
        "x^3 + a*x^2 + b*x + c = 0",
        "x + y + z + u + v + w = 1",
        "x1+x2+x3+x4+x5+x6+x7+x8+x9+x10+x11+x12+x13+x14+x15+x16+x17+x18+x19+x20+x21=1",
        "x = 10^20000",
        "x^2 = 10^19999",
        "1/x^400 < 10^-4000",
    ],
    "functions that are too much": [
        "sin(cos(tan(sin(cos(x))))) = x^x",
        "sin(x)^50 + cos(x)^49 + tan(x)^48 = 3",
        "sqrt(x + sqrt(x + sqrt(x + sqrt(x + 1)))) = x^2",
        "(1+sqrt(x))*(2+sqrt(x+1))*(3+sqrt(x+2))*(4+sqrt(x+3))*(5+sqrt(x+4)) = 1000",
        "abs(abs(abs(abs(x) - 1) - 2) - 3) - abs(x^3 - abs(x)) = 1",
        "min(x, y, x*y, x^y) = max(y^x, 2)",
        "x^x^x = 2",
        "log(log(log(log(x)))) = 1",
        "sin(x) < 1/2",
        "sin(x) = 0; x != 0",
        "cos(x)^2 + sin(x)^2 = 1",
    ],
    "equations that are none": [
        "e = 5",
        "pi = 3",
        "sin = 2",
        "sqrt + 1 = 2",
        "sin(sin) = 1",
        "mod = 1",
        "of = 1",
        "x of y = 2",
        "x mod 2 = 0",
        "floor(x) = 2",
        "x%2 = 1",
        "x(3) = 6",
        "f(x) = 3",
        "2x3 = 6",
        "1/2x = 3",
        "x = ",
        "= x",
        "x == 1",
        "x === 1",
        "x =! 1",
        "x <> 1",
        "x => 1",
        "1 = 2",
        "2 = 2",
        "",
        " ",
        "x",
        ";",
        "x = 1;; y = 2",
        "x = (1",
        "x = 1)",
        "x, y",
        "x = 1, 2",
        "(x = 1)",
        "x = 1,250",
        "max(x,250) = 300",
        "x=1 and x=2",
    ],
}

# what stands in the first part is refused by both; `x = y = z` and the like are equations after all
EQUATIONS = ("x = y = z",)

# each expression as it stands and, for solve, as a side of an equation; in a process with a folder to itself
INNER = """
import json, sys, time
from loopwright.tools import ToolCall, builtin_tool
for row in json.load(sys.stdin):
    equation = row if "=" in row else row + " = x"
    for name, parameter, text in (("calculate", "expression", row), ("solve", "equations", equation)):
        started = time.monotonic()
        result = builtin_tool(name).run(ToolCall(name, {parameter: text}))
        print(json.dumps([text, name, result.error, result.content, result.detail, time.monotonic() - started]))
"""
OUTER = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-W", "error", "-c", sys.argv[1]], stdin=sys.stdin)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)  # of it and of every process below it
sys.exit(done.returncode)
"""
MEMORY_KB = 900_000  # 512 MB beyond what sympy takes at its start, and what it takes
SECONDS = 300  # a guard against a hang: no call has more than about 10 s of sympy's work


def test_the_corpus_is_large_and_names_each_expression_once() -> None:
    rows = [row for part in CORPUS.values() for row in part]
    assert len(rows) == len(set(rows)) >= 280


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded, and measured in KB, on Linux only")
@pytest.mark.parametrize("part", CORPUS)
def test_hostile_expressions_are_answered_or_refused_in_bounded_time_and_memory(
    part: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OUTER, INNER],
        check=False,
        input=json.dumps(CORPUS[part]),
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    *lines, memory = done.stdout.splitlines()
    assert len(lines) == 2 * len(CORPUS[part])
    assert int(memory) < MEMORY_KB
    assert list(tmp_path.iterdir()) == []  # no canary
    for line in lines:
        text, name, error, content, detail, seconds = json.loads(line)
        assert error in (None, "raised"), (text[:80], name, content)
        assert (detail, content != "") == ("", True), (text[:80], name, detail)
        assert len(content) < 4_000
        assert seconds < SECONDS, (text[:80], name)


@pytest.mark.parametrize("text", [row for row in CORPUS[PYTHON] if row not in EQUATIONS])
@pytest.mark.parametrize(("name", "parameter"), [("calculate", "expression"), ("solve", "equations")])
def test_python_is_refused_by_the_grammar(text: str, name: str, parameter: str) -> None:
    result = builtin_tool(name).run(ToolCall(name, {parameter: text}))
    assert result.error == "raised"
    assert not result.detail
