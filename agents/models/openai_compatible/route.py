"""Where a direct call goes: which models can be called so, their address, their key, the proxy before them."""

from __future__ import annotations

import os
import re
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from ...errors import AuthError, BadRequestError, ConfigurationError
from ..catalog import lookup
from ..remote import base_from_environment

# The providers whose API is OpenAI's own form, and where each is reached if nobody says; "": nowhere.
# Not Ollama: its own API, which "ollama_chat" means, knows settings (`num_ctx`) that its imitation of
# OpenAI's does not.
PROVIDERS: Mapping[str, str] = {
    "openai": "https://api.openai.com/v1",
    "hosted_vllm": "",
    "lm_studio": "",
    "llamafile": "http://127.0.0.1:8080/v1",
}

# The options that are sent in a request's body as they are. Others are litellm's own, or change what an
# answer looks like.
BODY_OPTIONS = frozenset({
    "frequency_penalty", "logit_bias", "max_completion_tokens", "parallel_tool_calls", "prediction",
    "presence_penalty", "prompt_cache_key", "prompt_cache_retention", "reasoning_effort", "safety_identifier",
    "service_tier", "store", "user", "verbosity",
})  # fmt: skip
OPTIONS = BODY_OPTIONS | {"extra_body", "extra_headers"}

_OTHER_KIND = re.compile(
    r"(^|[-/])(audio|search|computer-use|deep-research|realtime|transcribe)(-|$)|^responses/"
)
_SERIES = re.compile(r"gpt-(\d+)(?:\.(\d+))?(?=[.-]|$)")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?")
_KEY = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy; `login` is its Proxy-Authorization header, "" for none."""

    host: str
    port: int
    login: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """A server, and the proxy before it."""

    host: str
    port: int
    tls: bool
    proxy: Proxy | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """An address, and what a request to it says of it: its `target` and its `host` header.

    `base` is the address as messages show it, "" where it is the provider's own; `secrets` are what
    they must not show.
    """

    address: Address
    target: str
    host: str
    base: str
    secrets: tuple[str, ...] = ()


def why_not_direct(model: str, api_base: str | None, options: Mapping[str, object]) -> str:
    """Why a model is left to litellm, as the end of a sentence; "" if it can be called directly.

    >>> why_not_direct("openai/gpt-4o-mini", None, {})
    ''
    >>> why_not_direct("anthropic/claude-sonnet-4-5", None, {})
    'anthropic has an API of its own'
    """
    provider, _, name = model.partition("/")
    if provider not in PROVIDERS or not name:
        return f"{provider} has an API of its own"
    unknown = sorted(set(options) - OPTIONS)
    if unknown:
        return f"the direct route has no option {', '.join(unknown)}: what the server takes goes into extra_body="
    if isinstance(options.get("reasoning_effort"), Mapping):
        return "the chat API takes reasoning_effort as a word"
    if proxy := next((one for one in _proxies() if not one.startswith("http://")), ""):
        return f"the direct route takes proxies at http:// addresses only, not {proxy.partition(':')[0]}://"
    return _why_not_by_name(model, name, api_base, options) if provider == "openai" else ""


def _why_not_by_name(model: str, name: str, api_base: str | None, options: Mapping[str, object]) -> str:
    facts = lookup(model)
    if _OTHER_KIND.search(name) or (facts is not None and facts.mode != "chat"):
        return f"{name} is served by another API than that of chat completions"
    found = _SERIES.match(name)
    newer = found is not None and (int(found[1]), int(found[2] or 0)) >= (5, 4)
    if (
        newer
        and not api_base
        and not base_from_environment(model)
        and options.get("reasoning_effort") != "none"
    ):
        return f"OpenAI gives {name} tools by another API (Responses), unless reasoning_effort is 'none'"
    return ""


def find_route(model: str, api_base: str) -> Route:
    """Where requests to a model go, by what was passed and by the environment."""
    own = PROVIDERS.get(model.partition("/")[0], "")
    told = api_base or base_from_environment(model).rstrip("/")
    base = told or own
    if not base:
        variable = f"{model.partition('/')[0].upper()}_API_BASE"
        raise BadRequestError(f"{model}: there is no address: set {variable}, or pass api_base=", model=model)
    parts = urlsplit(base)
    tls = parts.scheme == "https"
    host = parts.hostname or ""
    if not host or parts.scheme not in ("http", "https"):
        raise BadRequestError(
            f"{model}: the address must start with http:// or https:// and a host", model=model
        )
    host = host if host.isascii() else host.encode("idna").decode()
    port = parts.port or (443 if tls else 80)
    shown = bracketed(host) + ("" if parts.port is None else f":{port}")
    path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~") + "/chat/completions"
    target = path + (f"?{quote(parts.query, safe='/%:@!$&()*+,;=~?')}" if parts.query else "")
    proxy, secrets = _proxy_before(parts.scheme, host, port)
    if proxy and not tls:
        target = f"http://{shown}{target}"
    return Route(Address(host, port, tls, proxy), target, shown, told, secrets)


def find_key(model: str, api_key: str, route: Route) -> str:
    """The key to send: what was passed, else the environment's; "" for a server of one's own without one."""
    variable = f"{model.partition('/')[0].upper()}_API_KEY"
    key = (api_key or os.environ.get(variable, "")).strip()
    if not key and not route.base and model.startswith("openai/"):
        raise AuthError(f"{model}: there is no key: set {variable}, or pass api_key=", model=model)
    if key and not _KEY.fullmatch(key):
        raise AuthError(
            f"{model}: the key holds a space or another character that no key has: set {variable} to the key alone",
            model=model,
        )
    return key


def checked_headers(headers: object) -> dict[str, tuple[str, str]]:
    """Further headers of a user's, by their names in lower case; no value shows in what is raised."""
    if not isinstance(headers, Mapping):
        raise ConfigurationError(f"extra_headers must map names to values, not {type(headers).__name__}")
    for name, value in headers.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise ConfigurationError(f"extra_headers has {name!r}, which is no header's name")
        if not isinstance(value, str) or (value and not _HEADER_VALUE.fullmatch(value)):
            raise ConfigurationError(f"the value of the header {name} must be text of one line")
        if name.lower() in ("content-length", "transfer-encoding", "connection"):
            raise ConfigurationError(f"extra_headers can't set {name}: it belongs to the connection")
    return {name.lower(): (name, value) for name, value in headers.items()}


def own_headers(model: str, route: Route) -> Iterator[tuple[str, str]]:
    """The organization and project that the environment names for OpenAI itself."""
    if model.startswith("openai/") and not route.base:
        organization = os.environ.get("OPENAI_ORGANIZATION") or os.environ.get("OPENAI_ORG_ID")
        for name, value in (
            ("OpenAI-Organization", organization),
            ("OpenAI-Project", os.environ.get("OPENAI_PROJECT_ID")),
        ):
            if value and _KEY.fullmatch(value.strip()):
                yield name, value.strip()


def bracketed(host: str) -> str:
    """A host as it stands in an address, an IPv6 one in brackets."""
    return f"[{host}]" if ":" in host else host


def _proxies() -> list[str]:
    """The proxies that are set, each as an address with a scheme."""
    return [
        address if "://" in address else f"http://{address}"
        for scheme, address in _set_proxies().items()
        if scheme in ("http", "https", "all")
    ]


def _set_proxies() -> dict[str, str]:
    """What the environment says, or on Windows and macOS the system; the import of urllib is saved where nothing does."""
    asks_system = sys.platform in ("win32", "darwin")
    if not asks_system and not any(name.lower().endswith("_proxy") for name in os.environ):
        return {}
    from urllib.request import getproxies

    return getproxies()


def _proxy_before(scheme: str, host: str, port: int) -> tuple[Proxy | None, tuple[str, ...]]:
    proxies = _set_proxies()
    found = proxies.get(scheme) or proxies.get("all")
    if not found:
        return None, ()
    from urllib.request import proxy_bypass

    if proxy_bypass(f"{bracketed(host)}:{port}"):
        return None, ()
    parts = urlsplit(found if "://" in found else f"http://{found}")
    if parts.scheme != "http" or not parts.hostname:
        raise BadRequestError(
            f"the direct route takes proxies at http:// addresses only, not {parts.scheme}://"
        )
    if parts.username is None:
        return Proxy(parts.hostname, parts.port or 80), ()
    user, password = unquote(parts.username), unquote(parts.password or "")
    encoded = b64encode(f"{user}:{password}".encode()).decode()
    secrets = tuple(secret for secret in (password, encoded) if len(secret) >= 4)
    return Proxy(parts.hostname, parts.port or 80, f"Basic {encoded}"), secrets
