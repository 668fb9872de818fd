"""What the shells of images make of a task's line: dash, bash and busybox."""

import os
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.base import settings as paths
from lib.build.images import Image
from lib.runtime import commands_in_images

APP = "blog"
PLAIN = Image("sha256:1", "dokku/blog:latest", "dockerfile", "/app", [], [], "")
BUILT = PLAIN._replace(kind="herokuish")
SHELLS = {"": [], "sh": ["sh"], "bash": ["bash"], "busybox": ["busybox", "sh"]}


@pytest.fixture(autouse=True)
def _app():
    os.makedirs(paths.app_dir(APP), exist_ok=True)


def run(line, shell="", image=PLAIN, **env):
    """What a line says and its status, in one shell or (without) in the one that an image has."""
    words = commands_in_images.as_script(APP, image, line)
    if shell:
        words = [*SHELLS[shell], "-c", words[3], "sh", line]
    done = subprocess.run(
        words, capture_output=True, env={"PATH": os.environ["PATH"], **env}, check=False, cwd="/"
    )
    return done.stdout.decode("utf-8", "surrogateescape"), done.returncode


@pytest.fixture(params=SHELLS)
def shell(request):
    if request.param and not shutil.which(SHELLS[request.param][0]):
        pytest.skip("not installed")
    return request.param


@pytest.mark.parametrize(
    ("line", "said", "status"),
    [
        ("echo a; echo b", "a\nb\n", 0),
        ("echo 'a  b' \"$#\" # end", "a  b 0\n", 0),
        ("echo a\necho b", "a\nb\n", 0),
        ("false; echo late", "", 1),
        ("false || echo late", "late\n", 0),
        ("exit 7", "", 7),
        ("/no/such/program --x", "specified binary is not executable\n", 1),
        ("/bin/echo a b", "a b\n", 0),
        ("/bin/true\necho after", "after\n", 0),
    ],
)
def test_a_line_runs_strictly_in_every_shell(shell, line, said, status):
    assert run(line, shell) == (said, status)


@pytest.mark.parametrize("shell", ["", "bash", "busybox"])
def test_a_pipe_fails_with_its_first_part(shell):
    if shell and not shutil.which(SHELLS[shell][0]):
        pytest.skip("not installed")
    assert run("false | cat; echo late", shell) == ("", 1)


def test_a_quote_without_its_end_fails(shell):
    said, status = run("echo 'a", shell)
    assert (said, status != 0) == ("", True)


def test_bash_is_preferred_where_it_is():
    if not os.access("/bin/bash", os.X_OK):
        pytest.skip("no bash here")
    assert run('[[ -n $BASH_VERSION ]] && echo "$0"') == ("bash\n", 0)


def test_a_trace_shows_the_line():
    words = commands_in_images.as_script(APP, PLAIN, "echo a")
    done = subprocess.run(words, capture_output=True, env={"DOKKU_TRACE": "1"}, check=False)
    assert b"+ echo a" in done.stderr


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_value_arrives_as_it_is(value):
    assert run('printf %s "$VALUE"', VALUE=value) == (value, 0)


def test_an_image_by_herokuish_has_no_home_of_its_own_here():
    assert run("echo at work", "bash", BUILT)[0].endswith("at work\n")
