"""haproxy:* as a user types it. No haproxy starts here; one that runs is in tests/tools and tests/system."""

import json

import pytest

from tests.cli.conftest import Dokku
from tests.conftest import needs

PLUGIN = '#!/bin/sh\ncase "$1" in haproxy:start) echo "the plugin starts it";; *) exit 10;; esac\n'


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["set"], " !     Please specify an app to run the command on\n", 1),
        (["set", "nope", "hsts", "true"], " !     App nope does not exist\n", 20),
        (["set", "web"], " !     No key specified\n", 1),
        (["set", "web", "image", "x"], " !     Invalid key specified, valid keys include: bind-address, ", 1),
        (["set", "web", "http-port", "80"], " !     The key 'http-port' can only be set globally\n", 1),
        (["set", "--global", "http-port", "x"], " !     Invalid value for http-port: x\n", 1),
        (["set", "--global", "http-port", "1\n2"], " !     Invalid value for http-port: 1\\x0a2\n", 1),
        (["show-config", "nope"], " !     App nope does not exist\n", 20),
        (["show-config", "web"], " !     No haproxy configuration exists for web\n", 1),
        (["show-config"], " !     No haproxy configuration exists\n", 1),
        (["logs"], " !     There is no haproxy log yet: ", 1),
        (["logs", "--num", "x"], ' !     invalid argument "x" for "-n, --num" flag\n', 2),
        (["report", "web", "--nope"], " !     Invalid flag passed, valid flags: ", 1),
        (["strat"], " !     `haproxy:strat` is not a dokku command.\n", 1),
    ],
)
def test_bad_words_are_refused(dokku: Dokku, words: list[str], said: str, code: int) -> None:
    dokku.make_app("web")
    refused = dokku(f"haproxy:{words[0]}", *words[1:])
    assert refused.out == ""
    assert refused.err.startswith(said)
    assert refused.code == code
    assert not (dokku.lib / "config/haproxy").exists()


def test_options_are_set_reported_and_unset(dokku: Dokku) -> None:
    dokku.make_app("web")
    assert dokku("haproxy:set", "web", "hsts", "false") == ("=====> Setting hsts to false\n", "", 0)
    assert dokku("haproxy:set", "--global", "http-port", "8081").code == 0
    assert dokku("haproxy:report", "web", "--haproxy-computed-hsts").out == "false\n"
    assert dokku("haproxy:report", "--global", "--haproxy-global-http-port").out == "8081\n"
    found = json.loads(dokku("haproxy:report", "web", "--format", "json").out)
    assert (found["hsts"], found["global-hsts"], found["haproxy-global-http-port"]) == (
        "false",
        "true",
        "8081",
    )
    assert dokku("haproxy:set", "web", "hsts") == ("=====> Unsetting hsts\n", "", 0)
    assert dokku("haproxy:report", "web", "--haproxy-computed-hsts").out == "true\n"


def test_what_does_not_run_can_be_stopped_and_validated(dokku: Dokku) -> None:
    assert dokku("haproxy:stop") == ("-----> haproxy is not running\n", "", 0)
    assert dokku("haproxy:validate-config") == ("", "", 0)


@needs("haproxy")
def test_an_app_that_is_not_deployed_needs_no_haproxy_that_runs(dokku: Dokku) -> None:
    dokku.make_app("web")
    assert dokku("proxy:set", "web", "haproxy").code == 0
    assert dokku("proxy:report", "web", "--proxy-type").out == "haproxy\n"
    assert dokku("proxy:build-config", "web").code == 0
    assert dokku("nginx:build-config", "web").err.endswith(" !     Configured proxy for web is haproxy\n")


def test_a_plugin_of_that_name_answers_instead_of_us(dokku: Dokku) -> None:
    dokku.plugin("haproxy", commands=PLUGIN)
    assert dokku("haproxy:start").out == "the plugin starts it\n"
    assert "Manage the haproxy proxy" not in dokku("help").out
    dokku.make_app("web")
    assert dokku("proxy:set", "web", "haproxy").code == 0


def test_help_names_every_command(dokku: Dokku) -> None:
    said = dokku("haproxy:help").out
    for name in ("logs", "report", "set", "show-config", "start", "stop", "validate-config"):
        assert f"    haproxy:{name} " in said
