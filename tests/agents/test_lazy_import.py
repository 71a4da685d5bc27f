"""What an import loads: in a process of its own, since this one has loaded much already."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = [
    "litellm",
    "torch",
    "numpy",
    "sympy",
    "pint",
    "bm25s",
    "ddgs",
    "lxml",
    "httpx",
    "tokenizers",
    "safetensors",
]


def loaded_by(statement: str) -> set[str]:
    program = f"import sys, json\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    return set(json.loads(done.stdout))


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = loaded_by("import loopwright")
    assert loaded.isdisjoint([*HEAVY, "pydantic", "asyncio", "rich", "click", "socket", "ssl"])
    assert {name for name in loaded if name.startswith("loopwright.")} == {"loopwright.__about__"}


@pytest.mark.parametrize(
    "statement",
    [
        "import loopwright.tools",
        "from loopwright import Signature, Example, Prediction",
        "from loopwright import Predict, ChainOfThought, ReAct, Retrieve, Module, context",
        "from loopwright import LM; LM('openai/gpt-5-mini')",
        "import loopwright.cli",
    ],
)
def test_using_it_loads_no_model_and_no_library_of_a_tool(statement: str) -> None:
    assert loaded_by(statement).isdisjoint(HEAVY)


def test_a_signature_needs_no_pydantic_until_it_is_used() -> None:
    assert "pydantic" not in loaded_by(
        "from loopwright import Signature; Signature('question -> answer: int')"
    )
