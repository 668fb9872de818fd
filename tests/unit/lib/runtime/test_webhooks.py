"""Where an onFailure url may lead."""

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from lib.app import check_settings
from lib.base import properties
from lib.base.errors import DokkuError
from lib.runtime import webhooks

OWN = "172.17.0.9"


class Server(http.server.ThreadingHTTPServer):
    """Notes what it was sent, and may answer that it is elsewhere."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, bytes]] = []
        self.place = ""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, self.headers["Host"], body))
        self.send_response(307 if self.server.place else 204)
        if self.server.place:
            self.send_header("Location", self.server.place)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


def allow(networks: str) -> None:
    check_settings.set_(properties.GLOBAL, "url-networks", networks)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "0.0.0.0", "[::ffff:127.0.0.1]", "0"],
)
def test_our_own_services_are_not_asked(server: Server, host: str) -> None:
    with pytest.raises(DokkuError):
        webhooks.post(f"http://{host}:{server.server_port}/admin", {}, OWN)
    assert server.asked == []


@pytest.mark.parametrize(
    "ip",
    [
        *(
            "169.254.169.254",
            "10.0.0.1",
            "192.168.1.1",
            "172.17.0.1",
            "172.17.0.8",
            "100.64.0.1",
            "224.0.0.1",
        ),
        *("[fe80::1]", "[fd00::1]", "[::1]", "[::]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[ff02::1]"),
    ],
)
def test_what_is_not_public_is_refused_with_what_allows_it(ip: str) -> None:
    with pytest.raises(DokkuError, match=r"is not a public address; checks:set --global url-networks "):
        webhooks.post(f"http://{ip}/latest/meta-data", {}, OWN)


def test_the_hosts_own_public_address_is_no_public_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket.bind", lambda *_: None)  # as if 8.8.8.8 were ours
    with pytest.raises(DokkuError, match="is not a public address"):
        webhooks.post("http://8.8.8.8:9200/", {}, OWN)


def test_a_name_is_judged_by_every_address_and_the_judged_one_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [["8.8.8.8", "127.0.0.1"], ["8.8.8.8"], ["127.0.0.1"]]
    connected: list[tuple[str, int]] = []

    def look_up(host: str, port: int, **_: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in answers.pop(0)]

    def connect(address: tuple[str, int], **_: object) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    monkeypatch.setattr("socket.create_connection", connect)
    for text in ("127.0.0.1, which is not a public", "Connection refused"):
        with pytest.raises(DokkuError, match=text):
            webhooks.post("http://rebinding.test/", {}, OWN)
    assert connected == [("8.8.8.8", 80)]


def test_what_the_operator_allows_is_sent_and_no_redirect_followed(server: Server) -> None:
    allow("127.0.0.0/8")
    webhooks.post(f"http://127.0.0.1:{server.server_port}/hook?x=1", {"a": 1}, OWN)
    assert server.asked == [("/hook?x=1", f"127.0.0.1:{server.server_port}", b'{"a": 1}')]
    server.place = f"http://127.0.0.1:{server.server_port}/admin"
    with pytest.raises(DokkuError, match="the url answered 307"):
        webhooks.post(f"http://127.0.0.1:{server.server_port}/hook", {}, OWN)
    assert len(server.asked) == 2


def test_the_apps_own_container_may_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object, **__: object) -> socket.socket:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr("socket.create_connection", connect)
    with pytest.raises(DokkuError, match="Connection refused"):
        webhooks.post(f"http://{OWN}:5000/", {}, OWN)
    with pytest.raises(DokkuError, match="not a public address"):
        webhooks.post("http://127.0.0.1:5000/", {}, "127.0.0.1")  # it has the host's network


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://127.0.0.1:99999/", "http:///x", "http://a\u200bb.test/"]
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(DokkuError):
        webhooks.post(url, {}, OWN)


@pytest.mark.parametrize("value", ["10.0.0.0/33", "lan", "10.0.0.0/8;x"])
def test_networks_are_networks(value: str) -> None:
    with pytest.raises(DokkuError, match="it must be networks"):
        allow(value)
