"""git:from-archive as a user calls it: from the web, from a pipe, at a terminal."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import zips
from tests.archives import GOOD, archive, member
from tests.cli.conftest import TREE, Dokku
from tests.web import Handler, Server, says

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("git", "tar", "unzip", "curl"))), reason="there is no git, tar, unzip or curl"
)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server.running() as server:
        yield server


@pytest.fixture
def app(dokku: Dokku) -> Dokku:
    """An instance with an app, whose builds note what they are given and go no further."""
    docker = '#!/bin/sh\ncase "$*" in *inspect*) echo "No such container: x" >&2; exit 1 ;; esac\n'
    dokku.program("docker", docker)
    note = f'(cd "$3" && find . -type f | sort) >{dokku.log}/tree'
    build = f'#!/bin/sh\n[ "$1" = notes ] || exit 0\n{note}\nexit 9\n'
    dokku.plugin("00-notes", builder_detect="#!/bin/sh\necho notes\n", builder_build=build)
    dokku.make_app("blog")
    return dokku


def built(dokku: Dokku) -> list[str]:
    return (dokku.log / "tree").read_text().split()


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        ("tar", archive(GOOD, member("sub/x", b""))),
        ("zip", zips.zipped(zips.GOOD, zips.entry("sub/x"))),
    ],
    ids=["tar", "zip"],
)
def test_an_archive_from_the_web_is_deployed(app: Dokku, server: Server, type_: str, data: bytes) -> None:
    server.answers["/a"] = says(200, data)
    said = app("git:from-archive", "--archive-type", type_, "blog", server.url("/a", "me:secret@"))
    assert said.code == 9
    assert said.out.startswith(f"-----> Downloading {type_} file from {server.url('/a')}\n-----> Generating")
    assert built(app) == ["./index.html", "./sub/x"]
    assert server.requests == [("/a", "me:secret")]
    assert "secret" not in said.out + said.err


def test_a_zip_archive_from_a_pipe_is_deployed(app: Dokku) -> None:
    data = zips.zipped(zips.entry("top/index.html", b"hello"))
    said = app("git:from-archive", "blog", "--", "--archive-type", "zip", input=data)
    assert f"-----> Fetching zip file from stdin\n{len(data)}\n" in said.out
    assert built(app) == ["./index.html"]


def test_a_page_that_is_not_there_is_one_line_and_no_commit(app: Dokku, server: Server) -> None:
    """ARC-15"""
    server.answers["/a"] = says(404, b"<html>")
    said = app("git:from-archive", "blog", server.url("/a"))
    assert (said.err, said.code) == (f" !     Unable to download {server.url('/a')}: HTTP 404\n", 1)
    assert not (app.root / "blog/refs/heads/master").exists()
    assert len(server.requests) == 1


@pytest.mark.parametrize("url", ["file:///etc/passwd", "-o/tmp/canary", "/etc/passwd", "ftp://127.0.0.1/x"])
def test_only_the_web_is_asked(app: Dokku, url: str) -> None:
    """ARC-15"""
    said = app("git:from-archive", *(["--"] if url.startswith("-") else []), "blog", url)
    assert said.code in (1, 2)
    assert len(said.err.splitlines()) == 1
    assert not Path("/tmp/canary").exists()


def test_no_program_shows_the_credentials_on_its_command_line(app: Dokku, server: Server) -> None:
    """SEC-4: But for our own, which the user wrote."""
    lines: list[str] = []
    ours = str(TREE / "bin/dokku")

    def answer(request: Handler) -> None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                lines.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
            except OSError:
                continue
        says(404)(request)

    server.answers["/a"] = answer
    app("git:from-archive", "blog", server.url("/a", "me:hush-hush@"))
    assert [line for line in lines if line.startswith("curl ")]
    assert [line for line in lines if "hush-hush" in line and ours not in line] == []


def test_at_a_terminal_there_is_a_bar_and_no_audit(app: Dokku, server: Server) -> None:
    """IO-9"""
    server.answers["/a"] = says(200, archive(member("/tmp/canary", bytes(2_000_000))))
    said = app.pty("git:from-archive", "blog", server.url("/a"))
    assert "100.0%" in said.out
    assert "[archive-security]" not in said.out
    assert said.out.splitlines()[-1] == " !     Archive contains entries with absolute paths"


def test_a_closed_stdin_is_an_empty_archive(app: Dokku) -> None:
    """IO-2"""
    script = f"exec <&-; exec {TREE}/bin/dokku git:from-archive blog --"
    done = subprocess.run(
        ["sh", "-c", script], env=app.environment, capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr.decode().splitlines()[-1]) == (1, " !     Empty archive")


def test_two_apps_take_archives_side_by_side(app: Dokku) -> None:
    """ARC-18"""
    app.make_app("shop")
    data = archive(GOOD)
    codes: dict[str, int] = {}

    def deploy(name: str) -> None:
        codes[name] = app("git:from-archive", name, "--", input=data).code

    threads = [threading.Thread(target=deploy, args=(name,)) for name in ("blog", "shop")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == {"blog": 9, "shop": 9}
