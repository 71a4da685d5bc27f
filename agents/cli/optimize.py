"""`loopwright optimize`: an agent made better on the tasks of a file."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import chosen_model, model_options

if TYPE_CHECKING:
    from ..evaluation.tasks import TaskFile
    from ..example import Example
    from ..models.base import BaseLM
    from ..optimizers.base import Optimizer

WORKERS = 8  # for a model that answers from elsewhere; the embedded one gets a worker for each core
WAYS = (
    "trajectories",
    "few-shot",
    "random-search",
    "knn",
    "mipro",
    "gepa",
    "simba",
    "copro",
    "labeled",
)

WRITE = ("mipro", "gepa", "simba", "copro")  # those that have a model write texts
TAUGHT = ("trajectories", "few-shot", "random-search", "knn", "mipro", "simba")  # those that run a teacher


@click.command("optimize")
@click.argument("file", metavar="TASKS", type=click.Path(path_type=Path))
@click.option(
    "--with", "way", type=click.Choice(WAYS), default=WAYS[0], show_default=True, help="The optimizer."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("agent.json"),
    show_default=True,
    help="Where the better agent is saved, for --program; beside it the page, the report and the rollouts.",
)
@click.option("--program", type=click.Path(path_type=Path), help="A saved program to begin with.")
@click.option(
    "--budget",
    metavar="LIMITS",
    help="What it may take in all, as in rollouts=500,usd=2; also calls=, tokens=, tool_calls=, seconds=.",
)
@click.option("--teacher", metavar="MODEL", help="A model that solves tasks for the agent to learn from.")
@click.option(
    "--teacher-api-base", metavar="URL", help="The teacher's server; its provider's own by default."
)
@click.option("--writer", metavar="MODEL", help="The model that writes texts (mipro, gepa, simba, copro).")
@click.option("--writer-api-base", metavar="URL", help="The writer's server; its provider's own by default.")
@click.option("--demos", type=click.IntRange(1, 64), help="Demonstrations that a prompt shows at most.")
@click.option("--auto", type=click.Choice(["light", "medium", "heavy"]), help="Effort of mipro and gepa.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed, the same agent."
)
@click.option("--workers", type=click.IntRange(1, 1024), help="Rollouts at the same time.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the report as JSON, and nothing else, on stdout."
)
@model_options
def command(
    file: Path,
    way: str,
    out: Path,
    program: Path | None,
    budget: str | None,
    teacher: str | None,
    teacher_api_base: str | None,
    writer: str | None,
    writer_api_base: str | None,
    demos: int | None,
    auto: str | None,
    seed: int,
    workers: int | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Make the agent of TASKS better, and show on tasks that it did not learn from whether it is.

    It learns from the tasks of the split "train" (and those without one), chooses by "dev" where the file has
    such, and never sees "test": evaluate on that with `loopwright eval TASKS --split test --program agent.json`.
    The agent comes back as it was unless the new one is better on tasks that nothing was chosen by; where there
    are too few tasks to keep some for that, it says so.

    Every rollout is kept as soon as it is done, beside --out: a command that was stopped or killed goes on where
    it was when it is given again, and asks no model twice.

    Exit codes: 0 done, better or not; 1 no model could be reached; 2 a bad file or option; 130 stopped.
    """
    from ..ambient import context
    from ..evaluation.runs.spending import read_limits
    from ..evaluation.tasks import TaskFile
    from ..evaluation.trials.engine import programmed
    from ..optimizers.driving.amounts import UNITS
    from ..optimizers.driving.driver import CompileInterrupted
    from .eval_run import check_model
    from .optimize_show import Optimized, check_writable, show

    tasks = TaskFile.load(file)
    train, val = _examples(tasks)
    student = programmed(tasks, program)
    limits = read_limits(budget, UNITS) if budget else None
    cached = not options["no_cache"]
    teaching = _named("teacher", way, TAUGHT, teacher, teacher_api_base, cached=cached)
    writing = _named("writer", way, WRITE, writer, writer_api_base, cached=cached)
    made = optimizer(way, tasks, seed=seed, demos=demos, auto=auto, writer=writing)
    check_writable(out)
    model = chosen_model(**options)
    if way in WRITE and (writing or model).model == "embedded":
        raise click.UsageError(
            f"{way} has texts written, which the embedded model can't do: name one that can by --writer or --model"
        )
    for one in filter(None, (model, teaching, writing)):
        check_model(one)
    threads = workers or (os.cpu_count() or 1 if model.model == "embedded" else WORKERS)
    try:
        with context(lm=model):
            better = made.compile(
                student,
                trainset=train,
                valset=val or None,
                teacher=teaching,
                budget=limits,
                store=Path(f"{out}.rollouts"),
                num_threads=threads,
                progress=True,
            )
    except CompileInterrupted as stopped:
        click.echo(str(stopped), err=True)
        return 130
    again = _evaluation(file, out, options, tested=bool(tasks.select(split="test").tasks))
    done = Optimized(tasks.name, str(file), model.model, student, better, again)
    return show(done, out, as_json=as_json)


def optimizer(
    way: str,
    tasks: TaskFile,
    *,
    seed: int = 0,
    demos: int | None = None,
    auto: Any = None,
    writer: BaseLM | None = None,
) -> Optimizer:
    """The optimizer of this name for the tasks of a file; raises `UsageError` for an option that it has not."""
    from .. import optimizers

    if auto is not None and way not in ("mipro", "gepa"):
        raise click.UsageError(f"--auto is of mipro and gepa; {way} has no such effort")
    if demos is not None and way in ("gepa", "copro"):
        raise click.UsageError(f"{way} shows no demonstrations: leave --demos out")
    metric = tasks.metric
    shown = demos or 4
    match way:
        case "trajectories":
            return optimizers.BootstrapTrajectories(metric, seed=seed, max_demos=demos or 6)
        case "few-shot":
            return optimizers.BootstrapFewShot(metric, seed=seed, max_bootstrapped_demos=shown)
        case "random-search":
            return optimizers.BootstrapFewShotWithRandomSearch(
                metric, seed=seed, max_bootstrapped_demos=shown
            )
        case "knn":
            return optimizers.KNNFewShot(shown, (), metric=metric, seed=seed)
        case "mipro":
            return optimizers.MIPROv2(
                metric, prompt_model=writer, auto=auto or "light", seed=seed, max_bootstrapped_demos=shown
            )
        case "gepa":
            return optimizers.GEPA(metric, auto=auto, reflection_lm=writer, seed=seed)
        case "simba":
            return optimizers.SIMBA(metric=metric, prompt_model=writer, max_demos=shown, seed=seed)
        case "copro":
            return optimizers.COPRO(prompt_model=writer, metric=metric, seed=seed)
        case _:
            return optimizers.LabeledFewShot(demos or 16, metric=metric, seed=seed)


def _examples(tasks: TaskFile) -> tuple[list[Example], list[Example]]:
    """What is learned from, and what is chosen by; tasks that are marked as tests are neither."""
    train = [
        e for e, task in zip(tasks.examples(), tasks.tasks, strict=True) if task.split in (None, "train")
    ]
    if not train:
        raise click.UsageError("no task of the file is of the split train: there is nothing to learn from")
    return train, tasks.examples("dev")


def _evaluation(file: Path, program: Path, options: Mapping[str, Any], *, tested: bool) -> str:
    """The command that runs what was made, with the same model, on the tasks for testing where there are such."""
    words = [
        "loopwright",
        "eval",
        str(file),
        *(["--split", "test"] if tested else []),
        "--program",
        str(program),
    ]
    for name in ("model", "api_base", "temperature"):
        if options[name] is not None:
            words += [f"--{name.replace('_', '-')}", str(options[name])]
    return shlex.join(words)


def _named(
    role: str, way: str, ways: Sequence[str], name: str | None, api_base: str | None, *, cached: bool
) -> BaseLM | None:
    """The model of a role that this optimizer has; None where none is named."""
    from ..models.lm import LM

    if name is None:
        if api_base is not None:
            raise click.UsageError(f"--{role}-api-base is the server of a --{role}: name that too")
        return None
    if way not in ways:
        raise click.UsageError(f"{way} has no {role}: --{role} is of {', '.join(ways[:-1])} and {ways[-1]}")
    return LM(name, api_base=api_base, cache=cached)
