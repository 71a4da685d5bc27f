"""What is known of models beforehand, without importing litellm."""

from __future__ import annotations

import pytest

from loopwright.models.catalog import close_names, lookup
from loopwright.models.hosted import load_litellm


@pytest.mark.parametrize("model", ["gpt-4o-mini", "openai/gpt-4o-mini"])
def test_a_model_is_found_with_and_without_its_provider(model: str) -> None:
    facts = lookup(model)

    assert facts is not None
    assert (facts.native_tools, facts.response_format, facts.priced, facts.free) == (True, True, True, False)


@pytest.mark.parametrize(
    "model", ["openai/claude-sonnet-4-5", "openai/mine", "mine", "", "/", "/gpt-4o-mini"]
)
def test_what_the_provider_does_not_have_is_not_found(model: str) -> None:
    assert lookup(model) is None


def test_ollamas_models_are_the_same_by_both_of_its_addresses() -> None:
    assert lookup("ollama_chat/llama3.1") == lookup("ollama/llama3.1")
    facts = lookup("ollama_chat/llama3.1")
    assert facts is not None
    assert facts.free


def test_a_misspelt_name_is_close_to_the_right_one() -> None:
    assert "openai/gpt-4o-mini" in close_names("gpt-4o-mimi")
    assert close_names("zzzzzzzzzz") == []


@pytest.mark.parametrize(
    "model", ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-flash"]
)
def test_litellm_itself_says_the_same(model: str) -> None:
    said = load_litellm().get_model_info(model)
    facts = lookup(model)

    assert facts is not None
    assert facts.context_window == said["max_input_tokens"]
    assert facts.native_tools == bool(said["supports_function_calling"])
    assert facts.response_format == bool(said["supports_response_schema"])
