import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.app import config, domain_names, domain_reports, domains
from lib.base import settings
from lib.base.errors import AppNotFound, DokkuError
from tests.conftest import Shell

Output = pytest.CaptureFixture[str]


def make_app(name: str) -> Path:
    directory = Path(settings.app_dir(name))
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@pytest.fixture
def app(fs: Any) -> Path:
    return make_app("web")


def lines(directory: Path) -> list[str]:
    return (directory / "VHOST").read_text().splitlines()


def test_added_domains_are_appended_once_and_in_lower_case(app: Path, capfd: Output) -> None:
    domains.add("web", ["B.example.com", "a.example.com", "b.example.com"])
    assert lines(app) == ["b.example.com", "a.example.com"]
    assert capfd.readouterr().out.splitlines()[:3] == [
        "-----> Added b.example.com to web",
        "-----> Added a.example.com to web",
        "-----> Skipping: b.example.com already added to web",
    ]


def test_a_leading_dot_stands_for_a_name_and_all_below_it(app: Path) -> None:
    domains.add("web", [".Example.com", ".bücher.example"])
    assert lines(app) == [".example.com", ".xn--bcher-kva.example"]
    assert domains.listed("web")[:2] == ["example.com", "*.example.com"]
    assert domains.claimants(["*.example.com"]) == {"*.example.com": ["web"]}
    domains.remove("web", [".example.com"])
    assert lines(app) == [".xn--bcher-kva.example"]


@pytest.mark.parametrize("name", ["..example.com", ".*.example.com", ".", "*..example.com"])
def test_other_dots_at_the_start_are_refused(app: Path, name: str) -> None:
    with pytest.raises(DokkuError, match="is invalid"):
        domains.add("web", [name])


@pytest.mark.parametrize("change", [domains.add, domains.set_, domains.remove])
@pytest.mark.parametrize("off", ["1", None])
def test_a_change_that_fails_leaves_the_domains_as_they_were(
    app: Path, fs: Any, shell: Shell, change: Callable[..., None], off: str | None
) -> None:
    (app / "VHOST").write_text("a.example.com\n# mine\n")
    if off:
        config.set_values("web", {"NO_VHOST": off})
    script = os.path.join(settings.plugins_enabled(), "no", "post-domains-update")
    fs.create_file(script, contents="#!/bin/sh\n", st_mode=stat.S_IFREG | 0o755)
    shell.answers(f"{script}…", status=1)
    with pytest.raises(DokkuError):
        change("web", ["b.example.com" if change is not domains.remove else "a.example.com"])
    assert (app / "VHOST").read_text() == "a.example.com\n# mine\n"
    assert config.get("web", "NO_VHOST", "-") == (off or "-")


def test_a_first_domain_that_fails_leaves_no_file(app: Path, fs: Any, shell: Shell) -> None:
    script = os.path.join(settings.plugins_enabled(), "no", "post-domains-update")
    fs.create_file(script, contents="#!/bin/sh\n", st_mode=stat.S_IFREG | 0o755)
    shell.answers(f"{script}…", status=1)
    with pytest.raises(DokkuError):
        domains.add("web", ["b.example.com"])
    assert not (app / "VHOST").exists()


@pytest.mark.parametrize(
    "name",
    [
        *(
            "a;b",
            "a b",
            "{a}",
            "$host",
            "~re",
            "a.com#x",
            '"a"',
            "a..b",
            "-a.com",
            "a.com\n",
            "http://a.com",
            "",
        ),
        *(
            "..a",
            "a.*.b",
            "--",
            "*",
            ".*.a",
            "a.",
            f"{'a' * 64}.com",
            "a." * 130 + "a",
            "a.com:80",
            "faß.de",
            "\u202ea.com",
        ),
    ],
)
def test_what_is_no_domain_is_refused_and_nothing_changes(app: Path, name: str) -> None:
    """NAME-7"""
    with pytest.raises(DokkuError, match=r"is invalid\. exiting\.\.\."):
        domains.add("web", ["good.example.com", name])
    assert not (app / "VHOST").exists()


@pytest.mark.parametrize(
    "name", ["localhost", "1", "*.example.com", "a_b.example.com", "a--b.c", "127.0.0.1"]
)
def test_odd_but_good_domains_are_taken(app: Path, name: str) -> None:
    """NAME-7"""
    domains.set_("web", [name])
    assert domains.listed("web") == [name]


def test_a_name_in_another_script_is_kept_as_dns_spells_it(app: Path, capfd: Output) -> None:
    domains.add("web", ["BÜCHER.example", "*.例え.jp"])
    assert lines(app) == ["xn--bcher-kva.example", "*.xn--r8jz45g.jp"]
    assert capfd.readouterr().out.splitlines()[:4] == [
        "       BÜCHER.example is xn--bcher-kva.example in DNS",
        "       *.例え.jp is *.xn--r8jz45g.jp in DNS",
        "-----> Added xn--bcher-kva.example to web",
        "-----> Added *.xn--r8jz45g.jp to web",
    ]
    domains.remove("web", ["bücher.example"])
    assert lines(app) == ["*.xn--r8jz45g.jp"]


def test_a_line_in_another_script_that_somebody_wrote_can_be_removed(app: Path) -> None:
    (app / "VHOST").write_text("bücher.example\na.com\nfaß.de\n")
    assert domains.listed("web") == ["a.com"]
    domains.remove("web", ["bücher.example", "faß.de"])
    assert lines(app) == ["a.com"]


def test_a_refused_name_is_shown_as_it_was_given_with_a_way_out(app: Path) -> None:
    with pytest.raises(DokkuError) as caught:
        domains.add("web", ["Faß.de"])
    assert caught.value.text == "Faß.de is invalid. exiting..."
    assert "xn--" in caught.value.more[0]


def test_no_domain_is_told_before_the_app_is_looked_for(app: Path) -> None:
    with pytest.raises(
        DokkuError, match=r"^Please specify a domain name\. Usage: dokku domains:add <app> <domain>"
    ):
        domains.add("nope", [])
    with pytest.raises(AppNotFound):
        domains.add("nope", ["a.com"])


def test_no_app_is_told_first(fs: Any) -> None:
    with pytest.raises(DokkuError, match="Please specify an app"):
        domains.add("", None)


def test_removing_is_literal(app: Path, capfd: Output) -> None:
    domains.set_("web", ["*.example.com", "a.example.com", "axexample.com"])
    domains.remove("web", ["*.example.com", "a.example.com", "never.there"])
    assert lines(app) == ["axexample.com"]
    assert "-----> Removed never.there from web" in capfd.readouterr().out


def test_a_stored_line_that_is_no_domain_can_be_removed(app: Path) -> None:
    (app / "VHOST").write_text("a.com\na.com;evil\n")
    domains.remove("web", ["a.com;evil"])
    assert lines(app) == ["a.com"]


def test_a_stored_line_that_is_no_domain_is_not_used_but_kept(app: Path) -> None:
    """NAME-7"""
    (app / "VHOST").write_text("a.com\n$host\na.com; return 200\n")
    domains.add("web", ["b.com"])
    assert domains.listed("web") == ["a.com", "b.com"]
    assert lines(app) == ["a.com", "$host", "a.com; return 200", "b.com"]


def test_adding_to_an_app_without_vhosts_turns_them_on_and_keeps_what_was_given(app: Path) -> None:
    domains.set_global(["dokku.me"])
    config.set_values("web", {"NO_VHOST": "1", "DOKKU_PROXY_PORT": "4711"})
    domains.add("web", ["a.com"])
    assert config.get("web", "NO_VHOST") == "0"
    assert config.get("web", "DOKKU_PROXY_PORT") == ""
    assert domains.listed("web") == ["a.com"]


def test_a_new_app_gets_one_name_below_each_global_domain(app: Path, capfd: Output) -> None:
    domains.set_global(["dokku.me", "10.0.0.1", "127.0.0.1.nip.io", "example.10.0.0.1"])
    domains.setup("web")
    assert lines(app) == ["web.dokku.me", "web.127.0.0.1.nip.io"]
    assert "-----> Creating new app virtual host file..." in capfd.readouterr().out


def test_an_app_named_like_a_domain_is_served_under_its_name(fs: Any) -> None:
    make_app("test.dokku.test")
    domains.set_global(["dokku.test"])
    assert domains.defaults("test.dokku.test") == ["test.dokku.test"]


def test_without_a_global_domain_a_new_app_is_served_by_port(app: Path, capfd: Output) -> None:
    domains.setup("web")
    assert not domains.is_enabled("web")
    assert capfd.readouterr().out == "=====> Global server virtual host not set, disabling app vhost...\n"


def test_setup_leaves_a_file_that_is_there(app: Path) -> None:
    domains.set_global(["dokku.me"])
    (app / "VHOST").write_text("mine.com\n")
    domains.setup("web")
    assert lines(app) == ["mine.com"]


def test_setup_of_an_app_without_vhosts_only_says_so(app: Path, capfd: Output) -> None:
    config.set_values("web", {"NO_VHOST": "1"})
    domains.setup("web")
    assert "App virtual host support disabled, skipping domains setup" in capfd.readouterr().out
    assert not (app / "VHOST").exists()


def test_clear_goes_back_to_the_first_domains(app: Path, capfd: Output) -> None:
    domains.set_global(["dokku.me"])
    domains.add("web", ["a.com"])
    domains.clear("web")
    assert lines(app) == ["web.dokku.me"]
    assert capfd.readouterr().out.endswith("-----> Cleared domains in web\n")


def test_reset_goes_back_to_the_first_domains_too(app: Path, capfd: Output) -> None:
    domains.set_global(["dokku.me"])
    domains.add("web", ["a.com"])
    domains.reset("web")
    assert lines(app) == ["web.dokku.me"]
    assert capfd.readouterr().out.endswith("-----> Reset domains for web\n")


def test_disabling_forgets_names_and_ports(app: Path, capfd: Output) -> None:
    domains.add("web", ["a.com"])
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "http:80:5000"})
    (app / "URLS").write_text("x")
    domains.disable("web")
    assert (config.get("web", "NO_VHOST"), config.get("web", "DOKKU_PROXY_PORT_MAP")) == ("1", "")
    assert domains.listed("web") == []
    assert not (app / "VHOST").exists()
    assert not (app / "URLS").exists()
    assert "-----> App virtual host support disabled" in capfd.readouterr().out


def test_disabling_and_enabling_twice_is_success(app: Path, capfd: Output) -> None:
    domains.disable("web")
    domains.disable("web")
    assert "Domains (VHOST) support is already disabled for app (web)" in capfd.readouterr().out
    domains.enable("web")
    domains.enable("web")
    assert "Domains (VHOST) support is already enabled for app (web)" in capfd.readouterr().out


def test_enabling_gives_the_domains_of_a_new_app(app: Path) -> None:
    domains.set_global(["dokku.me"])
    domains.disable("web")
    domains.enable("web")
    assert domains.listed("web") == ["web.dokku.me"]


def test_global_changes_touch_no_app(app: Path, capfd: Output) -> None:
    domains.set_global(["dokku.me"])
    domains.setup("web")
    domains.add_global(["b.me", "b.me"])
    domains.remove_global(["dokku.me"])
    domains.clear_global()
    domains.clear_global()
    assert domains.stored(domains.GLOBAL) == []
    assert lines(app) == ["web.dokku.me"]
    assert (
        "-----> Added b.me\n-----> Skipping b.me: already added\n-----> Removed dokku.me\n"
        in capfd.readouterr().out
    )


def test_a_domain_of_another_app_is_taken_with_a_warning(app: Path, capfd: Output) -> None:
    """NGX-6"""
    make_app("first")
    domains.set_("first", ["a.com"])
    domains.add("web", ["a.com"])
    assert "a.com is already a domain of first, which keeps it" in capfd.readouterr().err
    assert domains.claimants(["a.com"]) == {"a.com": ["first", "web"]}


def test_rename_renames_only_names_made_from_the_apps_name(app: Path) -> None:
    new = make_app("site")
    domains.set_global(["dokku.me"])
    domains.set_("web", ["web.dokku.me", "www.web.com", "web.com"])
    domains.rename("web", "site")
    assert lines(new) == ["site.dokku.me", "www.web.com", "web.com"]


def test_the_report_has_the_rows_of_dokku(app: Path, capfd: Output) -> None:
    domains.set_global(["dokku.me"])
    (app / "VHOST").write_text("a.com\nb.com\n")
    capfd.readouterr()
    domain_reports.show(["web"], "stdout")
    assert [line.rstrip() for line in capfd.readouterr().out.splitlines()] == [
        "=====> web domains information",
        "       Domains app enabled:           true",
        "       Domains app vhosts:            a.com b.com",
        "       Domains global enabled:        true",
        "       Domains global vhosts:         dokku.me",
    ]


def test_the_global_report_is_headed_global(fs: Any, capfd: Output) -> None:
    domain_reports.show(["--global"], "stdout")
    assert capfd.readouterr().out.startswith(
        "=====> Global domains information\n       Domains global enabled:  "
    )
    domain_reports.show(["--global", "--domains-global-vhosts"], "stdout")
    assert capfd.readouterr().out == "\n"


@pytest.mark.parametrize(
    ("text", "is_taken"),
    [
        ("dokku.me\n", True),
        ("10.0.0.1", True),
        ("", False),
        ("a b", False),
        ("a.com;evil", False),
        ("*.a.com", False),
    ],
)
def test_the_hosts_name_is_the_one_given_if_it_is_one(fs: Any, text: str, is_taken: bool) -> None:
    Path(settings.root(), "HOSTNAME").write_text(text)
    assert domains.hostname() == (text.strip() if is_taken else os.uname().nodename)


LABEL = st.from_regex(r"\A[a-z0-9_]([a-z0-9_-]{0,6}[a-z0-9_])?\Z")
GOOD = st.builds(
    lambda star, labels: star + ".".join(labels),
    st.sampled_from(["", "*."]),
    st.lists(LABEL, min_size=1, max_size=4),
)
ALMOST = st.text(st.sampled_from("aAzZ09.-_*;{}$ \n\"'\\é\u00df~#:/"), max_size=12)
NAMES = GOOD | GOOD.map(str.upper) | ALMOST | st.text(max_size=10)


def fresh_app() -> Path:
    """On the real disk, below the test's own directory: a file system in memory takes longer to make."""
    directory = make_app("web")
    (directory / "VHOST").unlink(missing_ok=True)
    return directory


@hypothesis.settings(max_examples=150)
@given(st.lists(NAMES, min_size=1, max_size=6))
def test_whatever_is_asked_for_the_file_holds_valid_small_names_each_once(names: list[str]) -> None:
    """NAME-7"""
    directory = fresh_app()
    try:
        domains.add("web", names)
    except DokkuError:
        assert not (directory / "VHOST").exists()
        return
    stored = lines(directory)
    assert stored
    assert len(set(stored)) == len(stored)
    for name in stored:
        assert name == name.lower()
        assert re.fullmatch(r"(\*\.|\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", name)
        assert len(name) <= 254


@hypothesis.settings(max_examples=100)
@given(st.lists(NAMES, max_size=5), st.lists(GOOD, min_size=1, max_size=5))
def test_adding_and_removing_gives_the_same_file_back(before: list[str], names: list[str]) -> None:
    directory = fresh_app()
    text = "".join(f"{line}\n" for line in before).encode("utf-8", "surrogatepass")
    (directory / "VHOST").write_bytes(text)
    there = domains.stored("web")
    new = [name for name in names if name not in map(domain_names.as_ascii, there)]
    hypothesis.assume(new)
    domains.add("web", new)
    assert domains.stored("web") == [*there, *dict.fromkeys(new)]
    domains.remove("web", new)
    assert domains.stored("web") == there


def test_capitals_in_a_file_of_dokku_are_small_letters(app: Path) -> None:
    (app / "VHOST").write_text("Example.COM\n~^(?<Name>.+)$\nexample.com\n")
    assert domains.listed("web") == ["example.com"]
    assert domains.claimants(["example.com"]) == {"example.com": ["web"]}
    domains.remove("web", ["EXAMPLE.com"])
    assert lines(app) == ["~^(?<Name>.+)$"]
