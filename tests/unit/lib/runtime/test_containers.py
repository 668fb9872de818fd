"""Which containers serve an app, whatever a crash or a hand left in its files."""

import errno
import json
import os

import pytest

from lib.base import files, log, settings
from lib.base.errors import DokkuError
from lib.runtime import containers
from lib.runtime.containers import Container

APP = "blog"
A, B, C, D = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)
WEB = Container(APP, "web", 1, A, "172.17.0.2", "5000")
WORKER = Container(APP, "worker", 1, B, "172.17.0.3", "5000")


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


@pytest.fixture
def full_disk(monkeypatch):
    """From its call on, no file can be written."""

    def fill():
        def fail(*_args, **_more):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr("lib.base.files.replace", fail)

    return fill


def pointer(name):
    return os.path.join(settings.app_dir(APP), name)


def pointers():
    names = sorted(os.listdir(settings.app_dir(APP)))
    return {
        name: files.read(pointer(name)) for name in names if name.split(".")[0] in ("CONTAINER", "IP", "PORT")
    }


def journal():
    return os.path.join(settings.data("scheduler-docker-local", APP), "switching.json")


def known(id_, labels=None, running=True, ip="172.17.0.9", **more):
    return {
        "Id": id_,
        "Name": "/blog.web.1",
        "Image": "sha256:1",
        "RestartCount": 2,
        "State": {"Status": "running" if running else "exited", "Running": running, "StartedAt": "now"},
        "Config": {"Labels": {"com.dokku.app-name": APP} if labels is None else labels},
        "HostConfig": {"NetworkMode": "default"},
        "NetworkSettings": {"IPAddress": ip},
        **more,
    }


def inspected(shell, *answers):
    shell.answers("docker container inspect …", out="".join(f"{json.dumps(answer)}\n" for answer in answers))


def test_what_was_adopted_and_settled_is_registered():
    containers.adopt(APP, [WORKER, WEB], [])
    containers.settle(APP)
    assert containers.registered(APP) == [WEB, WORKER]
    assert pointers() == {
        "CONTAINER.web.1": f"{A}\n",
        "CONTAINER.worker.1": f"{B}\n",
        "IP.web.1": "172.17.0.2",
        "IP.worker.1": "172.17.0.3",
        "PORT.web.1": "5000",
        "PORT.worker.1": "5000",
    }
    assert not containers.is_switching(APP)


def test_an_app_without_files_or_without_a_directory_has_no_containers():
    assert containers.registered(APP) == []
    assert containers.registered("gone") == []
    assert containers.replaced(APP) == []


def test_containers_stand_in_the_order_of_process_and_number():
    ten = [Container(APP, "web", index, f"{index:064x}", "", "") for index in (10, 2, 1)]
    containers.adopt(APP, ten, [])
    assert [container.index for container in containers.registered(APP)] == [1, 2, 10]


def test_a_single_file_of_old_releases_is_a_web_container():
    files.replace(pointer("CONTAINER"), A)
    files.replace(pointer("PORT"), "3000\n")
    assert containers.registered(APP) == [Container(APP, "web", 1, A, "", "3000")]


@pytest.mark.parametrize(
    "name",
    [
        *("CONTAINER.web", "CONTAINER.web.1.bak", "CONTAINER.web.x", "CONTAINER.web.-1", "CONTAINER..1"),
        *("CONTAINER.a b.1", "CONTAINER.web.", "CONTAINERS.web.1", "IP.web.1", "CONTAINER.web.1e9"),
    ],
)
def test_a_file_of_another_name_names_no_container(name):
    files.replace(pointer(name), A)
    assert containers.registered(APP) == []


GARBAGE = [
    "",
    "\n",
    "not an id",
    "-f",
    "../x",
    f"{A} {B}",
    A.upper(),
    "a" * 65,
    "a" * 11,
    "\0" * 64,
    "\udcff",
]


@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_pointer_with_garbage_hides_no_other(garbage):
    containers.adopt(APP, [WEB, WORKER], [])
    containers.settle(APP)
    files.replace(pointer("CONTAINER.web.1"), garbage)
    assert containers.registered(APP) == [WORKER]


def test_a_directory_in_a_pointers_place_hides_no_other():
    containers.adopt(APP, [WEB, WORKER], [])
    containers.settle(APP)
    os.unlink(pointer("CONTAINER.web.1"))
    os.mkdir(pointer("CONTAINER.web.1"))
    assert containers.registered(APP) == [WORKER]


def test_during_a_switch_the_journal_counts():
    containers.adopt(APP, [WEB], [])
    containers.settle(APP)
    new = WEB._replace(id=C)
    containers.adopt(APP, [new], [A])
    os.unlink(pointer("CONTAINER.web.1"))
    assert containers.registered(APP) == [new]
    assert containers.replaced(APP) == [A]
    assert containers.is_switching(APP)
    containers.settle(APP)
    assert containers.replaced(APP) == []


def test_a_switch_that_breaks_off_before_its_journal_changes_nothing(monkeypatch):
    """CRS-4"""
    containers.adopt(APP, [WEB], [])
    containers.settle(APP)
    before = pointers()
    monkeypatch.setattr("lib.base.files.os.replace", _fail)
    with pytest.raises(OSError, match="boom"):
        containers.adopt(APP, [WEB._replace(id=C)], [A])
    assert pointers() == before
    assert containers.registered(APP) == [WEB]


def test_a_switch_that_breaks_off_after_its_journal_has_both_sets(monkeypatch):
    """CRS-4"""
    containers.adopt(APP, [WEB], [])
    containers.settle(APP)
    monkeypatch.setattr("lib.base.signals.failpoint", _fail)
    with pytest.raises(OSError, match="boom"):
        containers.adopt(APP, [WEB._replace(id=C)], [A])
    assert [container.id for container in containers.registered(APP)] == [C]
    assert containers.replaced(APP) == [A]


def _fail(*_):
    raise OSError("boom")


TORN = [
    "",
    "{",
    '{"new": [["web", 1, "',
    "null",
    "[]",
    "7",
    '"new"',
    "{}",
    '{"new": []}',
    '{"old": []}',
    '{"new": 1, "old": []}',
    '{"new": [], "old": 1}',
    '{"new": [], "old": null}',
    '{"new": [], "old": [1]}',
    '{"new": [], "old": ["-f"]}',
    '{"new": [1], "old": []}',
    '{"new": [[]], "old": []}',
    '{"new": [["web", 1]], "old": []}',
    '{"new": [["web", 1, "../x"]], "old": []}',
    '{"new": [["web", 1, null]], "old": []}',
    f'{{"new": [["../x", 1, "{A}"]], "old": []}}',
    f'{{"new": [["web", "x", "{A}"]], "old": []}}',
    f'{{"new": [["web", Infinity, "{A}"]], "old": []}}',
    f'{{"new": [["web", NaN, "{A}"]], "old": []}}',
    f'{{"new": [["web", 1, "{A}", "", "", "", "", ""]], "old": []}}',
    "[" * 100_000,
    "\0" * 30,
    "\udcff",
]


@pytest.mark.parametrize("torn", TORN, ids=range(len(TORN)))
def test_a_journal_that_cannot_be_read_leaves_the_pointers_in_force(torn):
    """CRS-5"""
    containers.adopt(APP, [WEB], [])
    containers.settle(APP)
    files.replace(journal(), torn)
    assert containers.registered(APP) == [WEB]
    assert containers.replaced(APP) == []
    assert not containers.is_switching(APP)


@pytest.mark.parametrize("torn", TORN, ids=range(len(TORN)))
def test_nothing_is_removed_under_a_journal_that_cannot_be_read(shell, said, torn):
    containers.adopt(APP, [WEB], [])
    containers.settle(APP)
    files.replace(journal(), torn)
    shell.answers("docker container ls …", out=f"{C} deploy\n")
    containers.remove_orphans(APP, spared=[])
    assert shell.ran == []
    assert journal().encode() in said[-1][1]


@pytest.mark.parametrize("garbage", GARBAGE)
def test_nothing_is_removed_while_a_pointer_holds_garbage(shell, said, garbage):
    """CRS-5"""
    containers.adopt(APP, [WEB], [])
    containers.settle(APP)
    files.replace(pointer("CONTAINER.web.1"), garbage)
    containers.remove_orphans(APP, spared=[])
    assert shell.ran == []
    assert [stream for stream, _ in said] == [2]
    assert pointer("CONTAINER.web.1").encode() in said[0][1]


def test_the_next_switch_mends_what_was_damaged(shell):
    files.replace(journal(), "{")
    files.replace(pointer("CONTAINER.web.1"), "garbage")
    files.replace(pointer("CONTAINER.web.2"), "garbage")
    containers.adopt(APP, [WEB], [])
    containers.settle(APP)
    assert containers.registered(APP) == [WEB]
    containers.remove_orphans(APP, spared=[])
    assert len(shell.ran) == 1


def test_only_the_apps_own_lost_containers_are_removed(shell):
    containers.adopt(APP, [WEB], [B])
    other, run, unknown = ("".join(letter * 64) for letter in "ef0")
    kinds = {A: "deploy", B: "deploy", C: "deploy", D: "peek", other: "deploy", run: "run", unknown: ""}
    shell.answers("docker container ls …", out="".join(f"{id_} {kind}\n" for id_, kind in kinds.items()))
    containers.remove_orphans(APP, spared=[other])
    shape = "'--format={{.ID}} {{.Label \"com.dokku.container-type\"}}'"
    assert shell.ran == [
        f"docker container ls --no-trunc --all {shape} --filter=label=com.dokku.app-name={APP}",
        f"docker container update --restart=no {C} {D}",
        f"docker container rm --force --volumes {C} {D}",
    ]


def test_what_is_spared_stays_and_nothing_is_asked_of_docker_for_nothing(shell):
    containers.adopt(APP, [WEB], [])
    shell.answers("docker container ls …", out=f"{A} deploy\n{C} deploy\n")
    containers.remove_orphans(APP, spared=[C])
    assert [call.argv[2] for call in shell.calls] == ["ls"]


def test_withdrawing_puts_the_pointers_back():
    containers.adopt(APP, [WEB, WORKER], [])
    containers.settle(APP)
    before = pointers()
    containers.adopt(APP, [WEB._replace(id=C), WEB._replace(id=D, index=2)], [A, B])
    containers.withdraw(APP, [WEB, WORKER], [])
    assert pointers() == before
    assert not os.path.exists(journal())


def test_withdrawing_a_first_deploy_leaves_no_pointer():
    containers.adopt(APP, [WEB], [])
    containers.withdraw(APP, [], [])
    assert pointers() == {}
    assert containers.registered(APP) == []
    assert not containers.is_switching(APP)


def test_withdrawing_keeps_in_mind_what_an_earlier_kill_had_left():
    containers.adopt(APP, [WEB], [B])
    containers.adopt(APP, [WEB._replace(id=C)], [A, B])
    containers.withdraw(APP, [WEB], [B])
    assert containers.registered(APP) == [WEB]
    assert containers.replaced(APP) == [B]


def test_a_full_disk_before_the_switch_leaves_the_old_set(full_disk):
    """ENV-1"""
    containers.adopt(APP, [WEB], [])
    containers.settle(APP)
    full_disk()
    with pytest.raises(OSError, match="No space"):
        containers.adopt(APP, [WEB._replace(id=C)], [A])
    containers.withdraw(APP, [WEB], [])
    assert containers.registered(APP) == [WEB]


def test_a_full_disk_at_the_withdrawal_leaves_the_new_set_registered(full_disk):
    containers.adopt(APP, [WEB], [])
    containers.settle(APP)
    new = WEB._replace(id=C)
    containers.adopt(APP, [new], [A])
    full_disk()
    with pytest.raises(OSError, match="No space"):
        containers.withdraw(APP, [WEB], [])
    assert containers.registered(APP) == [new]
    assert containers.replaced(APP) == [A]


def test_the_set_has_changed_when_other_containers_serve():
    containers.adopt(APP, [WEB], [])
    before = containers.registered(APP)
    assert not containers.differ(APP, before)
    containers.adopt(APP, [WEB._replace(id=C)], [A])
    assert containers.differ(APP, before)


def test_all_states_come_from_one_question(shell):
    inspected(shell, known(A), known(B, running=False))
    states = containers.states([WEB, WORKER])
    assert [states[A].running, states[B].running, states[B].status] == [True, False, "exited"]
    assert states[A][:5] == (A, APP, "web", 1, "blog.web.1")
    assert (states[A].restarts, states[A].ip, states[A].image) == (2, "172.17.0.9", "sha256:1")
    assert len(shell.ran) == 1


def test_no_containers_need_no_question(shell):
    assert containers.states([]) == {}
    assert shell.ran == []


@pytest.mark.parametrize("labels", [{"com.dokku.app-name": "other"}, {}, {"dokku": ""}])
def test_a_container_of_another_app_or_of_nobody_is_not_ours(shell, labels):
    inspected(shell, known(A, labels))
    assert containers.states([WEB]) == {}


def test_a_container_without_any_labels_is_not_ours(shell):
    inspected(shell, {**known(A), "Config": {"Labels": None}}, {**known(B), "Config": {}})
    assert containers.states([WEB, WORKER]) == {}


def test_a_container_that_docker_restarts_does_not_run(shell):
    inspected(
        shell, known(A, State={"Status": "restarting", "Running": True, "Restarting": True, "StartedAt": ""})
    )
    assert not containers.states([WEB])[A].running


def test_where_a_container_is_comes_with_its_state(shell):
    networks = {"bridge": {"IPAddress": "172.17.0.9"}, "mine": {"IPAddress": "10.1.0.2"}, "new": {}}
    inspected(
        shell,
        known(A, Config={"Labels": {"com.dokku.app-name": APP}, "Hostname": "box"})
        | {"NetworkSettings": {"IPAddress": "172.17.0.9", "Networks": networks}},
    )
    state = containers.states([WEB])[A]
    assert (state.ip, state.hostname) == ("172.17.0.9", "box")
    assert state.networks == {"bridge", "mine", "new"}
    assert len(shell.ran) == 1


def test_drivers_are_asked_for_once_and_only_where_they_decide(shell):
    networks = {"a": {"IPAddress": "10.1.0.2"}, "b": {"IPAddress": "10.2.0.2"}}
    there = {"NetworkSettings": {"IPAddress": "", "Networks": networks}}
    inspected(shell, known(A) | there, known(B) | there)
    containers.states([WEB, WORKER])
    asked = [line for line in shell.ran if "network ls" in line]
    assert len(shell.ran) == 2
    assert len(asked) == 1


def test_a_container_that_moved_is_noted_where_it_is_now():
    containers.adopt(APP, [WEB, WORKER], [])
    containers.settle(APP)
    assert containers.note_addresses(APP, {A: "172.17.0.99", B: WORKER.ip, C: "10.0.0.1"})
    assert containers.registered(APP) == [WEB._replace(ip="172.17.0.99"), WORKER]
    assert not containers.note_addresses(APP, {A: "172.17.0.99", B: ""})
    assert containers.registered(APP) == [WEB._replace(ip="172.17.0.99"), WORKER]


def test_nothing_is_noted_between_two_sets_of_containers():
    containers.adopt(APP, [WEB], [C])
    assert not containers.note_addresses(APP, {A: "172.17.0.99"})
    assert containers.registered(APP) == [WEB]


def test_every_container_is_marked_as_the_apps():
    """DKR-5"""
    assert containers.labels(APP, "web", 2) == {
        "org.label-schema.schema-version": "1.0",
        "org.label-schema.vendor": "dokku",
        "dokku": "",
        "com.dokku.app-name": APP,
        "com.dokku.container-type": "deploy",
        "com.dokku.process-type": "web",
        "com.dokku.dyno": "web.2",
    }


def test_what_is_stopped_does_not_come_back(shell):
    containers.stop([WEB, WORKER], patience=7)
    assert shell.ran == [
        f"docker container update --restart=no {A} {B}",
        f"docker container stop -t 7 {A} {B}",
    ]


def test_stopping_nothing_starts_nothing(shell):
    containers.stop([], patience=7)
    assert shell.ran == []


def test_only_sleeping_containers_are_started_and_all_at_once(shell):
    containers.adopt(APP, [WEB, WORKER, Container(APP, "web", 2, C)], [])
    asleep = [known(A, running=False), known(B), known(C, running=False)]
    shell.answers("docker container inspect …", out="".join(f"{json.dumps(one)}\n" for one in asleep))
    awake = [known(id_) for id_ in (A, B, C)]
    shell.answers("docker container inspect …", out="".join(f"{json.dumps(one)}\n" for one in awake))
    assert containers.start_registered(APP)
    assert shell.ran[1] == f"docker container start {A} {C}"


def test_an_app_that_lost_a_container_is_not_started(shell):
    containers.adopt(APP, [WEB, WORKER], [])
    inspected(shell, known(A, running=False))
    assert not containers.start_registered(APP)
    assert len(shell.ran) == 1


def test_an_app_without_containers_is_not_started(shell):
    assert not containers.start_registered(APP)
    assert shell.ran == []


def test_removing_all_takes_what_is_not_registered_too(shell):
    containers.adopt(APP, [WEB], [B])
    shell.answers("docker container ls …", out=f"{A}\n{B}\n{C}\n")
    containers.remove_all(APP)
    assert shell.ran == [
        f"docker container ls --quiet --no-trunc --all --filter=label=com.dokku.app-name={APP}",
        f"docker container rm --force --volumes {A} {B} {C}",
    ]
    assert pointers() == {}
    assert not os.path.exists(journal())


def test_removing_all_of_an_app_without_a_directory_makes_none(shell):
    containers.remove_all("gone")
    assert not os.path.exists(settings.app_dir("gone"))


def test_a_docker_that_is_down_is_no_app_without_containers(shell):
    """DKR-6"""
    containers.adopt(APP, [WEB], [])
    shell.answers("docker …", err="Cannot connect to the Docker daemon\n", status=1)
    for ask in (containers.start_registered, containers.remove_all):
        with pytest.raises(DokkuError, match="Unable to reach"):
            ask(APP)
    assert containers.registered(APP) == [WEB]
