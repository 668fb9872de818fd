import shutil
import subprocess

import pytest

from tests.cli.conftest import TREE, Dokku


def test_the_urls_of_an_app_in_its_stages(dokku: Dokku) -> None:
    dokku.make_app("web")
    (dokku.root / "HOSTNAME").write_text("dokku.me\n")
    assert dokku("urls", "web") == ("http://dokku.me\n", "", 0)
    dokku("domains:add", "web", "b.com", "a.com")
    assert dokku("urls", "web").out == "http://a.com\nhttp://b.com\n"
    assert dokku("url", "web").out == "http://a.com\n"
    dokku("ports:set", "web", "http:3000:3000", "http:3003:3003")
    assert dokku("urls", "web").out.split() == [f"http://{n}.com:{p}" for n in "ab" for p in (3000, 3003)]
    dokku("domains:disable", "web")
    assert dokku("url", "web").out.startswith("http://dokku.me:")


def test_a_plugin_answers_instead(dokku: Dokku) -> None:
    dokku.make_app("web")
    dokku.plugin("mine", app_urls='#!/bin/sh\necho "http://$2.$1"\necho http://a.first\n')
    assert dokku("urls", "web").out == "http://a.first\nhttp://urls.web\n"
    assert dokku("url", "web").out == "http://a.first\nhttp://url.web\n"


def test_the_app_has_to_exist(dokku: Dokku) -> None:
    for command in ("url", "urls"):
        unknown = dokku(command, "nope")
        assert (unknown.code, unknown.err) == (20, " !     App nope does not exist\n")
        assert dokku(command).err == " !     Please specify an app to run the command on\n"


@pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace")
@pytest.mark.parametrize(
    "command",
    [
        "url web",
        "urls web",
        "domains:report",
        "domains:report --global",
        "ports:list web",
        "ports:report web",
    ],
)
def test_reading_where_apps_are_starts_no_other_program(dokku: Dokku, command: str) -> None:
    dokku.make_app("web")
    dokku("domains:add", "web", "a.com")
    trace = dokku.log / "trace"
    tracing = ["strace", "-f", "-qq", "-e", "trace=execve", "-o", str(trace), str(TREE / "bin/dokku")]
    subprocess.run([*tracing, *command.split()], env=dokku.environment, check=True, stdout=subprocess.DEVNULL)
    started = [line for line in trace.read_text().splitlines() if line.endswith(" = 0")]
    assert len(started) == 2, started  # the sh of the first line, then the interpreter
