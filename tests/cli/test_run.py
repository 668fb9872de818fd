"""run:* and enter on the command line: whose word is whose. docker notes what it is asked."""

import shlex

import pytest

from tests.cli.conftest import Dokku

ID = "a" * 64
_DOCKER = """#!/bin/sh
case "$1 $2" in
"image inspect") echo '{"Id": "sha256:1", "Config": {}}' ;;
"container create") printf '%s\\n' "$@" >$NOTES; echo $ID ;;
"container start") [ $# = 3 ] || cat ;;
"container exec") printf '%s\\n' "$@" >$NOTES ;;
"container inspect") echo '$KNOWN' ;;
esac
"""
_KNOWN = (
    f'{{"Id": "{ID}", "Name": "/blog.web.1", "Image": "sha256:1", "RestartCount": 0, "HostConfig": {{}},'
    ' "State": {"Status": "running", "Running": true, "StartedAt": ""}, "NetworkSettings": {},'
    ' "Config": {"Labels": {"com.dokku.app-name": "blog"}}}'
)


@pytest.fixture
def app(dokku: Dokku) -> str:
    """An app that has an image and, for enter, a container."""
    directory = dokku.make_app("blog")
    (directory / "CONTAINER.web.1").write_text(ID + "\n")
    notes = shlex.quote(str(dokku.bin / "docker.notes"))
    script = _DOCKER.replace("$NOTES", notes).replace("$ID", ID).replace("$KNOWN", _KNOWN)
    dokku.program("docker", script)
    return "blog"


def _asked(dokku: Dokku) -> list[str]:
    """The words of docker's last creation or execution."""
    return (dokku.bin / "docker.notes").read_text().split("\n")[:-1]


def _program(dokku: Dokku) -> list[str]:
    """What runs in the container that was created last."""
    words = _asked(dokku)
    return words[words.index("--") + 2 :]


def test_stdin_and_stdout_are_the_programs(dokku: Dokku, app: str) -> None:
    done = dokku("run", app, "cat", input=b"\0bytes\xff")
    assert (done.code, done.out.encode("utf-8", "surrogateescape"), done.err) == (0, b"\0bytes\xff", "")
    assert "--interactive" in _asked(dokku)
    assert "--tty" not in _asked(dokku)


def test_at_a_terminal_there_is_a_terminal(dokku: Dokku, app: str) -> None:
    assert dokku.pty("run", app, "true", input="\x04").code == 0
    assert "--tty" in _asked(dokku)
    assert dokku.pty("run", "--no-tty", app, "true", input="\x04").code == 0
    assert "--tty" not in _asked(dokku)


def test_words_after_the_app_are_the_programs(dokku: Dokku, app: str) -> None:
    words = [
        "ls",
        "--detach",
        "--app",
        "x",
        "-e",
        "A=1",
        "--rm",
        "--label=a=b",
        "--",
        "--env",
        "--help",
        "-h",
    ]
    done = dokku("run", app, *words)
    assert (done.code, done.out, done.err) == (0, "", "")
    assert _program(dokku) == words
    assert "--label=a=b" not in _asked(dokku)[: -len(words)]


def test_flags_before_the_app_are_ours(dokku: Dokku, app: str) -> None:
    flags = ["--quiet", "-e", "A=1", "--rm", "--env=B=2", "--rm-container", "--label=a=b", "--cron-id", "job"]
    assert dokku("run", *flags, app, "true").code == 0
    assert _program(dokku) == ["true"]
    assert {"--env=A", "--env=B", "--label=a=b", "--label=com.dokku.cron-id=job", "--rm"} <= set(
        _asked(dokku)
    )


def test_the_app_of_a_flag_comes_before_the_words(dokku: Dokku, app: str) -> None:
    assert dokku("--app", app, "run", "-e", "A=1", "ls", "--app", "x").code == 0
    assert _program(dokku) == ["ls", "--app", "x"]
    assert "--env=A" in _asked(dokku)
    assert dokku("--app", app, "enter", "web", "ls", "--quiet").code == 0
    assert _asked(dokku)[-3:] == [ID, "ls", "--quiet"]


def test_a_detached_one_is_named_or_numbered(dokku: Dokku, app: str) -> None:
    assert dokku("run:detached", app, "true").out.startswith(f"{app}.run.")
    for words in (["--detach", "run", app], ["run", "--detach", app]):
        assert dokku(*words, "true").out == f"{ID}\n"


def test_words_of_ssh_are_words(dokku: Dokku, app: str) -> None:
    assert dokku.ssh(f"run {app} sh -c 'echo \"$(id)\" `id`; exit'").code == 0
    assert _program(dokku) == ["sh", "-c", 'echo "$(id)" `id`; exit']


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["run", "-e"], 1, "expected -e to have an argument"),
        (["run", "--env"], 1, "expected --env to have an argument"),
        (["run", "-e", "A", "blog", "true"], 1, "Expected KEY=VALUE as the argument of --env"),
        (["run", "--ttl-seconds", "soon", "blog"], 1, "--ttl-seconds must be a positive integer"),
        (["run", "--concurrency-policy", "never", "--cron-id", "a", "blog"], 1, "Invalid concurrency policy"),
        (
            ["run:detached", "--concurrency-policy=forbid", "blog"],
            1,
            "Concurrency policy forbid needs --cron-id",
        ),
        (["run", "--nope", "blog", "true"], 2, "unknown flag: --nope"),
        (["run", "none", "true"], 20, "App none does not exist"),
        (["run:stop"], 1, "No container or app specified"),
        (["run:logs", "--container", "blog"], 1, "Invalid container name specified: blog"),
        (["run:list", "blog", "--format", "xml"], 1, "Invalid output format specified"),
        (["enter", "none"], 20, "App none does not exist"),
        (["enter", "blog", "cron"], 1, "No containers found for type 'cron'"),
    ],
)
def test_what_makes_no_sense_is_refused(
    dokku: Dokku, app: str, words: list[str], code: int, text: str
) -> None:
    done = dokku(*words)
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith(f" !     {text}")
    assert not (dokku.bin / "docker.notes").exists()


def test_an_app_without_an_image_is_refused(dokku: Dokku) -> None:
    dokku.make_app("bare")
    dokku.program("docker", "#!/bin/sh\necho 'Error: No such image' >&2\nexit 1\n")
    done = dokku("run", "bare", "true")
    assert (done.code, done.out, done.err) == (1, "", " !     App image (dokku/bare:latest) not found\n")
