"""Score the embedded model: `python -m examples.train_embedded.evaluate`.

Every question is put to a real agent. `ReAct` has real tools: the built-in ones under the names of the scene,
and look-up tools over the scene's records; `ProgramOfThought` and `CodeAct` have the real sandbox. A question
counts as solved when the submitted answer is right. The table goes into CARD.md, between its markers.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import yaml

import loopwright
from loopwright.models.base import BaseLM, LMRequest, LMResponse
from loopwright.models.embedded import FOLDER, EmbeddedLM
from loopwright.tools import Tool, ToolFailed, ToolRegistry
from loopwright.tools.builtin import builtin_tool
from loopwright.tools.calls import ToolCall, ToolResult, ToolSpec
from loopwright.trajectory import Step, Trajectory

from .conventions import CONVENTIONS
from .mixture import FAMILIES, NUMERIC, Draw, draw_episodes
from .scene import Episode, SceneTool, Settings

MAX_STEPS = 8
HANDWRITTEN = Path(__file__).parent / "handwritten.yaml"
_BUILT_IN = {
    "calculate": "calculate",
    "convert": "convert_units",
    "date": "date_math",
    "shift": "date_math",
    "count": "date_math",
}
_PYTHON = {"number": "float", "integer": "int", "string": "str", "date": "date"}
_BEGIN, _END = "<!-- scores: begin -->", "<!-- scores: end -->"


@dataclass(frozen=True, slots=True)
class Question:
    """A question with real tools, the agent's signature, and the right answer."""

    family: str
    signature: str
    inputs: Mapping[str, str]
    tools: ToolRegistry
    answer: object
    demos: tuple[loopwright.Example, ...] = ()
    module: str = "react"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question; `seconds` are those of each of the model's turns."""

    family: str
    solved: bool
    steps: int
    seconds: tuple[float, ...]
    shown: str


class Timed(BaseLM):
    """A model that notes how long each answer took."""

    def __init__(self, inner: BaseLM) -> None:
        self.model, self._inner = inner.model, inner
        self.seconds: list[float] = []

    @property
    def capabilities(self) -> Any:
        """Those of the model inside."""
        return self._inner.capabilities

    def complete(self, request: LMRequest) -> LMResponse:
        """Answer, and note the time."""
        started = time.perf_counter()
        try:
            return self._inner.complete(request)
        finally:
            self.seconds.append(time.perf_counter() - started)


def real_tool(tool: SceneTool) -> Tool:
    """The tool with the built-in one behind it where there is one."""
    behind = _BUILT_IN.get(tool.kind)
    usual = {shown: name for name, shown in tool.shown.items()}

    def run(**given: object) -> object:
        args = {usual[name]: value for name, value in given.items()}
        if behind is None:
            text = tool.answer(given)
            if text.startswith("Error: "):
                raise ToolFailed(text.removeprefix("Error: "))
            return text
        return real_built_in(behind, args)

    return _with_spec(run, tool.spec)


def real_built_in(name: str, args: Mapping[str, object]) -> object:
    """Run a built-in tool the way a call of it runs, and raise what it answers as an error."""
    result = builtin_tool(name).run(ToolCall(name, dict(args)))
    if not result.ok:
        raise ToolFailed(result.content.removeprefix("Error: "))
    return result.value


def _with_spec(run: Callable[..., object], spec: ToolSpec) -> Tool:
    """A tool that a model sees exactly as the scene describes it."""
    properties: Any = spec.parameters["properties"]
    required: Any = spec.parameters["required"]
    schemas = {
        name: dict(schema) if name in required else {**schema, "default": None}
        for name, schema in properties.items()
    }

    def call(**given: object) -> object:
        return run(**{name: value for name, value in given.items() if value is not None})

    return Tool(call, spec.name, spec.description, args=schemas, effect="read")


def as_question(episode: Episode, demos: Sequence[Episode] = (), module: str = "react") -> Question:
    """An episode of the generator, its tools made real; `demos` are solved ones of the same scene."""
    (answer_field, answer), *_ = episode.answer.args.items()
    kind = _PYTHON[
        str(
            _property(episode.submit, answer_field).get("format")
            or _property(episode.submit, answer_field)["type"]
        )
    ]
    signature = f"{', '.join(episode.inputs)} -> {answer_field}: {kind}"
    tools = ToolRegistry([real_tool(tool) for tool in episode.tools] if module == "react" else [])
    shown = tuple(map(as_demo, demos))
    return Question(episode.family, signature, episode.inputs, tools, answer, shown, module)


def as_demo(episode: Episode) -> loopwright.Example:
    """A solved episode as an example with its trajectory."""
    results = [ToolResult(step.call, step.observation) for step in episode.steps]
    trajectory = Trajectory(tuple(Step("", (result.call,), (result,)) for result in results))
    return loopwright.Example(**episode.inputs, **episode.answer.args, trajectory=trajectory)


def _property(spec: ToolSpec, name: str) -> Mapping[str, object]:
    properties: Any = spec.parameters["properties"]
    return dict(properties[name])


@dataclass(frozen=True, slots=True)
class Axis:
    """What is unseen about some generated questions; `count` is that of each family.

    Axes of one `source` put the same questions; `demos` solved ones of the scene are shown before each.
    """

    name: str
    settings: Settings
    count: int
    demos: int = 0
    module: str = "react"
    families: Sequence[str] = tuple(FAMILIES)
    source: str = ""


_NAMES = Settings(names="heldout")
_WORDINGS = Settings(names="heldout", wording="heldout")
_ALL = Settings("heldout", "heldout", "heldout")
_UNSAID = tuple(CONVENTIONS)
AXES: tuple[Axis, ...] = (
    Axis("new names and numbers", _NAMES, 100),
    Axis("new phrasings", _WORDINGS, 40),
    Axis("new tool names", Settings(names="heldout", tool_names="heldout"), 40),
    Axis("all three new", _ALL, 40),
    Axis("all three new, after two solved questions", _ALL, 40, demos=2),
    Axis("unsaid convention, nothing shown", _NAMES, 40, families=_UNSAID, source="unsaid"),
    Axis("unsaid convention, after three solved questions", _NAMES, 40, 3, families=_UNSAID, source="unsaid"),
    Axis("ProgramOfThought: new names and numbers", _NAMES, 50, 0, "program_of_thought", NUMERIC),
    Axis("ProgramOfThought: new phrasings", _WORDINGS, 30, 0, "program_of_thought", NUMERIC),
    Axis("CodeAct without functions: new names and numbers", _NAMES, 15, 0, "code_act", NUMERIC),
)


def generated(axis: Axis, family: str, count: int, seed: str) -> Iterator[Question]:
    """Questions of one family; each is the first of its scene, solved ones before it come after it there."""
    for number in range(count):
        rng = Random(f"{seed}/{axis.source or axis.name}/{family}/{number}")
        unsaid = family if family in CONVENTIONS else ""
        draw = Draw(programs=axis.module != "react", convention=unsaid)
        size = 1 + (_MOST_DEMOS if axis.source else axis.demos)
        drawn = draw_episodes(rng, axis.settings, size, [] if unsaid else [family], draw)
        first, *others = drawn[: 1 + axis.demos]
        alike = [each for each in others if each.inputs.keys() == first.inputs.keys()]
        yield as_question(first, alike, axis.module)


_MOST_DEMOS = 3  # so that axes of one source draw the same


def handwritten(module: str = "react") -> list[Question]:
    """The questions of handwritten.yaml; for programs, those that need no records."""
    written = yaml.safe_load(HANDWRITTEN.read_text(encoding="utf-8"))
    questions = []
    for each in written["questions"]:
        if module != "react" and each["family"] not in NUMERIC:
            continue
        tools = [builtin_tool(name) for name in each["tools"]]
        tools += [
            record_tool(name, held) for name, held in written["records"].get(each.get("records"), {}).items()
        ]
        kind = "float" if each["type"] == "num" else "str"
        questions.append(
            Question(
                each["family"],
                f"question -> answer: {kind}",
                {"question": each["question"]},
                ToolRegistry(*tools),
                each["answer"],
                module=module,
            )
        )
    return questions


def record_tool(name: str, held: Mapping[str, Mapping[str, object]]) -> Tool:
    """A look-up tool over `{argument: {record: value}}`; capitals do not matter."""
    ((argument, records),) = held.items()
    known = {str(record).lower(): value for record, value in records.items()}

    def look_up(**given: object) -> object:
        asked = str(given[argument])
        if asked.lower() not in known:
            raise ToolFailed(f"there is no {argument} {asked!r}; there are {', '.join(map(str, records))}")
        return known[asked.lower()]

    return Tool(look_up, name, "", args={argument: {"type": "string"}}, effect="read")


def is_right(given: object, wanted: object) -> bool:
    """Numbers to nine figures, text as it stands but for capitals."""
    try:
        return math.isclose(float(str(given)), float(str(wanted)), rel_tol=1e-8, abs_tol=1e-9)
    except ValueError:
        return str(given).strip().lower() == str(wanted).strip().lower()


def agent_for(question: Question) -> loopwright.ReAct | loopwright.CodeAct | loopwright.ProgramOfThought:
    """The question's module, with its tools and its demonstrations."""
    if question.module == "program_of_thought":
        return loopwright.ProgramOfThought(question.signature)
    if question.module == "code_act":
        return loopwright.CodeAct(question.signature, max_iters=MAX_STEPS)
    agent = loopwright.ReAct(question.signature, tools=question.tools, max_iters=MAX_STEPS)
    agent.react.demos = list(question.demos)
    return agent


def ask(question: Question, lm: Timed) -> Outcome:
    """Put one question to an agent."""
    before = len(lm.seconds)
    agent = agent_for(question)
    with loopwright.context(lm=lm):
        prediction = agent(**question.inputs)
    (answer_field,) = agent.signature.output_fields
    given = prediction[answer_field]
    shown = f"{dict(question.inputs)} wanted {question.answer!r}, got {given!r}\n{prediction.trajectory}"
    solved = prediction.termination_reason == "submit" and is_right(given, question.answer)
    return Outcome(
        question.family, solved, len(prediction.trajectory.steps), tuple(lm.seconds[before:]), shown
    )


def wilson(solved: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927).

    >>> [round(end, 3) for end in wilson(8, 10)]
    [0.49, 0.943]
    """
    if not count:
        return 0.0, 1.0
    z, share = 1.959964, solved / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def row(axis: str, family: str, outcomes: Sequence[Outcome]) -> str:
    """A line of the table."""
    count, solved = len(outcomes), sum(each.solved for each in outcomes)
    low, high = wilson(solved, count)
    steps = sum(each.steps for each in outcomes) / max(1, count)
    times = sorted(second for each in outcomes for second in each.seconds) or [0.0]
    share = f"**{solved / max(1, count):.0%}**" if family == "all" else f"{solved / max(1, count):.0%}"
    return f"| {axis} | {family} | {count} | {share} | {low:.0%} to {high:.0%} | {steps:.1f} | {1000 * times[len(times) // 2]:.0f} ms |"


def score(lm: Timed, axes: Iterable[tuple[str, list[Question]]], *, failures: int = 0) -> list[str]:
    """The table's lines: for each axis its families, then all together."""
    lines = []
    for axis, questions in axes:
        outcomes = [ask(question, lm) for question in questions]
        for family in dict.fromkeys(each.family for each in outcomes):
            lines.append(row(axis, family, [each for each in outcomes if each.family == family]))
            print(lines[-1], flush=True)
        lines.append(row(axis, "all", outcomes))
        print(lines[-1], flush=True)
        for each in [each for each in outcomes if not each.solved][:failures]:
            print(each.shown, flush=True)
    return lines


def write_table(card: Path, lines: Sequence[str]) -> None:
    """Put the table between the card's markers."""
    head = "| held out | family | n | solved | 95 % interval | steps | median time of a step |\n|---|---|--:|--:|--:|--:|--:|"
    text = card.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    after = rest.partition(_END)[2]
    card.write_text(f"{before}{_BEGIN}\n{head}\n" + "\n".join(lines) + f"\n{_END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="the model's files")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="a factor on the number of generated questions"
    )
    parser.add_argument("--seed", default="evaluate")
    parser.add_argument("--failures", type=int, default=0, help="failed questions to print for each axis")
    parser.add_argument("--axis", action="append", help="only this axis; may be repeated")
    parser.add_argument("--write", action="store_true", help="put the table into CARD.md")
    options = parser.parse_args()
    lm = Timed(EmbeddedLM(options.folder))
    axes = [
        (
            axis.name,
            [each for family in axis.families for each in generated(axis, family, count, options.seed)],
        )
        for axis in AXES
        for count in [max(1, round(axis.count * options.scale))]
        if not options.axis or axis.name in options.axis
    ]
    for name, module in (
        ("hand-written", "react"),
        ("hand-written, by ProgramOfThought", "program_of_thought"),
    ):
        if not options.axis or name in options.axis:
            axes.append((name, handwritten(module)))
    lines = score(lm, axes, failures=options.failures)
    if options.write:
        write_table(FOLDER / "CARD.md", lines)


if __name__ == "__main__":
    main()
