"""What comes through stdin is streamed: its size is no matter of memory."""

import contextlib
import os
import re
import subprocess
import threading
from pathlib import Path

from tests.archives import raw_header
from tests.cli.conftest import TREE, Dokku

MANY = 260 * 1024**2
MOST = 100 * 1024  # KiB


def _memory(pid: int) -> int:
    """The most that a process has had so far, in KiB; 0 when it is gone."""
    with contextlib.suppress(OSError):
        found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) if found else 0
    return 0


def _fed(dokku: Dokku, *words: str) -> tuple[int, str, int]:
    """Send an archive of so much to a command: its status, its stderr, the most memory that it had (KiB)."""
    process = subprocess.Popen(
        [str(TREE / "bin/dokku"), *words],
        env=dokku.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    stderr, said, used = process.stderr, bytearray(), 0
    reader = threading.Thread(target=lambda: said.extend(stderr.read()))
    reader.start()
    block = bytes(1024**2)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(raw_header(b"large", b"0", MANY))
        for _ in range(MANY // len(block) + 1):
            process.stdin.write(block)
            used = max(used, _memory(process.pid))
        process.stdin.close()
    reader.join()
    return process.wait(timeout=60), said.decode(), used


def test_an_archive_that_is_too_large_is_spooled_up_to_the_limit_in_little_memory(dokku: Dokku) -> None:
    """ARC-8, IO-4"""
    dokku.make_app("blog")
    dokku("git:set", "--global", "archive-max-size", str(MANY - 1024))
    code, said, memory = _fed(dokku, "git:from-archive", "blog", "--")
    assert code == 1
    assert "Archive exceeds maximum allowed size" in said
    assert 0 < memory < MOST
    assert [name for name in os.listdir(dokku.lib / "tmp") if name != "locks"] == []


def test_an_image_goes_to_docker_in_little_memory(dokku: Dokku) -> None:
    """IO-4"""
    dokku.make_app("blog")
    dokku.program("docker", '#!/bin/sh\ncase "$*" in *load*) exec cat >/dev/null ;; esac\nexit 1\n')
    code, _, memory = _fed(dokku, "git:load-image", "blog", "busybox:latest")
    assert code != 0
    assert 0 < memory < MOST
