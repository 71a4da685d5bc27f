"""The model as a user names it: `LM("openai/gpt-5-mini")`."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TextIO

from ..errors import ConfigurationError, InputError
from ..messages import Message
from .base import BaseLM, Capabilities, Delta, LMRequest, LMResponse
from .cache import Cached
from .catalog import MODEL_FORMS, close_names, lookup
from .chat_api import read_message, write_message
from .failure_chain import without_login
from .remote import DEFAULT_TIMEOUT, is_secret
from .retry import Retrying
from .shown import describe_call
from .stores import Store, default_store

if TYPE_CHECKING:
    from .hosted import HostedLM
    from .openai_compatible import DirectLM

Via = Literal["direct", "litellm"]

EMBEDDED = "embedded"
HISTORY_LENGTH = 100

OWN_OPTIONS = (
    "model_type", "cache", "num_retries", "api_base", "api_key", "timeout", "via",
    "native_tools", "json_schema", "context_window",
)  # fmt: skip
SLIP = 0.85  # how alike two names are, of 1, where one is a slip for the other; no option of litellm's is so to ours

# The settings of a request that a model can hold defaults of, and a call can change.
REQUEST_SETTINGS = ("temperature", "top_p", "max_tokens", "stop", "seed", "response_format", "rollout_id")


class Exchange(NamedTuple):
    """One call of a model: what was asked, and the answer. Programs of DSPy's read it by these names:

    >>> call = Exchange(LMRequest((Message("user", "Hi"),)), LMResponse("Hello", model="m"))
    >>> call["messages"], call["outputs"], call["usage"]["total_tokens"], call["model"]
    ([{'role': 'user', 'content': 'Hi'}], ['Hello'], 0, 'm')
    """

    request: LMRequest
    response: LMResponse

    def __getitem__(self, key: Any) -> Any:  # names beside the places of a tuple
        if not isinstance(key, str):
            return tuple.__getitem__(self, key)
        entry = self._by_name()
        if key not in entry:
            raise KeyError(f"no {key!r} in a call of a model; there are: {', '.join(entry)}")
        return entry[key]

    def _by_name(self) -> dict[str, Any]:
        used = self.response.usage
        return {
            "messages": [write_message(message) for message in self.request.messages],
            "kwargs": {
                name: value
                for name in REQUEST_SETTINGS
                if (value := getattr(self.request, name)) not in (None, ())
            },
            "outputs": [self.response.text],
            "response": self.response,
            "usage": {
                "prompt_tokens": used.prompt_tokens,
                "completion_tokens": used.completion_tokens,
                "total_tokens": used.total_tokens,
            },
            "cost": used.usd,
            "model": self.response.model,
        }


class CallableLM(BaseLM):
    """A model that can be called with a prompt, and remembers its last calls."""

    def __init__(self, model: str, history_length: int = HISTORY_LENGTH) -> None:
        self.model = model
        self.history: deque[Exchange] = deque(maxlen=history_length)

    def __call__(
        self,
        prompt: str | None = None,
        messages: Sequence[Message | Mapping[str, object]] | None = None,
        **settings: object,
    ) -> list[str]:
        """Ask with a prompt, or with messages `{"role": ..., "content": ...}`; the answer's text, in a list.

        `settings` are those of one request: temperature, top_p, max_tokens, stop, seed,
        response_format, rollout_id.
        """
        return [self.complete(make_request(prompt, messages, settings)).text]

    async def acall(
        self,
        prompt: str | None = None,
        messages: Sequence[Message | Mapping[str, object]] | None = None,
        **settings: object,
    ) -> list[str]:
        """As calling it, without blocking the event loop."""
        response = await self.acomplete(make_request(prompt, messages, settings))
        return [response.text]

    def inspect_history(self, n: int = 1, file: TextIO | None = None) -> None:
        """Print the last `n` calls of this model, as `loopwright.inspect_history` does of all models together."""
        out = file or sys.stdout
        for request, response in list(self.history)[-n:]:
            out.write(describe_call(self.model, request, response) + "\n")

    def remember(self, request: LMRequest, response: LMResponse) -> LMResponse:
        """Put a call into the history, and give its answer back."""
        self.history.append(Exchange(request, response))
        return response


class LM(CallableLM):
    """A language model, by the name of its provider and its own: `LM("openai/gpt-5-mini")`.

    Any provider of litellm's will do, a server of one's own with `api_base`, and "embedded", the small
    model that comes with the package and needs no key. The answers are kept in the user's cache folder
    (`cache=False`: not; or a `Store` to keep them in), and failures that may pass are tried `num_retries`
    times more.

    `temperature`, `max_tokens` and the like are defaults: what a request says itself goes first. Requests
    that differ only in `rollout_id` are drawn, and cached, apart. `timeout` is in seconds, for the whole
    answer. OpenAI and servers that speak its API ("openai/...", "hosted_vllm/...", "lm_studio/...",
    "llamafile/...") are called directly, all others through litellm; `via="litellm"` or `via="direct"`
    says which way it must be. All other keywords (`reasoning_effort`, `native_tools` ...) go to `DirectLM`
    or `HostedLM`; a name that is nearly one of the known ones is refused.

    >>> LM("openai/gpt-5-mini", temperature=1.0, api_key="secret")
    LM('openai/gpt-5-mini', temperature=1.0)
    """

    def __init__(
        self,
        model: str,
        model_type: str = "chat",
        temperature: float | None = None,
        max_tokens: int | None = None,
        cache: bool | Store = True,
        num_retries: int = 3,
        *,
        api_base: str | None = None,
        api_key: str | None = None,
        rollout_id: int | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        via: Via | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(_checked_model(model))
        if model_type != "chat":
            raise ConfigurationError(
                f'{model}: model_type is {model_type!r}, and only "chat" is spoken here; leave it out'
            )
        self._arguments: dict[str, object] = {
            "temperature": temperature,
            "max_tokens": max_tokens,
            "cache": cache,
            "num_retries": num_retries,
            "api_base": api_base,
            "api_key": api_key,
            "rollout_id": rollout_id,
            "timeout": timeout,
            "via": via,
            **kwargs,
        }
        self._defaults = _settings({name: self._arguments.get(name) for name in REQUEST_SETTINGS})
        options = {name: value for name, value in kwargs.items() if name not in REQUEST_SETTINGS}
        if model == EMBEDDED:
            self._engine = _embedded(api_base, options | ({"via": via} if via else {}))
        else:
            settings = {"api_base": api_base, "api_key": api_key, "timeout": timeout, **options}
            remote = _route_of(model, via, api_base, options)(model, **settings)  # type: ignore[arg-type]  # the rest are options of the route's own
            self._engine = _folded(remote, cache, num_retries)

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do."""
        return self._engine.capabilities

    @property
    def identity(self) -> str:
        """The model and its address."""
        return self._engine.identity

    def check_key(self) -> None:
        """Raise `AuthError` where no call can succeed, since there is no key; asks nobody.

        >>> LM("openai/gpt-5-mini", api_key="secret").check_key()
        """
        self._engine.check_key()

    def complete(self, request: LMRequest) -> LMResponse:
        """Answer the request, with this model's defaults for what it leaves open."""
        request = self._with_defaults(request)
        return self.remember(request, self._engine.complete(request))

    async def acomplete(self, request: LMRequest) -> LMResponse:
        """As `complete`, without blocking the event loop."""
        request = self._with_defaults(request)
        return self.remember(request, await self._engine.acomplete(request))

    def stream(self, request: LMRequest) -> Iterator[Delta | LMResponse]:
        """Answer piece by piece; the last item is the whole response."""
        request = self._with_defaults(request)
        for piece in self._engine.stream(request):
            yield self.remember(request, piece) if isinstance(piece, LMResponse) else piece

    async def astream(self, request: LMRequest) -> AsyncIterator[Delta | LMResponse]:
        """As `stream`, without blocking the event loop."""
        request = self._with_defaults(request)
        async for piece in self._engine.astream(request):
            yield self.remember(request, piece) if isinstance(piece, LMResponse) else piece

    def copy(self, **overrides: object) -> LM:
        """The same model with other settings, and a history of its own.

        >>> LM("openai/gpt-5-mini").copy(temperature=0.5, rollout_id=1)
        LM('openai/gpt-5-mini', rollout_id=1, temperature=0.5)
        """
        arguments: dict[str, object] = {"model": self.model, **self._arguments, **overrides}
        return LM(**arguments)  # type: ignore[arg-type]  # the constructor's own arguments again

    def dump_state(self) -> dict[str, object]:
        """The constructor's arguments as JSON values, without anything secret: `LM(**state)` makes it again.

        >>> LM("openai/gpt-5-mini", api_key="secret", seed=1).dump_state()
        {'model': 'openai/gpt-5-mini', 'seed': 1}
        """
        state = {"model": self.model, **self._shown()}
        if isinstance(state.get("api_base"), str):
            state["api_base"] = without_login(str(state["api_base"]))
        if not isinstance(state.get("cache", True), bool):
            del state["cache"]
        return state

    def __repr__(self) -> str:
        shown = "".join(
            f", {name}={value!r}" for name, value in sorted(self.dump_state().items()) if name != "model"
        )
        return f"LM({self.model!r}{shown})"

    def _shown(self) -> dict[str, object]:
        usual = {"cache": True, "num_retries": 3, "timeout": DEFAULT_TIMEOUT}
        return {
            name: value
            for name, value in self._arguments.items()
            if value is not None and not is_secret(name) and usual.get(name) != value
        }

    def _with_defaults(self, request: LMRequest) -> LMRequest:
        missing = {
            name: value for name, value in self._defaults.items() if getattr(request, name) in (None, ())
        }
        return replace(request, **missing) if missing else request  # type: ignore[arg-type]  # checked by _settings


def as_lm(model: BaseLM | str) -> BaseLM:
    """A model given by itself or by its name.

    >>> as_lm("openai/gpt-5-mini")
    LM('openai/gpt-5-mini')
    """
    if isinstance(model, BaseLM):
        return model
    return LM(model)


def make_request(
    prompt: str | None,
    messages: Sequence[Message | Mapping[str, object]] | None,
    settings: Mapping[str, object],
) -> LMRequest:
    """A request of a prompt or of messages, one of both, with its settings."""
    if (prompt is None) == (messages is None):
        raise InputError("a model is called with a prompt or with messages=, one of both")
    unknown = sorted(set(settings) - set(REQUEST_SETTINGS))
    if unknown:
        raise InputError(
            f"a call of a model has no setting {', '.join(unknown)}; there are {', '.join(REQUEST_SETTINGS)}. "
            "Options of the provider go to the model's constructor, or to its copy()"
        )
    turns = [Message("user", prompt)] if prompt is not None else [read_message(one) for one in messages or ()]
    return LMRequest(tuple(turns), **_settings(settings))  # type: ignore[arg-type]  # checked by _settings


def _settings(given: Mapping[str, object]) -> dict[str, object]:
    """The settings that are set, checked, `stop` as the tuple that a request wants."""
    settings = {name: value for name, value in given.items() if value is not None}
    for name, kinds in _KINDS.items():
        value = settings.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, kinds)):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise ConfigurationError(f"{name} is {value!r}; it must be {wanted}")
    stop = settings.get("stop")
    if isinstance(stop, str):
        settings["stop"] = (stop,)
    elif isinstance(stop, Sequence):
        settings["stop"] = tuple(stop)
    return settings


_KINDS: Mapping[str, tuple[type, ...]] = {
    "temperature": (int, float),
    "top_p": (int, float),
    "max_tokens": (int,),
    "stop": (str, list, tuple),
    "seed": (int,),
    "response_format": (dict,),
    "rollout_id": (int,),
}


def _checked_model(model: object) -> str:
    if not isinstance(model, str) or not model.strip():
        raise ConfigurationError(f"the model is {model!r}; {MODEL_FORMS}")
    provider, slash, name = model.partition("/")
    if model == EMBEDDED or (provider and name) or lookup(model) is not None:
        return model
    if slash:
        raise ConfigurationError(f"the model {model!r} lacks a provider or a name; {MODEL_FORMS}")
    close = close_names(model)
    meant = f"; did you mean {' or '.join(close)}?" if close else "."
    raise ConfigurationError(
        f"the model {model!r} names no provider{meant} {MODEL_FORMS[0].upper()}{MODEL_FORMS[1:]}"
    )


def _embedded(api_base: str | None, options: Mapping[str, object]) -> BaseLM:
    if api_base or options:
        surplus = ", ".join([*options, *(["api_base"] if api_base else [])])
        raise ConfigurationError(f"the embedded model takes no {surplus}: it runs in this process")
    from .embedded import EmbeddedLM

    return EmbeddedLM()


def _route_of(
    model: str, via: object, api_base: str | None, options: Mapping[str, object]
) -> type[DirectLM | HostedLM]:
    """How a model is reached: directly where that is known to be right, else through litellm."""
    from .openai_compatible import why_not_direct  # here, since the embedded model needs no route

    if via not in ("direct", "litellm", None):
        raise ConfigurationError(f'via is {via!r}; it must be "direct" or "litellm", or be left out')
    for name in options:
        if near := _slip_for(name):
            raise ConfigurationError(f"{model}: there is no option {name!r}; did you mean {near!r}?")
    given = {name for name in options if name not in ("native_tools", "json_schema", "context_window")}
    sent = {name: options[name] for name in given}
    direct = via == "direct" or (via is None and not why_not_direct(model, api_base, sent))
    if direct:
        from .openai_compatible import DirectLM

        return DirectLM
    from .hosted import HostedLM

    return HostedLM


@lru_cache(maxsize=256)
def _slip_for(name: str) -> str:
    """The option that was meant by a name that is nearly one; "" for a name that is, or that only the provider knows."""
    from .openai_compatible.route import OPTIONS

    known = (*OWN_OPTIONS, *REQUEST_SETTINGS, *sorted(OPTIONS))
    return "" if name in known else next(iter(get_close_matches(name[:80], known, 1, SLIP)), "")


def _folded(remote: BaseLM, cache: bool | Store, num_retries: int) -> BaseLM:
    """The remote model with retries around it, and the cache around these."""
    lm: BaseLM = Retrying(remote, attempts=1 + max(0, num_retries))
    store = default_store() if cache is True else cache
    return Cached(lm, store) if store is not None and store is not False else lm
