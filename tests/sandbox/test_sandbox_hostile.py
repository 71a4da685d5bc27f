"""Hostile programs end as they must, and leave nothing behind that a machine could find."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from loopwright.sandbox import Execution, Layer, Level, Limits, ProcessSandbox, probe

LIMITS = Limits(wall_seconds=2.0, cpu_seconds=0.3, memory_mb=128, output_chars=20_000)
HANG_SECONDS = 120.0
LEVEL: Level = probe().level
GENERATED = {
    "NEST_PARENS": "(" * 5000 + "1" + ")" * 5000,
    "NEST_PLUS": "+".join(["1"] * 50_000),
    "NEST_LISTS": "[" * 150 + "]" * 150 + "\n" + "-" * 100_000 + "1",
    "NEST_NAME": "v" * 100_000 + " = 1",
}


@dataclass(frozen=True)
class Snippet:
    name: str
    file: str
    ends: tuple[str, ...]
    source: str


def corpus() -> list[Snippet]:
    """Every `=== name | allowed ends` section; without ends, the program must be refused or raise."""
    found = []
    for file in sorted(Path(__file__).with_name("hostile").glob("*.txt")):
        for section in file.read_text(encoding="utf-8").split("=== ")[1:]:
            head, _, source = section.partition("\n")
            name, _, ends = (part.strip() for part in head.partition("|"))
            source = GENERATED.get(source.strip(), source)
            found.append(Snippet(name, file.stem, tuple((ends or "error,refused").split(",")), source))
    return found


SNIPPETS = corpus()
ESCAPES = [snippet for snippet in SNIPPETS if snippet.file != "limits"]  # limits work the same in any layer


@dataclass(frozen=True)
class Surroundings:
    """What a program that gets out would touch, on this machine."""

    secret: str
    secret_file: Path
    marker: Path
    port: int
    dialled: threading.Event
    bystander: subprocess.Popen[bytes]

    def fill(self, source: str) -> str:
        values = {
            "{SECRET_FILE}": str(self.secret_file),
            "{MARKER}": str(self.marker),
            "{PORT}": str(self.port),
            "{PID}": str(self.bystander.pid),
        }
        for name, value in values.items():
            source = source.replace(name, value)
        return source

    def assert_untouched(self, execution: Execution) -> None:
        shown = f"{execution.value!r} {execution}"
        assert not self.marker.exists(), "it made a file"
        assert self.secret_file.read_text(encoding="ascii") == self.secret, "it changed a file"
        assert self.secret_file.stat().st_mode & 0o777 == 0o644, "it changed a file's mode"
        assert self.secret not in shown, "it read a secret"
        assert not self.dialled.is_set(), "it reached the network"
        assert self.bystander.poll() is None, "it ended another process"
        assert execution.value != "FORGED", "it forged a result"


def watch(wait: Callable[[], object], dialled: threading.Event) -> None:
    with contextlib.suppress(OSError):  # the socket was closed and nothing had come
        wait()
        dialled.set()


def remove(path: Path) -> None:
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink()


@pytest.fixture(scope="module")
def surroundings() -> Iterator[Surroundings]:
    with tempfile.TemporaryDirectory(prefix="hostile") as name:
        yield from surroundings_in(Path(name))


def surroundings_in(folder: Path) -> Iterator[Surroundings]:
    folder.chmod(0o777)  # open to any user: what holds a program in shall not be the files' own modes
    secret = secrets.token_hex(16)
    secret_file = folder / "secret.txt"
    secret_file.write_text(secret, encoding="ascii")
    secret_file.chmod(0o644)
    dialled = threading.Event()
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    os.environ["SANDBOX_TEST_SECRET"] = secret
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp.bind(tcp.getsockname())
        for wait in (tcp.accept, lambda: udp.recv(1)):
            threading.Thread(target=watch, args=(wait, dialled), daemon=True).start()
        yield Surroundings(secret, secret_file, folder / "marker", tcp.getsockname()[1], dialled, bystander)
        for listener in (tcp, udp):
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
    bystander.kill()
    bystander.wait()
    del os.environ["SANDBOX_TEST_SECRET"]


def ran_in(surroundings: Surroundings, snippet: Snippet, level: Level, layers: Sequence[Layer]) -> Execution:
    """Run a snippet in a sandbox of its own, which is then closed, and look for what it left behind.

    On a busy machine its time may be up before it has come to its end: then it gets more.
    """
    for limits in (LIMITS, replace(LIMITS, wall_seconds=60.0)):
        with ProcessSandbox(limits, level=level, layers=layers) as engine:
            execution = engine.run(surroundings.fill(snippet.source))
        surroundings.assert_untouched(execution)
        assert execution.seconds < HANG_SECONDS
        if execution.end != "timeout" or "timeout" in snippet.ends or "language" not in layers:
            break
    return execution


def named(snippets: Sequence[Snippet]) -> list[ParameterSet]:
    return [pytest.param(snippet, id=snippet.name) for snippet in snippets]


def test_the_corpus_covers_every_category_widely() -> None:
    assert len(SNIPPETS) >= 350
    assert len({snippet.name for snippet in SNIPPETS}) == len(SNIPPETS)


@pytest.mark.parametrize("snippet", named(SNIPPETS))
def test_a_hostile_program_is_held_by_both_layers(snippet: Snippet, surroundings: Surroundings) -> None:
    execution = ran_in(surroundings, snippet, LEVEL, ("language", "os"))
    assert execution.end in snippet.ends, f"{execution.end}: {execution}"


@pytest.mark.skipif(LEVEL == "language", reason="this system has no operating-system layer to test alone")
@pytest.mark.parametrize("snippet", named(ESCAPES))
def test_the_operating_system_layer_alone_lets_nothing_out(
    snippet: Snippet, surroundings: Surroundings
) -> None:
    ran_in(surroundings, snippet, LEVEL, ("os",))


@pytest.mark.parametrize("snippet", named(ESCAPES))
def test_the_language_layer_alone_lets_nothing_out(snippet: Snippet, surroundings: Surroundings) -> None:
    execution = ran_in(surroundings, snippet, "language", ("language",))
    assert execution.end in snippet.ends, f"{execution.end}: {execution}"


def test_the_corpus_bites_where_nothing_holds_it(surroundings: Surroundings) -> None:
    """Under plain Python many of the snippets that only make a file do make it."""
    made = []
    for snippet in SNIPPETS:
        if set(re.findall(r"{[A-Z_]+}", snippet.source)) == {"{MARKER}"} and snippet.file != "system":
            runner = "import sys; exec(compile(sys.stdin.read(), 'x', 'exec'))"
            subprocess.run(
                [sys.executable, "-I", "-S", "-c", runner],
                input=surroundings.fill(snippet.source).encode(),
                capture_output=True,
                timeout=60,
                check=False,
            )
            if surroundings.marker.exists():
                made.append(snippet.name)
                remove(surroundings.marker)
    assert len(made) >= 30, made
