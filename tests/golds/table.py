"""Prints how many mutants of each kind there are for each file, how many a task covers, and how many of these it catches.

Run it in tests/: `python -m golds.table`.
"""

from __future__ import annotations

import sys
from collections import Counter

from .mutants import KINDS, mutators_of
from .sets import FILES


def say(line: str) -> None:
    """Print a row as soon as it is known."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Run every covered mutant, and print a row for each file and kind."""
    say("file | mutant | made | covered | caught | rightly blamed")
    for file in FILES:
        if file.path.stem == "programs":
            continue
        counts: Counter[tuple[str, str]] = Counter()
        for mutator in mutators_of(file):
            for mutant in mutator.all():
                counts[mutant.kind, "made"] += 1
                if mutant.covered:
                    verdict = mutator.verdict(mutant)
                    counts[mutant.kind, "covered"] += 1
                    counts[mutant.kind, "caught"] += verdict.caught
                    counts[mutant.kind, "blamed"] += verdict.caught and verdict.blames_rightly
        for kind in KINDS:
            made, covered, caught, blamed = (
                counts[kind, what] for what in ("made", "covered", "caught", "blamed")
            )
            say(f"{file.name} | {kind} | {made} | {covered} | {caught} | {blamed}")


if __name__ == "__main__":
    main()
