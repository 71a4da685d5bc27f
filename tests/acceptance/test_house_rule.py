"""The example task file that an optimizer has something to learn from is the one that its script writes."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from pathlib import Path

from loopwright import TaskFile

FOLDER = Path(__file__).parents[2] / "examples" / "house_rule"


def test_the_files_are_those_that_the_script_writes(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "make_tasks.py", tmp_path)
    subprocess.run([sys.executable, "make_tasks.py"], cwd=tmp_path, check=True, timeout=300)
    for name in ("prices.csv", "tasks.yaml"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()


def test_no_item_is_in_two_splits_and_the_answers_are_the_gross_prices() -> None:
    tasks = TaskFile.load(FOLDER / "tasks.yaml").tasks
    with (FOLDER / "prices.csv").open(encoding="utf-8", newline="") as file:
        gross = {row["item"]: float(row["gross_price"]) for row in csv.DictReader(file)}
    asked = {task.expect.calls.required[0].args["item"].equals: task for task in tasks}
    assert len(asked) == len(tasks) == len(gross) == 112
    for item, task in asked.items():
        number = task.expect.answer["answer"].number
        assert number is not None
        assert number.value == gross[str(item)]
