"""From a seed to rows: scenes with their questions, demonstrations before them, and rows that only teach copying."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from loopwright.messages import Message
from loopwright.models.embedded.template import CALL, Piece, render_call, render_tools, render_turns
from loopwright.tools.calls import ToolCall

from .conventions import CONVENTIONS
from .families.arithmetic import ask_arithmetic
from .families.asking import Asked, submission
from .families.dates import ask_dates
from .families.lookup import ATTRIBUTES, ask_lookup, lookup
from .families.units import ask_units
from .programs import complaint, program_of, shown_value, spoilt, value_of
from .scene import Episode, Scene, SceneTool, Settings, Step, make_spec
from .simulation import ToolError
from .toolbox import make_calculator, make_converter, make_date_math, make_distractor
from .words import draw_date, draw_name, draw_number, listed, pseudo_word

FAMILIES: dict[str, Callable[[Scene], Asked]] = {
    "arithmetic": ask_arithmetic,
    "units": ask_units,
    "dates": ask_dates,
    "lookup": ask_lookup,
}
NUMERIC = ("arithmetic", "units", "dates")
"""The families that a program answers by itself."""
_WEIGHTS = {"arithmetic": 3.5, "units": 2.0, "dates": 1.5, "lookup": 4.0}
_PROGRAMS = 0.42
"""The share of conversations in which programs are written."""
_BY_CONVENTION = 0.18
"""The share of conversations that follow an unsaid convention from their second question on."""
_QUESTION_FIELDS = listed(
    "question question question request task query problem input prompt ask q text message user_question"
)
_ANSWER_FIELDS = listed(
    "answer answer answer result total value output reply response solution number final_answer"
)


@dataclass(frozen=True, slots=True)
class Draw:
    """How scenes are drawn: at most `longest` tool calls for a question, faults and mistakes aside."""

    faults: float = 0.02
    mistakes: float = 0.0
    longest: int = 3
    programs: bool = False
    convention: str = ""
    """One of CONVENTIONS that the scene is to follow, unsaid."""


def new_scene(rng: Random, settings: Settings, draw: Draw) -> Scene:
    """An empty scene: fields and answer type drawn, no tools yet."""
    answer_type = rng.choices(("str", "num"), (3, 2))[0]
    return Scene(
        rng,
        settings,
        rng.choice(_QUESTION_FIELDS),
        rng.choice(_ANSWER_FIELDS),
        answer_type,
        faults=draw.faults,
        mistakes=draw.mistakes,
        programs=draw.programs,
    )


def _is_fair(asked: Asked, steps: Sequence[Step], longest: int) -> bool:
    """Not too long, and no figure so small that its notation varies."""
    texts = [asked.answer, *(step.observation for step in steps)]
    return (
        sum(step.learnt for step in steps) <= longest + 1
        and 0 < len(asked.answer) < 40
        and not any("0.000" in text or "E-" in text or "e+" in text for text in texts)
    )


def draw_episodes(
    rng: Random, settings: Settings, count: int = 1, families: Sequence[str] = (), draw: Draw = Draw()
) -> list[Episode]:
    """Questions over one scene, all with the same tool list."""
    names = list(families) or list(NUMERIC if draw.programs else FAMILIES)
    weights = [_WEIGHTS[name] for name in names]
    while True:
        scene = new_scene(rng, settings, draw)
        family = rng.choices(names, weights)[0]
        ask = FAMILIES[family]
        if draw.convention:
            family, scene.plain = draw.convention, True
            ask = CONVENTIONS[draw.convention](scene)
        drafts = []
        for _ in range(count):
            scene.steps = []
            asked = ask(scene)
            if scene.programs and asked.answer:
                asked = _programmed(scene, asked)
            drafts.append((asked, tuple(scene.steps)))
        if all(_is_fair(asked, steps, draw.longest) for asked, steps in drafts):
            break
    scene.answer_type = _narrowed(rng, scene.answer_type, [asked.answer for asked, _ in drafts])
    if not scene.programs:
        _add_others(scene)
    tools = list(scene.tools.values())
    rng.shuffle(tools)
    submit = make_spec("submit", [(scene.answer_field, scene.answer_type)])
    return [
        Episode(
            family,
            {**dict(asked.inputs), scene.question_field: asked.question},
            tuple(tools),
            submit,
            steps,
            submission(scene, asked.answer),
            ends=scene.programs and (len(steps[-1].observation) > _LONGEST_COPIED or rng.random() < 0.5),
        )
        for asked, steps in drafts
    ]


_LONGEST_COPIED = 14  # characters of a program's value that a call of submit repeats


def _programmed(scene: Scene, asked: Asked) -> Asked:
    """The question answered by a program, now and then after one that failed."""
    spec = make_spec("python", [("code", "str")])
    tool = scene.tool("python", lambda _: SceneTool("python", spec, {"code": "code"}, _no_answer))
    program = program_of(asked.answer)
    if scene.rng.random() < 2 * scene.mistakes:
        wrong = spoilt(scene.rng, program)
        if said := complaint(wrong, scene.answer_field):
            scene.steps.append(Step(ToolCall(tool.spec.name, {"code": wrong}), said, learnt=False))
    value = value_of(program)
    scene.steps.append(Step(ToolCall(tool.spec.name, {"code": program}), repr(value)))
    return replace(asked, answer=shown_value(value))


def _no_answer(args: Mapping[str, object]) -> str:
    raise ToolError("programs run in a sandbox")


def _narrowed(rng: Random, answer_type: str, answers: Sequence[str]) -> str:
    """Sometimes a narrower type than number or text, where all answers have it."""
    if (
        rng.random() < 0.3
        and answer_type == "num"
        and all(answer.lstrip("-").isdigit() for answer in answers)
    ):
        return "int"
    if rng.random() < 0.3 and answer_type == "str" and all(_ISO_DATE.fullmatch(answer) for answer in answers):
        return "date"
    return answer_type


_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def _add_others(scene: Scene) -> None:
    """Tools that the questions do not need."""
    rng = scene.rng
    for kind, make in (("calculate", make_calculator), ("convert", make_converter)):
        if rng.random() < 0.35:
            scene.tool(kind, make)
    if rng.random() < 0.25 and not {"shift", "count", "weekday"} & set(scene.tools):
        scene.tool("date", make_date_math)
    if rng.random() < 0.3:
        lookup(scene, rng.choice(ATTRIBUTES))
    for _ in range(rng.choices((0, 1, 2, 3), (5, 3, 2, 1))[0]):
        other = make_distractor(rng)
        scene.tool(other.kind, lambda _, other=other: other)  # type: ignore[misc]  # bound now, not when called


def episode_messages(episode: Episode) -> list[Message]:
    """The conversation that solves the episode, its `submit` included."""
    messages = [Message("user", episode.prompt)]
    for step in episode.steps:
        messages += [
            Message("assistant", tool_calls=(step.call,)),
            Message("tool", step.observation, name=step.call.name),
        ]
    return messages if episode.ends else [*messages, Message("assistant", tool_calls=(episode.answer,))]


def render_row(episodes: Sequence[Episode], shown: int = 0) -> list[Piece]:
    """Episodes of one scene as one conversation; of the first `shown`, and of mistakes, nothing is learnt."""
    specs = episodes[0].specs
    pieces = render_tools(specs)
    for number, episode in enumerate(episodes):
        learnt = [True, *(step.learnt for step in episode.steps for _ in range(2)), True]
        for message, right in zip(episode_messages(episode), learnt, strict=False):
            rendered = render_turns([message], specs)
            pieces += (
                rendered if right and number >= shown else [replace(each, own=False) for each in rendered]
            )
    return pieces


def draw_copy_row(rng: Random) -> list[Piece]:
    """A call whose arguments stand in the prompt: names, numbers and invented words in a shuffled order."""
    settings = Settings()
    count = rng.randint(2, 5)
    arguments = [pseudo_word(rng, rng.choice((1, 2))) for _ in range(count)]
    values = [_copied(rng, settings) for _ in arguments]
    tools = [make_spec(pseudo_word(rng), [(argument, "str") for argument in arguments])]
    tools += [make_distractor(rng).spec for _ in range(rng.randint(0, 2))]
    lines = [f"{argument}: {value}" for argument, value in zip(arguments, values, strict=True)]
    rng.shuffle(lines)
    spec = tools[0]
    rng.shuffle(tools)
    call = ToolCall(spec.name, dict(zip(arguments, values, strict=True)))
    rows = [
        *render_tools(tools),
        *render_turns([Message("user", f"{spec.name}\n" + "\n".join(lines))], tools),
    ]
    return [*rows, Piece(CALL, marker=True), *render_call(call, spec)]


def _copied(rng: Random, settings: Settings) -> str:
    draw = rng.random()
    if draw < 0.35:
        return draw_number(rng, 1, 10 ** rng.randint(2, 6), settings.names, 0.5)
    if draw < 0.45:
        return draw_date(rng, settings.names).isoformat()
    return draw_name(rng, rng.choice(("item", "person", "place", "code")), settings.names)


def draw_row(rng: Random, progress: float) -> list[Piece]:
    """One training row; `progress` from 0 to 1 moves from copying over single calls to whole episodes."""
    copying = max(0.5 * (1 - progress / 0.12), 0.25 * (1 - progress / 0.5), 0.08)
    if rng.random() < copying:
        return draw_copy_row(rng)
    count = rng.choices((1, 2, 3), (5, 3, 1.5))[0]
    early = progress < 0.15
    if not early and rng.random() < _BY_CONVENTION:
        draw = Draw(convention=rng.choice(list(CONVENTIONS)))
        return render_row(draw_episodes(rng, Settings(), rng.choice((2, 3, 3, 4)), draw=draw), shown=1)
    draw = Draw(
        faults=0.0 if early else 0.03,
        mistakes=0.0 if early else 0.06,
        longest=1 if rng.random() < 0.5 - progress / 0.3 else 3,
        programs=rng.random() < _PROGRAMS,
    )
    return render_row(draw_episodes(rng, Settings(), count, draw=draw))


def rows(seed: int, start: int, stride: int, progress: Callable[[], float]) -> Iterator[list[Piece]]:
    """Every so-manieth training row without end; row n of a seed depends on n and the progress alone."""
    index = start
    while True:
        yield draw_row(Random(f"{seed}/{index}"), progress())
        index += stride
