"""Which vhosts go at boot, what is started, and what happens to apps that can't come back."""

import json
import os

import pytest

from lib import restore
from lib.app import config
from lib.base import files, locks, log, properties, settings
from lib.base.errors import DokkuError, TriggerFailed
from lib.proxy import conf_notes, haproxy_fronts, traffic
from lib.proxy.conf_notes import Note
from lib.runtime import addresses

IMAGE = json.dumps({"Id": "sha256:1", "Config": {}})
BLOG, SHOP = "1" * 64, "2" * 64


@pytest.fixture(autouse=True)
def said(tmp_path):
    """What the code under test writes: pairs of stream and bytes. Files are real, as locks have to be."""
    with log.collected() as lines:
        yield lines


@pytest.fixture(autouse=True)
def handlers(monkeypatch):
    """What builds a vhost, none of ours: whether and when it is built is the question here."""
    found = {}
    monkeypatch.setattr("triggers.proxy_build_config.HANDLERS", found)
    return found


@pytest.fixture
def fired(shell):
    """The triggers that a plugin sees, with their arguments; call it."""
    directory = os.path.join(settings.plugins_enabled(), "00_watch")
    for name in (
        "pre-restore",
        "proxy-clear-config",
        "pre-start",
        "proxy-build-config",
        "release-and-deploy",
    ):
        files.replace(os.path.join(directory, name), "#!/bin/sh\n", mode=0o755)
    prefix = f"{directory}/"
    return lambda: [line.removeprefix(prefix) for line in shell.ran if line.startswith(prefix)]


def text_of(said, stream):
    return b"".join(data for number, data in said if number == stream).decode()


def deploy(app, id_, address="172.17.0.2", **variables):
    """An app with one web container, and a vhost that leads to an address."""
    os.makedirs(settings.app_dir(app))
    properties.write("common", app, "deployed", "true")
    config.set_values(app, variables)
    for kind, content in (("CONTAINER", id_), ("IP", address), ("PORT", "5000")):
        files.replace(os.path.join(settings.app_dir(app), f"{kind}.web.1"), content)
    files.replace(vhost(app), f"upstream {app}-5000 {{\n  server {address}:5000;\n}}\n")


def leading_to(addresses):
    """A file that names no address itself."""
    return conf_notes.signed("server { return 200; }", Note(addresses, [], []))


def vhost(app):
    return os.path.join(settings.app_dir(app), "nginx.conf")


def networks(app, ip, running, kept):
    """Where a container is. kept: on the app's own network, where it keeps its address."""
    there = {"IPAddress": ip if running else "", "IPAMConfig": {"IPv4Address": ip} if kept else None}
    return {"Networks": {addresses.own_network(app): there}}


def known(id_, app, ip="172.17.0.2", running=True, policy="", code=0, attempts=0, kept=False):
    """policy: `on-failure:10`, as docker was told. kept: it keeps its address while it is down."""
    name, _, most = policy.partition(":")
    return json.dumps(
        {
            "Id": id_,
            "Name": f"/{app}.web.1",
            "Image": "sha256:1",
            "RestartCount": attempts,
            "State": {
                "Status": "running" if running else "exited",
                "Running": running,
                "StartedAt": "",
                "ExitCode": code,
            },
            "Config": {"Labels": {"com.dokku.app-name": app}},
            "HostConfig": {"RestartPolicy": {"Name": name, "MaximumRetryCount": int(most or 0)}},
            "NetworkSettings": networks(app, ip, running, kept),
        }
    )


def test_a_vhost_that_leads_to_its_own_containers_is_current(shell):
    deploy("blog", BLOG)
    shell.answers("docker container inspect …", known(BLOG, "blog"))
    assert restore.stale_vhosts(["blog"]) == []


def test_vhosts_are_stale_when_two_apps_have_each_others_addresses(shell):
    deploy("blog", BLOG, "172.17.0.2")
    deploy("shop", SHOP, "172.17.0.3")
    swapped = [known(BLOG, "blog", "172.17.0.3"), known(SHOP, "shop", "172.17.0.2")]
    shell.answers("docker container inspect …", "\n".join(swapped))
    assert restore.stale_vhosts(["blog", "shop"]) == ["blog", "shop"]
    assert len(shell.ran) == 1


def test_the_vhost_of_a_container_that_is_down_is_stale(shell):
    deploy("blog", BLOG)
    shell.answers("docker container inspect …", known(BLOG, "blog", running=False))
    assert restore.stale_vhosts(["blog"]) == ["blog"]


def test_the_vhost_of_a_container_that_keeps_its_address_is_current_while_it_is_down(shell):
    deploy("blog", BLOG)
    shell.answers("docker container inspect …", known(BLOG, "blog", running=False, kept=True))
    assert restore.stale_vhosts(["blog"]) == []


def test_the_vhost_of_a_container_that_is_gone_is_stale(shell):
    deploy("blog", BLOG)
    shell.answers("docker container inspect …", "", "Error: No such container", status=1)
    assert restore.stale_vhosts(["blog"]) == ["blog"]


def test_an_app_without_a_vhost_has_no_stale_one(shell):
    os.makedirs(settings.app_dir("blog"))
    assert restore.stale_vhosts(["blog"]) == []
    assert shell.ran == []


def test_a_file_that_names_no_address_is_current_as_long_as_those_it_was_made_of(shell):
    deploy("blog", BLOG)
    files.replace(vhost("blog"), leading_to(["172.17.0.2"]))
    shell.answers("docker container inspect …", known(BLOG, "blog"))
    shell.answers("docker container inspect …", known(BLOG, "blog", "172.17.0.9"))
    assert restore.stale_vhosts(["blog"]) == []
    assert restore.stale_vhosts(["blog"]) == ["blog"]


def test_a_file_may_lead_to_other_processes_of_its_app_as_well(shell):
    deploy("blog", BLOG)
    for kind, content in (("CONTAINER", SHOP), ("IP", "172.17.0.3")):
        files.replace(os.path.join(settings.app_dir("blog"), f"{kind}.worker.1"), content)
    files.replace(vhost("blog"), leading_to(["172.17.0.2", "172.17.0.3"]))
    web = known(BLOG, "blog")
    shell.answers("docker container inspect …", "\n".join([web, known(SHOP, "blog", "172.17.0.3")]))
    shell.answers("docker container inspect …", "\n".join([web, known(SHOP, "blog", "172.17.0.4")]))
    assert restore.stale_vhosts(["blog"]) == []
    assert restore.stale_vhosts(["blog"]) == ["blog"]


def test_a_static_listener_of_either_kind_of_address_stays_where_it_is(shell):
    deploy("blog", BLOG)
    properties.write("network", "blog", "static-web-listener", "[fd00::2]:5000,192.0.2.1:5000")
    files.replace(vhost("blog"), leading_to(["fd00::2", "192.0.2.1"]))
    shell.answers("docker container inspect …", known(BLOG, "blog"))
    assert restore.stale_vhosts(["blog"]) == []


def test_many_apps_that_moved_are_one_test_for_nginx(shell, monkeypatch, said, handlers):
    handlers["nginx-vhosts"] = traffic.answer("nginx")
    monkeypatch.setenv("DOKKU_NGINX_TEST_COMMAND", "nginx -t")
    deploy("blog", BLOG, "172.17.0.2")
    deploy("shop", SHOP, "172.17.0.3")
    for app in ("blog", "shop"):
        files.replace(os.path.join(settings.app_dir(app), "VHOST"), f"{app}.test\n")
    moved = [known(BLOG, "blog", "172.17.0.9"), known(SHOP, "shop", "172.17.0.8")]
    shell.answers("docker container inspect …", "\n".join(moved))
    restore.keep_up(["blog", "shop"])
    assert shell.ran.count("nginx -t") == 1
    assert text_of(said, 2).count("nginx is not running") == 1


def test_what_haproxy_leads_to_is_looked_at_as_well(shell, fired):
    deploy("blog", BLOG, "172.17.0.2")
    os.unlink(vhost("blog"))
    front = haproxy_fronts.Front("blog", ["blog.test"], [], ["172.17.0.2"], "", {})
    record = haproxy_fronts.as_text({"blog": front})
    haproxy_fronts.put(haproxy_fronts.write({haproxy_fronts.RECORD: record, haproxy_fronts.MAIN: ""}))
    shell.answers("docker container inspect …", known(BLOG, "blog", "172.17.0.2"))
    shell.answers("docker container inspect …", known(BLOG, "blog", "172.17.0.9"))
    assert restore.stale_vhosts(["blog"]) == []
    assert restore.stale_vhosts(["blog"]) == ["blog"]
    restore.keep_up(["blog"])
    assert fired() == ["proxy-build-config blog"]


def test_a_vhost_follows_a_container_that_docker_restarted_elsewhere(shell, fired, said):
    deploy("blog", BLOG, "172.17.0.2")
    deploy("shop", SHOP, "172.17.0.3")
    moved = [known(BLOG, "blog", "172.17.0.9"), known(SHOP, "shop", "172.17.0.3")]
    shell.answers("docker container inspect …", "\n".join(moved))
    restore.keep_up(["blog", "shop"])
    assert fired() == ["proxy-build-config blog"]
    assert text_of(said, 1) == "-----> The containers of blog have moved, its vhost follows\n"


@pytest.mark.parametrize(
    ("policy", "code", "attempts", "comes_back"),
    [
        ("on-failure:10", 137, 0, True),
        ("on-failure:10", 137, 9, True),
        ("on-failure:10", 1, 10, False),
        ("on-failure:10", 0, 0, False),
        ("on-failure", 143, 99, True),
        ("always", 0, 0, True),
        ("unless-stopped", 137, 0, False),
        ("no", 137, 0, False),
        ("", 137, 0, False),
    ],
)
def test_what_was_killed_is_started_if_its_policy_has_it_run(
    shell, fired, said, policy, code, attempts, comes_back
):
    deploy("blog", BLOG)
    down = known(BLOG, "blog", running=False, policy=policy, code=code, attempts=attempts)
    shell.answers("docker container inspect …", down)
    shell.answers("docker container inspect …", known(BLOG, "blog"))
    restore.keep_up(["blog"])
    assert (f"docker container start {BLOG}" in shell.ran) == comes_back
    assert ("web.1 of blog was killed, it is started again" in text_of(said, 1)) == comes_back
    assert fired() == ([] if comes_back else ["proxy-build-config blog"])


@pytest.mark.parametrize(
    ("finished", "started"),
    [("2026-01-02T03:04:04.123456789Z", True), ("2026-01-02T03:04:06Z", False), ("", False)],
)
def test_what_docker_took_down_with_itself_is_started(shell, fired, said, finished, started):
    """Without systemd nobody calls ps:restore when docker was restarted."""
    deploy("blog", BLOG)
    down = json.loads(known(BLOG, "blog", running=False, policy="on-failure:10"))
    down["State"]["FinishedAt"] = finished
    shell.answers("docker container inspect …", out=json.dumps(down) + "\n")
    bridge = {"Name": "bridge", "Created": "2026-01-02T04:04:05.5+01:00"}
    shell.answers("docker network inspect …bridge", out=json.dumps(bridge) + "\n")
    restore.keep_up(["blog"])
    assert (f"docker container start {BLOG}" in shell.ran) is started
    assert ("web.1 of blog ended with docker, it is started again" in text_of(said, 1)) is started


def test_an_app_that_was_stopped_stays_so(shell, fired):
    deploy("blog", BLOG, DOKKU_APP_RESTORE="0")
    down = known(BLOG, "blog", running=False, policy="always", code=137)
    shell.answers("docker container inspect …", down)
    restore.keep_up(["blog"])
    assert not any(" start " in line for line in shell.ran)


def test_what_cannot_be_started_again_keeps_no_vhost_from_following(shell, fired, said):
    deploy("blog", BLOG)
    deploy("shop", SHOP, "172.17.0.3")
    down = known(BLOG, "blog", running=False, policy="always", code=137)
    shell.answers("docker container inspect …", "\n".join([down, known(SHOP, "shop", "172.17.0.9")]))
    shell.answers("docker container start …", err="Error: no space left on device", status=1)
    restore.keep_up(["blog", "shop"])
    assert fired() == ["proxy-build-config blog", "proxy-build-config shop"]
    assert "no space left on device" in text_of(said, 2)


def test_an_app_without_a_vhost_or_of_another_scheduler_is_not_followed(shell, fired):
    deploy("blog", BLOG)
    os.remove(vhost("blog"))
    deploy("shop", SHOP, DOKKU_SCHEDULER="nomad")
    shell.answers("docker container inspect …", known(BLOG, "blog", "172.17.0.9"))
    restore.keep_up(["blog", "shop"])
    assert fired() == []
    assert not any(SHOP in line for line in shell.ran)


def test_an_app_that_is_being_deployed_is_left_to_that(shell, fired):
    deploy("blog", BLOG)
    shell.answers("docker container inspect …", known(BLOG, "blog", "172.17.0.9"))
    with locks.deploy("blog"):
        restore.keep_up(["blog"])
    assert fired() == []


def test_containers_of_an_older_release_get_addresses_that_they_keep(shell, monkeypatch):
    joined = []
    monkeypatch.setattr("lib.runtime.attachments.follow", joined.append)
    deploy("blog", BLOG)
    shell.answers("docker container inspect …", known(BLOG, "blog").replace("dokku.app.blog", "bridge"))
    restore.keep_up(["blog"])
    assert joined == ["blog"]


def test_a_vhost_that_cannot_follow_is_told_and_fails_nothing(shell, fired, said):
    deploy("blog", BLOG)
    shell.answers("docker container inspect …", known(BLOG, "blog", "172.17.0.9"))
    shell.answers("…/proxy-build-config …", err="no\n", status=3)
    restore.keep_up(["blog"])
    assert fired() == ["proxy-build-config blog"]


def test_an_app_that_is_no_container_is_served_again_whatever_was_deployed(shell, fired, said):
    os.makedirs(settings.app_dir("panel"))
    deploy("blog", BLOG, DOKKU_APP_RESTORE="0")
    for app in ("panel", "blog"):
        properties.write("network", app, "static-web-listener", "127.0.0.1:8080")
    restore.restore("panel")
    restore.restore("blog")
    assert [line for line in fired() if "build" in line] == [
        "proxy-build-config panel",
        "proxy-build-config blog",
    ]
    assert "not been deployed" not in text_of(said, 2)


def test_an_app_whose_containers_are_there_is_started_and_gets_a_new_vhost(shell, fired, said):
    deploy("blog", BLOG)
    shell.answers("docker container inspect …", known(BLOG, "blog", running=False))
    shell.answers("docker container inspect …", known(BLOG, "blog", running=False))
    shell.answers("docker container inspect …", known(BLOG, "blog", running=False))
    shell.answers("docker container inspect …", known(BLOG, "blog"))
    restore.restore("blog")
    assert f"docker container start {BLOG}" in shell.ran
    assert fired() == [
        "pre-restore docker-local blog",
        "proxy-clear-config blog",
        "pre-start blog",
        "proxy-build-config blog",
    ]
    assert not os.path.exists(vhost("blog"))
    assert text_of(said, 1) == (
        "-----> Clearing potentially invalid proxy configuration\n-----> Starting app\n"
    )


def test_restoring_an_app_that_runs_starts_nothing_and_leaves_its_vhost(shell, fired):
    deploy("blog", BLOG)
    shell.answers("docker container inspect …", known(BLOG, "blog"))
    restore.restore("blog")
    assert fired() == ["pre-restore docker-local blog", "pre-start blog", "proxy-build-config blog"]
    assert not [line for line in shell.ran if " start " in line]
    assert os.path.exists(vhost("blog"))


def test_an_app_whose_container_is_gone_is_deployed(shell, fired):
    deploy("blog", BLOG)
    shell.answers("docker container inspect …", "", "Error: No such container", status=1)
    shell.answers("docker image inspect …", IMAGE)
    shell.answers("…/release-and-deploy blog", status=7)  # far enough
    with pytest.raises(TriggerFailed):
        restore.restore("blog")
    assert fired()[-1] == "release-and-deploy blog"


def test_an_app_whose_container_docker_can_not_start_any_more_is_deployed(shell, fired, said):
    deploy("blog", BLOG)
    shell.answers("docker container inspect …", known(BLOG, "blog", running=False))
    shell.answers("docker container start …", err="Error: network 1e90 not found", status=1)
    shell.answers("docker image inspect …", IMAGE)
    shell.answers("…/release-and-deploy blog", status=7)  # far enough
    with pytest.raises(TriggerFailed):
        restore.restore("blog")
    assert fired()[-1] == "release-and-deploy blog"
    assert "network 1e90 not found" in text_of(said, 2)


def test_an_app_whose_container_and_image_are_gone_is_an_error(shell, fired):
    """RBT-4"""
    deploy("blog", BLOG)
    shell.answers("docker container inspect …", "", "Error: No such container", status=1)
    shell.answers("docker image inspect …", "", "Error: No such image", status=1)
    with pytest.raises(
        DokkuError, match=r"App image \(dokku/blog:latest\) not found, build it with ps:rebuild"
    ):
        restore.restore("blog")
    assert "release-and-deploy blog" not in fired()


def test_an_app_that_has_lost_track_of_a_container_is_deployed(shell, fired):
    """RBT-4"""
    deploy("blog", BLOG)
    files.replace(os.path.join(settings.app_dir("blog"), "DOKKU_SCALE"), "web=2\n")
    shell.answers("docker container inspect …", known(BLOG, "blog"))
    shell.answers("docker image inspect …", IMAGE)
    shell.answers("…/release-and-deploy blog", status=7)  # far enough
    with pytest.raises(TriggerFailed):
        restore.restore("blog")
    assert fired()[-1] == "release-and-deploy blog"


def test_an_app_that_was_stopped_stays_down_without_a_vhost(shell, fired, said):
    deploy("blog", BLOG, DOKKU_APP_RESTORE="0")
    shell.answers("docker container inspect …", known(BLOG, "blog", running=False))
    restore.restore("blog")
    assert "pre-start blog" not in fired()
    assert not os.path.exists(vhost("blog"))
    assert text_of(said, 2) == " !     Skipping ps:restore for blog as DOKKU_APP_RESTORE=0\n"


def test_an_app_that_an_operator_locked_against_deploys_comes_back(shell, fired):
    deploy("blog", BLOG)
    locks.lock_manually("blog")
    shell.answers("docker container inspect …", known(BLOG, "blog"))
    restore.restore("blog")
    assert fired()[-1] == "proxy-build-config blog"


def test_an_app_that_was_never_deployed_is_named(shell, fired, said):
    os.makedirs(settings.app_dir("blog"))
    restore.restore("blog")
    assert fired() == ["pre-restore docker-local blog"]
    assert text_of(said, 2) == " !     App blog has not been deployed\n"


def test_one_app_that_fails_stops_no_other(shell, fired, said):
    """RBT-3"""
    deploy("blog", BLOG, "172.17.0.2")
    deploy("shop", SHOP, "172.17.0.3")
    found = [known(BLOG, "blog", "172.17.0.2"), known(SHOP, "shop", "172.17.0.3")]
    shell.answers("docker container inspect …", "\n".join(found))
    shell.answers("…/pre-start blog", status=3)
    with pytest.raises(DokkuError, match="restore command returned 1 errors"):
        restore.restore()
    assert fired()[-1] == "proxy-build-config shop"
    errors = text_of(said, 2).splitlines()
    assert errors[0] == " !     Restore specified without app, assuming --all"
    assert " !     Error running restore against app blog: exit status 3" in errors


def test_another_schedulers_app_is_left_to_it(shell, fired):
    os.makedirs(settings.app_dir("blog"))
    properties.write("common", "blog", "deployed", "true")
    config.set_values("blog", {"DOKKU_SCHEDULER": "kubernetes", "DOKKU_APP_PROXY_TYPE": "other"})
    restore.restore("blog")
    assert fired() == ["pre-restore kubernetes blog", "pre-start blog", "release-and-deploy blog"]
