"""The docker wrapper against a real daemon: what is there, what is gone, and what docker answers then."""

import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading

import pytest

from lib.base.errors import DokkuError, ToolFailed
from lib.tools import docker, docker_builds

MARK = f"dokku-tools-test={os.getpid()}"
LABELS = dict([MARK.split("=")])
NOWHERE = "0" * 64

pytestmark = pytest.mark.skipif(
    shutil.which("busybox") is None
    or shutil.which("docker") is None
    or subprocess.run(["docker", "info"], capture_output=True).returncode != 0,
    reason="there is no docker, or no busybox to run in it",
)


@pytest.fixture(scope="module", autouse=True)
def image():
    """An image of a static busybox; nothing of ours is left when the tests are over."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        archive.add(os.path.realpath(shutil.which("busybox")), "bin/busybox")
        archive.addfile(_member("bin/sh", tarfile.SYMTYPE, linkname="busybox"))
        archive.addfile(_member("etc/greeting", size=6), io.BytesIO(b"hello\n"))
        archive.addfile(_member("etc/link", tarfile.SYMTYPE, linkname="greeting"))
        archive.addfile(_member("loop", tarfile.SYMTYPE, linkname="loop"))
    made = _docker("import", "--change", f"LABEL {MARK}", "-", input=layer.getvalue()).strip()
    yield made
    for kind, remove in (("container ls --all", "container rm -f"), ("image ls --all", "image rm -f")):
        found = _docker(*kind.split(), "--quiet", "--no-trunc", f"--filter=label={MARK}").split()
        if found:
            subprocess.run(["docker", *remove.split(), *set(found)], capture_output=True, check=False)


@pytest.fixture
def container(image):
    """A container that was made and not started."""
    return make(image, "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")


def make(image, *command, options=()):
    return docker.create("", image, list(command), LABELS, list(options))


def _member(name, type_=tarfile.REGTYPE, size=0, linkname=""):
    member = tarfile.TarInfo(name)
    member.type, member.size, member.linkname, member.mode = type_, size, linkname, 0o755
    return member


def _docker(*words, input=None):
    return subprocess.run(["docker", *words], input=input, capture_output=True, check=True).stdout.decode()


def test_a_container_is_made_known_and_removed(container):
    assert len(container) == 64
    assert docker.inspect(NOWHERE, container)[0]["Config"]["Labels"].items() >= LABELS.items()
    assert docker.containers(f"label={MARK}", "status=created") == [container]
    docker.remove(container)
    assert docker.inspect(container) == []
    assert docker.containers(f"label={MARK}") == []


def test_a_container_starts_and_stops(container):
    docker.start(container)
    assert docker.containers(f"label={MARK}", all_=False) == [container]
    docker.never_restart(container, NOWHERE)
    docker.stop(container, NOWHERE, patience=5)
    state = docker.inspect(container)[0]
    assert (state["State"]["Running"], state["HostConfig"]["RestartPolicy"]["Name"]) == (False, "no")
    docker.remove(container)


def test_what_is_gone_can_be_stopped_and_removed_again():
    docker.never_restart(NOWHERE)
    docker.stop(NOWHERE, patience=1)
    docker.remove(NOWHERE)


def test_two_that_remove_the_same_container_both_succeed(image):
    victims = [make(image, "sh", "-c", "while :; do sleep 1; done") for _ in range(3)]
    docker.start(*victims)
    failures = []

    def remove():
        try:
            docker.never_restart(*victims)
            docker.remove(*victims)
        except DokkuError as error:
            failures.append(error.text)

    threads = [threading.Thread(target=remove) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert docker.inspect(*victims) == []


def test_many_that_prune_at_the_same_time_all_succeed():
    failures = []

    def prune():
        try:
            docker.prune_images("dangling=true", f"label=none-of-{MARK}")
        except DokkuError as error:
            failures.append(error.text)

    threads = [threading.Thread(target=prune) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_word_that_is_no_id_is_refused_and_not_taken_for_something_gone():
    """RUN-2"""
    with pytest.raises(ToolFailed):
        docker.never_restart("../x")


def test_a_name_can_be_had_once(image, container):
    docker.rename(container, f"dokku-tools-{os.getpid()}")
    with pytest.raises(ToolFailed):
        docker.rename(make(image, "true"), f"dokku-tools-{os.getpid()}")


def test_a_file_comes_out_as_an_archive(container):
    with tarfile.open(fileobj=io.BytesIO(docker.copy_out(container, "/etc/greeting"))) as archive:
        assert archive.extractfile("greeting").read() == b"hello\n"


def test_containers_are_told_apart_by_a_label(container):
    ((key, value),) = LABELS.items()
    assert docker.labelled(key, f"label={MARK}")[container] == value
    assert docker.labelled("no.such.label", f"label={MARK}")[container] == ""


def test_a_link_comes_out_as_a_link(container):
    """DKR-4"""
    with tarfile.open(fileobj=io.BytesIO(docker.copy_out(container, "/etc/link"))) as archive:
        assert archive.getmembers()[0].issym()


@pytest.mark.parametrize("path", ["/none", "/none/none", "/etc/greeting/none", "/loop/none"])
def test_a_file_that_is_not_there_is_none(container, path):
    assert docker.copy_out(container, path) is None


def test_a_file_of_a_container_that_is_gone_is_a_failure():
    with pytest.raises(DokkuError, match="No such container"):
        docker.copy_out(NOWHERE, "/etc/greeting")


def test_an_image_is_built_without_a_name_and_says_its_lines(image, tmp_path):
    docker.tag(image, f"dokku-tools-base:{os.getpid()}")
    (tmp_path / "tree").mkdir()
    text = f"FROM dokku-tools-base:{os.getpid()}\nARG WORD\nLABEL word=$WORD\nEXPOSE 3000 4000/udp\n"
    (tmp_path / "tree/Dockerfile").write_text(text)
    lines = []
    options = ["--build-arg=WORD=two words"]
    docker_builds.build(
        str(tmp_path / "tree"),
        "",
        str(tmp_path / "id"),
        LABELS,
        options,
        lines.append,
        {},
        with_buildkit=False,
    )
    built = (tmp_path / "id").read_text().strip()
    known = docker.inspect_images(built)[0]
    assert (known["RepoTags"], known["Config"]["Labels"]["word"]) == ([], "two words")
    assert known["Config"]["Labels"].items() >= LABELS.items()
    assert sorted(known["Config"]["ExposedPorts"]) == ["3000/tcp", "4000/udp"]
    assert any(b"FROM" in line for line in lines)
    assert built in docker.images(f"label={MARK}", "dangling=true")
    docker.prune_images("dangling=true", f"label={MARK}", "label=word=two words")
    assert docker.inspect_images(built) == []


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_lost_terminal_leaves_no_container_behind(image, tmp_path, number):
    """The whole process group hears of it, docker's client too, and docker is not asked twice to create."""
    client = tmp_path / "docker"
    hang_up = f'case "$2" in create) env kill -{number.value} -- "-$DOKKU_GROUP"; sleep 0.2 ;; esac'
    client.write_text(f'#!/bin/sh\nsaid="$({shutil.which("docker")} "$@")"\n{hang_up}\necho "$said"\n')
    client.chmod(0o755)
    label = f"hung-up-by-{number.value}={os.getpid()}"
    script = f"""
import os
from lib.base import signals
from lib.tools import docker
os.environ["DOKKU_GROUP"] = str(os.getpgrp())
signals.install()
docker.create("", "{image}", ["sh"], {LABELS | dict([label.split("=")])}, [])
"""
    argv = [sys.executable, "-c", script]
    env = {**os.environ, "DOCKER_BIN": str(client), "PYTHONPATH": os.getcwd()}
    done = subprocess.run(argv, env=env, start_new_session=True, capture_output=True, text=True, check=False)
    assert done.stderr.rstrip().endswith("lib.base.errors.Interrupted"), done
    assert docker.containers(f"label={label}") == []


def test_labels_change_nothing_else_about_an_image(image, tmp_path):
    name = f"dokku-tools-labelled:{os.getpid()}"
    given = {**LABELS, "com.dokku.note": 'a $HOME "quoted" \\ value', "empty": ""}
    docker.tag(image, f"dokku-tools-base:{os.getpid()}")
    (tmp_path / "tree").mkdir()
    text = f"FROM dokku-tools-base:{os.getpid()}\nENV A=b\nWORKDIR /srv\nEXPOSE 80\nUSER 7\nCMD npm start\n"
    (tmp_path / "tree/Dockerfile").write_text(text)
    docker_builds.build(
        str(tmp_path / "tree"), "", str(tmp_path / "id"), LABELS, [], lambda _: None, {}, with_buildkit=False
    )
    before = docker.inspect_images((tmp_path / "id").read_text().strip())[0]
    try:
        docker.label(before["Id"], name, given)
        once = docker.inspect_images(name)[0]
        docker.label(before["Id"], name, given)
        again = docker.inspect_images(name)[0]
    finally:
        docker.remove_image(name)
        docker.remove_image(before["Id"])
    assert once["Config"]["Labels"].items() >= given.items()
    assert len(once["RootFS"]["Layers"]) == len(before["RootFS"]["Layers"])
    for key in ("Cmd", "Env", "WorkingDir", "ExposedPorts", "User"):
        assert once["Config"][key] == before["Config"][key]
    assert not once["Config"].get("Entrypoint")
    assert again["Id"] == once["Id"]
    assert again["Metadata"]["LastTagTime"] > once["Metadata"]["LastTagTime"]


def test_a_build_that_fails_leaves_no_id(tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/Dockerfile").write_text("NONSENSE\n")
    with pytest.raises(ToolFailed):
        docker_builds.build(
            str(tmp_path / "tree"),
            "",
            str(tmp_path / "id"),
            LABELS,
            [],
            lambda _: None,
            {},
            with_buildkit=False,
        )
    assert not (tmp_path / "id").exists()


def test_an_image_in_use_stays(image, container):
    """LEAK-2"""
    assert docker.remove_image(image) is False
    assert docker.inspect_images(image)
    assert docker.remove_image(f"dokku-tools-none:{os.getpid()}") is False


def test_pulling_what_cannot_be_had_fails(monkeypatch):
    with pytest.raises(ToolFailed):
        docker.pull(f"localhost:1/dokku-tools-none:{os.getpid()}")


def test_an_image_is_loaded_from_what_docker_saved(image, tmp_path):
    name = f"dokku-tools-saved:{os.getpid()}"
    docker.tag(image, name)
    _docker("image", "save", f"--output={tmp_path}/archive", name)
    assert docker.remove_image(name)
    with open(tmp_path / "archive", "rb") as archive:
        docker.load(archive.fileno())
    assert docker.inspect_images(name)[0]["Id"] == image
    assert docker.remove_image(name)


@pytest.mark.parametrize("content", [b"", b"junk", b"\0" * 1024])
def test_what_is_no_archive_is_not_loaded(tmp_path, content):
    (tmp_path / "archive").write_bytes(content)
    with open(tmp_path / "archive", "rb") as archive, pytest.raises(ToolFailed):
        docker.load(archive.fileno())


def test_a_daemon_that_is_not_there_is_named(monkeypatch, tmp_path):
    """DKR-6"""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    for ask in (lambda: docker.inspect(NOWHERE), lambda: docker.containers(), lambda: docker.remove(NOWHERE)):
        with pytest.raises(DokkuError, match="Unable to reach the docker daemon"):
            ask()
