"""Where apps are reached: under names, at ports, or not at all; and nobody else's app is there."""

import http.client
import socket
from collections.abc import Iterator

import pytest

from tests.ports import free_port
from tests.system.conftest import Answer, Instance

SERVE = """#!/bin/sh
# {mark}
trap 'kill $servers; exit 0' TERM INT
for port in {ports}; do
  mkdir -p "/tmp/$port"
  echo "{mark} at $port" >"/tmp/$port/index.html"
  httpd -f -p "$port" -h "/tmp/$port" &
  servers="$servers $!"
done
wait
"""


def ask(port: int, host: str) -> Answer:
    """What nginx says at any port under any name; status 0 for a connection closed without a word."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/", headers={"Host": host, "Connection": "close"})
        answer = connection.getresponse()
        return Answer(answer.status, answer.read().decode().strip())
    except (http.client.RemoteDisconnected, ConnectionResetError):
        return Answer(0, "")
    finally:
        connection.close()


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def ports() -> list[int]:
    """Host ports that are free, and that the app's containers listen at too."""
    return [free_port() for _ in range(3)]


@pytest.fixture(scope="module")
def app(instance: Instance, ports: list[int]) -> Iterator[str]:
    """An app that listens at three ports, all of them exposed, and exposes a fourth one for UDP."""
    name = instance.name("exposed")
    first, second, third = ports
    serve = SERVE.format(mark=name, ports=" ".join(map(str, ports)))
    files = instance.sample(serve=serve, CHECKS=f"WAIT=0\nTIMEOUT=5\nATTEMPTS=300\n/ {name} at {first}\n")
    files["Dockerfile"] += f"EXPOSE {first} {second}/tcp\nEXPOSE {third}\nEXPOSE {first + 1}/udp\n"
    pushed = instance.push(instance.new_repo(files), name)
    assert pushed.code == 0, pushed
    yield name
    assert instance.dokku("apps:destroy", "--force", name).code == 0


def table(instance: Instance, app: str) -> list[str]:
    return instance.dokku("--quiet", "ports:list", app).out.split()


def test_three_exposed_ports_are_reached_each(instance: Instance, app: str, ports: list[int]) -> None:
    assert table(instance, app) == [word for port in sorted(ports) for word in ("http", str(port), str(port))]
    for port in ports:
        assert ask(port, instance.host(app)) == (200, f"{app} at {port}")
    assert instance.dokku("urls", app).out.split() == [
        f"http://{instance.host(app)}:{port}" for port in sorted(ports)
    ]


def test_an_unknown_name_is_nobodys_app_at_any_port(instance: Instance, app: str, ports: list[int]) -> None:
    """NGX-8"""
    for port in (instance.port, *ports):
        for host in (
            "nobody.test",
            f"x.{instance.host(app)}",
            "127.0.0.1",
            f"{instance.host(app)}.evil.test",
        ):
            assert ask(port, host) == (0, ""), (port, host)


def test_a_map_leads_two_host_ports_to_two_container_ports(
    instance: Instance, app: str, ports: list[int]
) -> None:
    first, second, third = ports
    other = free_port()
    done = instance.dokku("ports:set", app, f"http:{instance.port}:{second}", f"http:{other}:{third}")
    assert done.code == 0, done
    assert instance.get(app) == (200, f"{app} at {second}\n")
    assert ask(other, instance.host(app)) == (200, f"{app} at {third}")
    assert ask(other, "nobody.test") == (0, "")
    assert not is_open(first)
    assert instance.dokku("ports:add", app, f"http:{first}:{first}").code == 0
    assert ask(first, instance.host(app)) == (200, f"{app} at {first}")
    assert instance.dokku("ports:remove", app, str(other)).code == 0
    assert not is_open(other)
    assert instance.dokku("ports:clear", app).code == 0
    assert ask(third, instance.host(app)) == (200, f"{app} at {third}")
    assert instance.get(app).status == 0


def test_an_app_without_domains_is_reached_by_its_port(
    instance: Instance, app: str, ports: list[int]
) -> None:
    assert instance.dokku("ports:set", app, f"http:{instance.port}:{ports[0]}").code == 0
    assert instance.dokku("config:unset", "--no-restart", app, "DOKKU_DOCKERFILE_PORTS").code == 0
    disabled = instance.dokku("domains:disable", app)
    assert disabled.code == 0, disabled
    assert "-----> no proxy port set. setting to random open high port" in disabled.out
    own = int(instance.dokku("config:get", app, "DOKKU_PROXY_PORT").out)
    for host in ("127.0.0.1", "whatever.test", instance.host(app)):
        assert ask(own, host) == (200, f"{app} at {ports[0]}")
    assert instance.get(app).status == 0
    enabled = instance.dokku("domains:enable", app)
    assert enabled.code == 0, enabled
    assert instance.get(app) == (200, f"{app} at {ports[0]}\n")
    assert not is_open(own)


def test_names_come_and_go_with_the_command(instance: Instance, app: str, ports: list[int]) -> None:
    assert instance.dokku("ports:set", app, f"http:{instance.port}:{ports[0]}").code == 0
    done = instance.dokku("domains:add", app, "Bücher.test", f"*.{app}.test")
    assert done.code == 0, done
    for host in ("xn--bcher-kva.test", f"a.{app}.test", instance.host(app)):
        assert instance.get(app, host=host).status == 200, host
    assert instance.get(app, host=f"{app}.test").status == 0
    assert instance.dokku("domains:remove", app, "bücher.test", f"*.{app}.test").code == 0
    for host in ("xn--bcher-kva.test", f"a.{app}.test"):
        assert instance.get(app, host=host).status == 0, host
    assert instance.get(app).status == 200


BAD_NAMES = [
    "{evil}",
    "$host",
    "~.*",
    "a b",
    "*",
    "*.*.x",
    "-a.com",
    '"x"',
    "a..b",
    "}} {evil} server {{",
    "a" * 300,
]
CASES = {
    "domains": {"VHOST": "\n".join(["{host}", *BAD_NAMES, ""])},
    "map": {"ENV": "DOKKU_PROXY_PORT_MAP='http:80;{evil}:1 http:80:5000:1 http:{port}:{first}'\n"},
    "ports": {"ENV": "DOKKU_PROXY_PORT='80; {evil}'\nDOKKU_DOCKERFILE_PORTS='30;{evil} -1 x/tcp {first}'\n"},
    "switch": {"ENV": "NO_VHOST='0; {evil}'\nDOKKU_PROXY_SSL_PORT='{evil}'\n"},
    "map of a later release": {"ENV": "A=1\n", "@map": "http:80;{evil}:1\nhttp:{port}:{first}\n"},
    "map of a builder": {"ENV": "A=1\n", "@map-announced": "http:80;{evil}:1\nhttp:80:{first}\n"},
    "port of a container": {"ENV": "A=1\n", "PORT.web.1": "{first}; {evil}"},
    "name of the host": {
        "ENV": "NO_VHOST=1\nDOKKU_PROXY_PORT_MAP='http:{port}:{first}'\n",
        "../HOSTNAME": "x; {evil}\n",
    },
}


@pytest.mark.parametrize("case", CASES)
def test_what_somebody_wrote_into_a_file_gets_into_no_configuration(
    instance: Instance, app: str, ports: list[int], case: str
) -> None:
    """NAME-7, NGX-1"""
    words = {"host": instance.host(app), "port": instance.port, "first": ports[0], "evil": "return 200 evil;"}
    before = {}
    for name, text in CASES[case].items():
        path = instance.root / app / name
        if name.startswith("@"):
            path = instance.lib / "config/ports" / app / name[1:]
            path.parent.mkdir(exist_ok=True)
        before[path] = path.read_text() if path.exists() else None
        path.write_text(text.format(**words))
    try:
        done = instance.dokku("proxy:build-config", app)
        assert done.code == 0, done
        written = (instance.root / app / "nginx.conf").read_text()
        assert "server {" in written
        assert "evil" not in written
        assert instance.dokku("nginx:validate-config").code == 0
        assert instance.get(app, host="nobody.test").status == 0
    finally:
        for path, was in before.items():
            path.unlink() if was is None else path.write_text(was)
    assert instance.dokku("proxy:build-config", app).code == 0
    assert instance.get(app).status == 200


def test_an_app_of_workers_only_gets_no_vhost_and_no_name_of_another(instance: Instance, app: str) -> None:
    name = instance.name("workers")
    files = instance.sample(Procfile="worker: sleep 1000\n")
    del files["CHECKS"]
    try:
        assert instance.dokku("apps:create", name).code == 0
        assert instance.dokku("ps:scale", name, "web=0", "worker=1").code == 0
        pushed = instance.push(instance.new_repo(files), name)
        assert pushed.code == 0, pushed
        assert f"No web listeners specified for {name}" in pushed.err
        assert not (instance.root / name / "nginx.conf").exists()
        assert instance.get(name).status == 0
        assert instance.dokku("proxy:build-config", name).code == 0
        added = instance.dokku("domains:add", name, instance.host(app))
        assert added.code == 0, added
        assert f"{instance.host(app)} is already a domain of {app}, which keeps it" in added.err
        assert instance.get(app).status == 200
        assert instance.dokku("ps:stop", name).code == 0
        assert not (instance.root / name / "nginx.conf").exists()
    finally:
        instance.dokku("apps:destroy", "--force", name)
