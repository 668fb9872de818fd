import contextlib
from collections.abc import Iterator

import pytest

from lib.app import config
from lib.base import locks, properties
from lib.base.errors import Locked
from lib.proxy import closing, vhosts
from tests.unit.lib.proxy.conftest import Host

NAMES = ["a", "b", "c"]


@pytest.fixture
def three(host: Host) -> Host:
    for number, name in enumerate(NAMES):
        host.app(name, f"10.0.0.{number + 2}")
        properties.write("common", name, "deployed", "true")
    vhosts.build(NAMES)
    host.ran.clear()
    return host


def answering(host: Host) -> list[str]:
    """The apps whose visitors nginx leads anywhere."""
    return [app for app, text in sorted(host.in_force.items()) if "server 10." in text]


def stop(host: Host, app: str) -> None:
    for known in host.containers(app):
        known["State"].update(Status="exited", Running=False)


def test_all_are_closed_in_one_reload_and_stay_so_when_they_have_stopped(three: Host) -> None:
    with closing.closed():
        assert answering(three) == []
        assert three.count("nginx -s reload") == 1
        for app in NAMES:
            stop(three, app)
    assert answering(three) == []
    assert three.count("nginx -s reload") == 1


@pytest.mark.parametrize("end", [None, KeyboardInterrupt])
def test_those_that_run_afterwards_are_served_again(three: Host, end: type[BaseException] | None) -> None:
    with contextlib.suppress(KeyboardInterrupt), closing.closed():
        stop(three, "a")
        if end:
            raise end
    assert answering(three) == ["b", "c"]
    assert three.count("nginx -s reload") == 2


@contextlib.contextmanager
def busy(app: str) -> Iterator[None]:
    """An operator has locked the app."""
    locks.lock_manually(app)
    yield
    locks.unlock_manually(app)


def test_a_locked_app_goes_on_answering_and_the_others_are_nobody_elses_meanwhile(three: Host) -> None:
    with busy("b"), closing.closed():
        assert answering(three) == ["b"]
        with locks.deploy("a"):  # ours
            pass
        with pytest.raises(Locked), locks.deploy("b"):
            pass


def test_an_app_with_another_scheduler_or_a_static_listener_is_left_alone(three: Host) -> None:
    properties.write("network", "a", "static-web-listener", "10.0.0.2:5000")
    config.set_values("b", {"DOKKU_SCHEDULER": "k3s"})
    with closing.closed():
        assert answering(three) == ["a", "b"]
