"""What is committed for an image: its Dockerfile and what was beside it; where the image comes from.

The files are real: the copy opens each below its own directory, which no file system in memory knows.
"""

import io
import json
import os
import re
import socket
import stat
import tarfile

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lib.base import log, settings
from lib.base.errors import DokkuError
from lib.source import image_contexts

IMAGE = "registry.test:5000/team/web:1"
DOCKERFILE = f'FROM {IMAGE}\nLABEL com.dokku.docker-image-labeler/alternate-tags=[\\"{IMAGE}\\"]\n'
PULL = f"docker image pull -- {IMAGE}"
INVALID = [
    *(
        "bb\nRUN id",
        "--platform=x bb",
        "bb AS x",
        "$X",
        "-a",
        "--help",
        "Bb",
        "bb:",
        "bb\n",
        " bb",
        "bb ",
        "é",
    ),
    *('bb"', "bb\\", "a/../b", "/bb", "bb/", "bb:a/b", "bb@sha256:12", "b" * 238, "bb:" + "a" * 129, "bb\0"),
]


@pytest.fixture(autouse=True)
def said():
    """What is written meanwhile: pairs of stream and bytes."""
    with log.collected() as lines:
        yield lines


@pytest.fixture
def beside(tmp_path):
    """A build directory."""
    directory = tmp_path / "beside"
    directory.mkdir()
    return directory


@pytest.fixture
def stdin(tmp_path):
    """Make an open file that holds these bytes."""
    opened = []

    def open_on(data):
        (tmp_path / "stdin").write_bytes(data)
        opened.append(os.open(tmp_path / "stdin", os.O_RDONLY))
        return opened[-1]

    yield open_on
    for descriptor in opened:
        os.close(descriptor)


def refused(text):
    return pytest.raises(DokkuError, match=rf"\A{re.escape(text)}\Z")


def begins(text):
    return pytest.raises(DokkuError, match=rf"\A{re.escape(text)}")


def has_image(shell, *answers):
    """Whether docker knows the image, each time that it is asked."""
    for there in answers:
        out, err = ('{"Id": "sha256:1"}\n', "") if there else ("", "Error: No such image: x\n")
        shell.answers("docker image inspect …", out=out, err=err, status=0 if there else 1)


def lines(said, stream=1):
    return [line for number, data in said if number == stream for line in data.decode().splitlines()]


def content(tree):
    """What a directory holds, by path: a text, a link's target, or None for a directory."""
    found = {}
    for parent, directories, names in os.walk(tree):
        for name in (*directories, *names):
            path = os.path.join(parent, name)
            known = os.readlink(path) if os.path.islink(path) else None
            if known is None and os.path.isfile(path):
                with open(path) as file:
                    known = file.read()
            found[os.path.relpath(path, tree)] = known
    return found


def pulled(beside, image=IMAGE):
    with image_contexts.pulled(image, str(beside)) as tree:
        return content(tree)


def test_an_image_becomes_a_dockerfile(shell, said):
    has_image(shell, True)
    with image_contexts.pulled(IMAGE) as tree:
        assert content(tree) == {"Dockerfile": DOCKERFILE}
    assert not os.path.exists(tree)
    assert lines(said) == [
        *("-----> Generating build context", "       Setting Dockerfile"),
        "-----> Image exists on host, skipping pull",
    ]


@pytest.mark.parametrize("image", INVALID)
def test_what_names_no_image_is_refused_before_anything_happens(shell, said, image):
    """RUN-2, NAME-11, DKR-1"""
    for ask in (image_contexts.pulled, image_contexts.loaded):
        with begins("Invalid docker image: ") as error, ask(image):
            pass
        assert error.value.text.isprintable()
        assert error.value.exit_code == 1
    assert (shell.ran, said) == ([], [])


@given(st.text(alphabet="ab1-._:/@ \n\"\\$[]'\0", max_size=12))
@example("bb\\")
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
def test_a_dockerfile_has_the_two_lines_of_ours_and_no_third(shell, image):
    """DKR-1"""
    has_image(shell, True)
    try:
        made = pulled("", image)["Dockerfile"]
    except DokkuError:
        return
    first, second = made.splitlines()
    assert first == f"FROM {image}"
    assert second.startswith("LABEL ")
    assert len(first.split()) == 2


def test_no_image_is_asked_for(shell):
    for ask in (image_contexts.pulled, image_contexts.loaded):
        with refused("Please specify a docker image"), ask(""):
            pass


def test_a_build_directory_that_is_none_is_refused_before_anything_happens(shell, said, beside):
    (beside / "file").touch()
    for directory in (beside / "none", beside / "file"):
        for ask in (image_contexts.pulled, image_contexts.loaded):
            with (
                refused("Invalid BUILD_DIR specified for docker build context"),
                ask(IMAGE, str(directory)),
            ):
                pass
    assert (shell.ran, said) == ([], [])


def test_a_build_directory_is_copied_with_hidden_files(shell, said, beside):
    has_image(shell, True)
    (beside / "sub/.deep").mkdir(parents=True)
    (beside / ".env").write_text("A=1")
    (beside / "sub/.deep/x").write_text("x")
    assert pulled(beside) == {
        **dict.fromkeys(("sub", "sub/.deep")),
        ".env": "A=1",
        "sub/.deep/x": "x",
        "Dockerfile": DOCKERFILE,
    }
    assert "       Syncing build directory context" in lines(said)


def test_programs_stay_executable_and_nothing_else_of_a_mode_is_kept(shell, beside):
    has_image(shell, True)
    (beside / "run").touch(mode=0o755)
    (beside / "read").touch(mode=0o600)
    (beside / "run").chmod(0o6711)
    with image_contexts.pulled(IMAGE, str(beside)) as tree:
        modes = {name: stat.S_IMODE(os.stat(os.path.join(tree, name)).st_mode) for name in os.listdir(tree)}
    assert modes["run"] == 0o755
    assert not modes["read"] & 0o111


@pytest.mark.parametrize("kind", ["file", "directory", "link", "pipe"])
def test_a_dockerfile_of_the_build_directory_gives_way_to_ours(shell, beside, tmp_path, kind):
    has_image(shell, True)
    (tmp_path / "other").write_text("kept")
    (beside / "sub").mkdir()
    (beside / "sub/Dockerfile").write_text("of another")
    mine = beside / "Dockerfile"
    {
        "file": lambda: mine.write_text("FROM scratch"),
        "directory": lambda: (mine / "x").mkdir(parents=True),
        "link": lambda: mine.symlink_to(tmp_path / "other"),
        "pipe": lambda: os.mkfifo(mine),
    }[kind]()
    assert pulled(beside) == {"Dockerfile": DOCKERFILE, "sub": None, "sub/Dockerfile": "of another"}
    assert (tmp_path / "other").read_text() == "kept"


def test_links_stay_links_wherever_they_lead(shell, beside, tmp_path):
    has_image(shell, True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/key").write_text("hidden")
    targets = {"a": str(tmp_path / "secret"), "b": str(tmp_path / "secret/key"), "c": "nowhere", "d": "d"}
    for name, target in targets.items():
        (beside / name).symlink_to(target)
    assert pulled(beside) == {**targets, "Dockerfile": DOCKERFILE}


def test_a_build_directory_may_be_a_link_itself(shell, beside, tmp_path):
    has_image(shell, True)
    (beside / "x").write_text("x")
    (tmp_path / "link").symlink_to(beside)
    assert pulled(tmp_path / "link") == {"x": "x", "Dockerfile": DOCKERFILE}


@pytest.mark.parametrize("name", [".git", ".GIT", "git~1", ".git. "])
def test_git_directories_stay_behind_at_any_depth(shell, beside, name):
    has_image(shell, True)
    for top in (beside, beside / "sub"):
        (top / name).mkdir(parents=True)
        (top / name / "config").touch()
    (beside / "module").mkdir()
    (beside / "module" / name).write_text("gitdir: ../sub")
    (beside / ".gitignore").write_text("x")
    assert set(pulled(beside)) == {"Dockerfile", ".gitignore", "module", "sub"}


@pytest.mark.parametrize(
    "make",
    [
        lambda path: os.mkfifo(path),
        lambda path: socket.socket(socket.AF_UNIX).bind(path),
        pytest.param(
            lambda path: os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3)),
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices"),
        ),
    ],
    ids=["pipe", "socket", "device"],
)
def test_what_is_no_file_is_refused_by_its_name(shell, beside, monkeypatch, make):
    (beside / "sub").mkdir()
    monkeypatch.chdir(beside)
    make("sub/odd\n")
    with refused("BUILD_DIR contains an unsupported file: sub/odd\\x0a"):
        pulled(beside)
    assert shell.ran == []
    assert os.listdir(settings.temporary()) == []


def test_a_build_directory_that_holds_the_copy_itself_is_refused(shell):
    os.makedirs(settings.lib(), exist_ok=True)
    for directory in (settings.lib(), "/"):
        with begins("BUILD_DIR holds our own temporary files: "):
            pulled(directory)
    assert os.listdir(settings.temporary()) == []


def test_directories_without_end_are_refused(shell, beside, monkeypatch):
    monkeypatch.chdir(beside)
    for _ in range(image_contexts.MAX_DEPTH + 1):
        os.mkdir("d")
        os.chdir("d")
    with begins("BUILD_DIR contains directories nested too deeply: d/d/d"):
        pulled(beside)


def test_a_path_that_is_too_long_is_one_clear_line(shell, beside, monkeypatch):
    monkeypatch.chdir(beside)
    for _ in range(20):
        os.mkdir("d" * 250)
        os.chdir("d" * 250)
    with begins("Unable to copy ddd") as error:
        pulled(beside)
    assert error.value.text.endswith("d of BUILD_DIR: File name too long")
    assert len(error.value.text) < 400
    assert os.listdir(settings.temporary()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["file", "directory"])
def test_what_may_not_be_read_is_named(shell, beside, name):
    (beside / "file").write_text("x")
    (beside / "directory").mkdir()
    (beside / name).chmod(0)
    with refused(f"Unable to copy {name} of BUILD_DIR: Permission denied"):
        pulled(beside)
    (beside / name).chmod(0o700)


def test_an_absent_image_is_pulled(shell, said):
    has_image(shell, False)
    with image_contexts.pulled(IMAGE):
        pass
    assert shell.ran[1:] == [PULL]
    assert shell.calls[1].timeout > 0
    assert lines(said)[-1] == "-----> Pulling image"


def test_a_pull_that_fails_says_so_after_dockers_own_words(shell, said):
    has_image(shell, False)
    shell.answers("docker image pull …", err="no such host\n", status=125)
    with refused(f"Failed to pull image: {IMAGE}") as failed:
        pulled("")
    assert failed.value.exit_code == 1
    assert "no such host" in lines(said)


@pytest.mark.parametrize("by_a_global_flag", [False, True])
def test_force_pulls_what_is_here(shell, said, monkeypatch, by_a_global_flag):
    has_image(shell, True)
    if by_a_global_flag:
        monkeypatch.setenv("DOKKU_APPS_FORCE_DELETE", "1")
    with image_contexts.pulled(IMAGE, is_forced=not by_a_global_flag):
        pass
    assert shell.ran[1:] == [PULL]
    assert lines(said)[-1] == "-----> Force pulling image"


def test_a_forced_pull_that_fails_leaves_the_image_that_is_here(shell, said):
    has_image(shell, True)
    shell.answers("docker image pull …", status=1)
    with image_contexts.pulled(IMAGE, is_forced=True) as tree:
        assert content(tree) == {"Dockerfile": DOCKERFILE}
    assert lines(said, 2) == [
        f" !     Failed to pull image: {IMAGE}",
        " !     Continuing with the image that exists on host",
    ]


def test_a_forced_pull_of_an_absent_image_that_fails_is_a_failure(shell):
    has_image(shell, False)
    shell.answers("docker image pull …", status=1)
    with (
        begins("Failed to pull image: "),
        image_contexts.pulled(IMAGE, is_forced=True),
    ):
        pass


def test_a_pull_without_end_is_named(shell, said, monkeypatch):
    has_image(shell, False)

    def outlive(argv):
        raise DokkuError("docker did not finish within 3600 seconds")

    shell.answers("docker image pull …", does=outlive)
    with begins("Failed to pull image: "):
        pulled("")
    assert lines(said, 2) == [" !     docker did not finish within 3600 seconds"]


def archive(name):
    """An archive of two images, one of them under two names."""
    names = [{"Config": "a", "RepoTags": [name, "dokku/victim:latest"], "Layers": []}]
    content = json.dumps([*names, {"Config": "b", "RepoTags": ["dokku/victim:v1"]}]).encode()
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        member = tarfile.TarInfo("manifest.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return data.getvalue()


def test_an_image_on_stdin_is_loaded_and_not_pulled(shell, said, stdin, beside):
    has_image(shell, True)
    (beside / "x").write_text("x")
    with image_contexts.loaded(IMAGE, str(beside), stdin(archive(IMAGE))) as tree:
        assert content(tree) == {"x": "x", "Dockerfile": DOCKERFILE}
    assert shell.ran[0] == "docker image load"
    assert f'"RepoTags": ["{IMAGE}"]'.encode() in shell.calls[0].stdin
    assert b"dokku/victim" not in shell.calls[0].stdin
    assert shell.calls[0].timeout > 0
    assert not any("pull" in line for line in shell.ran)


def test_an_image_that_was_not_in_the_archive_is_named(shell, stdin):
    has_image(shell, False)
    text = f"Loaded image tarball but the specified docker image was not found: {IMAGE}"
    for name in ("another", IMAGE):  # docker may yet have refused it in its own way
        with refused(text), image_contexts.loaded(IMAGE, stdin=stdin(archive(name))):
            pass


@pytest.mark.parametrize("name", ["dokku/victim", "dokku/victim:latest", "docker.io/dokku/victim:release-v1"])
def test_a_name_of_another_apps_image_is_refused_before_docker_is_asked(shell, stdin, name):
    with refused(f"Invalid docker image: {name} is a name of the app victim"):  # noqa: SIM117
        with image_contexts.loaded(name, stdin=stdin(archive(name)), app="blog"):
            pass
    assert shell.ran == []


def test_an_archive_that_docker_refuses_is_a_failure_of_status_1(shell, stdin):
    has_image(shell, True)
    shell.answers("docker image load", err="unexpected EOF\n", status=125)
    with (
        refused(f"Failed to load image: {IMAGE}") as failed,
        image_contexts.loaded(IMAGE, stdin=stdin(b"junk")),
    ):
        pass
    assert failed.value.exit_code == 1


def test_a_terminal_is_refused_at_once(shell):
    master, slave = os.openpty()
    text = "Expecting tar archive containing docker image on STDIN"
    try:
        with refused(text), image_contexts.loaded(IMAGE, stdin=slave):
            pass
    finally:
        os.close(master)
        os.close(slave)
    assert shell.ran == []


def test_nothing_on_stdin_is_refused_before_docker_is_asked(shell, stdin):
    reading, writing = os.pipe()
    os.close(writing)
    ours, theirs = socket.socketpair()
    theirs.close()
    nothing = os.open(os.devnull, os.O_RDWR)
    text = "Expecting tar archive containing docker image on STDIN, nothing arrived"
    for empty in (stdin(b""), reading, ours.fileno(), nothing):
        with refused(text), image_contexts.loaded(IMAGE, stdin=empty):
            pass
    ours.close()
    os.close(reading)
    os.close(nothing)
    assert shell.ran == []


def test_looking_whether_something_arrives_takes_nothing_away(shell):
    has_image(shell, True)
    reading, writing = os.pipe()
    os.write(writing, archive(IMAGE))
    os.close(writing)
    with image_contexts.loaded(IMAGE, stdin=reading):
        pass
    os.close(reading)
    assert b"manifest.json" in shell.calls[0].stdin
