"""numpy and sympy for programs, where a sandbox asks for them: imported once, offered as positive lists.

Both are too large for the language layer to vouch for: what they return can reach files and evaluate text.
So a sandbox with a package needs the operating-system layer, which holds whatever they can be made to do.
What sympy would do with text is switched off all the same: reading expressions from it (`sympify("...")`)
and compiling functions (`lambdify`) end in `eval`.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from .names import words

PACKAGES: Mapping[str, Mapping[str, str]] = {
    "numpy": {
        "numpy": """abs absolute add all allclose amax amin angle any append apply_along_axis arange arccos
            arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin argpartition argsort argwhere around
            array array_equal array_split asarray atleast_1d atleast_2d average bincount bitwise_and
            bitwise_or bitwise_xor block bool_ broadcast_to ceil choose clip column_stack complex128 complex64
            concatenate conj convolve copy copysign corrcoef correlate cos cosh count_nonzero cov cross cumprod
            cumsum deg2rad degrees delete diag diagonal diff digitize divide divmod dot dsplit dstack dtype e
            ediff1d einsum empty empty_like equal exp exp2 expand_dims expm1 extract eye fabs fill_diagonal
            finfo fix flatnonzero flip fliplr flipud float16 float32 float64 floor floor_divide fmax fmin fmod
            full full_like gcd geomspace gradient greater greater_equal heaviside histogram hsplit hstack hypot
            identity iinfo imag in1d indices inf inner insert int16 int32 int64 int8 interp intersect1d
            invert isclose isfinite isin isinf isnan isreal kron lcm less less_equal lexsort linspace log
            log10 log1p log2 logaddexp logical_and logical_not logical_or logical_xor logspace matmul max
            maximum mean median meshgrid min minimum mod modf moveaxis multiply nan nan_to_num nanargmax
            nanargmin nanmax nanmean nanmedian nanmin nanprod nanstd nansum nanvar ndarray ndenumerate ndim
            ndindex negative newaxis nonzero not_equal ones ones_like outer pad partition percentile pi
            piecewise place polyadd polyder polydiv polyfit polyint polymul polysub polyval poly1d power prod
            ptp put putmask quantile rad2deg radians ravel real reciprocal remainder repeat reshape resize
            rint roll rollaxis roots rot90 round row_stack searchsorted select set_printoptions setdiff1d
            setxor1d shape sign signbit sin sinc sinh size sort split sqrt square squeeze stack std subtract
            sum swapaxes take take_along_axis tan tanh tensordot tile trace transpose trapezoid tri tril
            tril_indices triu triu_indices true_divide trunc uint16 uint32 uint64 uint8 union1d unique
            unravel_index vander var vdot vectorize vsplit vstack where zeros zeros_like __version__""",
        "numpy.fft": "fft fft2 fftfreq fftshift ifft ifft2 ifftshift irfft rfft rfftfreq",
        "numpy.linalg": """LinAlgError cholesky cond det eig eigh eigvals eigvalsh inv lstsq matrix_norm
            matrix_power matrix_rank multi_dot norm pinv qr slogdet solve svd""",
        "numpy.random": """Generator beta binomial choice default_rng exponential gamma geometric integers
            lognormal multinomial multivariate_normal normal permutation poisson rand randint randn random
            random_sample seed shuffle standard_normal triangular uniform""",
    },
    "sympy": {
        "sympy": """Abs Add And Catalan Complement Derivative Dummy E Eq EmptySet Equality FiniteSet Float Function
            Ge Gt Heaviside I ImageSet Integer Integral Interval Intersection KroneckerDelta LC Lambda Le Limit
            Lt Matrix Max Min Mod Mul N Naturals Ne Not Number O Or Piecewise Poly Pow Product ProductSet Rational
            Rel S Sum Symbol Tuple Union Unequality Wild Xor acos acosh apart arg asin asinh atan atan2 atanh
            bell bernoulli binomial cancel cbrt ceiling checksol collect comp conjugate cos cosh cot count_ops
            csc degree denom det diag diff discriminant div divisor_count divisor_sigma divisors dsolve erf
            euler evaluate exp expand expand_log expand_trig eye factor factor_list factor_terms factorial factorint
            fibonacci floor fraction gamma gcd groebner harmonic hessian igcd ilcm im init_printing integrate
            is_increasing isprime lambertw latex lcm limit linsolve ln log logcombine lucas mobius nextprime
            nonlinsolve nroots nsimplify nthroot_mod numer oo ones pi poly pprint prem pretty prevprime
            prime primefactors primepi primerange prod product quo radsimp rational_interpolate ratsimp re
            real_roots reduce_inequalities refine rem residue resultant root roots rsolve sec separatevars
            series sign simplify sin sinh solve solve_linear_system solve_univariate_inequality solveset
            sqf sqrt sqrtdenest srepr stirling subfactorial sum summation symbols tan tanh together totient
            trace trigsimp true false var wronskian zeros zeta zoo nan Ellipse Circle Line Point Polygon
            Segment Triangle SparseMatrix ImmutableMatrix Identity sstr print_latex __version__""",
        "sympy.abc": """a b c d e f g h i j k l m n o p q r s t u v w x y z alpha beta gamma delta epsilon theta
            lamda mu phi pi psi rho sigma tau omega""",
    },
}  # fmt: skip
_SYMPY_PARTS = """assumptions calculus concrete core discrete functions geometry integrals logic matrices ntheory
    polys sets series simplify solvers"""
_SYMPY_LEFT_OUT = re.compile(r"\.(tests|benchmarks|conftest)\b|codegen|\.numpy|\.fglmtools_demo")
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def prepare(package: str) -> dict[str, dict[str, Any]]:
    """Import a package while files can be read; its modules with what they offer. Raises ImportError."""
    os.environ.update(dict.fromkeys(_THREADS, "1"))  # a worker may make no thread
    found: dict[str, dict[str, Any]] = {}
    for name, listed in PACKAGES[package].items():
        module = importlib.import_module(name)
        found[name] = {member: getattr(module, member) for member in words(listed) if hasattr(module, member)}
    if package == "sympy":
        _import_the_rest_of_sympy()
        _tame_sympy()
    return found


def _tame_sympy() -> None:
    parser = importlib.import_module("sympy.parsing.sympy_parser")
    parser.parse_expr = parser.eval_expr = _no_text  # type: ignore[attr-defined]  # what sympify calls for text
    compiler = importlib.import_module("sympy.utilities.lambdify")
    compiler.lambdify = _no_text  # type: ignore[attr-defined]  # what compiles text


def _no_text(*args: Any, **options: Any) -> NoReturn:
    raise ValueError("sympy does not read or compile text in the sandbox: build the expression from symbols")


def _import_the_rest_of_sympy() -> None:
    """The modules that sympy itself imports only when it first needs them."""
    for part in words(_SYMPY_PARTS):
        folder = importlib.import_module(f"sympy.{part}").__path__
        for module in pkgutil.walk_packages(folder, f"sympy.{part}."):
            if not _SYMPY_LEFT_OUT.search(module.name):
                importlib.import_module(module.name)
    import sympy

    x = sympy.Symbol("x")
    sympy.pretty(sympy.Integral(x / 2, x))  # printers and number formats are made at their first use
    sympy.latex(sympy.sqrt(x) / 2)
    sympy.pi.evalf(50)
    sympy.integrate(sympy.exp(-(x**2)) * x, (x, 0, sympy.oo))
