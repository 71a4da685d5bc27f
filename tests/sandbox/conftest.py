"""Sandboxes for the tests of this folder, and the corpora of programs they run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loopwright.sandbox import Level, Limits, ProcessSandbox, probe

LEVEL: Level = probe().level  # what this system reaches; the tests hold it to that


@pytest.fixture
def sandbox() -> Iterator[ProcessSandbox]:
    """A sandbox of this test's own."""
    with ProcessSandbox(Limits(wall_seconds=60, cpu_seconds=20), level=LEVEL) as engine:
        yield engine
