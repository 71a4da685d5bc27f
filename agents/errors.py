"""Every exception of the package; a program that catches `LoopwrightError` catches them all.

    LoopwrightError
    ├── SignatureError            a signature that can't be read or edited as asked
    ├── InputError                a call's inputs do not fit the signature
    ├── OutputError               an answer that still does not fit after the repairs; holds the raw text
    ├── StateError                a saved state that does not fit the program
    ├── ConfigurationError        something must be set up first: a model, an option, an extra
    ├── TaskFileError             a task file that can't be used; lists every problem with its line
    ├── RetrievalError            documents that can't be read
    ├── BudgetError               what may be spent is spent
    ├── ReplayError               a strict replay came to something that is not on record
    └── LMError                   a model call failed
        ├── AuthError             the key is missing, wrong, or lacks a right
        ├── RateLimitError        too many requests, or a quota is used up
        ├── ContextWindowError    the request is longer than the model reads
        ├── LMTimeoutError        no answer in time
        ├── BadRequestError       the provider refused the request as it stands
        ├── ModelNotFoundError    no such model there
        ├── ServerError           the provider failed (5xx) or sent something unreadable
        └── NetworkError          the provider could not be reached

What a model can repair (an unknown tool, a wrong argument) is a value, not an exception: see
`loopwright.tools.ToolResult`. These are for a person, so each text says what to do.
"""

from __future__ import annotations

from collections.abc import Sequence


class LoopwrightError(Exception):
    """The root of the tree."""


class SignatureError(LoopwrightError, ValueError):
    """A signature can't be read, or an edit of one makes no sense."""


class InputError(LoopwrightError, TypeError):
    """The keyword arguments of a call are not the signature's inputs."""


class OutputError(LoopwrightError, ValueError):
    """The model's answer does not fit the signature, also after it was asked again.

    `raw` is the last answer as it came; `field` the first output that did not fit ("" when the
    whole answer could not be read).
    """

    def __init__(self, message: str, *, raw: str = "", field: str = "") -> None:
        super().__init__(message)
        self.raw = raw
        self.field = field


class StateError(LoopwrightError, ValueError):
    """A saved state does not fit the program it is loaded into."""


class ConfigurationError(LoopwrightError, RuntimeError):
    """Something must be set up by a person before this can run."""


class TaskFileError(LoopwrightError, ValueError):
    """A task file can't be used. `problems` holds one line for each thing that is wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class RetrievalError(LoopwrightError, ValueError):
    """The documents to search can't be read."""


class BudgetError(LoopwrightError, RuntimeError):
    """A model call was not made, since the budget has no room for it.

    `limit` says which bound it was: "usd", "tokens", "calls" or "seconds".
    """

    def __init__(self, message: str, *, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


class ReplayError(LoopwrightError, RuntimeError):
    """A strict replay was asked for something that is not on record; the text says what comes nearest."""


class LMError(LoopwrightError):
    """A model call failed.

    `model` names it; `status` is the HTTP status (0 when there was none); `retry_after` is what the
    provider asked to wait, in seconds (None when it did not say).
    """

    retryable = False

    def __init__(
        self, message: str, *, model: str = "", status: int = 0, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.model = model
        self.status = status
        self.retry_after = retry_after


class AuthError(LMError):
    """The key is missing, wrong, or lacks a right."""


class RateLimitError(LMError):
    """Too many requests, or a quota is used up."""

    retryable = True


class ContextWindowError(LMError):
    """The request is longer than the model can read."""


class LMTimeoutError(LMError, TimeoutError):
    """The model gave no answer in time."""

    retryable = True


class BadRequestError(LMError):
    """The provider refused the request as it stands; the same request will fail again."""


class ModelNotFoundError(BadRequestError):
    """The provider has no model of that name."""


class ServerError(LMError):
    """The provider failed, or sent something that is no answer."""

    retryable = True


class NetworkError(LMError, ConnectionError):
    """The provider could not be reached."""

    retryable = True
