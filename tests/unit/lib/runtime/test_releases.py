"""Releases: when there is a new one, what it holds, what comes back with it, and what is let go of."""

import json
import os

import pytest

from lib.app import app_json, config, processes
from lib.base import files, log, procfs, properties, settings
from lib.base.errors import DokkuError, Interrupted
from lib.build import images, records
from lib.runtime import containers, release_records, releases
from lib.runtime.containers import Container

APP = "blog"
A, B, C = "a" * 64, "b" * 64, "c" * 64
FIRST, SECOND = "sha256:1", "sha256:2"


@pytest.fixture(autouse=True)
def said(shell, monkeypatch):
    """What the code under test writes. On real files, as locks want them."""
    os.makedirs(settings.app_dir(APP))
    monkeypatch.setattr("lib.base.triggers.ask", lambda *_: "")
    monkeypatch.setattr("lib.base.triggers.fire", lambda *_, **__: None)
    for state in ("_made", "_under_way"):
        monkeypatch.setattr(releases, state, {})
    for end, id_ in (("latest", FIRST), (":1", FIRST), (":2", SECOND)):  # tags 1 and 2, and the ids
        shell.answers(f"docker image inspect …{end}", out=json.dumps({"Id": id_, "Config": {}}) + "\n")
    with log.collected() as lines:
        yield lines


def image(id_):
    return images.Image(id_, "dokku/blog:latest", "dockerfile", "/", [], [], "")


def deploy(shell, id_, container, fails=None, at="end"):
    """What the story does: a release of an image, which ends in a container that serves."""
    with releases.recorded(APP, id_[-1]):
        releases.note_image(APP, image(id_))
        if fails and at == "checks":
            raise fails
        started = [Container(APP, "web", 1, container)]
        releases.note_containers(APP, started)
        containers.adopt(APP, started, [])
        containers.settle(APP)
        if fails:
            raise fails


def known():
    return release_records.all_(APP)


def tags(shell):
    return [line for line in shell.ran if line.startswith(("docker image tag", "docker image rm"))]


def test_a_deploy_is_a_release_with_all_that_it_runs(shell, monkeypatch):
    monkeypatch.setenv("SSH_NAME", "alice")
    monkeypatch.setenv("DOKKU_COMMAND", "git-hook")
    config.set_values(APP, {"KEY": "v", "GIT_REV": "1" * 40})
    deploy(shell, FIRST, A)
    (one,) = known()
    assert (one.number, one.user, one.source, one.revision) == (1, "alice", "git-hook", "1" * 40)
    assert (one.image, one.outcome, list(one.containers)) == (FIRST, "succeeded", [A])
    assert (one.config, one.names) == ({"GIT_REV": "1" * 40, "KEY": "v"}, ["GIT_REV", "KEY"])
    assert one.ended >= one.started > 0
    assert tags(shell) == ["docker image tag -- sha256:1 dokku/blog:release-v1"]


def test_the_build_it_came_from_is_known(shell):
    with records.kept(APP, "9" * 40):
        deploy(shell, FIRST, A)
        deploy(shell, FIRST, B)
    assert [(one.build, one.revision) for one in known()] == [(1, "9" * 40), (1, "9" * 40)]


def test_a_restart_with_nothing_new_is_part_of_the_release_that_serves(shell):
    deploy(shell, FIRST, A)
    config.set_values(APP, {"DOKKU_APP_RESTORE": "1"})
    deploy(shell, FIRST, B)
    (one,) = known()
    assert list(one.containers) == [A, B]
    assert release_records.serving(APP).number == 1
    deploy(shell, FIRST, C)
    assert list(known()[0].containers) == [B, C]


def test_another_config_or_another_image_makes_a_release(shell):
    deploy(shell, FIRST, A)
    config.set_values(APP, {"KEY": "new"})
    deploy(shell, FIRST, B)
    deploy(shell, SECOND, C)
    assert [(one.number, one.image) for one in known()] == [(1, FIRST), (2, FIRST), (3, SECOND)]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(DokkuError("no"), "failed"), (Interrupted(15), "cancelled"), (KeyError("x"), "failed")],
)
def test_what_failed_before_the_switch_keeps_no_image_and_no_values(shell, error, outcome):
    deploy(shell, FIRST, A)
    config.set_values(APP, {"KEY": "secret"})
    with pytest.raises(type(error)):
        deploy(shell, SECOND, B, fails=error, at="checks")
    failed = known()[1]
    assert (failed.outcome, failed.image, failed.config, failed.names) == (outcome, "", {}, ["KEY"])
    assert tags(shell)[-1] == "docker image rm -- dokku/blog:release-v2"
    assert release_records.serving(APP).number == 1


def test_what_failed_after_the_switch_serves_and_can_be_gone_back_to(shell):
    with pytest.raises(DokkuError):
        deploy(shell, FIRST, A, fails=DokkuError("postdeploy"))
    (one,) = known()
    assert (one.outcome, one.image) == ("incomplete", FIRST)
    assert release_records.serving(APP) == one


def test_one_that_is_not_deployed_is_skipped(shell):
    config.set_values(APP, {"DOKKU_SKIP_DEPLOY": "true"})
    with releases.recorded(APP):
        pass
    assert [(one.outcome, one.image) for one in known()] == [("skipped", "")]


def test_another_schedulers_release_keeps_its_image_too(shell):
    with releases.recorded(APP):
        pass
    assert [(one.outcome, one.image) for one in known()] == [("succeeded", FIRST)]
    assert tags(shell)[0] == "docker image tag -- sha256:1 dokku/blog:release-v1"


def test_a_part_of_a_deploy_is_no_release_of_its_own(shell):
    with releases.recorded(APP):
        deploy(shell, FIRST, A)
    assert [one.number for one in known()] == [1]


def test_a_deploy_of_a_process_above_us_goes_on(shell, monkeypatch):
    with releases.recorded(APP):
        monkeypatch.setattr(releases, "_under_way", {})  # another process does not have that
        deploy(shell, FIRST, A)
        assert [(one.outcome, list(one.containers)) for one in known()] == [("deploying", [A])]
        monkeypatch.setattr(releases, "_under_way", {APP: 1})
    assert [one.outcome for one in known()] == ["succeeded"]


def test_where_it_came_from_is_told_afterwards(shell):
    deploy(shell, FIRST, A)
    releases.note_source(APP, "git-sync", "https://user:secret@example.com/r.git#main")
    assert (known()[0].source, known()[0].metadata) == ("git-sync", "https://example.com/r.git#main")


def test_what_can_not_be_recorded_is_no_reason_not_to_deploy(shell, said):
    files.replace(os.path.join(settings.data("releases"), APP), "a file where a directory should be")
    deploy(shell, FIRST, A)
    assert [container.id for container in containers.registered(APP)] == [A]
    assert b"Unable to keep the releases of blog on record" in b"".join(text for _, text in said)


# --- back -----------------------------------------------------------------------------------------------


def back(shell, word="", with_config=False, fails=None):
    chosen = releases.chosen(APP, word)
    with releases.put_back(APP, chosen, "GIT_REV", with_config, unless=lambda: False):
        held = config.values(APP)
        if fails:
            raise fails
        deploy(shell, chosen.image, C)
    return held


def test_without_a_word_it_is_the_last_that_served_before(shell):
    deploy(shell, FIRST, A)
    with pytest.raises(DokkuError):
        deploy(shell, SECOND, B, fails=DokkuError("no"), at="checks")
    deploy(shell, SECOND, B)
    assert releases.chosen(APP).number == 1
    assert releases.chosen(APP, "v3").number == 3
    back(shell)
    assert releases.chosen(APP).number == 3
    assert (known()[-1].source, known()[-1].metadata) == ("rollback", "v1")


def test_the_commit_comes_back_and_the_config_only_when_asked_for(shell):
    config.set_values(APP, {"GIT_REV": "1" * 40, "KEY": "old", "GONE": "1", "DOKKU_PROXY_PORT": "1"})
    with records.kept(APP, "1" * 40):
        deploy(shell, FIRST, A)
    config.set_values(APP, {"GIT_REV": "2" * 40, "KEY": "new", "LATER": "1", "DOKKU_PROXY_PORT": "2"})
    config.unset_values(APP, ["GONE"])
    with records.kept(APP, "2" * 40):
        deploy(shell, SECOND, B)
    others = {"DOKKU_PROXY_PORT": "2", "GIT_REV": "1" * 40}
    assert back(shell, "1") == {"KEY": "new", "LATER": "1", **others}
    assert back(shell, "1", with_config=True) == {"KEY": "old", "GONE": "1", **others}
    assert known()[-1].revision == "1" * 40


def test_exposed_ports_come_back_unless_somebody_has_named_others(shell):
    def exposes(port):
        config.set_values(APP, {"DOKKU_DOCKERFILE_PORTS": port})
        properties.write("builder", APP, "exposed-ports", port)

    exposes("3000")
    deploy(shell, FIRST, A)
    exposes("4000")
    deploy(shell, SECOND, B)
    assert back(shell, "1")["DOKKU_DOCKERFILE_PORTS"] == "3000"
    assert properties.get("builder", APP, "exposed-ports") == "3000"
    config.set_values(APP, {"DOKKU_DOCKERFILE_PORTS": "5000"})
    assert back(shell, "2")["DOKKU_DOCKERFILE_PORTS"] == "5000"


def test_an_app_json_that_no_image_holds_comes_back(shell):
    def has(text):
        files.replace(app_json.file_path(APP), text)
        properties.write(app_json.PLUGIN, APP, "found-in", app_json.SOURCE)

    has('{"name": "one"}')
    deploy(shell, FIRST, A)
    has('{"name": "two"}')
    deploy(shell, SECOND, B)
    chosen = releases.chosen(APP)
    with (
        app_json.restored_on_failure(APP, unless=lambda: False),
        releases.put_back(APP, chosen, "", False, lambda: False),
    ):
        app_json.adopt(APP, None)
    assert app_json.content(APP) == {"name": "one"}


def test_counts_that_the_source_ruled_do_not_outlive_it(shell):
    processes.set_counts(APP, {"web": 2})
    deploy(shell, FIRST, A)
    for path in (processes.scale_path(APP), processes.frozen_path(APP)):
        files.replace(path, "web=7\n")
    deploy(shell, SECOND, B)
    back(shell)
    assert processes.counts(APP) == {"web": 2}
    assert processes.is_scalable(APP)
    processes.set_counts(APP, {"web": 3})
    back(shell, "v1")
    assert processes.counts(APP) == {"web": 3}


def test_when_it_fails_all_is_as_it_was(shell):
    """CRS-8"""
    config.set_values(APP, {"KEY": "old", "GONE": "1", "DOKKU_DOCKERFILE_PORTS": "3000"})
    properties.write("builder", APP, "exposed-ports", "3000")
    deploy(shell, FIRST, A)
    config.clear_values(APP)
    config.set_values(APP, {"KEY": "new", "LATER": "1", "DOKKU_DOCKERFILE_PORTS": "4000"})
    properties.write("builder", APP, "exposed-ports", "4000")
    for path in (processes.scale_path(APP), processes.frozen_path(APP)):
        files.replace(path, "web=7\n")
    deploy(shell, SECOND, B)
    before = config.values(APP)
    with pytest.raises(DokkuError):
        back(shell, with_config=True, fails=DokkuError("no"))
    assert config.values(APP) == before
    assert properties.get("builder", APP, "exposed-ports") == "4000"
    assert files.read(processes.frozen_path(APP)) == "web=7\n"


def test_what_can_not_be_served_is_refused_before_anything_changes(shell):
    properties.write("releases", APP, "keep", "1")
    deploy(shell, FIRST, A)
    with pytest.raises(DokkuError):
        deploy(shell, SECOND, B, fails=DokkuError("no"), at="checks")
    deploy(shell, SECOND, B)
    before = len(tags(shell))
    for word, text in (("v1", "is no longer kept"), ("v2", "has the outcome failed")):
        with pytest.raises(DokkuError, match=text):
            releases.chosen(APP, word)
    shell.answers(f"docker image inspect … {SECOND}", err="Error: No such image: x\n", status=1)
    with pytest.raises(DokkuError, match="is gone"):
        releases.chosen(APP, "v3")
    assert len(tags(shell)) == before


def test_an_image_that_a_plugin_chooses_is_not_ours_to_put_back(shell, monkeypatch):
    deploy(shell, FIRST, A)
    monkeypatch.setattr(
        "lib.base.triggers.ask", lambda name, *_: "r.example/" if "repository" in name else ""
    )
    with pytest.raises(DokkuError, match=r"chosen by a plugin: r\.example/dokku/blog:latest"):
        releases.chosen(APP, "v1")


# --- what a kill left -----------------------------------------------------------------------------------


def killed(shell, **more):
    """v1 serves; v2 was built, has its name, its ports and its counts, and its process is gone."""
    config.set_values(APP, {"GIT_REV": "1" * 40, "DOKKU_DOCKERFILE_PORTS": "3000", "KEY": "kept"})
    properties.write("builder", APP, "exposed-ports", "3000")
    with records.kept(APP, "1" * 40):
        deploy(shell, FIRST, A)
    config.set_values(APP, {"GIT_REV": "2" * 40, "DOKKU_DOCKERFILE_PORTS": "4000"})
    properties.write("builder", APP, "exposed-ports", "4000")
    for path in (processes.scale_path(APP), processes.frozen_path(APP)):
        files.replace(path, "web=7\n")
    known = {"pid": 1, "process_start": "0", "started": 7, "build": 2, "revision": "2" * 40, **more}
    release_records.write(APP, release_records.Release(2, "alice", **known))
    shell.ran.clear()


def test_a_restart_after_a_kill_is_one_of_what_serves(shell, said):
    processes.set_counts(APP, {"web": 2})
    killed(shell)
    releases.mend(APP, "GIT_REV")
    assert "docker image tag -- sha256:1 dokku/blog:latest" in shell.ran
    assert config.values(APP) == {"GIT_REV": "1" * 40, "DOKKU_DOCKERFILE_PORTS": "3000", "KEY": "kept"}
    assert processes.counts(APP) == {"web": 2}
    assert processes.is_scalable(APP)
    assert [release.outcome for release in known()] == ["succeeded", "killed"]
    assert b"v2 of blog was killed before it served, putting v1 back" in b"".join(text for _, text in said)
    shell.ran.clear()
    releases.mend(APP, "GIT_REV")
    assert shell.ran == [], "only once: what somebody names latest from now on counts"


@pytest.mark.parametrize(
    "more",
    [
        {"build": 0},  # a restart, maybe with an image of somebody's own
        {"outcome": "failed"},
        {"outcome": "killed"},
        {"containers": [A]},  # it serves
        {"pid": os.getpid(), "process_start": procfs.started(os.getpid())},
    ],
)
def test_nothing_else_is_put_back(shell, more):
    killed(shell, **more)
    releases.mend(APP, "GIT_REV")
    assert (tags(shell), config.get(APP, "GIT_REV")) == ([], "2" * 40)


def test_a_build_and_a_rollback_bring_what_they_need(shell):
    killed(shell)
    with records.kept(APP, "3" * 40):
        releases.mend(APP, "GIT_REV")
    assert (tags(shell), config.get(APP, "GIT_REV")) == ([], "2" * 40)


def test_an_image_that_is_gone_can_not_be_put_back(shell):
    killed(shell)
    shell.answers(f"docker image inspect … {FIRST}", err="Error: No such image: x\n", status=1)
    releases.mend(APP, "GIT_REV")
    assert (tags(shell), config.get(APP, "GIT_REV")) == ([], "2" * 40)
