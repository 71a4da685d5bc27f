"""The direct route through TLS and through proxies."""

from __future__ import annotations

import asyncio
import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from lm_calls import Way, asking, complete, each_route, each_way
from loopback_tls import server_context, write_certificate
from openai_server import OpenAIServer, Serve, answer, from_lm

from loopwright.errors import ConfigurationError, LMTimeoutError, NetworkError
from loopwright.models import DirectLM, FunctionLM
from loopwright.models.remote import RemoteLM


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme}_proxy".upper(), raising=False)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[OpenAIServer]:
    with OpenAIServer(answer("4"), tls=server_context(tmp_path)) as server:
        yield server


@dataclass
class Proxy:
    """An HTTP proxy on loopback that passes everything on; `asked` are the first lines and logins it saw."""

    port: int
    login: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def serve(self, client: socket.socket) -> None:
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                data = client.recv(65536)
                if not data:
                    return
                head += data
            first, *lines = head.split(b"\r\n\r\n")[0].decode().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            login = headers.get("proxy-authorization", "")
            self.asked.append((first, login))
            if login != self.login:
                client.sendall(b"HTTP/1.1 407 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
                return
            method, target, _ = first.split(" ")
            host, _, port = target.removeprefix("http://").partition("/")[0].rpartition(":")
            with socket.create_connection((host, int(port)), 10) as server:
                if method == "CONNECT":
                    client.sendall(b"HTTP/1.1 200 Go\r\n\r\n")
                else:
                    server.sendall(head)
                back = threading.Thread(target=pump, args=(server, client), daemon=True)
                back.start()
                pump(client, server)
                back.join(10)


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@contextmanager
def proxy(login: str = "") -> Iterator[Proxy]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        served = Proxy(listening.getsockname()[1], login)

        def accept() -> None:
            while True:
                try:
                    client, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=served.serve, args=(client,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield served
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)


@each_way
def test_a_server_with_a_trusted_certificate_answers(
    ask: Way, tls_server: OpenAIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(write_certificate(tmp_path)))
    lm = DirectLM("openai/any", api_base=tls_server.url)

    assert [ask(lm, asking()).text for _ in range(3)] == ["4", "4", "4"]

    assert len({request.port for request in tls_server.requests}) == 1


def test_one_encrypted_connection_serves_threads_and_loops(
    tls_server: OpenAIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(write_certificate(tmp_path)))
    lm = DirectLM("openai/any", api_base=tls_server.url.replace("127.0.0.1", "localhost"))

    for _ in range(2):
        assert lm.complete(asking()).text == "4"
        assert asyncio.run(lm.acomplete(asking())).text == "4"

    assert len({request.port for request in tls_server.requests}) == 1


@each_way
def test_a_long_conversation_passes_through_tls_whole(
    ask: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(write_certificate(tmp_path)))
    echo = FunctionLM(lambda request: request.messages[-1].content.upper())
    text = "long and longer " * 5_000
    with OpenAIServer(from_lm(echo), tls=server_context(tmp_path)) as server:
        assert ask(DirectLM("openai/any", api_base=server.url), asking(text)).text == text.upper()


@pytest.mark.usefixtures("litellm_loaded")
@each_route
@each_way
def test_a_certificate_of_nobody_is_refused_and_not_tried_again(
    ask: Way, route: type[RemoteLM], tls_server: OpenAIServer
) -> None:
    lm = route("openai/any", api_base=tls_server.url, api_key="sk-secretsecret")

    with pytest.raises(NetworkError, match=r"is not trusted .*: .*set SSL_CERT_FILE") as caught:
        ask(lm, asking())

    assert not caught.value.retryable
    assert tls_server.requests == []


@each_way
def test_a_certificate_for_another_name_is_refused(
    ask: Way, tls_server: OpenAIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(write_certificate(tmp_path)))
    elsewhere = tls_server.url.replace("127.0.0.1", "127.1")  # the same address, written otherwise

    with pytest.raises(NetworkError, match=r"not valid for '127\.1'"):
        ask(DirectLM("openai/any", api_base=elsewhere), asking())


@each_way
def test_a_server_that_speaks_no_tls_is_an_error(ask: Way, openai_server: Serve) -> None:
    url = openai_server(answer("4")).url.replace("http:", "https:")

    with pytest.raises(NetworkError):
        ask(DirectLM("openai/any", api_base=url, timeout=60), asking())


@each_way
def test_a_server_that_never_shakes_hands_runs_into_the_timeout(ask: Way) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/v1"

        with pytest.raises((NetworkError, LMTimeoutError), match=r"could not be reached|within 0\.5 s"):
            ask(DirectLM("openai/any", api_base=url, timeout=0.5), asking())


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@each_way
def test_a_proxy_is_asked_for_what_is_not_encrypted(
    ask: Way, variable: str, openai_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = openai_server(answer("4"))
    with proxy() as between:
        monkeypatch.setenv(variable, f"http://{between.address}")

        assert ask(DirectLM("openai/any", api_base=server.url), asking()).text == "4"

    assert between.asked == [(f"POST {server.url}/chat/completions HTTP/1.1", "")]


@each_way
def test_a_proxy_connects_through_what_is_encrypted(
    ask: Way, tls_server: OpenAIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(write_certificate(tmp_path)))
    login = "Basic " + base64.b64encode(b"me:pass word").decode()
    with proxy(login) as between:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:pass%20word@{between.address}")
        lm = DirectLM("openai/any", api_base=tls_server.url)

        assert [ask(lm, asking()).text for _ in range(2)] == ["4", "4"]

    assert between.asked == [(f"CONNECT {tls_server.url[8:-3]} HTTP/1.1", login)]
    assert "proxy-authorization" not in tls_server.requests[0].headers


@each_way
def test_a_proxy_that_refuses_is_named_without_its_login(ask: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy("Basic other") as between:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:password@{between.address}")

        with pytest.raises(
            NetworkError, match=f"could not be reached .the proxy {between.address} answered 407"
        ) as caught:
            ask(DirectLM("openai/any", api_base="https://nowhere.example/v1"), asking())

    assert "password" not in str(caught.value)


@pytest.mark.parametrize("excepted", ["*", "127.0.0.1", "localhost,127.0.0.1"])
def test_no_proxy_is_used_where_none_is_wanted(
    excepted: str, openai_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", excepted)

    assert complete(DirectLM("openai/any", api_base=openai_server(answer("4")).url), asking()).text == "4"


def test_a_proxy_that_is_not_there_is_a_network_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "127.0.0.1:9")

    with pytest.raises(NetworkError, match="could not be reached"):
        complete(DirectLM("openai/any", api_base="https://nowhere.example/v1"), asking())


def test_a_proxy_of_another_kind_is_left_to_litellm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://me:password@127.0.0.1:9")

    with pytest.raises(ConfigurationError, match="http:// addresses only, not socks5://") as caught:
        DirectLM("openai/any", api_base="https://nowhere.example/v1")

    assert "password" not in str(caught.value)


@each_way
def test_a_name_that_nobody_knows_is_a_network_error(ask: Way) -> None:
    with pytest.raises(NetworkError, match=r"http://no-such-host\.invalid/v1 could not be reached"):
        ask(DirectLM("openai/any", api_base="http://no-such-host.invalid/v1"), asking())
