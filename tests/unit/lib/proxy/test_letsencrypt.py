import os
import stat
from pathlib import Path

import pytest

from lib.app import certs, config, domains
from lib.base import files, properties, settings
from lib.base.errors import AppNotFound, DokkuError, NotRunning
from lib.proxy import acme_orders, acme_settings, letsencrypt
from lib.tools import lego
from tests.unit.lib.proxy.authorities import KEY, Authority
from tests.unit.lib.proxy.conftest import Host

Output = pytest.CaptureFixture[str]
REFUSED = "[web.example.com] acme: error: 400 :: urn:ietf:params:acme:error:connection :: nobody there"


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lego, "verify_installed", lambda: None)


@pytest.fixture
def authority(host: Host) -> Authority:
    """A server for the app web, which is deployed and has a domain."""
    found = Authority(host)
    host.app("web", "10.0.0.2", domains="web.example.com")
    properties.write("common", "web", "deployed", "true")
    properties.write("letsencrypt", "--global", "email", "me@example.com")
    return found


def include() -> Path:
    return Path(settings.app_dir("web"), "nginx.conf.d/letsencrypt.conf")


def everything() -> dict[str, str]:
    """All files of the app but what is remembered of its orders."""
    top = Path(settings.app_dir("web"))
    found = [path for path in top.rglob("*") if path.is_file() and path.parent.name != "letsencrypt"]
    return {str(path): path.read_text() for path in found}


def test_a_certificate_is_ordered_and_put_in_place(authority: Authority, host: Host) -> None:
    domains.add("web", ["www.example.com"])
    letsencrypt.enable("web")
    assert authority.orders == [["web.example.com", "www.example.com"]]
    assert certs.names("web") == ["web.example.com", "www.example.com"]
    assert "ssl_certificate " in host.in_force["web"]
    assert stat.S_IMODE(os.stat(certs.key("web")).st_mode) == 0o600
    assert acme_orders.is_active("web")


def test_an_app_of_a_static_listener_that_was_never_deployed_gets_one(authority: Authority) -> None:
    refuse_undeployed()
    properties.write("network", "web", "static-web-listener", "127.0.0.1:5000")
    letsencrypt.enable("web")
    assert acme_orders.is_active("web")


def test_nginx_reaches_the_answers_whatever_mode_the_plugin_gave_the_directory(authority: Authority) -> None:
    directory = Path(settings.data("letsencrypt"))
    directory.mkdir(parents=True)
    directory.chmod(0o700)
    letsencrypt.enable("web")
    assert stat.S_IMODE(directory.stat().st_mode) == 0o711


def test_a_key_that_a_killed_order_left_is_swept_away(authority: Authority) -> None:
    left = Path(settings.temporary(), "acme.999999.1.abc")
    left.mkdir(parents=True)
    letsencrypt.enable("web")
    assert not left.exists()


def test_what_a_killed_first_order_left_in_nginx_is_cleaned_up(authority: Authority, host: Host) -> None:
    files.replace(str(include()), "location /x {}\n")
    letsencrypt.build("web")
    letsencrypt.cleanup("web")
    assert not include().exists()
    assert host.count("nginx -s reload") == 2


def test_the_servers_question_is_answered_before_any_redirect_and_whatever_protects_the_app(
    authority: Authority,
) -> None:
    letsencrypt.enable("web")
    assert include().read_text() == (
        "location ^~ /.well-known/acme-challenge/ {\n  auth_basic off;\n  allow all;\n"
        f'  default_type text/plain;\n  root "{settings.lib()}/data/letsencrypt/challenges";\n}}\n'
    )
    assert stat.S_IMODE(include().stat().st_mode) == 0o644
    words = authority.asked[0]
    webroot = Path(words[words.index("--http.webroot") + 1])
    assert (webroot / ".well-known/acme-challenge").is_dir()


def test_a_certificate_that_will_do_is_not_ordered_again_unless_forced(authority: Authority) -> None:
    letsencrypt.enable("web")
    letsencrypt.enable("web")
    assert len(authority.orders) == 1
    letsencrypt.enable("web", force=True)
    assert len(authority.orders) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda: domains.add("web", ["www.example.com"]),
        lambda: acme_settings.set_("web", "server", "staging"),
        lambda: acme_settings.set_("web", "email", "you@example.com"),
    ],
)
def test_another_domain_server_or_account_is_another_order(authority: Authority, change) -> None:
    letsencrypt.enable("web")
    change()
    letsencrypt.enable("web")
    assert len(authority.orders) == 2


def test_one_account_serves_every_app_and_only_its_user_reads_it(authority: Authority, host: Host) -> None:
    letsencrypt.enable("web")
    store = Path(settings.data("letsencrypt"), "lego")
    (key,) = store.rglob("*.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.stat().st_mode) == 0o700
    assert (key.parent.parent / "account.json").exists()
    key.write_text("kept\n")
    letsencrypt.enable("web", force=True)
    assert len(list(store.rglob("*.key"))) == 1


def test_an_account_that_the_server_has_lost_is_registered_again_with_its_key(authority: Authority) -> None:
    letsencrypt.enable("web")
    (key,) = Path(settings.data("letsencrypt"), "lego").rglob("*.key")
    before = key.read_text()
    authority.knows_accounts = False
    letsencrypt.enable("web", force=True)
    assert len(authority.orders) == 2
    assert len(authority.asked) == 3
    assert key.read_text() == before
    assert acme_orders.failures("web", *authority_of("web")).times == []


def authority_of(app: str) -> tuple[str, list[str]]:
    return acme_settings.account(app).server, domains.listed(app)


def test_accounts_that_the_plugin_shares_between_apps_are_used(authority: Authority) -> None:
    letsencrypt.enable("web")
    data = Path(settings.data("letsencrypt"))
    (data / "lego/accounts").rename(data / "accounts")
    authority.asked.clear()
    letsencrypt.revoke("web")
    assert "revoke" in authority.asked[0]


def test_a_failed_order_leaves_the_app_as_it_was_and_says_why(authority: Authority, host: Host) -> None:
    authority.broken = ["web.example.com"]
    domains.add("web", ["www.example.com"])
    before, in_force = everything(), dict(host.in_force)
    with pytest.raises(DokkuError, match=r"^web gets no certificate$") as raised:
        letsencrypt.enable("web")
    assert raised.value.more == ("lego run failed", REFUSED)
    assert everything() == before
    assert host.in_force == in_force


def test_a_failed_order_leaves_the_certificate_of_before(authority: Authority, host: Host) -> None:
    letsencrypt.enable("web")
    before = everything()
    authority.broken = ["web.example.com"]
    with pytest.raises(DokkuError):
        letsencrypt.enable("web", force=True)
    assert everything() == before
    assert acme_orders.is_active("web")


def test_what_nginx_does_not_take_is_no_certificate(authority: Authority, host: Host) -> None:
    host.refused.append("ssl_certificate ")
    with pytest.raises(DokkuError, match="web gets no certificate"):
        letsencrypt.enable("web")
    assert not certs.exists("web")
    assert not include().exists()


def test_the_server_is_not_asked_for_ever(authority: Authority, host: Host) -> None:
    authority.broken = ["web.example.com"]
    for _ in range(4):
        with pytest.raises(DokkuError, match="web gets no certificate"):
            letsencrypt.enable("web")
    with pytest.raises(DokkuError, match=r"^4 orders for web failed, the next one is made after 2") as raised:
        letsencrypt.enable("web")
    assert REFUSED in raised.value.more
    assert len(authority.orders) == 4
    acme_settings.set_("web", "server", "staging")  # where others are counted
    with pytest.raises(DokkuError, match="web gets no certificate"):
        letsencrypt.enable("web")
    assert len(authority.orders) == 5


def test_failures_can_be_forgotten(authority: Authority) -> None:
    authority.broken = ["web.example.com"]
    for _ in range(4):
        with pytest.raises(DokkuError):
            letsencrypt.enable("web")
    letsencrypt.cleanup("web")
    authority.broken = []
    letsencrypt.enable("web")
    assert acme_orders.is_active("web")


def test_nothing_of_an_order_that_could_not_begin_is_counted(authority: Authority, host: Host) -> None:
    host.stop_nginx()
    for _ in range(6):
        with pytest.raises(DokkuError, match="nginx is not running"):
            letsencrypt.enable("web")
    assert authority.orders == []
    host.start_nginx()
    letsencrypt.enable("web")
    assert len(authority.orders) == 1


def refuse_undeployed() -> None:
    properties.write("common", "web", "deployed", "false")
    for path in Path(settings.app_dir("web")).glob("CONTAINER.*"):
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (refuse_undeployed, r"^web is not deployed: "),
        (lambda: files.remove(domains.path("web")), r"^No domains detected for web$"),
        (lambda: config.set_values("web", {"NO_VHOST": "1"}), r"^No domains detected for web$"),
        (
            lambda: files.replace(domains.path("web"), "*.example.com\nx.example.com\n"),
            r"for a wildcard: \*\.",
        ),
        (lambda: config.set_values("web", {"DOKKU_DISABLE_PROXY": "1"}), r"^web is not served by nginx"),
        (lambda: config.set_values("web", {"DOKKU_APP_PROXY_TYPE": "caddy"}), r"^web is not served by nginx"),
        (
            lambda: config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "http:8080:5000"}),
            r"^web is not served over http at port 80",
        ),
        (
            lambda: files.replace(domains.path("web"), "".join(f"{n}.example.com\n" for n in range(101))),
            r"^web has 101 domains",
        ),
        (lambda: properties.delete("letsencrypt", "--global", "email"), r"without an e-mail address$"),
        (
            lambda: properties.write("letsencrypt", "web", "email", "../x"),
            r"^\.\./x is not an e-mail address$",
        ),
        (lambda: properties.write("letsencrypt", "web", "server", "http://x/"), r"is not an ACME server"),
    ],
)
def test_what_can_not_be_ordered_is_refused_before_anything_happens(
    authority: Authority, host: Host, spoil, text: str
) -> None:
    spoil()
    before = everything()
    with pytest.raises(DokkuError, match=text):
        letsencrypt.enable("web")
    assert authority.asked == []
    assert everything() == before
    assert host.count("nginx -s reload") == 0


def test_a_domain_that_another_app_is_served_under_is_left_out(
    authority: Authority, host: Host, capfd: Output
) -> None:
    host.app("other", "10.0.0.3", domains="shared.example.com")
    properties.write("common", "other", "deployed", "true")
    letsencrypt.build("other")
    domains.add("web", ["shared.example.com"])
    letsencrypt.enable("web")
    assert authority.orders == [["web.example.com"]]
    assert "Skipping domain shared.example.com of web: it belongs to other" in capfd.readouterr().err


def test_a_certificate_that_is_added_or_removed_while_nginx_is_stopped_counts_when_it_starts(
    authority: Authority, host: Host
) -> None:
    letsencrypt.enable("web")
    host.stop_nginx()
    new = authority.certificate("web.example.com")
    with pytest.raises(NotRunning, match=r"^nginx is not running$"):
        certs.put("web", new.encode(), KEY.encode())
    assert Path(certs.certificate("web")).read_text() == new
    assert len(list(Path(certs.directory("web")).glob(".pair.*"))) == 1
    with pytest.raises(NotRunning):
        certs.remove("web")
    assert not certs.exists("web")
    assert "ssl_certificate " not in (host.conf("web") or "")


def test_disabling_takes_the_certificate_and_all_that_belongs_to_it(authority: Authority, host: Host) -> None:
    letsencrypt.enable("web")
    letsencrypt.disable("web")
    assert not certs.exists("web")
    assert "ssl_certificate " not in host.in_force["web"]
    assert not include().exists()
    assert not acme_orders.is_known("web")


def test_a_certificate_from_elsewhere_is_not_ours_to_take(authority: Authority) -> None:
    letsencrypt.enable("web")
    certs.put("web", authority.certificate("web.example.com").encode(), KEY.encode())
    assert not acme_orders.is_active("web")
    letsencrypt.disable("web")
    assert certs.exists("web")
    assert not include().exists()


def test_a_revoked_certificate_is_used_no_more(authority: Authority) -> None:
    letsencrypt.enable("web")
    letsencrypt.revoke("web")
    assert authority.asked[-1][-4:] == ["--domains", "web.example.com", "revoke", "--keep"]
    assert not certs.exists("web")


def test_it_is_revoked_by_the_account_that_ordered_it(authority: Authority) -> None:
    letsencrypt.enable("web")
    acme_settings.set_("web", "email", "you@example.com")
    acme_settings.set_("web", "server", "staging")
    letsencrypt.revoke("web")
    words = authority.asked[-1]
    assert words[words.index("--email") + 1] == "me@example.com"
    assert words[words.index("--server") + 1] == acme_settings.SERVERS["production"]


@pytest.mark.parametrize("what", [letsencrypt.disable, letsencrypt.revoke])
def test_a_removal_that_was_killed_is_ended(authority: Authority, what) -> None:
    letsencrypt.enable("web")
    files.replace(os.path.join(certs.directory("web"), ".leaving"), "")
    what("web")
    assert not Path(certs.directory("web")).exists()
    assert not acme_orders.is_known("web")


def test_only_what_was_ordered_can_be_revoked(authority: Authority) -> None:
    certs.put("web", authority.certificate("web.example.com").encode(), KEY.encode())
    with pytest.raises(DokkuError, match=r"^Letsencrypt not enabled for web$"):
        letsencrypt.revoke("web")
    assert authority.asked == []
    assert certs.exists("web")


def test_a_copy_of_an_app_has_no_part_in_its_orders(authority: Authority) -> None:
    letsencrypt.enable("web")
    letsencrypt.separate("web")
    assert not acme_orders.is_known("web")
    assert not include().exists()


@pytest.mark.parametrize(
    "what", [letsencrypt.enable, letsencrypt.disable, letsencrypt.revoke, letsencrypt.cleanup]
)
def test_the_app_has_to_exist(authority: Authority, what) -> None:
    with pytest.raises(AppNotFound):
        what("nope")
