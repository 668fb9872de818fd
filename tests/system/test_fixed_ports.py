"""An app at a port of the host of its own: only one container can have it, so the old one stops before."""

from tests.ports import free_port
from tests.system.conftest import Instance


def test_the_old_container_runs_again_when_the_new_one_can_not(instance: Instance) -> None:
    """ZDT-5"""
    app = instance.name("fixed-port")
    assert instance.push(instance.new_repo(instance.sample("the old one")), app).code == 0
    assert instance.dokku("checks:disable", app).code == 0
    (old,) = instance.containers(app, "status=running")

    instance.dokku("docker-options:add", app, "deploy", "--memory=1b")
    refused = instance.dokku("ps:restart", app)
    assert refused.code != 0
    assert "stopping currently running containers" not in refused.out, "docker refuses it at create"
    assert instance.get(app) == (200, "the old one")

    instance.dokku("docker-options:remove", app, "deploy", "--memory=1b")
    instance.dokku("docker-options:add", app, "deploy", "--publish=192.0.2.1:9:5000")
    refused = instance.dokku("ps:restart", app)
    assert refused.code != 0
    assert "Starting the old containers again" in refused.out
    assert instance.containers(app, "status=running") == [old]
    policy = instance.docker("inspect", "--format={{.HostConfig.RestartPolicy.Name}}", old).strip()
    assert policy == "on-failure"
    assert instance.get(app) == (200, "the old one")

    instance.dokku("docker-options:remove", app, "deploy", "--publish=192.0.2.1:9:5000")
    instance.dokku("docker-options:add", app, "deploy", f"--publish=127.0.0.1:{free_port()}:5000")
    assert instance.dokku("ps:restart", app).code == 0
    assert instance.get(app) == (200, "the old one")
    assert instance.dokku("ps:restart", app).code == 0, "the old one gives the port up first"
    refused = instance.dokku("ps:scale", app, "web=2")
    assert refused.code == 1
    assert f" !     {app} can't run 2 containers of web: all would be at host port" in refused.err
    assert instance.dokku("--quiet", "ps:scale", app).out.split() == ["web:", "1"]
    assert instance.get(app) == (200, "the old one")
