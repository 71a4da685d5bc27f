"""What is known of hosted models beforehand: the table of prices and abilities that litellm ships.

Read as a file, without importing litellm, and of the file only the entry that is wanted: 3 ms where the
whole table takes 30, and the import seconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache, lru_cache
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


MODES = frozenset({"chat", "completion", "responses"})

_EFFORT = re.compile(r"supports_(\w+)_reasoning_effort")
_STEP = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")

MODEL_FORMS = (
    'a model is written "provider/name", for example openai/gpt-5-mini, anthropic/claude-sonnet-4-5, '
    "gemini/gemini-2.5-flash, ollama_chat/llama3.2, or openai/NAME with api_base= for any server of the "
    'OpenAI API; "embedded" is the model that comes with loopwright'
)


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars for a token of the prompt, of its cached part, and of the answer."""

    prompt: float
    cached: float
    completion: float


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model's entry.

    `mode` is the API that serves it ("chat" ...), `context_window` counts prompt tokens. `priced` says
    that its price is known; `rates` holds it, once for each length of prompt from which on it is another.
    `efforts` are the reasoning efforts that the entry names as taken, `default_effort` the one in force
    where a request names none ("" if the entry does not say).
    """

    provider: str
    mode: str
    native_tools: bool
    response_format: bool
    context_window: int | None
    priced: bool
    free: bool
    rates: tuple[tuple[int, Rates], ...] = ()
    efforts: frozenset[str] = field(default_factory=frozenset)
    default_effort: str = ""

    def usd(self, prompt: int, cached: int, completion: int) -> float | None:
        """What an answer costs, by its counts of tokens; None where the price is not known.

        >>> round(lookup("openai/gpt-4o-mini").usd(1_000_000, 1_000_000, 0), 3)
        0.075
        """
        if not self.priced:
            return None
        rates = next(rates for above, rates in reversed(self.rates) if prompt > above or not above)
        fresh = max(0, prompt - cached)
        return fresh * rates.prompt + min(cached, prompt) * rates.cached + completion * rates.completion


@lru_cache(maxsize=256)
def lookup(model: str) -> ModelFacts | None:
    """The entry of a model as litellm names it, "provider/model"; None if the table has none.

    >>> lookup("openai/gpt-4o-mini").context_window
    128000
    >>> lookup("openai/my-own-model") is None
    True
    """
    text = _text()
    facts = _read_entry(text, model)
    if facts is not None:
        return facts
    provider, _, name = model.partition("/")
    if not provider or not name:
        return None
    facts = _read_entry(text, name)
    if facts is not None and facts.provider.startswith(provider):
        return facts
    if provider == "ollama_chat":  # the same models as "ollama", by Ollama's other address
        return lookup(f"ollama/{name}")
    return None


def close_names(model: str) -> list[str]:
    """The known models whose names are most like this one, with their provider in front.

    >>> close_names("gpt-4o-minni")[0]
    'openai/gpt-4o-mini'
    """
    names = _names()
    found = get_close_matches(model.rpartition("/")[2], [name for name in names if "/" not in name], n=3)
    return [f"{names[name]}/{name}" for name in found]


def names_beginning(beginning: str) -> list[str]:
    """The known models, with their provider in front, whose names begin so.

    >>> names_beginning("openai/gpt-4o-mini")[0]
    'openai/gpt-4o-mini'
    """
    full = (
        name if name.startswith(f"{provider}/") else f"{provider}/{name}"
        for name, provider in _names().items()
    )
    return sorted({name for name in full if name.startswith(beginning)})


def _text() -> str:
    """The table as it is in the file; "{}" if this litellm has none."""
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        return "{}"
    path = Path(spec.origin).parent / TABLE
    return path.read_text(encoding="utf-8") if path.exists() else "{}"


def _read_entry(text: str, name: str) -> ModelFacts | None:
    """A chat model's entry, found by the indentation that the file has; a file written otherwise is read whole."""
    if text.startswith('{\n    "'):
        key = f"\n    {json.dumps(name)}: "
        at = text.rfind(key)
        entry = json.JSONDecoder().raw_decode(text, at + len(key))[0] if at >= 0 else None
    else:
        entry = json.loads(text).get(name)
    return _facts(entry) if isinstance(entry, dict) and entry.get("mode") in MODES else None


@cache
def _names() -> Mapping[str, str]:
    """The chat models' names, with each one's provider."""
    entries: dict[str, dict[str, object]] = json.loads(_text())
    return {
        name: str(entry.get("litellm_provider", ""))
        for name, entry in entries.items()
        if entry.get("mode") in MODES
    }


def _facts(entry: Mapping[str, object]) -> ModelFacts:
    window = entry.get("max_input_tokens") or entry.get("max_tokens")
    prices = entry.get("input_cost_per_token"), entry.get("output_cost_per_token")
    return ModelFacts(
        provider=str(entry.get("litellm_provider", "")),
        mode=str(entry.get("mode", "")),
        native_tools=entry.get("supports_function_calling") is True,
        response_format=entry.get("supports_response_schema") is True,
        context_window=window if isinstance(window, int) else None,
        priced=None not in prices,
        free=prices == (0, 0),
        rates=tuple(_rates(entry)) if None not in prices else (),
        efforts=frozenset(
            found[1] for name, value in entry.items() if value is True and (found := _EFFORT.fullmatch(name))
        ),
        default_effort=str(entry.get("default_reasoning_effort") or ""),
    )


def _rates(entry: Mapping[str, object]) -> Iterator[tuple[int, Rates]]:
    """The rates from each length of prompt on, the shortest first; what has no price of its own costs as before."""
    steps = sorted({int(found[1]) * 1000 for name in entry if (found := _STEP.fullmatch(name))})
    prompt = completion = 0.0
    cached: float | None = None
    for above in [0, *steps]:
        suffix = f"_above_{above // 1000}k_tokens" if above else ""
        prompt = _price(entry, f"input_cost_per_token{suffix}", prompt)
        completion = _price(entry, f"output_cost_per_token{suffix}", completion)
        if f"cache_read_input_token_cost{suffix}" in entry:
            cached = _price(entry, f"cache_read_input_token_cost{suffix}", prompt)
        yield above, Rates(prompt, prompt if cached is None else cached, completion)


def _price(entry: Mapping[str, object], name: str, otherwise: float) -> float:
    value = entry.get(name)
    return float(value) if isinstance(value, int | float) else otherwise
