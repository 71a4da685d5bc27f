"""What the page's template shows, worked out of a report's JSON: words, numbers in a readable form, plots."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from ....text import plain
from ..figures import percent
from .compared import compared_view
from .payload import NAME
from .plots import Amount, histogram, interval_bar, outcome_bar, power_curve

CLUSTERS = 12  # groups of failures that are listed
TOOLS = 60  # rows of the table of tools: a model may call any name
MISFITS = 8  # parameters that are named
ENOUGH = 3  # trials for a distribution
GROUP = 40  # rows of a table of rates


def view(
    report: Mapping[str, Any], comparison: Mapping[str, Any] | None, *, cut_at: int | None
) -> dict[str, Any]:
    """The values of the template's names."""
    summary = report["summary"]
    return {
        "report": report,
        "title": ", ".join(dict.fromkeys(task["file"] for task in report["tasks"])) or "Evaluation",
        "facts": list(_facts(report)),
        "notices": list(_notices(report, cut_at)),
        "summary": summary,
        "headline": summary["pass_at_1"],
        "headline_bar": interval_bar(summary["pass_at_1"]),
        "counts": {name: summary[name] for name in ("passed", "failed", "excluded")},
        "outcomes": outcome_bar({name: summary[name] for name in ("passed", "failed", "excluded")}),
        "tiles": list(_tiles(report)),
        "compared": compared_view(comparison) if comparison else None,
        "clusters": [_cluster(cluster) for cluster in report.get("clusters", ())[:CLUSTERS]],
        "more_clusters": report.get("clusters", ())[CLUSTERS:],
        "flaky": report.get("flaky", []),
        "groups": list(_groups(report)),
        "plots": list(_plots(report)),
        "endings": dict(islice(report.get("endings", {}).items(), TOOLS)),
        "tools": [_tool(name, figures) for name, figures in islice(report.get("tools", {}).items(), TOOLS)],
        "more_tools": max(len(report.get("tools", {})) - TOOLS, 0),
        "percent": percent,
        "number": number,
        "duration": duration,
        "bar": interval_bar,
    }


def shown(value: object) -> str:
    r"""A value from anywhere as text, with its control characters and what else is invisible made visible.

    >>> shown("\x1b[1m a\u200bb")
    '␛[1m a<200B>b'
    """
    return _INVISIBLE.sub(lambda found: f"<{ord(found[0]):04X}>", plain(str(value)))


_INVISIBLE = re.compile("[\u00ad\u180e\u200b\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")


def _facts(report: Mapping[str, Any]) -> Iterator[str]:
    yield report["model"] or "no model named"
    tasks = len(report["tasks"])
    yield f"{tasks:,} {'task' if tasks == 1 else 'tasks'}" + (
        f" × {report['epochs']}" if report["epochs"] > 1 else ""
    )
    yield moment(report["started"])
    yield f"took {duration(report['seconds'])}"


def _notices(report: Mapping[str, Any], cut_at: int | None) -> Iterator[str]:
    summary = report["summary"]
    if report["interrupted"]:
        yield f"Not complete: {summary['trials']:,} of {report['planned']:,} trials were made."
    if summary["excluded"]:
        yield (
            f"{summary['excluded']:,} of {summary['trials']:,} trials are excluded: they could not be made, for a "
            "reason that is not the agent's. No rate counts them."
        )
    if summary["cached"]:
        yield f"{summary['cached']:,} answers came from a cache: their tokens and money count as 0."
    for role, usage in summary.get("other_usage", {}).items():
        tokens = number(usage["prompt_tokens"] + usage["completion_tokens"])
        price = "a price is not known" if usage["usd"] is None else dollars(usage["usd"])
        yield f"Models that were {role} took {tokens} tokens, {price}: the figures are without them."
    if cut_at is not None:
        yield f"Texts are cut at {cut_at:,} characters on this page; report.json has them whole."


def _tiles(report: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    summary = report["summary"]
    most = max((int(k) for k, rate in summary["pass_power"].items() if rate["n"]), default=1)
    if most > 1:
        rate = summary["pass_power"][str(most)]
        yield _tile(
            f"pass^{most}", percent(rate["value"]), f"{_ends(rate)}: all of {most} trials of a task pass"
        )
    partial = summary.get("partial")
    if partial:
        yield _tile("Partial credit", percent(partial["value"]), f"{_ends(partial)}: the mean score")
    yield _tile("Checks passed", percent(summary["checks"]), "the part of all checks that passed")
    for name, words in (("steps", "Steps"), ("tool_calls", "Tool calls"), ("tokens", "Tokens")):
        spread = summary[name]
        yield _tile(
            words, number(spread["p50"]), f"p95 {number(spread['p95'])}, {number(spread['total'])} in all"
        )
    spread = summary["seconds"]
    yield _tile(
        "Time", duration(spread["p50"]), f"p95 {duration(spread['p95'])}, {duration(spread['total'])} in all"
    )
    money, usd = summary.get("money"), summary["usd"]
    if usd is None:
        yield _tile("Money", "–", "a price is not known")
    else:
        p95 = f"p95 {dollars(money['p95'])}, " if money and usd else ""
        yield _tile("Money", dollars(money["p50"] if money else usd), f"{p95}{dollars(usd)} in all")


def _tile(name: str, value: str, note: str) -> dict[str, str]:
    return {"name": name, "value": value, "note": note}


def _ends(rate: Mapping[str, Any]) -> str:
    return f"{percent(rate['low'])} to {percent(rate['high'])}"


def _tool(name: str, figures: Mapping[str, Any]) -> dict[str, Any]:
    invalid = figures.get("invalid", {})
    return {
        **figures,
        "name": name[:NAME],
        "invalid": dict(islice(invalid.items(), MISFITS)),
        "repeats": figures.get("repeats", 0),
    }


def _cluster(cluster: Mapping[str, Any]) -> dict[str, Any]:
    trials = cluster["trials"]
    return {
        "check": cluster["check"],
        "example": cluster["example"],
        "trials": len(trials),
        "tasks": len({(trial["file"], trial["id"]) for trial in trials}),
    }


_TITLES = {"tag": "By tag", "check": "By check", "split": "By split", "file": "By file"}


def _groups(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Tables of rates: those with one row of all the trials are left out."""
    for group, title in _TITLES.items():
        rates = report["by"].get(group, {})
        if len(rates) > (group == "file"):
            yield {
                "name": group,
                "title": title,
                "rates": list(rates.items())[:GROUP],
                "more": max(len(rates) - GROUP, 0),
            }


def _plots(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    powers = report["summary"]["pass_power"]
    if len([rate for rate in powers.values() if rate["n"]]) > 1:
        note = "How often all of k trials of one task pass, with 95% intervals."
        yield {"title": "pass^k", "note": note, "svg": power_curve(powers), "legend": False}
    trials = [trial for task in report["tasks"] for trial in task["trials"] if trial["outcome"] != "excluded"]
    for title, note, label, values in _amounts(trials):
        amounts = [
            Amount(value, trial["outcome"] == "passed")
            for value, trial in zip(values, trials, strict=True)
            if value is not None
        ]
        if len(amounts) >= ENOUGH and any(amount.value for amount in amounts):
            yield {"title": title, "note": note, "svg": histogram(amounts, label), "legend": True}


def _amounts(
    trials: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[str, str, Callable[[float], str], list[float | None]]]:
    yield "Steps", "Trials by the steps they took.", number, [len(trial["trajectory"]) for trial in trials]
    yield "Money", "Trials by what they cost.", dollars, [trial["usage"]["usd"] for trial in trials]
    tokens = [trial["usage"]["prompt_tokens"] + trial["usage"]["completion_tokens"] for trial in trials]
    yield "Tokens", "Trials by the tokens they used.", number, [float(count) for count in tokens]
    yield "Time", "Trials by how long they took.", duration, [trial["seconds"] for trial in trials]


# Numbers as people read them


def number(value: float) -> str:
    """A count or a mean of counts.

    >>> number(3412.25), number(2.5), number(0)
    ('3,412', '2.5', '0')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}".removesuffix(".0")


def dollars(usd: float) -> str:
    """An amount of money with as many digits as say something.

    >>> dollars(0), dollars(0.00213), dollars(12.5), dollars(1234.567)
    ('$0', '$0.0021', '$12.50', '$1,234.57')
    """
    if not usd:
        return "$0"
    return f"${usd:.2g}" if 0.000001 < usd < 0.01 else f"${usd:,.2f}" if usd >= 1 else f"${usd:.3f}"


def duration(seconds: float) -> str:
    """A length of time.

    >>> duration(0.042), duration(4.25), duration(192), duration(7300)
    ('42 ms', '4.2 s', '3 min 12 s', '2 h 1 min')
    """
    if not seconds:
        return "0 s"
    if seconds < 0.001:
        return f"{1e6 * seconds:.0f} µs"
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def moment(started: str) -> str:
    """A time in words; what is no time stays as it is.

    >>> moment("2026-11-22T14:03:59+00:00"), moment("soon")
    ('22 Nov 2026, 14:03 UTC', 'soon')
    """
    try:
        when = datetime.fromisoformat(started)
    except ValueError:
        return started
    return f"{when.day} {when:%b %Y, %H:%M}" + (f" {when.tzname()}" if when.tzname() else "")
