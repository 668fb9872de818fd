"""The deploy lock. flock needs a real file; another process's hold on it is another open file here."""

import contextlib
import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.base import files, locks, procfs, settings
from lib.base.errors import Locked

TEXT = "blog currently has a deploy lock in place. Exiting..."


@pytest.fixture(autouse=True)
def _app() -> None:
    os.makedirs(settings.app_dir("blog"))
    os.makedirs(settings.app_dir("shop"))


@contextlib.contextmanager
def somebody_elses_deploy(kind: int = fcntl.LOCK_EX, app: str = "blog") -> Iterator[int]:
    """An open file of its own that holds the lock, with the description that its owner writes."""
    descriptor = os.open(locks.path(app), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, kind)
        if kind == fcntl.LOCK_EX:
            about = {
                "pid": 1,
                "since": "2026-01-02T03:04:05Z",
                "user": "alice",
                "command": "git-hook",
                "token": "t",
            }
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(about).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def test_one_deploy_at_a_time() -> None:
    """LCK-2"""
    with somebody_elses_deploy(), pytest.raises(Locked) as refusal, locks.deploy("blog"):
        pass
    assert refusal.value.text == TEXT
    assert refusal.value.exit_code == 1


def test_the_refusal_says_who_holds_it_and_how_to_unlock() -> None:
    """LCK-2"""
    with somebody_elses_deploy(), pytest.raises(Locked) as refusal, locks.deploy("blog"):
        pass
    assert refusal.value.more == (
        "Held by alice (git-hook) since 2026-01-02T03:04:05Z",
        "Wait until it has ended, or run 'builds:cancel blog' to end it",
    )


def test_who_deploys_is_known_by_process_and_is_not_us() -> None:
    assert (locks.holder("blog"), locks.is_others("blog")) == ((0, "", ""), False)
    with somebody_elses_deploy():
        assert (locks.holder("blog"), locks.is_others("blog")) == ((1, "", "git-hook"), True)
    with locks.deploy("blog"):
        pid, start, _ = locks.holder("blog")
        assert (pid, start) == (os.getpid(), procfs.started(os.getpid()))
        assert not locks.is_others("blog")


def test_other_apps_go_on() -> None:
    with somebody_elses_deploy(), locks.deploy("shop"):
        assert locks.is_running("shop")


def test_the_lock_ends_with_its_block() -> None:
    with locks.deploy("blog"):
        assert locks.is_running("blog")
        assert locks.is_locked("blog")
    assert not locks.is_running("blog")
    assert not locks.is_locked("blog")


def test_the_lock_ends_with_a_failure() -> None:
    with pytest.raises(KeyError), locks.deploy("blog"):
        raise KeyError
    assert not locks.is_running("blog")
    assert locks.TOKENS not in os.environ or "blog" not in os.environ[locks.TOKENS]


def test_the_file_stays_and_is_private() -> None:
    """LCK-1"""
    with locks.deploy("blog"):
        before = os.stat(locks.path("blog"))
    assert os.stat(locks.path("blog")).st_ino == before.st_ino
    assert before.st_mode & 0o777 == 0o600


def test_nested_deploys_of_one_process_pass() -> None:
    """LCK-1"""
    with locks.deploy("blog"):
        with locks.deploy("blog"), locks.deploy("blog"):
            pass
        assert locks.is_running("blog")
    assert not locks.is_running("blog")


def test_a_deploy_of_two_apps_holds_both() -> None:
    with locks.deploy("blog"), locks.deploy("shop"):
        assert locks.is_running("blog")
        assert locks.is_running("shop")
        assert sorted(word.split("=")[0] for word in os.environ[locks.TOKENS].split()) == ["blog", "shop"]


def test_a_child_of_the_holder_passes() -> None:
    with somebody_elses_deploy():
        os.environ[locks.TOKENS] = "blog=t"
        with locks.deploy("blog"):
            pass
        assert locks.is_running("blog")


@pytest.mark.parametrize("tokens", ["", "blog=", "blog=x", "shop=t", "blog", "=t", "blog=t2 shop=t"])
def test_a_child_of_somebody_else_does_not(tokens: str) -> None:
    """LCK-1"""
    os.environ[locks.TOKENS] = tokens
    with somebody_elses_deploy(), pytest.raises(Locked), locks.deploy("blog"):
        pass


def test_a_child_that_outlives_the_holder_takes_the_lock_itself() -> None:
    with somebody_elses_deploy():
        os.environ[locks.TOKENS] = "blog=t"
    with locks.deploy("blog"):
        assert locks.is_running("blog")


def test_what_a_dead_holder_wrote_is_nothing() -> None:
    """LCK-4: only the lock itself counts, not a file, a pid or a time."""
    files.replace(
        locks.path("blog"), '{"pid": 1, "since": "2999-01-01T00:00:00Z", "user": "x", "command": "y"}'
    )
    with locks.deploy("blog"):
        pass


@pytest.mark.parametrize("content", ["", "rubbish", "[]", "{", '"x"', "null", "\x00"])
def test_a_lock_without_a_description_is_a_lock(content: str) -> None:
    with somebody_elses_deploy() as descriptor:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, content.encode(), 0)
        with pytest.raises(Locked) as refusal, locks.deploy("blog"):
            pass
    assert refusal.value.text == TEXT


def test_the_description_is_for_people() -> None:
    os.environ |= {"SSH_NAME": "alice", "DOKKU_COMMAND": "ps:rebuild"}
    with locks.deploy("blog"):
        about = json.loads(files.read(locks.path("blog")))
    assert (about["pid"], about["user"], about["command"]) == (os.getpid(), "alice", "ps:rebuild")
    assert about["since"].endswith("Z")


@pytest.mark.real_clock
def test_a_glance_at_the_lock_fails_no_deploy() -> None:
    """apps:report asks for a shared lock for an instant; a deploy that starts just then waits."""
    with contextlib.ExitStack() as glance:
        glance.enter_context(somebody_elses_deploy(fcntl.LOCK_SH))
        threading.Timer(0.05, glance.pop_all().close).start()
        with locks.deploy("blog"):
            assert locks.is_running("blog")


def test_two_glances_at_once_see_no_deploy() -> None:
    with somebody_elses_deploy(fcntl.LOCK_SH):
        assert not locks.is_running("blog")


def test_an_app_that_never_deployed_is_not_locked() -> None:
    assert not locks.is_locked("blog")
    assert not os.path.exists(locks.path("blog"))


def test_an_app_that_is_gone_can_not_be_locked() -> None:
    """LCK-9, LCK-10"""
    with pytest.raises(Locked, match="Unable to lock"), locks.deploy("gone"):
        pass


def test_a_lock_file_that_is_a_link_is_not_followed(tmp_path: os.PathLike[str]) -> None:
    """LCK-10"""
    os.symlink(os.path.join(tmp_path, "elsewhere"), locks.path("blog"))
    with pytest.raises(Locked, match="Unable to lock"), locks.deploy("blog"):
        pass
    assert not os.path.exists(os.path.join(tmp_path, "elsewhere"))


def test_an_operators_lock_blocks_deploys_until_it_is_taken_away() -> None:
    """LCK-5"""
    os.environ["SSH_NAME"] = "alice"
    locks.lock_manually("blog")
    assert locks.is_locked("blog")
    assert not locks.is_running("blog")
    with pytest.raises(Locked) as refusal, locks.deploy("blog"):
        pass
    assert refusal.value.text == TEXT
    assert refusal.value.more[0].startswith("Held by alice (")
    assert locks.unlock_manually("blog")
    with locks.deploy("blog"):
        pass


def test_an_operators_lock_does_not_stop_a_deploy_under_way() -> None:
    """LCK-5"""
    with locks.deploy("blog"):
        locks.lock_manually("blog")
        with locks.deploy("blog"):
            pass


def test_there_is_nothing_to_unlock_twice() -> None:
    locks.lock_manually("blog")
    assert locks.unlock_manually("blog")
    assert not locks.unlock_manually("blog")


def test_the_lock_that_a_hook_takes_lasts_as_long_as_the_push() -> None:
    """git-receive-pack opens the file; its hook locks it; the refs are written after the hook has ended."""
    descriptor = locks.open_for_child("blog")
    try:
        assert os.get_inheritable(descriptor)
        assert not locks.is_running("blog")
        os.environ[locks.INHERITED] = str(descriptor)
        with locks.deploy("blog"):
            assert locks.is_running("blog")
        assert locks.is_running("blog")
        del os.environ[locks.INHERITED]
        with pytest.raises(Locked), locks.deploy("blog"):
            pass
    finally:
        os.close(descriptor)
    with locks.deploy("blog"):
        pass


@pytest.mark.parametrize("word", ["", "x", "-1", "99999", "1"])
def test_a_descriptor_that_is_not_the_lock_file_is_not_taken_for_it(word: str) -> None:
    os.environ[locks.INHERITED] = word
    with locks.deploy("blog"):
        assert locks.is_running("blog")
    assert not locks.is_running("blog")


def test_the_descriptor_of_another_app_is_not_taken_for_it() -> None:
    descriptor = locks.open_for_child("shop")
    try:
        os.environ[locks.INHERITED] = str(descriptor)
        with locks.deploy("blog"):
            assert locks.is_running("blog")
            assert not locks.is_running("shop")
    finally:
        os.close(descriptor)


def test_one_thread_at_a_time_reads_and_rewrites_a_file() -> None:
    path = os.path.join(settings.root(), "counter")
    files.replace(path, "0")

    def count() -> None:
        for _ in range(20):
            with files.locked(path):
                number = int(files.read(path))
                time.sleep(0.0001)
                files.replace(path, str(number + 1))

    threads = [threading.Thread(target=count) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert files.read(path) == "100"


def test_files_with_long_names_can_be_locked(tmp_path: Path) -> None:
    with files.locked(os.path.join(settings.root(), *["x" * 100] * 4)), files.locked(f"{tmp_path}/srv/other"):
        pass
