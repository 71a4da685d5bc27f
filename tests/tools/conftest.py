"""A small hostile web site on loopback, and a small hostile folder."""

from __future__ import annotations

import gzip
import os
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from bombs import bomb

Answer = Callable[[BaseHTTPRequestHandler], None]


def send(
    handler: BaseHTTPRequestHandler, body: bytes, kind: str = "text/html; charset=utf-8", **headers: str
) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def redirect(target: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", target)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/plain")
    handler.end_headers()
    while True:  # until the other side hangs up
        handler.wfile.write(b"word " * 2_000)


def drip(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/plain")
    handler.end_headers()
    while True:
        handler.wfile.write(b".")
        time.sleep(0.02)


def drip_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        handler.wfile.write(b".")
        time.sleep(0.02)


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x00\x01 not http\r\n\r\n")


def gzip_bomb(handler: BaseHTTPRequestHandler) -> None:
    send(handler, bomb(300_000_000), "text/plain", Content_Encoding="gzip")


ARTICLE = """<html><head><title> The
 Tide </title><style>p {}</style></head><body><nav><a href="/">Home</a></nav>
<main><h1>Tides</h1><p>Water   moves <b>twice</b> a day.</p><ul><li>high</li><li><p>low</p></li></ul>
<table><tr><th>port</th><th>m</th></tr><tr><td>Brest</td><td>7</td></tr></table>
<pre>a = 1
  b = 2</pre><script>alert(1)</script></main><footer>(c)</footer></body></html>"""

PAGES: dict[str, Answer] = {
    "/article": lambda it: send(it, ARTICLE.encode()),
    "/latin": lambda it: send(it, "<p>café</p>".encode("latin-1"), "text/html; charset=ISO-8859-1"),
    "/lying": lambda it: send(it, "<p>café</p>".encode("latin-1"), "text/html; charset=utf-8"),
    "/meta": lambda it: send(it, '<meta charset="windows-1251"><p>мир</p>'.encode("cp1251"), "text/html"),
    "/undeclared": lambda it: send(it, "<p>naïve</p>".encode("cp1252"), "text/html"),
    "/bom": lambda it: send(it, "<p>Ωμέγα</p>".encode("utf-16"), "text/html"),
    "/odd-codec": lambda it: send(it, b"<p>plain</p>", "text/html; charset=idna"),
    "/unknown-codec": lambda it: send(it, b"<p>plain</p>", "text/html; charset=klingon"),
    "/json": lambda it: send(it, b'{"a": [1, 2]}', "application/json"),
    "/pdf": lambda it: send(it, b"%PDF-1.7", "application/pdf"),
    "/untyped": lambda it: send(it, b"<html><body>hello</body></html>", ""),
    "/empty": lambda it: send(it, b""),
    "/gzip": lambda it: send(it, gzip.compress(b"<p>packed</p>"), Content_Encoding="gzip"),
    "/deflate": lambda it: send(it, zlib.compress(b"<p>packed</p>"), Content_Encoding="deflate"),
    "/damaged": lambda it: send(it, b"this is no gzip", Content_Encoding="gzip"),
    "/brotli": lambda it: send(it, b"?", Content_Encoding="br"),
    "/bomb": gzip_bomb,
    "/endless": endless,
    "/drip": drip,
    "/drip-headers": drip_headers,
    "/moved": redirect("/article"),
    "/loop": redirect("/loop"),
    "/to-other-loopback": redirect("http://127.0.0.2:9/secret"),
    "/to-metadata": redirect("http://169.254.169.254/latest/meta-data/"),
    "/to-file": redirect("file:///etc/passwd"),
    "/to-mail": redirect("mailto:someone@example.com"),
    "/hang-up": lambda it: it.connection.close(),
    "/nonsense": nonsense,
    "/deep": lambda it: send(it, b"<div>" * 50_000 + b"bottom"),
    "/broken-html": lambda it: send(it, b"<p>one<p>two<!-- <b>three</i></p></table>"),
    "/only-nav": lambda it: send(it, b"<main><nav>menu</nav></main><p>text outside</p>"),
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answer = PAGES.get(self.path)
        try:
            if answer is None:
                self.send_error(404)
            else:
                answer(self)
        except OSError:
            self.close_connection = True  # the client has had enough

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name for it
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that hangs up is what several of these tests are about


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The address of the site, without a slash at its end."""
    server = _Server(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with texts, links in and out, a pipe and a device; beside it lies what must stay secret."""
    (tmp_path / "secret.txt").write_text("outside")
    top = tmp_path / "root"
    (top / "docs" / "deep").mkdir(parents=True)
    (top / "docs" / "a.md").write_text("alpha\nbeta\n")
    (top / "docs" / "deep" / "b.md").write_text("b")
    (top / "docs" / "deep" / "c.txt").write_text("c")
    (top / "long.txt").write_text("\n".join(f"line {n}" for n in range(1, 501)) + "\n")
    (top / "windows.txt").write_bytes(b"one\r\ntwo\r\n")
    (top / "bom.txt").write_text("Ωμέγα", encoding="utf-8-sig")
    (top / "utf16.txt").write_text("Ωμέγα\nx", encoding="utf-16")
    (top / "latin.txt").write_bytes(b"caf\xe9")
    (top / "empty.txt").write_text("")
    (top / "wide.txt").write_text("x" * 1_000_000 + "\nnext\n" + "y" * 4_000 + "\nend")
    (top / "binary.bin").write_bytes(bytes(range(256)) * 100)
    (top / "out").symlink_to(tmp_path / "secret.txt")
    (top / "up").symlink_to(tmp_path)
    (top / "climb").symlink_to("../secret.txt")
    (top / "circle").symlink_to("circle")
    (top / "gone").symlink_to("nothing")
    (top / "in").symlink_to("docs/a.md")
    (top / "whole").symlink_to(top / "docs")
    (top / "self").symlink_to(".")
    os.mkfifo(top / "pipe")
    (top / "device").symlink_to("/dev/zero")
    return top
