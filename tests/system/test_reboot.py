"""A reboot, as far as one can have it without one.

Everything stopped, addresses swapped, then the restore job.
"""

import os
import re

from tests.system.conftest import Instance


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
        _restart_with_swapped_addresses(instance, apps)
        for app in apps:
            os.utime(instance.root / app / "nginx.conf", (1, 1))  # written before this boot
        assert instance.dokku("ps:restore", "--before-proxy").code == 0
    finally:
        instance.start_nginx()
    early = {app: instance.get(app) for app in apps}
    restored = instance.dokku("ps:restore")

    assert all(answer.status in (0, 404, 502, 503) or answer.body == app for app, answer in early.items())
    assert restored.code == 0, restored
    assert {app: instance.get(app).body for app in apps} == before
    assert instance.get(stopped).status != 200
    again = instance.dokku("ps:restore")
    assert again.code == 0
    assert {app: instance.get(app).body for app in apps} == before


def _restart_with_swapped_addresses(instance: Instance, apps: list[str]) -> None:
    """Each app's vhost names the address that the next app has now.

    Docker gives out what is free, and others start containers here too: so the files are the ones that move.
    """
    containers = [instance.containers(app, "status=running")[0] for app in apps]
    before = _addresses(instance, containers)
    instance.docker("container", "restart", "--time=1", *reversed(containers))
    now = _addresses(instance, containers)
    for app, old, others in zip(apps, before, [*now[1:], now[0]], strict=True):
        vhost = instance.root / app / "nginx.conf"
        assert f"server {old}:" in vhost.read_text()
        vhost.write_text(re.sub(rf"\b{re.escape(old)}\b", others, vhost.read_text()))


def _addresses(instance: Instance, containers: list[str]) -> list[str]:
    return instance.docker("inspect", "--format={{.NetworkSettings.IPAddress}}", *containers).split()
