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


@pytest.mark.parametrize(
    ("prompt", "cached", "completion"),
    [(1000, 0, 50), (300_000, 200_000, 1000), (5000, 5000, 1), (272_000, 0, 0), (0, 0, 7)],
)
@pytest.mark.parametrize(
    "model",
    [
        "openai/gpt-4o-mini",
        "openai/gpt-4-0613",
        "openai/gpt-5-mini",
        "openai/gpt-5.4",
        "openai/o3",
        "anthropic/claude-sonnet-4-5",
        "ollama_chat/llama3.1",
    ],
)
def test_a_price_is_the_one_that_litellm_reckons(
    model: str, prompt: int, cached: int, completion: int
) -> None:
    litellm, facts = load_litellm(), lookup(model)
    details = litellm.types.utils.PromptTokensDetailsWrapper(cached_tokens=cached)
    usage = litellm.Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_tokens_details=details,
    )

    reckoned = litellm.cost_per_token(
        model=model.replace("ollama_chat/", "ollama/"),
        prompt_tokens=prompt,
        completion_tokens=completion,
        usage_object=usage,
    )

    assert facts is not None
    assert facts.usd(prompt, cached, completion) == pytest.approx(sum(reckoned), rel=1e-9)


def test_what_has_no_price_costs_an_unknown_sum() -> None:
    facts = lookup("openai/container")

    assert facts is not None
    assert facts.usd(1000, 0, 1000) is None
