"""Running Python that a model wrote: in a process of its own, under limits, with a policy on the language.

    >>> from loopwright.sandbox import Limits, ProcessSandbox
    >>> with ProcessSandbox(Limits(wall_seconds=5)) as sandbox:
    ...     sandbox.run("sum(n * n for n in numbers)", {"numbers": [3, 4]}).value
    25

`Sandbox` is the protocol that any engine fits; `ProcessSandbox` is the one that needs nothing but pip.
"""

from __future__ import annotations

from .base import JSON, End, Execution, Failure, Layer, Level, Limits, Sandbox, SandboxError, StopProgram
from .doctor import Report, probe
from .interpreter import CodeInterpreterError, FinalOutput, PythonInterpreter
from .process import ProcessSandbox

__all__ = [
    "JSON",
    "CodeInterpreterError",
    "End",
    "Execution",
    "Failure",
    "FinalOutput",
    "Layer",
    "Level",
    "Limits",
    "ProcessSandbox",
    "PythonInterpreter",
    "Report",
    "Sandbox",
    "SandboxError",
    "StopProgram",
    "probe",
]
