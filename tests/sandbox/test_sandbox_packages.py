"""numpy and sympy inside: what models do with them works, and what they could do with files and text does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loopwright.sandbox import Limits, ProcessSandbox, probe

pytestmark = pytest.mark.skipif(
    probe().level == "language", reason="packages need the operating-system layer"
)


@pytest.fixture(scope="module")
def engine() -> Iterator[ProcessSandbox]:
    limits = Limits(wall_seconds=60, cpu_seconds=60)
    with ProcessSandbox(limits, packages=("sympy", "numpy")) as made:
        yield made


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("import sympy as sp\nx = sp.symbols('x')\nsp.solve(x**2 - 5*x + 6, x)", "[2, 3]"),
        ("from sympy import *\nx, y = symbols('x y')\nsolve([Eq(x + y, 5), Eq(x - y, 1)], [x, y])", "{x: 3, y: 2}"),
        ("from sympy import *\nx = Symbol('x')\nintegrate(x * exp(x), x)", "(x - 1)*exp(x)"),
        ("from sympy import *\nx = Symbol('x')\ndiff(sin(x) * x, x), limit(sin(x) / x, x, 0)", "(x*cos(x) + sin(x), 1)"),
        ("from sympy import *\nx = Symbol('x')\nfactor(x**3 - 1)", "(x - 1)*(x**2 + x + 1)"),
        ("from sympy import *\nx = Symbol('x')\nseries(cos(x), x, 0, 5)", "1 - x**2/2 + x**4/24 + O(x**5)"),
        ("from sympy import *\nRational(1, 3) + Rational('1/6')", "1/2"),
        ("from sympy import *\nN(pi, 20), pi.evalf(5)", "(3.1415926535897932385, 3.1416)"),
        ("from sympy import *\nMatrix([[1, 2], [3, 4]]).det(), Matrix([[2, 0], [0, 3]]).eigenvals()", "(-2, {2: 1, 3: 1})"),
        ("from sympy import *\nn = Symbol('n')\nsummation(1 / n**2, (n, 1, oo))", "pi**2/6"),
        ("from sympy import *\nfactorint(360), isprime(97), primefactors(84)", "({2: 3, 3: 2, 5: 1}, True, [2, 3, 7])"),
        ("from sympy import *\nx = Symbol('x')\nsolveset(x**2 - 4, x), simplify((x**2 - 1) / (x - 1))", "({-2, 2}, x + 1)"),
        ("from sympy import *\nf = Function('f')\nx = Symbol('x')\ndsolve(f(x).diff(x) - f(x))", "Eq(f(x), C1*exp(x))"),
        ("from sympy import *\nx = Symbol('x', positive=True)\nsqrt(x**2), expand((x + 1)**2)", "(x, x**2 + 2*x + 1)"),
        ("from sympy.abc import z\n(z + 1)**2", "(z + 1)**2"),
        ("from sympy import *\nlatex(sqrt(Symbol('x')) / 2)", "'\\\\frac{\\\\sqrt{x}}{2}'"),
        ("import numpy as np\nnp.arange(6).reshape(2, 3).sum(axis=0).tolist()", "[3, 5, 7]"),
        ("import numpy as np\nnp.linalg.solve(np.array([[2., 1.], [1., 3.]]), np.array([3., 5.])).round(3).tolist()", "[0.8, 1.4]"),
        ("import numpy as np\nnp.random.seed(0)\nnp.random.rand(2).round(4).tolist()", "[0.5488, 0.7152]"),
        ("import numpy as np\na = np.zeros((2, 2))\na[0, :] = 5\na[a > 1] += 1\nfloat(a.mean()), a.T.shape", "(3.0, (2, 2))"),
        ("from numpy import linspace\nimport numpy.linalg as la\nfloat(la.norm(linspace(0, 1, 2)))", "1.0"),
        ("import numpy as np\nint(np.fft.fft(np.ones(4)).real.sum())", "4"),
        ("import numpy as np\nnp.polyfit([0, 1, 2], [1, 3, 5], 1).round(6).tolist()", "[2.0, 1.0]"),
    ],
)  # fmt: skip
def test_a_program_with_a_package_runs(engine: ProcessSandbox, code: str, shown: str) -> None:
    execution = engine.run(code)
    assert execution.ok, execution.error
    assert execution.value_repr == shown


@pytest.mark.parametrize(
    "code",
    [
        "from sympy import sympify",
        "from sympy import lambdify",
        "from sympy.parsing.sympy_parser import parse_expr",
        "from sympy import sqrt\nsqrt('__import__(\"os\").getpid()')",
        "from sympy import solve\nsolve('x - 1')",
        "from sympy import Symbol, plot",
        "import numpy as np\nnp.load('/etc/passwd')",
        "import numpy as np\nnp.fromfile('/etc/passwd', dtype='uint8')",
        "import numpy as np\nnp.ones(2).tofile('/tmp/never_made_by_numpy')",
        "import numpy as np\nnp.ones(2).dump('/tmp/never_made_by_numpy')",
        "import numpy as np\nnp.ctypeslib",
        "import numpy as np\nnp.f2py.compile('x')",
        "import numpy.lib.format",
    ],
)
def test_files_and_text_are_out_of_reach(engine: ProcessSandbox, code: str) -> None:
    assert engine.run(code).end in ("error", "refused")


def test_memory_is_limited_for_arrays_too() -> None:
    with ProcessSandbox(Limits(memory_mb=100), packages=("numpy",)) as engine:
        assert engine.run("import numpy as np\nnp.zeros(10**8)").end == "memory"
        assert engine.run("import numpy as np\nint(np.ones(10**6).sum())").value == 1_000_000


def test_a_package_that_was_not_asked_for_is_not_there() -> None:
    with ProcessSandbox() as engine:
        execution = engine.run("import sympy")
    assert "no module 'sympy' in the sandbox" in str(execution.error)


def test_a_wrong_package_says_which_there_are() -> None:
    with pytest.raises(ValueError, match="there are numpy, sympy"):
        ProcessSandbox(packages=("os",))
    with pytest.raises(ValueError, match="packages need the layer 'os'"):
        ProcessSandbox(packages=("numpy",), level="language", layers=("language",))
