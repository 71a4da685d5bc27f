"""What runs in the child process: questions come in as lines of JSON, answers go out as such.

{"job": "calculate", "args": ["sqrt(2)"], "seconds": 5}
{"text": "sqrt(2) ≈ 1.414213562"}, or {"failed": words for the model}, or {"stopped": why there is no answer};
"end" in an answer asks the host to end this process.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TextIO

import sympy

from ..errors import ToolFailed
from .exact import shown, shown_expression
from .expression import compute
from .search import search
from .solving import solve_exactly
from .symbolic import SymbolicAlgebra
from .unknowns import Undecided

_MEMORY = 512 * 2**20  # bytes of address space beyond what the imports took
_MAX_EXPANDED = 30  # operations of an expression that is multiplied out before it is shown


def serve() -> None:
    """Answer questions from standard input until it is closed."""
    questions, answers = sys.stdin, os.fdopen(os.dup(1), "w", encoding="utf-8")
    sys.stdout = sys.stderr  # what anything prints is no answer
    _bound_memory()
    _send(answers, {"ready": "yes"})
    for line in questions:
        question = json.loads(line)
        _bound_cpu(float(question["seconds"]))
        answer = answered(_JOBS[question["job"]], question["args"])
        _bound_cpu(0)
        _send(answers, answer)


def answered(job: Callable[..., str], args: list[str]) -> Mapping[str, str]:
    """A job's answer, whatever becomes of it."""
    try:
        return {"text": job(*args)}
    except ToolFailed as error:
        return {"failed": str(error)}
    except MemoryError:
        return {"stopped": "it wanted too much memory", "end": "yes"}
    except Undecided as error:
        return {"stopped": str(error)}
    except Exception as error:  # noqa: BLE001 - sympy fails in many ways; the answer is the same
        return {"stopped": f"it gave up with {type(error).__name__}"}


def calculated(expression: str) -> str:
    """The part of `calculate` that wants sympy."""
    value = compute(expression, SymbolicAlgebra())
    exact = sympy.expand_mul(value.exact) if value.exact.count_ops() <= _MAX_EXPANDED else value.exact
    if exact.is_Rational:
        return shown(Fraction(int(exact.p), int(exact.q)))
    return shown_expression(exact, Decimal(str(value.approx)))


_JOBS: dict[str, Callable[..., str]] = {
    "calculate": calculated,
    "solve": solve_exactly,
    "search": search,
}


def _send(stream: TextIO, message: Mapping[str, str]) -> None:
    stream.write(json.dumps(message) + "\n")
    stream.flush()


def _bound_memory() -> None:
    """No more than `_MEMORY` from here on, where the system has such a bound (Windows and macOS do not)."""
    if sys.platform == "linux":
        import resource
        from pathlib import Path

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + _MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _bound_cpu(seconds: float) -> None:
    """Let the system end this process once it has worked for so long, however busy the machine is; 0 for no bound.

    Where there is no such bound (Windows), the host's clock decides.
    """
    if sys.platform != "win32":
        import signal

        signal.signal(
            signal.SIGPROF, signal.SIG_DFL
        )  # it ends the process, even inside of a single long operation
        signal.setitimer(signal.ITIMER_PROF, seconds)
