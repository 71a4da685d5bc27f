"""The research desk with an agent that only answers: its sources are the documents that it opened, not those it names.

A program of one's own on a task file's tasks. Run it with `python examples/research_desk/reader.py`; the embedded model answers
unless another is configured (LOOPWRIGHT_MODEL=openai/gpt-5-mini).
"""

import time
from datetime import UTC, datetime
from pathlib import Path

import loopwright as lw
from loopwright.evaluation import Report, plan, run_trials

FILE = Path(__file__).parent / "tasks.yaml"


class Reader(lw.Module):
    def __init__(self, file: lw.TaskFile) -> None:
        self.agent = lw.ReAct("question -> answer", tools=file.tools)

    def forward(self, question: str) -> lw.Prediction:
        given = self.agent(question=question)
        opened = [
            one.call.args["path"]
            for one in given.trajectory.results
            if one.call.name == "read_file" and one.ok
        ]
        return lw.Prediction(given, answer=given.answer, sources=list(dict.fromkeys(opened)))


def main() -> None:
    file = lw.TaskFile.load(FILE)
    trials = plan(file, Reader(file))
    started, begun = time.perf_counter(), datetime.now(UTC)
    with lw.context():
        results = list(run_trials(trials, workers=2))
    report = Report.of(
        trials, results, model="as configured", started=begun, seconds=time.perf_counter() - started
    )
    for result in results:
        if not result.passed:
            print(f"{result.task.id}: {result.failure.feedback if result.failure else result.error}")
    print(f"{sum(result.passed for result in results)} of {len(results)} solved: {report.pass_at_1}")


if __name__ == "__main__":
    main()
