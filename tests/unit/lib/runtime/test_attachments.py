"""Which containers are attached to which networks, under which names, and what is noted of it."""

import json
import os

import pytest

from lib.app import network_settings
from lib.base import files, locks, log, properties, settings, triggers
from lib.base.errors import DokkuError
from lib.runtime import addresses, attachments, containers
from lib.runtime.containers import Container

APP = "blog"
A, B = ("a" * 64, "b" * 64)
WEB = Container(APP, "web", 1, A, "172.17.0.2", "5000")
WORKER = Container(APP, "worker", 1, B, "172.17.0.3", "5000")


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


@pytest.fixture
def proxied(monkeypatch):
    """The apps whose proxy was built."""
    real, found = triggers.fire, []

    def fire(name, *args):
        if name == "proxy-build-config":
            found.append(args[0])
        else:
            real(name, *args)

    monkeypatch.setattr("lib.base.triggers.fire", fire)
    return found


def put(key, value):
    properties.write(network_settings.STORE, APP, key, value)


def known(id_, networks, running=True, own=True):
    """own: whether it is on its app's own network, too."""
    alone = {addresses.own_network(APP): ""} if own else {}
    return {
        "Id": id_,
        "Name": "/x",
        "Image": "sha256:1",
        "RestartCount": 0,
        "State": {"Status": "running" if running else "exited", "Running": running, "StartedAt": ""},
        "Config": {"Labels": {"com.dokku.app-name": APP}, "Hostname": id_[:12]},
        "HostConfig": {"NetworkMode": "default"},
        "NetworkSettings": {
            "IPAddress": networks.get("bridge", ""),
            "Networks": {name: {"IPAddress": ip} for name, ip in {**networks, **alone}.items()},
        },
    }


def inspected(shell, *answers):
    shell.answers("docker container inspect …", out="".join(f"{json.dumps(answer)}\n" for answer in answers))


def there(shell, *names):
    row = {"ID": "1", "Driver": "bridge", "Scope": "local", "CreatedAt": "now", "Labels": ""}
    lines = [json.dumps(row | {"Name": name}) for name in ("bridge", "host", "none", *names)]
    shell.answers("docker network ls …", out="\n".join(lines) + "\n")


def serve(*found):
    containers.adopt(APP, found, [])
    containers.settle(APP)
    properties.write("common", APP, "deployed", "true")


def connected(shell):
    return [line.removeprefix("docker network connect ") for line in shell.ran if "network connect" in line]


def test_a_new_container_is_attached_under_its_names_before_it_starts(shell):
    put("attach-post-create", "front,back")
    there(shell, "front", "back")
    inspected(shell, known(A, {"bridge": ""}))
    triggers.fire("post-container-create", "app", A, APP, "deploy", "web")
    names = f"--alias=blog.web --alias={A[:12]}.blog.web"
    assert connected(shell) == [f"{names} -- front {A}", f"{names} -- back {A}"]


def test_the_tld_ends_every_name(shell):
    put("attach-post-create", "front")
    put("tld", "svc.local")
    there(shell, "front")
    inspected(shell, known(A, {}))
    attachments.attach_created("app", A, APP, "deploy", "web")
    assert connected(shell) == [
        f"--alias=blog.web.svc.local --alias={A[:12]}.blog.web.svc.local -- front {A}"
    ]


@pytest.mark.parametrize("phase", ["run", "build", "predeploy", "release"])
def test_what_does_not_serve_is_attached_without_names(shell, phase):
    put("attach-post-create", "front")
    there(shell, "front")
    inspected(shell, known(A, {}))
    attachments.attach_created("app", A, APP, phase)
    assert connected(shell) == [f"-- front {A}"]


def test_a_container_that_is_on_the_network_is_left_there(shell):
    put("attach-post-create", "front")
    there(shell, "front")
    inspected(shell, known(A, {"front": ""}))
    attachments.attach_created("app", A, APP, "deploy", "web")
    assert connected(shell) == []


def test_nothing_is_asked_for_an_app_without_networks_or_a_plugins_service(shell):
    attachments.attach_created("app", A, APP, "deploy", "web")
    put("attach-post-create", "front")
    attachments.attach_created("service", A, APP, "deploy", "web")
    attachments.attach_deployed(APP)
    assert shell.ran == []


def test_a_network_that_is_not_there_is_named_and_nothing_attached(shell):
    put("attach-post-create", "front,--all")
    there(shell, "front")
    inspected(shell, known(A, {}))
    with pytest.raises(DokkuError, match="Network --all does not exist"):
        attachments.attach_created("app", A, APP, "deploy", "web")
    assert connected(shell) == []


def test_dockers_reason_is_told_in_one_line(shell):
    put("attach-post-create", "front")
    there(shell, "front")
    inspected(shell, known(A, {}))
    shell.answers("docker network connect …", err="Error response from daemon: no\nluck\n", status=1)
    with pytest.raises(DokkuError) as error:
        attachments.attach_created("app", A, APP, "deploy", "web")
    assert error.value.text == "Unable to attach container to network: no luck"


def test_what_serves_is_attached_after_a_deploy(shell, said):
    put("attach-post-deploy", "front")
    serve(WEB, WORKER)
    there(shell, "front")
    after = {"bridge": "172.17.0.2", "front": "10.0.0.2"}
    inspected(shell, known(A, {"bridge": "172.17.0.2"}), known(B, {"front": "10.0.0.3"}))
    inspected(shell, known(A, after), known(B, {"front": "10.0.0.3"}))
    attachments.attach_deployed(APP)
    assert connected(shell) == [f"--alias=blog.web --alias={A[:12]}.blog.web -- front {A}"]
    assert said == [(1, b"-----> Associating app with network front\n")]


def test_a_rebuild_puts_back_what_was_disconnected_and_notes_where_it_is(shell, proxied):
    put("attach-post-create", "front")
    serve(WEB)
    there(shell, "front")
    shell.answers("docker container inspect …", out=f"{json.dumps(known(A, {}))}\n")
    inspected(shell, known(A, {"front": "10.0.0.2"}))
    attachments.rebuilt(APP)
    assert connected(shell) == [f"--alias=blog.web --alias={A[:12]}.blog.web -- front {A}"]
    assert files.read(f"{settings.app_dir(APP)}/IP.web.1") == "10.0.0.2"
    assert proxied == [APP]


def test_a_container_of_an_older_release_is_put_on_the_network_of_its_app_alone(shell, proxied, monkeypatch):
    joined = []
    monkeypatch.setattr("lib.runtime.own_networks.attach", lambda app, ids: joined.append((app, ids)))
    serve(WEB)
    shell.answers("docker container inspect …", out=f"{json.dumps(known(A, {'bridge': ''}, own=False))}\n")
    inspected(shell, known(A, {addresses.own_network(APP): "172.16.0.2", "bridge": "172.17.0.2"}, own=False))
    attachments.rebuilt(APP)
    assert joined == [(APP, [A])]
    assert files.read(f"{settings.app_dir(APP)}/IP.web.1") == "172.16.0.2"
    assert proxied == [APP]


def test_a_rebuild_of_what_is_in_order_changes_nothing(shell, proxied):
    put("attach-post-create", "front")
    serve(WEB)
    inspected(shell, known(A, {"bridge": "172.17.0.2", "front": "10.0.0.2"}))
    attachments.rebuilt(APP)
    assert len(shell.ran) == 1
    assert proxied == []


def test_a_container_that_does_not_run_keeps_its_file(shell, proxied):
    serve(WEB)
    inspected(shell, known(A, {"bridge": ""}, running=False))
    attachments.rebuilt(APP)
    assert files.read(f"{settings.app_dir(APP)}/IP.web.1") == "172.17.0.2"
    assert proxied == []


@pytest.mark.parametrize("reason", ["never deployed", "static", "scheduler"])
def test_there_is_nothing_to_rebuild_where_nothing_of_ours_listens(shell, proxied, reason):
    if reason != "never deployed":
        serve(WEB)
    if reason == "static":
        put("static-web-listener", "10.0.0.7:80")
    if reason == "scheduler":
        files.replace(f"{settings.app_dir(APP)}/ENV", "DOKKU_SCHEDULER=k8s\n")
    attachments.rebuilt(APP)
    assert shell.ran == []
    assert proxied == []


def test_a_network_that_is_gone_fails_the_rebuild(shell, proxied):
    put("attach-post-create", "gone")
    serve(WEB)
    there(shell)
    inspected(shell, known(A, {"bridge": "172.17.0.2"}))
    with pytest.raises(DokkuError, match=r"^Network gone does not exist$"):
        attachments.rebuilt(APP)
    assert proxied == []


def test_an_app_that_another_process_deploys_is_left_to_it(shell, monkeypatch):
    serve(WEB)
    monkeypatch.setattr("lib.base.locks._taken", lambda _: False)
    files.replace(locks.path(APP), "{}")
    triggers.fire("network-build-config", APP)
    assert shell.ran == []
