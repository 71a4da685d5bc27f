"""What an import costs: CPU milliseconds and peak memory of a process that does nothing else.

    python tests/benchmarks/bench_import.py [--peer PYTHON] [--rounds N]

`--peer` names the Python of an environment in which dspy is installed; without it, dspy is measured where it
can be imported beside us. Rounds are interleaved; medians and the ratio to dspy count. The first round is not counted:
it writes the bytecode that installed packages have.
"""

# ruff: noqa: T201  # the table is what the script is for

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

STATEMENTS = {
    "python": "pass",
    "import loopwright": "import loopwright",
    "loopwright: first agent": "from loopwright import ReAct; ReAct('question -> answer')",
    "loopwright: first model": "from loopwright import LM; LM('openai/gpt-5-mini')",
}


def measured(python: str, statement: str) -> tuple[float, float]:
    """CPU milliseconds and peak resident MiB of one process."""
    process = subprocess.Popen([python, "-c", statement])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{python} -c {statement!r} failed")
    return 1000 * (usage.ru_utime + usage.ru_stime), usage.ru_maxrss / 1024


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--peer", default=sys.executable, help="a Python that has dspy")
    options.add_argument("--rounds", type=int, default=11)
    given = options.parse_args()
    runs = {name: (sys.executable, statement) for name, statement in STATEMENTS.items()}
    found = subprocess.run([given.peer, "-c", "import dspy"], capture_output=True, check=False)
    if found.returncode == 0:
        runs["import dspy"] = (given.peer, "import dspy")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each process compiles what was edited
        samples = {name: [measured(*run)] for name, run in runs.items()}
        for _ in range(given.rounds):
            for name, run in runs.items():
                samples[name].append(measured(*run))
    print(f"{'':28}{'CPU ms':>9}{'RSS MiB':>9}")
    medians = {
        name: [statistics.median(column) for column in zip(*rows[1:], strict=True)]
        for name, rows in samples.items()
    }
    for name, (cpu, rss) in medians.items():
        print(f"{name:28}{cpu:9.1f}{rss:9.1f}")
    if "import dspy" in medians:
        print(
            f"import loopwright / import dspy: {medians['import loopwright'][0] / medians['import dspy'][0]:.3f}"
        )
    else:
        print("dspy is not installed here: name a Python that has it with --peer")


if __name__ == "__main__":
    main()
