"""network:* on real docker: who reaches whom on which network, and that visitors get through."""

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.ports import free_port
from tests.system.conftest import BASE_IMAGE, Instance, wait_for


@pytest.fixture(scope="module")
def shared(instance: Instance) -> Iterator[str]:
    """A network that nobody is on by itself."""
    name = instance.name("shared")
    assert instance.dokku("network:create", name).out == f"-----> Creating network {name}\n"
    yield name
    instance.docker("network", "rm", name, check=False)


@pytest.fixture(scope="module")
def front(instance: Instance, shared: str) -> str:
    """An app that is on the network from its first moment on."""
    app = instance.name("net-front")
    _do(instance, "apps:create", app)
    _do(instance, "network:set", app, "attach-post-create", shared)
    pushed = instance.push(instance.new_repo(instance.sample("front")), app)
    assert pushed.code == 0, pushed
    return app


@pytest.fixture(scope="module")
def back(instance: Instance, shared: str, front: str) -> str:
    """An app that joins the network when it is up, under a longer name."""
    app = instance.name("net-back")
    _do(instance, "apps:create", app)
    _do(instance, "network:set", app, "attach-post-deploy", shared)
    _do(instance, "network:set", app, "tld", "svc.local")
    pushed = instance.push(instance.new_repo(instance.sample("back")), app)
    assert pushed.code == 0, pushed
    assert f"-----> Associating app with network {shared}" in pushed.err
    return app


def _do(instance: Instance, *words: str) -> None:
    done = instance.dokku(*words)
    assert done.code == 0, done


def _id(instance: Instance, app: str) -> str:
    return (instance.root / app / "CONTAINER.web.1").read_text().strip()


def _known(instance: Instance, app: str) -> dict[str, Any]:
    """What docker knows of the container that serves as the app's web.1."""
    found: dict[str, Any] = json.loads(instance.docker("container", "inspect", _id(instance, app)))[0]
    return found


def _ips(instance: Instance, app: str) -> dict[str, str]:
    networks = _known(instance, app)["NetworkSettings"]["Networks"]
    return {name: one["IPAddress"] for name, one in networks.items()}


def _asked_by(instance: Instance, app: str, url: str) -> str:
    """What an app's web container gets from a url; nothing when it can't get there."""
    script = ["timeout", "5", "wget", "-q", "-O-", url]
    return instance.docker("exec", _id(instance, app), *script, check=False).strip()


def test_apps_on_a_network_find_each_other_by_name(
    instance: Instance, shared: str, front: str, back: str
) -> None:
    assert _asked_by(instance, front, f"http://{back}.web.svc.local:5000/") == "back"
    assert _asked_by(instance, back, f"http://{front}.web:5000/") == "front"
    box = _known(instance, front)["Config"]["Hostname"]
    assert _asked_by(instance, back, f"http://{box}.{front}.web:5000/") == "front"
    ran = instance.dokku("run", front, "wget", "-q", "-O-", f"http://{back}.web.svc.local:5000/")
    assert ran.out.strip() == "back", ran


def test_nobody_else_does(instance: Instance, shared: str, front: str, back: str) -> None:
    ip = _ips(instance, back)[shared]
    for place in (f"{back}.web.svc.local", ip):
        argv = ["run", "--rm", "--init", f"--label=com.dokku.app-name={front}", BASE_IMAGE]
        assert not instance.docker(
            *argv, "timeout", "2", "wget", "-q", "-O-", f"http://{place}:5000/", check=False
        )
    assert _asked_by(instance, front, f"http://{ip}:5000/") == "back"


def test_visitors_come_by_the_network_of_each_app_alone(
    instance: Instance, shared: str, front: str, back: str
) -> None:
    for app, page in ((front, "front"), (back, "back")):
        assert instance.get(app) == (200, page)
        assert _ips(instance, app).keys() == {"bridge", shared, f"dokku.app.{app}"}
        listener = f"{_ips(instance, app)[f'dokku.app.{app}']}:5000"
        assert instance.dokku("network:report", app, "--network-web-listeners").out == f"{listener}\n"


def test_a_network_that_somebody_is_on_stays(instance: Instance, shared: str, front: str) -> None:
    done = instance.dokku("--force", "network:destroy", shared)
    assert done.code == 1
    assert len(done.err.splitlines()) == 1
    assert "active endpoints" in done.err
    assert instance.dokku("network:exists", shared).code == 0


@pytest.mark.parametrize("key", ["attach-post-create", "attach-post-deploy"])
def test_the_old_version_serves_when_a_network_is_missing(instance: Instance, front: str, key: str) -> None:
    before, gone = _id(instance, front), instance.name("gone")
    wanted = instance.dokku("network:report", front, f"--network-{key}").out.split()
    _do(instance, "network:set", front, key, gone)
    try:
        done = instance.dokku("ps:restart", front)
    finally:
        _do(instance, "network:set", front, key, *wanted)
    assert done.code == 1
    assert f" !     Network {gone} does not exist" in done.err
    assert _id(instance, front) == before
    assert instance.get(front) == (200, "front")
    assert instance.containers(front, "status=created") == []


def test_an_app_on_another_network_is_served_and_follows_when_it_is_cut_off(
    instance: Instance, shared: str, back: str
) -> None:
    own, alone = instance.name("own"), f"dokku.app.{back}"
    _do(instance, "network:create", own)
    _do(instance, "network:set", back, "initial-network", own)
    _do(instance, "network:set", back, "bind-all-interfaces", "true")

    _do(instance, "ps:restart", back)

    ips = _ips(instance, back)
    assert ips.keys() == {own, shared, alone}
    assert instance.get(back) == (200, "back")
    assert f"server {ips[alone]}:5000;" in (instance.root / back / "nginx.conf").read_text()
    assert _known(instance, back)["NetworkSettings"]["Ports"]["5000/tcp"][0]["HostPort"].isdigit()

    for network in (own, shared, alone):
        instance.docker("network", "disconnect", network, _id(instance, back))
    assert instance.get(back, timeout=90).status in (502, 504)
    rebuilt = instance.dokku("network:rebuild", back)
    assert rebuilt.code == 0, rebuilt
    assert rebuilt.out.startswith(f"-----> Ensuring network configuration is in sync for {back}\n")
    assert instance.get(back) == (200, "back")
    assert (instance.root / back / "IP.web.1").read_text() == _ips(instance, back)[alone]
    instance.docker("network", "rm", own)


def test_an_app_on_the_hosts_network_listens_at_home(instance: Instance) -> None:
    app, port = instance.name("net-host"), str(free_port())
    files = instance.sample("at home")
    _do(instance, "apps:create", app)
    _do(instance, "docker-options:add", app, "deploy", "--network=host")
    _do(instance, "ports:set", app, f"http:{instance.port}:{port}")
    pushed = instance.push(
        instance.new_repo(files | {"Dockerfile": f"{files['Dockerfile']}EXPOSE {port}\n"}), app
    )
    assert pushed.code == 0, pushed
    assert instance.get(app) == (200, "at home")
    assert instance.dokku("network:report", app, "--network-web-listeners").out == f"127.0.0.1:{port}\n"
    _do(instance, "apps:destroy", "--force", app)


def test_an_app_may_be_a_program_of_the_host(instance: Instance) -> None:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"from the host")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    app = instance.name("net-panel")
    try:
        _do(instance, "apps:create", app)
        _do(instance, "network:set", app, "static-web-listener", f"127.0.0.1:{server.server_port}")
        _do(instance, "proxy:build-config", app)
        assert instance.get(app) == (200, "from the host")
        _do(instance, "ps:retire")
        assert instance.get(app) == (200, "from the host"), "what looks after vhosts leaves it alone"
        _do(instance, "network:set", app, "static-web-listener")
        _do(instance, "proxy:build-config", app)
        wait_for(lambda: instance.get(app).status in (0, 404), 10)
    finally:
        server.shutdown()
        server.server_close()
