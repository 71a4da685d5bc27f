"""A model without its key is known before it is asked."""

from __future__ import annotations

import pytest

from loopwright.errors import AuthError
from loopwright.models import LM


@pytest.mark.parametrize(
    ("model", "variable"),
    [
        ("openai/gpt-5-mini", "OPENAI_API_KEY"),
        ("anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY"),
        ("gemini/gemini-2.5-flash", "GEMINI_API_KEY"),
    ],
)
def test_a_missing_key_is_named(model: str, variable: str) -> None:
    with pytest.raises(AuthError, match=f"there is no key: set .*{variable}, or pass api_key="):
        LM(model, cache=False).check_key()


@pytest.mark.parametrize(
    "lm",
    [
        LM("openai/gpt-5-mini", api_key="secret"),
        LM("anthropic/claude-sonnet-4-5", api_key="secret"),
        LM("openai/any", api_base="http://127.0.0.1:1/v1"),
        LM("openai/any", api_base="http://127.0.0.1:1/v1", via="litellm"),
        LM("ollama_chat/llama3.2"),
        LM("embedded"),
    ],
    ids=[
        "key",
        "key, through litellm",
        "own server",
        "own server, through litellm",
        "no key needed",
        "embedded",
    ],
)
def test_a_model_that_may_answer_is_let_be(lm: LM) -> None:
    lm.check_key()


def test_a_key_that_can_be_none_is_refused_before_it_is_sent() -> None:
    with pytest.raises(AuthError, match="the key holds a space or another character that no key has"):
        LM("openai/gpt-5-mini", api_key="two words").check_key()


def test_a_key_in_the_environment_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    LM("anthropic/claude-sonnet-4-5").check_key()
