"""Visitors of an app are never answered by another one, whatever containers come, go and claim."""

import contextlib
import http.client
import ipaddress
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.conftest import Answer, Instance, wait_for

CRASHES = 7  # docker waits longer after each: some seconds in the end
_ANNOUNCE = """
import fcntl, socket, struct, sys
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(("eth0", 0))
mac = out.getsockname()[4]
for ip in map(socket.inet_aton, sys.argv[1:]):
    for kind in (1, 2):
        packet = struct.pack("!HHBBH", 1, 0x800, 6, 4, kind) + mac + ip + b"\\xff" * 6 + ip
        out.send(b"\\xff" * 6 + mac + b"\\x08\\x06" + packet)
"""

_REFUSING_DOCKER = """#!/bin/sh
[ "$1 $2" != "network create" ] || { echo "could not find an available IPv4 address pool" >&2; exit 1; }
exec docker "$@"
"""


@pytest.fixture(scope="module")
def victim(instance: Instance) -> str:
    return _deployed(instance, "victim")


@pytest.fixture(scope="module")
def other(instance: Instance) -> str:
    """An app of somebody else's, which listens at the same port."""
    return _deployed(instance, "other")


def _deployed(instance: Instance, name: str) -> str:
    app = instance.name(name)
    pushed = instance.push(instance.new_repo(instance.sample(name)), app)
    assert pushed.code == 0, pushed
    return app


def _id(instance: Instance, app: str) -> str:
    return (instance.root / app / "CONTAINER.web.1").read_text().strip()


def _networks(instance: Instance, id_: str) -> dict[str, str]:
    """A container's addresses by network."""
    text = instance.docker("inspect", "--format={{json .NetworkSettings.Networks}}", id_)
    return {name: one["IPAddress"] for name, one in json.loads(text).items()}


def _own(instance: Instance, app: str) -> str:
    return _networks(instance, _id(instance, app))[f"dokku.app.{app}"]


def _pid(instance: Instance, id_: str) -> int:
    return int(instance.docker("inspect", "--format={{.State.Pid}}", id_))


@contextlib.contextmanager
def _asking(instance: Instance, app: str) -> Iterator[list[Answer]]:
    """What a stream of visitors of the app is answered inside the block."""
    found: list[Answer] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            with contextlib.suppress(TimeoutError, http.client.HTTPException):  # killed half-way
                found.append(instance.get(app, timeout=5))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _crash(instance: Instance, id_: str) -> None:
    pid = _pid(instance, id_)
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: _pid(instance, id_) not in (pid, 0), 90)


def test_a_crash_looping_app_is_not_answered_by_one_that_cycles_its_workers(
    instance: Instance, victim: str, other: str
) -> None:
    """RBT-5: addresses of docker's bridge go to whoever starts next; no `ps:retire` runs here."""
    id_ = _id(instance, victim)
    conf = instance.root / victim / "nginx.conf"
    before, address = conf.read_text(), _own(instance, victim)
    assert f"server {address}:5000;" in before
    over = threading.Event()

    def cycle() -> None:
        while not over.is_set():
            ids = [
                instance.docker(
                    *("run", "--detach", f"--label=com.dokku.app-name={other}", "--entrypoint=/app/serve"),
                    f"dokku/{other}:latest",
                ).strip()
                for _ in range(3)
            ]
            instance.docker("rm", "--force", *ids)

    worker = threading.Thread(target=cycle)
    with _asking(instance, victim) as answers:
        worker.start()
        try:
            for _ in range(CRASHES):
                _crash(instance, id_)
        finally:
            over.set()
            worker.join()
        wait_for(lambda: instance.get(victim, timeout=60) == (200, "victim"), 30)
    assert {answer.body for answer in answers if answer.status == 200} == {"victim"}
    assert (conf.read_text(), _own(instance, victim)) == (before, address)


def test_containers_that_swap_their_addresses_answer_each_as_itself(instance: Instance) -> None:
    """As after a reboot: everything down, everything up in another order, and nothing has been restored."""
    apps = [_deployed(instance, f"swap-{number}") for number in range(3)]
    ids = [_id(instance, app) for app in apps]
    own = [_own(instance, app) for app in apps]
    with _asking(instance, apps[0]) as first, _asking(instance, apps[1]) as second:
        instance.docker("stop", "--time=1", *ids)
        instance.docker("start", *reversed(ids))
        for app in apps:
            wait_for(lambda app=app: instance.get(app, timeout=60).status == 200, 30)  # type: ignore[misc]
    for app, number in zip(apps, range(3), strict=True):
        assert instance.get(app) == (200, f"swap-{number}")
    assert {answer.body for answer in first if answer.status == 200} == {"swap-0"}
    assert {answer.body for answer in second if answer.status == 200} == {"swap-1"}
    assert [_own(instance, app) for app in apps] == own


def test_a_container_that_claims_the_addresses_of_another_app_gets_no_visitor(
    instance: Instance, victim: str, other: str
) -> None:
    """docker lets containers send ARP; on the bridge that all share, whoever shouts last has the address."""
    bridge, own = _networks(instance, _id(instance, victim))["bridge"], _own(instance, victim)
    inside = ["nsenter", "--net", f"--target={_pid(instance, _id(instance, other))}"]
    for ip in (bridge, own):
        subprocess.run([*inside, "ip", "address", "add", f"{ip}/32", "dev", "eth0"], check=True)
    try:
        with _asking(instance, victim) as answers:
            for _ in range(20):
                subprocess.run([*inside, "python3", "-c", _ANNOUNCE, bridge, own], check=True)
                time.sleep(0.1)
    finally:
        for ip in (bridge, own):
            subprocess.run([*inside, "ip", "address", "del", f"{ip}/32", "dev", "eth0"], check=True)
    assert set(answers) == {Answer(200, "victim")}


def test_no_other_container_reaches_an_app_on_its_own_network(
    instance: Instance, victim: str, other: str
) -> None:
    address = _own(instance, victim)
    asked = ["timeout", "3", "wget", "-q", "-O-", f"http://{address}:5000/"]
    assert "victim" not in instance.docker("exec", _id(instance, other), *asked, check=False)
    network = instance.name("elsewhere")
    instance.docker("network", "create", network)
    try:
        stranger = instance.docker(
            "run", "--rm", f"--network={network}", "dokku-test/busybox", *asked, check=False
        )
        assert "victim" not in stranger
    finally:
        instance.docker("network", "rm", network)


def test_no_other_machine_reaches_an_app_past_the_proxy(instance: Instance, victim: str) -> None:
    """A machine on the same wire that routes the addresses of containers to this host."""
    name = f"{instance.prefix}o"
    addresses = _networks(instance, _id(instance, victim)).values()
    steps = f"""
    ip netns add {name}
    ip link add {name}0 type veth peer name {name}1 netns {name}
    ip address add 198.18.77.1/30 dev {name}0
    ip link set {name}0 up
    ip -n {name} address add 198.18.77.2/30 dev {name}1
    ip -n {name} link set {name}1 up
    """ + "".join(f"ip -n {name} route add {ip}/32 via 198.18.77.1\n" for ip in addresses)
    try:
        for line in filter(None, map(str.strip, steps.splitlines())):
            subprocess.run(line.split(), check=True)
        for ip in addresses:
            argv = ["ip", "netns", "exec", name, "curl", "--silent", "--max-time", "2", f"http://{ip}:5000/"]
            done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
            assert "victim" not in done.stdout
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False)
        subprocess.run(["ip", "link", "delete", f"{name}0"], check=False, stderr=subprocess.DEVNULL)


def test_a_container_of_an_older_release_moves_to_its_own_network_while_it_serves(
    instance: Instance, victim: str
) -> None:
    own = f"dokku.app.{victim}"
    instance.docker("network", "disconnect", own, _id(instance, victim))
    instance.docker("network", "rm", own)
    assert instance.dokku("proxy:build-config", victim).code == 0
    bridge = _networks(instance, _id(instance, victim))["bridge"]
    assert f"server {bridge}:5000;" in (instance.root / victim / "nginx.conf").read_text()

    with _asking(instance, victim) as answers:
        retired = instance.dokku("ps:retire", victim)
    assert retired.code == 0, retired

    assert set(answers) == {Answer(200, "victim")}
    address = _own(instance, victim)
    assert f"server {address}:5000;" in (instance.root / victim / "nginx.conf").read_text()
    assert (instance.root / victim / "IP.web.1").read_text() == address
    assert instance.get(victim) == (200, "victim")


def test_visitors_of_a_container_that_has_just_gone_are_answered_within_seconds(
    instance: Instance, victim: str
) -> None:
    """The kernel would go on trying for a minute: it keeps the address of the container's network card."""
    assert instance.get(victim) == (200, "victim")
    instance.docker("kill", _id(instance, victim))
    before = time.monotonic()
    assert instance.get(victim, timeout=60).status in (502, 504)
    assert time.monotonic() - before < 12
    assert instance.dokku("ps:retire").code == 0
    wait_for(lambda: instance.get(victim, timeout=60) == (200, "victim"), 30)


def test_an_app_whose_network_was_removed_while_it_was_stopped_starts_again(
    instance: Instance, victim: str
) -> None:
    """`docker network prune` takes networks that no running container is on."""
    assert instance.dokku("ps:stop", victim).code == 0
    assert instance.get(victim, timeout=60).status == 502
    instance.docker("network", "rm", f"dokku.app.{victim}", check=False)
    started = instance.dokku("ps:start", victim)
    assert started.code == 0, started
    wait_for(lambda: instance.get(victim, timeout=60) == (200, "victim"), 30)


def test_an_app_that_gets_no_network_is_deployed_and_served_all_the_same(instance: Instance) -> None:
    app = instance.name("poolless")
    refusing = instance.place / "docker-without-addresses"
    refusing.write_text(_REFUSING_DOCKER)
    refusing.chmod(0o755)
    instance.set_environment(DOCKER_BIN=str(refusing))
    try:
        pushed = instance.push(instance.new_repo(instance.sample("poolless")), app)
    finally:
        instance.set_environment()
    assert pushed.code == 0, pushed
    assert (pushed.out + pushed.err).count("has no address of its own") == 1
    assert instance.get(app) == (200, "poolless")


def test_apps_have_networks_apart_and_take_them_along_when_they_go(instance: Instance) -> None:
    apps = [instance.name(f"apart-{number}") for number in range(3)]
    repo = instance.new_repo(instance.sample("apart"))
    pushes = [instance.push_in_background(repo, app) for app in apps]
    said = [push.communicate(timeout=300)[0] for push in pushes]
    assert [push.returncode for push in pushes] == [0, 0, 0], said
    names = [f"dokku.app.{app}" for app in apps]
    shape = "--format={{range .IPAM.Config}}{{.Subnet}}{{end}}"
    subnets = [
        ipaddress.ip_network(instance.docker("network", "inspect", shape, name).strip()) for name in names
    ]
    assert not any(one.overlaps(two) for one in subnets for two in subnets if one is not two)
    assert not set(names) & set(instance.dokku("network:list").out.split())
    for app in apps:
        assert instance.dokku("apps:destroy", "--force", app).code == 0
    assert not set(names) & set(instance.docker("network", "ls", "--format={{.Name}}").split())


def test_a_container_has_its_address_again_when_docker_was_restarted() -> None:
    """A docker of the test's own, with a network of its own."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("dockerd", "docker", "unshare", "nsenter"))):
        pytest.skip("needs root, dockerd, unshare and nsenter")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place, _daemon(Path(place)) as (docker, restart):
        image = subprocess.run(["docker", "save", "dokku-test/busybox"], check=True, stdout=subprocess.PIPE)
        docker("load", stdin=image.stdout)
        for number in (1, 2):
            docker("network", "create", "--internal", f"--subnet=10.9.{number}.0/25", f"own-{number}")
            docker(*("create", "--restart=always", f"--name=c{number}", "dokku-test/busybox", "sleep", "900"))
            docker("network", "connect", f"--ip=10.9.{number}.7", f"own-{number}", f"c{number}")
        docker("start", "c1", "c2")
        docker("stop", "--time=0", "c1", "c2")
        docker("start", "c2", "c1")
        restart()
        shape = "--format={{.State.Running}}{{range .NetworkSettings.Networks}} {{.IPAddress}}{{end}}"
        wait_for(lambda: docker("inspect", shape, "c1", "c2").count("true") == 2, 30)
        first, second = (docker("inspect", shape, name) for name in ("c1", "c2"))
        assert "10.9.1.7" in first
        assert "10.9.2.7" in second


@contextlib.contextmanager
def _daemon(place: Path) -> Iterator[tuple[Callable[..., str], Callable[[], None]]]:
    """A docker with a network of its own: how to call it, and how to restart it."""
    socket = f"unix://{place}/socket"
    running: list[subprocess.Popen[bytes]] = []
    holder = subprocess.Popen(["unshare", "--net", "--mount", "sleep", "900"])

    def docker(*words: str, stdin: bytes | None = None) -> str:
        done = subprocess.run(
            ["docker", f"--host={socket}", *words], check=True, input=stdin, stdout=subprocess.PIPE
        )
        return done.stdout.decode()

    def start() -> None:
        inside = ["nsenter", "--net", "--mount", f"--target={holder.pid}"]
        flags = [f"--{name}={place}/{name}" for name in ("data-root", "exec-root", "pidfile")]
        (place / "pidfile").unlink(missing_ok=True)
        with open(place / "log", "ab") as output:
            argv = [*inside, "dockerd", *flags, f"--host={socket}"]
            running[:] = [subprocess.Popen(argv, stdout=output, stderr=output)]
        known = ["docker", f"--host={socket}", "version"]
        wait_for(lambda: subprocess.run(known, capture_output=True, check=False).returncode == 0, 60)

    def restart() -> None:
        running[0].terminate()
        running[0].wait(timeout=60)
        start()

    wait_for(
        lambda: Path(f"/proc/{holder.pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink(), 10
    )
    subprocess.run(
        ["nsenter", "--net", f"--target={holder.pid}", "ip", "link", "set", "lo", "up"], check=True
    )
    try:
        start()
        yield docker, restart
    finally:
        with contextlib.suppress(subprocess.SubprocessError):
            ids = docker("ps", "--all", "--quiet").split()
            if ids:
                docker("rm", "--force", *ids)
        for process in (*running, holder):
            process.terminate()
            process.wait(timeout=60)
