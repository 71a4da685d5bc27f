"""Running Python that a model wrote: in a process of its own, under limits, with a policy on the language.

    >>> from loopwright.sandbox import Limits, ProcessSandbox
    >>> with ProcessSandbox(Limits(wall_seconds=5)) as sandbox:
    ...     sandbox.run("sum(n * n for n in numbers)", {"numbers": [3, 4]}).value
    25

`Sandbox` is the protocol that any engine fits; `ProcessSandbox` is the one that needs nothing but pip.
"""

from __future__ import annotations

from .base import JSON, End, Execution, Failure, Layer, Level, Limits, Sandbox, SandboxError
from .doctor import Report, probe
from .process import ProcessSandbox

__all__ = [
    "JSON",
    "End",
    "Execution",
    "Failure",
    "Layer",
    "Level",
    "Limits",
    "ProcessSandbox",
    "Report",
    "Sandbox",
    "SandboxError",
    "probe",
]
