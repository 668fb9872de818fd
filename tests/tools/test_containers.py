"""Containers of an app among those of others, with real docker: only the app's own are ever touched."""

import io
import os
import re
import shutil
import subprocess
import tarfile
import threading

import pytest

from lib.base import files, log, settings
from lib.runtime import cleanup, containers, launch, listeners, retirement
from lib.runtime.containers import Container
from lib.tools import docker

MARK = f"dokku-tools-containers={os.getpid()}"
APP = f"t{os.getpid()}.a"
LOOKS_LIKE_IT = APP.replace(".", "x")

pytestmark = pytest.mark.skipif(
    shutil.which("busybox") is None
    or shutil.which("docker") is None
    or subprocess.run(["docker", "info"], capture_output=True).returncode != 0,
    reason="there is no docker, or no busybox to run in it",
)


@pytest.fixture(scope="module")
def image():
    """An image of a static busybox; nothing of ours is left when the tests are over."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        archive.add(os.path.realpath(shutil.which("busybox")), "bin/busybox")
    made = subprocess.run(
        ["docker", "import", "--change", f"LABEL {MARK}", "-"],
        input=layer.getvalue(),
        capture_output=True,
        check=True,
    ).stdout
    yield made.decode().strip()
    for kind, remove in (("container ls --all", "container rm -f"), ("image ls --all", "image rm -f")):
        words = ["docker", *kind.split(), "--quiet", "--no-trunc", f"--filter=label={MARK}"]
        found = subprocess.run(words, capture_output=True, check=True).stdout.decode().split()
        if found:
            subprocess.run(["docker", *remove.split(), *set(found)], capture_output=True, check=False)


@pytest.fixture
def make(image):
    """Create a container with some labels; it sleeps when started."""
    os.makedirs(settings.app_dir(APP), exist_ok=True)

    def create(labels, name="", start=False):
        labels = {**dict([MARK.split("=")]), **labels}
        id_ = docker.create(name, image, ["/bin/busybox", "sleep", "600"], labels, ["--init"])
        if start:
            docker.start(id_)
        return id_

    with log.collected():
        yield create


def alive(*ids):
    return {known["Id"] for known in docker.inspect(*ids)}


@pytest.fixture
def strangers(make):
    """Containers that look almost like the app's."""
    ours = containers.labels(APP, "web", 1)
    return [
        make({}),
        make({"dokku": ""}),
        make({**ours, "com.dokku.app-name": LOOKS_LIKE_IT}),
        make({**ours, "com.dokku.app-name": f"{APP}2"}),
        make({**ours, "com.dokku.app-name": APP[:-1]}),
        make({**ours, "com.dokku.container-type": "run"}),
        make({key: value for key, value in ours.items() if key != "com.dokku.container-type"}),
        make({key: value for key, value in ours.items() if key != "com.dokku.app-name"}),
    ]


def test_only_lost_containers_of_the_app_are_removed(make, strangers):
    """DKR-5"""
    labels = containers.labels(APP, "web", 1)
    serving, replaced, waiting, lost, running = (make(labels) for _ in range(5))
    peek = make({**labels, "com.dokku.container-type": "peek"})
    docker.start(running)
    containers.adopt(APP, [Container(APP, "web", 1, serving)], [replaced])
    retirement.register(APP, [waiting], 600)
    containers.remove_orphans(APP, spared=retirement.ids(APP))
    assert alive(lost, running, peek) == set()
    kept = {serving, replaced, waiting, *strangers}
    assert alive(*kept) == kept


def test_a_damaged_journal_and_a_damaged_pointer_save_everybody(make):
    """CRS-5"""
    serving = make(containers.labels(APP, "web", 1), start=True)
    journal = os.path.join(settings.data("scheduler-docker-local", APP), "switching.json")
    for path in (journal, os.path.join(settings.app_dir(APP), "CONTAINER.web.1")):
        files.replace(path, '{"new": [["web"')
        containers.remove_orphans(APP, spared=[])
        assert alive(serving) == {serving}
        files.remove(path)
    containers.remove_orphans(APP, spared=[])
    assert alive(serving) == set()


def test_destroying_takes_all_of_the_app_and_nobody_else(make, strangers):
    """DKR-5"""
    ours = [make(containers.labels(APP, "web", 1)), strangers[5], strangers[6]]
    containers.remove_all(APP)
    assert alive(*ours) == set()
    others = {id_ for id_ in strangers if id_ not in ours}
    assert alive(*others) == others


def test_a_container_of_another_app_has_no_state_and_no_listener(make):
    other = make({**containers.labels(APP, "web", 1), "com.dokku.app-name": LOOKS_LIKE_IT}, start=True)
    nobody = make({}, start=True)
    mine = make(containers.labels(APP, "web", 3), start=True)
    serving = [
        Container(APP, "web", number, id_, "", "5000") for number, id_ in enumerate((other, nobody, mine), 1)
    ]
    containers.adopt(APP, serving, [])
    assert containers.states(serving).keys() == {mine}
    assert len(listeners.of(APP)) == 1


def test_names_are_taken_from_the_apps_own_containers_only(make):
    """DKR-10"""
    plain = f"{LOOKS_LIKE_IT}.web.1"
    other = make({**containers.labels(LOOKS_LIKE_IT, "web", 1)}, name=plain)
    old = make(containers.labels(APP, "web", 1), name=f"{APP}.web.1")
    new = make(containers.labels(APP, "web", 1), name=f"{APP}.web.1.upcoming-1")
    containers.adopt(APP, [Container(APP, "web", 1, new)], [old])
    launch.rename(APP)
    names = {known["Id"]: known["Name"].removeprefix("/") for known in docker.inspect(other, old, new)}
    assert (names[other], names[new]) == (plain, f"{APP}.web.1")
    assert names[old].startswith(f"{APP}.web.1.")


def test_a_name_goes_there_and_back_within_a_second(make):
    """The version before takes its names back when a task fails at once after the switch."""
    old = make(containers.labels(APP, "web", 9), name=f"{APP}.web.9")
    new = make(containers.labels(APP, "web", 9), name=f"{APP}.web.9.upcoming-1")
    for serving, other in ((new, old), (old, new), (new, old)):
        containers.adopt(APP, [Container(APP, "web", 9, serving)], [])
        launch.rename(APP)
        names = {known["Id"]: known["Name"].removeprefix("/") for known in docker.inspect(old, new)}
        assert names[serving] == f"{APP}.web.9"
        assert re.fullmatch(rf"{APP}\.web\.9\.[0-9]+", names[other])


def test_a_name_that_a_stranger_has_fails_nothing(make):
    """DKR-10"""
    stranger = make({}, name=f"{APP}.web.7")
    new = make(containers.labels(APP, "web", 7), name=f"{APP}.web.7.upcoming-1")
    containers.adopt(APP, [Container(APP, "web", 7, new)], [])
    launch.rename(APP)
    names = {known["Id"]: known["Name"].removeprefix("/") for known in docker.inspect(stranger, new)}
    assert names == {stranger: f"{APP}.web.7", new: f"{APP}.web.7.upcoming-1"}


def test_jobs_that_retire_at_the_same_time_leave_nothing_behind(make):
    leaving = [make(containers.labels(APP, "web", 1), start=True) for _ in range(3)]
    retirement.register(APP, leaving, 0)
    failures = []

    def retire():
        try:
            retirement.work_off(APP, stop_timeout=1)
        except Exception as error:
            failures.append(error)

    jobs = [threading.Thread(target=retire) for _ in range(4)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert failures == []
    assert alive(*leaving) == set()
    assert retirement.entries() == []


def test_what_is_gone_already_is_retired(make):
    gone = make(containers.labels(APP, "web", 1))
    docker.remove(gone)
    retirement.register(APP, [gone, "0" * 64], 0)
    retirement.work_off(APP)
    assert retirement.entries() == []


def test_cleaning_up_spares_what_serves_and_what_is_no_apps(make):
    """DKR-5, LEAK-2"""
    serving = make(containers.labels(APP, "web", 1))
    ended = make({**containers.labels(APP, "web", 1), "com.dokku.container-type": "run"})
    database = make({"dokku": "service", "dokku.service": "postgres"})
    for id_ in (serving, ended, database):
        docker.start(id_)
    docker.stop(serving, ended, database, patience=0)
    cleanup.clean(APP)
    assert alive(serving, ended, database) == {serving, database}
