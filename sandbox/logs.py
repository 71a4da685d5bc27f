"""`logging` for programs: loggers, handlers and formatters that write to the program's own output, nowhere else.

The classes are made anew for each session, whose program may subclass and change them.
"""

# ruff: noqa: N802 - methods carry the names of logging's

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

LEVELS = {"NOTSET": 0, "DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
_OTHER_NAMES = {"WARN": 30, "FATAL": 50}
_FORMAT = "%(levelname)s:%(name)s:%(message)s"
_OWN = {"exc_info", "stack_info", "stacklevel", "extra"}

Write = Callable[[str], object]
Describe = Callable[[BaseException], str]


def level_of(level: Any) -> int:
    """A level's number from its number or name.

    >>> level_of("INFO"), level_of(25)
    (20, 25)
    """
    if isinstance(level, int):
        return level
    known = LEVELS | _OTHER_NAMES
    if level not in known:
        raise ValueError(f"Unknown level: {level!r}")
    return known[level]


def name_of(level: int) -> str:
    """A level's name from its number."""
    return next((name for name, number in LEVELS.items() if number == level), f"Level {level}")


def _line() -> int:
    """The line of the program that is calling."""
    frame = sys._getframe()
    while frame.f_back is not None and not frame.f_code.co_filename.startswith("<program"):
        frame = frame.f_back
    return frame.f_lineno


def members(write: Write, describe: Describe, adopt: Callable[[type], Any]) -> dict[str, Any]:  # noqa: C901 - many small methods
    """What a program's `logging` holds; `adopt` lets it subclass a class and set attributes."""

    class LogRecord:
        def __init__(self, name: str, level: int, msg: Any, args: Any, error: BaseException | None) -> None:
            self.name, self.levelno, self.levelname, self.msg, self.args = (
                name,
                level,
                name_of(level),
                msg,
                args,
            )
            self.created = time.time()
            self.exc_text = None if error is None else describe(error)
            self.filename = self.pathname = self.module = "<program>"
            self.lineno, self.funcName = _line(), "<module>"
            self.message = self.asctime = ""

        def getMessage(self) -> str:
            args = self.args
            if len(args) == 1 and isinstance(args[0], dict) and args[0]:
                args = args[0]
            return str(self.msg) % args if args else str(self.msg)

    class Formatter:
        def __init__(self, fmt: str | None = None, datefmt: str | None = None, style: str = "%") -> None:
            if style != "%":
                raise ValueError("logging formats are in the style of % in the sandbox")
            self.fmt, self.datefmt = fmt or "%(message)s", datefmt

        def formatTime(self, record: Any, datefmt: str | None = None) -> str:
            at = time.localtime(record.created)
            if datefmt:
                return time.strftime(datefmt, at)
            return f"{time.strftime('%Y-%m-%d %H:%M:%S', at)},{int(record.created % 1 * 1000):03d}"

        def format(self, record: Any) -> str:
            record.message = record.getMessage()
            record.asctime = self.formatTime(record, self.datefmt)
            held = object.__getattribute__(record, "__dict__").items()
            # Exact text: the program's own could take what it is filled with.
            text = str.__str__(str(self.fmt)) % {key: value for key, value in held if not key.startswith("_")}
            return f"{text}\n{record.exc_text}" if record.exc_text else text

    class Filterer:
        def __init__(self) -> None:
            self.filters: list[Any] = []
            self.level = 0

        def addFilter(self, chosen: Any) -> None:
            self.filters.append(chosen)

        def setLevel(self, level: Any) -> None:
            self.level = level_of(level)

        def filter(self, record: Any) -> bool:
            return all((each.filter if hasattr(each, "filter") else each)(record) for each in self.filters)

    class Handler(Filterer):
        def __init__(self, level: Any = 0) -> None:
            super().__init__()
            self.setLevel(level)
            self.formatter: Any = None

        def setFormatter(self, formatter: Any) -> None:
            self.formatter = formatter

        def format(self, record: Any) -> Any:
            return (self.formatter or Formatter()).format(record)

        def handle(self, record: Any) -> None:
            if record.levelno >= self.level and self.filter(record):
                self.emit(record)

        def emit(self, record: Any) -> None:
            """What a subclass does with a record."""

        def flush(self) -> None:
            """Nothing is held back."""

        close = flush

    class StreamHandler(Handler):
        def __init__(self, stream: Any = None) -> None:
            super().__init__()
            self.stream = stream

        def emit(self, record: Any) -> None:
            (write if self.stream is None else self.stream.write)(f"{self.format(record)}\n")

    class NullHandler(Handler):
        pass

    class Logger(Filterer):
        def __init__(self, name: str, parent: Any = None) -> None:
            super().__init__()
            self.name, self.parent = name, parent
            self.handlers: list[Any] = []
            self.propagate, self.disabled = True, False

        def addHandler(self, handler: Any) -> None:
            if handler not in self.handlers:
                self.handlers.append(handler)

        def removeHandler(self, handler: Any) -> None:
            if handler in self.handlers:
                self.handlers.remove(handler)

        def getEffectiveLevel(self) -> int:
            return self.level or (30 if self.parent is None else int(self.parent.getEffectiveLevel()))

        def isEnabledFor(self, level: int) -> bool:
            return not self.disabled and level >= self.getEffectiveLevel()

        def hasHandlers(self) -> bool:
            return bool(self.handlers or (self.propagate and self.parent and self.parent.hasHandlers()))

        def getChild(self, suffix: str) -> Any:
            return get_logger(f"{self.name}.{suffix}")

        def log(self, level: int, msg: Any, *args: Any, **options: Any) -> None:
            unknown = options.keys() - _OWN
            if unknown:
                raise TypeError(f"a logging call got an unexpected keyword argument {min(unknown)!r}")
            if not self.isEnabledFor(level):
                return
            error: Any = options.get("exc_info")
            if error and not isinstance(error, BaseException):
                error = sys.exception()
            record = LogRecord(self.name, level, msg, args, error or None)
            for name, value in (options.get("extra") or {}).items():
                if name in vars(record) or name.startswith("_"):
                    raise KeyError(f"Attempt to overwrite {name!r} in LogRecord")
                setattr(record, name, value)
            if self.filter(record):
                self.pass_on(record)

        def pass_on(self, record: Any) -> None:
            if not self.hasHandlers() and record.levelno >= 30:
                write(f"{record.getMessage()}\n")
            at: Any = self
            while at is not None:
                for handler in at.handlers:
                    handler.handle(record)
                at = at.parent if at.propagate else None

        def debug(self, msg: Any, *args: Any, **options: Any) -> None:
            self.log(10, msg, *args, **options)

        def info(self, msg: Any, *args: Any, **options: Any) -> None:
            self.log(20, msg, *args, **options)

        def warning(self, msg: Any, *args: Any, **options: Any) -> None:
            self.log(30, msg, *args, **options)

        def error(self, msg: Any, *args: Any, **options: Any) -> None:
            self.log(40, msg, *args, **options)

        def critical(self, msg: Any, *args: Any, **options: Any) -> None:
            self.log(50, msg, *args, **options)

        def exception(self, msg: Any, *args: Any, **options: Any) -> None:
            self.log(40, msg, *args, **{"exc_info": True, **options})

        warn = warning

    root = Logger("root")
    loggers: dict[str, Any] = {}

    def get_logger(name: str | None = None) -> Any:
        if not name or name == "root":
            return root
        if name not in loggers:
            parent = name.rpartition(".")[0]
            loggers[name] = Logger(name, get_logger(parent))
        return loggers[name]

    def basic_config(**options: Any) -> None:
        if options.get("filename") is not None:
            raise PermissionError("files can't be opened in the sandbox")
        if options.get("level") is not None:
            root.setLevel(options["level"])
        if options.get("force"):
            root.handlers.clear()
        if not root.handlers:
            for handler in options.get("handlers") or [StreamHandler(options.get("stream"))]:
                if handler.formatter is None:
                    handler.setFormatter(Formatter(options.get("format") or _FORMAT, options.get("datefmt")))
                root.addHandler(handler)

    def at_root(name: str) -> Callable[..., None]:
        def call(msg: Any, *args: Any, **options: Any) -> None:
            basic_config()
            getattr(root, name)(msg, *args, **options)

        return call

    for made in (LogRecord, Formatter, Filterer, Handler, StreamHandler, NullHandler, Logger):
        adopt(made)
    shortcuts = "debug info warning warn error critical exception log"
    return {
        **LEVELS,
        **_OTHER_NAMES,
        **{
            made.__name__: made
            for made in (LogRecord, Formatter, Handler, StreamHandler, NullHandler, Logger)
        },
        **{name: at_root(name) for name in shortcuts.split()},
        "basicConfig": basic_config,
        "getLevelName": lambda level: name_of(level) if isinstance(level, int) else level_of(level),
        "getLogger": get_logger,
        "root": root,
    }
