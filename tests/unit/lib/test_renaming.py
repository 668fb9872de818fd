"""What happens between the copy of an app and the end of the old one, in order."""

import os

import pytest

from lib import renaming
from lib.app import config
from lib.base import log, properties, settings
from lib.base.errors import DokkuError

OLD, NEW = "blog", "site"


@pytest.fixture
def steps(tmp_path, monkeypatch):
    """The steps that are taken, by name. Files are real, as locks have to be."""
    for app in (OLD, NEW):
        os.makedirs(settings.app_dir(app))
    properties.write("common", OLD, "deployed", "true")
    found = []
    monkeypatch.setattr("lib.runtime.release_images.share", lambda *apps: found.append(("share", *apps)))
    monkeypatch.setattr("lib.base.triggers.fire", lambda *words: found.append(words))
    monkeypatch.setattr("lib.proxy.traffic.hand_over", lambda *apps: found.append(("hand over", *apps)))
    monkeypatch.setattr("lib.build.caches.move", lambda *apps: found.append(("move cache", *apps)))
    with log.collected():
        yield found


def test_the_copy_runs_before_visitors_are_led_to_it_and_requests_under_way_end(steps, clock):
    config.set_values(OLD, {"DOKKU_WAIT_TO_RETIRE": "7"})
    steps.clear()
    before = clock.time()
    renaming.take_over(OLD, NEW, skip_deploy=False)
    assert steps == [
        ("share", OLD, NEW),
        ("release-and-deploy", NEW),
        ("hand over", OLD, NEW),
        ("move cache", OLD, NEW),
    ]
    assert clock.time() - before == 7


def test_a_copy_that_does_not_start_gets_nothing(steps, monkeypatch):
    def refuse(*_):
        raise DokkuError("no luck")

    monkeypatch.setattr("lib.base.triggers.fire", refuse)
    with pytest.raises(DokkuError, match="no luck"):
        renaming.take_over(OLD, NEW, skip_deploy=False)
    assert steps == [("share", OLD, NEW)]


@pytest.mark.parametrize("case", ["skipped", "never deployed", "of another scheduler"])
def test_what_does_not_serve_here_is_only_copied(steps, case):
    if case == "never deployed":
        properties.write("common", OLD, "deployed", "false")
    if case == "of another scheduler":
        config.set_values(OLD, {"DOKKU_SCHEDULER": "nomad"})
        steps.clear()
    renaming.take_over(OLD, NEW, skip_deploy=case == "skipped")
    assert steps == [("move cache", OLD, NEW)]
