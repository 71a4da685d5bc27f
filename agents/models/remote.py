"""What all models behind an address have in common: where they are, what they can do, and what must stay secret."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from urllib.parse import urlsplit

from ..errors import ConfigurationError
from .base import BaseLM, Capabilities
from .catalog import TOOL_PROVIDERS, ModelFacts, lookup
from .failure_chain import Endpoint, without_login

DEFAULT_TIMEOUT = 300.0
CONNECT_TIMEOUT = 10.0

_SECRET_WORDS = frozenset(
    {
        "key",
        "apikey",
        "token",
        "secret",
        "password",
        "credential",
        "credentials",
        "authorization",
        "header",
        "headers",
    }
)


class RemoteLM(BaseLM):
    """A model at an address, named "provider/model"; a subclass says how it is reached.

    `timeout` is in seconds and for the whole answer, the connection made within 10 of them. `options`
    go with each request. `native_tools`, `json_schema` and `context_window` say what the model can do,
    where litellm's table does not know it or is wrong.
    """

    def __init__(
        self,
        model: str,
        *,
        api_base: str | None = None,
        api_key: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        native_tools: bool | None = None,
        json_schema: bool | None = None,
        context_window: int | None = None,
        **options: object,
    ) -> None:
        self.model = model
        self.api_base = _checked_base(api_base)
        self.timeout = _checked_timeout(timeout)
        self._options = options
        self._api_key = api_key or ""
        self._given = (native_tools, json_schema, context_window)
        self._endpoint = Endpoint(model, self.api_base, timeout, tuple(_secrets(model, api_key, options)))

    @cached_property
    def _facts(self) -> ModelFacts | None:
        return lookup(self.model)

    @cached_property
    def _can(self) -> Capabilities:
        tools, schema, window = self._given
        facts = self._facts
        if tools is None:
            tools = facts.native_tools if facts else self.model.partition("/")[0] in TOOL_PROVIDERS
        if schema is None:
            schema = facts is not None and facts.response_format
        return Capabilities(tools, schema, context_window=window or (facts.context_window if facts else None))

    @property
    def capabilities(self) -> Capabilities:
        """What the constructor was told, else what litellm's table says, else what the provider's API allows."""
        return self._can

    @property
    def identity(self) -> str:
        """The model, its address, and a digest of the options that go with each request."""
        base = without_login(self.api_base or base_from_environment(self.model))
        return f"{self.model} {base} {self._digest}".strip()

    @cached_property
    def _digest(self) -> str:
        options = json.dumps(self._options, sort_keys=True, default=str)
        return hashlib.sha256(options.encode()).hexdigest()[:16] if self._options else ""


def base_from_environment(model: str) -> str:
    """The address that the environment names for a model's provider; "" if it names none."""
    provider = model.partition("/")[0].upper()
    return os.environ.get(f"{provider}_BASE_URL") or os.environ.get(f"{provider}_API_BASE") or ""


def is_secret(name: str) -> bool:
    """Whether an option of this name may hold a secret.

    >>> is_secret("aws_secret_access_key"), is_secret("max_tokens")
    (True, False)
    """
    return not _SECRET_WORDS.isdisjoint(name.lower().split("_"))


def _checked_base(api_base: str | None) -> str:
    if not api_base:
        return ""
    if not api_base.startswith(("http://", "https://")):
        raise ConfigurationError(f"api_base is {api_base!r}; it must start with http:// or https://")
    try:
        parts = urlsplit(api_base)
        _ = parts.port
    except ValueError as error:
        raise ConfigurationError(f"api_base can't be read as an address: {error}") from None
    if "@" in parts.netloc:
        raise ConfigurationError(
            "api_base must hold no user name and password: pass api_key=, or "
            'extra_headers={"Authorization": "Basic ..."}'
        )
    return api_base.rstrip("/")


def _checked_timeout(timeout: object) -> float:
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
        raise ConfigurationError(f"timeout is {timeout!r}; it must be a number of seconds above 0")
    return float(timeout)


def _secrets(model: str, api_key: str | None, options: Mapping[str, object]) -> Iterator[str]:
    """All that must not show in a message: keys that were passed, in headers too, and the provider's in the environment."""
    found: list[object] = [api_key, os.environ.get(f"{model.partition('/')[0].upper()}_API_KEY")]
    for name, value in options.items():
        if is_secret(name):
            found += value.values() if isinstance(value, Mapping) else [value]
    yield from (value for value in found if isinstance(value, str) and len(value) >= 4)
