"""A reboot, as far as one can have it without one.

Everything stopped, addresses swapped, then the restore job.
"""

import itertools
import os

from tests.system.conftest import Instance


def test_after_a_reboot_every_app_answers_as_itself_and_never_as_another(instance: Instance) -> None:
    apps = [instance.name(f"boot-{number}") for number in range(3)]
    for app in apps:
        assert instance.push(instance.new_repo(instance.sample(app)), app).code == 0
    stopped = instance.name("boot-stopped")
    assert instance.push(instance.new_repo(instance.sample(stopped)), stopped).code == 0
    assert instance.dokku("ps:stop", stopped).code == 0
    before = {app: instance.get(app).body for app in apps}
    containers = [instance.containers(app, "status=running")[0] for app in apps]
    addresses = _addresses(instance, containers)

    instance.stop_nginx()
    try:
        _swap_addresses(instance, containers, addresses)
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


def _swap_addresses(instance: Instance, containers: list[str], before: list[str]) -> None:
    """Docker gives out what is free, to others here too: one order after another, until they have swapped."""
    for order in itertools.islice(itertools.cycle(itertools.permutations(containers)), 1, 13):
        instance.docker("container", "stop", "--time=1", *containers)
        for container in order:
            instance.docker("container", "start", container)
        now = _addresses(instance, containers)
        if now != before and set(now) & set(before):
            return
    raise AssertionError("the containers were to swap their addresses")


def _addresses(instance: Instance, containers: list[str]) -> list[str]:
    return instance.docker("inspect", "--format={{.NetworkSettings.IPAddress}}", *containers).split()
