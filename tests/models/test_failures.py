"""Failures that a server on loopback can't bring about: read from the exceptions that clients raise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from loopwright.errors import (
    AuthError,
    BadRequestError,
    LMError,
    ModelNotFoundError,
    NetworkError,
    RateLimitError,
    ServerError,
)
from loopwright.models.failure_chain import Endpoint, redact, without_login
from loopwright.models.failures import as_lm_error
from loopwright.models.hosted import load_litellm

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CLOUD = Endpoint("bedrock/some-model", timeout=30.0, secrets=("hush-hush",))


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def answered(status: int, text: str, **headers: str) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", "https://provider.example/v1")
    response = httpx.Response(status, text=text, headers=headers, request=request)
    return httpx.HTTPStatusError("an answer", request=request, response=response)


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (lambda litellm: litellm.RateLimitError("slow", "bedrock", "m"), RateLimitError, "too many requests"),
        (lambda litellm: litellm.AuthenticationError("bad", "bedrock", "m"), AuthError, "set AWS_ACCESS_KEY_ID and"),
        (lambda litellm: litellm.NotFoundError("none", "m", "bedrock"), ModelNotFoundError, "no such model at bedrock"),
        (lambda litellm: litellm.BadRequestError("odd", "m", "bedrock"), BadRequestError, "can't be sent"),
        (lambda litellm: litellm.APIConnectionError("hm", "bedrock", "m"), ServerError, "the provider failed"),
        (ImportError("No module named 'boto3'"), LMError, "a package that is not installed"),
        (TypeError("unexpected argument 'x'"), LMError, "failed with TypeError .unexpected argument 'x'."),
        (caused(RuntimeError("x"), ConnectionResetError(104, "reset")), NetworkError, "the connection to bedrock broke"),
        (caused(RuntimeError("x"), httpx.ConnectTimeout("slow")), NetworkError, "bedrock could not be reached"),
        (answered(400, '{"error": {"message": "maximum context length is 5"}}'), LMError, "maximum context length is 5"),
        (answered(400, '{"error": "plain words"}'), BadRequestError, "plain words"),
        (answered(400, '{"message": "other place"}'), BadRequestError, "other place"),
        (answered(418, "no JSON"), BadRequestError, "refused the request with status 418: change"),
        (
            lambda litellm: caused(litellm.NotFoundError("none", "m", "bedrock"), answered(400, "{}")),
            ModelNotFoundError,
            "no such model",
        ),
        (ServerError("as it is"), ServerError, "as it is"),
    ],
)  # fmt: skip
def test_a_failure_is_told_from_the_chain_of_exceptions(
    error: Exception | Callable[[Any], Exception], kind: type[LMError], says: str
) -> None:
    raised = error if isinstance(error, Exception) else error(load_litellm())

    mapped = as_lm_error(raised, CLOUD, NOW)

    assert isinstance(mapped, kind)
    assert mapped.args[0].count("\n") == 0
    with pytest.raises(kind, match=says):
        raise mapped


def test_a_date_to_wait_for_is_read_as_seconds() -> None:
    later = format_datetime(NOW + timedelta(seconds=90), usegmt=True)

    assert as_lm_error(answered(429, "{}", **{"Retry-After": later}), CLOUD, NOW).retry_after == 90.0


def test_ollama_is_told_how_to_fetch_a_model() -> None:
    error = as_lm_error(answered(404, '{"error": "model not found"}'), Endpoint("ollama_chat/llama3.2"), NOW)

    assert "`ollama pull llama3.2` fetches it" in str(error)


def test_a_long_story_is_cut_and_put_on_one_line() -> None:
    story = "first line\n" + "more and more " * 100

    said = str(as_lm_error(TypeError(story), CLOUD, NOW))

    assert "first line more and more" in said
    assert len(said) < 450


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key hush-hush refused", "key *** refused"),
        ("Bearer abc.def refused", "Bearer *** refused"),
        ("https://x.example/?key=AIzaSyA123456789&b=1", "https://x.example/?key=***&b=1"),
        ("sk-proj-abcdefgh and sk-ab", "*** and sk-ab"),
        ("AIzaSyA1234567890", "***"),
        ("a task-force for risk-management", "a task-force for risk-management"),
    ],
)
def test_what_looks_like_a_secret_is_not_shown(text: str, shown: str) -> None:
    assert redact(text, ("hush-hush",)) == shown


def test_a_chain_that_bites_its_tail_is_read_once() -> None:
    first, second = RuntimeError("a"), RuntimeError("b")
    first.__cause__, second.__cause__ = second, first

    assert "RuntimeError" in str(as_lm_error(first, CLOUD, NOW))


def test_an_address_without_a_scheme_is_left_as_it_is() -> None:
    assert without_login("") == ""
