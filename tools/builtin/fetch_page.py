"""`fetch_page`: the text of a public web page."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ToolFailed
from ..tool import Tool

if TYPE_CHECKING:
    from httpx import URL

_MAX_BYTES = 2_000_000  # of a page, decompressed; what comes after is left out
_MAX_REDIRECTS = 5
_MAX_URL = 2_000
_HEADERS: dict[bytes | str, bytes | str] = {
    "User-Agent": "Mozilla/5.0 (compatible; loopwright)",
    "Accept": "text/html,application/xhtml+xml,text/*;q=0.9,application/json;q=0.9,*/*;q=0.1",
    "Accept-Encoding": "gzip, deflate",
}
_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/javascript", "application/yaml")


@dataclass(frozen=True, slots=True)
class _Page:
    url: str
    content_type: str
    body: bytes
    whole: bool


def fetch_page_tool(*, seconds: float = 20, allow: Iterable[str] = ()) -> Tool:
    """A tool that reads public web pages.

    Private, loopback and link-local addresses are refused where they are dialled, also after a redirect; `allow` names
    addresses that may be dialled all the same. `seconds` covers one whole fetch. Proxies of the environment
    are not used: through one, nobody could tell which address is dialled.

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
        return _shown(_fetched(url.strip(), seconds, allowed))

    return Tool(
        fetch_page, effect="read", timeout=seconds + 10
    )  # ten for the resolver, which knows no timeout


def _shown(page: _Page) -> str:
    from .page_text import decode, html_text

    kind = page.content_type.partition(";")[0].strip().lower()
    is_html = kind in ("text/html", "application/xhtml+xml") or (
        not kind and b"<html" in page.body[:1000].lower()
    )
    if not is_html and not kind.startswith(_TEXT_TYPES) and not kind.endswith(("+json", "+xml")):
        raise ToolFailed(f"{page.url} is no text but {kind or 'of an unknown type'}")
    text, title = decode(page.body, page.content_type), ""
    if is_html:
        read = html_text(text)
        title, text = read.title, read.text
    head = f"{title}\n{page.url}" if title else page.url
    tail = "" if page.whole else f"\n\n[the page is longer than {_MAX_BYTES:,} bytes; this is its beginning]"
    return f"{head}\n\n{text.strip() or '[no text]'}{tail}"


def _fetched(url: str, seconds: float, allow: tuple[str, ...]) -> _Page:
    import httpcore

    from .network import PublicNetwork

    address = _checked(url)
    with httpcore.ConnectionPool(network_backend=PublicNetwork(seconds, allow)) as pool:
        for _ in range(_MAX_REDIRECTS + 1):
            target = httpcore.URL(
                scheme=address.raw_scheme, host=address.raw_host, port=address.port, target=address.raw_path
            )
            try:
                with pool.stream("GET", target, headers=_HEADERS) as response:
                    headers = _Headers(response.headers)
                    if response.status in (301, 302, 303, 307, 308) and headers["location"]:
                        address = _checked(headers["location"], address)
                        continue
                    return _page(str(address), response.status, headers, response.iter_stream())
            except httpcore.TimeoutException:
                raise ToolFailed(f"{_short(str(address))} did not answer within {seconds:g} s") from None
            except (httpcore.NetworkError, httpcore.ProtocolError) as error:
                raise ToolFailed(f"{_short(str(address))} can't be read: {_reason(error)}") from error
    raise ToolFailed(f"{_short(url)} redirects more than {_MAX_REDIRECTS} times")


class _Headers:
    """A response's headers by lower-case name; one that is not there is ""."""

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self._values = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}

    def __getitem__(self, name: str) -> str:
        return self._values.get(name, "").strip()


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


def _page(url: str, status: int, headers: _Headers, chunks: Iterable[bytes]) -> _Page:
    if status >= 400:
        raise ToolFailed(f"{_short(url)} answered with status {status}")
    body = bytearray()
    for piece in _decompressed(chunks, headers["content-encoding"].lower()):
        body += piece
        if len(body) > _MAX_BYTES:
            return _Page(url, headers["content-type"], bytes(body[:_MAX_BYTES]), whole=False)
    return _Page(url, headers["content-type"], bytes(body), whole=True)


def _decompressed(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The body's bytes; a small body that unpacks into a huge one is unpacked piece by piece, and no further."""
    if encoding in ("", "identity"):
        yield from chunks
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise ToolFailed(f"the page is packed in a way that was not asked for: {encoding[:40]}")
    unpacker = zlib.decompressobj(wbits=47)  # gzip or zlib, as its first bytes say
    for chunk in chunks:
        packed = chunk
        while packed:
            try:
                yield unpacker.decompress(packed, 65_536)
            except zlib.error:
                raise ToolFailed("the page is packed, and damaged") from None
            packed = unpacker.unconsumed_tail


def _reason(error: Exception) -> str:
    text = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return (
            f"its certificate is not to be trusted ({text.partition('failed: ')[2].partition(' (_ssl')[0]})"
        )
    return _short(text)


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:200] + "…"
