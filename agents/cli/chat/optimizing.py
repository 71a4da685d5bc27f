"""Making the chat's program better on a file of tasks, without leaving the chat."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Any

from ...ambient import context
from ...errors import ConfigurationError, TaskFileError
from ...modules.agent import Agent
from ...runtime.usage import track_usage
from ...text import one_line
from .setup import written_demos

if TYPE_CHECKING:
    from ...example import Example
    from ...module import Module
    from .commands import Desk


async def optimized(desk: Desk, name: str) -> None:
    """Learn demonstrations from the tasks, keep them where they help on other tasks, and say what came of it.

    Raises `ConfigurationError` for a file that can't be used. Cancelling it changes nothing.
    """
    from ...evaluation.rollout import run_example
    from ...evaluation.tasks import TaskFile
    from ...optimizers import BootstrapFewShot, BootstrapTrajectories

    chat = desk.chat
    try:
        file = TaskFile.load(name)
    except TaskFileError as error:
        raise ConfigurationError(one_line(error.problems[0], 400)) from error
    here = chat.answering
    if str(file.signature) != str(here.signature):
        raise ConfigurationError(f"{name} is for {file.signature}, this chat is {here.signature}")
    stopped = threading.Event()
    threads = os.cpu_count() if here.lm.model == "embedded" else None

    def run(program: Module, example: Example) -> Any:
        if stopped.is_set():
            raise ConfigurationError("stopped")
        return run_example(file, program, example)

    def compiled() -> Any:
        way = BootstrapTrajectories if isinstance(here.plain, Agent) else BootstrapFewShot
        made = way(metric=file.metric)
        return made.compile(
            here.plain,
            trainset=file.examples(),
            run=run,
            num_threads=threads,
            progress=desk.person is not None,
        )

    desk.tell(f"{len(file.tasks)} tasks; Ctrl-C stops it and changes nothing")
    with context(lm=here.lm), track_usage() as usage:
        try:
            program = await asyncio.to_thread(compiled)
        finally:
            stopped.set()
    report = program.compile_report
    desk.tell(str(report))
    if not report.improved:
        chat.learn(chat.conversation.demos, usage.total)
        return
    learned = program.predictors()[0]
    if learned.signature.instructions != here.predictor.signature.instructions:
        chat.change(system=learned.signature.instructions)
    chat.learn(written_demos(learned.demos), usage.total)
    desk.tell("the chat goes on with it; /demos shows what it learned, /save FILE keeps it")
