"""Ports that an image exposes: each is a place where the proxy of all apps listens."""

from tests.system.conftest import PATH, Instance, _run


def test_many_exposed_ports_leave_the_proxy_as_it_is(instance: Instance) -> None:
    """NGX-9: nginx has so many connections for all of its ports, and takes no long line of comments."""
    victim = instance.name("few")
    assert instance.push(instance.new_repo(instance.sample("victim")), victim).code == 0
    for number in range(2):
        files = instance.sample("author")
        first = 21000 + 1000 * number
        files["Dockerfile"] += f"EXPOSE {' '.join(map(str, range(first, first + 200)))}\n"
        pushed = instance.push(instance.new_repo(files), instance.name(f"many{number}"))
        assert pushed.code == 0, pushed
        assert "exposes 200 ports, of which the first 32 count" in pushed.err
    test = _run(
        ["nginx", "-p", str(instance.place), "-c", str(instance.place / "nginx.conf"), "-t"],
        env={"PATH": PATH},
    )
    assert test.code == 0, test
    assert instance.get(victim).body == "victim"
    for number in range(2):
        assert instance.dokku("apps:destroy", "--force", instance.name(f"many{number}")).code == 0
