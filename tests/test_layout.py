"""What the packaging promises: one import name, the public names, and the files of a wheel."""

from __future__ import annotations

import ast
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import loopwright

ROOT = Path(__file__).parent.parent
ROOMS = {"agents": "loopwright", "tools": "loopwright/tools", "sandbox": "loopwright/sandbox"}
PUBLIC_NAMES = (ROOT / "tests" / "public_names.txt").read_text(encoding="utf-8").split()


def files_of(room: str) -> list[Path]:
    """A room's own files; in a checkout the links to the other rooms stand beside them."""
    return sorted(
        file
        for file in (ROOT / room).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and not is_linked(file)
    )


def is_linked(file: Path) -> bool:
    return any((ROOT / link) in file.parents for link in ("agents/tools", "agents/sandbox"))


SOURCES = [
    file
    for folder in (*ROOMS, "tests", "examples")
    for file in files_of(folder)
    if file.suffix == ".py"
]  # fmt: skip


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_imports_a_room_by_its_folder(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        assert not [name for name in names if name.split(".")[0] in ROOMS], (
            f"line {getattr(node, 'lineno', 0)}"
        )


def test_the_public_names_are_those_on_the_list() -> None:
    assert sorted(loopwright.__all__) == PUBLIC_NAMES


@pytest.mark.parametrize("name", PUBLIC_NAMES)
def test_every_public_name_can_be_used(name: str) -> None:
    assert getattr(loopwright, name) is not None
    assert name in dir(loopwright)


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse((ROOT / "agents" / "__init__.py").read_text(encoding="utf-8"))
    checked = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {a.asname for node in checked.body if isinstance(node, ast.ImportFrom) for a in node.names}
    assert {*seen, "__version__"} == set(PUBLIC_NAMES)


@pytest.mark.parametrize("name", ["GRPO", "BootstrapFinetune", "OpenAI"])
def test_a_name_that_is_not_there_says_what_is(name: str) -> None:
    with pytest.raises(AttributeError, match=rf"has no '{name}'; .*there are: .*ChainOfThought.*ReAct"):
        getattr(loopwright, name)


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(AttributeError, match="did you mean 'Predict'"):
        _ = loopwright.Predikt  # type: ignore[attr-defined]  # the point of the test
    with pytest.raises(AttributeError, match="module 'loopwright' has no attribute '__nothing__'"):
        _ = loopwright.__nothing__  # type: ignore[attr-defined]  # likewise


def built(kind: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (made,) = folder.iterdir()
    return made


def test_the_wheel_holds_the_rooms_under_one_name_and_nothing_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(built("wheel", tmp_path)) as wheel:
        held = set(wheel.namelist())
    described = {name for name in held if name.split("/")[0].endswith(".dist-info")}
    wanted = {
        f"{name}/{file.relative_to(ROOT / room).as_posix()}"
        for room, name in ROOMS.items()
        for file in files_of(room)
    }
    assert held - described == wanted
    assert {name.split("/", 1)[1] for name in described} == {
        "METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE",
    }  # fmt: skip
    assert {"loopwright/py.typed", "loopwright/prompts/text.md"} <= held


def test_the_source_distribution_holds_what_a_wheel_is_built_from(tmp_path: Path) -> None:
    with tarfile.open(built("sdist", tmp_path)) as archive:
        held = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    wanted = {file.relative_to(ROOT).as_posix() for room in ROOMS for file in files_of(room)}
    assert wanted | {"pyproject.toml", "hatch_build.py", "README.md", "LICENSE"} <= held
    assert not [
        name for name in held if name.startswith(("src/", "agents/tools/", "agents/sandbox/", ".venv/"))
    ]
