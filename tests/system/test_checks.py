"""What a new container has to do before it serves, on real docker."""

import time
from collections.abc import Iterator

import pytest

from tests.system.conftest import Instance


@pytest.fixture(scope="module")
def app(instance: Instance) -> Iterator[str]:
    """A deployed app without a CHECKS file."""
    name = instance.name("checked")
    files = instance.sample("fit", Procfile="web: /app/serve\nworker: sleep 1000\n")
    del files["CHECKS"]
    pushed = instance.push(instance.new_repo(files), name)
    assert pushed.code == 0, pushed
    assert "Default container check successful!" in pushed.err
    yield name
    assert instance.dokku("apps:destroy", "--force", name).code == 0


def test_containers_that_start_together_are_waited_for_once(instance: Instance, app: str) -> None:
    assert instance.dokku("checks:set", app, "default-wait", "8").code == 0
    started = time.monotonic()
    done = instance.dokku("ps:scale", app, "worker=4")
    spent = time.monotonic() - started
    assert instance.dokku("checks:set", app, "default-wait").code == 0

    assert done.code == 0, done
    assert done.out.count("Default container check successful!") == 5
    assert "Waiting for worker.1, worker.2, worker.3, worker.4 to be ready ..." in done.out
    assert spent > 8
    assert instance.dokku("ps:scale", app, "worker=0").code == 0


def test_a_web_container_that_does_not_listen_serves_with_a_warning(instance: Instance, app: str) -> None:
    assert instance.dokku("config:set", "--no-restart", app, "DOKKU_START_CMD=sleep 1000").code == 0
    done = instance.dokku("ps:restart", app, "web")
    assert done.code == 0, done
    assert done.err == " !     Nothing listens on port 5000 of web.1: Connection refused\n"
    assert "Default container check successful!" in done.out
    assert instance.get(app).status == 502

    assert instance.dokku("checks:set", app, "default-wait", "3").code == 0
    again = instance.dokku("config:unset", app, "DOKKU_START_CMD")
    assert instance.dokku("checks:set", app, "default-wait").code == 0
    assert (again.code, again.err) == (0, "")
    assert instance.get(app) == (200, "fit")


def test_a_container_that_dies_within_its_wait_is_no_success(instance: Instance) -> None:
    """DKR-12"""
    name = instance.name("dies")
    files = instance.sample(
        "never", serve="#!/bin/sh\necho starting\nsleep 1\necho out of memory >&2\nexit 9\n"
    )
    del files["CHECKS"]
    assert instance.dokku("apps:create", name).code == 0
    assert instance.dokku("checks:set", name, "default-wait", "3600").code == 0

    pushed = instance.push(instance.new_repo(files), name)

    assert pushed.code != 0
    assert f"=====> {name} web container output:" in pushed.err
    assert "out of memory" in pushed.err
    assert f"=====> end {name} web container output" in pushed.err
    assert "App container failed to start!!" in pushed.err
    assert pushed.err.index("out of memory") < pushed.err.index("App container failed to start!!")
    assert instance.containers(name) == []
    assert instance.dokku("apps:destroy", "--force", name).code == 0


def test_a_checks_file_is_a_template_over_the_apps_config(instance: Instance) -> None:
    name = instance.name("templated")
    checks = 'WAIT=0\nATTEMPTS={{ var "TRIES" }}\n/{{ var "PAGE" }} {{ var "TEXT" }}\n//other.test/ a page\n'
    files = instance.sample("a page", CHECKS=checks)
    repo = instance.new_repo(files)
    assert instance.dokku("apps:create", name).code == 0
    words = ["TRIES=30", "PAGE=index.html", "TEXT=a page"]
    assert instance.dokku("config:set", name, *words).code == 0

    pushed = instance.push(repo, name)

    assert pushed.code == 0, pushed
    assert 'http://localhost/index.html => "a page"' in pushed.err
    assert 'http://other.test/ => "a page"' in pushed.err
    assert "Attempt 1/30. Waiting for 0 seconds ..." in pushed.err
    instance.dokku("config:set", "--no-restart", name, "TEXT=another page", "TRIES=2")
    failed = instance.dokku("ps:restart", name)
    assert failed.code == 1
    assert 'http://localhost/index.html: expected to but did not find: "another page"' in failed.err
    assert " !     Check attempt 2/2 failed." in failed.err
    assert failed.err.endswith(" !     Could not start due to 1 failed checks.\n")
    assert instance.get(name) == (200, "a page")
    run = instance.dokku("checks:run", name)
    assert (run.code, instance.get(name)) == (1, (200, "a page")), (
        "a failed check of what serves stops nothing"
    )
    assert instance.dokku("apps:destroy", "--force", name).code == 0


def test_a_skipped_type_serves_at_once(instance: Instance, app: str) -> None:
    assert instance.dokku("checks:set", app, "default-wait", "60").code == 0
    assert instance.dokku("checks:skip", app).code == 0
    done = instance.dokku("ps:restart", app)
    assert instance.dokku("checks:enable", app).code == 0
    assert instance.dokku("checks:set", app, "default-wait").code == 0
    assert done.code == 0, done
    assert f"=====> Zero downtime checks for app ({app}) have been skipped. moving on..." in done.out


def test_a_disabled_type_is_stopped_before_its_successor_starts(instance: Instance, app: str) -> None:
    """ZDT-7"""
    old = (instance.root / app / "CONTAINER.web.1").read_text().strip()
    assert instance.dokku("checks:disable", app, "web").code == 0
    done = instance.dokku("ps:restart", app)
    assert instance.dokku("checks:enable", app, "web").code == 0
    assert done.code == 0, done
    assert (
        f"-----> zero downtime is disabled for app ({app}.web). stopping currently running containers"
        in done.out
    )
    assert old not in instance.containers(app, "status=running")
    assert "pre-flight checks" not in done.out
    assert instance.get(app) == (200, "fit")


def test_a_plugin_may_refuse_a_container(instance: Instance, app: str) -> None:
    place = instance.lib / "plugins/enabled/guard"
    place.mkdir(parents=True)
    (place / "check-deploy").write_text(
        f'#!/bin/sh\n[ "$1" != {app} ] || {{ echo "no $3 at $5:$4"; exit 4; }}\n'
    )
    (place / "check-deploy").chmod(0o755)
    try:
        done = instance.dokku("ps:restart", app)
    finally:
        (place / "check-deploy").unlink()
        place.rmdir()
    assert done.code == 4
    assert "no web at 172." in done.out
    assert instance.get(app) == (200, "fit")
