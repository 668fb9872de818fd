"""Which credentials are for which address."""

import os
from pathlib import Path
from typing import Any

import pytest

from lib.base import files, settings
from lib.source import logins, netrc
from lib.source.logins import NONE, Login

NETRC = """\
machine git.test login ann password secret
machine git.test:8443 login bob password other
machine git.test:80 login eve password clear
machine ::1 login six password six
default login all password all
"""


@pytest.fixture(autouse=True)
def written(fs: Any) -> None:
    os.makedirs(settings.root(), exist_ok=True)
    files.replace(netrc.path(), NETRC)


@pytest.mark.parametrize(
    ("url", "login"),
    [
        ("https://git.test/a.git", Login("ann", "secret")),
        ("https://git.test:443/a.git", Login("ann", "secret")),
        ("HTTPS://GIT.test/a.git", Login("ann", "secret")),
        ("https://git.test:8443/a.git", Login("bob", "other")),
        ("http://git.test:8443/a.git", Login("bob", "other")),
        ("http://git.test/a.git", Login("eve", "clear")),
        ("https://[::1]/a.git", Login("six", "six")),
        ("https://other.test/a.git", Login("all", "all")),
        ("http://git.test:443/a.git", NONE),
        ("https://git.test:8080/a.git", NONE),
        ("http://git.test:3000/a.git", NONE),
        ("http://other.test/a.git", NONE),
        ("https://other.test:8443/a.git", NONE),
        ("https://git.test.evil.test:8443/a.git", NONE),
        ("https://me:own@git.test/a.git", NONE),
        ("ssh://git.test/a.git", NONE),
        ("git://git.test/a.git", NONE),
        ("https://git.test:99999/a.git", NONE),
        ("https://[git.test/a.git", NONE),
    ],
)
def test_an_entry_is_for_https_at_its_port_alone(url: str, login: Login) -> None:
    assert logins.for_url(url) == login


def test_who_has_an_entry_for_something_else_is_told_how_to_set_one() -> None:
    assert logins.advice("https://git.test/a.git") == ""
    assert logins.advice("http://unknown.test/a.git") == ""
    said = logins.advice("http://git.test:3000/a.git")
    assert said.startswith(
        "The netrc entry of git.test is for https://git.test only: git:auth git.test:3000 "
    )


def test_git_is_told_by_protocol_host_and_port_and_never_in_its_words() -> None:
    with logins.for_git("https://own.test/a.git", Login("me", "mine")) as env:
        keys = [value for name, value in env.items() if name.startswith("GIT_CONFIG_KEY_")]
        helpers = [
            value for name, value in env.items() if "/credentials" in (value or "") and "VALUE" in name
        ]
        home = Path(env["HOME"] or "")
        told = {(home / name).read_text() for name in os.listdir(home)}
        modes = {(home / name).stat().st_mode & 0o777 for name in os.listdir(home)}
    for origin in (
        *("https://git.test", "https://git.test:8443", "http://git.test:8443", "http://git.test:80"),
        *("https://[::1]", "https://own.test:443"),
    ):
        assert f"credential.{origin}.helper" in keys
    assert "credential.http://git.test.helper" not in keys
    assert not any("secret" in helper or "mine" in helper for helper in helpers if helper)
    assert "username=me\npassword=mine\n" in told
    assert modes == {0o600}
    assert not home.exists()
    assert env["GIT_CONFIG_COUNT"] == str(len(keys))
