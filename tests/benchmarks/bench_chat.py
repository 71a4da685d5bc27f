"""How soon one can type: seconds from the start of `loopwright chat` to its first prompt, and those of `loopwright --help`.

    python tests/benchmarks/bench_chat.py [--rounds N]

Each start is a process of its own on a pseudo-terminal, with the embedded model and a folder of sessions that is
empty at first. Rounds are interleaved with a bare `python -c pass`; medians count. The bars are 0.4 s to the first
prompt, and 0.15 s for --help beyond the bare interpreter. Bytecode is written by a first round that does not count,
as an installation does.
"""

# ruff: noqa: T201  # the table is what the script is for

from __future__ import annotations

import argparse
import os
import pty
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time

READY = b"\x1b[?2004h"  # prompt_toolkit asks for bracketed paste when it takes over the line
WHERE = b"\x1b[6n"  # and for the cursor's place, which a terminal answers
PATIENCE = 30.0
PROMPT_BAR, HELP_BAR = 0.4, 0.15


def first_prompt(env: dict[str, str]) -> tuple[float, float]:
    """Wall seconds until a line can be typed, and CPU seconds until then."""
    started = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        os.execve(sys.executable, [sys.executable, "-m", "loopwright", "chat"], env)  # noqa: S606  # no shell is wanted
    shown = b""
    try:
        while READY not in shown:
            if not select.select([terminal], [], [], PATIENCE)[0]:
                raise SystemExit(f"no prompt came: {shown!r}")
            piece = os.read(terminal, 65_536)
            shown += piece
            if WHERE in piece:
                os.write(terminal, b"\x1b[1;1R")
        wall = time.perf_counter() - started
    finally:
        os.kill(child, signal.SIGKILL)
        _, _, usage = os.wait4(child, 0)
        os.close(terminal)
    return wall, usage.ru_utime + usage.ru_stime


def run(env: dict[str, str], *arguments: str) -> tuple[float, float]:
    """Wall and CPU seconds of a process that ends by itself."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], env=env, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"python {' '.join(arguments)} failed")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--rounds", type=int, default=11)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        env = {name: value for name, value in os.environ.items() if not name.startswith("LOOPWRIGHT_")}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        env |= {"LOOPWRIGHT_CHAT": folder, "TERM": "xterm-256color"}
        samples: dict[str, list[tuple[float, float]]] = {
            "python -c pass": [],
            "--help": [],
            "first prompt": [],
        }
        for number in range(given.rounds + 1):
            measured = {
                "python -c pass": run(env, "-c", "pass"),
                "--help": run(env, "-m", "loopwright", "--help"),
                "first prompt": first_prompt(env),
            }
            for name, sample in measured.items():
                samples[name] += [sample] if number else []
    print(f"{'':20}{'wall s':>9}{'CPU s':>9}")
    median = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)]
        for name, rows in samples.items()
    }
    for name, (wall, cpu) in median.items():
        print(f"{name:20}{wall:9.3f}{cpu:9.3f}")
    beyond = median["--help"][0] - median["python -c pass"][0]
    print(f"--help beyond python: {beyond:.3f} s (bar {HELP_BAR})")
    print(f"first prompt: {median['first prompt'][0]:.3f} s (bar {PROMPT_BAR})")


if __name__ == "__main__":
    main()
