"""Every snippet of the README runs as it stands, in a folder of its own, with no key."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# (\S+\.(?:ya?ml|py))\n")


@dataclass(frozen=True)
class Snippet:
    language: str
    text: str
    line: int

    @property
    def file_name(self) -> str:
        found = FILE_NAME.match(self.text)
        return found[1] if found else ""


def snippets() -> list[Snippet]:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return [Snippet(m[1], m[2], readme.count("\n", 0, m.start()) + 1) for m in FENCE.finditer(readme)]


def commands() -> list[tuple[int, str]]:
    lines = [(s.line, line) for s in snippets() if s.language == "console" for line in s.text.splitlines()]
    return [(number, line.removeprefix("$ ")) for number, line in lines if line.startswith("$ ")]


PYTHON = [s for s in snippets() if s.language == "python"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for snippet in snippets():
        if snippet.file_name:
            (tmp_path / snippet.file_name).write_text(snippet.text, encoding="utf-8")
    (tmp_path / "examples").symlink_to(ROOT / "examples", target_is_directory=True)
    return tmp_path


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        k: v for k, v in os.environ.items() if not k.endswith("_API_KEY") and k != "LOOPWRIGHT_MODEL"
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    environment["LOOPWRIGHT_CACHE_DIR"] = str(folder / "cache")
    return subprocess.run(  # the README's own commands
        arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_readme_has_snippets_of_every_kind() -> None:
    assert {"python", "console", "yaml"} <= {s.language for s in snippets()}


@pytest.mark.parametrize("snippet", PYTHON, ids=[f"line-{s.line}" for s in PYTHON])
def test_python_snippet_runs(snippet: Snippet, folder: Path) -> None:
    done = run([sys.executable, "-W", "error::SyntaxWarning", "-c", snippet.text], folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "command", [c for _, c in commands()], ids=[f"line-{n}-{i}" for i, (n, _) in enumerate(commands())]
)
def test_command_runs(command: str, folder: Path) -> None:
    done = run(shlex.split(command), folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


def test_ten_lines_are_ten() -> None:
    assert sum(1 for line in PYTHON[0].text.splitlines() if line.strip()) <= 10


def test_the_output_shown_is_the_output(folder: Path) -> None:
    shown = next(s.text for s in snippets() if s.language == "text")
    done = run([sys.executable, "-c", PYTHON[0].text], folder)
    assert done.stdout == shown
