"""What a hook knows of the client: real pipes."""

import os

import pytest

from lib.base import pushers


@pytest.fixture
def client(monkeypatch):
    """The reading end of what our stdout would be in git-receive-pack."""
    reading, writing = os.pipe()
    saved = os.dup(1)
    os.dup2(writing, 1)
    word = pushers.word_for_child()
    os.dup2(saved, 1)
    for descriptor in (saved, writing):
        os.close(descriptor)
    monkeypatch.setenv(pushers.INHERITED, word)
    yield reading
    os.close(int(word.split(":")[0]))


def test_a_hook_inherits_the_way_to_the_client(client):
    descriptor = pushers.inherited()
    assert descriptor is not None
    assert os.get_inheritable(descriptor)
    os.write(descriptor, b"x")
    assert os.read(client, 1) == b"x"
    os.close(client)


@pytest.mark.parametrize("word", ["", "1", "x:1:2", "1:1:2", "-1:1:2", "99999999999999999999:1:2", "900:1:2"])
def test_what_is_not_that_file_is_none(monkeypatch, word):
    monkeypatch.setenv(pushers.INHERITED, word)
    assert pushers.inherited() is None


@pytest.mark.parametrize(
    ("has_gone", "name", "stays"),
    [
        (True, "tmp_objdir-incoming-a1B2c3", False),
        (True, "incoming-a1B2c3", False),
        (True, "pack", True),
        (False, "tmp_objdir-incoming-a1B2c3", True),
    ],
)
def test_only_what_a_client_sent_that_has_gone_is_removed(
    client, monkeypatch, tmp_path, has_gone, name, stays
):
    """CRS-6"""
    place = tmp_path / "objects" / name
    place.mkdir(parents=True)
    monkeypatch.setenv("GIT_QUARANTINE_PATH", str(place))
    if has_gone:
        os.close(client)
    pushers.drop_received()
    assert place.exists() == stays
    if not has_gone:
        os.close(client)


def test_outside_of_pushes_nothing_is_removed(monkeypatch, tmp_path):
    place = tmp_path / "tmp_objdir-incoming-a1B2c3"
    place.mkdir()
    monkeypatch.setenv("GIT_QUARANTINE_PATH", str(place))
    pushers.drop_received()
    assert place.exists()
