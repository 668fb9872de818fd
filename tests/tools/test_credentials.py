"""Passwords that come through real pipes; keys by real ssh-keygen."""

import os
import shutil
import subprocess
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base import files, settings
from lib.source import credentials
from lib.tools import ssh

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen")


def line_of(data):
    reading, writing = os.pipe()
    try:
        os.write(writing, data)
        os.close(writing)
        return credentials.first_line(reading, patience=30)
    finally:
        os.close(reading)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"secret\n", "secret"),
        (b"secret", "secret"),
        (b"secret\r\n", "secret"),
        (b" se cret \nmore\n", " se cret "),
        (b"\xe9\n", "\udce9"),
        (b"", ""),
        (b"\nsecret\n", ""),
    ],
)
def test_a_password_is_the_first_line(data, line):
    assert line_of(data) == line


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=50))
def test_a_line_comes_through_as_it_was_sent(line):
    assert line_of(line.encode() + b"\n") == line


def test_who_says_nothing_or_half_of_it_is_not_waited_for_forever():
    reading, writing = os.pipe()
    assert credentials.first_line(reading, patience=0) == ""
    os.write(writing, b"half a pass")
    assert credentials.first_line(reading, patience=0.01) == ""
    os.close(reading)
    os.close(writing)


def test_a_flood_without_a_line_end_is_cut_off():
    assert 4000 < len(line_of(b"x" * 60_000)) < 60_000


def test_a_password_of_two_lines_and_a_slow_writer():
    reading, writing = os.pipe()

    def write():
        for part in (b"se", b"cret", b"\nmore"):
            os.write(writing, part)
        os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    assert credentials.first_line(reading, patience=30) == "secret"
    writer.join()
    os.close(reading)


def private():
    return os.path.join(settings.root(), ".ssh", "id_ed25519")


def test_a_lost_public_half_is_the_same_as_before(capfd):
    os.makedirs(settings.root())
    credentials.generate_deploy_key()
    said = capfd.readouterr()
    assert "The key fingerprint is:\nSHA256:" in said.out
    assert f"Your public key has been saved in {private()}.pub\n" in said.out
    assert said.err == ""
    before = files.read(f"{private()}.pub")
    os.unlink(f"{private()}.pub")
    credentials.generate_deploy_key()
    assert files.read(f"{private()}.pub").split()[:2] == before.split()[:2]
    assert len(ssh.fingerprints(before)) == 1
    assert os.stat(private()).st_mode & 0o777 == 0o600


def test_a_host_key_line_has_the_fingerprint_of_its_key(tmp_path):
    ssh.generate_key(str(tmp_path / "key"), "x")
    told = subprocess.run(
        ["ssh-keygen", "-lf", str(tmp_path / "key.pub")], capture_output=True, text=True, check=True
    )
    key = " ".join((tmp_path / "key.pub").read_text().split()[:2])
    assert ssh.fingerprints(f"{key}\n") == [told.stdout.split()[1]]
