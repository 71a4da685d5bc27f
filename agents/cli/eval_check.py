"""`loopwright eval --check`: what is wrong with task files, and what is proved of their tasks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..text import counted, plain

if TYPE_CHECKING:
    from ..evaluation.tasks import TaskFile


def check(paths: Sequence[Path], files: Sequence[TaskFile]) -> int:
    """Prove the tasks of files that were read; 2 where one of them is no test of anything."""
    from ..evaluation.proofs.proving import prove_file, summary

    wrong = 0
    for path, file in zip(paths, files, strict=True):
        proofs = prove_file(path, file)
        problems = [problem for proof in proofs for problem in proof.wrong]
        for problem in problems:
            click.echo(plain(problem), err=True)
        wrong += len(problems)
        if not problems:
            click.echo(f"{path}: {counted(len(file.tasks), 'task')}, nothing wrong")
            for line in summary(proofs):
                click.echo(plain(line))
    if wrong:
        click.echo(counted(wrong, "problem"), err=True)
    return 2 if wrong else 0
