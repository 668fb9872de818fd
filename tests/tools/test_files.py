"""A write that is killed at any instant leaves the old content or the new one."""

import subprocess
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]
# Dies at the Nth call that touches the disk; nothing after a kill -9 runs, not even a `finally`.
VICTIM = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from lib.base import files
left = int(sys.argv[3])
def dying(call):
    def wrapper(*args, **kwargs):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **kwargs)
    return wrapper
for name in ("open", "fdopen", "fchmod", "fsync", "replace", "close", "mkdir", "unlink"):
    setattr(os, name, dying(getattr(os, name)))
exec(sys.argv[4])
"""


def dies_at(number: int, path: Path, script: str) -> bool:
    argv = [sys.executable, "-I", "-c", VICTIM, str(TREE), str(path), str(number), script]
    done = subprocess.run(argv, check=False, capture_output=True)
    assert done.returncode in (0, -9), done.stderr
    return done.returncode == -9


@pytest.mark.parametrize("old", ["old" * 5000, None])
def test_a_killed_write_leaves_the_old_content_or_the_new(tmp_path: Path, old: str | None) -> None:
    """CRS-1, CRS-4"""
    path, new = tmp_path / "state/ENV", "new" * 7000
    seen, number = set(), 1
    while True:
        if old is not None:
            path.parent.mkdir(exist_ok=True)
            path.write_text(old)
        elif path.exists():
            path.unlink()
        died = dies_at(number, path, f"files.replace(sys.argv[2], {new!r})")
        content = path.read_text() if path.exists() else None
        assert content in (old, new), f"killed at call {number}"
        seen.add(content)
        number += 1
        if not died:
            break
    assert seen == {old, new}
    assert number > 5


def test_content_is_on_disk_before_its_name_is_and_the_name_after(tmp_path: Path) -> None:
    """CRS-1, CRS-4: The order of the calls is what survives a loss of power: file, rename, directory."""
    script = """
import os
order = []
for name in ("fsync", "replace"):
    def noting(*args, _call=getattr(os, name), _name=name):
        kind = "" if _name == "replace" else ("dir" if os.path.isdir(f"/proc/self/fd/{args[0]}") else "file")
        order.append(_name + kind)
        return _call(*args)
    setattr(os, name, noting)
files.replace(sys.argv[2], "x")
assert order == ["fsyncfile", "replace", "fsyncdir"], order
"""
    assert not dies_at(10_000, tmp_path / "ENV", script)


def test_a_process_that_was_killed_inside_a_lock_blocks_nobody(tmp_path: Path) -> None:
    """LCK-3"""
    environment = {"DOKKU_LIB_PATH": str(tmp_path), "DOKKU_SYSTEM_USER": "root"}
    script = f"""
import os, sys, signal
sys.path.insert(0, {str(TREE)!r})
from lib.base import files
with files.locked({str(tmp_path / "ENV")!r}):
    os.kill(os.getpid(), signal.SIGKILL) if sys.argv[1] == "die" else print("got it")
"""
    for word, code in (("die", -9), ("live", 0)):
        argv = [sys.executable, "-I", "-c", script, word]
        assert subprocess.run(argv, env=environment, check=False, timeout=10).returncode == code


def test_updates_by_many_processes_are_all_kept(tmp_path: Path) -> None:
    """LCK-7"""
    path = tmp_path / "list"
    script = f"""
import sys
sys.path.insert(0, {str(TREE)!r})
from lib.base import files
for number in range(10):
    with files.locked({str(path)!r}):
        files.replace_lines({str(path)!r}, [*files.read_lines({str(path)!r}), f"{{sys.argv[1]}}-{{number}}"])
"""
    environment = {"DOKKU_LIB_PATH": str(tmp_path), "DOKKU_SYSTEM_USER": "root"}
    argv = [sys.executable, "-I", "-c", script]
    workers = [subprocess.Popen([*argv, str(number)], env=environment) for number in range(6)]
    assert [worker.wait(timeout=60) for worker in workers] == [0] * 6
    assert sorted(path.read_text().split()) == sorted(f"{w}-{n}" for w in range(6) for n in range(10))
