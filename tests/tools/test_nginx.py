"""A real nginx on loopback ports, with everything it has below tmp_path."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.app import config, domains, ports
from lib.base import procfs, properties, settings
from lib.base.errors import DokkuError
from lib.proxy import conf_files, conf_notes, host_sites, nginx_service, nginx_texts, vhosts
from lib.proxy.conf_notes import Listen, Note
from lib.tools import nginx, nginx_syntax
from tests.certificates import Authority, new_key
from tests.ports import free_port

NGINX = shutil.which("nginx", path=settings.PATH)
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


class Server:
    """nginx with one page per `page`; its own directories, so that no other one is touched."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.port = free_port()
        self.command = f"{NGINX} -p {place} -c {place}/nginx.conf"
        os.environ.update(
            DOKKU_NGINX_TEST_COMMAND=f"{self.command} -t",
            DOKKU_NGINX_RELOAD_COMMAND=f"{self.command} -s reload",
            DOKKU_NGINX_PID_FILE=str(place / "nginx.pid"),
            DOKKU_NGINX_LOG_DIR=str(place),
        )
        (place / "root").mkdir()
        self.page("one")

    def page(self, text: str) -> None:
        self.write(f'server {{ listen 127.0.0.1:{self.port}; location / {{ return 200 "{text}"; }} }}')

    def write(self, servers: str) -> None:
        own = "".join(
            f"{kind}_temp_path {self.place}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (self.place / "nginx.conf").write_text(
            f"worker_processes 2; pid {self.place}/nginx.pid; error_log {self.place}/error.log;"
            "events { worker_connections 512; }\n"
            f"http {{ access_log off; {own}\n{servers}\ninclude {self.place}/root/*/nginx.conf;\n}}\n"
        )

    def start(self) -> None:
        subprocess.run(self.command.split(), check=True, timeout=10)
        deadline = time.monotonic() + 5
        while not nginx.is_running() and time.monotonic() < deadline:
            time.sleep(0.01)

    def stop(self) -> None:
        pid = nginx.master()
        if pid:
            os.kill(pid, signal.SIGTERM)
            while "master" in " ".join(procfs.words(pid)):
                time.sleep(0.01)

    def get(self, host: str = "localhost", port: int = 0) -> str:
        request = urllib.request.Request(f"http://127.0.0.1:{port or self.port}/", headers={"Host": host})
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return str(error.code)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    found = Server(tmp_path)
    found.start()
    yield found
    found.stop()


def test_a_good_configuration_has_no_problem(server: Server) -> None:
    assert nginx.problem() == ""


def test_a_problem_is_one_line_without_time_and_pid(server: Server) -> None:
    server.write("bogus on;")
    assert nginx.problem() == f'unknown directive "bogus" in {server.place}/nginx.conf:3'


def test_a_test_that_can_not_be_run_is_a_problem_too(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOKKU_NGINX_TEST_COMMAND", "false")
    assert nginx.problem() == "status 1"


def test_a_pair_is_tried_without_anybody_being_served_by_it(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    small = authority.leaf("a.test", key=new_key("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"))
    good = authority.leaf("a.test")
    assert nginx.objection(*good) == ""
    assert re.fullmatch(r'SSL_CTX_use_certificate\("crt"\) .*key too small.*', nginx.objection(*small))
    assert "key values mismatch" in nginx.objection(good.certificate, new_key())
    assert list(Path(settings.temporary()).iterdir()) == []


def test_a_trial_that_fails_for_another_reason_refuses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nginx").write_text(
        "#!/bin/sh\necho '[emerg] unknown directive \"scgi_temp_path\"' >&2; exit 1\n"
    )
    (tmp_path / "nginx").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert nginx.objection(b"any", b"pair") == ""


def test_it_is_known_whether_nginx_runs(server: Server) -> None:
    assert nginx.is_running()
    server.stop()
    assert not nginx.is_running()
    assert nginx.master() == 0


def test_the_version_is_numbers() -> None:
    assert nginx.version() >= (1, 18)


def test_after_a_reload_every_new_connection_meets_the_new_configuration(server: Server) -> None:
    for number in range(20):
        server.page(f"page {number}")
        nginx.reload()
        assert {server.get() for _ in range(20)} == {f"page {number}"}


def test_no_request_fails_while_it_is_reloaded(server: Server) -> None:
    """ZDT-6"""
    answers: list[str] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            answers.append(server.get())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(5):
        server.page(f"page{number}")
        nginx.reload()
    done.set()
    for thread in threads:
        thread.join()
    assert len(answers) > 50
    assert [answer for answer in answers if not re.fullmatch(r"one|page\d", answer)] == []


def test_requests_under_way_do_not_hold_a_reload_up(server: Server) -> None:
    """ZDT-2"""
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\n")  # and no more, for as long as the test runs
        time.sleep(0.2)
        server.page("two")
        nginx.reload()
        assert server.get() == "two"


def test_a_reload_of_a_stopped_nginx_fails_at_once(server: Server) -> None:
    """NGX-7"""
    server.stop()
    with pytest.raises(DokkuError, match=r"^nginx is not running$"):
        nginx.reload()


def test_a_reload_that_nginx_refuses_is_noticed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """NGX-7"""
    monkeypatch.setattr(nginx, "PATIENCE", 1)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        server.write(f"server {{ listen 127.0.0.1:{port}; return 200 x; }}")
        with pytest.raises(DokkuError, match="did not take its new configuration"):
            nginx.reload()
    assert server.get() == "one"


def test_a_reload_command_that_fails_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """NGX-7"""
    monkeypatch.setenv("DOKKU_NGINX_RELOAD_COMMAND", "false")
    with pytest.raises(DokkuError, match=r"^nginx can't be reloaded"):
        nginx.reload()


def make_app(place: Path, name: str, docker: Path, port_map: str) -> None:
    """An app whose one web container is this machine, as far as docker says."""
    directory = place / "root" / name
    directory.mkdir()
    (directory / "VHOST").write_text(f"{name}.test\n")
    (directory / "ENV").write_text(f"DOKKU_PROXY_PORT_MAP='{port_map}'\n")
    (directory / "CONTAINER.web.1").write_text(name.encode().hex().ljust(64, "0"))
    (directory / "PORT.web.1").write_text(port_map.rpartition(":")[2])
    known = (
        f'{{"Id":"{name.encode().hex().ljust(64, "0")}","Name":"/x","Image":"i","RestartCount":0,'
        f'"Config":{{"Labels":{{"com.dokku.app-name":"{name}"}}}},"HostConfig":{{"NetworkMode":"host"}},'
        '"State":{"Status":"running","Running":true,"Restarting":false,"StartedAt":"x"},'
        '"NetworkSettings":{"IPAddress":"","Networks":{}}}'
    )
    (place / f"{name}.json").write_text(known + "\n")
    docker.write_text(
        f'#!/bin/sh\nfor f in {place}/*.json; do case "$*" in *$(cut -c8-71 "$f")*) cat "$f";; esac; done\n'
    )
    docker.chmod(0o755)


def certify(directory: Path, name: str) -> None:
    files = ("-keyout", str(directory / "server.key"), "-out", str(directory / "server.crt"))
    words = ("-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-days", "2", *files)
    subprocess.run(["openssl", "req", *words], check=True, stderr=-3)


@pytest.fixture
def apps(server: Server) -> Server:
    """Two apps, each with its own page, behind one port of nginx."""
    docker = server.place / "docker"
    os.environ["DOCKER_BIN"] = str(docker)
    backends = {name: free_port() for name in ("ant", "bee")}
    pages = "".join(
        f'server {{ listen 127.0.0.1:{port}; location / {{ return 200 "{name}"; }} }}\n'
        for name, port in backends.items()
    )
    server.port = free_port()
    server.write(f"{pages}server {{ listen {server.port} default_server; return 404; }}")
    nginx.reload()
    for name, port in backends.items():
        make_app(server.place, name, docker, f"http:{server.port}:{port}")
    return server


def test_real_nginx_serves_apps_by_name_and_nobody_else(apps: Server) -> None:
    """NGX-8"""
    vhosts.build(["ant", "bee"])
    assert [apps.get(host) for host in ("ant.test", "bee.test", "other.test")] == ["ant", "bee", "404"]


def test_real_nginx_keeps_what_it_had_of_an_app_whose_includes_it_refuses(apps: Server) -> None:
    """NGX-3, NGX-5"""
    vhosts.build(["ant", "bee"])
    added = Path(conf_files.includes("ant"))
    added.mkdir(exist_ok=True)
    (added / "mine.conf").write_text("bogus on;")
    with pytest.raises(
        DokkuError, match=r"unknown directive \"bogus\" in .*/ant/nginx\.conf\.d/mine\.conf:1"
    ):
        vhosts.build(["ant"])
    assert [apps.get(host) for host in ("ant.test", "bee.test")] == ["ant", "bee"]


def test_real_nginx_serves_the_others_when_a_certificate_put_there_by_hand_is_broken(
    apps: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    """NGX-4"""
    tls = apps.place / "root/ant/tls"
    tls.mkdir()
    certify(tls, "ant.test")
    inside = ports.stored("ant")[0].container
    vhosts.build(["bee"])
    ports.set_("ant", [f"http:{apps.port}:{inside}", f"https:{free_port()}:{inside}"])
    (tls / "server.key").write_bytes(new_key("-algorithm", "RSA"))
    Path(domains.path("bee")).write_text("bee.test\nalso.test\n")
    capfd.readouterr()
    vhosts.build(["bee"])
    said = capfd.readouterr().err
    assert " !     The nginx configuration of ant is broken, it is served without https: " in said
    assert "key values mismatch" in said
    assert [apps.get(host) for host in ("ant.test", "also.test")] == ["ant", "bee"]


def test_real_nginx_can_start_after_it_refused_an_apps_own_certificate(apps: Server) -> None:
    """NGX-5"""
    tls = apps.place / "root/ant/tls"
    tls.mkdir()
    certify(tls, "ant.test")
    inside = ports.stored("ant")[0].container
    ports.set_("ant", [f"http:{apps.port}:{inside}", f"https:{free_port()}:{inside}"])
    (tls / "server.key").write_bytes(new_key("-algorithm", "RSA"))
    with pytest.raises(DokkuError, match=r"^Invalid nginx config for ant, not put in force$") as caught:
        vhosts.build(["ant"])
    assert "key values mismatch" in caught.value.more[0]
    assert nginx.problem() == ""
    vhosts.build(["bee"])
    assert [apps.get(host) for host in ("ant.test", "bee.test")] == ["ant", "bee"]


def test_real_nginx_can_be_made_to_start_again(apps: Server, capfd: pytest.CaptureFixture[str]) -> None:
    """NGX-5"""
    vhosts.build(["ant", "bee"])
    Path(conf_files.path("ant")).write_text("bogus on;\n")
    with pytest.raises(DokkuError, match="bogus"):
        nginx_service.validate(["ant", "bee"], clean=False)
    assert "Failed to validate nginx config for ant. Contents below...\nbogus on;" in capfd.readouterr().err
    nginx_service.validate(["ant", "bee"], clean=True)
    assert nginx.problem() == ""
    assert not os.path.exists(conf_files.path("ant"))
    vhosts.build(["ant"])
    assert apps.get("ant.test") == "ant"


def test_real_nginx_takes_every_kind_of_server(apps: Server) -> None:
    tls = apps.place / "root/ant/tls"
    tls.mkdir()
    certify(tls, "ant.test")
    numbers = [free_port() for _ in range(3)]
    entries = [
        f"{scheme}:{port}:5000" for scheme, port in zip(("https", "grpc", "grpcs"), numbers, strict=True)
    ]
    ports.set_("ant", entries)
    assert nginx.problem() == ""
    text = nginx_texts.texts(["ant"])["ant"]
    assert text is not None
    assert text.count("server {") == 3
    assert "max-age=15724800" in (apps.place / "root/ant/nginx.conf.d/hsts.conf").read_text()


@pytest.fixture
def http2_only(tmp_path: Path) -> Iterator[int]:
    """The port of a program that speaks HTTP/2 without TLS and nothing else, as gRPC's do."""
    pages, port = tmp_path / "pages", free_port()
    pages.mkdir()
    (pages / "index.html").write_text("over http2")
    argv = ["nghttpd", "--no-tls", "--address=127.0.0.1", f"--htdocs={pages}", str(port)]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            break
        time.sleep(0.02)
    assert process.poll() is None
    yield port
    process.terminate()
    process.wait(timeout=10)


def curl(url: str, port: int, *words: str, address: str = "127.0.0.1") -> str:
    """The body, and which HTTP it came by."""
    host = url.partition("://")[2]
    there = ["--insecure", "--noproxy", "*", "--resolve", f"{host}:{port}:{address}"]
    argv = ["curl", "--silent", *there, "--write-out", " %{http_version}", *words]
    done = subprocess.run([*argv, f"{url}:{port}/"], capture_output=True, text=True, timeout=30, check=False)
    return done.stdout


@pytest.mark.skipif(shutil.which("nghttpd") is None, reason="nghttpd is not installed")
def test_real_nginx_speaks_http2_where_a_map_says_https_grpc_or_grpcs(
    server: Server, http2_only: int
) -> None:
    os.environ["DOCKER_BIN"] = str(server.place / "docker")
    web, https, grpc, grpcs = (free_port() for _ in range(4))
    server.write(
        f'server {{ listen 127.0.0.1:{web}; location / {{ return 200 "$http_host $server_protocol"; }} }}'
    )
    make_app(server.place, "cow", server.place / "docker", f"https:{https}:{web}")
    (server.place / "root/cow/tls").mkdir()
    certify(server.place / "root/cow/tls", "cow.test")
    ports.set_("cow", [f"https:{https}:{web}", f"grpc:{grpc}:{http2_only}", f"grpcs:{grpcs}:{http2_only}"])
    assert curl("https://cow.test", https, "--http2") == f"cow.test:{https} HTTP/1.1 2"
    assert curl("https://cow.test", https, "--http1.1") == f"cow.test:{https} HTTP/1.1 1.1"
    assert curl("http://cow.test", grpc, "--http2-prior-knowledge") == "over http2 2"
    assert curl("https://cow.test", grpcs, "--http2") == "over http2 2"


def test_real_nginx_leaves_an_app_without_domains_its_port(apps: Server) -> None:
    """Its file is read last; without more ado the first one would answer to every name at the port."""
    port = free_port()
    config.set_values("bee", {"NO_VHOST": "1", "DOKKU_PROXY_PORT": str(port)})
    config.unset_values("bee", ["DOKKU_PROXY_PORT_MAP"])
    vhosts.build(["bee"])
    inside = ports.stored("ant")[0].container
    ports.set_("ant", [f"http:{port}:{inside}", f"http:{apps.port}:{inside}"])
    assert [apps.get(host, port) for host in ("any.test", "ant.test")] == ["bee", "bee"]
    assert apps.get("ant.test") == "ant"
    config.set_values("ant", {"NO_VHOST": "1"})
    vhosts.build(["ant", "bee"])
    assert apps.get("any.test", port) == "bee"
    config.unset_values("bee", ["NO_VHOST"])
    config.set_values("bee", {"DOKKU_PROXY_PORT": str(apps.port)})
    vhosts.build(["bee"])
    vhosts.build(["ant"])
    assert [apps.get(host, port) for host in ("any.test", "ant.test")] == ["ant", "ant"]


@pytest.fixture
def covered(apps: Server) -> Server:
    """The same, with the default servers that we keep, as on a host that was set up."""
    conf = apps.place / "nginx.conf"
    ours = f"\ninclude {settings.data('nginx-vhosts')}/*.conf;\ninclude "
    conf.write_text(conf.read_text().replace("\ninclude ", ours))
    return apps


def test_real_nginx_lets_a_port_change_its_protocol_and_back(covered: Server) -> None:
    port, inside = free_port(), ports.stored("ant")[0].container
    ports.set_("ant", [f"http:{port}:{inside}"])
    assert covered.get("ant.test", port) == "ant"
    assert curl("http://nobody.test", port) == " 0"
    (covered.place / "root/ant/tls").mkdir()
    certify(covered.place / "root/ant/tls", "ant.test")
    ports.set_("ant", [f"https:{port}:{inside}"])
    assert curl("https://ant.test", port) == "ant 2"
    assert curl("https://nobody.test", port) == " 0"
    ports.set_("ant", [f"http:{port}:{inside}"])
    assert covered.get("ant.test", port) == "ant"


def test_real_nginx_answers_for_nobody_else_at_an_address_that_an_app_binds(covered: Server) -> None:
    properties.write("nginx", "ant", "bind-address-ipv4", "127.0.0.2")
    vhosts.build(["ant", "bee"])
    assert curl("http://ant.test", covered.port, address="127.0.0.2") == "ant 1.1"
    assert curl("http://bee.test", covered.port, address="127.0.0.2") == " 0"
    assert curl("http://bee.test", covered.port) == "bee 1.1"


def test_the_names_of_the_hosts_sites_are_those_that_nginx_shows(server: Server) -> None:
    (server.place / "sites").mkdir()
    (server.place / "sites/a").write_text("server { listen 127.0.0.1:1; server_name 'A.test' \\b.test; }\n")
    (server.place / "sites/b").write_text("# server_name c.test;\nserver { listen 127.0.0.1:1; }\n")
    (server.place / "root/web").mkdir()
    (server.place / "root/web/nginx.conf").write_text(
        "server { listen 127.0.0.1:1; server_name web.test; }\n"
    )
    server.write("include sites/*;")
    shown = subprocess.run([*server.command.split(), "-T", "-q"], capture_output=True, text=True, check=True)
    others = shown.stdout.replace("server_name web.test;", "")
    found = nginx_syntax.walk(nginx_syntax.read(re.sub(r"^# conf.*:$", "", others, flags=re.MULTILINE)))
    named = {name.lower() for one in found if one.name == "server_name" for name in one.arguments}
    assert host_sites.names() == named == {"a.test", "\\b.test"}


def test_nginx_takes_the_note_of_an_app_with_many_names_and_ports(server: Server) -> None:
    names = [f"a-rather-long-name-{number}.example.com" for number in range(300)]
    listens = [Listen("127.0.0.1", 1024 + number, "plain") for number in range(500)]
    text = f"server {{ listen 127.0.0.1:{server.port}; server_name {' '.join(names)}; return 200 many; }}\n"
    server.write(conf_notes.signed(text, Note(["10.0.0.1"], names, listens)))
    assert nginx.problem() == ""
    assert f"# serves {' '.join(names)}" in conf_notes.joined(
        conf_notes.signed(text, Note([], names, listens))
    )
