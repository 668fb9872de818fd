"""An app's variables reach a program with their values, and never in its words."""

import os

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lib.app import environments
from lib.base import files
from lib.base.errors import DokkuError

KEYS = st.one_of(
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True),
    st.sampled_from(["DOCKER_HOST", "PATH", "ld_preload"]),
)
TEXTS = st.text(alphabet="ab='\" \t$\n\r\\\udcff é", max_size=12)
with_fs = hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
pytestmark = pytest.mark.usefixtures("fs")


@with_fs
@given(st.dictionaries(KEYS, TEXTS, max_size=5), st.lists(KEYS, max_size=3))
def test_every_named_variable_reaches_docker_by_the_environment_or_by_the_file(variables, others):
    """DKR-2"""
    words = ["--init", *(f"--env={key}" for key in [*variables, *others]), "--env=A=1", "-e"]
    if any(environments.steers(key) and set(value) & {"\n", "\r"} for key, value in variables.items()):
        with pytest.raises(DokkuError, match="line break"):
            environments.passed(words, variables, "/tmp/environment")
        return
    kept, env = environments.passed(words, variables, "/tmp/environment")
    listed = [word.removeprefix("--env-file=") for word in kept if word.startswith("--env-file=")]
    text = files.read(listed[0]) if listed else ""
    lines = dict(line.split("=", 1) for line in text.split("\n") if line)
    assert {**env, **lines} == variables
    assert not env.keys() & lines.keys()
    assert all(f"--env={key}" in kept for key in env)
    assert not any(f"--env={key}" in kept for key in lines)
    unknown = [word for word in words if word.removeprefix("--env=") not in variables]
    assert [word for word in kept if word in unknown] == unknown
    assert set(kept) <= {*words, "--env-file=/tmp/environment"}


@pytest.mark.parametrize(
    "key",
    [
        *("DOCKER_HOST", "docker_host", "DOCKER_CONFIG", "LD_PRELOAD", "PATH", "HOME", "HTTPS_PROXY"),
        *("no_proxy", "GODEBUG", "SSH_AUTH_SOCK", "BUILDKIT_HOST", "PACK_HOME", "XDG_RUNTIME_DIR"),
    ],
)
def test_a_key_that_would_steer_the_docker_client_is_kept_from_it(key):
    """DKR-2"""
    kept, env = environments.passed([f"--env={key}"], {key: "x"}, "/tmp/environment")
    assert (kept, env) == (["--env-file=/tmp/environment"], {})
    assert files.read("/tmp/environment") == f"{key}=x\n"


@pytest.mark.parametrize("key", ["SSH_PRIVATE_KEY", "GOOGLE_CREDENTIALS", "GOPATH_KEY", "PATHS"])
def test_a_key_that_only_looks_like_one_may_hold_lines(key):
    assert environments.passed([f"--env={key}"], {key: "a\nb"}, "/x") == ([f"--env={key}"], {key: "a\nb"})


def test_a_line_break_that_no_file_can_hold_is_refused_without_the_value():
    with pytest.raises(DokkuError) as refused:
        environments.passed(["--env=DOCKER_HOST"], {"DOCKER_HOST": "hunter2\nx"}, "/tmp/environment")
    assert refused.value.text == "The value of DOCKER_HOST may not hold line breaks"
    assert not os.path.exists("/tmp/environment")
