"""What is known of hosted models beforehand: the table of prices and abilities that litellm ships.

Read as a file, without importing litellm: 30 ms where the import takes seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path

TABLE = "model_prices_and_context_window_backup.json"

# Providers whose chat API takes tools for nearly every model that they serve; what serves a model that
# the table does not know speaks one of these, most often "openai" with an api_base.
TOOL_PROVIDERS = frozenset({
    "anthropic", "azure", "azure_ai", "cerebras", "cohere_chat", "databricks", "deepseek", "fireworks_ai", "gemini",
    "groq", "hosted_vllm", "litellm_proxy", "llamafile", "lm_studio", "mistral", "moonshot", "nvidia_nim", "openai",
    "openrouter", "sambanova", "together_ai", "vertex_ai", "xai",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model's entry. `context_window` counts prompt tokens; `priced` says that its price is known."""

    native_tools: bool
    response_format: bool
    context_window: int | None
    priced: bool
    free: bool


def lookup(model: str) -> ModelFacts | None:
    """The entry of a model as litellm names it, "provider/model"; None if the table has none.

    >>> lookup("openai/gpt-4o-mini").context_window
    128000
    >>> lookup("openai/my-own-model") is None
    True
    """
    table = _table()
    if model in table:
        return table[model][1]
    provider, _, name = model.partition("/")
    if provider and name in table and table[name][0].startswith(provider):
        return table[name][1]
    if provider == "ollama_chat":  # the same models as "ollama", by Ollama's other address
        return lookup(f"ollama/{name}")
    return None


def close_names(model: str) -> list[str]:
    """The known models whose names are most like this one, with their provider in front.

    >>> close_names("gpt-4o-minni")[0]
    'openai/gpt-4o-mini'
    """
    table = _table()
    found = get_close_matches(model.rpartition("/")[2], [name for name in table if "/" not in name], n=3)
    return [f"{table[name][0]}/{name}" for name in found]


@cache
def _table() -> Mapping[str, tuple[str, ModelFacts]]:
    """Each chat model's provider and facts, read once per process; empty if this litellm has no such file."""
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        return {}
    path = Path(spec.origin).parent / TABLE
    if not path.exists():
        return {}
    entries: dict[str, dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: (str(entry.get("litellm_provider", "")), _facts(entry))
        for name, entry in entries.items()
        if entry.get("mode") in ("chat", "completion", "responses")
    }


def _facts(entry: Mapping[str, object]) -> ModelFacts:
    window = entry.get("max_input_tokens") or entry.get("max_tokens")
    prices = entry.get("input_cost_per_token"), entry.get("output_cost_per_token")
    return ModelFacts(
        native_tools=entry.get("supports_function_calling") is True,
        response_format=entry.get("supports_response_schema") is True,
        context_window=window if isinstance(window, int) else None,
        priced=None not in prices,
        free=prices == (0, 0),
    )
