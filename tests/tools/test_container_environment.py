"""Config in a real container: what was set is what its environment holds, and no process list shows it."""

import io
import os
import shlex
import shutil
import subprocess
import tarfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.app import config
from lib.base import settings as host
from lib.tools import docker
from triggers import docker_args_deploy

APP = "blog"
# The daemon speaks JSON: values that are no text can't reach it.
TEXTS = st.one_of(
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    st.text(alphabet="\"'\\\n\r\t $`=#{} é", max_size=20),
)
VALUES = st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True), TEXTS, max_size=4)
few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

pytestmark = pytest.mark.skipif(
    shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True).returncode != 0,
    reason="there is no docker",
)


@pytest.fixture(scope="module")
def image():
    """An image with nothing in it: its containers are made and never started."""
    nothing = io.BytesIO()
    tarfile.open(fileobj=nothing, mode="w").close()
    made = subprocess.run(
        ["docker", "import", "-"], input=nothing.getvalue(), capture_output=True, check=True
    ).stdout
    yield made.decode().strip()
    subprocess.run(["docker", "image", "rm", made.decode().strip()], capture_output=True, check=False)


@pytest.fixture
def environment_of(image, tmp_path):
    """Make a container with an app's config, and take it away; what its environment holds."""
    os.makedirs(host.app_dir(APP), exist_ok=True)

    def make():
        words = shlex.split(docker_args_deploy.HANDLERS["config"](APP))
        id_ = docker.create("", image, ["/none"], {}, words, config.merged(APP))
        try:
            entries = docker.inspect(id_)[0]["Config"]["Env"] or []
        finally:
            docker.remove(id_)
        return dict(entry.split("=", 1) for entry in entries)

    return make


@few
@given(VALUES)
def test_any_text_reaches_the_container_as_it_was_set(environment_of, values):
    """NAME-6, DKR-2"""
    config.replace_values(APP, values)
    assert values.items() <= environment_of().items()


HOSTILE = {
    "DOCKER_HOST": "tcp://127.0.0.1:1",
    "DOCKER_CONFIG": "/nowhere",
    "DOCKER_CONTEXT": "nowhere",
    "DOCKER_TLS_VERIFY": "1",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "http_proxy": "http://127.0.0.1:1",
    "LD_PRELOAD": "/nowhere.so",
    "PATH": "/nowhere",
    "HOME": "/nowhere",
    "TMPDIR": "/nowhere",
    "SSL_CERT_FILE": "/nowhere",
    "GODEBUG": "x=y",
    "LD_LIBRARY_PATH": " two  blanks ",
}


@pytest.mark.parametrize("key", HOSTILE)
def test_a_key_that_docker_itself_would_heed_reaches_only_the_container(environment_of, key):
    """DKR-2"""
    config.replace_values(APP, {key: HOSTILE[key], "A": "line\nbreak"})
    assert {key: HOSTILE[key], "A": "line\nbreak"}.items() <= environment_of().items()


@pytest.mark.parametrize("key", ["SSH_PRIVATE_KEY", "GOOGLE_CREDENTIALS", "SSL_KEY", "DATABASE_CA"])
def test_a_key_of_several_lines_reaches_the_container(environment_of, key):
    config.replace_values(APP, {key: "-----BEGIN-----\nabc=\n-----END-----\n"})
    assert environment_of()[key] == "-----BEGIN-----\nabc=\n-----END-----\n"


def test_no_words_of_a_program_hold_a_value(environment_of, monkeypatch):
    """DKR-2"""
    seen = []
    real = docker.run.capture

    def capture(*argv, **more):
        seen.extend(argv)
        return real(*argv, **more)

    monkeypatch.setattr(docker.run, "capture", capture)
    config.replace_values(APP, {"A": "hunter2", "DOCKER_HOST": "hunter3"})
    assert environment_of()["DOCKER_HOST"] == "hunter3"
    assert "--env=A" in seen
    assert not any("hunter" in word for word in seen)
