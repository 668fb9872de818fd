"""A real haproxy on loopback ports, its apps answered by a listener of the test: no docker, no nginx."""

import contextlib
import http.client
import http.server
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib.app import config
from lib.base import files, properties, retry, settings
from lib.base.errors import AppsFailed, DokkuError
from lib.proxy import haproxy_fronts, haproxy_service, haproxy_vhosts, proxies
from lib.tools import haproxy
from tests.conftest import instance_variables
from tests.ports import free_port

pytestmark = pytest.mark.skipif(not haproxy.program(), reason="haproxy is not installed")


class Handler(http.server.BaseHTTPRequestHandler):
    """Says what it was asked, and who it is; /slow waits until the test lets it go on."""

    protocol_version = "HTTP/1.1"
    go_on = threading.Event()
    arrived = threading.Event()

    def do_GET(self) -> None:
        if self.path == "/slow":
            self.arrived.set()
            self.go_on.wait(60)
        said = json.dumps({"who": self.server.server_port, **dict(self.headers.items())}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


class Balancer:
    """haproxy at two ports of its own. Its place is short: a socket's path has at most 107 characters."""

    def __init__(self, place: Path) -> None:
        os.environ.update(instance_variables(place))
        for name in ("root", "lib", "log"):
            (place / name).mkdir()
        self.port, self.secure = free_port(), free_port()
        self.servers: list[http.server.ThreadingHTTPServer] = []
        for key, value in {"http": self.port, "https": self.secure}.items():
            properties.write("haproxy", properties.GLOBAL, f"{key}-port", str(value))
        properties.write("haproxy", properties.GLOBAL, "bind-address", "127.0.0.1")
        properties.write("proxy", properties.GLOBAL, "type", "haproxy")

    def app(self, name: str, listener: int, *domains: str) -> None:
        """An app at a port of this machine, which nobody has been told of yet."""
        directory = Path(settings.app_dir(name))
        directory.mkdir(exist_ok=True)
        (directory / "VHOST").write_text("".join(f"{one}\n" for one in domains or [f"{name}.test"]))
        properties.write("network", name, "static-web-listener", f"127.0.0.1:{listener}")
        config.set_values(name, {"DOKKU_PROXY_PORT_MAP": f"http:80:{listener} https:443:{listener}"})

    def listener(self) -> int:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.servers.append(server)
        return server.server_port

    def certificate(self, app: str, name: str, *others: str) -> None:
        tls = Path(settings.app_dir(app), "tls")
        tls.mkdir(exist_ok=True)
        words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        pair = ["-keyout", str(tls / "server.key"), "-out", str(tls / "server.crt")]
        names = ["-addext", f"subjectAltName={','.join(f'DNS:{one}' for one in (name, *others))}"]
        argv = [*words, *pair, *names, "-subj", f"/CN={name}", "-days", "2"]
        subprocess.run(argv, check=True, capture_output=True)

    def get(
        self, host: str, path: str = "/", method: str = "GET", body: bytes | None = None
    ) -> tuple[int, str]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(line):
            line.request(method, path, body, {"Host": host})
            answer = line.getresponse()
            return answer.status, answer.getheader("Location") or answer.read().decode()

    def raw(self, head: str) -> str:
        """The answer to a request as it stands."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as line:
            line.sendall(f"{head}Connection: close\r\n\r\n".encode())
            return b"".join(iter(lambda: line.recv(4096), b"")).decode()

    def who(self, host: str) -> int:
        status, body = self.get(host)
        assert status == 200, body
        return int(json.loads(body)["who"])

    def get_securely(self, host: str, sni: str = "") -> tuple[int, str, str]:
        """Status, the subject of the certificate, and Strict-Transport-Security."""
        context = ssl._create_unverified_context()
        with (
            socket.create_connection(("127.0.0.1", self.secure), timeout=30) as plain,
            context.wrap_socket(plain, server_hostname=sni or host) as line,
        ):
            pem = ssl.DER_cert_to_PEM_cert(line.getpeercert(binary_form=True) or b"")
            line.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            answer = http.client.HTTPResponse(line)
            answer.begin()
            words = ["openssl", "x509", "-noout", "-subject"]
            subject = subprocess.run(words, input=pem, capture_output=True, text=True, check=True).stdout
            header = answer.getheader("Strict-Transport-Security") or ""
            return answer.status, subject.strip().rpartition(" ")[2], header


@pytest.fixture
def balancer() -> Iterator[Balancer]:
    place = Path(tempfile.mkdtemp(prefix="dha"))
    place.chmod(0o711)
    Handler.go_on.clear()
    Handler.arrived.clear()
    found = Balancer(place)
    try:
        yield found
    finally:
        Handler.go_on.set()
        haproxy.stop(haproxy.ours(), patience=1)
        for server in found.servers:
            server.shutdown()
            server.server_close()
        shutil.rmtree(place)


def test_it_serves_by_name_and_answers_404_to_others(balancer: Balancer) -> None:
    one, other = balancer.listener(), balancer.listener()
    balancer.app("web", one, "web.test", "*.wild.test")
    balancer.app("blog", other, "blog.test", "deep.wild.test")
    haproxy_service.start()
    haproxy_vhosts.apply(["web", "blog"])
    assert balancer.who("web.test") == one
    assert balancer.who("WEB.test:80") == balancer.who("web.test.") == one
    assert balancer.who("a.wild.test") == one
    assert balancer.who("blog.test") == balancer.who("deep.wild.test") == other
    assert balancer.get("nobody.test")[0] == 404
    assert balancer.get("wild.test")[0] == 404
    haproxy_service.validate()


@pytest.mark.parametrize(
    "host",
    [
        "evil.com/.wild.test",
        "evil.com, web.test",
        "web.test, evil.com",
        "evil.com/?a=.wild.test",
        "a b.wild.test",
    ],
)
def test_a_host_that_is_none_leads_nowhere(balancer: Balancer, host: str) -> None:
    balancer.app("web", balancer.listener(), "web.test", "*.wild.test")
    balancer.certificate("web", "web.test")
    haproxy_service.start()
    haproxy_vhosts.apply(["web"])
    assert balancer.raw(f"GET / HTTP/1.1\r\nHost: {host}\r\n").startswith("HTTP/1.1 400 ")


def test_a_visitor_may_name_no_host(balancer: Balancer) -> None:
    haproxy_service.start()
    assert balancer.raw("GET / HTTP/1.0\r\n").startswith("HTTP/1.1 404 ")
    assert balancer.raw("GET / HTTP/1.1\r\nHost: [::1]:80\r\n").startswith("HTTP/1.1 404 ")


def test_the_app_is_told_of_its_visitor(balancer: Balancer) -> None:
    balancer.app("web", balancer.listener())
    haproxy_service.start()
    haproxy_vhosts.apply(["web"])
    said = json.loads(balancer.get("web.test")[1])
    assert said["x-forwarded-for"] == "127.0.0.1"
    assert said["x-forwarded-port"] == str(balancer.port)
    assert said["x-forwarded-proto"] == "http"
    assert float(said["x-request-start"]) > 1e9


def test_https_is_spoken_with_the_apps_certificate_and_with_nobody_else(balancer: Balancer) -> None:
    balancer.app("web", balancer.listener())
    balancer.app("blog", balancer.listener())
    balancer.certificate("web", "web.test")
    balancer.certificate("blog", "another.name")  # not its domain: browsers complain, and it is its own
    haproxy_service.start()
    haproxy_vhosts.apply(["web", "blog"])
    assert balancer.get("web.test", "/a?b=c") == (301, f"https://web.test:{balancer.secure}/a?b=c")
    header = "max-age=15724800; includeSubdomains"
    assert balancer.get_securely("web.test") == (200, "web.test", header)
    assert balancer.get_securely("blog.test")[:2] == (200, "another.name")
    assert balancer.get_securely("nobody.test", sni="web.test")[0] == 404
    with pytest.raises(ssl.SSLError):
        balancer.get_securely("nobody.test")


def test_https_is_spoken_with_every_name_that_a_certificate_is_for(balancer: Balancer) -> None:
    balancer.app("web", balancer.listener(), "*.wild.test")
    balancer.certificate("web", "*.wild.test", "*.b.wild.test", "x.c.wild.test", "other.test")
    haproxy_service.start()
    haproxy_vhosts.apply(["web"])
    for host in ("a.wild.test", "a.b.wild.test", "x.c.wild.test"):
        assert balancer.get(host) == (301, f"https://{host}:{balancer.secure}/")
        assert balancer.get_securely(host)[:2] == (200, "*.wild.test")
    for host in ("y.c.wild.test", "other.test"):
        with pytest.raises(ssl.SSLError):
            balancer.get_securely(host)


def test_a_broken_certificate_is_the_refusal_of_its_app_only(balancer: Balancer) -> None:
    one, other = balancer.listener(), balancer.listener()
    balancer.app("web", one)
    balancer.app("blog", one)
    balancer.certificate("blog", "blog.test")
    haproxy_service.start()
    haproxy_vhosts.apply(["web", "blog"])
    shutil.copy(Path(settings.app_dir("blog"), "tls/server.key"), Path(settings.app_dir("blog"), "tls/kept"))
    balancer.certificate("blog", "blog.test")
    shutil.copy(Path(settings.app_dir("blog"), "tls/kept"), Path(settings.app_dir("blog"), "tls/server.key"))
    balancer.app("web", other)
    balancer.app("blog", other)
    with pytest.raises(AppsFailed) as caught:
        haproxy_vhosts.apply(["web", "blog"])
    assert caught.value.reasons.keys() == {"blog"}
    assert "inconsistencies" in caught.value.reasons["blog"]
    assert balancer.who("web.test") == other
    assert balancer.get_securely("blog.test")[0] == 200
    assert haproxy_fronts.current()["blog"].routes[0].container == one


def test_no_request_fails_while_it_is_reloaded(balancer: Balancer) -> None:
    ours = [balancer.listener(), balancer.listener()]
    balancer.app("web", ours[0])
    haproxy_service.start()
    haproxy_vhosts.apply(["web"])
    with _visits(lambda: balancer.who("web.test")) as seen:
        for round_ in range(10):
            present = ours[round_ % 2]
            balancer.app("web", present)
            haproxy_vhosts.apply(["web"])
            assert balancer.who("web.test") == present
    assert not [one for one in seen if isinstance(one, Exception)]
    assert set(seen) <= set(ours)
    assert len(seen) > 50


def test_what_was_asked_before_a_reload_is_answered_after_it(balancer: Balancer) -> None:
    one, other = balancer.listener(), balancer.listener()
    balancer.app("web", one)
    haproxy_service.start()
    haproxy_vhosts.apply(["web"])
    answers: list[tuple[int, str]] = []
    asking = threading.Thread(target=lambda: answers.append(balancer.get("web.test", "/slow")))
    asking.start()
    assert Handler.arrived.wait(30)
    balancer.app("web", other)
    haproxy_vhosts.apply(["web"])
    assert balancer.who("web.test") == other
    Handler.go_on.set()
    asking.join(30)
    assert [status for status, _ in answers] == [200]
    assert json.loads(answers[0][1])["who"] == one


def test_a_port_that_another_program_has_is_refused_and_nobody_is_deaf_meanwhile(balancer: Balancer) -> None:
    one = balancer.listener()
    balancer.app("web", one)
    haproxy_service.start()
    haproxy_vhosts.apply(["web"])
    balancer.app("blog", one)
    config.set_values("blog", {"DOKKU_PROXY_PORT_MAP": f"http:{one}:{one}"})
    with (
        _visits(lambda: balancer.who("web.test")) as seen,
        pytest.raises(AppsFailed, match="Invalid haproxy config for blog"),
    ):
        haproxy_vhosts.apply(["blog"])
    assert set(seen) == {one}
    assert haproxy_fronts.current().keys() == {"web"}


def test_a_port_of_its_own_that_another_program_has_is_refused_too(balancer: Balancer) -> None:
    one = balancer.listener()
    balancer.app("web", one)
    haproxy_service.start()
    haproxy_vhosts.apply(["web"])
    properties.write("haproxy", properties.GLOBAL, "http-port", str(one))
    with (
        _visits(lambda: balancer.who("web.test")) as seen,
        pytest.raises(DokkuError, match=f"not put in force: haproxy can't listen at port {one}: taken"),
    ):
        haproxy_vhosts.apply(["web"])
    assert set(seen) == {one}
    assert haproxy_fronts.current().keys() == {"web"}


def test_an_address_that_the_host_does_not_have_is_refused_and_nobody_is_deaf_meanwhile(
    balancer: Balancer,
) -> None:
    one = balancer.listener()
    balancer.app("web", one)
    haproxy_service.start()
    haproxy_vhosts.apply(["web"])
    properties.write("haproxy", properties.GLOBAL, "bind-address", "192.0.2.1")
    with (
        _visits(lambda: balancer.who("web.test")) as seen,
        pytest.raises(DokkuError, match="this host has no such address"),
    ):
        haproxy_vhosts.apply(["web"])
    assert set(seen) == {one}
    properties.write("haproxy", properties.GLOBAL, "bind-address", "127.0.0.1")
    assert haproxy_vhosts.apply(["web"]) is False


@pytest.mark.skipif(not files.read("/proc/net/if_inet6"), reason="the host has no IPv6")
def test_a_port_that_another_program_has_over_ipv6_is_refused(balancer: Balancer) -> None:
    one = balancer.listener()
    properties.delete("haproxy", properties.GLOBAL, "bind-address")
    balancer.app("web", one)
    haproxy_service.start()
    haproxy_vhosts.apply(["web"])
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
        port = other.getsockname()[1]
        balancer.app("blog", one)
        config.set_values("blog", {"DOKKU_PROXY_PORT_MAP": f"http:{port}:{one}"})
        with (
            _visits(lambda: balancer.who("web.test")) as seen,
            pytest.raises(AppsFailed, match="Invalid haproxy config for blog"),
        ):
            haproxy_vhosts.apply(["blog"])
    assert set(seen) == {one}


def test_it_starts_without_an_app_whose_port_another_program_has(
    balancer: Balancer, capfd: pytest.CaptureFixture[str]
) -> None:
    one, own = balancer.listener(), free_port()
    balancer.app("web", one)
    balancer.app("blog", one)
    config.set_values("blog", {"DOKKU_PROXY_PORT_MAP": f"http:80:{one} http:{own}:{one}"})
    with pytest.raises(DokkuError, match="haproxy is not running"):
        haproxy_vhosts.apply(["web", "blog"])
    with socket.create_server(("127.0.0.1", own)):
        haproxy_service.start()
    said = f"haproxy does not serve blog: haproxy can't listen at port {own}: taken"
    assert said in capfd.readouterr().err
    assert balancer.who("web.test") == one
    assert balancer.get("blog.test")[0] == 404


def test_a_log_of_any_length_does_not_matter_to_a_reload(balancer: Balancer) -> None:
    haproxy_service.start()
    os.truncate(haproxy.ours().log, 2**40)
    haproxy_fronts.put(haproxy_fronts.write({haproxy_fronts.MAIN: "nonsense\n"}))
    with pytest.raises(DokkuError, match="haproxy keeps its old configuration") as caught:
        haproxy.reload(haproxy.ours())
    assert "nonsense" in caught.value.more[0]


def test_of_two_that_start_it_at_once_one_finds_it_running(balancer: Balancer) -> None:
    haproxy_service.start()
    before = haproxy.master(haproxy.ours())
    haproxy_vhosts.start()
    assert haproxy.master(haproxy.ours()) == before


def test_nothing_is_reloaded_when_nothing_has_changed(balancer: Balancer) -> None:
    balancer.app("web", balancer.listener())
    haproxy_service.start()
    assert haproxy_vhosts.apply(["web"]) is True
    assert haproxy_vhosts.apply(["web"]) is False
    properties.write("haproxy", properties.GLOBAL, "log-level", "info")
    assert haproxy_vhosts.apply(["web"]) is True
    balancer.get("web.test")
    assert proxies.served_port("haproxy", 80) == balancer.port


def test_what_a_killed_process_left_is_put_in_force_by_the_next(
    balancer: Balancer, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = balancer.listener(), balancer.listener()
    balancer.app("web", one)
    haproxy_service.start()
    haproxy_vhosts.apply(["web"])
    balancer.app("web", other)
    Path(settings.lib(), "failpoints").touch()
    monkeypatch.setenv("DOKKU_TEST_FAILPOINT", "haproxy-written:raise")
    with pytest.raises(RuntimeError):
        haproxy_vhosts.apply(["web"])
    monkeypatch.delenv("DOKKU_TEST_FAILPOINT")
    assert balancer.who("web.test") == one
    assert haproxy_vhosts.apply(["web"]) is True
    assert balancer.who("web.test") == other


def test_a_request_that_is_too_large_is_refused_by_its_apps_limit(balancer: Balancer) -> None:
    balancer.app("web", balancer.listener())
    properties.write("haproxy", "web", "client-max-body-size", "1k")
    haproxy_service.start()
    haproxy_vhosts.apply(["web"])
    assert balancer.get("web.test", "/", "POST", b"x" * 1024)[0] == 200
    assert balancer.get("web.test", "/", "POST", b"x" * 1025)[0] == 413


def test_it_starts_without_an_app_that_it_refuses(
    balancer: Balancer, capfd: pytest.CaptureFixture[str]
) -> None:
    one = balancer.listener()
    balancer.app("web", one)
    balancer.app("blog", one)
    balancer.certificate("blog", "blog.test")
    with pytest.raises(DokkuError, match="haproxy is not running"):
        haproxy_vhosts.apply(["web", "blog"])
    files.replace(haproxy_fronts.certificate(haproxy_fronts.current()["blog"].certificate), "nothing\n")
    haproxy_service.start()
    assert "haproxy does not serve blog" in capfd.readouterr().err
    assert balancer.who("web.test") == one


def test_it_says_why_it_does_not_start(balancer: Balancer) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", balancer.port))
        other.listen()
        with pytest.raises(DokkuError, match=f"haproxy can't listen at port {balancer.port}: taken"):
            haproxy_service.start()
    haproxy_service.start()
    haproxy_service.stop()
    assert not haproxy.master(haproxy.ours())


def test_it_is_started_again_after_a_crash_and_not_after_it_was_stopped(balancer: Balancer) -> None:
    balancer.app("web", balancer.listener())
    haproxy_vhosts.keep_up()
    assert not haproxy.master(haproxy.ours())
    haproxy_service.start()
    haproxy_vhosts.apply(["web"])
    os.kill(haproxy.master(haproxy.ours()), signal.SIGKILL)
    assert retry.until(lambda: not haproxy.master(haproxy.ours()), timeout=30, every=0.01)
    haproxy_vhosts.keep_up()
    assert balancer.get("web.test")[0] == 200
    haproxy_service.stop()
    haproxy_vhosts.keep_up()
    assert not haproxy.master(haproxy.ours())


def test_one_that_others_started_is_told_again_what_the_one_before_knew(balancer: Balancer) -> None:
    balancer.app("web", balancer.listener())
    haproxy_service.start()
    haproxy_vhosts.apply(["web"])
    os.kill(haproxy.master(haproxy.ours()), signal.SIGKILL)
    assert retry.until(lambda: not haproxy.master(haproxy.ours()), timeout=30, every=0.01)
    haproxy_vhosts.clear(["web"])
    assert retry.until(lambda: not haproxy_vhosts._not_free([balancer.port]), timeout=30, every=0.1)
    haproxy.start(haproxy.ours())  # as systemd does, with whatever is in place
    assert balancer.get("web.test")[0] == 404
    haproxy_vhosts.apply(["web"])
    assert balancer.get("web.test")[0] == 200


@pytest.mark.skipif(shutil.which("nghttpd") is None, reason="nghttpd is not installed")
def test_grpc_is_http2_from_the_visitor_to_the_container(balancer: Balancer, tmp_path: Path) -> None:
    (tmp_path / "page").write_text("over HTTP/2")
    port, own = free_port(), free_port()
    argv = ["nghttpd", "--no-tls", "--address=127.0.0.1", f"--htdocs={tmp_path}", str(port)]
    upstream = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert retry.until(
            lambda: bool(haproxy.taken(haproxy.ours(), [port], "127.0.0.1")), timeout=30, every=0.02
        )
        balancer.app("web", port)
        config.set_values("web", {"DOKKU_PROXY_PORT_MAP": f"grpc:{own}:{port}"})
        haproxy_service.start()
        haproxy_vhosts.apply(["web"])
        url = f"http://127.0.0.1:{own}/page"
        words = [
            "curl",
            "-s",
            "--http2-prior-knowledge",
            "-H",
            "Host: web.test",
            "-w",
            " %{http_version}",
            url,
        ]
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        assert said == "over HTTP/2 2"
    finally:
        upstream.terminate()
        upstream.wait(30)


def test_a_connection_that_is_upgraded_survives_a_reload(balancer: Balancer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_echo_upgraded, args=(listening,), daemon=True).start()
        balancer.app("web", listening.getsockname()[1])
        haproxy_service.start()
        haproxy_vhosts.apply(["web"])
        with socket.create_connection(("127.0.0.1", balancer.port), timeout=30) as line:
            line.sendall(b"GET / HTTP/1.1\r\nHost: web.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
            head = b""
            while b"\r\n\r\n" not in head:
                head += line.recv(4096)
            assert head.startswith(b"HTTP/1.1 101")
            balancer.app("web", balancer.listener())
            haproxy_vhosts.apply(["web"])
            line.sendall(b"still there?")
            assert line.recv(4096) == b"still there?"


def _echo_upgraded(listening: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line, _ = listening.accept()
        with line:
            line.recv(4096)
            line.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
            while said := line.recv(4096):
                line.sendall(said)


@contextlib.contextmanager
def _visits(visit: Callable[[], int]) -> Iterator[list[int | Exception]]:
    """What visitors see, one after the other in four rows, from before the block to after it."""
    seen: list[int | Exception] = []
    done = threading.Event()

    def go() -> None:
        while not done.is_set():
            try:
                seen.append(visit())
            except (OSError, AssertionError, http.client.HTTPException) as error:
                seen.append(error)

    rows = [threading.Thread(target=go) for _ in range(4)]
    for row in rows:
        row.start()
    try:
        yield seen
    finally:
        done.set()
        for row in rows:
            row.join(60)
