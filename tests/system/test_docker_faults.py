"""A docker that goes away during a deploy: the old version stays in force, and the next deploy works."""

import shutil

import pytest

from tests.system.conftest import Instance

_LOST = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"


@pytest.mark.parametrize("at", ["container start", "image build"])
def test_a_docker_that_is_lost_during_a_deploy_costs_nothing_but_that_deploy(
    instance: Instance, at: str
) -> None:
    """DKR-8: from one call on, none is answered until it is back."""
    app = instance.name(f"lost-{at.split()[0]}")
    repo = instance.new_repo(instance.sample("one"))
    assert instance.push(repo, app).code == 0
    before = (instance.root / app / "CONTAINER.web.1").read_text()
    gone, program = instance.place / f"gone-{at.split()[0]}", instance.place / "bin/lost-docker"
    program.write_text(
        f'#!/bin/sh\ncase "$1 $2" in "{at}") touch {gone} ;; esac\n'
        f'[ ! -e {gone} ] || {{ echo "{_LOST}" >&2; exit 1; }}\nexec {shutil.which("docker")} "$@"\n'
    )
    program.chmod(0o755)

    instance.commit(repo, instance.sample("two"))
    instance.set_environment(DOCKER_BIN=str(program))
    failed = instance.push(repo, app)
    again = instance.dokku("ps:report", app)
    instance.set_environment()

    assert failed.code != 0
    assert "Docker daemon" in failed.err
    assert "Traceback" not in failed.err + again.err
    assert instance.get(app) == (200, "one")
    assert (instance.root / app / "CONTAINER.web.1").read_text() == before
    assert instance.dokku("ps:report", app).code == 0

    instance.set_environment(DOKKU_WAIT_TO_RETIRE="0")
    assert instance.push(repo, app).code == 0
    instance.set_environment()
    assert instance.get(app) == (200, "two")
    assert instance.dokku("ps:retire").code == 0
    assert len(instance.containers(app)) == 1
