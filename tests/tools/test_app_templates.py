"""Templates of apps on a real nginx: what it serves of them as written by their authors, and by us."""

import gzip
import http.client
import os
import re
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from lib.app.port_maps import PortMap
from lib.base import settings
from lib.proxy import app_templates, go_templates
from lib.proxy.sites import Site
from lib.tools import nginx
from tests.certificates import Authority
from tests.nginx_kinds import KINDS, SECURE, Request
from tests.ports import free_port

NGINX = shutil.which("nginx", path=settings.PATH)
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
MAIN = """
user root; worker_processes 1; pid {place}/nginx.pid; error_log {place}/error.log;
events {{ worker_connections 256; }}
http {{
  include /etc/nginx/mime.types; access_log off;
  client_body_temp_path {place}/body; proxy_temp_path {place}/proxy; fastcgi_temp_path {place}/fastcgi;
  uwsgi_temp_path {place}/uwsgi; scgi_temp_path {place}/scgi;
  server {{ listen {web} default_server; return 444; }}
  server {{
    listen 127.0.0.1:{backend};
    add_header X-Backend yes;
    return 200 "$request_method $request_uri $http_host|$http_x_connection|$http_x_forwarded_for"
      "|$http_x_real_ip|$http_x_inside|$http_x_who|$http_x_user|$http_x_path|$http_upgrade";
  }}
  server {{ listen 127.0.0.1:{h2} http2; return 200 "h2 $request_uri $http_host"; }}
  include {place}/root/web/nginx.conf;
}}
""".replace('"\n      "', "")


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Host:
    """An nginx with a backend, and an app `web` with files of all kinds."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.web, self.secure, self.backend, self.h2 = (free_port() for _ in range(4))
        self.app = place / "root/web"
        self.entries = [PortMap("http", self.web, self.backend), PortMap("http", self.web, self.h2)]
        (self.app / "public").mkdir(parents=True)
        (self.app / "nginx.conf.d").mkdir()
        (self.app / "nginx.conf.d/more.conf").write_text("add_header X-Included yes;\n")
        (self.app / "htpasswd").write_text("ann:{PLAIN}secret\n")
        (self.app / "VHOST").write_text("a.test\nwww.a.test\n")
        (self.app / "CONTAINER.web.1").write_text("0" * 64)
        (self.app / "PORT.web.1").write_text(str(self.backend))
        for name in ("index.html", "page.txt", "closed.html"):
            (self.app / "public" / name).write_text(f"the public {name}")
        stored = Path(settings.data("storage", "web"))
        stored.mkdir(parents=True)
        (stored / "up.txt").write_text("uploaded")
        (self.app / "nginx.conf").touch()
        self.command = [str(NGINX), "-p", str(place), "-c", f"{place}/nginx.conf"]
        numbers = {"web": self.web, "backend": self.backend, "h2": self.h2}
        (place / "nginx.conf").write_text(MAIN.format(place=place, **numbers))
        os.environ.update(
            DOKKU_NGINX_PID_FILE=str(place / "nginx.pid"),
            DOKKU_NGINX_LOG_DIR=str(place),
            DOKKU_NGINX_CACHE_DIR=str(place),
            DOKKU_NGINX_TEST_COMMAND=" ".join([*self.command, "-t"]),
            DOKKU_NGINX_RELOAD_COMMAND=" ".join([*self.command, "-s", "reload"]),
        )

    def site(self) -> Site:
        mapped = " ".join(map(str, self.entries))
        (self.app / "ENV").write_text(
            f"DOKKU_PROXY_PORT_MAP='{mapped}'\nDOKKU_PROXY_PORT={self.web}\nDOKKU_PROXY_SSL_PORT={self.secure}\n"
        )
        return Site("web", ["a.test", "www.a.test"], self.entries, ["127.0.0.1"])

    def as_written(self, template: str) -> str:
        variables = app_templates.variables(self.site(), {})
        return go_templates.render(template, variables, {}).replace("/tmp/pages", f"{self.place}/pages")

    def anew(self, template: str) -> str:
        return app_templates.rendered(self.site(), template, True, {}, list)

    def serve(self, text: str) -> None:
        (self.app / "nginx.conf").write_text(text)
        done = subprocess.run(self.command, stderr=subprocess.PIPE, text=True, timeout=20, check=False)
        assert done.returncode == 0, f"{done.stderr}\n{text}"

    def stop(self) -> None:
        pid = nginx.master()
        if pid:
            os.kill(pid, signal.SIGTERM)
            while os.path.exists(f"/proc/{pid}"):
                time.sleep(0.01)

    def ask(self, request: Request) -> Answer:
        path, headers = request if isinstance(request, tuple) else (request, {})
        *method, path = path.split(" ")
        connection = http.client.HTTPConnection("127.0.0.1", self.web, timeout=10)
        try:
            connection.request(*(method or ["GET"]), path, headers={"Host": "a.test", **headers})
            answer = connection.getresponse()
            body, found = (
                answer.read(),
                {k: v for k, v in answer.getheaders() if k not in ("Date", "Expires")},
            )
            body = gzip.decompress(body) if found.get("Content-Encoding") == "gzip" else body
            return Answer(answer.status, found, body)
        except http.client.RemoteDisconnected:
            return Answer(0, {}, b"")
        finally:
            connection.close()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    found = Host(tmp_path)
    yield found
    found.stop()


@pytest.mark.parametrize("name", KINDS)
def test_a_template_of_a_usual_kind_does_what_its_author_wanted(host: Host, name: str) -> None:
    template, requests = KINDS[name]
    answers = []
    for text in (host.as_written(template), host.anew(template)):
        host.serve(text)
        answers.append([host.ask(request) for request in requests])
        host.stop()
    assert answers[1] == answers[0]
    assert any(answer.status in (200, 204, 301, 503) for answer in answers[0]), answers


def test_one_with_https_does_too(host: Host) -> None:
    host.entries = [PortMap("http", host.web, host.backend), PortMap("https", host.secure, host.backend)]
    (host.app / "tls").mkdir()
    pair = Authority(host.place / "authority").leaf("a.test")
    (host.app / "tls/server.crt").write_bytes(pair.certificate)
    (host.app / "tls/server.key").write_bytes(pair.key)
    answers = []
    for text in (host.as_written(SECURE.template), host.anew(SECURE.template)):
        host.serve(text)
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("127.0.0.1", host.secure, context=context, timeout=10)
        connection.request("GET", "/x", headers={"Host": "a.test"})
        answer = connection.getresponse()
        answers.append((answer.status, answer.read(), answer.getheader("Strict-Transport-Security")))
        answers[-1] += (host.ask("/y").headers["Location"],)
        connection.close()
        host.stop()
    assert answers[0] == answers[1]
    assert answers[0][:2] == (200, b"GET /x a.test" + b"|" * 8)


def test_there_are_thirty_kinds() -> None:
    assert len(KINDS) >= 30
    assert all(re.search(r"server\s*\{", kind.template) for kind in KINDS.values())
