"""The child process that matches a regular expression, on the standard library alone.

A regular expression of a model's can take years on one line, and nothing in its own process can stop it. So it runs
here, with bounds on processor time and memory, and is killed when it takes too long.

On standard input: a line of JSON, [pattern, ignore case, seconds, bytes], answered with "" or with what is wrong in the
pattern; then, for each text, a line of JSON, [bytes, most matches], and the text in UTF-8, answered with the matching lines.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
import warnings


def matching_lines(pattern: re.Pattern[str], text: str, limit: int) -> list[tuple[int, int]]:
    r"""The lines in which a pattern is found: the line's number from 1, and where in the line.

    >>> matching_lines(re.compile("b+"), "abb\nc\nb", 9)
    [(1, 1), (3, 0)]
    """
    found: list[tuple[int, int]] = []
    for number, line in enumerate(text.split("\n"), 1):
        match = pattern.search(line)
        if match:
            found.append((number, match.start()))
            if len(found) == limit:
                break
    return found


def limit_process(seconds: int, size: int) -> None:
    """Bound this process's processor time and memory where the system can; a bound that is tighter already stays."""
    try:
        import resource
    except ImportError:  # Windows: there it is only killed
        return
    for kind, wanted in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, size)):
        hard = resource.getrlimit(kind)[1]
        bound = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS takes no bound on the address space
            resource.setrlimit(kind, (bound, bound))


def serve() -> None:
    """Answer until the other side has no more texts."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer

    def tell(answer: object) -> None:
        sink.write(json.dumps(answer).encode() + b"\n")
        sink.flush()

    text, ignore_case, seconds, size = json.loads(source.readline())
    limit_process(seconds, size)
    warnings.simplefilter("ignore")
    try:
        pattern = re.compile(text, re.IGNORECASE if ignore_case else 0)
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        tell(str(error) or "it is nested too deeply")
        return
    tell("")
    while line := source.readline():
        length, limit = json.loads(line)
        tell(matching_lines(pattern, source.read(length).decode(), limit))


if __name__ == "__main__":
    serve()
