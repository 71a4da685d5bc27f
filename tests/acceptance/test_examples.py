"""Every example runs as its docstring says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SAID = {
    "compute_in_a_sandbox.py": ["ok: 5", "ok: 2.236", "PermissionError", "timeout: "],
    "evaluate_in_python.py": ["What is 15% of 240?", "% right"],
    "search_notes.py": ["The new colleague, Ines, starts on 1 March and needs a laptop."],
}


def test_every_example_is_listed() -> None:
    assert sorted(p.name for p in EXAMPLES.glob("*.py") if p.name != "__init__.py") == sorted(SAID)


@pytest.mark.parametrize("name", SAID)
def test_example_runs(name: str, tmp_path: Path) -> None:
    environment = {**os.environ, "LOOPWRIGHT_CACHE": "off"}
    done = subprocess.run(  # an example of ours
        [sys.executable, str(EXAMPLES / name)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for said in SAID[name]:
        assert said in done.stdout
