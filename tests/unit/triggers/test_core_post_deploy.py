"""core-post-deploy: what an app is once its new containers are up."""

import os

import pytest

from lib.app import apps, config
from lib.base import log, settings
from triggers import core_post_deploy

APP = "blog"
WORDS = (APP, "5000", "172.17.0.2", "latest")


@pytest.fixture(autouse=True)
def app(fs):
    os.makedirs(settings.app_dir(APP))
    with log.collected():
        yield


@pytest.fixture
def fired(monkeypatch):
    heard = []
    monkeypatch.setattr("lib.base.triggers.fire", lambda *words: heard.append(words))
    return heard


def test_it_is_deployed_and_comes_back_after_a_reboot(fired):
    for name in ("common", "ps"):
        core_post_deploy.HANDLERS[name](*WORDS)
    assert apps.is_deployed(APP)
    assert config.get(APP, "DOKKU_APP_RESTORE") == "1"


def test_no_proxy_leads_to_containers_before_they_are_on_their_networks():
    names = sorted(core_post_deploy.HANDLERS)
    assert [name for name in names if "vhosts" in name and name < "network"] == []


@pytest.mark.parametrize("kind", ["nginx", "haproxy"])
def test_traffic_switches_after_its_domains_are_known(fired, kind):
    config.set_values(APP, {"DOKKU_APP_PROXY_TYPE": kind})
    fired.clear()
    core_post_deploy.HANDLERS["nginx-vhosts"](*WORDS)
    assert fired == [("domains-setup", APP), ("proxy-build-config", APP)]


def test_another_proxy_is_left_to_its_plugin(fired):
    config.set_values(APP, {"DOKKU_APP_PROXY_TYPE": "caddy"})
    fired.clear()
    core_post_deploy.HANDLERS["nginx-vhosts"](*WORDS)
    assert fired == []
