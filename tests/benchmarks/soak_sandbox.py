"""Ten thousand programs while processes are killed at random: nothing may be left behind; run it as a script.

    python tests/benchmarks/soak_sandbox.py [--runs 10000] [--hosts 5] [--seed 1] [--json FILE]

Programs run from three threads with sandboxes of their own, two threads that share one, and four tasks of an event
loop. Meanwhile workers and the zygote are killed with SIGKILL from outside at random moments; programs run
into their time, memory and output limits, sit in C code, and crash; runs are interrupted and cancelled;
sandboxes are closed while they run, and abandoned. Then hosts are killed in the middle of it.
It fails where a process, a descriptor or a temporary file is left, where memory grew, or where a program that ended
well has a wrong value. Linux only: it looks at /proc, and adopts the orphans that it makes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import gc
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from loopwright.sandbox import Execution, Level, Limits, ProcessSandbox, SandboxError, probe
from loopwright.sandbox.zygotes import ZYGOTES

LIMITS = Limits(wall_seconds=0.15, cpu_seconds=5, memory_mb=64, output_chars=10_000)
GROWTH_MB = 8.0
GONE_SECONDS = 60.0
_PR_SET_CHILD_SUBREAPER = 36

SUM = "total = 0\nfor n in range(limit):\n    total += echo(n) if n == 3 else n\ntotal"
PROGRAMS = {  # name: (share, program)
    "sum": (0.78, SUM),
    "loops": (0.02, "while True: pass"),
    "sleeps": (0.04, "import time\ntime.sleep(600)"),
    "catches": (0.01, "while True:\n    try:\n        while True: pass\n    except BaseException: pass"),
    "in C": (0.01, "sum(range(10 ** 12))"),
    "memory": (0.04, "'x' * 10 ** 10"),
    "output": (0.04, "while True: print('x' * 1000)"),
    "raises": (0.04, "[][limit]"),
    "refused": (0.02, "(lambda: 0).__globals__"),
}


@dataclass
class Found:
    """What is left, and what happened on the way."""

    runs: int = 0
    seconds: float = 0.0
    ends: dict[str, int] = field(default_factory=dict)
    killed: dict[str, int] = field(default_factory=dict)
    warm_mb: float = 0.0
    end_mb: float = 0.0
    processes: list[int] = field(default_factory=list)
    descriptors: int = 0
    files: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    left_by_hosts: list[int] = field(default_factory=list)

    def complaints(self) -> list[str]:
        """What is not as it must be."""
        grew = self.end_mb - self.warm_mb
        checks = {
            f"processes are left: {self.processes}": self.processes,
            f"killed hosts left processes: {self.left_by_hosts}": self.left_by_hosts,
            f"{self.descriptors:+} descriptors": self.descriptors,
            f"files are left: {self.files}": self.files,
            f"memory grew by {grew:.1f} MB": grew > GROWTH_MB,
            f"wrong: {self.wrong[:5]}": self.wrong,
        }
        return [text for text, bad in checks.items() if bad]


def resident_mb() -> float:
    gc.collect()
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def below(top: int, *, dead: bool = False) -> dict[int, int]:
    """Every process under `top`, and its parent; those that have ended and are not waited for yet only if `dead`."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:  # it ended while the folder was read
            continue
        if dead or fields[0] != "Z":
            parents[int(entry.parent.name)] = int(fields[1])
    found: dict[int, int] = {}
    while more := {pid for pid, parent in parents.items() if parent in {top, *found}} - found.keys():
        found |= {pid: parents[pid] for pid in more}
    return found


def all_gone(top: int) -> list[int]:
    """Which processes are still under `top` after a while, orphans that ended waited for."""
    deadline = time.monotonic() + GONE_SECONDS
    while (left := below(top)) and time.monotonic() < deadline:
        time.sleep(0.02)
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
    return sorted(left)


class Soak:
    """The programs, those who run them and the one who kills."""

    def __init__(self, runs: int, seed: int, level: Level) -> None:
        self.found = Found()
        self.level = level
        self._runs = runs
        self._seed = seed
        self._count = itertools.count(1)
        self._lock = threading.Lock()
        self._ends: Counter[str] = Counter()
        self._done = threading.Event()
        self._shared = self.sandbox()

    def sandbox(self) -> ProcessSandbox:
        made = Soaked(LIMITS, tools={"echo": lambda n: n}, level=self.level)
        made.tools["me"] = lambda: str(made)  # a cycle: an abandoned one is left to the collector
        return made

    def programs(self, seed: int) -> Iterator[tuple[random.Random, str, str, dict[str, object]]]:
        """Draws, name, source and inputs, until all have run."""
        draw = random.Random(self._seed * 1000 + seed)
        shares = [share for share, _ in PROGRAMS.values()]
        while (number := next(self._count)) <= self._runs:
            if number == max(self._runs // 5, 200):
                self.found.warm_mb = resident_mb()
            name = draw.choices(list(PROGRAMS), shares)[0]
            yield draw, name, PROGRAMS[name][1], {"limit": draw.randrange(4, 50)}

    def note(self, name: str, inputs: dict[str, object], execution: Execution) -> None:
        limit = inputs["limit"]
        right = isinstance(limit, int) and execution.value == sum(range(limit))
        fits = execution.end in ("timeout", "killed") or {
            "sum": execution.ok and right,
            "memory": execution.end == "memory",
            "output": execution.end == "output",
            "raises": execution.end == "error" and "IndexError" in str(execution.error),
            "refused": execution.end == "refused",
        }.get(name, False)
        with self._lock:
            self._ends[execution.end] += 1
            if not fits:
                self.found.wrong.append(f"{name} ended with {execution.end}: {execution}")

    def from_a_thread(self, seed: int) -> None:
        """Sandboxes of this thread's own: used, interrupted, closed and abandoned."""
        sandbox = self.sandbox()
        for draw, name, source, inputs in self.programs(seed):
            act = draw.random()
            if act < 0.03:
                threading.Timer(draw.random() * 0.02, sandbox.interrupt).start()
            elif act < 0.05:
                threading.Timer(draw.random() * 0.02, sandbox.close).start()
            elif act < 0.10:
                sandbox = self.sandbox()  # the old one is abandoned
            elif act < 0.15:
                sandbox.close()
            self.note(name, inputs, sandbox.run(source, inputs))
        sandbox.close()

    def from_a_shared_one(self, seed: int) -> None:
        for _, name, source, inputs in self.programs(seed):
            self.note(name, inputs, self._shared.run(source, inputs))

    def from_a_loop(self, seed: int) -> None:
        """Tasks of one event loop, some cancelled."""

        async def task(seed: int) -> None:
            sandbox = self.sandbox()
            for draw, name, source, inputs in self.programs(seed):
                seconds = draw.random() * 0.01 if draw.random() < 0.1 else 60
                try:
                    self.note(name, inputs, await asyncio.wait_for(sandbox.arun(source, inputs), seconds))
                except TimeoutError:
                    with self._lock:
                        self._ends["cancelled"] += 1
            sandbox.close()

        async def tasks() -> None:
            await asyncio.gather(*(task(seed + index) for index in range(4)))

        asyncio.run(tasks())

    def kill_at_random(self) -> None:
        draw = random.Random(self._seed)
        while not self._done.wait(draw.random() * 0.15):
            alive = below(os.getpid())
            of_kind = {
                "zygote": [pid for pid, parent in alive.items() if parent == os.getpid()],
                "worker": [pid for pid, parent in alive.items() if parent != os.getpid()],
            }
            kind = "zygote" if draw.random() < 0.08 else "worker"
            # By the number of runs, not by the time: on a busy machine nothing would get to start.
            if of_kind[kind] and sum(self.found.killed.values()) < sum(self._ends.values()) / 30:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(draw.choice(of_kind[kind]), signal.SIGKILL)
                self.found.killed[kind] = self.found.killed.get(kind, 0) + 1

    def go(self) -> Found:
        """Run them all, and look for what is left."""
        ZYGOTES.close()
        before, began = descriptors(), time.monotonic()
        work: list[Callable[[], None]] = [lambda seed=seed: self.from_a_thread(seed) for seed in range(3)]  # type: ignore[misc]  # a default
        work += [lambda: self.from_a_shared_one(10), lambda: self.from_a_shared_one(11)]
        work += [lambda: self.from_a_loop(20)]
        failed: list[BaseException] = []
        threads = [threading.Thread(target=guarded(each, failed)) for each in work]
        killer = threading.Thread(target=self.kill_at_random)
        for thread in (*threads, killer):
            thread.start()
        for thread in threads:
            thread.join()
        self._done.set()
        killer.join()
        self._shared.close()
        for timer in threading.enumerate():
            if isinstance(timer, threading.Timer):
                timer.join()
        found = self.found
        found.end_mb = resident_mb()  # which also collects whoever was abandoned
        found.runs, found.ends = sum(self._ends.values()), dict(self._ends)
        found.wrong += [f"{type(error).__name__}: {error}" for error in failed]
        me = os.getpid()
        found.processes = [pid for pid, parent in below(me, dead=True).items() if parent != me]
        ZYGOTES.close()
        found.processes += all_gone(me)
        found.descriptors = descriptors() - before
        found.seconds = time.monotonic() - began
        return found


class Soaked(ProcessSandbox):
    """A sandbox whose worker may be killed each time it is started; a caller is told of that by an error, and rightly so."""

    def run(self, code: str, inputs: Mapping[str, object] | None = None) -> Execution:
        """Run a program; a worker that can't be started since it is killed each time is an end like any other."""
        try:
            return super().run(code, inputs)
        except SandboxError as error:
            if "was killed" not in str(error):
                raise
            return Execution("killed", session_kept=False)

    def start(self) -> None:
        """Start a worker; one that is killed each time is started by the next run, or is that run's end."""
        try:
            super().start()
        except SandboxError as error:
            if "was killed" not in str(error):
                raise


def guarded(work: Callable[[], None], failed: list[BaseException]) -> Callable[[], None]:
    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - reported as wrong
            failed.append(error)

    return run


def be_a_host(level: Level) -> None:
    """Run programs from threads, for ever."""
    limits = Limits(wall_seconds=600, cpu_seconds=600)
    programs = ["while True: pass", "sum(range(10 ** 15))", "import time\ntime.sleep(600)"]
    ready = threading.Barrier(len(programs) + 1)

    def work(program: str) -> None:
        with ProcessSandbox(limits, tools={"ready": lambda: ready.wait() and None}, level=level) as sandbox:
            sandbox.run(f"ready()\n{program}")

    for program in programs:
        threading.Thread(target=work, args=(program,), daemon=True).start()
    ready.wait()
    print("running", flush=True)  # noqa: T201 - the one who kills this waits for it
    time.sleep(600)


def kill_hosts(count: int, seed: int) -> list[int]:
    """Kill a host in the middle of its programs, `count` times; what it left running."""
    draw = random.Random(seed)
    left: list[int] = []
    for _ in range(count):
        with subprocess.Popen([sys.executable, __file__, "--host"], stdout=subprocess.PIPE) as host:
            assert host.stdout is not None
            host.stdout.readline()
            if len(below(host.pid)) != 4:  # the zygote and three workers
                left.append(-1)
            time.sleep(draw.random() * 0.2)
            host.kill()
        left += all_gone(os.getpid())
    return left


def adopt_orphans() -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "this system hands orphans to no one but its first process")


def main() -> int:
    """Run, report, and fail where something is left."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--hosts", type=int, default=5, help="how many hosts to kill")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write what was found here")
    parser.add_argument("--host", action="store_true", help=argparse.SUPPRESS)
    options: Any = parser.parse_args()
    level = probe().level
    if options.host:
        be_a_host(level)
        return 0
    adopt_orphans()
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = os.environ["TMPDIR"] = folder
        found = Soak(options.runs, options.seed, level).go()
        found.left_by_hosts = kill_hosts(options.hosts, options.seed)
        found.files = sorted(path.name for path in Path(folder).iterdir())
    complaints = found.complaints()
    report = {**asdict(found), "complaints": complaints}
    print(json.dumps(report, indent=2))  # noqa: T201 - a script
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=2), encoding="utf-8")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
