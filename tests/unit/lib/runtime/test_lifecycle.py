"""Which triggers starting, stopping, scaling and retiring end in, and what is refused."""

import fcntl
import json
import os

import pytest

from lib.app import config, processes
from lib.base import files, locks, log, properties, settings
from lib.base.errors import DokkuError, Locked
from lib.runtime import containers, lifecycle

APP = "blog"


@pytest.fixture(autouse=True)
def said(tmp_path):
    """What the code under test writes: pairs of stream and bytes. Files are real, as locks have to be."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


@pytest.fixture
def fired(shell):
    """The triggers that a plugin sees, with their arguments. fired.answer: what it says of the status."""
    directory = os.path.join(settings.plugins_enabled(), "watch")
    for name in (
        *("receive-app", "release-and-deploy", "pre-start", "proxy-build-config", "post-stop"),
        *("scheduler-app-status", "scheduler-stop", "scheduler-retire"),
    ):
        files.replace(os.path.join(directory, name), "#!/bin/sh\n", mode=0o755)
    config.set_values(APP, {"DOKKU_SCHEDULER": "other", "DOKKU_APP_PROXY_TYPE": "other"})
    shell.ran.clear()

    class Fired(list):
        def answer(self, text):
            shell.answers(f"{directory}/scheduler-app-status …", text)

        def __call__(self):
            prefix = directory + "/"
            return [line.removeprefix(prefix) for line in shell.ran if line.startswith(prefix)]

    return Fired()


def deploy():
    properties.write("common", APP, "deployed", "true")


def text_of(said):
    return b"".join(data for _, data in said).decode()


def test_a_rebuild_builds_the_source_again(fired):
    lifecycle.rebuild(APP)
    assert fired() == ["receive-app blog"]


def test_a_restart_deploys_the_image_again(fired):
    deploy()
    lifecycle.restart(APP)
    assert fired() == ["release-and-deploy blog"]


def test_a_restart_of_one_type_deploys_just_that(fired):
    deploy()
    lifecycle.restart(APP, "web")
    assert fired() == ["release-and-deploy blog latest web"]


def test_a_type_that_the_app_does_not_have_is_not_restarted(fired):
    deploy()
    with pytest.raises(DokkuError, match=r"Invalid process type specified \(blog\.clock\)"):
        lifecycle.restart(APP, "clock")
    assert fired() == []


@pytest.mark.parametrize(
    "work", [lifecycle.restart, lifecycle.start, lifecycle.stop, lifecycle.restart_unless_stopped]
)
def test_an_app_that_was_never_deployed_gets_a_warning(fired, said, work):
    work(APP)
    assert fired() == []
    assert said == [(2, b" !     App blog has not been deployed\n")]


def test_a_change_of_config_does_not_start_an_app_that_was_stopped(fired):
    deploy()
    config.set_values(APP, {"DOKKU_APP_RESTORE": "0"})
    lifecycle.restart_unless_stopped(APP)
    assert fired() == []


def test_a_change_of_config_restarts_an_app_that_runs(fired):
    deploy()
    config.set_values(APP, {"DOKKU_APP_RESTORE": "1"})
    lifecycle.restart_unless_stopped(APP)
    assert fired() == ["release-and-deploy blog"]


def test_starting_a_stopped_app_deploys_it(fired, said):
    deploy()
    fired.answer("2 false\n")
    lifecycle.start(APP)
    assert fired() == [
        "pre-start blog",
        "scheduler-app-status other blog",
        "release-and-deploy blog",
        "proxy-build-config blog",
    ]
    assert text_of(said) == ""


def test_starting_an_app_of_which_only_some_containers_run_deploys_it_too(fired, said):
    deploy()
    fired.answer("2 mixed")
    lifecycle.start(APP)
    assert "release-and-deploy blog" in fired()
    assert text_of(said) == " !     App is running in mixed mode, releasing\n"


def test_starting_a_running_app_only_writes_its_vhost(fired, said):
    deploy()
    fired.answer("2 true")
    lifecycle.start(APP)
    assert fired()[2:] == ["proxy-build-config blog"]
    assert text_of(said) == " !     App blog already running\n"


def test_a_stopped_app_stays_down(fired, said):
    deploy()
    lifecycle.stop(APP)
    assert fired() == ["scheduler-stop other blog", "post-stop blog"]
    assert config.get(APP, "DOKKU_APP_RESTORE") == "0"
    assert text_of(said) == "Stopping blog\n"


def test_an_app_that_somebody_locked_is_not_stopped(fired):
    deploy()
    locks.lock_manually(APP)
    with pytest.raises(Locked):
        lifecycle.stop(APP)
    assert fired() == []


def test_a_deploy_makes_an_app_come_up_after_a_reboot():
    config.set_values(APP, {"DOKKU_APP_RESTORE": "0"})
    lifecycle.remember_running(APP)
    assert config.get(APP, "DOKKU_APP_RESTORE") == "1"


def test_scaling_a_running_app_deploys_it(fired, said):
    deploy()
    lifecycle.scale(APP, ["web=2", "worker=1"], skip_deploy=False)
    assert processes.counts(APP) == {"web": 2, "worker": 1}
    assert fired() == ["release-and-deploy blog"]
    assert text_of(said) == "-----> Scaling blog processes: web=2 worker=1\n"


@pytest.mark.parametrize("skip", [True, False])
def test_scaling_may_leave_the_deploy_to_later(fired, skip):
    if skip:
        deploy()
    lifecycle.scale(APP, ["web=3"], skip_deploy=skip)
    assert processes.counts(APP) == {"web": 3}
    assert fired() == []


def test_bad_counts_change_nothing(fired):
    deploy()
    with pytest.raises(DokkuError):
        lifecycle.scale(APP, ["web=2", "worker=x"], skip_deploy=False)
    assert processes.counts(APP) == {"web": 1}
    assert fired() == []


@pytest.mark.parametrize("serves", [False, True])
def test_counts_that_could_not_be_deployed_are_taken_back_unless_they_serve(
    fired, shell, monkeypatch, serves
):
    deploy()

    def fail(*_):
        assert processes.counts(APP) == {"web": 3, "worker": 1}
        if serves:
            containers.adopt(APP, [containers.Container(APP, "web", 1, "a" * 64)], [])
        raise DokkuError("no luck")

    monkeypatch.setattr("lib.base.triggers.fire", fail)
    with pytest.raises(DokkuError, match="no luck"):
        lifecycle.scale(APP, ["web=3", "worker=1"], skip_deploy=False)
    assert processes.counts(APP) == ({"web": 3, "worker": 1} if serves else {"web": 1, "worker": 0})


def test_the_counts_of_a_locked_app_stay(fired):
    deploy()
    locks.lock_manually(APP)
    with pytest.raises(Locked):
        lifecycle.scale(APP, ["web=2"], skip_deploy=False)
    assert processes.counts(APP) == {"web": 1}


def test_the_scale_is_shown_as_a_table(said):
    processes.set_counts(APP, {"worker": 0, "web": 2, "urgentworker": 1})
    lifecycle.show_scale(APP)
    assert text_of(said).splitlines() == [
        "-----> Scaling for blog",
        "proctype: qty",
        "--------: ---",
        "urgentworker: 1",
        "web:  2",
        "worker: 0",
    ]


def test_a_quiet_scale_is_only_the_counts(said, monkeypatch):
    monkeypatch.setenv("DOKKU_QUIET_OUTPUT", "1")
    lifecycle.show_scale(APP)
    assert text_of(said) == "web:  1\n"


def test_the_scale_is_shown_as_json(said):
    lifecycle.show_scale(APP, "json")
    assert json.loads(text_of(said)) == [{"process_type": "web", "quantity": 1}]


def test_a_scheduler_that_says_nothing_runs_nothing(fired):
    fired.answer("")
    assert lifecycle.status(APP) == (-1, "false")


def test_retiring_asks_the_apps_scheduler(fired):
    lifecycle.retire(APP)
    assert fired() == ["scheduler-retire other blog"]


def test_retiring_all_asks_the_hosts_scheduler(fired):
    lifecycle.retire()
    assert fired() == ["scheduler-retire docker-local"]


def test_retiring_is_done_by_one_process_at_a_time(fired, monkeypatch):
    def busy(_descriptor, _operation):
        raise BlockingIOError

    monkeypatch.setattr(fcntl, "flock", busy)
    with pytest.raises(DokkuError, match="Failed to acquire ps:retire lock") as refused:
        lifecycle.retire()
    assert refused.value.exit_code == 137
    assert fired() == []
