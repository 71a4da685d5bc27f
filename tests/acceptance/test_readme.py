"""Every snippet of the README, and of the pages it links to, runs as it stands, in a folder of its own, with no key."""

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
PAGES = ["README.md", "agents/evaluation/README.md", "agents/optimizers/README.md"]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# (\S+\.(?:ya?ml|py))\n")


@dataclass(frozen=True)
class Snippet:
    page: str
    language: str
    text: str
    line: int

    @property
    def file_name(self) -> str:
        found = FILE_NAME.match(self.text)
        return found[1] if found else ""


def snippets(page: str) -> list[Snippet]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [Snippet(page, m[1], m[2], text.count("\n", 0, m.start()) + 1) for m in FENCE.finditer(text)]


def commands(page: str) -> list[str]:
    lines = [line for s in snippets(page) if s.language == "console" for line in s.text.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


PYTHON = [s for page in PAGES for s in snippets(page) if s.language == "python"]


def folder_of(page: str, folder: Path) -> Path:
    """Where the snippets of a page run: with the files that it shows, and the examples."""
    for snippet in snippets(page):
        if snippet.file_name:
            (folder / snippet.file_name).write_text(snippet.text, encoding="utf-8")
    (folder / "examples").symlink_to(ROOT / "examples", target_is_directory=True)
    return folder


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        k: v for k, v in os.environ.items() if not k.endswith("_API_KEY") and k != "LOOPWRIGHT_MODEL"
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    environment["LOOPWRIGHT_CACHE_DIR"] = str(folder / "cache")
    return subprocess.run(  # the README's own commands
        arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=400, check=False
    )


def test_the_readme_has_snippets_of_every_kind() -> None:
    assert {"python", "console", "yaml"} <= {s.language for s in snippets("README.md")}


@pytest.mark.parametrize("snippet", PYTHON, ids=[f"{s.page}-{s.line}" for s in PYTHON])
def test_python_snippet_runs(snippet: Snippet, tmp_path: Path) -> None:
    folder = folder_of(snippet.page, tmp_path)
    done = run([sys.executable, "-W", "error::SyntaxWarning", "-c", snippet.text], folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)])
def test_the_commands_run_one_after_the_other(page: str, tmp_path: Path) -> None:
    folder = folder_of(page, tmp_path)
    for command in commands(page):
        done = run(shlex.split(command), folder)
        assert done.returncode == 0, command + done.stdout + done.stderr
        assert done.stdout.strip(), command
