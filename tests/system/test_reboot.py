"""A reboot, as far as one can have it without one.

Everything stopped, started in another order, asked at once; then the restore job.
"""

import json

from tests.system.conftest import Instance, wait_for


def test_after_a_reboot_every_app_answers_as_itself_and_never_as_another(instance: Instance) -> None:
    """RBT-1, RBT-2"""
    apps = [instance.name(f"boot-{number}") for number in range(3)]
    for app in apps:
        assert instance.push(instance.new_repo(instance.sample(app)), app).code == 0
    stopped = instance.name("boot-stopped")
    assert instance.push(instance.new_repo(instance.sample(stopped)), stopped).code == 0
    assert instance.dokku("ps:stop", stopped).code == 0
    before = {app: instance.get(app).body for app in apps}

    instance.stop_nginx()
    try:
        _restart_in_another_order(instance, apps)
    finally:
        instance.start_nginx()
    for app in apps:  # nothing has been restored
        wait_for(lambda app=app: instance.get(app, timeout=90).status == 200, 30)  # type: ignore[misc]
    assert {app: instance.get(app).body for app in apps} == before
    restored = instance.dokku("ps:restore")

    assert restored.code == 0, restored
    assert {app: instance.get(app).body for app in apps} == before
    assert instance.get(stopped).status != 200
    again = instance.dokku("ps:restore")
    assert again.code == 0
    assert {app: instance.get(app).body for app in apps} == before


def _restart_in_another_order(instance: Instance, apps: list[str]) -> None:
    """Docker gives the addresses of its bridge to whoever starts next, so they move from app to app."""
    containers = [instance.containers(app, "status=running")[0] for app in apps]
    own = _own_addresses(instance, containers)
    instance.docker("container", "stop", "--time=1", *containers)
    instance.docker("container", "start", *reversed(containers))
    assert _own_addresses(instance, containers) == own


def _own_addresses(instance: Instance, containers: list[str]) -> list[dict[str, str]]:
    """Each container's addresses on the network of its app alone."""
    shape = "--format={{json .NetworkSettings.Networks}}"
    known = map(json.loads, instance.docker("inspect", shape, *containers).splitlines())
    return [
        {name: there["IPAddress"] for name, there in networks.items() if name.startswith("dokku.app.")}
        for networks in known
    ]
