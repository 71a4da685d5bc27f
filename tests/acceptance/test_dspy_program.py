"""A program as DSPy's tutorials write them, run with only its import changed, against a real HTTP server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from openai_server import Serve, from_lm

from loopwright.models import Capabilities, FunctionLM, LMRequest
from loopwright.models.scripted import Answer
from loopwright.tools import ToolCall

# It runs on DSPy 3.4.1 as it stands (with the model below answering in the forms that its adapters ask for).
PROGRAM = '''\
import dspy
import os
from typing import Literal

lm = dspy.LM("openai/gpt-4o-mini", api_base=os.environ["MODEL_URL"], api_key="none", temperature=0.0, max_tokens=500)
dspy.configure(lm=lm)


class Triage(dspy.Signature):
    """Sort a customer's mail."""

    mail: str = dspy.InputField()
    team: Literal["sales", "support"] = dspy.OutputField()
    urgent: bool = dspy.OutputField(desc="whether someone must answer today")


def get_price(item: str) -> float:
    """The price of one item in euros."""
    return {"oak desk": 149.5, "floor lamp": 39.9}[item]


class Desk(dspy.Module):
    def __init__(self):
        super().__init__()
        self.triage = dspy.ChainOfThought(Triage)
        self.quote = dspy.ReAct("mail -> total: float", tools=[get_price], max_iters=5)

    def forward(self, mail):
        sorted_mail = self.triage(mail=mail)
        if sorted_mail.team == "support":
            return dspy.Prediction(team="support", total=None)
        quote = self.quote(mail=mail)
        return dspy.Prediction(team=sorted_mail.team, total=quote.total, trajectory=quote.trajectory)


devset = [
    dspy.Example(mail="How much is an oak desk?", team="sales", total=149.5).with_inputs("mail"),
    dspy.Example(mail="What does a floor lamp cost?", team="sales", total=39.9).with_inputs("mail"),
    dspy.Example(mail="My lamp is broken!", team="support", total=None).with_inputs("mail"),
    dspy.Example(mail="What does an attic cost?", team="sales", total=1.0).with_inputs("mail"),
]


def metric(example, pred, trace=None):
    return example.team == pred.team and example.total == pred.total


desk = Desk()
result = dspy.Evaluate(devset=devset, metric=metric, num_threads=2, display_progress=False)(desk)
print("score", result.score)
for example, prediction, score in result.results:
    print(example.inputs().mail, "->", prediction.team, prediction.total, bool(score))

one = desk(mail="How much is an oak desk?")
print(one.trajectory["tool_name_0"], one.trajectory["tool_args_0"], one.trajectory["observation_0"])

desk.triage.predict.demos = [dspy.Example(mail="Hello?", reasoning="A greeting.", team="sales", urgent=False)]
desk.save("desk.json")
again = Desk()
again.load("desk.json")
print([name for name, _ in again.named_predictors()][:2], len(again.triage.predict.demos))
with dspy.context(lm=lm.copy(temperature=1.0)):
    print(again(mail="My lamp is broken!").team)

short = dspy.BestOfN(dspy.Predict("question -> answer"), N=3, reward_fn=lambda args, pred: len(pred.answer) < 6, threshold=1.0)
print(short(question="The capital of Belgium, in one word?").answer)
votes = dspy.majority([dspy.Prediction(answer=a) for a in ("Paris", "Lyon", "paris")])
print(votes.answer)
'''

PRINTED = """\
score 75.0
How much is an oak desk? -> sales 149.5 True
What does a floor lamp cost? -> sales 39.9 True
My lamp is broken! -> support None True
What does an attic cost? -> sales 0.0 False
get_price {'item': 'oak desk'} 149.5
['triage.predict', 'quote.react'] 1
support
Ghent
Paris
"""


def clerk(request: LMRequest) -> Answer:
    """A model that sorts mails, and looks prices up before it names them."""
    mails = [m.content for m in request.messages if m.role == "user" and "mail" in m.content]
    mail = mails[-1] if mails else ""
    if request.tools:
        last = request.messages[-1]
        if last.role == "tool":
            price = re.fullmatch(r"\d+(\.\d+)?", last.content)
            return ToolCall("submit", {"total": float(price[0]) if price else 0.0})
        item = next((item for item in ("oak desk", "floor lamp") if item in mail), "attic")
        return ToolCall("get_price", {"item": item})
    if mail:
        team = "support" if "broken" in mail else "sales"
        return sections(reasoning="What it says.", team=team, urgent=json.dumps(team == "support"))
    return sections(answer="Brussels" if request.temperature != 1.0 else "Ghent")


def sections(**fields: str) -> str:
    return "\n\n".join(f"[[ ## {name} ## ]]\n{text}" for name, text in fields.items())


@pytest.fixture
def model_url(openai_server: Serve) -> str:
    return openai_server(from_lm(FunctionLM(clerk, capabilities=Capabilities(native_tools=True)))).url


def test_a_program_of_dspys_runs_with_only_its_import_changed(model_url: str, tmp_path: Path) -> None:
    program = PROGRAM.replace("import dspy\n", "import loopwright as dspy\n", 1)
    assert [line for line in program.splitlines() if line not in PROGRAM.splitlines()] == [
        "import loopwright as dspy"
    ]
    environment = {**os.environ, "MODEL_URL": model_url, "LOOPWRIGHT_CACHE": "off"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == PRINTED
    assert json.loads((tmp_path / "desk.json").read_text(encoding="utf-8"))["predictors"].keys() == {
        "triage.predict",
        "quote.react",
    }
