"""The report of an evaluation: its figures, and the file `report.json` that holds them with every trial.

`report.json` (`format` 1) has these keys; rates are `{value, low, high, n}` with the ends of the 95 %
interval, spreads are `{p50, p95, total}`:

    format, loopwright        the version of this form, the version of the package
    model, started, seconds   what was asked, when (UTC), how long it took in all
    epochs, planned           times that each task was to be tried, trials that were to be made
    interrupted               whether fewer were made
    summary                   trials, passed, failed, excluded, pass_at_1, pass_power (a rate for each k),
                              partial (a rate: the mean of the trials' scores), checks (the part of all checks
                              that passed), steps, tool_calls, tokens, seconds (spreads), money (a spread of
                              US dollars, null where a price is not known), usd (the total of all trials, or
                              null), other_usage (of models that played "users" or were "judges"; the figures
                              before are without it), cached (answers)
    by                        rates by file, tag, split and check
    endings                   how the runs ended, with counts
    tools                     by tool: calls, errors (by kind), seconds, invalid (arguments that did not fit,
                              by parameter), repeats, trials (that called it); calls is 0 for one never used
    flaky                     tasks that passed and failed: file, id, passed, trials
    clusters                  failures that are alike, the most frequent first: check, pattern, example, trials
                              (file, id and epoch of each)
    tasks                     file, id, tags, split, input, trials: see `stored`
    comparison                with a baseline, where there is one: see `loopwright.evaluation.runs.comparison`

The file is written whole or not at all.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from ...__about__ import __version__
from ...models.base import NO_USAGE, Usage
from ...trajectory import Trajectory
from ...whole_file import write_whole
from ..tasks import TaskFile
from ..trials.attempt import Trial, TrialResult
from .clusters import Cluster, clusters
from .figures import Rate, mean_rate, pass_power, quantile
from .stored import FILE, FORMAT, finite, task_json
from .tool_figures import ToolFigures, each_tool, tool_figures

TOO_MANY_EXCLUDED = 0.1  # of the trials: what is left says too little about the agent


@dataclass(frozen=True)
class Report:
    """The results of an evaluation in the order of the files, whatever order they came in."""

    results: Sequence[TrialResult]
    files: Sequence[TaskFile]
    planned: int
    epochs: int = 1
    model: str = ""
    started: str = ""
    seconds: float = 0.0

    @classmethod
    def of(
        cls,
        trials: Sequence[Trial],
        results: Iterable[TrialResult],
        *,
        model: str = "",
        started: datetime | None = None,
        seconds: float = 0.0,
    ) -> Report:
        """The report of these trials; results that are missing make it an interrupted one."""
        files = list({id(trial.file): trial.file for trial in trials}.values())
        order = {
            (file.name, task.id): (n, m) for n, file in enumerate(files) for m, task in enumerate(file.tasks)
        }
        ordered = sorted(results, key=lambda result: (order[result.file, result.task.id], result.epoch))
        begun = (started or datetime.now(UTC)).isoformat(timespec="seconds")
        epochs = 1 + max((trial.epoch for trial in trials), default=0)
        return cls(ordered, files, len(trials), epochs, model, begun, seconds)

    # Counts

    @cached_property
    def judged(self) -> list[TrialResult]:
        """The trials that say something about the agent."""
        return [result for result in self.results if result.outcome != "excluded"]

    @property
    def excluded(self) -> list[TrialResult]:
        """The trials whose model could not be reached."""
        return [result for result in self.results if result.outcome == "excluded"]

    @property
    def passed(self) -> int:
        """Trials that passed every check."""
        return sum(result.passed for result in self.results)

    @property
    def interrupted(self) -> bool:
        """Whether some trials were not made."""
        return len(self.results) < self.planned

    @property
    def too_many_excluded(self) -> bool:
        """Whether so many trials were excluded that the rest says too little."""
        return len(self.excluded) > TOO_MANY_EXCLUDED * max(len(self.results), 1)

    # Rates

    @property
    def pass_at_1(self) -> Rate:
        """The chance that one trial of a task passes."""
        return rate_of(self.judged)

    def pass_power(self, k: int) -> Rate:
        """The chance that k trials of a task all pass, over the tasks that were tried k times."""
        tasks = [trials for trials in by_task(self.judged).values() if len(trials) >= k]
        values = [pass_power(sum(t.passed for t in trials), len(trials), k) for trials in tasks]
        return mean_rate(values, len(values))

    def by(self, group: str) -> dict[str, Rate]:
        """pass@1 by "file", "tag" or "split"; by "check", how often all checks of a kind passed."""
        if group == "check":
            return self._by_check()
        names: Mapping[str, Callable[[TrialResult], Iterable[str]]] = {
            "file": lambda result: [result.file],
            "tag": lambda result: result.task.tags,
            "split": lambda result: [result.task.split] if result.task.split else [],
        }
        groups: dict[str, list[TrialResult]] = {}
        for result in self.judged:
            for name in names[group](result):
                groups.setdefault(name, []).append(result)
        return {name: rate_of(results) for name, results in groups.items()}

    def _by_check(self) -> dict[str, Rate]:
        kinds = dict.fromkeys(c.check for result in self.judged for c in result.checks if not c.error)
        return {
            kind: rate_of(
                [
                    result
                    for result in self.judged
                    if any(c.check == kind and not c.error for c in result.checks)
                ],
                lambda result, kind=kind: not any(c.failed for c in result.checks if c.check == kind),  # type: ignore[misc]  # mypy infers no default
            )
            for kind in kinds
        }

    @property
    def checks(self) -> float:
        """The part of all checks that passed, each trial counting the same."""
        made = [[check.passed for check in result.checks if not check.error] for result in self.judged]
        parts = [sum(passed) / len(passed) for passed in made if passed]
        return math.fsum(parts) / len(parts) if parts else 0.0

    @property
    def partial(self) -> Rate:
        """The mean of the trials' scores, which give credit for a part of what was expected."""
        tasks = by_task(self.judged).values()
        means = [math.fsum(trial.score for trial in trials) / len(trials) for trials in tasks]
        return mean_rate(means, len(self.judged))

    # What it took

    @property
    def usage(self) -> Usage:
        """Tokens and money of all trials together."""
        return sum((result.usage for result in self.results), start=NO_USAGE)

    @property
    def other_usage(self) -> dict[str, Usage]:
        """What the models took that played users or judged, by role; `usage` is without it."""
        sums: dict[str, Usage] = {}
        for result in self.results:
            for role, usage in result.other_usage.items():
                sums[role] = sums.get(role, NO_USAGE) + usage
        return sums

    def spread(self, name: str) -> dict[str, float]:
        """Median, 95th percentile and total of "steps", "tool_calls", "tokens" or "seconds" over the trials."""
        read = self._read
        values: Mapping[str, Callable[[], Iterable[float]]] = {
            "steps": lambda: read.steps,
            "tool_calls": lambda: read.tool_calls,
            "tokens": lambda: (result.usage.total_tokens for result in self.judged),
            "seconds": lambda: (result.seconds for result in self.judged),
        }
        return _spread([float(value) for value in values[name]()])

    @property
    def money(self) -> dict[str, float] | None:
        """The same of US dollars; None where a price is not known."""
        prices = [result.usage.usd for result in self.judged]
        known = [usd for usd in prices if usd is not None]
        return _spread(known) if len(known) == len(prices) else None

    @property
    def endings(self) -> dict[str, int]:
        """How the runs ended, the most frequent first."""
        return dict(Counter(result.termination or "returned" for result in self.judged).most_common())

    @property
    def tools(self) -> dict[str, ToolFigures]:
        """How each tool fared, those that were never called among them."""
        return self._read.tools

    @cached_property
    def _read(self) -> _Read:
        """What the trajectories say, each read once: those of a kept run lie in its file."""
        steps, calls = [], []

        def whole() -> Iterator[TrialResult]:
            for result in self.judged:
                read = replace(result, trajectory=Trajectory(result.trajectory.steps))
                steps.append(read.steps)
                calls.append(read.tool_calls)
                yield read

        tools = tool_figures(whole(), dict(each_tool(file.tools for file in self.files)))
        return _Read(steps, calls, tools)

    # What to look at first

    @property
    def flaky(self) -> list[tuple[str, str, int, int]]:
        """Tasks of which some trials passed and some failed: file, id, trials that passed, trials."""
        counts = [
            (file, name, sum(trial.passed for trial in trials), len(trials))
            for (file, name), trials in by_task(self.judged).items()
        ]
        return [one for one in counts if 0 < one[2] < one[3]]

    @property
    def clusters(self) -> list[Cluster]:
        """Failures that are alike, the most frequent first."""
        return clusters(self.judged)

    # The file

    def as_json(self) -> dict[str, Any]:
        """The report as JSON's own types: what `report.json` holds."""
        tasks = [task_json(trials) for trials in by_task(self.results).values()]
        return self._figures_json() | {"tasks": tasks}

    def _figures_json(self) -> dict[str, Any]:
        powers = {str(k): asdict(self.pass_power(k)) for k in range(1, self.epochs + 1)}
        return {
            "format": FORMAT,
            "loopwright": __version__,
            "model": self.model,
            "started": self.started,
            "seconds": round(self.seconds, 3),
            "epochs": self.epochs,
            "planned": self.planned,
            "interrupted": self.interrupted,
            "summary": {
                "trials": len(self.results),
                "passed": self.passed,
                "failed": len(self.judged) - self.passed,
                "excluded": len(self.excluded),
                "pass_at_1": asdict(self.pass_at_1),
                "pass_power": powers,
                "partial": asdict(self.partial),
                "checks": self.checks,
                **{name: self.spread(name) for name in ("steps", "tool_calls", "tokens", "seconds")},
                "money": self.money,
                "usd": self.usage.usd,
                "other_usage": {role: asdict(usage) for role, usage in self.other_usage.items()},
                "cached": sum(result.cached for result in self.results),
            },
            "by": {
                group: {name: asdict(rate) for name, rate in self.by(group).items()}
                for group in ("file", "tag", "split", "check")
            },
            "endings": self.endings,
            "tools": {name: asdict(figures) for name, figures in self.tools.items()},
            "flaky": [
                {"file": file, "id": name, "passed": passed, "trials": trials}
                for file, name, passed, trials in self.flaky
            ],
            "clusters": [_cluster_json(cluster) for cluster in self.clusters],
        }

    def write(self, folder: str | Path, comparison: Mapping[str, Any] | None = None) -> Path:
        """Write `report.json` into a folder, which is made if need be; returns the file's path.

        A comparison with a baseline (`Comparison.as_json`) is written with it.
        """
        # What a model or a tool wrote may hold half a character; in JSON it is an escape.
        pieces = (piece.encode("utf-8", "backslashreplace") for piece in self._text(comparison))
        return write_whole(Path(folder) / FILE, pieces)

    def _text(self, comparison: Mapping[str, Any] | None) -> Iterator[str]:
        """The file's text, task by task: the trials of all of them together may be large."""
        figures = self._figures_json() | ({"comparison": comparison} if comparison else {})
        yield _dumped(figures).removesuffix("\n}") + ',\n "tasks": ['
        start = "\n"
        for trials in by_task(self.results).values():
            yield start + _dumped(task_json(trials))
            start = ",\n"
        yield "\n]}\n"


@dataclass(frozen=True, slots=True)
class _Read:
    """What the trajectories of the judged trials say: steps and calls of each, and how the tools fared."""

    steps: Sequence[int]
    tool_calls: Sequence[int]
    tools: dict[str, ToolFigures]


def by_task(results: Iterable[TrialResult]) -> dict[tuple[str, str], list[TrialResult]]:
    """The trials of each task, by file and id."""
    tasks: dict[tuple[str, str], list[TrialResult]] = {}
    for result in results:
        tasks.setdefault((result.file, result.task.id), []).append(result)
    return tasks


def rate_of(
    results: Sequence[TrialResult], good: Callable[[TrialResult], bool] = lambda result: result.passed
) -> Rate:
    """The mean of the tasks' rates."""
    tasks = by_task(results).values()
    return mean_rate([sum(map(good, trials)) / len(trials) for trials in tasks], len(results))


def _dumped(value: object) -> str:
    return json.dumps(finite(value), indent=1, ensure_ascii=False, allow_nan=False)


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"p50": quantile(values, 0.5), "p95": quantile(values, 0.95), "total": math.fsum(values)}


def _cluster_json(cluster: Cluster) -> dict[str, Any]:
    trials = [{"file": file, "id": name, "epoch": epoch} for file, name, epoch in cluster.trials]
    return {
        "check": cluster.check,
        "pattern": cluster.pattern,
        "example": cluster.example,
        "trials": trials,
    }
