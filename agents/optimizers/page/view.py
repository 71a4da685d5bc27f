"""What the page of a compile shows: figures, words and plots, made from its report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...evaluation.reports.figures import percent
from ...evaluation.reports.page.plots import interval_bar
from ...evaluation.reports.page.view import dollars, number
from ...text import counted, one_line
from ..estimates import Estimate
from ..report import verdict_of

MOST_DECISIONS = 400
MOST_CANDIDATES = 60
MOST_ERROR = 300  # characters
PROBLEMS = {
    "program": "the program raised",
    "metric": "the metric gave no score",
    "excluded": "the model could not be reached",
    "skipped": "the budget had no room for it",
}


def view(report: Mapping[str, Any]) -> dict[str, Any]:
    """All that the template shows, by the names that it uses."""
    headline, of = _headline(report)
    used = report["used"]
    demos, texts = _learned(report)
    return {
        "title": report.get("name") or report["optimizer"],
        "facts": list(_facts(report)),
        "verdict": _verdict(report),
        "reason": report["reason"],
        "headline": headline and _measured(headline),
        "headline_of": of,
        "as_rates": all(Estimate(**one).is_rate for one in _estimates(report)),
        "number": number,
        "scores": list(_scores(report)),
        "tiles": list(_tiles(report)),
        "notices": list(_notices(report)),
        "candidates": list(_candidates(report)) if any(c["score"] for c in report["candidates"]) else [],
        "more_candidates": max(0, len(report["candidates"]) - MOST_CANDIDATES),
        "texts": texts,
        "demos": list(map(_demo, demos)),
        "phases": [_phase(one["phase"], one) for one in report["phases"]],
        "total": _phase("all", {**used, "planned": None}),
        "decisions": report["decisions"][:MOST_DECISIONS],
        "more_decisions": max(0, len(report["decisions"]) - MOST_DECISIONS),
        "program": report.get("out", "agent.json"),
        "tasks": report.get("file", "TASKS"),
    }


def _verdict(report: Mapping[str, Any]) -> dict[str, str]:
    """In a word, whether the agent is better; one that was not confirmed is only another."""
    word = verdict_of(report["improved"], report["selected"], report["confirmed"])
    kind, sign = {"as it was": ("same", "="), "better": ("better", "✓")}.get(word, ("changed", "?"))
    return {"kind": kind, "sign": sign, "word": word.capitalize()}


def _headline(report: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str]:
    """The figure to go by, and what it is of: the confirmed one where there is one."""
    if report["confirmed"]:
        return report["confirmed"], "the agent that is returned, on tasks that nothing was chosen by"
    if report["improved"] and report["selected"]:
        return report["selected"], "on the tasks that it was selected by: it looks better than it is"
    return report["baseline"], "the agent as it was"


def _facts(report: Mapping[str, Any]) -> Iterator[str]:
    yield report["optimizer"]
    if report.get("model"):
        yield str(report["model"])
    if report.get("file"):
        yield str(report["file"])
    yield f"seed {report['seed']}"


def _scores(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The four figures as rows, each with its interval as a bar."""
    rows = (
        ("Baseline", "baseline", "the agent as it was, on the tasks for choosing"),
        (
            "Selected",
            "selected",
            "the best candidate on the same tasks; the best of many looks better than it is",
        ),
        ("Baseline, confirmed", "confirmed_baseline", "on tasks that nothing was chosen by"),
        ("Returned, confirmed", "confirmed", "what you get, on the same tasks"),
    )
    for name, key, note in rows:
        found = report[key]
        if found:
            yield {"name": name, "note": note, **_measured(found)}


def _measured(found: Mapping[str, Any]) -> dict[str, Any]:
    """An estimate as text, and as a bar where it is on the scale from 0 to 1."""
    rate = Estimate(**found).is_rate
    ends = {"value": found["mean"], "low": found["low"], "high": found["high"], "n": found["n"]}
    return {
        "value": _said(found["mean"], rate=rate),
        "interval": f"{_said(found['low'], rate=rate)} to {_said(found['high'], rate=rate)}",
        "n": found["n"],
        "bar": interval_bar(ends) if rate else "",
    }


def _said(value: float, *, rate: bool) -> str:
    return percent(value) if rate else f"{value:.4g}"


def _estimates(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    measured = [report[key] for key in ("baseline", "selected", "confirmed_baseline", "confirmed")]
    return [one for one in (*measured, *(candidate["score"] for candidate in report["candidates"])) if one]


def _tiles(report: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    before, after = report["confirmed_baseline"], report["confirmed"]
    note = "confirmed"
    if not (before and after):
        before, after, note = report["baseline"], report["selected"], "not confirmed"
    if before and after:
        rate = Estimate(**before).is_rate and Estimate(**after).is_rate
        gain = after["mean"] - before["mean"]
        value = f"{100 * gain:+.1f}".removesuffix(".0") if rate else f"{gain:+.4g}"
        note = f"{note}; {_said(before['mean'], rate=rate)} before"
        yield {"name": "Gain in points", "value": value, "note": note}
    demos, texts = _learned(report)
    yield {"name": "Demonstrations", "value": number(len(demos)), "note": "learned, shown below"}
    yield {"name": "Texts", "value": number(len(texts)), "note": "written anew"}
    used = report["used"]
    yield {"name": "Rollouts", "value": number(used["rollouts"]), "note": "runs, and texts written"}
    yield {"name": "Model calls", "value": number(used["calls"]), "note": f"{number(used['tokens'])} tokens"}
    cost = "not known" if used["usd"] is None else dollars(used["usd"])
    yield {"name": "Cost", "value": cost, "note": "by the provider's prices"}


def _learned(report: Mapping[str, Any]) -> tuple[Sequence[Mapping[str, Any]], Mapping[str, str]]:
    """Demonstrations and texts of the program that is returned; none where it is the student as it was."""
    return (report["demos"], report["notes"].get("learned", {})) if report["improved"] else ((), {})


def _notices(report: Mapping[str, Any]) -> Iterator[str]:
    if report["spent_limit"]:
        yield f"The budget ended the search: no more {report['spent_limit']}. This is the best until then."
    if not report["confirmed"]:
        yield "Nothing was confirmed on unused tasks: the figures here were chosen by, and look better than they are."
    note = report["notes"].get("note") or report["notes"].get("split")
    if note:
        yield str(note)
    yield from (f"{warning[:1].upper()}{warning[1:]}." for warning in report.get("warnings", ()))
    for problem, count in report["problems"].items():
        such = report.get("errors", {}).get(problem, "")
        said = f"{counted(count, 'rollout')}: {PROBLEMS.get(problem, problem)}"
        yield f"{said}, such as: {one_line(such, MOST_ERROR)}" if such else f"{said}."


def _candidates(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The candidates, the best first; those that were not measured last."""
    baseline = report["candidates"][:1]
    others = sorted(report["candidates"][1:], key=lambda one: -one["score"]["mean"] if one["score"] else 1.0)
    for one in [*baseline, *others][:MOST_CANDIDATES]:
        measured = _measured(one["score"]) if one["score"] else None
        yield {
            "name": one["name"],
            "about": list(_about(one)),
            "measured": measured,
        }


def _about(candidate: Mapping[str, Any]) -> Iterator[str]:
    """What a candidate is, in a few words each."""
    if candidate["note"]:
        yield candidate["note"]
    if candidate["demos"]:
        yield f"{counted(len(candidate['demos']), 'demonstration')} in it"
    if candidate["score"]:
        yield counted(candidate["score"]["n"], "task")


def _demo(demo: Mapping[str, Any]) -> dict[str, Any]:
    """A demonstration as it is shown: what is given, the steps, and what is answered."""
    values = demo["values"]
    inputs = demo.get("inputs") or []
    marks = {"task_id", "group"}
    given = [(name, values[name]) for name in inputs if name in values]
    answered = [(name, value) for name, value in values.items() if name not in inputs and name not in marks]
    return {
        "path": demo.get("path", ""),
        "task": values.get("task_id", ""),
        "given": given,
        "answered": answered,
        "steps": list(map(_step, demo.get("trajectory") or ())),
    }


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    results: Sequence[Mapping[str, Any]] = step["results"]
    calls = [
        {
            "name": call["name"],
            "args": call["args"],
            "content": results[place]["content"] if place < len(results) else "",
            "error": results[place]["error"] if place < len(results) else None,
        }
        for place, call in enumerate(step["calls"])
    ]
    return {"thought": step["thought"], "calls": calls}


def _phase(name: str, used: Mapping[str, Any]) -> dict[str, str]:
    return {
        "name": name,
        "planned": "" if used["planned"] is None else number(used["planned"]),
        "rollouts": number(used["rollouts"]),
        "replays": number(used["replays"]),
        "calls": number(used["calls"]),
        "tokens": number(used["tokens"]),
        "cost": "not known" if used["usd"] is None else dollars(used["usd"]),
    }
