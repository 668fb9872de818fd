"""An app behind haproxy, and from nginx to haproxy and back, with nobody turned away."""

import contextlib
import http.client
import re
import shutil
import threading
from collections.abc import Iterator

import pytest

from tests.ports import free_port
from tests.system.conftest import Answer, Instance
from tests.system.load import Load

pytestmark = pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")
PAGE = "behind haproxy"


class Behind:
    """An app whose proxy is haproxy, at a port of its own."""

    def __init__(self, instance: Instance) -> None:
        self.instance, self.port = instance, free_port()
        self.app = instance.name("balanced")
        for words in (("http-port", str(self.port)), ("bind-address", "127.0.0.1")):
            self.must("haproxy:set", "--global", *words)
        self.must("haproxy:start")
        self.must("apps:create", self.app)
        self.must("proxy:set", self.app, "haproxy")
        self.repo = instance.new_repo(instance.sample(f"{PAGE} 0"))
        self.pushed = instance.push(self.repo, self.app)
        assert self.pushed.code == 0, self.pushed

    def must(self, *words: str) -> str:
        done = self.instance.dokku(*words)
        assert done.code == 0, done
        return done.out

    def get(self, host: str = "") -> Answer:
        return ask(self.port, host or self.instance.host(self.app))

    def report(self) -> str:
        return self.must("proxy:report", self.app, "--proxy-type").strip()


@pytest.fixture(scope="module")
def behind(instance: Instance) -> Iterator[Behind]:
    try:
        yield Behind(instance)
    finally:
        instance.dokku("--force", "apps:destroy", instance.name("balanced"))
        instance.dokku("haproxy:stop")


def ask(port: int, host: str) -> Answer:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(line):
        line.request("GET", "/", headers={"Host": host, "Connection": "close"})
        answer = line.getresponse()
        return Answer(answer.status, answer.read().decode())


def test_a_deployed_app_is_served_by_haproxy_and_not_by_nginx(behind: Behind) -> None:
    assert behind.get() == Answer(200, f"{PAGE} 0")
    assert behind.get("nobody.test").status == 404
    assert behind.instance.get(behind.app).status == 0
    assert not (behind.instance.root / behind.app / "nginx.conf").exists()
    assert f"http://{behind.instance.host(behind.app)}:{behind.port}" in behind.pushed.err
    assert f"backend {behind.app}-5000\n" in behind.must("haproxy:show-config", behind.app)
    assert re.search(r"server web-1 [0-9.]+:5000\n", behind.must("haproxy:show-config", behind.app))
    behind.must("haproxy:validate-config")


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_a_redeploy_and_a_restart_drop_no_request(behind: Behind) -> None:
    load = Load(behind.instance, behind.app, PAGE)
    load.argv[-1] = f"http://127.0.0.1:{behind.port}/"
    with load:
        behind.instance.commit(behind.repo, behind.instance.sample(f"{PAGE} 1"))
        pushed = behind.instance.push(behind.repo, behind.app)
        assert pushed.code == 0, pushed
        behind.must("ps:restart", behind.app)
    assert behind.get().body == f"{PAGE} 1"
    assert load.outcome.requests > 100
    assert (load.outcome.failed, load.outcome.wrong) == (0, 0)


def test_an_app_moves_to_nginx_and_back_and_no_visitor_finds_nobody(behind: Behind) -> None:
    with following(behind) as wrong:
        for kind, port in (("nginx", behind.instance.port), ("haproxy", behind.port)):
            behind.must("proxy:set", behind.app, kind)
            behind.must("proxy:build-config", behind.app)
            assert behind.report() == kind
            assert ask(port, behind.instance.host(behind.app)).status == 200
    assert wrong == []
    assert behind.instance.get(behind.app).status == 0
    assert behind.get().status == 200


def test_an_app_that_is_stopped_answers_502_and_comes_back(behind: Behind) -> None:
    behind.must("ps:stop", behind.app)
    assert behind.get().status == 502
    behind.must("ps:start", behind.app)
    assert behind.get().status == 200


def test_an_app_whose_proxy_is_disabled_is_nobody_until_it_is_enabled(behind: Behind) -> None:
    behind.must("proxy:disable", behind.app)
    assert behind.get().status == 404
    behind.must("proxy:enable", behind.app)
    assert behind.get().status == 200


def test_a_setting_that_is_none_is_refused_and_nothing_changes(behind: Behind) -> None:
    before = behind.must("haproxy:show-config")
    done = behind.instance.dokku(
        "haproxy:set", behind.app, "proxy-read-timeout", "60s\n  server x 1.2.3.4:80"
    )
    assert (done.code, done.err) == (
        1,
        " !     Invalid value for proxy-read-timeout: 60s\\x0a  server x 1.2.3.4:80\n",
    )
    behind.must("proxy:build-config", behind.app)
    assert behind.must("haproxy:show-config") == before


def test_with_haproxy_stopped_the_configuration_is_written_and_the_command_fails(behind: Behind) -> None:
    behind.must("haproxy:stop")
    behind.must("haproxy:set", behind.app, "proxy-read-timeout", "7s")
    done = behind.instance.dokku("proxy:build-config", behind.app)
    assert done.code == 1
    assert " !     haproxy is not running\n" in done.err
    assert "timeout server 7s" in behind.must("haproxy:show-config", behind.app)
    behind.must("haproxy:start")
    assert behind.get().status == 200


def test_an_app_is_cloned_renamed_and_destroyed(behind: Behind) -> None:
    gone = behind.instance.name("balanced-too")
    clone = behind.instance.dokku("apps:clone", behind.app, gone)
    assert clone.code == 0, clone
    assert ask(behind.port, behind.instance.host(gone)).status == 200
    renamed = behind.instance.name("balanced-otherwise")
    behind.instance.set_environment(DOKKU_WAIT_TO_RETIRE="0")
    behind.must("apps:rename", gone, renamed)
    behind.instance.set_environment()
    assert ask(behind.port, behind.instance.host(gone)).status == 404
    assert ask(behind.port, behind.instance.host(renamed)).status == 200
    gone = renamed
    behind.must("--force", "apps:destroy", gone)
    assert ask(behind.port, behind.instance.host(gone)).status == 404
    assert behind.get().status == 200


@contextlib.contextmanager
def following(behind: Behind) -> Iterator[list[Answer]]:
    """What a visitor sees besides the page who tries the other proxy when one does not know the app."""
    wrong: list[Answer] = []
    done = threading.Event()
    host = behind.instance.host(behind.app)

    def visit() -> None:
        port = behind.port
        while not done.is_set():
            answer = _answer(port, host)
            if answer.status != 200:
                port = behind.instance.port if port == behind.port else behind.port
                answer = _answer(port, host)
            if answer.status != 200 or PAGE not in answer.body:
                wrong.append(answer)

    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for one in visitors:
        one.start()
    try:
        yield wrong
    finally:
        done.set()
        for one in visitors:
            one.join(60)


def _answer(port: int, host: str) -> Answer:
    try:
        return ask(port, host)
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, str(error))
