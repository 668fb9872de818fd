"""Values on their way into containers and builds of the real docker, by every client this machine has."""

import io
import json
import os
import shutil
import subprocess
import tarfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.base.errors import DokkuError
from lib.tools import docker, docker_builds, docker_relay

CLIENTS = sorted(
    {path for path in ("/usr/bin/docker", "/usr/local/bin/docker", shutil.which("docker")) if path}
)
pytestmark = pytest.mark.skipif(
    shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True).returncode != 0,
    reason="there is no docker",
)
NAMES = (
    *("GIT_CONFIG_GLOBAL", "BASH_ENV", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_BUILDKIT"),
    *("BUILDX_CONFIG", "LD_PRELOAD", "LD_LIBRARY_PATH", "PATH", "HOME", "HTTP_PROXY", "GODEBUG", "TMPDIR"),
    *("DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION", "LC_ALL", "ANYTHING"),
)
HOSTILE = dict.fromkeys(NAMES, "/evil")
TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
few = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
BIG = "\n".join(["0123456789'\"\\ $(id) `id`\r\té"] * 4000)


@pytest.fixture(scope="module")
def image():
    """An image with nothing in it: its containers are made and never started."""
    nothing = io.BytesIO()
    tarfile.open(fileobj=nothing, mode="w").close()
    words = ["docker", "import", "-"]
    made = subprocess.run(words, input=nothing.getvalue(), capture_output=True, check=True).stdout
    yield made.decode().strip()
    subprocess.run(["docker", "image", "rm", made.decode().strip()], capture_output=True, check=False)


@pytest.fixture(params=[path for path in CLIENTS if os.path.exists(path)])
def client(request, monkeypatch):
    monkeypatch.setenv("DOCKER_BIN", request.param)


def environment_of(image, variables, flags=()):
    """What a container's environment holds that was made with these."""
    words = [*flags, *(f"--env={key}" for key in variables)]
    made = docker.create("", image, ["/none"], {}, words, variables)
    try:
        return docker.inspect(made)[0]["Config"]["Env"] or []
    finally:
        docker.remove(made)


@few
@given(st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True), TEXTS, max_size=4))
def test_any_text_under_any_name_reaches_a_container(client, image, variables):
    found = dict(entry.split("=", 1) for entry in environment_of(image, variables))
    assert variables.items() <= found.items()


def test_names_that_programs_of_the_host_read_reach_only_the_container(client, image):
    """DKR-2"""
    found = dict(entry.split("=", 1) for entry in environment_of(image, HOSTILE))
    assert HOSTILE.items() <= found.items()


def test_100_kib_reach_a_container(client, image):
    assert f"BIG={BIG}" in environment_of(image, {"BIG": BIG})


def test_what_an_option_says_itself_stays_and_what_it_only_names_is_filled_in(client, image):
    flags = ["--env", "OWN=1", "-e", "NAMED", "-eGLUED"]
    made = docker.create(
        "", image, ["/none"], {}, flags, {"OWN": "2", "NAMED": "n", "GLUED": "g", "MORE": "m"}
    )
    try:
        found = docker.inspect(made)[0]["Config"]["Env"] or []
    finally:
        docker.remove(made)
    assert {"OWN=1", "NAMED=n", "GLUED=g"} <= set(found)
    assert not any(entry.startswith("MORE") for entry in found)


def test_a_build_argument_gets_its_value_whatever_its_name(client, image, tmp_path):
    """DKR-3"""
    names = [*(name for name in HOSTILE if name != "PATH"), "TEXT"]  # PATH has a default in every image
    lines = [
        "FROM scratch",
        *(f"ARG {name}" for name in names),
        *(f'LABEL l{name}="${name}"' for name in names),
    ]
    (tmp_path / "Dockerfile").write_text("\n".join([*lines, ""]))
    values = {**HOSTILE, "TEXT": "two\nlines ' \" $(id) é", "UNNAMED": "x"}
    flags = [word for name in names for word in ("--build-arg", name)]
    rest = ("", str(tmp_path / "id"), {}, flags, lambda line: None, values)
    docker_builds.build(str(tmp_path), *rest, with_buildkit=False)
    (built,) = docker.inspect_images((tmp_path / "id").read_text().strip())
    docker.remove_image(built["Id"])
    labels = built["Config"]["Labels"]
    assert {name: labels[f"l{name}"] for name in names} == {name: values[name] for name in names}


def test_a_daemon_that_is_not_there_is_named(client, image, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(DokkuError):
        docker.create("", image, ["/none"], {}, [], {"A": "1"})


def test_a_daemon_that_only_dockers_client_reaches_is_refused(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "ssh://elsewhere")
    with pytest.raises(DokkuError, match="at ssh://, only to unix://"), docker_relay.filling({"A": "1"}):
        pass


def test_a_context_of_the_operators_names_the_daemon(image, tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    host = f"host=unix://{docker_relay.SOCKET}"
    subprocess.run(
        ["docker", "context", "create", "here", f"--docker={host}"], check=True, capture_output=True
    )
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": "here"}))
    assert "A=1" in environment_of(image, {"A": "1"})


def test_nobody_else_reaches_the_relay(client):
    with docker_relay.filling({"A": "1"}) as change:
        path = change["DOCKER_HOST"].removeprefix("unix://")
        assert os.stat(os.path.dirname(path)).st_mode & 0o077 == 0
    assert not os.path.exists(os.path.dirname(path))
