from __future__ import annotations

import math
import subprocess
import sys
import threading
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from loopwright.tools import ToolCall, builtin_tool, resolve

SOLVE = builtin_tool("solve")
NONE = "no solution (in real numbers)"


def result(equations: str, unknowns: str = "") -> str:
    answer = SOLVE.run(ToolCall("solve", {"equations": equations, "unknowns": unknowns}))
    assert answer.ok, answer.content
    return answer.content


def complaint(equations: str, unknowns: str = "") -> str:
    answer = SOLVE.run(ToolCall("solve", {"equations": equations, "unknowns": unknowns}))
    assert answer.error == "raised", answer.content
    assert not answer.detail  # it said so itself: nothing broke
    return answer.content


@pytest.mark.parametrize(
    ("equation", "shown"),
    [
        ("2*x + 3 = 7", "x = 2"),
        ("2x + 3 == 7", "x = 2"),
        ("7 = 2(x + 1) + 1", "x = 2"),
        ("0.1*x = 0.3", "x = 3"),
        ("3x = 1", "x = 1/3 ≈ 0.3333333333"),
        ("15% of x = 12", "x = 80"),
        ("1,250 = 5 * price", "price = 250"),
        ("x = 5!", "x = 120"),
        ("x^2 - 5x + 6 = 0", "x = 2 or x = 3"),
        ("(x + 1)(x - 3) = 0", "x = -1 or x = 3"),
        ("x² = 4", "x = -2 or x = 2"),
        ("x⁻¹⁰ = 1/1024", "x = -2 or x = 2"),
        ("𝑥 + x = 2", "x = 1"),
        ("x^2 - 2x + 1 = 0", "x = 1"),
        ("x^2 = 2", "x = -sqrt(2) ≈ -1.414213562 or x = sqrt(2) ≈ 1.414213562"),
        ("x^2 = -1", NONE),
        ("x = x + 1", NONE),
        ("0 * x = 1", NONE),
        ("2(x + 1) = 2x + 2", "any x"),
        ("x / x = 1", "x < 0 or x > 0"),
        ("sqrt(x)^2 = x", "x >= 0"),
        ("1 / x = 0", NONE),
        ("(x^2 - 1) / (x - 1) = 2", NONE),
        ("x^3 = 2", "x = 2**(1/3) ≈ 1.25992105"),
        ("x^3 = -8", "x = -2"),
        ("x^3 - 3x + 1 = 0", "x ≈ -1.879385242 or x ≈ 0.3472963553 or x ≈ 1.532088886"),
        ("x^5 - x - 1 = 0", "x ≈ 1.167303978"),
        ("(x - 1)^2 * (x^3 + x + 1) = 0", "x ≈ -0.6823278038 or x = 1"),
        ("x^100 = 1", "x = -1 or x = 1"),
        ("x^1000 = 3", "x = -3**(1/1000) ≈ -1.001099216 or x = 3**(1/1000) ≈ 1.001099216"),
        ("sqrt(2)*x = 4", "x = 2*sqrt(2) ≈ 2.828427125"),
        ("x^2 - 2*sqrt(2)*x + 2 = 0", "x = sqrt(2) ≈ 1.414213562"),
        ("sqrt(x + 2) = x", "x = 2"),
        ("sqrt(x) = -1", NONE),
        ("abs(x - 1) = 3", "x = -2 or x = 4"),
        ("abs(abs(x) - 1) = 2", "x = -3 or x = 3"),
        ("abs(x) + x = 0", "x <= 0"),
        ("(abs(x) - x)(x + 5) = 0", "x = -5 or x >= 0"),
        ("sqrt(x^2 + 2x + 1) = x + 1", "x >= -1"),
        ("sqrt(x + 1) + sqrt(x) = 3", "x = 16/9 ≈ 1.777777778"),
        ("sqrt(x + sqrt(x)) = 2", "x = 9/2 - sqrt(17)/2 ≈ 2.438447187"),
        ("max(x, 3) = 5", "x = 5"),
        ("2^x = 8", "x = 3"),
        ("exp(x) = 5", "x = log(5) ≈ 1.609437912"),
        ("exp(x) = 0", NONE),
        ("log(x, 2) = 5", "x = 32"),
        ("log10(x) = 2000", "x ≈ 1e+2000 (2,001 digits)"),
        ("asin(x) = 2", NONE),
        ("sin(x) = 2", NONE),
        ("tan(x) = 1", "x = pi*n + pi/4, for every whole number n"),
        ("sin(x) = 1/2", "x = 2*pi*n + pi/6 or x = 2*pi*n + 5*pi/6, for every whole number n"),
        ("cos(x)^2 + sin(x)^2 = 1", "any x"),
        ("x^2 = 4; x > 0", "x = 2"),
        ("x^2 = 4 and x != 2", "x = -2"),
        ("x + 1 = 0, x > 0", NONE),
        ("x = 1; x = 2", NONE),
    ],
)
def test_an_equation_in_one_unknown_is_solved_exactly(equation: str, shown: str) -> None:
    assert result(equation) == shown


@pytest.mark.parametrize(
    ("equations", "shown"),
    [
        ("x + y = 10; x - y = 2", "x = 6, y = 4"),
        ("x + y = 10, x - y = 2", "x = 6, y = 4"),
        ("x + y = 10\nx - y = 2", "x = 6, y = 4"),
        ("y = 2x and x + y = 1", "y = 2/3 ≈ 0.6666666667, x = 1/3 ≈ 0.3333333333"),
        ("x + y + z = 6; x - y = 0; z = 2*x", "x = 1.5, y = 1.5, z = 3"),
        ("x = y = 3", "x = 3, y = 3"),
        ("x + y = 1; x + y = 2", NONE),
        ("x + y = 1; x = 2; y = 3", NONE),
        ("x + y = 1; 2x + 2y = 2", "x = 1 - y, any y"),
        ("x*y = 12", "x = 12/y, any y where that is defined"),
        ("x*y = 12; x + y = 7", "x = 3, y = 4 or x = 4, y = 3"),
        ("x^2 + y^2 = 25; x + y = 7; x > y", "x = 4, y = 3"),
        ("x + y = 0; x^2 + y^2 = -1", NONE),
        (
            "sin(x) = 0; y = x",
            "x = 0, y = 0 or x = pi ≈ 3.141592654, y = pi ≈ 3.141592654 (there may be others)",
        ),
        ("y = x^2; y = 2", "y = 2, x = -sqrt(2) ≈ -1.414213562 or y = 2, x = sqrt(2) ≈ 1.414213562"),
    ],
)
def test_a_system_is_solved_exactly(equations: str, shown: str) -> None:
    assert result(equations) == shown


@pytest.mark.parametrize(
    ("equations", "unknowns", "shown"),
    [
        ("A = pi*r^2", "r", "r = -sqrt(A)/sqrt(pi) or r = sqrt(A)/sqrt(pi)"),
        ("y = m*x + b", "x", "x = (-b + y)/m"),
        ("F = 9/5*C + 32", "C", "C = 5*F/9 - 160/9"),
        ("x + y = a; x - y = b", "x, y", "x = a/2 + b/2, y = a/2 - b/2"),
        ("x + y = a; x + y = a + 1", "x y", NONE),
        ("exp(k*t) = 2", "t", "t = log(2)/k"),
    ],
)
def test_a_formula_is_solved_for_one_of_its_names(equations: str, unknowns: str, shown: str) -> None:
    assert result(equations, unknowns) == shown


@pytest.mark.parametrize(
    ("inequality", "shown"),
    [
        ("3x - 1 > 5", "x > 2"),
        ("-2x >= 6", "x <= -3"),
        ("1 < x <= 5", "1 < x <= 5"),
        ("x^2 < 4", "-2 < x < 2"),
        ("x^2 ≥ 4", "x <= -2 or x >= 2"),
        ("x^2 >= 2", "x <= -sqrt(2) ≈ -1.414213562 or x >= sqrt(2) ≈ 1.414213562"),
        ("x^2 < 2", "x > -sqrt(2) ≈ -1.414213562 and x < sqrt(2) ≈ 1.414213562"),
        ("x^2 <= 0", "x = 0"),
        ("x^2 > -1", "any x"),
        ("x^2 < -1", NONE),
        ("x > 1; x < 0", NONE),
        ("x != 3", "x < 3 or x > 3"),
        ("1/x < 2", "x < 0 or x > 0.5"),
        ("(x - 1)/(x + 2) >= 0", "x < -2 or x >= 1"),
        ("sqrt(x) < 2", "0 <= x < 4"),
        ("ln(x) < 0", "0 < x < 1"),
        ("abs(x) < 3", "-3 < x < 3"),
        ("x^3 - x - 1 > 0", "x > 1.324717957 (rounded)"),
        ("2^x > 8", "x > 3"),
        ("abs(x - 1) + abs(x + 1) >= 4", "x <= -2 or x >= 2"),
        ("abs(x)/x = 1", "x > 0"),
        ("x - 2 <= sqrt(x)", "0 <= x <= 4"),
        ("1/x^400 < 10^-4000", "x < -10000000000 or x > 10000000000"),
    ],
)
def test_an_inequality_in_one_unknown_is_solved(inequality: str, shown: str) -> None:
    assert result(inequality) == shown


@pytest.mark.parametrize(
    ("equations", "found"),
    [
        ("cos(x) = x", "x ≈ 0.7390851332"),
        ("exp(x) + x = 3! - 1", "x ≈ 1.306558641"),
        ("x*exp(x) = 1", "x ≈ 0.5671432904"),
        (
            "ln(5x^4 - 5x^3 - x^2 - 5x - 1) = -5x^3 + 5x^2 - 2x - 4",
            "x ≈ -0.7023036435 or x ≈ -0.205128081 or x ≈ 1.578732437",
        ),
        ("2^x = x^2", "x ≈ -0.766664696 or x = 2 or x = 4"),
        ("x^x = 27", "x = 3"),
        ("cbrt(x) = -2", "x = -8"),
        ("x^2 - 2x + 1 = cos(x - 1) - 1", "x = 1"),
        ("sqrt(x - 1) + x*exp(x) = e", "x = 1"),
        ("sin(x) = 0; x > 1; x < 7", "x ≈ 3.141592654 or x ≈ 6.283185307"),
        (
            "y = cos(x); x = cos(y) + y - 0.73908513321516064; y > 0.5; x < 1",
            "y ≈ 0.7390851332, x ≈ 0.7390851332",
        ),
    ],
)
def test_what_has_no_formula_is_searched_for_and_says_so(equations: str, found: str) -> None:
    shown = result(equations)
    assert shown.startswith(f"{found} (found numerically")
    assert shown.endswith("; there may be others)")


@pytest.mark.parametrize(
    ("equations", "said"),
    [
        ("", "there is no equation; write one like"),
        ("2x + 3", 'an equation wants =, and there is none in "2x + 3"'),
        ("x = 1, 2", 'an equation wants =, and there is none in "2"'),
        ("x =", 'one side of "x =" is empty'),
        ("2 + 2 = 4", 'there is no unknown in "2 + 2 = 4"'),
        ("e = 2", "pi and e are numbers"),
        ("x = $5", """can't read "$5" in the expression"""),
        ("x = ½", """can't read "½" in the expression"""),
        ("x = inf", '"inf" is no number'),
        ("x(3) = 6", "write x*(...) to multiply"),
        ("sqr(x) = 2", 'there is no function or constant "sqr"; did you mean "sqrt"?'),
        ("sin = 2", '"sin" wants its argument in parentheses'),
        ("1/2x = 3", '"/2x" can be read in two ways: write parentheses and * there'),
        ("(x = 1)", 'the expression ends where ")" is wanted'),
        ("x y = 3", 'an operator is wanted before "y": write * to multiply'),
        ("x / 0 = 1", "division by zero"),
        ("x / (x - x) = 1", "division by zero"),
        ("floor(x) = 3", "floor of an unknown can't be solved for"),
        ("x % 2 = 0", "the remainder of an unknown can't be solved for"),
        ("x^1000000 = 1", "powers of an unknown go up to 1,000"),
        ("0^x = 1", "0 to the power of an unknown"),
        ("x > y", "an inequality is solved in one unknown"),
        ("sin(x) < 1/2", "this inequality can't be solved"),
        ("log(log(log(log(x)))) = 1", "no solution was found: no formula, and between"),
        ("cos(x*y) + x^y = y^x", "a search wants as many equations as unknowns"),
        ("x = 10^20000", "too long to compute exactly"),
        ("; ".join(["x = 1"] * 31), "31 equations are more than the 30"),
        ("+".join(f"x{n}" for n in range(21)) + " = 1", "21 unknowns are more than the 20"),
        ("x" * 31 + " = 1", "is longer than 30 characters"),
        ("x = " + "1" * 2_000, "the equations have 2,004 characters; at most 2,000"),
    ],
    ids=lambda text: text[:30],
)
def test_what_can_not_be_solved_is_refused_in_words(equations: str, said: str) -> None:
    assert said in complaint(equations)


def test_a_name_to_solve_for_must_stand_in_the_equations() -> None:
    assert '"q" is to be found, but stands in no equation; there is x' in complaint("x = 1", "q")
    assert "put numbers in for a" in complaint("x^5 + a*x = 1", "x")


def test_it_is_pure_and_works_by_name_beside_calculate() -> None:
    assert SOLVE.effect == "pure"
    assert list(resolve("solve")) == ["solve"]
    assert SOLVE.usage == 'solve(equations: string, unknowns: string = "")'


def test_calls_at_the_same_time_have_their_own_answers() -> None:
    answers: dict[int, str] = {}

    def ask(n: int) -> None:
        answers[n] = result(f"x + {n} = {3 * n}")

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {n: f"x = {2 * n}" for n in range(6)}


def test_reading_a_bad_equation_starts_no_process_and_imports_no_sympy() -> None:
    code = (
        "import sys, threading\nfrom loopwright.tools import builtin_tool, ToolCall\n"
        "print(builtin_tool('solve').run(ToolCall('solve', {'equations': '2x + 3'})).content)\n"
        "sys.exit('sympy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "an equation wants =" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc")
def test_no_process_outlives_the_program_nor_a_question_that_takes_too_long() -> None:
    code = (
        "import os\nfrom pathlib import Path\nfrom loopwright.tools import builtin_tool, ToolCall\n"
        "def children():\n"
        "    stats = [p.read_text().rpartition(')')[2].split() for p in Path('/proc').glob('[0-9]*/stat')]\n"
        "    return sum(int(one[1]) == os.getpid() for one in stats)\n"
        "tool = builtin_tool('calculate')\n"
        "slow = tool.run(ToolCall('calculate', {'expression': '^'.join(['sqrt(2)'] * 30)}))\n"
        "print(slow.content, children())\n"
        "print(tool.run(ToolCall('calculate', {'expression': 'sqrt(2)'})).content, children())\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stderr == ""
    first, second = done.stdout.splitlines()
    assert first.startswith("Error: sympy can't compute this (it took more than 5 s")
    assert first.endswith(" 0")  # killed, and reaped
    assert second == "sqrt(2) ≈ 1.414213562 1"  # a new one, which waits for the next question
    left = [one.read_bytes() for one in Path("/proc").glob("[0-9]*/cmdline") if one.parent.name != "self"]
    assert not [line for line in left if done.args[-1].encode() in line]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
def test_a_process_that_was_killed_while_it_waited_is_replaced() -> None:
    code = (
        "import os, signal, time\nfrom pathlib import Path\nfrom loopwright.tools import builtin_tool, ToolCall\n"
        "def ask():\n"
        "    print(builtin_tool('solve').run(ToolCall('solve', {'equations': 'x^2 = 9'})).content)\n"
        "ask()\n"
        "for stat in Path('/proc').glob('[0-9]*/stat'):\n"
        "    if int(stat.read_text().rpartition(')')[2].split()[1]) == os.getpid():\n"
        "        os.kill(int(stat.parent.name), signal.SIGKILL)\n"
        "time.sleep(0.5)\n"
        "ask()\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("x = -3 or x = 3\n" * 2, "")


# ---- properties

WHOLE = st.integers(-50, 50)
RATIONAL = st.fractions(-20, 20, max_denominator=12)


def values(shown: str) -> list[dict[str, Fraction]]:
    """The solutions in an answer, exactly where it gives them so."""
    found = []
    for solution in shown.split(" or "):
        pairs = [part.split(" = ") for part in solution.split(", ")]
        found.append({name: Fraction(text.split(" ≈ ")[0]) for name, text in pairs})
    return found


@given(st.lists(RATIONAL, min_size=1, max_size=4, unique=True), st.integers(1, 9))
@settings(max_examples=60)
def test_a_polynomial_made_from_its_roots_gives_them_back(roots: list[Fraction], leading: int) -> None:
    equation = f"{leading}*" + "*".join(f"(x - ({root}))" for root in roots) + " = 0"
    assert [one["x"] for one in values(result(equation))] == sorted(roots)


@given(st.data(), st.integers(1, 4))
@settings(max_examples=60)
def test_a_linear_system_made_from_its_solution_gives_it_back(data: st.DataObject, size: int) -> None:
    names = "xyzw"[:size]
    wanted = {name: data.draw(RATIONAL) for name in names}
    rows = [[data.draw(WHOLE) for _ in names] for _ in names]
    assume(determinant(rows) and all(any(row[at] for row in rows) for at in range(size)))
    equations = [
        f"{' + '.join(f'({factor})*{name}' for factor, name in zip(row, names, strict=True))} = "
        f"{sum(factor * wanted[name] for factor, name in zip(row, names, strict=True))}"
        for row in rows
    ]
    assert values(result("; ".join(equations))) == [wanted]


def determinant(rows: list[list[int]]) -> int:
    if not rows:
        return 1
    return sum(
        (-1) ** at * rows[0][at] * determinant([[*row[:at], *row[at + 1 :]] for row in rows[1:]])
        for at in range(len(rows))
    )


@given(WHOLE, WHOLE, WHOLE)
@settings(max_examples=60)
def test_a_quadratic_has_the_roots_that_its_discriminant_promises(a: int, b: int, c: int) -> None:
    assume(a)
    shown = result(f"({a})*x^2 + ({b})*x + ({c}) = 0")
    discriminant = b * b - 4 * a * c
    if discriminant < 0:
        assert shown == NONE
        return
    roots = sorted({(-b + sign * math.sqrt(discriminant)) / (2 * a) for sign in (-1, 1)})
    found = [
        float(Decimal(part.split("≈" if "≈" in part else "=")[1].strip())) for part in shown.split(" or ")
    ]
    assert found == pytest.approx(roots, rel=1e-8, abs=1e-9)


@given(st.integers(-9, 9), st.integers(-9, 9))
@settings(max_examples=40)
def test_a_sum_and_a_product_give_the_numbers_back(a: int, b: int) -> None:
    found = values(result(f"x + y = {a + b}; x*y = {a * b}"))
    pairs = {(a, b), (b, a)}
    assert [(one["x"], one["y"]) for one in found] == [(Fraction(x), Fraction(y)) for x, y in sorted(pairs)]


@given(RATIONAL, RATIONAL, st.sampled_from(["<", "<=", ">", ">="]))
@settings(max_examples=40)
def test_an_inequality_holds_on_the_right_side_of_its_bound(a: Fraction, b: Fraction, sign: str) -> None:
    assume(a)
    turned = sign if a > 0 else sign.translate(str.maketrans("<>", "><"))
    assert result(f"({a})*x {sign} {b}").startswith(f"x {turned} ")
    assert Fraction(result(f"({a})*x {sign} {b}").split()[2]) == b / a


@given(st.text(alphabet="0123456789.,+-*/^%!()=<>;xyz eπsqrtabln_'\"\\[]{}&|~@#$:°²\n", max_size=30))
@settings(max_examples=60)
def test_whatever_is_written_is_solved_or_refused_in_words(equations: str) -> None:
    answer = SOLVE.run(ToolCall("solve", {"equations": equations}))
    assert answer.ok or (answer.error == "raised" and not answer.detail), answer.content + answer.detail


@given(st.text(), st.text(max_size=10))
@settings(max_examples=60)
def test_any_text_at_all_is_solved_or_refused_in_words(equations: str, unknowns: str) -> None:
    answer = SOLVE.run(ToolCall("solve", {"equations": equations, "unknowns": unknowns}))
    assert answer.ok or (answer.error == "raised" and not answer.detail), answer.content + answer.detail


SIDES = st.recursive(
    st.sampled_from(["x", "y", "1", "2", "0.5", "3", "pi"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/^"), inner).map(lambda it: f"({it[0]} {it[1]} {it[2]})"),
        st.tuples(st.sampled_from(["sqrt", "abs", "ln", "exp", "sin"]), inner).map(
            lambda it: f"{it[0]}({it[1]})"
        ),
    ),
    max_leaves=4,
)


@given(SIDES, st.sampled_from(["=", "=", "<", ">=", "!="]), SIDES)
@settings(max_examples=30)
def test_any_equation_at_all_is_solved_or_refused_in_words(left: str, sign: str, right: str) -> None:
    answer = SOLVE.run(ToolCall("solve", {"equations": f"{left} {sign} {right}"}))
    assert answer.ok or (answer.error == "raised" and not answer.detail), answer.content + answer.detail
