"""From what a provider's client raises to our errors: one line each that says what to do.

litellm maps every provider's failures to its own classes, but not always well: a missing key comes as
"internal server error", a refused connection as the same. What happened is read from the whole chain
of exceptions instead, the HTTP status first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from ..errors import (
    AuthError,
    BadRequestError,
    ContextWindowError,
    LMError,
    LMTimeoutError,
    ModelNotFoundError,
    NetworkError,
    RateLimitError,
    ServerError,
)
from .catalog import MODEL_FORMS
from .failure_chain import Endpoint, Failure, read_failure, retry_after

_TOO_LONG = re.compile(
    r"context_length_exceeded|context (length|window|size|limit)|prompt is too long|too many (input )?tokens"
    r"|maximum (input|prompt) length",
    re.IGNORECASE,
)
_NO_KEY = re.compile(
    r"missing.{0,40}(api.?key|credential)|(api.?key|credential).{0,40}(missing|must be set|not (set|found|provided))"
    r"|unable to locate credentials|default credentials were not found",
    re.IGNORECASE,
)
_NO_QUOTA = re.compile(r"insufficient_quota|exceeded your current quota|billing", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Explanation:
    """The error to raise, what happened, and what to do; the last two with places to fill in.

    `quoted` says whether what the provider or its client said tells a person more than that.
    """

    kind: type[LMError]
    what: str
    advice: str
    quoted: bool = True


_LOWER_THE_RATE = _Explanation(
    RateLimitError, "too many requests", "lower the number of workers, or try again later"
)
_QUOTA_USED_UP = _Explanation(RateLimitError, "the account's quota is used up", "check its plan and billing")
_CONTEXT = _Explanation(
    ContextWindowError,
    "the request is longer than the model reads",
    "shorten it, or take a model that reads more",
)
_REFUSED = _Explanation(
    BadRequestError,
    "the provider refused the request with status {status}",
    "change it: as it is it fails again",
)
_FAILED = _Explanation(ServerError, "the provider failed with status {status}", "try again later")
_KEY_REFUSED = _Explanation(
    AuthError, "the key was refused", "set {key} to a valid key, or pass the right api_key="
)
_NO_MODEL = _Explanation(ModelNotFoundError, "there is no such model at {at}", "{naming}")
_TIMED_OUT = _Explanation(
    LMTimeoutError, "no whole answer within {seconds} s", "try again, or pass a longer timeout=", quoted=False
)
_BROKE = _Explanation(NetworkError, "the connection to {at} broke", "try again")
_NO_KEY_THERE = _Explanation(AuthError, "there is no key", "set {key}, or pass api_key=", quoted=False)
_NO_PROVIDER = _Explanation(BadRequestError, "there is no provider {provider!r}", MODEL_FORMS, quoted=False)
_UNKNOWN = _Explanation(LMError, "the call failed with {name}", "check the options that were passed")

_BY_STATUS = {
    401: _KEY_REFUSED,
    402: _QUOTA_USED_UP,
    403: _Explanation(
        AuthError, "the key lacks a right for this", "ask for access, or use another key or model"
    ),
    404: _NO_MODEL,
    408: _TIMED_OUT,
    429: _LOWER_THE_RATE,
}

_UNTRUSTED = _Explanation(
    NetworkError,
    "the certificate of {at} is not trusted",
    "if the server is the right one, set SSL_CERT_FILE to its authority's certificate",
)

# Where no answer came. The first line with a class that is in the chain says what happened.
_BY_CLASS = (
    (("SSLCertVerificationError",), _UNTRUSTED),
    (("ConnectionResetError", "BrokenPipeError"), _BROKE),
    (
        ("ConnectTimeout", "ConnectError", "gaierror", "ConnectionRefusedError"),
        _Explanation(
            NetworkError,
            "{at} could not be reached",
            "check that the server runs, that its address is right, and the network",
        ),
    ),
    (("TimeoutError", "TimeoutException", "APITimeoutError"), _TIMED_OUT),
    (("TransportError", "ConnectionError", "SSLError"), _BROKE),
    (
        ("JSONDecodeError", "UnicodeDecodeError"),
        _Explanation(
            ServerError,
            "the answer can't be read",
            "try again; if it stays so, the server does not speak this API",
            quoted=False,
        ),
    ),
    (
        ("UnreadableError",),
        _Explanation(
            ServerError,
            "the answer can't be read",
            "try again; if it stays so, the server does not speak this API",
        ),
    ),
    (
        ("ImportError",),
        _Explanation(LMError, "this provider needs a package that is not installed", "install it"),
    ),
    (("RateLimitError",), _LOWER_THE_RATE),
    (("AuthenticationError", "PermissionDeniedError"), _KEY_REFUSED),
    (("NotFoundError",), _NO_MODEL),
    (
        ("UnsupportedParamsError", "BadRequestError", "UnprocessableEntityError"),
        _Explanation(BadRequestError, "the request can't be sent", "change it: as it is it fails again"),
    ),
    (("APIError",), _Explanation(ServerError, "the provider failed", "try again later")),
)


def as_lm_error(error: Exception, endpoint: Endpoint, now: datetime | None = None) -> LMError:
    """The error to raise in place of what the provider's client raised."""
    if isinstance(error, LMError):
        return error
    failure = read_failure(error, endpoint.secrets)
    explanation = _explain(failure)
    wait = retry_after(failure, now or datetime.now(UTC))
    made = explanation.kind(
        _sentence(explanation, failure, endpoint, wait),
        model=endpoint.model,
        status=failure.status,
        retry_after=wait,
    )
    if explanation in (_QUOTA_USED_UP, _UNTRUSTED):
        made.retryable = False
    return made


def _explain(failure: Failure) -> _Explanation:
    status = failure.status
    too_long = status in (400, 413, 422, 500) and _TOO_LONG.search(failure.text)
    if too_long or failure.has("ContextWindowExceededError"):
        return _CONTEXT
    if status:
        return _explain_status(failure)
    if _NO_KEY.search(failure.text):
        return _NO_KEY_THERE
    if "LLM Provider NOT provided" in failure.text:
        return _NO_PROVIDER
    return next((explanation for names, explanation in _BY_CLASS if failure.has(*names)), _UNKNOWN)


def _explain_status(failure: Failure) -> _Explanation:
    if failure.status == 429 and _NO_QUOTA.search(failure.text):
        return _QUOTA_USED_UP
    if failure.status in _BY_STATUS:
        return _BY_STATUS[failure.status]
    if failure.status >= 500:
        return _FAILED
    if failure.has("NotFoundError"):  # some say 400 to an unknown model
        return _NO_MODEL
    if failure.has("ContentPolicyViolationError"):
        return _Explanation(
            BadRequestError, "the provider's content policy refused the request", "change the input"
        )
    return _REFUSED


def _sentence(explanation: _Explanation, failure: Failure, endpoint: Endpoint, wait: float | None) -> str:
    words = {
        "at": endpoint.shown_base or endpoint.provider,
        "key": endpoint.key_variable,
        "name": type(failure.chain[0]).__name__,
        "naming": _naming_advice(endpoint),
        "provider": endpoint.provider,
        "seconds": f"{endpoint.timeout:g}",
        "status": failure.status,
    }
    what, advice = explanation.what.format_map(words), explanation.advice.format_map(words)
    if explanation is _LOWER_THE_RATE and wait is not None:
        advice = f"the provider asks to wait {wait:g} s; {advice}"
    said = f" ({failure.said})" if failure.said and explanation.quoted else ""
    return f"{endpoint.model}: {what}{said}: {advice}"


def _naming_advice(endpoint: Endpoint) -> str:
    if endpoint.provider.startswith("ollama"):
        return f"`ollama pull {endpoint.model.partition('/')[2]}` fetches it"
    if endpoint.api_base:
        return f"check the name and the address, which often ends in /v1; GET {endpoint.shown_base}/models lists them"
    return "check the name after the provider's"
