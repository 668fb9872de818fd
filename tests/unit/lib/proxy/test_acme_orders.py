import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.app import certs
from lib.base import files, settings
from lib.proxy import acme_orders
from lib.proxy.acme_orders import HOUR, Failures
from lib.proxy.acme_settings import DAY
from lib.tools.lego import Account
from tests.unit.clock import NOON
from tests.unit.lib.proxy.authorities import KEY, Authority
from tests.unit.lib.proxy.conftest import Host

Output = pytest.CaptureFixture[str]
ACCOUNT = Account("https://ca.example/dir", "me@example.com")
SOON = time.gmtime(NOON + 6 * DAY)
LIMITED = "acme: error: 429 :: urn:ietf:params:acme:error:rateLimited :: too many certificates"


@pytest.fixture
def authority(host: Host) -> Authority:
    host.app("web", "10.0.0.2", domains="web.example.com")
    return Authority(host)


def path() -> Path:
    return Path(settings.app_dir("web"), "letsencrypt/orders.json")


def serve(certificate: str) -> None:
    files.replace(certs.certificate("web"), certificate)
    files.replace(certs.key("web"), KEY)


def keep_as_plugin(certificate: str, name: str = "web.example.com") -> None:
    """Leave what dokku-letsencrypt leaves."""
    top = Path(settings.app_dir("web"), "letsencrypt/certs")
    (top / "0f/certificates").mkdir(parents=True)
    (top / "current").symlink_to(top / "0f")
    (top / f"0f/certificates/{name}.crt").write_text(certificate)
    (top / "0f/config").write_text(
        "--pem --http --server https://old.example/dir --email old@example.com -d x\n"
    )


def test_a_certificate_is_known_by_what_was_ordered(authority: Authority) -> None:
    ours, foreign = authority.certificate("web.example.com"), authority.certificate("web.example.com")
    serve(foreign)
    assert not acme_orders.is_active("web")
    acme_orders.fulfilled("web", ACCOUNT, ours)
    assert not acme_orders.is_active("web")
    assert acme_orders.standing("web") is None
    serve(ours.replace("\n", "\r\n"))
    assert acme_orders.is_active("web")
    assert acme_orders.account("web") == ACCOUNT
    serve(foreign)
    assert not acme_orders.is_active("web")


def test_the_one_before_stays_known_until_the_new_one_is_in_place(authority: Authority) -> None:
    first, second, third = (authority.certificate("web.example.com") for _ in range(3))
    for one, before in ((first, ""), (second, first), (third, second)):
        acme_orders.fulfilled("web", ACCOUNT, one)
        assert acme_orders.is_active("web") == bool(before)
        serve(one)
        assert acme_orders.is_active("web")
    serve(first)
    assert not acme_orders.is_active("web")


def test_a_switch_of_servers_that_was_not_finished_is_none(authority: Authority) -> None:
    staging = Account("https://staging.example/dir", "me@example.com")
    first, second = (authority.certificate("web.example.com") for _ in range(2))
    acme_orders.fulfilled("web", staging, first)
    serve(first)
    acme_orders.fulfilled("web", ACCOUNT, second)
    assert acme_orders.account("web") == staging
    serve(second)
    assert acme_orders.account("web") == ACCOUNT


def test_a_certificate_that_was_written_down_with_one_account_for_all_is_known(authority: Authority) -> None:
    certificate = authority.certificate("web.example.com")
    acme_orders.fulfilled("web", ACCOUNT, certificate)
    (one,) = json.loads(path().read_text())["certificates"]
    path().write_text(json.dumps({"certificates": [one], **ACCOUNT._asdict()}))
    serve(certificate)
    assert acme_orders.is_active("web")
    assert acme_orders.account("web") == ACCOUNT


def test_times_and_names_are_those_of_the_certificate(authority: Authority) -> None:
    authority.age, authority.lifetime = 60 * DAY, 90 * DAY
    certificate = authority.certificate("web.example.com", "www.example.com")
    acme_orders.fulfilled("web", ACCOUNT, certificate)
    serve(certificate)
    found = acme_orders.standing("web")
    assert found is not None
    assert found.names == ["web.example.com", "www.example.com"]
    assert found.ends - found.starts == 90 * DAY
    assert abs(found.ends - time.time() - 30 * DAY) < 5


def test_a_certificate_of_the_plugin_is_taken_over_with_its_account(authority: Authority) -> None:
    certificate = authority.certificate("web.example.com")
    keep_as_plugin(certificate)
    serve(certificate)
    assert acme_orders.is_active("web")
    assert acme_orders.account("web") == Account("https://old.example/dir", "old@example.com")
    assert [Path(one).name for one in acme_orders.stale("web")] == []
    link = Path(settings.app_dir("web"), "letsencrypt/certs/current")
    link.unlink()
    link.symlink_to("/home/dokku/renamed/letsencrypt/certs/0f")
    assert acme_orders.is_active("web")
    new = authority.certificate("web.example.com")
    acme_orders.fulfilled("web", ACCOUNT, new)
    assert acme_orders.is_active("web")
    serve(new)
    assert acme_orders.is_active("web")
    assert acme_orders.account("web") == ACCOUNT
    assert [Path(one).name for one in acme_orders.stale("web")] == ["0f", "current"]


def test_a_file_that_makes_no_sense_is_no_order_and_not_the_end(authority: Authority, capfd: Output) -> None:
    serve(authority.certificate("web.example.com"))
    for text, is_told in (
        ("", True),
        ("{", True),
        ("[]", True),
        ('{"certificates": 3}', False),
        ('{"failures": {"x": 1}}', False),
    ):
        files.replace(str(path()), text)
        assert not acme_orders.is_active("web")
        assert acme_orders.failures("web", "s", ["n"]).times == []
        assert (f"{path()} makes no sense" in capfd.readouterr().err) is is_told
    path().unlink()
    assert not acme_orders.is_active("web")
    assert capfd.readouterr().err == ""


def test_failures_are_counted_for_the_same_request_only(authority: Authority) -> None:
    names = ["a.example.com", "b.example.com"]
    for _ in range(3):
        acme_orders.failed("web", "https://ca.example/dir", names, ["no"])
    assert len(acme_orders.failures("web", "https://ca.example/dir", names[::-1]).times) == 3
    assert acme_orders.failures("web", "https://ca.example/dir", names[:1]).times == []
    assert acme_orders.failures("web", "https://other.example/dir", names).times == []
    acme_orders.fulfilled("web", ACCOUNT, authority.certificate(*names))
    assert acme_orders.failures("web", "https://ca.example/dir", names).times == []


def test_what_the_server_said_is_kept_in_bounds(authority: Authority) -> None:
    for _ in range(25):
        acme_orders.failed("web", "s", ["n"], ["x" * 10_000] * 100)
    found = acme_orders.failures("web", "s", ["n"])
    assert (len(found.times), len(found.said), len(found.said[0])) == (20, 20, 500)
    assert json.loads(path().read_text())["failures"]["until"] == 0


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (LIMITED, HOUR),
        (f"{LIMITED}, retry after {time.strftime('%FT%TZ', SOON)}: see x", None),
        (f"{LIMITED} :: retry after {time.strftime('%F %T UTC', SOON)}: see x", None),
        (f"{LIMITED}, retry after 2026-02-30T00:00:00Z: see x", HOUR),
    ],
)
def test_a_server_that_has_enough_is_left_alone_for_as_long_as_it_says(
    authority: Authority, said: str, seconds: float | None
) -> None:
    acme_orders.failed("web", "s", ["n"], ["it failed", said])
    found = acme_orders.failures("web", "s", ["n"])
    assert acme_orders.next_by_hand(found) == acme_orders.next_by_clock(found) == found.until
    if seconds is None:
        assert time.gmtime(found.until) == SOON
    else:
        assert found.until == NOON + seconds


def test_what_a_clock_that_was_ahead_has_written_does_not_count(authority: Authority) -> None:
    """ENV-5"""
    acme_orders.failed("web", "s", ["n"], [LIMITED])
    kept = json.loads(path().read_text())
    past = kept["failures"]["times"][0]
    kept["failures"] |= {"times": [past, past + 9 * 365 * DAY], "until": past + 9 * 365 * DAY}
    path().write_text(json.dumps(kept))
    found = acme_orders.failures("web", "s", ["n"])
    assert (found.times, found.until) == ([past], 0)


times = st.lists(st.floats(min_value=1, max_value=2e9), max_size=20).map(sorted)


@given(times)
def test_the_clock_waits_longer_each_time_and_a_day_at_most(at: list[float]) -> None:
    found = Failures("s", ["n"], at, 0, [])
    wait = acme_orders.next_by_clock(found) - (at[-1] if at else 0)
    assert wait == 0 if not at else HOUR - 1 <= wait <= DAY + 1
    shorter = Failures("s", ["n"], at[1:], 0, [])
    assert acme_orders.next_by_clock(shorter) <= acme_orders.next_by_clock(found)


@given(times)
def test_by_hand_four_fail_in_an_hour_and_never_five(at: list[float]) -> None:
    allowed: list[float] = []
    for moment in at:
        if acme_orders.next_by_hand(Failures("s", ["n"], allowed[-20:], 0, [])) <= moment:
            allowed.append(moment)
    for start in allowed:
        assert len([one for one in allowed if start <= one < start + HOUR * 0.999]) <= acme_orders.BY_HAND
