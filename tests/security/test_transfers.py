"""Servers that drip, flood, lie and ask for passwords that are not for them: git, archives, submodules."""

import contextlib
import shutil
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Dokku
from tests.git_servers import HttpServer, Upstream, redirected, serving, trickling

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
APP = "blog"
STALL = "received next to nothing for 2 seconds; it was stopped"
ESCAPE = "\x1b]0;owned\x07\x1b[2J\x9b31m\r"
Answer = Callable[[socket.socket], None]


@pytest.fixture
def dokku(tmp_path: Path) -> Dokku:
    """A host with one app, whose transfers are given up early."""
    (tmp_path / "host").mkdir()
    dokku = Dokku(tmp_path / "host")
    for key, seconds in (("stall-timeout", "2"), ("fetch-timeout", "60"), ("retry-timeout", "1")):
        assert dokku("git:set", "--global", key, seconds).code == 0
    dokku.make_app(APP)
    return dokku


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    upstream = Upstream(tmp_path / "served")
    upstream.commit(message="first", page="one")
    return upstream


@contextlib.contextmanager
def listening(answer: Answer) -> Iterator[int]:
    """The port of a server that does as it likes with whoever connects."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                answer(self.request)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()


def dripping(begin: bytes) -> Answer:
    """A beginning, and then a byte now and then."""

    def answer(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(begin)
        while True:
            client.sendall(b"x")
            time.sleep(0.3)

    return answer


def packet(data: bytes) -> bytes:
    return f"{len(data) + 4:04x}".encode() + data


def flooding(client: socket.socket) -> None:
    """git's protocol up to the pack, in place of which messages come."""
    client.recv(65536)
    client.sendall(packet(b"1" * 40 + b" refs/heads/main\0side-band-64k ofs-delta agent=git/2\n") + b"0000")
    asked = b""
    while b"done" not in asked:
        asked += client.recv(65536)
    client.sendall(packet(b"NAK\n"))
    while True:
        client.sendall(packet(b"\x02" + b"Remote branch " * 4000 + b"\n"))


def is_unlocked(dokku: Dokku) -> bool:
    return dokku("apps:locked", APP).code == 1


@pytest.mark.parametrize("begin", [b"fff0", packet(b"1" * 40 + b" refs/heads/main\n") + b"0fff"])
def test_a_git_server_that_drips_is_given_up(dokku: Dokku, begin: bytes) -> None:
    """SYN-5"""
    began = time.monotonic()
    with listening(dripping(begin)) as port:
        synced = dokku("git:sync", APP, f"git://127.0.0.1:{port}/blog.git", "main")
    assert synced.code == 1
    assert STALL in synced.err
    assert time.monotonic() - began < 30
    assert is_unlocked(dokku)


def test_an_ssh_server_that_drips_is_given_up(dokku: Dokku) -> None:
    dokku.program(
        "drip",
        f"#!{sys.executable} -I\nimport os, time\nos.write(1, b'fff0')\n"
        "while True: os.write(1, b'x'); time.sleep(.3)\n",
    )
    words = ("git:sync", APP, "ssh://git@127.0.0.1:1/blog.git", "main")
    synced = dokku(*words, env={"GIT_SSH_COMMAND": str(dokku.bin / "drip")})
    assert synced.code == 1
    assert STALL in synced.err


def test_a_web_server_that_drips_is_given_up(dokku: Dokku) -> None:
    begin = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n"
        b"Content-Length: 100000\r\n\r\n001e# service=git-upload-pack\n0000fff0"
    )
    with listening(dripping(begin)) as port:
        synced = dokku("git:sync", APP, f"http://127.0.0.1:{port}/blog.git", "main")
    assert synced.code == 1
    assert STALL in synced.err


def test_an_archive_that_drips_is_given_up(dokku: Dokku) -> None:
    """ARC-15"""
    began = time.monotonic()
    with listening(dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")) as port:
        done = dokku("git:from-archive", APP, f"http://127.0.0.1:{port}/a.tar")
    assert done.code == 1
    assert "Unable to download" in done.err
    assert time.monotonic() - began < 30
    assert is_unlocked(dokku)


def test_a_slow_server_is_waited_for(dokku: Dokku, upstream: Upstream) -> None:
    with serving(upstream.path.parent) as server:
        server.fail(trickling(4), at="fetch")
        synced = dokku("git:sync", APP, server.url(), "main")
    assert synced.code == 0, synced


def test_a_flood_of_messages_ends_the_fetch(dokku: Dokku) -> None:
    with listening(flooding) as port:
        synced = dokku("git:sync", APP, f"git://127.0.0.1:{port}/blog.git", "main")
    assert synced.code == 1
    assert "git wrote more than 16 MiB; it was stopped" in synced.err
    assert len(synced.err) < 1024 * 1024


@pytest.mark.parametrize("lead", ["ERR ", "ERR access denied\n"])
def test_what_a_server_says_does_not_reach_the_terminal_raw(dokku: Dokku, lead: str) -> None:
    """IO-10"""

    def answer(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(packet(f"{lead}{ESCAPE}\n".encode()))

    with listening(answer) as port:
        synced = dokku("git:sync", APP, f"git://127.0.0.1:{port}/blog.git", "main")
    assert synced.code == 1
    assert "owned" in synced.err
    assert not set("\x1b\x07\x9b\r") & set(synced.err)


# --- passwords ------------------------------------------------------------------------------------------


@pytest.fixture
def evil(upstream: Upstream) -> Iterator[HttpServer]:
    """A server at another port of the host, which asks for a password."""
    with serving(upstream.path.parent, {"ann": "secret"}) as server:
        yield server


def sign_in(dokku: Dokku, host: str) -> None:
    assert dokku("git:auth", host, "ann", input="secret\n").code == 0


def test_a_hosts_password_is_not_sent_to_another_port_in_clear(dokku: Dokku, evil: HttpServer) -> None:
    sign_in(dokku, "127.0.0.1")
    synced = dokku("git:sync", APP, evil.url(), "main")
    assert synced.code == 1
    assert evil.logins == []
    assert (
        f" !     The netrc entry of 127.0.0.1 is for https://127.0.0.1 only: git:auth {evil.host} "
        in synced.err
    )
    sign_in(dokku, evil.host)
    assert dokku("git:sync", APP, evil.url(), "main").code == 0


def test_an_archives_host_does_not_get_it_either(dokku: Dokku, evil: HttpServer) -> None:
    sign_in(dokku, "127.0.0.1")
    done = dokku("git:from-archive", APP, evil.url("a.tar"))
    assert done.code == 1
    assert evil.logins == []
    assert "is for https://127.0.0.1 only" in done.err


def test_a_redirect_does_not_take_it_along(dokku: Dokku, upstream: Upstream, evil: HttpServer) -> None:
    sign_in(dokku, "127.0.0.1")
    with serving(upstream.path.parent) as server:
        sign_in(dokku, server.host)
        server.fail(redirected(f"{evil.url()}/info/refs?service=git-upload-pack"), times=9)
        assert dokku("git:sync", APP, server.url(), "main").code == 1
        server.fail(redirected(evil.url("a.tar")), times=9)
        assert dokku("git:from-archive", APP, server.url("a.tar")).code == 1
    assert evil.requests
    assert evil.logins == []


def test_the_entry_for_all_hosts_is_for_https_too(dokku: Dokku, evil: HttpServer) -> None:
    (dokku.root / ".netrc").write_text("default login ann password secret\n")
    assert dokku("git:sync", APP, evil.url(), "main").code == 1
    assert evil.logins == []


def test_a_submodule_does_not_get_it(dokku: Dokku, upstream: Upstream, evil: HttpServer) -> None:
    dokku.plugin("00-notes", builder_detect="#!/bin/sh\necho notes\n")
    sign_in(dokku, "127.0.0.1")
    upstream.submodule("vendor", evil.url("library.git"), "1" * 40)
    with serving(upstream.path.parent) as server:
        assert dokku("git:sync", "--build", APP, server.url(), "main").code != 0
    assert evil.requests
    assert evil.logins == []
