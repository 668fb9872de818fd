"""Variables that options name for a builder: which they are, which it would read itself, and pack's files."""

import os

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lib.app import environments
from lib.base import files

with_fs = hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
pytestmark = pytest.mark.usefixtures("fs")


def test_only_options_without_a_value_name_a_variable():
    words = ["--build-arg", "A", "--build-arg=B", "--build-arg", "C=1", "--build-arg=D=1", "--label", "E"]
    assert environments.named([*words, "--build-arg"], "--build-arg") == ["A", "B"]


@pytest.mark.parametrize(
    "key",
    [
        *("DOCKER_HOST", "docker_host", "DOCKER_CONFIG", "LD_PRELOAD", "PATH", "HOME", "HTTPS_PROXY"),
        *("no_proxy", "GODEBUG", "SSH_AUTH_SOCK", "BUILDKIT_HOST", "PACK_HOME", "XDG_RUNTIME_DIR"),
        *("GIT_CONFIG_GLOBAL", "GIT_CONFIG_COUNT", "GIT_SSH_COMMAND", "BASH_ENV", "BUILDX_BUILDER"),
    ],
)
def test_what_a_builder_would_read_itself_is_known(key):
    assert environments.steers(key)


@pytest.mark.parametrize(
    "key",
    [
        *("SSH_PRIVATE_KEY", "GOOGLE_CREDENTIALS", "PATHS", "GIT_REV", "GIT_SHA", "PYTHON_VERSION", "ENV"),
        *("NODE_ENV", "NODE_OPTIONS", "GITHUB_TOKEN", "GO_VERSION", "HOMEPAGE"),
    ],
)
def test_what_only_looks_like_that_is_no_such_variable(key):
    assert not environments.steers(key)


TEXTS = st.text(alphabet="ab='\" \t$\n\r\\\udcff é\u2003#", max_size=12)


@with_fs
@given(st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True), TEXTS, max_size=5))
def test_pack_gets_every_value_to_the_byte_from_files(variables):
    os.makedirs("/place", exist_ok=True)
    words = environments.in_files(variables, "/place")
    listed = [word.removeprefix("--env-file=") for word in words if word.startswith("--env-file=")]
    mounts = [word for word in words if word.startswith("--volume=")]
    text = files.read(listed[0]) if listed else ""
    found = dict(line.strip().split("=", 1) for line in text.split("\n") if line)  # as pack reads it
    for mount in mounts:
        source, target, mode = mount.removeprefix("--volume=").split(":")
        assert (os.path.dirname(target), mode) == ("/platform/env", "ro")
        found[os.path.basename(target)] = files.read(source)
    assert found == variables


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--secret", "id=a,env=KEY"], ["--secret=id=a,src=/place/KEY.value"]),
        (["--secret=id=KEY"], ["--secret=id=KEY,src=/place/KEY.value"]),
        (["--secret=id=KEY,type=env"], ["--secret=id=KEY,src=/place/KEY.value"]),
        (["--secret", "id=KEY,src=file"], ["--secret=id=KEY,src=file"]),
        (["--secret=id=OTHER", "--label", "x"], ["--secret=id=OTHER", "--label", "x"]),
    ],
)
def test_a_secret_of_a_build_is_read_from_a_file(words, wanted):
    os.makedirs("/place")
    assert environments.secrets_in_files(words, {"KEY": "two\nlines "}, "/place") == wanted
    if "KEY.value" in str(wanted):
        assert files.read("/place/KEY.value") == "two\nlines "
        assert os.stat("/place/KEY.value").st_mode & 0o777 == 0o600
