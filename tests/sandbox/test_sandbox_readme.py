"""The page about the sandbox: its example runs, and its table agrees with the levels."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from loopwright.sandbox import probe
from loopwright.sandbox.levels import LAYERS, reached

PAGE = Path(__file__).parents[2] / "sandbox" / "README.md"


@pytest.mark.skipif(probe().level == "language", reason="the example runs at the level that is the default")
def test_the_example_of_the_page_runs() -> None:
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(source, "README.md", "exec"), {})  # noqa: S102 - our own example
    assert printed.getvalue().split() == ["ok", "total", "7", "14"]


def column(title: str) -> dict[str, str]:
    """What the page's table says in one column, by the first cell of each row."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
    ]
    at = rows[0].index(title)
    return {row[0]: row[at] for row in rows[1:]}


@pytest.mark.parametrize(
    ("title", "lacking"),
    [
        ("Linux, as root or as a user", ()),
        ("Linux without landlock", ("landlock",)),
        ("Linux without seccomp", ("seccomp",)),
        ("macOS", ("memory", "no_new_privileges", "undumpable", "dies_with_host", "landlock", "seccomp")),
    ],
)
def test_the_table_names_the_level_that_the_layers_make(title: str, lacking: tuple[str, ...]) -> None:
    layers = dict.fromkeys(LAYERS, "") | dict.fromkeys(lacking, "not there")
    level = reached(layers)
    assert column(title)["level"] == f"`{level}`"
    for promise in ("reads or writes files, opens sockets", "starts processes, signals others"):
        assert column(title)[promise] == ("not past the policy" if level == "language" else "no")


def test_the_start_page_links_to_the_page() -> None:
    start = Path(__file__).parents[2] / "README.md"
    assert "(sandbox/README.md" in start.read_text(encoding="utf-8")


def python_for(user: int) -> str | None:
    """An interpreter of this version that another user may run."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        with contextlib.suppress(OSError):
            subprocess.run([candidate, "-c", ""], user=user, group=user, extra_groups=[], check=True, cwd="/")
            return candidate
    return None


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="needs root, to be someone else")
def test_an_ordinary_user_has_the_same_layers_as_root() -> None:
    nobody = 65534
    python = python_for(nobody)
    if python is None:
        pytest.skip("there is no interpreter that another user may run")
    found = importlib.util.find_spec("RestrictedPython")
    assert found is not None
    assert found.origin is not None
    folders = [str(PAGE.parents[1] / "src"), str(Path(found.origin).parents[1])]
    told = subprocess.run(
        [python, "-B", "-c", "from loopwright.sandbox import probe; print(probe())"],
        env={"PYTHONPATH": os.pathsep.join(folders)},
        user=nobody, group=nobody, extra_groups=[], cwd="/", capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert told.split("\n\n")[1] == str(probe()).split("\n\n")[1]


def test_the_package_is_imported_where_the_system_has_nothing_of_all_this() -> None:
    """As on Windows: importing works, and using it says why not."""
    program = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('resource', 'fcntl', 'pwd', 'grp', 'posix')))\n"
        "from loopwright.sandbox import ProcessSandbox, SandboxError\n"
        "sys.platform = 'win32'\n"
        "try:\n    ProcessSandbox().start()\n"
        "except SandboxError as error:\n    print(error)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "use WSL" in told
