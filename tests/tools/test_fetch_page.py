from __future__ import annotations

import ipaddress
import shutil
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from loopwright.tools import ToolCall, ToolResult, builtin_tool
from loopwright.tools.builtin.fetch_page import fetch_page_tool
from loopwright.tools.builtin.network import is_public


def fetch(url: str, seconds: float = 60) -> ToolResult:
    return fetch_page_tool(seconds=seconds, allow=["127.0.0.1"]).run(ToolCall("fetch_page", {"url": url}))


def text_of(url: str) -> str:
    result = fetch(url)
    assert result.ok, result.content
    return result.content.partition("\n\n")[2]


def test_a_page_is_its_title_its_address_and_its_main_text(site: str) -> None:
    assert fetch(f"{site}/article").content == (
        f"The Tide\n{site}/article\n\n# Tides\n\nWater moves twice a day.\n\n- high\n- low\n\n"
        "port | m\nBrest | 7\n\na = 1\n  b = 2"
    )


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/latin", "café"),
        ("/lying", "café"),
        ("/meta", "мир"),
        ("/undeclared", "naïve"),
        ("/bom", "Ωμέγα"),
        ("/odd-codec", "plain"),
        ("/unknown-codec", "plain"),
        ("/json", '{"a": [1, 2]}'),
        ("/untyped", "hello"),
        ("/empty", "[no text]"),
        ("/gzip", "packed"),
        ("/deflate", "packed"),
        ("/broken-html", "one\n\ntwo"),
        ("/only-nav", "text outside"),
    ],
)
def test_text_is_found_whatever_its_wrapping(site: str, path: str, text: str) -> None:
    assert text_of(site + path) == text


def test_a_redirect_is_followed_and_the_final_address_shown(site: str) -> None:
    assert fetch(f"{site}/moved").content.startswith(f"The Tide\n{site}/article\n")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/to-other-loopback", "127.0.0.2 is not on the public internet"),
        ("/to-metadata", "169.254.169.254 is not on the public internet"),
        ("/to-file", "file:///etc/passwd can't be fetched: an address starts with http:// or https://"),
        ("/to-mail", "starts with http:// or https://"),
        ("/loop", "redirects more than 5 times"),
        ("/missing", "answered with status 404"),
        ("/pdf", "is no text but application/pdf"),
        ("/brotli", "packed in a way that was not asked for: br"),
        ("/damaged", "the page is packed, and damaged"),
        ("/hang-up", "can't be read"),
        ("/nonsense", "can't be read"),
    ],
)
def test_what_can_not_be_shown_is_refused_in_one_line(site: str, path: str, said: str) -> None:
    result = fetch(site + path)
    assert (result.error, result.content.count("\n")) == ("raised", 0)
    assert said in result.content


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://localhost:1/",
        "http://[::1]:1/",
        "http://[::ffff:127.0.0.1]:1/",
        "http://0.0.0.0:1/",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[64:ff9b::7f00:1]/",
    ],
)
def test_an_address_that_is_not_public_is_refused_however_it_is_spelt(url: str) -> None:
    result = builtin_tool("fetch_page").run(ToolCall("fetch_page", {"url": url}))
    assert "is not on the public internet" in result.content or "there is no host" in result.content


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://example.com/", "starts with http:// or https://"),
        ("example.com", "starts with http:// or https://"),
        ("", "starts with http:// or https://"),
        ("http://user:secret@example.com/", "a user name or a password"),
        ("http://example.com:99999/", "there is no port 99999"),
        ("http://example.com/" + "a" * 3_000, "at most 2,000 are fetched"),
        ("http://a b/", "there is no host"),
        ("http://a\x00b/", "is no address"),
        ("http://" + "a" * 300 + ".com/", "there is no host"),
    ],
)
def test_an_address_that_makes_no_sense_is_refused(url: str, said: str) -> None:
    result = builtin_tool("fetch_page").run(ToolCall("fetch_page", {"url": url}))
    assert result.error == "raised"
    assert said in result.content


@pytest.mark.parametrize("path", ["/drip", "/drip-headers"])
def test_a_page_that_drips_ends_at_the_time_limit(site: str, path: str) -> None:
    started = time.monotonic()
    result = fetch(site + path, seconds=0.5)
    assert "did not answer within 0.5 s" in result.content
    assert time.monotonic() - started < 60  # a guard against a hang


@pytest.mark.parametrize("path", ["/endless", "/bomb"])
def test_a_page_without_end_is_cut(site: str, path: str) -> None:
    result = fetch(site + path)
    assert result.ok
    assert result.content.endswith("[the page is longer than can be read; this is its beginning]")
    assert 2_000_000 < len(str(result.value)) < 2_000_200


def test_a_page_nested_fifty_thousand_deep_is_read(site: str) -> None:
    assert fetch(f"{site}/deep").ok


def test_an_ipv6_address_is_asked_by_its_name() -> None:
    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"{self.path} of {self.headers.get_all('Host')}".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name for it
            pass

    class Six(HTTPServer):
        address_family = socket.AF_INET6

    try:
        server = Six(("::1", 0), Echo)
    except OSError:
        pytest.skip("there is no IPv6 here")
    with server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        host = f"[::1]:{server.server_address[1]}"
        tool = fetch_page_tool(allow=["::1"])
        result = tool.run(ToolCall("fetch_page", {"url": f"http://{host}/a b?c=ä"}))
    assert result.content.partition("\n\n")[2] == f"/a%20b?c=%C3%A4 of ['{host}']"


def test_nobody_listening_is_one_clear_line() -> None:
    result = fetch("http://127.0.0.1:1/")
    assert result.content == "Error: http://127.0.0.1:1/ can't be read: [Errno 111] Connection refused"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command to make a certificate")
def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    pem = str(tmp_path / "loopback.pem")
    make = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    subprocess.run([*make, "-keyout", pem, "-out", pem + ".crt"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem + ".crt", pem)
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # the client refuses, and http.server would print it
    threading.Thread(target=server.handle_request, daemon=True).start()
    result = fetch(f"https://127.0.0.1:{server.server_address[1]}/")
    server.server_close()
    assert "its certificate is not to be trusted" in result.content


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("169.254.0.1", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("0.0.0.0", False),  # noqa: S104 - an address to refuse
        ("::", False),
        ("::1", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("2001:db8::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::10.0.0.1", False),
        ("64:ff9b::93.184.216.34", True),
    ],
)
def test_public_addresses_are_told_from_all_others(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public
