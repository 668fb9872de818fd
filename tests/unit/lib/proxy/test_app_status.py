"""`status`: the state of each app, in a table and as JSON."""

import datetime
import json

import pytest

from lib.app import config
from lib.base import log, properties
from lib.base.errors import DokkuError
from lib.proxy import app_status
from lib.runtime import last_deploys
from lib.runtime.last_deploys import Deploy


@pytest.fixture
def said(host, clock, monkeypatch):
    """What the code under test writes; app `blog` has two containers and a deploy of two hours ago."""
    host.app("blog", "172.16.0.2", "172.16.0.3", domains="blog.test")
    (host.app("blog") / "DOKKU_SCALE").write_text("web=2\n")
    properties.write("common", "blog", "deployed", "true")
    deploy = Deploy("v3", "succeeded", "alice", int(clock.time()) - 7200)
    monkeypatch.setattr(last_deploys, "of", lambda app: deploy if app == "blog" else None)
    with log.collected() as lines:
        yield lines


def of(app="blog"):
    (found,) = app_status.gather([app])
    return found


def printed(said):
    return b"".join(data for _, data in said).decode()


def test_an_app_whose_containers_all_run_is_running(said):
    found = of()
    assert (found.state, found.running, found.wanted, found.url) == ("running", 2, 2, "http://blog.test")


def test_an_app_that_was_never_deployed_is_at_no_url(host, said):
    host.app("new")
    assert (of("new").state, of("new").url) == ("not deployed", "")


def test_containers_that_do_not_run_are_counted_as_down(host, said):
    first, second = host.containers("blog")
    first["State"] |= {"Running": False, "Status": "exited"}
    assert (of().state, of().running) == ("degraded", 1)
    second["State"] |= {"Running": False, "Status": "exited"}
    assert (of().state, of().running, of().url) == ("down", 0, "")
    config.set_values("blog", {"DOKKU_APP_RESTORE": "0"})
    assert of().state == "stopped"


def test_a_container_that_is_gone_is_missing(host, said):
    host.docker.clear()
    assert of().state == "down"
    assert [process.state for process in of().processes] == ["missing", "missing"]


@pytest.mark.parametrize(
    ("restarts", "status", "seconds", "state"),
    [
        (5, "running", 14, "crash loop"),
        (3, "running", 59, "crash loop"),
        (5, "running", 61, "running"),
        (2, "running", 1, "running"),
        (1, "restarting", 1, "crash loop"),
    ],
)
def test_a_container_that_keeps_ending_is_a_crash_loop(host, clock, said, restarts, status, seconds, state):
    started = datetime.datetime.fromtimestamp(clock.time() - seconds, datetime.UTC)
    (first, _) = host.containers("blog")
    first["State"] |= {"Status": status, "StartedAt": started.isoformat().replace("+00:00", ".123456789Z")}
    first["RestartCount"] = restarts
    assert of().state == state
    assert of().processes[0].state == (state if state == "crash loop" else status)


def test_all_apps_stand_in_one_table_and_cost_one_question_to_docker(host, said):
    host.app("aaa")
    app_status.show("", "stdout")
    assert printed(said).splitlines() == [
        "APP   STATE         UP   RESTARTS  LAST DEPLOY     CERT  URL",
        "aaa   not deployed  0/1  0         never           -     -",
        "blog  running       2/2  0         v3 2 hours ago  -     http://blog.test",
    ]
    assert sum(line.startswith("docker") for line in host.ran) == 1


def test_one_app_is_told_with_each_of_its_processes(said):
    app_status.show("blog", "stdout")
    lines = printed(said).splitlines()
    assert lines[0] == "=====> blog status"
    assert "       Last deploy:  v3 2 hours ago by alice" in lines
    assert [line.split()[0] for line in lines[-2:]] == ["web.1:", "web.2:"]


def test_a_deploy_that_failed_is_told_by_its_outcome(said, monkeypatch, clock):
    failed = Deploy("", "build failed", "bob", int(clock.time()) - 60)
    monkeypatch.setattr(last_deploys, "of", lambda _: failed)
    app_status.show("", "stdout")
    assert "build failed 1 minute ago" in printed(said)


def test_json_is_an_array_of_objects_that_name_their_app(said):
    app_status.show("blog", "json")
    (found,) = json.loads(printed(said))
    assert (found["app"], found["state"], found["certificate_days"]) == ("blog", "running", None)
    assert found["deploy"]["release"] == "v3"
    assert found["deploy"]["ended"].endswith("Z")
    assert [process["name"] for process in found["processes"]] == ["web.1", "web.2"]


def test_another_shape_is_refused(said):
    with pytest.raises(DokkuError, match="Invalid output format"):
        app_status.show("", "yaml")


def test_a_host_without_apps_says_so(host):
    with log.collected() as lines:
        app_status.show("", "stdout")
    assert b"You haven't deployed any applications yet" in lines[0][1]


def test_watching_shows_it_again_after_a_pause(clock, monkeypatch):
    shown = []

    def show(*_):
        shown.append(clock.time())
        if len(shown) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(app_status, "show", show)
    with pytest.raises(KeyboardInterrupt):
        app_status.watch("", "stdout")
    assert [round(at - shown[0]) for at in shown] == [0, 2, 4]
