"""The story of a deploy: what a push sets going, and what each failure on the way leaves."""

import json
import os
import pathlib

import pytest

from lib import deploy
from lib.app import config, processes
from lib.base import files, locks, log, properties, settings, triggers
from lib.base.errors import DokkuError, Interrupted, Locked
from lib.build import exposed_ports, images, records
from lib.runtime import containers, release_records, retirement
from lib.runtime.containers import Container

APP = "blog"
A, B, C = ("a" * 64, "b" * 64, "c" * 64)
OLD, NEW, OTHER = "1" * 40, "2" * 40, "3" * 40
NONE = "0" * 40
PUSHED = ("deploy-source-set", APP, "git-push", "")


class Fired(list):
    """Words of each trigger, in order. does: what happens at one, by name."""

    def __init__(self):
        super().__init__()
        self.does = {}


@pytest.fixture(autouse=True)
def said(shell):
    """What the code under test writes: pairs of stream and bytes. On real files, as locks want them."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


@pytest.fixture
def fired(monkeypatch):
    """Triggers fired, none of which does anything but what `fired.does[NAME]` says."""

    heard = Fired()

    def fire(name, *args, **_):
        heard.append((name, *args))
        heard.does.get(name, lambda *_: None)(*args)

    monkeypatch.setattr("lib.base.triggers.fire", fire)
    return heard


@pytest.fixture
def asked(monkeypatch):
    """What is said to a trigger that asks: `asked[NAME]`."""
    answers = {}
    monkeypatch.setattr("lib.base.triggers.ask", lambda name, *_: answers.get(name, ""))
    said = triggers.Answer
    monkeypatch.setattr("lib.base.triggers.poll", lambda name, *_: [said("acl", answers.get(name, ""))])
    return answers


def text_of(said, stream=1):
    return b"".join(data for number, data in said if number == stream).decode()


def repository(shell, tip=""):
    """The app has a repository whose deploy branch points at a commit, or at nothing."""
    os.makedirs(os.path.join(settings.app_dir(APP), "refs/heads"), exist_ok=True)
    shell.answers("git …rev-parse --verify --quiet …", out=f"{tip}\n" if tip else "", status=0 if tip else 1)
    shell.answers(f"git …rev-parse --verify --quiet …{NEW}…", out=f"{NEW}\n")
    shell.answers("git …cat-file -t …", out="commit\n")


def image(shell, id_="sha256:1"):
    shell.answers("docker image inspect …", out=json.dumps({"Id": id_, "Config": {}}) + "\n")


def empty_image(shell):
    """An image with none of the files that a release reads."""
    image(shell)
    shell.answers("docker container create …", out="c1\n")


def refuse(*_):
    raise DokkuError("no luck", exit_code=3)


# --- pushed ---------------------------------------------------------------------------------------------


def test_a_push_of_the_deploy_branch_is_deployed(shell, fired):
    repository(shell, OLD)
    deploy.pushed(APP, [(OLD, NEW, "refs/heads/master")])
    assert fired == [("receive-app", APP, NEW), PUSHED]


def test_a_push_of_a_tag_that_is_called_like_the_branch_is_deployed(shell, fired):
    repository(shell, OLD)
    properties.write("git", APP, "deploy-branch", "release/1")
    deploy.pushed(APP, [(NONE, NEW, "refs/tags/release/1")])
    assert fired == [("receive-app", APP, NEW), PUSHED]


def test_a_push_of_another_branch_is_accepted_and_explained(shell, fired, said):
    repository(shell, OLD)
    deploy.pushed(APP, [(NONE, NEW, "refs/heads/feature")])
    assert fired == []
    assert text_of(said) == (
        "-----> WARNING: deploy did not complete, you must push to master.\n"
        "-----> for example, try 'git push <dokku> feature:master'\n"
    )
    assert text_of(said, 2) == (
        " !     Nothing was deployed, this deploys it: git push <dokku> feature:master\n"
    )


def test_a_push_of_any_other_ref_is_accepted_and_not_deployed(shell, fired, said):
    """GIT-11"""
    repository(shell, OLD)
    deploy.pushed(APP, [(NONE, NEW, "refs/tags/v1"), (NONE, NEW, "refs/notes/x")])
    assert (fired, text_of(said)) == ([], "")
    assert text_of(said, 2).startswith(" !     Nothing was deployed, this deploys it: git push <dokku> ")


@pytest.mark.parametrize("kind", ["tag", "tree", "blob", ""])
def test_a_branch_that_git_will_not_write_is_not_deployed(shell, fired, kind):
    """CRS-8"""
    repository(shell, OLD)
    shell.answers(f"git …cat-file -t {NEW}", out=f"{kind}\n")
    with pytest.raises(DokkuError, match=r"refs/heads/master takes a commit|not found"):
        deploy.pushed(APP, [(OLD, NEW, "refs/heads/master")])
    assert fired == []


def test_a_ref_that_git_can_not_write_is_not_deployed(shell, fired):
    """CRS-8"""
    repository(shell, OLD)
    shell.answers("git …update-ref --stdin…", err="fatal: prepare: cannot lock ref 'x'\n", status=128)
    with pytest.raises(DokkuError, match="Git can't write refs/heads/master of blog: cannot lock ref 'x'"):
        deploy.pushed(APP, [(OLD, NEW, "refs/heads/master")])
    assert fired == []


def test_the_first_branch_after_archives_alone_is_chosen(shell, fired):
    repository(shell, OLD)
    properties.write("git", APP, "branch-is-ours", "true")
    deploy.pushed(APP, [(NONE, NEW, "refs/heads/main")])
    assert fired == [("receive-app", APP, NEW), PUSHED]
    assert properties.get("git", APP, "deploy-branch") == "main"
    assert not properties.is_set("git", APP, "branch-is-ours")


def test_a_tag_that_was_deployed_becomes_the_branch(shell, fired):
    repository(shell, OLD)
    deploy.received(APP, [(NONE, NEW, "refs/tags/v1"), (OLD, NEW, "refs/heads/other")])
    assert not any("update-ref" in line for line in shell.ran)
    deploy.received(APP, [(NONE, NEW, "refs/tags/master")])
    assert any("update-ref --end-of-options refs/heads/master" in line for line in shell.ran)


def test_the_first_push_of_any_branch_chooses_it(shell, fired, said):
    repository(shell)
    deploy.pushed(APP, [(NONE, NEW, "refs/heads/main")])
    assert fired == [("receive-app", APP, NEW), PUSHED]
    assert text_of(said) == "-----> Set main to DOKKU_DEPLOY_BRANCH.\n"
    assert properties.get("git", APP, "deploy-branch") == "main"


def test_a_first_push_whose_deploy_fails_chooses_nothing(shell, fired):
    repository(shell)
    fired.does["receive-app"] = refuse
    with pytest.raises(DokkuError):
        deploy.pushed(APP, [(NONE, NEW, "refs/heads/main")])
    assert not properties.is_set("git", APP, "deploy-branch")


def test_of_several_new_branches_one_is_deployed(shell, fired):
    """GIT-11"""
    repository(shell)
    deploy.pushed(APP, [(NONE, NEW, "refs/heads/alpha"), (NONE, OTHER, "refs/heads/beta")])
    assert fired == [("receive-app", APP, NEW), PUSHED]
    assert properties.get("git", APP, "deploy-branch") == "alpha"


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_new_branches_the_default_one_is_preferred(shell, fired, order):
    repository(shell)
    pushed = [(NONE, OTHER, "refs/heads/develop"), (NONE, NEW, "refs/heads/master")]
    deploy.pushed(APP, pushed[::order])
    assert fired == [("receive-app", APP, NEW), PUSHED]
    assert not properties.is_set("git", APP, "deploy-branch")


@pytest.mark.parametrize("owner", [APP, "--global"])
def test_a_branch_that_was_chosen_is_not_chosen_anew_by_a_push(shell, fired, owner):
    repository(shell)
    properties.write("git", owner, "deploy-branch", "release")
    deploy.pushed(APP, [(NONE, NEW, "refs/heads/main")])
    assert fired == []


def test_the_deploy_branch_cannot_be_deleted(shell, fired):
    """GIT-11"""
    repository(shell, OLD)
    with pytest.raises(DokkuError, match="Refusing to delete the deploy branch master"):
        deploy.pushed(APP, [(OLD, NONE, "refs/heads/master")])
    deploy.pushed(APP, [(OLD, NONE, "refs/heads/feature")])
    assert fired == []


def test_a_plugin_may_take_other_branches(shell, fired, monkeypatch):
    repository(shell, OLD)
    monkeypatch.setattr("lib.base.triggers.has_plugins", lambda name: name == "receive-branch")
    deploy.pushed(APP, [(NONE, NEW, "refs/heads/review")])
    assert fired == [("receive-branch", APP, NEW, "refs/heads/review")]


def test_an_empty_push_does_nothing(shell, fired):
    """GIT-11"""
    repository(shell, OLD)
    deploy.pushed(APP, [])
    assert fired == []


# --- from_directory -------------------------------------------------------------------------------------


def source(shell, place, parent="", tree="4" * 40, of_parent="5" * 40):
    repository(shell, parent)
    (place / "index.html").write_text("hello")
    shell.answers("git …write-tree", out=f"{tree}\n")
    shell.answers("git …rev-parse --verify --end-of-options…", out=f"{of_parent}\n")
    shell.answers("git …commit-tree…", out=f"{NEW}\n")


def test_a_directory_is_deployed_and_becomes_the_tip_after_that(shell, fired, tmp_path):
    source(shell, tmp_path)
    at_deploy = []
    fired.does["receive-app"] = lambda *_: at_deploy.extend(
        line for line in shell.ran if "update-ref" in line
    )
    deploy.from_directory(APP, str(tmp_path))
    assert fired == [("receive-app", APP, NEW)]
    assert at_deploy == []
    assert [line for line in shell.ran if "update-ref" in line] == [
        f"git --git-dir={settings.app_dir(APP)} update-ref --end-of-options refs/heads/master {NEW}"
    ]


def test_a_deploy_of_a_directory_that_fails_moves_no_branch(shell, fired, tmp_path):
    source(shell, tmp_path)
    fired.does["receive-app"] = refuse
    with pytest.raises(DokkuError):
        deploy.from_directory(APP, str(tmp_path))
    assert not any("update-ref" in line for line in shell.ran)


def test_a_directory_without_a_change_is_not_deployed(shell, fired, said, tmp_path):
    source(shell, tmp_path, parent=OLD, tree="4" * 40, of_parent="4" * 40)
    deploy.from_directory(APP, str(tmp_path))
    assert fired == []
    assert text_of(said, 2) == (
        " !     No changes detected, aborting git update\n !     No changes detected, skipping git commit\n"
        " !     Call 'ps:rebuild' on app to rebuild the app from existing source\n"
    )


def test_a_directory_waits_for_no_lock(shell, fired, tmp_path):
    source(shell, tmp_path)
    locks.lock_manually(APP)
    with pytest.raises(Locked):
        deploy.from_directory(APP, str(tmp_path))
    assert shell.ran == []


def test_a_directory_that_came_from_somewhere_is_told_of_once_it_is_deployed(shell, fired, tmp_path):
    source(shell, tmp_path)
    deploy.from_directory(APP, str(tmp_path), source=("tar", "https://x/y.tar"))
    assert fired == [("receive-app", APP, NEW), ("deploy-source-set", APP, "tar", "https://x/y.tar")]


# --- synced ---------------------------------------------------------------------------------------------

URL = "https://git.example.com/blog.git"


def remote_has(shell, commit, tip=OLD):
    """The fetch brings a commit; the app's own branch is at tip."""

    def ref(name, value):
        path = pathlib.Path(settings.app_dir(APP), name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value + "\n")

    if tip:
        ref("refs/heads/master", tip)
    shell.answers("git …fetch…", does=lambda _: ref("refs/dokku/sync", commit))
    shell.answers("git …rev-parse…", out=f"{commit}\n")


def moved(shell):
    return [line.split()[-1] for line in shell.ran if "update-ref" in line]


def test_a_sync_moves_the_branch_and_builds_nothing(shell, fired):
    remote_has(shell, NEW)
    deploy.synced(APP, URL)
    assert fired == []
    assert moved(shell) == [NEW]


def test_a_sync_that_builds_moves_the_branch_after_the_deploy(shell, fired):
    remote_has(shell, NEW)
    fired.does["receive-app"] = lambda *_: fired.append(moved(shell))
    deploy.synced(APP, URL, build=deploy.ALWAYS)
    told = ("deploy-source-set", APP, "git-sync", f"{URL}#master")
    assert fired == [("receive-app", APP, NEW), [], told]
    assert moved(shell) == [NEW]


def test_a_sync_whose_build_fails_keeps_what_was_fetched(shell, fired):
    remote_has(shell, NEW)
    fired.does["receive-app"] = refuse
    with pytest.raises(DokkuError):
        deploy.synced(APP, URL, build=deploy.IF_CHANGED)
    assert moved(shell) == [NEW]


def test_a_sync_that_is_interrupted_in_its_build_is_to_be_built_by_the_next(shell, fired):
    def interrupt(*_):
        raise Interrupted(2)

    remote_has(shell, NEW)
    fired.does["receive-app"] = interrupt
    with pytest.raises(Interrupted):
        deploy.synced(APP, URL, build=deploy.IF_CHANGED)
    assert moved(shell) == []


def test_a_sync_without_news_builds_only_when_told_to(shell, fired, said):
    remote_has(shell, OLD)
    deploy.synced(APP, URL, build=deploy.IF_CHANGED)
    assert fired == []
    assert text_of(said).endswith("       Skipping build as no changes were detected\n")
    deploy.synced(APP, URL, build=deploy.ALWAYS)
    assert ("receive-app", APP, OLD) in fired


def test_a_sync_waits_for_no_lock(shell, fired):
    locks.lock_manually(APP)
    with pytest.raises(Locked):
        deploy.synced(APP, URL)
    assert shell.ran == []


# --- receive --------------------------------------------------------------------------------------------


def buildable(shell, asked, before="sha256:old", after="sha256:new"):
    repository(shell, OLD)
    asked["builder-detect"] = "dockerfile\nherokuish\n"
    shell.answers("git …ls-tree…")
    for id_ in (before, after):
        found = json.dumps({"Id": id_, "Config": {}}) + "\n" if id_ else ""
        missing = {"err": "Error: No such image: x\n", "status": 1}
        shell.answers("docker image inspect …", found, **({} if id_ else missing))


def test_a_commit_is_built_and_released(shell, fired, asked, said):
    buildable(shell, asked)
    deploy.receive(APP, NEW)
    assert [name for name, *_ in fired if "config" not in name] == [
        *("core-post-extract", "post-extract", "pre-receive-app", "pre-build", "builder-build", "post-build"),
        "release-and-deploy",
    ]
    tree = fired[0][2]
    assert fired[0] == ("core-post-extract", APP, tree, NEW)
    assert ("pre-receive-app", APP, "dockerfile", tree, NEW) in fired
    assert ("builder-build", "dockerfile", APP, tree) in fired
    assert config.get(APP, "GIT_REV") == NEW
    assert not os.path.exists(tree)
    assert "-----> Cleaning up...\n" in text_of(said)


def test_without_a_commit_the_tip_of_the_deploy_branch_is_built(shell, fired, asked):
    buildable(shell, asked)
    deploy.receive(APP)
    assert ("pre-receive-app", APP, "dockerfile", fired[0][2], OLD) in fired


def test_a_revision_that_names_no_commit_is_not_built(shell, fired):
    repository(shell)
    with pytest.raises(DokkuError, match="Revision --index-output=x of blog not found"):
        deploy.receive(APP, "--index-output=x")
    assert len(shell.ran) == 1
    assert fired == []


def test_an_app_without_a_commit_is_not_built(shell, fired, said):
    repository(shell)
    with pytest.raises(DokkuError) as refused:
        deploy.receive(APP)
    assert (refused.value.exit_code, refused.value.text) == (1, "")
    assert "Cannot build from 'master' as there are no commits" in text_of(said)
    assert fired == []


def test_a_deploy_that_fails_leaves_the_variables_of_the_version_that_serves(shell, fired, asked):
    config.set_values(APP, {"GIT_REV": OLD, "OTHER": "1"})
    buildable(shell, asked)
    ports = {"DOKKU_DOCKERFILE_PORTS": "8080", "OTHER": "2"}
    fired.does["builder-build"] = lambda *_: config.set_values(APP, ports)
    fired.does["release-and-deploy"] = refuse
    with pytest.raises(DokkuError):
        deploy.receive(APP, NEW)
    assert config.values(APP) == {"GIT_REV": OLD, "OTHER": "2", "DOKKU_APP_TYPE": "dockerfile"}


def test_ports_that_a_failed_build_found_are_not_taken_for_ones_named_by_hand(shell, fired, asked):
    exposed_ports.of_build(APP, ["3000"])
    buildable(shell, asked)
    fired.does["builder-build"] = lambda *_: exposed_ports.of_build(APP, ["4000"])
    fired.does["release-and-deploy"] = refuse
    with pytest.raises(DokkuError):
        deploy.receive(APP, NEW)
    assert config.get(APP, exposed_ports.VARIABLE) == "3000"
    exposed_ports.of_build(APP, [])
    assert config.get(APP, exposed_ports.VARIABLE) == ""


def test_the_commit_can_go_into_no_variable(shell, fired, asked):
    buildable(shell, asked)
    properties.write("git", APP, "rev-env-var", "")
    deploy.receive(APP, NEW)
    assert "GIT_REV" not in config.values(APP)


def test_a_builder_that_leaves_no_image_fails_the_deploy(shell, fired, asked):
    buildable(shell, asked, before="sha256:old", after="sha256:old")
    with pytest.raises(DokkuError, match="Builder dockerfile left no image for blog"):
        deploy.receive(APP, NEW)
    assert not any(name == "release-and-deploy" for name, *_ in fired)


def test_a_build_that_fails_gives_the_old_image_its_name_again(shell, fired, asked):
    """CRS-8"""
    buildable(shell, asked)
    fired.does["builder-build"] = refuse
    with pytest.raises(DokkuError) as failed:
        deploy.receive(APP, NEW)
    assert failed.value.exit_code == 3
    assert "docker image tag -- sha256:old dokku/blog:latest" in shell.ran
    assert not os.path.exists(fired[0][2])


def test_a_first_build_that_fails_leaves_no_name(shell, fired, asked):
    buildable(shell, asked, before="")
    fired.does["builder-build"] = refuse
    with pytest.raises(DokkuError):
        deploy.receive(APP, NEW)
    assert "docker image rm -- dokku/blog:latest" in shell.ran


def test_a_failure_after_the_switch_leaves_the_new_image_its_name(shell, fired, asked):
    buildable(shell, asked)

    def switch_and_fail(*_):
        containers.adopt(APP, [Container(APP, "web", 1, A)], [])
        raise DokkuError("")

    fired.does["release-and-deploy"] = switch_and_fail
    with pytest.raises(DokkuError):
        deploy.receive(APP, NEW)
    assert not any("image tag" in line for line in shell.ran)


def test_nothing_is_built_while_an_operator_has_locked_the_app(shell, fired):
    repository(shell, OLD)
    locks.lock_manually(APP)
    with pytest.raises(Locked, match="blog currently has a deploy lock in place"):
        deploy.receive(APP, NEW)
    assert (shell.ran, fired) == ([], [])


def test_what_a_killed_deploy_left_is_cleared_before_the_build(shell, fired, asked):
    buildable(shell, asked)
    shell.answers("docker container ls …container-type…", out=f"{C} deploy\n")
    cleared = []
    fired.does["builder-build"] = lambda *_: cleared.extend(shell.ran)
    deploy.receive(APP, NEW)
    assert f"docker container rm --force --volumes {C}" in cleared


# --- release --------------------------------------------------------------------------------------------


def test_a_release_is_handed_to_the_apps_scheduler(shell, fired, asked, said):
    empty_image(shell)
    config.set_values(APP, {"DOKKU_SCHEDULER": "nomad"})
    deploy.release(APP, "v2")
    assert ("builder-release", "dockerfile", APP, "v2") in fired
    assert ("scheduler-deploy", "nomad", APP, "v2") in fired
    assert "-----> Releasing blog...\n-----> Deploying blog...\n=====> Application deployed:\n" in text_of(
        said
    )


def test_an_image_that_is_not_there_is_not_released(shell, fired, asked):
    shell.answers("docker image inspect …", err="Error: No such image: x\n", status=1)
    with pytest.raises(DokkuError, match=r"App image \(dokku/blog:latest\) not found"):
        deploy.release(APP)


@pytest.mark.parametrize("owner", [APP, config.GLOBAL])
def test_a_release_may_be_left_undeployed(shell, fired, asked, said, owner):
    empty_image(shell)
    config.set_values(owner, {"DOKKU_SKIP_DEPLOY": "true"})
    deploy.release(APP)
    assert not any(name == "scheduler-deploy" for name, *_ in fired)
    assert text_of(said).endswith("-----> Skipping deployment\n")


# --- roll_out -------------------------------------------------------------------------------------------


def known(id_, restarts=0):
    return {
        "Id": id_,
        "Name": "/x",
        "Image": "sha256:1",
        "RestartCount": restarts,
        "State": {"Status": "running", "Running": True, "StartedAt": ""},
        "Config": {"Labels": {"com.dokku.app-name": APP}},
        "HostConfig": {},
        "NetworkSettings": {"IPAddress": "172.17.0.4"},
    }


@pytest.fixture
def runnable(shell, fired, asked):
    """An app that is deployed, with container C; the next one is A, and its checks are off."""
    image(shell)
    properties.write("common", APP, "deployed", "true")
    config.set_values(APP, {"DOKKU_CHECKS_SKIPPED": "_all_"})
    containers.adopt(APP, [Container(APP, "web", 1, C)], [])
    containers.settle(APP)
    shell.answers("docker container create …", out=f"{A}\n")
    shell.answers("docker container inspect …", out=json.dumps(known(A)) + "\n")
    return shell


def test_a_new_set_takes_the_place_of_the_old_which_leaves_later(runnable, fired, said):
    deploy.roll_out(APP, "latest")
    assert [container.id for container in containers.registered(APP)] == [A]
    assert retirement.ids(APP) == [C]
    places = [entry for entry in fired if entry[0] in ("pre-deploy", "core-post-deploy", "post-deploy")]
    assert places == [
        ("pre-deploy", APP, "latest"),
        ("core-post-deploy", APP, "5000", "172.17.0.4", "latest"),
        ("post-deploy", APP, "5000", "172.17.0.4", "latest"),
    ]
    assert f"-----> Shutting down old containers in 60 seconds\n       {C}\n" in text_of(said)
    assert not any(" rm " in line and C in line for line in runnable.ran)


def test_at_the_switch_both_sets_are_up(runnable, fired):
    seen = []
    fired.does["core-post-deploy"] = lambda *_: seen.extend(
        [*(container.id for container in containers.registered(APP)), *containers.replaced(APP)]
    )
    deploy.roll_out(APP)
    assert seen == [A, C]
    assert not any("container rm" in line or "container stop" in line for line in runnable.ran)


@pytest.mark.parametrize("stage", ["pre-deploy", "core-post-deploy"])
def test_a_failure_before_the_end_of_the_switch_leaves_the_old_set(runnable, fired, stage):
    """CRS-8"""
    fired.does[stage] = refuse
    with pytest.raises(DokkuError):
        deploy.roll_out(APP)
    assert [container.id for container in containers.registered(APP)] == [C]
    created = any("container create" in line for line in runnable.ran)
    assert retirement.ids(APP) == ([A] if created else [])


def test_a_first_version_that_fails_at_the_switch_is_removed(runnable, fired):
    """CRS-9"""
    containers.adopt(APP, [], [])
    containers.settle(APP)
    fired.does["core-post-deploy"] = refuse
    with pytest.raises(DokkuError):
        deploy.roll_out(APP)
    assert containers.registered(APP) == []
    assert retirement.ids(APP) == []
    assert f"docker container rm --force {A}" in runnable.ran


@pytest.mark.parametrize("stage", ["pre-deploy", "core-post-deploy", "post-deploy"])
def test_the_procfile_and_the_counts_are_those_of_the_version_that_serves(runnable, fired, stage):
    def take_over(*_):
        processes.adopt_files(APP, "web: new\n", "web=1\nworker=0\n")
        if stage == "pre-deploy":
            refuse()

    processes.adopt_files(APP, "web: old\nclock: old\n", None)
    fired.does |= {stage: refuse, "pre-deploy": take_over}
    with pytest.raises(DokkuError):
        deploy.roll_out(APP)
    assert processes.procfile(APP) == {"web": "old", "clock": "old"}
    assert processes.counts(APP) == {"web": 1, "clock": 0}
    assert processes.is_scalable(APP)


def test_a_restart_after_a_kill_has_the_image_of_the_version_that_serves(runnable, fired):
    config.set_values(APP, {"GIT_REV": OLD})
    with records.kept(APP, OLD):
        deploy.roll_out(APP)
    last = release_records.find(APP)
    gone = {"number": last.number + 1, "process_start": "0", "outcome": release_records.DEPLOYING}
    release_records.write(APP, last._replace(**gone, containers=[B]))
    runnable.ran.clear()
    deploy.roll_out(APP)
    created = ["container create" in line for line in runnable.ran].index(True)
    assert "docker image tag -- sha256:1 dokku/blog:latest" in runnable.ran[:created]
    assert release_records.find(APP).number == last.number


def test_a_release_that_another_scheduler_refuses_leaves_the_procfile(shell, fired, asked):
    empty_image(shell)
    processes.adopt_files(APP, "web: old\n", None)
    config.set_values(APP, {"DOKKU_SCHEDULER": "nomad"})

    def take_over_and_fail(*_):
        processes.adopt_files(APP, "web: new\n", None)
        refuse()

    fired.does["scheduler-deploy"] = take_over_and_fail
    with pytest.raises(DokkuError):
        deploy.release(APP)
    assert processes.procfile(APP) == {"web": "old"}


def test_a_failure_after_the_switch_leads_back_to_the_old_set_and_says_so(runnable, fired):
    fired.does["post-deploy"] = refuse
    with pytest.raises(DokkuError) as failed:
        deploy.roll_out(APP)
    assert failed.value.exit_code == 3
    assert [container.id for container in containers.registered(APP)] == [C]
    assert (retirement.ids(APP), containers.is_switching(APP)) == ([A], False)
    assert not any(line.startswith(("docker container stop", "docker container rm")) for line in runnable.ran)
    built = [entry for entry in fired if entry[0] == "proxy-build-config"]
    assert built == [("proxy-build-config", APP)]


def test_a_failure_after_the_switch_keeps_the_new_set_where_the_old_one_was_stopped(runnable, fired):
    config.set_values(APP, {"DOKKU_CHECKS_DISABLED": "web"})
    fired.does["post-deploy"] = refuse
    with pytest.raises(DokkuError):
        deploy.roll_out(APP)
    assert [container.id for container in containers.registered(APP)] == [A]
    assert retirement.ids(APP) == [C]
    assert f"docker container rm --force --volumes {A}" not in runnable.ran


@pytest.mark.parametrize(
    "line",
    [
        "docker container rm …",
        "docker image prune …",
    ],
)
def test_a_docker_that_cannot_clear_up_fails_no_deploy_that_is_done(runnable, fired, said, line):
    """DKR-9"""
    config.set_values(APP, {"DOKKU_WAIT_TO_RETIRE": "0"})
    runnable.answers(line, err="Error response from daemon: device busy\n", status=1)
    deploy.roll_out(APP)
    assert [container.id for container in containers.registered(APP)] == [A]
    assert text_of(said, 2).endswith("device busy\n")


def test_a_garbled_list_of_the_retired_blocks_no_deploy(runnable):
    path = os.path.join(settings.data("scheduler-docker-local"), "dead-containers")
    files.replace(path, f"blog ../x 0\nblog -f 0\n{APP} {B}")
    deploy.roll_out(APP)
    assert [container.id for container in containers.registered(APP)] == [A]
    assert not any("../x" in line or " -f" in line for line in runnable.ran)


def test_a_garbled_journal_blocks_no_deploy_and_removes_nobody(runnable):
    files.replace(os.path.join(settings.data("scheduler-docker-local", APP), "switching.json"), "{{")
    runnable.answers("docker container ls …", out=f"{B} deploy\n{C} deploy\n")
    deploy.roll_out(APP)
    assert [container.id for container in containers.registered(APP)] == [A]
    assert retirement.ids(APP) == [C]
    assert not any("container rm" in line for line in runnable.ran)


def test_an_app_that_wants_no_containers_gets_none(runnable, fired):
    files.replace(os.path.join(settings.app_dir(APP), "DOKKU_SCALE"), "web=0\n")
    deploy.roll_out(APP)
    assert containers.registered(APP) == []
    assert retirement.ids(APP) == [C]
    assert ("core-post-deploy", APP, "", "", "latest") in fired


def test_one_type_is_replaced_while_the_others_serve_on(runnable, fired):
    worker = Container(APP, "worker", 1, B)
    containers.adopt(APP, [Container(APP, "web", 1, C), worker], [])
    containers.settle(APP)
    files.replace(os.path.join(settings.app_dir(APP), "DOKKU_SCALE"), "web=1\nworker=1\n")
    deploy.roll_out(APP, only="worker")
    assert [container.id for container in containers.registered(APP)] == [C, A]
    assert retirement.ids(APP) == [B]


def test_a_release_of_one_type_says_so_to_the_scheduler(shell, fired, asked):
    empty_image(shell)
    deploy.release(APP, process="worker")
    assert ("scheduler-deploy", "docker-local", APP, "latest", "worker") in fired


def test_an_image_of_another_repository_is_deployed_from_there(shell, fired, asked):
    asked["deployed-app-repository"] = "registry.example.com/"
    asked["deployed-app-image-tag"] = "7"
    assert images.deploying_name(APP, "latest") == "registry.example.com/dokku/blog:7"


def test_rolling_out_waits_for_no_lock(runnable, fired):
    locks.lock_manually(APP)
    with pytest.raises(Locked):
        deploy.roll_out(APP)
    assert runnable.ran == []
