"""Which successes may be imitated, and what is left of them: the gate, the rewriting, the shortlist."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from loopwright import Example, Module, ReAct, Step, Trajectory
from loopwright.errors import ConfigurationError
from loopwright.evaluation.metrics import exact_match
from loopwright.optimizers import BootstrapTrajectories
from loopwright.optimizers.driving.execution import Execution
from loopwright.optimizers.driving.rollouts import Batch
from loopwright.optimizers.splits import of_example
from loopwright.optimizers.trajectories.flow import Seen
from loopwright.optimizers.trajectories.gate import Gate
from loopwright.optimizers.trajectories.rewrite import Rewriting, mended, shortened, unused
from loopwright.optimizers.trajectories.runs import Act, Shown, acts_of, agents_in, tools_of
from loopwright.optimizers.trajectories.shortlist import by_coverage, distinct, features
from loopwright.tools import ErrorKind, Tool, ToolCall, ToolContext, ToolResult

PRICES = {"lamp": 29.9, "desk": 310.0, "chair": 75.5}


def price_of(item: str) -> str:
    """The price of an item."""
    return f"{item}: {PRICES[item]:.2f} EUR"


def manual(topic: str) -> str:
    """Search the manual."""
    return f"page 77 of the manual has 311.05 words on {topic}"


def catalogue(item: str) -> str:
    """Every line on an item."""
    return "\n".join(
        [*(f"shelf {k} of the cellar" for k in range(300)), price_of(item), *("(end)" for _ in range(99))]
    )


def flaky_price_of(item: str, context: ToolContext) -> str:
    """The price of an item, from a desk that is busy at first."""
    if not context.state.setdefault("asked", 0):
        context.state["asked"] = 1
        raise RuntimeError("503 busy")
    return price_of(item)


def unlock(item: str, context: ToolContext) -> str:
    """Open an item's drawer."""
    context.state["open"] = True
    return "done"


def drawer_price_of(item: str, context: ToolContext) -> str:
    """The price in the drawer."""
    return price_of(item) if context.state.get("open") else "locked: 0.00 EUR"


def pay(amount: float) -> str:
    """Pay an amount."""
    return "paid"


READS: list[Callable[..., object]] = [price_of, manual, catalogue, flaky_price_of, unlock, drawer_price_of]
AGENT = ReAct(
    "question -> answer: str", tools=[*(Tool(one, effect="read") for one in READS), Tool(pay, effect="write")]
)


def ran(name: str, content: str, error: ErrorKind | None = None, thought: str = "", **args: object) -> Step:
    call = ToolCall(name, args)
    return Step(thought, (call,), (ToolResult(call, content, error),))


def submitted(answer: object, thought: str = "") -> Step:
    return ran("submit", "Submitted.", thought=thought, answer=answer)


def example(answer: object = "29.90", question: str = "What is the lamp?") -> Example:
    return Example(question=question, answer=answer, task_id="t1").with_inputs("question")


def shown(*steps: Step, of: Example | None = None) -> Shown:
    own = of or example()
    answer = steps[-1].calls[0].args.get("answer")
    demo = Example(question=own.question, answer=answer, trajectory=Trajectory(steps)).with_inputs("question")
    return Shown("react", of_example(demo, own), "a test")


LAMP = ran("price_of", "lamp: 29.90 EUR", item="lamp")
DESK = ran("price_of", "desk: 310.00 EUR", item="desk")


# ---- the gate


@pytest.mark.parametrize(
    ("steps", "answer", "reason"),
    [
        pytest.param([LAMP, submitted("29.90")], "29.90", "", id="sound"),
        pytest.param([LAMP], "29.90", "it did not end by submitting", id="no end"),
        pytest.param(
            [LAMP, ran("submit", "Error: answer: must be a text", "invalid_args", answer=3)],
            "29.90",
            "it did not end by submitting",
            id="a refused end",
        ),
        pytest.param(
            [ran("price_of", "Error: item is missing", "invalid_args"), LAMP, submitted("29.90")],
            "29.90",
            "price_of was called wrongly (invalid_args)",
            id="a wrong call",
        ),
        pytest.param(
            [submitted("29.90")], "29.90", "support: 29.9 in the answer was read nowhere", id="from nowhere"
        ),
        pytest.param(
            [LAMP, submitted("a green one from Oslo")],
            "x",
            "support: green in the answer was read nowhere",
            id="words from nowhere",
        ),
        pytest.param([LAMP, DESK, submitted("339.90")], "339.90", "", id="the sum of what was read"),
        pytest.param(
            [
                ran("price_of", "lamp: 29.90 EUR", thought="It must be 29.90.", item="lamp"),
                submitted("29.90"),
            ],
            "29.90",
            "leak: 29.9 is thought of before it was read",
            id="known beforehand",
        ),
        pytest.param(
            [LAMP, submitted("29.90", thought="So it is 29.90.")],
            "29.90",
            "",
            id="thought of once it was read",
        ),
        pytest.param(
            [submitted("yes")], "yes", "luck: 'yes' was answered without looking anything up", id="a guess"
        ),
        pytest.param(
            [LAMP, submitted("yes")],
            "yes",
            "luck: 'yes' can be guessed, and 25% of the attempts passed",
            id="luck",
        ),
        pytest.param(
            [LAMP, ran("pay", "paid", amount=31.0), submitted("29.90")],
            "29.90",
            "support: 31 was given to pay and read nowhere",
            id="a payment from nowhere",
        ),
        pytest.param(
            [LAMP, ran("pay", "paid", amount=29.9), submitted("29.90")],
            "29.90",
            "",
            id="a payment of what was read",
        ),
    ],
)
def test_the_gate_says_what_is_wrong_with_a_success(steps: Sequence[Step], answer: str, reason: str) -> None:
    own = example(answer)
    assert Gate(agents_in(AGENT), passed={"t1": 0.25}).refusal(shown(*steps, of=own), own) == reason


def test_an_answer_of_which_there_are_few_needs_more_than_a_pass() -> None:
    own = example("green")
    steps = [ran("price_of", "lamp, green", item="lamp"), submitted("green")]
    lucky = Gate(agents_in(AGENT), frozenset({"green", "red"}), {"t1": 0.2})
    assert lucky.refusal(shown(*steps, of=own), own).startswith("luck")
    assert (
        Gate(agents_in(AGENT), frozenset({"green", "red"}), {"t1": 0.8}).refusal(shown(*steps, of=own), own)
        == ""
    )


def test_where_no_tool_says_that_it_reads_arguments_need_no_support() -> None:
    undeclared = ReAct("question -> answer: str", tools=[price_of, pay])
    run = shown(LAMP, ran("pay", "paid", amount=31.0), submitted("29.90"))
    assert Gate(agents_in(undeclared)).refusal(run, example()) == ""
    assert Gate(agents_in(AGENT)).refusal(run, example()).startswith("support: 31")


def test_a_reply_is_in_the_agents_own_words_but_for_its_numbers() -> None:
    own = Example(question="What is the lamp?", task_id="t1").with_inputs("question")
    assert Gate(agents_in(AGENT)).refusal(shown(LAMP, submitted("Gladly: 29.90."), of=own), own) == ""
    refusal = Gate(agents_in(AGENT)).refusal(shown(LAMP, submitted("Gladly: 77.12."), of=own), own)
    assert refusal == "support: 77.12 in the answer was read nowhere"


def test_one_word_of_a_long_right_answer_is_no_leak() -> None:
    own = example("The lamp costs 29.90 EUR, delivery included")
    told = "I wonder whether delivery matters."
    run = shown(ran("price_of", "lamp: 29.90 EUR", thought=told, item="lamp"), submitted("29.90 EUR"), of=own)
    assert Gate(agents_in(AGENT)).refusal(run, own) == ""


def test_a_number_is_supported_by_one_step_of_arithmetic_and_no_more() -> None:
    seen = Seen()
    seen.add("12.50 and 30.10, at 19%")
    assert [seen.unsupported(value) for value in (42.6, "17.60", 376.25, 2.375, 30.1)] == [""] * 5
    assert seen.unsupported(73.1) == "73.1"
    assert seen.unsupported({"total": [42.6, 99.9]}) == "99.9"


# ---- rewriting


def names(one: Shown) -> list[str]:
    return [act.call.name for act in acts_of(one.trajectory)]


def test_failed_calls_go_and_an_error_that_the_same_call_made_good_stays() -> None:
    busy = ran("flaky_price_of", "Error: 503 busy", "raised", item="lamp")
    again = ran("flaky_price_of", "lamp: 29.90 EUR", item="lamp")
    wrong = ran("price_of", "Error: item is missing", "invalid_args")
    lost = ran("manual", "Error: closed", "raised", topic="lamps")
    rewritten = mended(shown(wrong, busy, again, lost, submitted("29.90")))
    assert names(rewritten) == ["flaky_price_of", "flaky_price_of", "submit"]
    assert rewritten.changes == ("dropped a failed call of price_of", "dropped a failed call of manual")


def test_a_read_that_is_repeated_and_says_the_same_goes() -> None:
    other = ran("price_of", "desk: 310.00 EUR", item="desk")
    assert names(mended(shown(LAMP, other, LAMP, submitted("339.90")))) == ["price_of", "price_of", "submit"]


def test_the_steps_that_the_answer_does_not_rest_on_are_found() -> None:
    detour = ran("manual", "page 77 of the manual has 311.05 words on lamps", topic="lamps")
    run = shown(detour, LAMP, submitted("29.90"))
    assert unused(run, acts_of(run.trajectory), tools_of(AGENT)) == [0]


def test_what_writes_counts_though_nothing_is_read_from_it() -> None:
    run = shown(LAMP, ran("pay", "paid", amount=29.9), submitted("done"))
    assert unused(run, acts_of(run.trajectory), tools_of(AGENT)) == []


def test_a_yes_rests_on_what_was_read_last() -> None:
    run = shown(ran("manual", "page 77", topic="x"), LAMP, submitted("yes"))
    assert unused(run, acts_of(run.trajectory), tools_of(AGENT)) == [0]


def play(rewriting: Rewriting, successes: Sequence[tuple[Example, Shown]]) -> list[Shown | None]:
    """Rewrite, with every replay run for real."""
    stage = rewriting.siblings(successes)
    batch: Batch = next(stage)
    while True:
        outcomes = [Execution(exact_match).execute(one, {}) for one in batch.rollouts]
        try:
            batch = stage.send(outcomes)
        except StopIteration as stop:
            return [one.after for one in stop.value]


def rewriting(agent: Module = AGENT) -> Rewriting:
    return Rewriting(agent, lambda one, acts: unused(one, acts, tools_of(AGENT)))


def test_a_detour_goes_where_a_replay_without_it_changes_nothing() -> None:
    detour = ran("manual", "page 77 of the manual has 311.05 words on lamps", topic="lamps")
    (after,) = play(rewriting(), [(example(), shown(detour, LAMP, submitted("29.90")))])
    assert after is not None
    assert (names(after), after.replayed) == (["price_of", "submit"], True)
    assert after.changes == ("dropped manual, which nothing rests on",)


def test_a_step_that_a_later_one_needs_stays_though_nothing_is_read_from_it() -> None:
    run = shown(
        ran("unlock", "done", item="lamp"),
        ran("drawer_price_of", "lamp: 29.90 EUR", item="lamp"),
        submitted("29.90"),
    )
    assert unused(run, acts_of(run.trajectory), tools_of(AGENT)) == [0]
    (after,) = play(rewriting(), [(example(), run)])
    assert after is not None
    assert names(after) == ["unlock", "drawer_price_of", "submit"]


def test_a_retry_stays_whole() -> None:
    run = shown(
        ran("flaky_price_of", "Error: 503 busy", "raised", item="lamp"),
        ran("flaky_price_of", "lamp: 29.90 EUR", item="lamp"),
        submitted("29.90"),
    )
    (after,) = play(rewriting(), [(example(), run)])
    assert after is not None
    assert names(after) == names(run)


def test_replay_alone_would_let_every_look_up_go() -> None:
    """Why both conditions are needed: a recorded answer still passes after every read is deleted."""

    def every(one: Shown, acts: Sequence[Act]) -> list[int]:
        return [place for place, act in enumerate(acts) if act.call.name != "submit"]

    (after,) = play(Rewriting(AGENT, every), [(example(), shown(LAMP, submitted("29.90")))])
    assert after is not None
    assert names(after) == ["submit"]


def test_what_does_not_pass_again_is_no_demonstration() -> None:
    (after,) = play(rewriting(), [(example("31.00"), shown(LAMP, submitted("29.90")))])
    assert after is None


def test_a_long_observation_keeps_its_ends_and_what_is_used() -> None:
    run = shown(ran("catalogue", catalogue("lamp"), item="lamp"), submitted("29.90"))
    content = shortened(run).trajectory.results[0].content
    assert len(content) < 1_400 < len(catalogue("lamp"))
    assert "lamp: 29.90 EUR" in content
    assert content.startswith("shelf 0")
    assert content.endswith("(end)")
    assert "characters left out" in content


# ---- the shortlist


def test_of_runs_that_do_the_same_the_shortest_is_kept() -> None:
    long = ran("price_of", "lamp: 29.90 EUR " + "and so on " * 50, item="lamp")
    kept = distinct([shown(long, submitted("29.90")), shown(LAMP, submitted("29.90"))])
    assert [one.tokens for one in kept] == [shown(LAMP, submitted("29.90")).tokens]


def test_what_adds_most_comes_first_and_what_adds_nothing_last() -> None:
    plain = shown(LAMP, submitted("29.90"))
    twice = shown(LAMP, ran("price_of", "desk: 310.00 EUR", item="desk"), submitted("339.90"))
    retried = shown(
        ran("flaky_price_of", "Error: 503 busy", "raised", item="lamp"),
        ran("flaky_price_of", "lamp: 29.90 EUR", item="lamp"),
        submitted("29.90"),
    )
    assert by_coverage([plain, retried, twice])[0] is retried
    assert by_coverage([plain, twice], [retried, plain])[0] is twice
    assert ("error", ("flaky_price_of", "raised")) in features(retried)


# ---- what can't be learned from


def test_a_program_without_an_agent_is_refused_with_what_to_use() -> None:
    from loopwright import Predict

    with pytest.raises(ConfigurationError, match="no agent: use BootstrapFewShot"):
        BootstrapTrajectories(exact_match).compile(
            Predict("question -> answer"),
            trainset=[Example(question="?", answer="!").with_inputs("question")],
        )


@pytest.mark.parametrize("option", ["max_demos", "max_tokens", "attempts", "rounds", "width"])
def test_an_option_that_makes_no_sense_is_refused(option: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{option} must be at least 1, not 0"):
        BootstrapTrajectories(exact_match, **{option: 0})
