"""Headers that are for the proxy alone, and those that only it may set: no visitor sends one to an app."""

import contextlib
import shutil
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.base import properties
from lib.proxy import haproxy_fronts, haproxy_texts
from tests.ports import free_port
from tests.system.conftest import Instance, wait_for

# Answers with what it was asked; a web socket gets its own words back after the switch.
ECHO = """#!/bin/sh
asked="" upgrade=""
while IFS= read -r line; do
  line="${line%?}"
  [ -n "$line" ] || break
  asked="$asked$line
"
  case "$line" in [Uu]pgrade:*) upgrade=yes ;; esac
done
if [ -n "$upgrade" ]; then
  printf 'HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: upgrade\\r\\n'
  printf 'Sec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=\\r\\n\\r\\n%s' "$asked"
  exec cat
fi
printf 'HTTP/1.1 200 OK\\r\\nContent-Length: %s\\r\\nConnection: close\\r\\n\\r\\n%s' "${#asked}" "$asked"
"""
ATTACKS = {
    "a listed header of the proxy's": ["Connection: close, X-Forwarded-For"],
    "a listed header of another proxy's": ["Connection: keep-alive, X-Real-IP", "X-Real-IP: 6.6.6.6"],
    "another protocol": [
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAAQAAP__",
    ],
    "another protocol beside a web socket": ["Connection: Upgrade", "Upgrade: websocket, h2c"],
    "a forged address": ["X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Port: 6666"],
    "a forged address with underscores": ["X_Forwarded_For: 6.6.6.6", "X_Forwarded-For: 6.6.6.6"],
    "a proxy for the app's own requests": ["Proxy: http://6.6.6.6:80/"],
    "an old name": ["Proxy-Connection: keep-alive, X-Forwarded-For"],
}


def asked(port: int, host: str, lines: list[str]) -> str:
    """What the container was asked, in lower case, when a visitor sends these lines."""
    request = "\r\n".join(["GET / HTTP/1.1", f"Host: {host}", *lines, "", ""])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as visitor:
        visitor.sendall(request.encode())
        visitor.settimeout(5)
        answer = b""
        with contextlib.suppress(TimeoutError):
            while b"get / " not in answer.lower() or not answer.endswith(b"\n"):
                chunk = visitor.recv(65536)
                if not chunk:
                    break
                answer += chunk
    _, _, body = answer.partition(b"\r\n\r\n")
    return body.decode().lower()


def verify(kind: str, said: str) -> None:
    if "400 bad request" in said:  # so haproxy says to a web socket that is half of something else
        return
    assert said.startswith("get / http/1.1"), said
    headers = dict(line.split(": ", 1) for line in said.splitlines()[1:] if ": " in line)
    assert headers["x-forwarded-for"] == "127.0.0.1", kind
    assert headers["x-forwarded-proto"] == "http", kind
    assert headers.get("connection", "close") in ("close", "keep-alive", ""), kind
    assert not headers.keys() & {"upgrade", "http2-settings", "proxy", "proxy-connection"}, kind
    assert not any("_" in name for name in headers), kind
    assert "6666" not in headers["x-forwarded-port"]


def verify_web_socket(port: int, host: str) -> None:
    lines = [
        "Connection: keep-alive, Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
    ]
    request = "\r\n".join(
        ["GET /chat HTTP/1.1", f"Host: {host}", *lines, "Sec-WebSocket-Version: 13", "", ""]
    )
    with socket.create_connection(("127.0.0.1", port), timeout=20) as visitor:
        visitor.sendall(request.encode())
        answer = b""
        while b"get /chat" not in answer.lower():
            answer += visitor.recv(65536)
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        assert b"\nupgrade: websocket" in answer.lower().split(b"\r\n\r\n")[1]
        visitor.sendall(b"hello, you")
        while b"hello, you" not in answer:
            answer += visitor.recv(65536)


def test_nginx_passes_on_nothing_that_was_for_it_alone(instance: Instance) -> None:
    app = instance.name("echo")
    repo = instance.new_repo(
        instance.sample(
            **{
                "echo": ECHO,
                "serve": '#!/bin/sh\nexec nc -ll -p "${PORT:-5000}" -e /app/echo\n',
                "CHECKS": "WAIT=0\nTIMEOUT=5\nATTEMPTS=300\n/ GET\n",
                "app.json": "{}",
            }
        )
    )
    for name in ("echo", "serve"):
        (repo / name).chmod(0o755)
    instance.git(repo, "add", "--all")
    instance.git(repo, "commit", "--quiet", "--amend", "--no-edit", "--all")
    pushed = instance.push(repo, app)
    assert pushed.code == 0, pushed
    try:
        for kind, lines in ATTACKS.items():
            verify(kind, asked(instance.port, instance.host(app), lines))
        verify_web_socket(instance.port, instance.host(app))
        assert instance.dokku("nginx:set", app, "proxy-keepalive", "8").code == 0
        assert instance.dokku("proxy:build-config", app).code == 0
        verify(
            "upstream connections that are kept",
            asked(instance.port, instance.host(app), ["Connection: x-real-ip"]),
        )
        verify_web_socket(instance.port, instance.host(app))
    finally:
        instance.dokku("--force", "apps:destroy", app)


class _Echo(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        script = self.server.script  # type: ignore[attr-defined]
        subprocess.run([script], stdin=self.connection, stdout=self.connection, check=False)


@contextlib.contextmanager
def echoing(place: Path) -> Iterator[int]:
    """The port of a server that tells what it was asked."""
    script = place / "echo"
    script.write_text(ECHO)
    script.chmod(0o755)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo) as server:
        server.script = str(script)  # type: ignore[attr-defined]
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.skipif(shutil.which("haproxy", path="/usr/sbin:/usr/bin") is None, reason="there is no haproxy")
def test_haproxy_passes_on_nothing_that_was_for_it_alone(tmp_path: Path) -> None:
    port = free_port()
    properties.write("haproxy", properties.GLOBAL, "bind-address", "127.0.0.1")
    with echoing(tmp_path) as container:
        route = haproxy_fronts.Route(port, False, container, False, 0)
        options = {"proxy-read-timeout": "60s", "client-max-body-size": "1m", "hsts": "false"}
        front = haproxy_fronts.Front("web", ["web.test"], [route], ["127.0.0.1"], "", options)
        texts = haproxy_texts.made({"web": front})
        for name, text in texts.items():
            (tmp_path / name).write_text(text.replace("  user nobody\n  group nogroup\n", ""))
        words = ["/usr/sbin/haproxy", "-db", "-f", str(tmp_path / haproxy_fronts.MAIN)]
        proxy = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            wait_for(lambda: _listens(port), 20)
            for kind, lines in ATTACKS.items():
                verify(kind, asked(port, "web.test", lines))
            verify_web_socket(port, "web.test")
        finally:
            proxy.terminate()
            proxy.wait(timeout=20)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
