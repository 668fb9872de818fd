"""releases:* as a user has them, with a docker that knows one image and writes down what it is asked."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Dokku

_DOCKER = """#!/bin/sh
echo "$*" >>"$0.calls"
case "$*" in
*inspect*) echo 'Error: No such object' >&2; exit 1 ;;
esac
exit 0
"""


@pytest.fixture
def app(dokku: Dokku) -> Path:
    """An app with three releases: one that served, one that failed, one that serves."""
    dokku.make_app("blog")
    for number, outcome in ((1, "succeeded"), (2, "failed"), (3, "succeeded")):
        write(dokku, number, outcome=outcome, image="" if outcome == "failed" else f"sha256:{number}")
    (dokku.root / "blog/CONTAINER.web.1").write_text("3" * 64)
    dokku.program("docker", _DOCKER)
    return dokku.root / "blog"


def write(dokku: Dokku, number: int, **more: object) -> None:
    place = dokku.lib / "data/releases/blog"
    place.mkdir(parents=True, exist_ok=True)
    known = {
        "user": "alice",
        "pid": 1,
        "process_start": "0",
        "started": 60,
        "ended": 65,
        "revision": "c" * 40,
    }
    config = {"config": {"KEY": "hunter2"}, "names": ["KEY"], "containers": [str(number) * 64]}
    (place / f"v{number}.json").write_text(json.dumps({"number": number, **known, **config, **more}))


def asked(dokku: Dokku) -> list[str]:
    calls = dokku.bin / "docker.calls"
    return calls.read_text().splitlines() if calls.exists() else []


def test_reading_starts_no_docker_and_tells_no_values(dokku: Dokku, app: Path) -> None:
    listed = dokku("releases:list", "blog")
    assert [line.split()[:2] for line in listed.out.splitlines()[2:]] == [
        ["v1", "-"],
        ["v2", "-"],
        ["v3", "*"],
    ]
    as_json = dokku("releases:list", "blog", "--format=json")
    assert [one["outcome"] for one in json.loads(as_json.out)] == ["succeeded", "failed", "succeeded"]
    info = dokku("releases:info", "blog", "1", "--format", "json")
    assert json.loads(info.out)["config"] == ["KEY"]
    report = dokku("releases:report", "blog", "--releases-serving")
    assert report.out == "v3\n"
    assert all(done.code == 0 for done in (listed, as_json, info, report))
    assert "hunter2" not in listed.out + as_json.out + info.out + dokku("releases:info", "blog").out
    assert asked(dokku) == []


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("releases:list", "nope"), "App nope does not exist"),
        (("releases:info", "blog", "v9"), "App blog has no release v9"),
        (("releases:rollback", "blog", "v9"), "App blog has no release v9"),
        (("releases:rollback", "blog", "two"), "Invalid release: two"),
        (
            ("releases:rollback", "blog", "v2"),
            "There is nothing to go back to: release v2 of blog has the outcome failed",
        ),
        (("releases:set", "blog"), "No property specified"),
        (("releases:set", "blog", "keep", "0"), "Invalid value for keep, it must be a number from 1 to 1000"),
    ],
)
def test_what_is_not_there_is_refused(dokku: Dokku, app: Path, words: tuple[str, ...], text: str) -> None:
    done = dokku(*words)
    assert (done.out, done.err) == ("", f" !     {text}\n")
    assert done.code == (20 if "nope" in words else 1)


def test_an_image_that_docker_has_no_longer_is_refused_and_nothing_changes(dokku: Dokku, app: Path) -> None:
    dokku("config:set", "--no-restart", "blog", "KEY=new")
    before = {path: path.read_bytes() for path in app.rglob("*") if path.is_file()}
    done = dokku("releases:rollback", "blog", "--with-config")
    assert done.err.splitlines()[0] == " !     The image of release v1 of blog is gone"
    assert (done.out, done.code) == ("", 1)
    after = {path: path.read_bytes() for path in app.rglob("*") if path.is_file()}
    assert {**after, app / ".deploy.lock": b""} == {**before, app / ".deploy.lock": b""}
    assert [call.split()[1] for call in asked(dokku)] == ["inspect"]


def test_a_locked_app_is_not_rolled_back(dokku: Dokku, app: Path) -> None:
    assert dokku("apps:lock", "blog").code == 0
    done = dokku("releases:rollback", "blog", "v1")
    assert done.err.startswith(" !     blog currently has a deploy lock in place. Exiting...\n")
    assert done.code == 1
    assert asked(dokku) == []


def test_an_app_that_is_not_to_be_deployed_is_not_rolled_back(dokku: Dokku, app: Path) -> None:
    dokku("config:set", "--no-restart", "blog", "DOKKU_SKIP_DEPLOY=true")
    done = dokku("releases:rollback", "blog", "v1")
    assert (done.err, done.code) == (" !     App blog is not to be deployed: DOKKU_SKIP_DEPLOY is set\n", 1)


def test_an_app_without_an_earlier_release_has_nothing_to_go_back_to(dokku: Dokku) -> None:
    dokku.make_app("blog")
    done = dokku("releases:rollback", "blog")
    assert (done.err, done.code) == (" !     App blog has no earlier release to go back to\n", 1)


def test_what_is_kept_goes_with_the_app(dokku: Dokku, app: Path) -> None:
    assert dokku("--force", "apps:destroy", "blog").code == 0
    assert not (dokku.lib / "data/releases/blog").exists()
