"""What git's own commands over ssh start, and what the hook's lines may say."""

import os

import pytest

from lib.base import log, settings
from lib.base.errors import AppNotFound, DokkuError, ToolFailed, TriggerFailed
from lib.source import services

APP = "blog"
OLD, NEW = "1" * 40, "2" * 40


@pytest.fixture(autouse=True)
def said(shell):
    """What the code under test writes: pairs of stream and bytes. On real files, as locks want them."""
    for name in ("refs", "objects", "HEAD"):
        os.makedirs(os.path.join(settings.app_dir(APP), name))
    with log.collected() as lines:
        yield lines


@pytest.fixture
def fired(monkeypatch):
    heard = []
    monkeypatch.setattr("lib.base.triggers.fire", lambda *words: heard.append(words))
    return heard


@pytest.fixture
def became(monkeypatch):
    """What this process would have become: words and environment."""
    seen = []
    monkeypatch.setattr("lib.base.run.become", lambda *argv, env=None: seen.append((list(argv), env)))
    return seen


def test_a_line_tells_old_and_new_commit_and_the_ref():
    text = f"{OLD} {NEW} refs/heads/main\n{'0' * 64} {'a' * 64} refs/tags/v1\n"
    assert services.updates(text) == [
        (OLD, NEW, "refs/heads/main"),
        ("0" * 64, "a" * 64, "refs/tags/v1"),
    ]
    assert services.updates("") == []


@pytest.mark.parametrize(
    "line",
    [
        f"{OLD} {NEW}",
        f"{OLD} --index-output=x refs/heads/main",
        f"-x {NEW} refs/heads/main",
        f"{OLD} {NEW[:-1]} refs/heads/main",
        f"{OLD} {NEW.replace('2', 'G')} refs/heads/main",
        f"{OLD} {NEW} main",
        f"{OLD} {NEW} HEAD",
        f"{OLD} {NEW} refs/heads/a..b",
        f"{OLD} {NEW} refs/heads/../x",
        f"{OLD} {NEW} refs/heads/a\x1b[2J",
        f"{OLD} {NEW} refs/heads/main more",
        f" {OLD} {NEW} refs/heads/main",
        "\n",
    ],
)
def test_a_line_that_git_would_not_write_is_refused(line):
    with pytest.raises(DokkuError, match="Invalid line from git") as refused:
        services.updates(f"{OLD} {NEW} refs/heads/main\n{line}")
    assert "\x1b" not in refused.value.text


def test_a_push_becomes_gits_own_program_with_the_lock_open(became, shell):
    services.receive(f"'/{APP}'")
    (argv, env) = became[0]
    assert (argv[0], argv[-2:]) == ("git", ["receive-pack", settings.app_dir(APP)])
    assert "receive.fsckObjects=true" in argv
    assert "receive.fsck.zeroPaddedFilemode=ignore" in argv
    descriptor = int(env["DOKKU_DEPLOY_LOCK_FD"])
    assert os.get_inheritable(descriptor)
    assert os.path.samestat(
        os.fstat(descriptor), os.stat(os.path.join(settings.app_dir(APP), ".deploy.lock"))
    )
    os.close(descriptor)


def test_a_push_to_what_can_be_no_app_starts_nothing(became, shell):
    with pytest.raises(DokkuError):
        services.receive("../x")
    assert (became, shell.ran) == ([], [])


def test_a_fetch_is_framed_by_triggers(shell, fired):
    services.upload("upload-pack", "'blog'")
    assert shell.ran == [f"git upload-pack {settings.app_dir(APP)}"]
    assert fired == [("git-pre-pull", APP), ("git-post-pull", APP)]


def test_a_plugin_may_refuse_a_fetch(shell, monkeypatch):
    def refuse(name, *_):
        raise TriggerFailed(name, "guard", 7)

    monkeypatch.setattr("lib.base.triggers.fire", refuse)
    with pytest.raises(TriggerFailed) as refused:
        services.upload("upload-pack", APP)
    assert refused.value.exit_code == 7
    assert shell.ran == []


def test_an_archive_of_the_source_fires_nothing(shell, fired):
    services.upload("upload-archive", APP)
    assert shell.ran == [f"git upload-archive {settings.app_dir(APP)}"]
    assert fired == []


def test_a_fetch_that_fails_has_gits_status(shell, fired):
    shell.answers("git upload-pack …", status=128)
    with pytest.raises(ToolFailed) as failed:
        services.upload("upload-pack", APP)
    assert failed.value.exit_code == 128
    assert fired == [("git-pre-pull", APP)]


def test_a_fetch_makes_no_app(shell, fired):
    with pytest.raises(AppNotFound):
        services.upload("upload-pack", "none")
    assert os.listdir(settings.root()) == [APP]
