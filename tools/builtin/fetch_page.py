"""`fetch_page`: the text of a public web page."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ToolFailed
from ..tool import Tool

if TYPE_CHECKING:
    from httpcore import ConnectionPool
    from httpx import URL

    from .network import Resolver

_MAX_BYTES = 2_000_000  # of a page, packed or unpacked; what comes after is left out
_READING = 2.0  # seconds for reading the HTML at least, however long it took to come
_MAX_REDIRECTS = 5
_MAX_URL = 2_000
_HEADERS: dict[str, str] = {
    "User-Agent": "Mozilla/5.0 (compatible; loopwright)",
    "Accept": "text/html,application/xhtml+xml,text/*;q=0.9,application/json;q=0.9,*/*;q=0.1",
    "Accept-Encoding": "gzip, deflate",
}
_HTML_TYPES = ("text/html", "application/xhtml+xml")
_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/javascript", "application/yaml")


@dataclass(frozen=True, slots=True)
class _Page:
    url: str
    content_type: str
    body: bytes
    whole: bool


def fetch_page_tool(
    *, seconds: float = 20, allow: Iterable[str] = (), resolver: Resolver | None = None
) -> Tool:
    """A tool that reads public web pages.

    * Only public addresses are dialled: no private, loopback or link-local one, no cloud's metadata, however it is spelt, also
      after a redirect. The address that was checked is the one that is connected to, so a name that changes its
      address meanwhile changes nothing. `allow` names addresses that may be dialled all the same, `resolver` finds a host's
      addresses in place of the system: both are for Python code; no argument of a call and no variable of the environment opens
      them. Proxies of the environment are not used: through one, nobody could tell which address is dialled.
    * `seconds` covers one whole fetch: names, connections, redirects, headers, the body and its reading.
    * 2 MB of a body are read, packed or unpacked; HTML is read in a process of its own with a bound on its memory.
    * Only text comes back, with control characters as spaces; the rest is refused in one line.

    >>> from loopwright.tools import ToolCall
    >>> fetch_page_tool().run(ToolCall("fetch_page", {"url": "http://127.0.0.1/"})).content
    'Error: 127.0.0.1 is not on the public internet; only public pages can be fetched'
    """
    allowed = tuple(allow)

    def fetch_page(url: str) -> str:
        """Read a public web page; gives its title, its address and its text.

        Args:
            url: The address, starting with http:// or https://.
        """
        deadline = time.monotonic() + seconds
        page = _Fetch(seconds, deadline, allowed, resolver).page(url.strip())
        return _shown(page, max(_READING, deadline - time.monotonic()))

    return Tool(fetch_page, effect="read", timeout=seconds + 10)


def _shown(page: _Page, seconds: float) -> str:
    from .page_process import read_html
    from .page_text import decode

    kind = page.content_type.partition(";")[0].strip().lower()
    if kind and not kind.startswith(_TEXT_TYPES) and not kind.endswith(("+json", "+xml")):
        raise ToolFailed(f"{_short(page.url)} is no text but {_short(kind[:80])}")
    text, title, whole = decode(page.body, page.content_type, whole=page.whole), "", page.whole
    if text is None:
        raise ToolFailed(
            f"{_short(page.url)} is no text{f', though it says {_short(kind[:80])}' if kind else ''}"
        )
    if kind in _HTML_TYPES or (not kind and "<html" in text[:1_000].lower()):
        read = read_html(text, seconds)
        title, text, whole = read.title, read.text, whole and read.whole
    head = f"{title}\n{page.url}" if title else page.url
    tail = "" if whole else "\n\n[the page is longer than can be read; this is its beginning]"
    return f"{head}\n\n{text.strip() or '[no text]'}{tail}"


@dataclass(frozen=True, slots=True)
class _Fetch:
    seconds: float
    deadline: float
    allow: tuple[str, ...]
    resolver: Resolver | None

    def page(self, url: str) -> _Page:
        """The page at an address, or where that leads."""
        import httpcore

        from .network import PublicNetwork, system_resolver

        address = _checked(url)
        network = PublicNetwork(self.deadline, self.allow, self.resolver or system_resolver)
        with httpcore.ConnectionPool(network_backend=network) as pool:
            for _ in range(_MAX_REDIRECTS + 1):
                try:
                    found = _answer(pool, address)
                except httpcore.TimeoutException:
                    raise ToolFailed(
                        f"{_short(str(address))} did not answer within {self.seconds:g} s"
                    ) from None
                except (httpcore.NetworkError, httpcore.ProtocolError) as error:
                    raise ToolFailed(f"{_short(str(address))} can't be read: {_reason(error)}") from error
                if isinstance(found, _Page):
                    return found
                address = _checked(found, address)
        raise ToolFailed(f"{_short(url)} redirects more than {_MAX_REDIRECTS} times")


def _answer(pool: ConnectionPool, address: URL) -> _Page | str:
    """The page at an address, or the address that it redirects to."""
    import httpcore

    target = httpcore.URL(
        scheme=address.raw_scheme, host=address.raw_host, port=address.port, target=address.raw_path
    )
    with pool.stream("GET", target, headers=[("Host", address.netloc), *_HEADERS.items()]) as response:
        headers = _Headers(response.headers)
        if response.status in (301, 302, 303, 307, 308) and headers["location"]:
            return headers["location"]
        if not 200 <= response.status < 300:
            raise ToolFailed(f"{_short(str(address))} answered with status {response.status}")
        return _page(str(address), headers, response.iter_stream())


class _Headers:
    """A response's headers by lower-case name: one that is there twice with both its values, one that is not as ""."""

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in headers:
            self._values.setdefault(name.decode("latin-1").lower(), []).append(_header_text(value))

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._values.get(name, ())).strip()


def _header_text(value: bytes) -> str:
    try:
        return value.decode()  # against the standard, and common in addresses
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _checked(text: str, base: URL | None = None) -> URL:
    """The address, which must be http or https and hold no password."""
    import httpx

    if len(text) > _MAX_URL:
        raise ToolFailed(f"the address has {len(text):,} characters; at most {_MAX_URL:,} are fetched")
    try:
        url = httpx.URL(text) if base is None else base.join(text)
    except (httpx.InvalidURL, ValueError) as error:
        raise ToolFailed(f"{_short(text)} is no address: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ToolFailed(f"{_short(text)} can't be fetched: an address starts with http:// or https://")
    if url.userinfo:
        raise ToolFailed("an address with a user name or a password in it is not fetched")
    if url.port is not None and not 0 < url.port < 65536:
        raise ToolFailed(f"{_short(text)} is no address: there is no port {url.port}")
    return url


def _page(url: str, headers: _Headers, chunks: Iterable[bytes]) -> _Page:
    from .unpacking import unpacked

    body = bytearray()
    for piece in unpacked(_limited(chunks), headers["content-encoding"].lower()):
        body += piece
        if len(body) > _MAX_BYTES:
            return _Page(url, headers["content-type"], bytes(body[:_MAX_BYTES]), whole=False)
    return _Page(url, headers["content-type"], bytes(body), whole=True)


def _limited(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks of a body; raises `ToolFailed` when too much has come, which only a packed body gets as far as."""
    size = 0
    for chunk in chunks:
        yield chunk
        size += len(chunk)
        if size > _MAX_BYTES:
            raise ToolFailed(f"the page is packed into more than {_MAX_BYTES:,} bytes; it is left unread")


def _reason(error: Exception) -> str:
    text = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return (
            f"its certificate is not to be trusted ({text.partition('failed: ')[2].partition(' (_ssl')[0]})"
        )
    return _short(text)


def _short(text: str) -> str:
    """Text of a stranger's for a message of ours."""
    line = "".join(one if one.isprintable() else "\ufffd" for one in text[:200])
    return line if len(text) <= 200 else line + "…"
