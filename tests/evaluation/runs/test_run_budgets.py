"""What a run may cost, what it would cost at most, and a key that is not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kept_runs import FILE, Reckoner, Run, report_of
from replay import always

from loopwright import TaskFile, Trajectory
from loopwright.errors import BudgetError
from loopwright.evaluation import TrialResult, TurnMade, Verdict, plan
from loopwright.evaluation.runs.dry_run import extent
from loopwright.evaluation.runs.spending import Allowance, book
from loopwright.models import LMRequest, LMResponse, Usage
from loopwright.models.scripted import Answer, as_response
from loopwright.runtime import Budget
from loopwright.trajectory import Step


class Priced(Reckoner):
    """Each answer takes 1,000 tokens and costs a tenth of a dollar, or nobody knows what."""

    def __init__(self, usd: float | None = 0.1) -> None:
        super().__init__()
        self.usd = usd

    def __call__(self, request: LMRequest) -> Answer:
        answer = as_response(super().__call__(request), "priced")
        return LMResponse(answer.text, answer.tool_calls, usage=Usage(990, 10, usd=self.usd))


@pytest.mark.parametrize(
    ("budget", "trials"),
    [("calls=5", 2), ("usd=0.5", 2), ("usd=1e9,calls=4", 2), ("tokens=1e6", 4), ("seconds=1000", 4)],
)
def test_a_run_ends_with_its_budget(run: Run, tasks: Path, tmp_path: Path, budget: str, trials: int) -> None:
    model = Priced()
    code, out, err = run(tasks, "--out", tmp_path / "kept", "--workers", "1", "--budget", budget, lm=model)
    report = report_of(tmp_path / "kept")
    assert report["summary"]["trials"] == trials
    assert report["summary"]["failed"] == 0  # a trial that the budget cut short is no failure
    if trials == 4:
        assert code == 0
        return
    assert code == 4
    assert "stopped: the budget of " in err
    assert f"not complete: {trials} of 4 trials were made" in out
    assert json.loads((tmp_path / "kept" / "run.json").read_text())["status"] == "out of budget"


def test_a_run_that_ran_out_goes_on_with_a_larger_budget(run: Run, tasks: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept"
    first = Priced()
    run(tasks, "--out", out, "--workers", "1", "--budget", "calls=5", lm=first)
    assert len(first.asked) == 5
    code, _, err = run(tasks, "--out", out, "--resume", "--workers", "1", "--budget", "calls=5", lm=first)
    assert code == 2
    assert "the budget of 5 calls is used up: this run has spent 5 already. Raise it to go on" in err
    second = Priced()
    code, _, _ = run(tasks, "--out", out, "--resume", "--workers", "1", "--budget", "calls=8", lm=second)
    assert (code, len(second.asked)) == (4, 3)  # one trial, and half of another
    code, _, _ = run(tasks, "--out", out, "--resume", "--workers", "1", "--budget", "calls=10", lm=second)
    assert (code, len(second.asked)) == (0, 5)
    run(tasks, "--out", tmp_path / "whole", lm=Priced())
    assert report_of(out) == report_of(tmp_path / "whole")
    sessions = json.loads((out / "run.json").read_text())["sessions"]
    assert [one["calls"] for one in sessions] == [5, 3, 2]
    assert sum(one["usd"] for one in sessions) == pytest.approx(
        1.0
    )  # the calls of dropped trials are counted


def test_what_a_killed_session_spent_is_read_from_its_trials(run: Run, tasks: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept"
    run(tasks, "--out", out, "--workers", "1", "--budget", "calls=5", lm=Priced())
    manifest = json.loads((out / "run.json").read_text())
    manifest["sessions"][0] |= {
        "seconds": 0.0,
        "calls": 0,
        "tokens": 0,
        "usd": 0.0,
    }  # as a killed one leaves it
    (out / "run.json").write_text(json.dumps(manifest))
    code, _, err = run(tasks, "--out", out, "--resume", "--workers", "1", "--budget", "calls=4", lm=Priced())
    assert code == 2
    assert "this run has spent 4 already" in err


def test_a_budget_in_dollars_needs_prices(run: Run, tasks: Path) -> None:
    code, _, err = run(tasks, "--workers", "1", "--budget", "usd=5", lm=Priced(None))
    assert code == 4
    assert "a budget in dollars needs prices" in err


def test_the_budget_holds_for_all_workers_together(run: Run, tasks: Path, tmp_path: Path) -> None:
    model = Priced()
    run(
        tasks,
        "--out",
        tmp_path / "kept",
        "--epochs",
        "10",
        "--workers",
        "4",
        "--budget",
        "calls=30",
        lm=model,
    )
    assert len(model.asked) == 30
    assert report_of(tmp_path / "kept")["summary"]["trials"] == 15  # two calls each: none went into nothing


def test_a_trial_of_elsewhere_is_booked_with_all_whom_it_asked() -> None:
    [trial, *_] = plan(TaskFile.parse(FILE))
    turns = [TurnMade(0, "Hello?", user_model="openai/user"), TurnMade(1, "As it is written.")]
    made = TrialResult(
        "sums",
        trial.task,
        0,
        "passed",
        trajectory=Trajectory((Step("", (), ()),) * 3),
        cached=1,
        usage=Usage(90, 10, usd=0.1),
        other_usage={"users": Usage(20, 5, usd=0.2), "judges": Usage(30, 5, usd=0.3)},
        turns=turns,
        verdicts={"a": Verdict("openai/judge", passed=True), "b": Verdict("openai/judge", error="AuthError")},
    )
    budget = Budget(calls=5)
    book(budget, made)
    assert (budget.calls, budget.usage.total_tokens) == (4, 160)
    assert budget.usage.usd == pytest.approx(0.6)
    with pytest.raises(BudgetError, match="the budget of 5 calls is used up"):
        book(budget, made)


@pytest.mark.parametrize("budget", ["calls=9", "tokens=9000", "usd=0.9"])
def test_no_more_trials_are_begun_than_the_budget_has_room_for(
    run: Run, tasks: Path, tmp_path: Path, budget: str
) -> None:
    model = Priced()  # two calls a trial
    code, out, err = run(
        tasks, "--out", tmp_path / "kept", "--epochs", "9", "--workers", "8", "--budget", budget, lm=model
    )
    assert (code, len(model.asked)) == (4, 9)
    assert "not complete: 4 of 36 trials were made" in out
    assert err.endswith("; 1 call went into trials that it cut short\n")


def test_a_run_that_is_gone_on_with_knows_what_its_trials_took(run: Run, tasks: Path, tmp_path: Path) -> None:
    options = ["--out", tmp_path / "kept", "--epochs", "9", "--workers", "8"]
    run(tasks, *options, "--budget", "calls=8", lm=Priced())
    code, out, err = run(tasks, *options, "--resume", "--budget", "calls=16", lm=Priced())
    assert code == 4
    assert "not complete: 8 of 36 trials were made" in out
    assert err.rstrip().endswith("stopped: the budget of 16 calls is used up")


@pytest.mark.parametrize(
    ("budget", "limits", "at_once"),
    [
        (Budget(), "{}", 40),
        (Budget(seconds=5), "{}", 40),
        (Budget(calls=50), "{steps: 4}", 9),  # five calls each at most: four steps, and one for the answer
        (Budget(tokens=1000), "{tokens: 250}", 3),
        (Budget(tokens=1000), "{steps: 4}", 0),
        (Budget(calls=1000, usd=1.0), "{usd: 0.5}", 1),
    ],
    ids=["no bound", "time", "calls", "tokens", "tokens of no known number", "the tighter of two"],
)
def test_before_a_trial_is_made_its_limits_say_what_it_may_take(
    budget: Budget, limits: str, at_once: int
) -> None:
    [trial, *_] = plan(TaskFile.parse(FILE.replace("{seed: 7}", f"{{limits: {limits}}}")))
    allowance = Allowance(budget)
    assert [allowance.may_begin(trial, under_way) for under_way in range(1, 41)] == [True] * at_once + [
        False
    ] * (40 - at_once)


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        (
            "dollars=2",
            "a budget has no 'dollars'; there are usd, tokens, calls, seconds, as in usd=2,tokens=1e6",
        ),
        ("usd=much", "a budget's usd is a number of at least 0, not 'much'"),
        ("usd=-1", "a budget's usd is a number of at least 0, not '-1'"),
        ("usd=nan", "a budget's usd is a number of at least 0, not 'nan'"),
        ("usd=1,usd=2", "the budget says usd twice"),
        (",", "the budget is empty"),
        ("usd", "a budget's usd is a number of at least 0, not ''"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(run: Run, tasks: Path, budget: str, message: str) -> None:
    model = Reckoner()
    code, _, err = run(tasks, "--budget", budget, lm=model)
    assert (code, model.asked) == (2, [])
    assert message in err


# A dry run


def test_a_dry_run_says_what_would_be_asked_and_asks_nobody(run: Run, tasks: Path, tmp_path: Path) -> None:
    model = Reckoner()
    code, out, _ = run(tasks, "--dry-run", "--epochs", "3", "--out", tmp_path / "kept", lm=model)
    assert (code, model.asked) == (0, [])
    assert out == (
        "always: 4 tasks × 3 epochs: 12 trials\n"
        "at most 252 calls of models, repeats after failures apart; nothing was run\n"
    )
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("change", "calls"),
    [
        (("{seed: 7}", "{limits: {steps: 4}}"), 20),
        (("agent: {", "agent: {module: predict, "), 12),
        (("agent: {", "agent: {module: chain_of_thought, "), 12),
    ],
    ids=["limits", "predict", "chain of thought"],
)
def test_limits_and_modules_bound_the_calls(change: tuple[str, str], calls: int) -> None:
    text = FILE.replace(*change)
    if "module" in change[1]:
        text = text.replace(", tools: [calculate]", "").replace(
            ", calls: {required: [{tool: calculate, extra: allow}]}", ""
        )
    assert extent(plan(TaskFile.parse(text))).calls == calls


def test_a_model_without_a_key_is_refused_before_any_trial(run: Run, tasks: Path, tmp_path: Path) -> None:
    code, out, err = run(tasks, "--model", "openai/gpt-5-mini", "--out", tmp_path / "kept", lm=always(""))
    assert (code, out) == (2, "")
    assert err == (
        "error: openai/gpt-5-mini: there is no key: set OPENAI_API_KEY, or pass api_key=; nothing was run\n"
    )
    assert not (tmp_path / "kept").exists()
