"""What a request looks like for one model: its options, and what OpenAI's reasoning models take otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from ..base import LMRequest
from ..catalog import ModelFacts
from ..chat_api import Body, write_request
from .route import BODY_OPTIONS

_SAMPLING = ("top_p", "logprobs", "top_logprobs")
_PENALTIES = ("presence_penalty", "frequency_penalty")


def write_body(
    request: LMRequest, model: str, facts: ModelFacts | None, options: Mapping[str, object], *, stream: bool
) -> Body:
    """The body of a request to a model, "provider/name", with the options that its constructor was given."""
    provider, _, name = model.partition("/")
    body: Body = {name: value for name, value in options.items() if name in BODY_OPTIONS}
    body |= write_request(request)
    body["model"] = name
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if provider == "openai":
        _fit(body, name, facts)
    extra = options.get("extra_body")
    return body | dict(extra) if isinstance(extra, Mapping) else body


def _fit(body: Body, name: str, facts: ModelFacts | None) -> None:
    """Leave out what a reasoning model refuses, and name the limit of the answer as it does.

    The same rules as litellm's, so that both routes send the same: the o series takes no sampling
    settings, and the fifth GPT and its followers only while they do not reason.
    """
    if facts is not None and name[:1] == "o" and name[1:2].isdigit():
        refused, samples = (*_SAMPLING, *_PENALTIES), False
    elif ("gpt-5" in name or "gpt-6" in name) and "gpt-5-chat" not in name:
        efforts = facts.efforts if facts else frozenset()
        effort = body.get("reasoning_effort") or (facts.default_effort if facts else "")
        samples = "none" in efforts and effort == "none"
        refused = ("stop", "logit_bias", "prediction", *_PENALTIES, *(() if samples else _SAMPLING))
    else:
        return
    for one in refused:
        body.pop(one, None)
    if not samples and body.get("temperature") != 1:
        body.pop("temperature", None)
    if "max_tokens" in body:
        body["max_completion_tokens"] = body.pop("max_tokens")
