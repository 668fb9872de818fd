"""docker-options:*, storage:* and resource:* on real docker: what reaches the containers, what does not."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.conftest import BASE_IMAGE, TREE, Instance

PAGE = "served as before"
VALUE = 'it\'s "x" $(touch /tmp/made) `touch /tmp/made` \\ $HOME *\n  second line'
DOCKERFILE = f"""FROM {BASE_IMAGE}
ARG PAGE=none
RUN mkdir -p /www && echo "{PAGE}" >/www/index.html && echo "$PAGE" >/www/arg.html
COPY serve Procfile /app/
WORKDIR /app
CMD ["/app/serve"]
"""
PROCFILE = "web: /app/serve\nworker: sleep 1000\n"


@pytest.fixture(scope="module")
def app(instance: Instance) -> Iterator[str]:
    """A deployed app with a web and a worker process."""
    name = instance.name("options")
    files = {**instance.sample(), "Dockerfile": DOCKERFILE, "Procfile": PROCFILE}
    assert instance.dokku("apps:create", name).code == 0
    assert instance.dokku("ps:scale", "--skip-deploy", name, "web=1", "worker=1").code == 0
    pushed = instance.push(instance.new_repo(files), name)
    assert pushed.code == 0, pushed
    yield name
    assert instance.dokku("apps:destroy", "--force", name).code == 0


@pytest.fixture(autouse=True)
def _as_created(instance: Instance, app: str) -> Iterator[None]:
    """No test finds options of another."""
    yield
    for words in (["docker-options:clear"], ["docker-options:clear", "--process", "worker"]):
        assert instance.dokku(*words, app).code == 0
    for words in (["resource:limit-clear"], ["resource:reserve-clear"]):
        assert instance.dokku(*words, app).code == 0


def _do(instance: Instance, *words: str) -> None:
    done = instance.dokku(*words)
    assert done.code == 0, done


def _known(instance: Instance, app: str, process: str = "web") -> dict[str, Any]:
    """What docker knows of the container that serves as a process type's first."""
    id_ = (instance.root / app / f"CONTAINER.{process}.1").read_text().strip()
    found: dict[str, Any] = json.loads(instance.docker("container", "inspect", id_))[0]
    return found


def _serves(instance: Instance, app: str) -> bool:
    return instance.get(app) == (200, f"{PAGE}\n")


def test_options_reach_the_containers_byte_for_byte_and_run_nothing(instance: Instance, app: str) -> None:
    """RUN-1, RUN-10"""
    option = f"-e {shlex.quote(f'A={VALUE}')}"
    _do(instance, "docker-options:add", app, "deploy,run", option)
    _do(instance, "docker-options:add", app, "deploy", "--label 'a.test=two  words'")
    _do(instance, "docker-options:add", "--process", "worker", app, "deploy", "--hostname=at-work")

    _do(instance, "ps:restart", app)

    web, worker = _known(instance, app), _known(instance, app, "worker")
    assert f"A={VALUE}" in web["Config"]["Env"]
    assert web["Config"]["Labels"]["a.test"] == "two  words"
    assert instance.dokku("run", app, "sh", "-c", 'printf %s "$A"').out == VALUE
    assert not Path("/tmp/made").exists()
    assert worker["Config"]["Hostname"] == "at-work"
    assert web["Config"]["Hostname"] != "at-work"
    assert _serves(instance, app)


def test_an_option_given_through_ssh_is_the_same(instance: Instance, app: str) -> None:
    done = instance.ssh(f"""docker-options:add {app} deploy '-e "A=it is \\"x\\" $(id)"'""")
    assert done.code == 0, done

    _do(instance, "ps:restart", app)

    assert 'A=it is "x" $(id)' in _known(instance, app)["Config"]["Env"]


def test_options_of_the_build_phase_reach_the_build_and_mounts_do_not_disturb_it(
    instance: Instance, app: str
) -> None:
    _do(instance, "docker-options:add", app, "build", "--build-arg 'PAGE=built with $(id)\n `id`'")
    _do(instance, "docker-options:add", app, "build", "-v /tmp:/tmp")

    _do(instance, "ps:rebuild", app)

    assert instance.get(app, "/arg.html") == (200, "built with $(id)\n `id`\n")


def test_mounts_are_in_the_containers_and_leave_them_with_the_next_deploy(
    instance: Instance, app: str
) -> None:
    directory = instance.lib / "data/storage/pages"
    _do(instance, "storage:ensure-directory", "pages")
    (directory / "page.html").write_text("from the host\n")
    volume = f"{instance.prefix}-volume:/volume"
    for spec in (f"{directory}:/www/mounted:ro", volume):
        _do(instance, "storage:mount", app, spec)

    _do(instance, "ps:restart", app)

    assert instance.get(app, "/mounted/page.html") == (200, "from the host\n")
    assert set(_known(instance, app)["HostConfig"]["Binds"]) == {f"{directory}:/www/mounted:ro", volume}
    _do(instance, "storage:unmount", app, f"{directory}:/www/mounted:ro")
    assert instance.get(app, "/mounted/page.html").status == 200, "what runs keeps its mounts"
    _do(instance, "ps:restart", app)
    assert instance.get(app, "/mounted/page.html").status == 404
    assert _known(instance, app)["HostConfig"]["Binds"] == [volume]


def test_limits_reach_the_containers_of_their_type(instance: Instance, app: str) -> None:
    _do(instance, "resource:limit", "--memory", "512MB", "--cpu", "0.5", app)
    _do(
        instance, "resource:limit", "--process-type", "worker", "--memory", "64", "--memory-swap", "128m", app
    )
    _do(instance, "resource:reserve", "--memory", "32m", app)

    _do(instance, "ps:restart", app)

    web, worker = (_known(instance, app, process)["HostConfig"] for process in ("web", "worker"))
    assert (web["Memory"], web["NanoCpus"], web["MemoryReservation"]) == (512 << 20, 500_000_000, 32 << 20)
    assert (worker["Memory"], worker["MemorySwap"], worker["NanoCpus"]) == (64 << 20, 128 << 20, 500_000_000)
    assert _serves(instance, app)


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("--no-such-flag", "unknown flag: --no-such-flag"),
        ("-v /a:relative", "invalid mount path"),
        ("--network=no-such-network", "no-such-network"),
        ("foo:bar", "foo:bar"),
        ("-e 'A", "Unable to parse options"),
    ],
)
def test_a_bad_option_fails_the_deploy_and_the_old_version_serves(
    instance: Instance, app: str, option: str, reason: str
) -> None:
    before = _known(instance, app)["Id"]
    with open(instance.root / app / "DOCKER_OPTIONS_DEPLOY", "a") as file:  # as a person does it
        file.write(f"{option}\n")

    for command in ("ps:restart", "ps:rebuild"):
        done = instance.dokku(command, app)

        assert done.code != 0
        assert reason in done.err
        assert "Traceback" not in done.err
        assert _known(instance, app)["Id"] == before
        assert _serves(instance, app)
    containers = [
        name for name in instance.docker("ps", "--all", "--format={{.Names}}").split() if app in name
    ]
    assert not [name for name in containers if "upcoming" in name]


def test_a_limit_that_docker_refuses_fails_the_deploy_and_the_old_version_serves(
    instance: Instance, app: str
) -> None:
    before = _known(instance, app)["Id"]
    _do(instance, "resource:limit", "--memory", "much", app)

    done = instance.dokku("ps:restart", app)

    assert done.code != 0
    assert "much" in done.err
    assert _known(instance, app)["Id"] == before
    assert _serves(instance, app)


def test_a_one_off_container_is_given_options_and_mounts_too(instance: Instance, app: str) -> None:
    _do(instance, "storage:mount", app, "/tmp/a b:/c")
    _do(instance, "docker-options:add", app, "run", "--restart=always")
    _do(instance, "docker-options:add", app, "run", "-e 'A=$(id)'")
    argv = [str(TREE / "bin/plugn"), "trigger", "docker-args-run", app, "latest"]

    said = subprocess.run(argv, env=instance.environment, capture_output=True, text=True, check=True).stdout

    words = shlex.split(said)
    assert words[-4:] == ["-e", "A=$(id)", "-v", "/tmp/a b:/c"]
    assert "--restart=always" not in words


def test_mounts_of_an_app_of_buildpacks_belong_to_its_user(instance: Instance) -> None:
    app = instance.name("owned")
    directory = instance.lib / "data/storage/owned"
    dockerfile = f"""FROM {BASE_IMAGE}
RUN echo herokuishuser:x:32767:32767::/app:/bin/sh >>/etc/passwd
RUN mkdir -p /www && echo {PAGE} >/www/index.html
ENV USER=herokuishuser
LABEL com.dokku.builder-type=herokuish
COPY serve /start
"""
    _do(instance, "apps:create", app)
    _do(instance, "storage:ensure-directory", "--chown", "root", "owned")
    (directory / "file").write_text("x")
    _do(instance, "storage:mount", app, f"{directory}:/data")
    image = f"dokku/{app}:latest"
    context = instance.new_repo({**instance.sample(), "Dockerfile": dockerfile})
    instance.build(image, context)
    done = instance.dokku("deploy", app)
    assert done.code == 0, done
    assert (directory / "file").stat().st_uid == 32767
    _do(instance, "apps:destroy", "--force", app)
