"""haproxy:* where haproxy has nothing to say yet. See tests/tools for one that runs."""

from typing import Any

import pytest

from lib.base import log
from lib.base.errors import DokkuError, UsageError
from lib.proxy import haproxy_fronts, haproxy_service
from tests.unit.lib.proxy.test_haproxy_fronts import front, put


def test_there_is_nothing_to_show_before_there_is_a_configuration(fs: Any) -> None:
    with pytest.raises(DokkuError, match="No haproxy configuration exists for web"):
        haproxy_service.show_configuration("web")
    with pytest.raises(DokkuError, match="No haproxy configuration exists"):
        haproxy_service.show_configuration("")
    with pytest.raises(DokkuError, match="There is no haproxy log yet"):
        haproxy_service.show_logs(follow=False, lines="10")
    haproxy_service.validate()


def test_a_number_of_lines_is_a_number(fs: Any) -> None:
    with pytest.raises(UsageError):
        haproxy_service.show_logs(follow=False, lines="ten")


def test_an_app_is_shown_its_own_part(fs: Any) -> None:
    options = {"proxy-read-timeout": "60s", "client-max-body-size": "", "hsts": "false"}
    put(front("web", "10.0.0.2")._replace(options=options), front("blog", "10.0.0.3"))
    with log.collected() as said:
        haproxy_service.show_configuration("web")
    shown = b"".join(text for _, text in said).decode()
    assert "# web: web.test, at port 8080\nbackend web-5000\n" in shown
    assert "10.0.0.3" not in shown


def test_stopping_what_does_not_run_is_success(fs: Any, capfd: Any) -> None:
    haproxy_service.stop()
    assert capfd.readouterr().out == "-----> haproxy is not running\n"
    assert haproxy_fronts.digest_in_force() == ""
