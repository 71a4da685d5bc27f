"""A comparison with a baseline (`loopwright.evaluation.runs.comparison`, as JSON) as the template shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .plots import interval_bar

LISTED = 8  # tasks that changed, with the step at which the two runs part
SIGNS = {"broken": "▼", "worse": "▽", "fixed": "▲", "better": "△", "unchanged": "="}


def compared_view(comparison: Mapping[str, Any]) -> dict[str, Any]:
    """The verdict, both rates, how many tasks changed in which way, and where those part that did."""
    order = list(SIGNS)
    changed = [task for task in comparison["tasks"] if task["change"] in order[:-1]]
    changed.sort(key=lambda task: order.index(task["change"]))
    return {
        "baseline": comparison["baseline"],
        "verdict": comparison["verdict"],
        "sentence": comparison["sentence"],
        "notes": comparison["notes"],
        "rates": [
            {"name": name, "rate": comparison[side], "bar": interval_bar(comparison[side])}
            for name, side in (("before", "before"), ("now", "after"))
        ],
        "changes": [
            {"name": name, "sign": SIGNS.get(name, "·"), "count": count}
            for name, count in comparison["counts"].items()
        ],
        "tasks": [_task(task) for task in changed[:LISTED]],
        "more": max(len(changed) - LISTED, 0),
    }


def _task(task: Mapping[str, Any]) -> dict[str, Any]:
    where = task["parting"] or {}
    return {
        "id": task["id"],
        "change": task["change"],
        "sign": SIGNS[task["change"]],
        "passed": " → ".join(f"{passed} of {made}" for passed, made in (task["before"], task["after"])),
        "step": where.get("step", 0),
        "was": where.get("was", ""),
        "now": where.get("now", ""),
        "note": task["note"],
    }


def task_changes(comparison: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """What the trials' own places on the page need: by file and id, how the task changed and where the runs part."""
    return {
        (task["file"], task["id"]): {"change": task["change"], "parting": task["parting"]}
        for task in comparison["tasks"]
    }
