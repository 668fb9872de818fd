"""Pairs of certificate and key on disk: put in force, taken over, given back, removed."""

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lib.app import certs, config, pem
from lib.base import settings
from lib.base.errors import DokkuError
from tests.conftest import Shell

Output = pytest.CaptureFixture[str]
Listener = Callable[..., None]
PUBLIC = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
SAID = (
    "subject=CN = web.example.com\nissuer=CN = me\nnotBefore=Jan  1 00:00:00 2020 GMT\n"
    f"notAfter=Jan  1 00:00:00 2999 GMT\nserial=01\nsha256 Fingerprint=AA\n{PUBLIC}"
    "X509v3 Subject Alternative Name: \n    DNS:web.example.com, DNS:*.example.org, IP Address:127.0.0.1\n"
)
ONE, TWO = b"AAAA", b"BBBB"


def certificate(content: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + content + b"\n-----END CERTIFICATE-----\n"


def key(content: bytes) -> bytes:
    return b"-----BEGIN PRIVATE KEY-----\n" + content + b"\n-----END PRIVATE KEY-----\n"


def put(content: bytes) -> None:
    certs.put("web", certificate(content), key(content))


def in_force() -> tuple[bytes, bytes]:
    return Path(certs.certificate("web")).read_bytes(), Path(certs.key("web")).read_bytes()


@pytest.fixture(autouse=True)
def tls(fs: Any, shell: Shell) -> Path:
    """The app's tls directory, which is not there yet; openssl takes everything for a pair."""
    shell.answers("openssl x509…", SAID)
    shell.answers("openssl pkey…", PUBLIC)
    directory = Path(settings.app_dir("web"))
    directory.mkdir(parents=True)
    return directory / "tls"


@pytest.fixture
def listener(fs: Any, shell: Shell) -> Listener:
    """A plugin that hears of post-domains-update, with these statuses one after another."""
    script = Path(settings.plugins_enabled()) / "no" / "post-domains-update"
    fs.create_file(str(script), contents="#!/bin/sh\n", st_mode=stat.S_IFREG | 0o755)

    def answers(*statuses: int) -> None:
        for status in statuses:
            shell.answers(f"{script} web", status=status)

    return answers


def test_an_app_without_a_pair_has_no_certificate() -> None:
    assert not certs.exists("web")
    assert certs.names("web") == []
    assert certs.details("web") is None


def test_a_pair_is_in_force_with_a_key_that_nobody_else_reads(tls: Path) -> None:
    """NGX-10, PRV-8"""
    put(ONE)
    assert certs.exists("web")
    assert in_force() == (certificate(ONE), key(ONE))
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tls, tls / "server.crt", tls / "server.key")]
    assert modes == [0o700, 0o644, 0o600]


def test_names_are_those_of_the_certificate() -> None:
    put(ONE)
    assert certs.names("web") == ["*.example.org", "web.example.com"]


def test_what_openssl_said_once_is_not_asked_again(shell: Shell) -> None:
    put(ONE)
    asked = len(shell.ran)
    assert certs.names("web") == ["*.example.org", "web.example.com"]
    assert certs.details("web") == pem.judged(certificate(ONE), key(ONE)).says
    assert len(shell.ran) == asked + 2  # by `judged`


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "1", "[1]", '{"digest": 1}'])
def test_a_certificate_that_came_by_another_way_is_asked_once(shell: Shell, tls: Path, text: str) -> None:
    put(ONE)
    asked = len(shell.ran)
    (tls / "server.crt").write_bytes(certificate(TWO))
    for _ in range(2):
        assert certs.names("web") == ["*.example.org", "web.example.com"]
        assert len(shell.ran) == asked + 1
    (tls / ".certificate.json").write_text(text)
    assert certs.names("web") == ["*.example.org", "web.example.com"]
    assert len(shell.ran) == asked + 2


def test_a_certificate_that_openssl_cannot_read_has_no_names(shell: Shell, tls: Path) -> None:
    put(ONE)
    (tls / "server.crt").write_bytes(b"no certificate")
    shell.answers("openssl x509 -noout…", err="unable to load", status=1)
    assert certs.names("web") == []


def test_another_pair_takes_the_place_of_the_first_which_is_removed(tls: Path) -> None:
    put(ONE)
    put(TWO)
    assert in_force() == (certificate(TWO), key(TWO))
    assert len([name for name in os.listdir(tls) if name.startswith(".pair")]) == 1


def test_a_pair_that_was_written_by_hand_is_taken_over(fs: Any, tls: Path) -> None:
    for name in certs.FILES:
        fs.create_file(str(tls / name), contents="old")
    assert certs.exists("web")
    put(ONE)
    assert in_force() == (certificate(ONE), key(ONE))


def test_what_is_written_in_place_of_the_links_counts(tls: Path) -> None:
    put(ONE)
    for name in certs.FILES:
        (tls / "new").write_text("by a plugin")
        (tls / "new").rename(tls / name)
    assert in_force() == (b"by a plugin", b"by a plugin")
    put(TWO)
    assert in_force() == (certificate(TWO), key(TWO))


def test_half_a_pair_is_none_and_does_not_come_back(tls: Path) -> None:
    put(ONE)
    (tls / "server.key").unlink()
    assert not certs.exists("web")
    put(TWO)
    assert in_force() == (certificate(TWO), key(TWO))


def test_a_pair_that_cannot_be_put_in_force_leaves_the_old_one(listener: Listener, capfd: Output) -> None:
    listener(0, 3, 0)
    put(ONE)
    with pytest.raises(DokkuError):
        put(TWO)
    assert in_force() == (certificate(ONE), key(ONE))
    assert capfd.readouterr().err == " !     web is served as before\n"
    put(TWO)
    assert in_force() == (certificate(TWO), key(TWO))


def test_a_first_pair_that_cannot_be_put_in_force_leaves_none(tls: Path, listener: Listener) -> None:
    listener(3, 0)
    with pytest.raises(DokkuError):
        put(ONE)
    assert not certs.exists("web")
    assert not tls.exists()


@pytest.mark.parametrize("had_one", [False, True])
def test_the_apps_own_ports_are_what_they_were_after_a_pair_that_is_given_up(
    listener: Listener, had_one: bool
) -> None:
    listener(*((0, 3, 0) if had_one else (3, 0)))
    if had_one:
        put(ONE)
    own = {"DOKKU_PROXY_SSL_PORT": "8443", "DOKKU_PROXY_PORT_MAP": "http:80:5000 https:443:5001"}
    config.set_values("web", {**own, "OTHER": "x"})
    with pytest.raises(DokkuError):
        put(TWO)
    assert config.values("web") == {**own, "OTHER": "x"}


def test_what_plugins_keep_beside_a_pair_outlives_one_that_is_given_up(
    fs: Any, tls: Path, listener: Listener
) -> None:
    fs.create_file(str(tls / "server.csr"))
    listener(3, 0)
    with pytest.raises(DokkuError):
        put(ONE)
    assert os.listdir(tls) == ["server.csr"]


def test_a_bad_pair_changes_nothing(tls: Path) -> None:
    with pytest.raises(DokkuError):
        certs.put("web", b"", b"")
    assert not tls.exists()


def test_what_killed_processes_left_is_removed_in_time(fs: Any, tls: Path) -> None:
    for name, age in (("old", 4000), ("new", 10)):
        fs.create_file(str(tls / f".pair.{name}" / "server.key"))
        os.utime(tls / f".pair.{name}", (time.time() - age, time.time() - age))
    put(ONE)
    assert not (tls / ".pair.old").exists()
    assert (tls / ".pair.new").exists()


def test_removal_takes_all_of_it(tls: Path, capfd: Output) -> None:
    put(ONE)
    certs.remove("web")
    assert not tls.exists()
    assert not certs.exists("web")
    assert capfd.readouterr().out == "-----> Removing SSL endpoint from web\n"


def test_removal_without_a_pair_is_refused() -> None:
    with pytest.raises(DokkuError, match="An app-specific SSL endpoint is not defined"):
        certs.remove("web")


def test_a_pair_that_is_about_to_go_counts_for_nobody(fs: Any, shell: Shell, tls: Path) -> None:
    script = Path(settings.plugins_enabled()) / "slow" / "post-domains-update"
    fs.create_file(str(script), contents="#!/bin/sh\n", st_mode=stat.S_IFREG | 0o755)
    put(ONE)
    seen: list[bool] = []
    shell.answers(f"{script} web", does=lambda _: seen.append(certs.exists("web")))
    certs.remove("web")
    assert seen == [False]
    assert not tls.exists()


def test_a_removal_that_was_killed_is_ended_by_the_next_or_taken_back_by_a_new_pair(
    listener: Listener, tls: Path
) -> None:
    put(ONE)
    (tls / ".leaving").touch()
    assert not certs.exists("web")
    certs.remove("web")
    assert not tls.exists()
    put(ONE)
    (tls / ".leaving").touch()
    put(TWO)
    assert certs.exists("web")
    assert in_force() == (certificate(TWO), key(TWO))


def test_a_pair_that_comes_while_one_is_removed_stays(fs: Any, shell: Shell) -> None:
    script = Path(settings.plugins_enabled()) / "eager" / "post-certs-remove"
    fs.create_file(str(script), contents="#!/bin/sh\n", st_mode=stat.S_IFREG | 0o755)
    put(ONE)
    shell.answers(f"{script} web", does=lambda _: put(TWO))
    certs.remove("web")
    assert certs.exists("web")
    assert in_force() == (certificate(TWO), key(TWO))


def test_a_pair_stays_when_nobody_would_stop_serving_it(listener: Listener) -> None:
    listener(0, 3)
    put(ONE)
    with pytest.raises(DokkuError):
        certs.remove("web")
    assert certs.exists("web")
    assert in_force() == (certificate(ONE), key(ONE))
