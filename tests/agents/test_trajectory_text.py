"""A trajectory as text for people."""

from __future__ import annotations

from loopwright import Trajectory
from loopwright.tools import ToolCall, ToolResult
from loopwright.trajectory import Step

CALL = ToolCall("look", {"at": "\x9b2J"})
STEP = Step("think \x1b[31m", (CALL,), (ToolResult(CALL, "red \x1b[2J\u202e\ntwo"),))


def test_what_models_and_tools_wrote_steers_no_terminal() -> None:
    assert str(STEP) == 'think ␛[31m\nlook(at="<009B>2J") -> red ␛[2J<202E>\ntwo'


def test_every_line_of_a_trajectory_has_the_number_of_its_step() -> None:
    quiet = Step("", (CALL,), (ToolResult(CALL, "ok"),))
    assert str(Trajectory((STEP, quiet))).splitlines() == [
        "1. think ␛[31m",
        '1. look(at="<009B>2J") -> red ␛[2J<202E>',
        "two",
        '2. look(at="<009B>2J") -> ok',
    ]
