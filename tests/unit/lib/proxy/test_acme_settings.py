from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.app import config
from lib.base import properties, settings
from lib.base.errors import AppNotFound, DokkuError
from lib.proxy import acme_settings
from lib.proxy.acme_settings import DAY
from lib.tools.lego import Account
from tests.unit.lib.proxy.conftest import Host

Output = pytest.CaptureFixture[str]
PRODUCTION = "https://acme-v02.api.letsencrypt.org/directory"


@pytest.fixture(autouse=True)
def app(host: Host) -> Path:
    return host.app("web")


def test_an_apps_own_value_goes_before_the_hosts() -> None:
    acme_settings.set_("--global", "email", "host@example.com")
    assert acme_settings.effective("web", "email") == "host@example.com"
    acme_settings.set_("web", "email", "app@example.com")
    assert acme_settings.effective("web", "email") == "app@example.com"
    acme_settings.set_("web", "email", "")
    assert acme_settings.effective("web", "email") == "host@example.com"


def test_what_users_of_the_plugin_had_set_as_variables_still_counts() -> None:
    config.set_values("web", {"DOKKU_LETSENCRYPT_EMAIL": "old@example.com"})
    config.set_values(config.GLOBAL, {"DOKKU_LETSENCRYPT_SERVER": "staging"})
    staging = "https://acme-staging-v02.api.letsencrypt.org/directory"
    assert acme_settings.account("web") == Account(staging, "old@example.com")
    acme_settings.set_("web", "email", "new@example.com")
    assert acme_settings.account("web").email == "new@example.com"


@pytest.mark.parametrize(
    ("given_", "server"),
    [
        ("", PRODUCTION),
        ("default", PRODUCTION),
        ("production", PRODUCTION),
        ("https://ca.example:9000/acme/acme/directory", "https://ca.example:9000/acme/acme/directory"),
    ],
)
def test_servers_have_names_or_addresses(given_: str, server: str) -> None:
    acme_settings.set_("web", "email", "me@example.com")
    acme_settings.set_("web", "server", given_)
    assert acme_settings.account("web").server == server


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("email", "me", "^me is not an e-mail address$"),
        ("email", "--server@x", "is not an e-mail address"),
        ("email", "../../x@y", "is not an e-mail address"),
        ("email", "a@b/c", "is not an e-mail address"),
        ("email", "me@x\n", "is not an e-mail address"),
        ("server", "http://ca.example/dir", "^http://ca.example/dir is not an ACME server: "),
        ("server", "https://ca.example", "is not an ACME server"),
        ("server", "https://me:pw@ca.example/dir", "is not an ACME server"),
        ("server", "https://ca.example/../x y", "is not an ACME server"),
        ("server", "stagin", "is not an ACME server"),
        ("graceperiod", "30d", "^Invalid value for graceperiod: 30d. It is a number of seconds$"),
        ("graceperiod", "0", "Invalid value for graceperiod"),
        ("graceperiod", "-5", "Invalid value for graceperiod"),
        ("graceperiod", "999999999999", "Invalid value for graceperiod"),
        ("lego-docker-args", "a\x1bb", "Invalid value for lego-docker-args"),
        ("dns-provider", "namecheap", "^dns-provider: only HTTP-01 is known here"),
        ("dns-provider-NAMECHEAP_API_KEY", "x", "only HTTP-01 is known here"),
        (
            *("color", "blue"),
            "^Invalid key specified, valid keys include: email, graceperiod, lego-docker-args, server$",
        ),
        ("", "", "^No key specified$"),
    ],
)
def test_nonsense_is_refused_and_nothing_is_kept(key: str, value: str, text: str) -> None:
    for owner in ("web", "--global"):
        with pytest.raises(DokkuError, match=text):
            acme_settings.set_(owner, key, value)
    assert not Path(settings.lib(), "config/letsencrypt").exists()


def test_what_lego_in_a_container_was_told_has_no_effect_and_that_is_said(capfd: Output) -> None:
    acme_settings.set_("web", "lego-docker-args", "--dns x")
    said = capfd.readouterr()
    assert (
        said.err
        == " !     lego-docker-args is kept and has no effect: no container orders certificates here\n"
    )
    assert said.out == "=====> Setting lego-docker-args to --dns x\n"
    assert acme_settings.value("web", "lego-docker-args") == "--dns x"


def test_the_app_has_to_exist() -> None:
    with pytest.raises(AppNotFound):
        acme_settings.set_("nope", "email", "me@example.com")


@pytest.mark.parametrize(
    ("given_", "lifetime", "grace"),
    [
        ("", 90 * DAY, 30 * DAY),
        ("", 365 * DAY, 30 * DAY),
        ("", 6 * DAY, 2 * DAY),
        (str(10 * DAY), 90 * DAY, 10 * DAY),
        (str(300 * DAY), 90 * DAY, 60 * DAY),
        ("nonsense", 90 * DAY, 30 * DAY),
    ],
)
def test_renewal_begins_in_the_last_third_or_when_somebody_says(
    given_: str, lifetime: float, grace: float
) -> None:
    properties.write("letsencrypt", "web", "graceperiod", given_)
    assert acme_settings.grace("web", lifetime) == grace


@given(st.text(max_size=12), st.floats(min_value=1, max_value=1e10))
def test_nothing_is_renewed_in_the_first_third_of_its_time_whatever_is_on_disk(
    kept: str, lifetime: float
) -> None:
    assert 0 <= _grace_of(kept, lifetime) <= lifetime * 2 / 3


def _grace_of(kept: str, lifetime: float) -> float:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(acme_settings, "effective", lambda *_: kept)
        return acme_settings.grace("web", lifetime)


def test_the_clock_renews_until_that_is_taken_away(capfd: Output) -> None:
    flag = Path(settings.lib(), "data/letsencrypt/autorenew")
    assert acme_settings.is_renewing()
    acme_settings.change_renewing(add=False, remove=True)
    assert not acme_settings.is_renewing()
    acme_settings.change_renewing(add=True, remove=False)
    assert acme_settings.is_renewing()
    assert flag.exists()
    acme_settings.change_renewing(add=False, remove=True)
    assert not flag.exists()
    assert "Removed cron job from dokku's crontab." in capfd.readouterr().out
    acme_settings.change_renewing(add=False, remove=False)
    assert "Scheduled renewal is off." in capfd.readouterr().out
    with pytest.raises(DokkuError, match="Specify --add or --remove"):
        acme_settings.change_renewing(add=True, remove=True)


def test_the_plugin_of_old_goes_before_us(host: Host) -> None:
    assert not acme_settings.stand_aside()
    Path(settings.plugins_enabled(), "letsencrypt").mkdir(parents=True)
    assert acme_settings.stand_aside()
