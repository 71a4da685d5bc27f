"""`run_python`: a Python program in the sandbox."""

from __future__ import annotations

from loopwright.sandbox import Limits, ProcessSandbox

from ..errors import ToolFailed
from ..tool import Tool


def run_python_tool(limits: Limits | None = None) -> Tool:
    """A tool that runs each program in a sandbox of its own, within these limits.

    >>> from loopwright.tools import ToolCall
    >>> run_python_tool().run(ToolCall("run_python", {"code": "sum(range(10))"})).content
    '45'
    """

    def run_python(code: str) -> str:
        """Run a Python program; the result is what it printed and the value of its last line.

        It has the standard library's modules for computing, no files, no network, and little time and
        memory. Nothing is kept for the next program.

        Args:
            code: The program.
        """
        with ProcessSandbox(limits) as sandbox:
            execution = sandbox.run(code)
        if execution.ok:
            return str(execution) or "(it printed nothing, and its last line has no value)"
        raise ToolFailed(f"the program ended with {execution.end}.\n{execution}")

    return Tool(run_python, effect="pure")
