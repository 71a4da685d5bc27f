"""`fetch_page` against a server that does whatever it likes with its end of the connection."""

from __future__ import annotations

import gzip
import itertools
import json
import socket
import socketserver
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import unquote

import pytest
from bombs import bomb
from hypothesis import given
from hypothesis import strategies as st

from loopwright.tools import ToolCall, ToolResult
from loopwright.tools.builtin.fetch_page import fetch_page_tool
from loopwright.tools.builtin.unpacking import unpacked

Send = Callable[[bytes], None]
Answer = Callable[[Send], None]

BREAK = b"\r\n"
PATIENCE = 0.5  # seconds that a fetch has where it is going to use them up
ENOUGH = 60.0  # seconds that a fetch has where it is not
GUARD = 3 * ENOUGH  # seconds within which everything must have ended, however busy the machine


def http(
    body: bytes = b"", *headers: str, kind: str | None = "text/plain", length: int | None = None
) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body) if length is None else length}", *headers]
    if kind is not None:
        lines.append(f"Content-Type: {kind}")
    return "\r\n".join(lines).encode() + 2 * BREAK + body


def packed(body: bytes, encoding: str = "gzip", kind: str = "text/plain") -> bytes:
    return http(body, f"Content-Encoding: {encoding}", kind=kind)


def once(answer: bytes) -> Answer:
    return lambda send: send(answer)


def endless(start: bytes, pieces: Iterable[bytes], pause: float = 0.0) -> Answer:
    """First the start, then piece after piece for as long as the other side listens."""

    def answer(send: Send) -> None:
        send(start)
        for piece in pieces:
            send(piece)
            time.sleep(pause)

    return answer


def always(piece: bytes) -> Iterator[bytes]:
    while True:
        yield piece


OPEN = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
CHUNKED = OPEN + b"Transfer-Encoding: chunked\r\n\r\n"
GZIPPED = OPEN + b"Content-Encoding: gzip\r\n\r\n"
EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"  # a stored deflate block of no bytes
GZIP_HEADER = gzip.compress(b"")[:10]


# ---- what is refused, and in which words

REFUSED: dict[str, tuple[Answer, str]] = {
    # the protocol
    "nothing at all": (once(b""), "can't be read"),
    "no http": (once(b"\x16\x03\x01\x02\x00\x01"), "can't be read"),
    "http 0.9": (once(b"<html>old</html>"), "can't be read"),
    "a status of five digits": (once(b"HTTP/1.1 20000 OK\r\n\r\n"), "can't be read"),
    "a header with a nul": (once(b"HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n"), "can't be read"),
    "a header without a colon": (once(b"HTTP/1.1 200 OK\r\nhello\r\n\r\n"), "can't be read"),
    "endless headers": (endless(b"HTTP/1.1 200 OK\r\n", (b"X-%d: y\r\n" % n for n in itertools.count())), "can't be read"),
    "a header without end": (endless(b"HTTP/1.1 200 OK\r\nX: ", always(b"y" * 4096)), "can't be read"),
    "a status line without end": (endless(b"HTTP/1.1 200 ", always(b"y" * 4096)), "can't be read"),
    "another protocol": (once(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), "can't be read"),
    "a teapot": (once(b"HTTP/1.1 418 Tea\r\n\r\n"), "answered with status 418"),
    "a redirect to nowhere": (once(b"HTTP/1.1 302 Found\r\n\r\n"), "answered with status 302"),
    "not modified": (once(b"HTTP/1.1 304 Not Modified\r\n\r\n"), "answered with status 304"),
    # lengths that lie
    "a length too long": (once(http(b"short", length=1_000)), "can't be read"),
    "a negative length": (once(http(b"short", length=-1)), "can't be read"),
    "two lengths": (once(http(b"short", "Content-Length: 3")), "can't be read"),
    "a chunk of no size": (once(CHUNKED + b"zz\r\nabc\r\n"), "can't be read"),
    "a chunk size without end": (endless(CHUNKED, always(b"1" * 4096)), "can't be read"),
    "chunks that stop": (once(CHUNKED + b"5\r\nabc"), "can't be read"),
    # packing
    "brotli, not asked for": (once(packed(b"\x0b\x02\x80hello\x03", "br")), "packed in a way that was not asked for: br"),
    "zstandard": (once(packed(b"(\xb5/\xfd", "zstd")), "not asked for: zstd"),
    "packed twice": (once(packed(gzip.compress(gzip.compress(b"x")), "gzip, gzip")), "not asked for: gzip, gzip"),
    "packed twice, in two headers": (
        once(http(gzip.compress(gzip.compress(b"x")), "Content-Encoding: gzip", "Content-Encoding: gzip")),
        "not asked for: gzip, gzip",
    ),
    "packed twice, and once is hidden": (once(packed(gzip.compress(gzip.compress(b"x" * 999)))), "is no text, though it says"),
    "called packed": (once(packed(b"this is plain")), "packed, and damaged"),
    "a damaged packing": (once(packed(gzip.compress(b"x" * 999)[:-9] + b"123456789")), "packed, and damaged"),
    "half a packing": (once(packed(gzip.compress(bytes(range(256)) * 99)[:99])), "packed, and damaged: its end is missing"),
    "empty blocks without end": (endless(GZIPPED + GZIP_HEADER, always(EMPTY_BLOCK * 2_000)), "packed into more than 2,000,000 bytes"),
    # what is no text
    "a picture": (once(http(b"\x89PNG", kind="image/png")), "is no text but image/png"),
    "a film": (endless(http(length=1 << 40, kind="video/mp4"), always(b"x" * 4096)), "is no text but video/mp4"),
    "an archive": (once(http(b"PK\x03\x04", kind="application/zip")), "is no text but application/zip"),
    "bytes": (once(http(b"hello", kind="application/octet-stream")), "is no text but application/octet-stream"),
    "a type of a kilometre": (once(http(b"hello", kind="x/" + "y" * 5_000)), "is no text but x/yyy"),
    "a picture called text": (once(http(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" * 9)), "is no text, though it says text/plain"),
    "a program called a page": (once(http(b"\x7fELF\x02\x01\x01" + bytes(99), kind="text/html")), "is no text, though it says"),
    "bytes of no type": (once(http(bytes(range(256)), kind=None)), "is no text\n"),
}  # fmt: skip

# ---- what is shown, and what is to be seen of it

SHOWN: dict[str, tuple[Answer, str]] = {
    "no reason in the status line": (once(b"HTTP/1.1 200 \r\nContent-Type: text/plain\r\n\r\nhello"), "hello"),
    "a length too short": (once(http(b"hello and more", length=5)), "hello"),
    "a thousand interim answers": (once(b"HTTP/1.1 102 Processing\r\n\r\n" * 1_000 + http(b"hello")), "hello"),
    "text of no type": (once(http(b"hello", kind=None)), "hello"),
    "a page of no type": (once(http(b"<!doctype html><html><p>hello", kind=None)), "hello"),
    "an empty type": (once(http(b"hello", kind="")), "hello"),
    "escape codes": (once(http(b"a\x1b[2Jb" + b"." * 99)), "a [2Jb"),
    "escape codes in a page": (once(http(b"a\x1b]0;x\x07b<p>&#27;[31m" + b"." * 999, kind="text/html")), "a ]0;x b"),
    "packed without its header": (once(packed(zlib.compress(b"hello", wbits=-15), "deflate")), "hello"),
    "packed, and rubbish behind": (endless(GZIPPED + gzip.compress(b"hello"), [b"x" * 4096] * 100), "hello"),
    # encodings
    "utf-8 called latin-1": (once(http("naïve".encode(), kind="text/plain; charset=iso-8859-1")), "naÃ¯ve"),
    "latin-1 called utf-8": (once(http("naïve".encode("latin-1"), kind="text/plain; charset=utf-8")), "naïve"),
    "cyrillic called utf-8": (
        once(http('<meta charset="koi8-r"><p>привет, мир'.encode("koi8-r"), kind="text/html; charset=utf-8")),
        "привет, мир",
    ),
    "ascii called utf-16": (once(http(b"hello, hello", kind="text/plain; charset=utf-16")), "hello, hello"),
    "utf-16 by its mark": (once(http("hello".encode("utf-16"), kind="text/plain; charset=utf-8")), "hello"),
    "utf-16 by its name": (once(http("hello".encode("utf-16-be"), kind="text/plain; charset=utf-16be")), "hello"),
    "one bad byte in much good": (once(http("é".encode() * 99 + b"\xff", kind="text/plain; charset=utf-8")), "é\ufffd"),
    **{
        f"a charset called {name[:20]!r}": (once(http(b"hello +AGk-", kind=f"text/plain; charset={name}")), "hello +AGk-")
        for name in ("klingon", "utf-7", "unicode_escape", "rot13", "zip", "hex", "idna", "punycode", "mbcs", "x" * 9_999, '"', "")
    },
}  # fmt: skip

# ---- what is cut

CUT: dict[str, Answer] = {
    "a gigabyte": endless(http(length=1_000_000_000), always(b"0" * 65_536)),
    "a body without end": endless(OPEN + BREAK, always(b"0" * 65_536)),
    "chunks without end": endless(CHUNKED, always(b"10000\r\n" + b"0" * 65_536 + BREAK)),
    "a bomb in gzip": once(packed(bomb(1_000_000_000))),
    "a bomb in deflate": once(packed(bomb(100_000_000, 15), "deflate")),
    "a bomb with a short length": once(http(bomb(100_000_000), "Content-Encoding: gzip", length=20_000)),
}

# ---- what never ends by itself

DRIPPING: dict[str, Answer] = {
    "silence": endless(b"", always(b""), 0.05),
    "a dripping status line": endless(b"HTTP/1.1 2", always(b"0"), 0.05),
    "dripping headers": endless(OPEN, always(b"X: y\r\n"), 0.05),
    "a dripping body": endless(OPEN + BREAK, always(b"."), 0.05),
    "dripping chunks": endless(CHUNKED, always(b"1\r\n.\r\n"), 0.05),
    "chunks of a byte": endless(CHUNKED, always(b"1\r\n0\r\n" * 5_000)),
    "a dripping packing": endless(GZIPPED + GZIP_HEADER, always(EMPTY_BLOCK), 0.05),
    "interim answers without end": endless(b"", always(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)),
    "a body that stops": endless(http(b"hello", length=10), always(b""), 0.05),
}


def times(text: str, size: int = 900_000) -> str:
    return text * (size // len(text))


# ---- pages that keep a reader busy

HEAVY: dict[str, str] = {
    "a hundred thousand deep": "<div>" * 100_000 + "bottom",
    "articles side by side": times("<article>a</article>"),
    "articles in articles": times("<article><main>"),
    "two kinds of article": times("<main>a</main><article>b</article>"),
    "paragraphs": times("<p>a"),
    "bold in bold": times("<b>a"),
    "wrongly nested": times("<i><b><u><p></i></b>"),
    "tables in tables": times("<table><tr><td>"),
    "cells": "<table><tr>" + times("<td>a"),
    "forms": times("<form>"),
    "titles": times("<title>a</title>"),
    "tabs": "<pre>" + times("\t"),
    "a comment without end": "<!--" + times("-"),
    "ampersands": times("&"),
    "angles": times("<"),
    "an attribute without end": '<a href="' + times("x"),
}

ATTRIBUTES = "<p>begin<p " + " ".join(f"a{n}=1" for n in range(150_000)) + ">end"

PAGES: dict[str, Answer] = {
    "attributes without end": once(http(ATTRIBUTES.encode(), kind="text/html")),
    **{name: answer for name, (answer, _) in (REFUSED | SHOWN).items()},
    **CUT,
    **DRIPPING,
    **{name: once(http(text.encode(), kind="text/html")) for name, text in HEAVY.items()},
}


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        path = unquote(self._path())
        own = self.request.getsockname()[0]
        try:
            if path.startswith("to "):
                status, _, target = path[3:].partition(" ")
                self.request.sendall(
                    f"HTTP/1.1 {status} X\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()
                )
            elif path.startswith("round "):
                turn = int(path[6:]) + 1
                self.request.sendall(f"HTTP/1.1 302 X\r\nLocation: /round%20{turn}\r\n\r\n".encode())
            elif path in PAGES:
                PAGES[path](self.request.sendall)
            else:
                if path == "secret":
                    SECRETS.append(own)
                self.request.sendall(http(f"this is {own}, asked for {path}".encode()))
        except OSError:
            pass  # the client has had enough, as it should

    def _path(self) -> str:
        head = b""
        while 2 * BREAK not in head:
            piece = self.request.recv(65_536)
            if not piece:
                break
            head += piece
        return head.partition(b" /")[2].partition(b" HTTP/")[0].decode()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a connection reset is what several of these tests are about


SECRETS: list[str] = []  # the addresses by which somebody came for the secret


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of the server, which listens on every address of this machine."""
    with _Server(("0.0.0.0", 0), _Handler) as server:  # noqa: S104 - so that a way round the check would lead somewhere
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def fetch(
    url: str, seconds: float = ENOUGH, resolver: Callable[[str, int], Iterable[str]] | None = None
) -> ToolResult:
    tool = fetch_page_tool(seconds=seconds, allow=["127.0.0.1"], resolver=resolver)
    return tool.run(ToolCall("fetch_page", {"url": url}))


def page(port: int, name: str, seconds: float = ENOUGH) -> ToolResult:
    begun = time.monotonic()
    result = fetch(f"http://127.0.0.1:{port}/{name}", seconds)
    assert time.monotonic() - begun < GUARD
    return result


def came(fetched: Callable[[float], ToolResult], seconds: float) -> ToolResult:
    """What is fetched in so many seconds; in more where the machine is too busy for the page to come at all."""
    result = fetched(seconds)
    while "did not answer within" in result.content and seconds < ENOUGH:
        seconds *= 4
        result = fetched(seconds)
    return result


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_page_is_refused_in_one_line(port: int, name: str) -> None:
    result = page(port, name)
    assert result.error == "raised"
    assert REFUSED[name][1] in result.content + "\n"
    assert "\n" not in result.content
    assert len(result.content) < 500


@pytest.mark.parametrize("name", SHOWN)
def test_what_can_be_read_is_shown(port: int, name: str) -> None:
    result = page(port, name)
    assert result.ok, result.content
    assert SHOWN[name][1] in result.content
    assert "\x1b" not in result.content


@pytest.mark.parametrize("name", CUT)
def test_what_is_too_much_is_cut(port: int, name: str) -> None:
    result = page(port, name)
    assert result.ok, result.content
    assert result.content.endswith("[the page is longer than can be read; this is its beginning]")
    assert len(str(result.value)) < 2_001_000


@pytest.mark.parametrize("name", DRIPPING)
def test_what_never_ends_is_ended(port: int, name: str) -> None:
    assert page(port, name, PATIENCE).content.endswith("did not answer within 0.5 s")


@pytest.mark.parametrize("name", HEAVY)
def test_a_page_that_is_hard_to_read_is_read_or_refused(port: int, name: str) -> None:
    result = came(lambda seconds: page(port, name, seconds), 5)
    assert result.ok or "the page is too complicated to be read" in result.content


def test_a_page_with_endless_attributes_is_refused(port: int) -> None:
    result = came(lambda seconds: page(port, "attributes without end", seconds), 1)
    assert "the page is too complicated to be read in the time there is" in result.content


def test_a_page_with_countless_articles_is_read(port: int) -> None:
    result = page(port, "articles side by side")
    assert str(result.value).partition("\n\n")[2] == "\n\n".join(
        "a" * (900_000 // len("<article>a</article>"))
    )


MEASURE = """
import json, pathlib, resource, sys
from loopwright.tools import ToolCall
from loopwright.tools.builtin.fetch_page import fetch_page_tool
tool = fetch_page_tool(seconds=3, allow=["127.0.0.1"])
for url in json.loads(sys.argv[1]):
    tool.run(ToolCall("fetch_page", {"url": url}))
status = pathlib.Path("/proc/self/status")
if status.exists():  # Linux counts in ru_maxrss what the process was before its exec: a copy of the tests' own
    own = int(status.read_text().split("VmHWM:")[1].split()[0])
else:
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
peak = max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
print(peak // 1000 if sys.platform != "darwin" else peak // 1_000_000)
"""


def test_memory_stays_bounded_whatever_comes(port: int) -> None:
    names = [
        *CUT,
        "endless headers",
        "empty blocks without end",
        "packed, and rubbish behind",
        "paragraphs",
        "cells",
        "tabs",
    ]
    urls = json.dumps([f"http://127.0.0.1:{port}/{name}" for name in names])
    done = subprocess.run([sys.executable, "-c", MEASURE, urls], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 400  # megabytes, of which Python with its libraries takes 60


# ---- where a redirect leads

TARGETS = [
    # ways to write 127.0.0.2
    "http://127.0.0.2:{port}/secret",
    "//127.0.0.2:{port}/secret",
    "HTTP://127.0.0.2:{port}/secret",
    "http://2130706434:{port}/secret",
    "http://0x7f000002:{port}/secret",
    "http://0x7f.0.0.2:{port}/secret",
    "http://0177.0.0.2:{port}/secret",
    "http://017700000002:{port}/secret",
    "http://127.2:{port}/secret",
    "http://127.0.2:{port}/secret",
    "http://127.0.0.2.:{port}/secret",
    "http://１２７.0.0.2:{port}/secret",
    "http://127。0。0。2:{port}/secret",
    "http://⑫7.0.0.2:{port}/secret",
    "http://%31%32%37.0.0.2:{port}/secret",
    "http://[::ffff:127.0.0.2]:{port}/secret",
    "http://[::ffff:7f00:2]:{port}/secret",
    "http://[0:0:0:0:0:ffff:7f00:2]:{port}/secret",
    "http://[::127.0.0.2]:{port}/secret",
    "http://[64:ff9b::127.0.0.2]:{port}/secret",
    "http://[64:ff9b:1::127.0.0.2]:{port}/secret",
    "http://[2002:7f00:2::]:{port}/secret",
    "http://[2001:0:4136:e378:8000:63bf:80ff:fffd]:{port}/secret",
    # other ways to this machine
    "http://0.0.0.0:{port}/secret",
    "http://0:{port}/secret",
    "http://[::]:{port}/secret",
    "http://[::1]:{port}/secret",
    "http://127.255.255.254:{port}/secret",
    # the networks around it
    "http://10.0.0.1:{port}/secret",
    "http://172.16.0.1:{port}/secret",
    "http://192.168.0.1:{port}/secret",
    "http://100.64.0.1:{port}/secret",
    "http://[fe80::1]:{port}/secret",
    "http://[fe80::1%25lo]:{port}/secret",
    "http://[fec0::1]:{port}/secret",
    "http://[fc00::1]:{port}/secret",
    "http://224.0.0.1:{port}/secret",
    "http://[ff02::1]:{port}/secret",
    "http://255.255.255.255:{port}/secret",
    # clouds
    "http://169.254.169.254/latest/meta-data/",
    "http://[::ffff:169.254.169.254]/latest/meta-data/",
    "http://2852039166/latest/meta-data/",
    "http://100.100.100.200/latest/meta-data/",
    "http://168.63.129.16/machine?comp=goalstate",
    "http://192.0.0.192/opc/v2/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://metadata.google.internal/computeMetadata/v1/",
    # other schemes, and what is no address
    "file:///etc/passwd",
    "ftp://127.0.0.2:{port}/secret",
    "gopher://127.0.0.2:{port}/_secret",
    "dict://127.0.0.2:{port}/secret",
    "ldap://127.0.0.2:{port}/secret",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "mailto:someone@example.com",
    "about:blank",
    "http://[::1",
    "http://127.0.0.2:99999/",
    "http://127.0.0.1:{port}@127.0.0.2:{port}/secret",
    "http://user:password@127.0.0.1:{port}/secret",
    "http://127.0.0.2:{port}#@127.0.0.1/secret",
    "http://127.0.0.2:{port}\\@127.0.0.1/secret",
    "http://a b/",
]  # fmt: skip
WORDS = (
    "is not on the public internet",
    "there is no host",
    "starts with http:// or https://",
    "is no address",
    "a user name or a password",
)


@pytest.mark.parametrize("target", TARGETS)
def test_a_redirect_leads_to_public_addresses_only(port: int, target: str) -> None:
    SECRETS.clear()
    result = page(port, f"to 302 {target.format(port=port)}".replace("%", "%25"))
    assert result.error == "raised"
    assert any(words in result.content for words in WORDS), result.content
    assert not SECRETS


@pytest.mark.parametrize(
    "target", [*TARGETS, "http://", "http:///secret", "https:127.0.0.2/secret", "//127.0.0.2/secret"]
)
def test_an_address_that_is_asked_for_is_public_too(port: int, target: str) -> None:
    SECRETS.clear()
    result = fetch(target.format(port=port))
    assert result.error == "raised"
    assert any(words in result.content for words in WORDS), result.content
    assert not SECRETS


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_kind_of_redirect_is_checked(port: int, status: int) -> None:
    assert (
        "is not on the public internet" in page(port, f"to {status} http://127.0.0.2:{port}/secret").content
    )
    assert "asked for hello" in page(port, f"to {status} /hello").content


def test_redirects_without_end_are_ended(port: int) -> None:
    assert page(port, "round%201").content == (
        f"Error: http://127.0.0.1:{port}/round%201 redirects more than 5 times"
    )


# ---- names that change their address


class Rebinding:
    """A resolver that answers differently each time."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = iter(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return next(self._answers)


def test_the_address_that_was_checked_is_the_one_that_is_dialled(port: int) -> None:
    resolver = Rebinding(["127.0.0.1"], ["127.0.0.2"])
    assert (
        "this is 127.0.0.1, asked for secret"
        in fetch(f"http://rebind.test:{port}/secret", resolver=resolver).content
    )
    assert resolver.asked == ["rebind.test"]


def test_after_a_redirect_the_name_is_checked_again(port: int) -> None:
    SECRETS.clear()
    resolver = Rebinding(["127.0.0.1"], ["127.0.0.2"])
    url = f"http://rebind.test:{port}/to%20302%20http://again.test:{port}/secret"
    assert fetch(url, resolver=resolver).content == (
        "Error: again.test is not on the public internet; only public pages can be fetched"
    )
    assert (resolver.asked, SECRETS) == (["rebind.test", "again.test"], [])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (["127.0.0.2"], "rebind.test is not on the public internet"),
        (["127.0.0.2", "127.0.0.1"], "this is 127.0.0.1,"),
        (["::ffff:127.0.0.2", "64:ff9b::7f00:2", "127.0.0.1"], "this is 127.0.0.1,"),
        (["fe80::1%lo"], "rebind.test is not on the public internet"),
        ([], "rebind.test is not on the public internet"),
    ],
    ids=str,
)
def test_only_the_public_ones_of_several_addresses_are_dialled(
    port: int, answer: list[str], said: str
) -> None:
    SECRETS.clear()
    assert said in fetch(f"http://rebind.test:{port}/secret", resolver=Rebinding(answer)).content
    assert set(SECRETS) <= {"127.0.0.1"}


def test_a_resolver_that_hangs_ends_at_the_time_limit(port: int) -> None:
    over = threading.Event()

    def hang(host: str, port: int) -> list[str]:
        over.wait(GUARD)
        return []

    begun = time.monotonic()
    assert "did not answer within 0.5 s" in fetch("http://slow.test/", PATIENCE, hang).content
    assert time.monotonic() - begun < GUARD
    over.set()


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere a full queue refuses, and only 127.0.0.1 is there"
)
def test_an_address_that_never_answers_does_not_use_up_the_time_of_the_others(port: int) -> None:
    with socket.socket() as silent, socket.socket() as first, socket.socket() as second:
        silent.bind(("127.0.0.3", 0))
        silent.listen(0)
        place = silent.getsockname()
        for one in (first, second):  # its queue is full with these; the next one is left waiting
            one.setblocking(False)
            one.connect_ex(place)
        with _Server(("127.0.0.1", place[1]), _Handler) as server:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

            def fetched(seconds: float) -> ToolResult:
                both = Rebinding(["127.0.0.3", "127.0.0.1"])
                tool = fetch_page_tool(seconds=seconds, allow=["127.0.0.1", "127.0.0.3"], resolver=both)
                return tool.run(ToolCall("fetch_page", {"url": f"http://two.test:{place[1]}/hello"}))

            result = came(fetched, 2)
            server.shutdown()
    assert "this is 127.0.0.1, asked for hello" in result.content


# ---- packing


@given(
    body=st.binary(max_size=300_000),
    cuts=st.lists(st.integers(1, 5_000), min_size=1, max_size=20),
    wbits=st.sampled_from([31, 15, -15]),
)
def test_however_a_packed_body_is_cut_up_it_is_unpacked(body: bytes, cuts: list[int], wbits: int) -> None:
    packer = zlib.compressobj(wbits=wbits)
    whole = packer.compress(body) + packer.flush()
    pieces, sizes = [], itertools.cycle(cuts)
    while whole:
        size = next(sizes)
        pieces.append(whole[:size])
        whole = whole[size:]
    assert b"".join(unpacked(pieces, "gzip" if wbits == 31 else "deflate")) == body


# ---- nobody opens the door from outside


def test_neither_an_argument_nor_the_environment_opens_a_private_address(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    tool = fetch_page_tool()
    assert list(tool.args) == ["url"]
    SECRETS.clear()
    for more in ({}, {"allow": ["127.0.0.1"]}, {"resolver": "x"}, {"seconds": 1}):
        assert not tool.run(ToolCall("fetch_page", {"url": f"http://127.0.0.1:{port}/secret", **more})).ok
    assert not SECRETS
