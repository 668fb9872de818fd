import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.app import certs, domains
from lib.base import files, properties, settings
from lib.base.errors import DokkuError
from lib.proxy import acme_orders, acme_renewals, acme_settings, letsencrypt
from lib.tools import lego
from tests.unit.lib.proxy.authorities import DAY, KEY, Authority
from tests.unit.lib.proxy.conftest import Host

Output = pytest.CaptureFixture[str]
ENTRY = r"([0-9]|[1-5][0-9]) ([0-9]|1[01]),(1[2-9]|2[0-3]) \* \* \*;\S+ --quiet letsencrypt:auto-renew\n"


@pytest.fixture
def authority(host: Host, monkeypatch: pytest.MonkeyPatch) -> Authority:
    monkeypatch.setattr(lego, "verify_installed", lambda: None)
    properties.write("letsencrypt", "--global", "email", "me@example.com")
    return Authority(host)


def deployed(authority: Authority, app: str, ip: str, left: float | None = None) -> None:
    """An app with a domain, and (left) a certificate of 90 days from an order that has so many days left."""
    authority.host.app(app, ip, domains=f"{app}.example.com")
    properties.write("common", app, "deployed", "true")
    if left is not None:
        authority.age = (90 - left) * DAY
        letsencrypt.enable(app)
        authority.age = 0
    authority.orders.clear()
    authority.host.ran.clear()


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOKKU_QUIET_OUTPUT", "1")


def test_nothing_due_is_nothing_done_and_nothing_said(
    authority: Authority, host: Host, quiet: None, capfd: Output
) -> None:
    deployed(authority, "web", "10.0.0.2", left=31)
    capfd.readouterr()
    acme_renewals.renew_all()
    assert authority.orders == []
    assert capfd.readouterr() == ("", "")
    assert host.count("nginx -t") == 0


def test_what_is_left_is_told_to_who_asks(authority: Authority, capfd: Output) -> None:
    deployed(authority, "web", "10.0.0.2", left=40.5)
    capfd.readouterr()
    acme_renewals.renew("web")
    assert capfd.readouterr().out == "       web still has 10d, 12h left before renewal\n"


def test_many_that_are_due_cost_one_reload(authority: Authority, host: Host) -> None:
    deployed(authority, "late", "10.0.0.2", left=29)
    deployed(authority, "later", "10.0.0.3", left=3)
    deployed(authority, "fine", "10.0.0.4", left=80)
    before = Path(certs.certificate("late")).read_text()
    acme_renewals.renew_all()
    assert authority.orders == [["later.example.com"], ["late.example.com"]]
    assert host.count("nginx -s reload") == 1
    assert Path(certs.certificate("late")).read_text() != before
    host.ran.clear()
    authority.orders.clear()
    acme_renewals.renew_all()
    assert authority.orders == []


def test_the_failure_of_one_stops_no_other(authority: Authority, capfd: Output) -> None:
    for number, app in enumerate(("a", "b", "c")):
        deployed(authority, app, f"10.0.0.{number}", left=5)
    authority.broken = ["b.example.com"]
    with pytest.raises(DokkuError, match=r"^One or more apps failed to have their certificates renewed$"):
        acme_renewals.renew_all()
    assert authority.orders == [["a.example.com"], ["b.example.com"], ["c.example.com"]]
    assert "[b.example.com] acme: error: 400" in capfd.readouterr().err
    assert acme_orders.is_active("b")


def test_what_root_has_put_into_an_app_stops_no_other(authority: Authority, withheld) -> None:
    deployed(authority, "a", "10.0.0.2", left=5)
    deployed(authority, "b", "10.0.0.3", left=6)
    text = Path(certs.certificate("a")).read_text()
    Path(certs.certificate("a")).unlink()
    Path(certs.certificate("a")).write_text(text)
    withheld(Path(certs.certificate("a")))
    acme_renewals.renew_all()
    assert authority.orders == [["b.example.com"]]
    assert not acme_orders.is_active("a")


def test_what_failed_is_not_tried_again_at_once_nor_told_again(
    authority: Authority, quiet: None, capfd: Output
) -> None:
    deployed(authority, "web", "10.0.0.2", left=5)
    authority.broken = ["web.example.com"]
    with pytest.raises(DokkuError):
        acme_renewals.renew_all()
    capfd.readouterr()
    acme_renewals.renew_all()
    assert len(authority.orders) == 1
    assert capfd.readouterr() == ("", "")


def test_a_wildcard_in_a_certificate_is_not_given_up(authority: Authority, capfd: Output) -> None:
    deployed(authority, "web", "10.0.0.2", left=5)
    domains.add("web", ["*.example.com"])
    certificate = authority.certificate("web.example.com", "*.example.com")
    acme_orders.fulfilled("web", acme_settings.account("web"), certificate)
    certs.put("web", certificate.encode(), KEY.encode())
    authority.age, authority.lifetime = 85 * DAY, 90 * DAY
    domains.add("web", ["new.example.com"])
    with pytest.raises(DokkuError):
        acme_renewals.renew_all()
    assert "No certificate can be ordered over HTTP for a wildcard: *.example.com" in capfd.readouterr().err
    assert authority.orders == []
    domains.remove("web", ["*.example.com"])
    acme_renewals.renew_all()
    assert authority.orders == [["web.example.com", "new.example.com"]]


def test_a_new_domain_is_taken_in(authority: Authority) -> None:
    deployed(authority, "web", "10.0.0.2", left=80)
    domains.add("web", ["new.example.com"])
    acme_renewals.renew_all()
    assert authority.orders == [["web.example.com", "new.example.com"]]


def test_a_domain_that_is_in_the_way_does_not_cost_the_others_their_certificate(authority: Authority) -> None:
    deployed(authority, "web", "10.0.0.2", left=5)
    domains.add("web", ["new.example.com", "*.example.com"])
    authority.broken = ["new.example.com"]
    with pytest.raises(DokkuError):
        acme_renewals.renew_all()
    acme_renewals.renew_all()
    assert authority.orders == [["web.example.com", "new.example.com"], ["web.example.com"]]
    assert certs.names("web") == ["web.example.com"]


def test_a_domain_that_is_in_the_way_is_no_reason_to_order_while_there_is_time(authority: Authority) -> None:
    deployed(authority, "web", "10.0.0.2", left=80)
    domains.add("web", ["new.example.com"])
    authority.broken = ["new.example.com"]
    with pytest.raises(DokkuError):
        acme_renewals.renew_all()
    acme_renewals.renew_all()
    assert authority.orders == [["web.example.com", "new.example.com"]]


def test_an_app_that_can_not_be_ordered_for_is_quiet_until_it_is_due(authority: Authority) -> None:
    deployed(authority, "web", "10.0.0.2", left=80)
    properties.write("proxy", "web", "disabled", "true")
    acme_renewals.renew_all()
    assert authority.orders == []


def test_certificates_from_elsewhere_are_left_alone(authority: Authority, capfd: Output) -> None:
    deployed(authority, "web", "10.0.0.2")
    authority.age = 89 * DAY
    certs.put("web", authority.certificate("web.example.com").encode(), KEY.encode())
    capfd.readouterr()
    acme_renewals.renew_all()
    acme_renewals.renew("web")
    assert authority.orders == []
    assert "-----> Letsencrypt not enabled for web\n" in capfd.readouterr().out


def test_what_nginx_does_not_take_is_taken_back(authority: Authority, host: Host, monkeypatch) -> None:
    deployed(authority, "bad", "10.0.0.2", left=5)
    deployed(authority, "good", "10.0.0.3", left=6)
    before = {app: Path(certs.certificate(app)).read_text() for app in ("bad", "good")}
    monkeypatch.setattr(host, "_tested", _refusing(host._tested, host, before["bad"]))
    with pytest.raises(DokkuError, match="One or more apps failed"):
        acme_renewals.renew_all()
    assert Path(certs.certificate("bad")).read_text() == before["bad"]
    assert Path(certs.certificate("good")).read_text() != before["good"]
    assert acme_orders.is_active("bad")


def _refusing(test, host: Host, before: str):
    """nginx refuses the app bad once its certificate is another one."""

    def then():
        changed = files.read(certs.certificate("bad")) != before
        host.refused[:] = ["upstream bad-"] if changed else []
        return test()

    return then


def test_what_a_killed_one_left_is_put_right(authority: Authority, host: Host) -> None:
    deployed(authority, "web", "10.0.0.2", left=80)
    files.replace(certs.certificate("web"), Path(certs.certificate("web")).read_text() + "\n")
    deployed(authority, "new", "10.0.0.3")
    leftover = Path(settings.app_dir("new"), "nginx.conf.d/letsencrypt.conf")
    files.replace(str(leftover), "location /x {}\n")
    acme_renewals.renew_all()
    assert not leftover.exists()
    assert host.count("nginx -s reload") == 2
    host.ran.clear()
    acme_renewals.renew_all()
    assert host.count("nginx -s reload") == 0


def test_the_list_is_in_columns_two_blanks_apart(authority: Authority, capfd: Output) -> None:
    name = "an-app-with-a-name-that-is-long"
    deployed(authority, name, "10.0.0.2", left=29)
    deployed(authority, "web", "10.0.0.3", left=80)
    deployed(authority, "plain", "10.0.0.4")
    capfd.readouterr()
    acme_renewals.list_("stdout")
    head, *rows = capfd.readouterr().out.splitlines()
    assert (
        head
        == "-----> App name          Certificate Expiry       Time before expiry       Time before renewal"
    )
    cells = [re.split(r"\s{2,}", row) for row in rows]
    assert [row[0] for row in cells] == [name, "web"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row[1]) for row in cells)
    assert all(re.fullmatch(r"(\d+[dhm], )*\d+[dhms]( ago)?", word) for row in cells for word in row[2:])
    assert cells[0][3].endswith(" ago")
    acme_renewals.list_("json")
    found = json.loads(capfd.readouterr().out)
    assert [one["app"] for one in found] == [name, "web"]
    assert found[1]["expiry"] - found[1]["renewal"] == 30 * DAY
    with pytest.raises(DokkuError, match="Invalid output format"):
        acme_renewals.list_("xml")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (90 * DAY, "90d"),
        (DAY + 1, "1d, 1s"),
        (3661, "1h, 1m, 1s"),
        (0, "0s"),
        (-61, "1m, 1s ago"),
        (-0.5, "0s"),
    ],
)
def test_a_length_of_time_is_spoken_as_the_plugin_does(seconds: float, text: str) -> None:
    assert acme_renewals.spoken(seconds) == text


@given(st.integers(min_value=-(10**9), max_value=10**9))
def test_no_time_is_lost_in_speaking_of_it(seconds: int) -> None:
    said = acme_renewals.spoken(seconds)
    sizes = {"d": DAY, "h": 3600, "m": 60, "s": 1}
    total = sum(int(number) * sizes[unit] for number, unit in re.findall(r"(\d+)([dhms])", said))
    assert (-total if said.endswith(" ago") else total) == seconds


def test_the_clock_runs_twice_a_day_while_there_is_something_to_renew(authority: Authority) -> None:
    deployed(authority, "web", "10.0.0.2")
    assert acme_renewals.entry() == ""
    letsencrypt.enable("web")
    assert re.fullmatch(ENTRY, acme_renewals.entry())
    assert acme_renewals.entry() == acme_renewals.entry()
    acme_settings.change_renewing(add=False, remove=True)
    assert acme_renewals.entry() == ""
    acme_settings.change_renewing(add=True, remove=False)
    Path(settings.plugins_enabled(), "letsencrypt").mkdir(parents=True)
    assert acme_renewals.entry() == ""


def test_a_new_domain_is_told_what_it_needs(authority: Authority, capfd: Output) -> None:
    text = " !     Please run dokku letsencrypt:enable to add https support to the new domain\n"
    deployed(authority, "web", "10.0.0.2")
    domains.add("web", ["a.example.com"])
    assert text not in capfd.readouterr().err
    letsencrypt.enable("web")
    domains.remove("web", ["a.example.com"])
    assert text not in capfd.readouterr().err
    domains.add("web", ["b.example.com"])
    assert text in capfd.readouterr().err


def test_the_report_knows_own_general_and_effective_values(authority: Authority) -> None:
    deployed(authority, "web", "10.0.0.2")
    acme_settings.set_("web", "server", "staging")
    rows = {row.flag: row.value for row in acme_renewals.rows("web")}
    assert list(rows) == [
        "--letsencrypt-active",
        "--letsencrypt-autorenew",
        *(f"--letsencrypt-{kind}email" for kind in ("computed-", "global-", "")),
        "--letsencrypt-expiration",
        *(f"--letsencrypt-{kind}graceperiod" for kind in ("computed-", "global-", "")),
        *(f"--letsencrypt-{kind}lego-docker-args" for kind in ("computed-", "global-", "")),
        *(f"--letsencrypt-{kind}server" for kind in ("computed-", "global-", "")),
    ]
    assert rows["--letsencrypt-active"] == "false"
    assert rows["--letsencrypt-computed-graceperiod"] == "2592000"
    assert rows["--letsencrypt-computed-server"] == acme_settings.SERVERS["staging"]
    assert rows["--letsencrypt-server"] == "staging"
    letsencrypt.enable("web")
    rows = {row.flag: row.value for row in acme_renewals.rows("web")}
    assert rows["--letsencrypt-active"] == "true"
    assert int(rows["--letsencrypt-expiration"]) > 0
    general = {row.flag for row in acme_renewals.general_rows()}
    assert "--letsencrypt-global-email" in general
    assert "--letsencrypt-email" not in general
