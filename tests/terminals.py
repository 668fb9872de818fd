"""A terminal with somebody at it: what a program shows there, the keys, the size, and hanging up."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time


class Terminal:
    """A program at a terminal of its own, which is the one that controls it. Use in a `with` block."""

    def __init__(self, argv: list[str], env: dict[str, str], size: tuple[int, int] = (24, 80)) -> None:
        """size: rows and columns."""
        self.shown = ""
        self._ours, theirs = pty.openpty()
        self.resize(*size)
        leader = ["setsid", "--ctty", "--wait", *argv]
        self.process = subprocess.Popen(leader, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
        os.close(theirs)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=10)

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self) -> None:
        """Take the terminal away, as sshd does when a connection is lost."""
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    def wait_for(self, text: str, timeout: float = 60) -> str:
        """Read until a text has been shown; everything shown since the last call, that text included."""
        deadline = time.monotonic() + timeout
        while text not in self.shown:
            assert self._read(deadline), f"no {text!r} in {self.shown!r}"
        before, found, self.shown = self.shown.partition(text)
        return before + found

    def end(self, timeout: float = 60) -> int:
        """Read what is still to be shown; the program's status."""
        deadline = time.monotonic() + timeout
        while self._read(deadline):
            pass
        return self.process.wait(timeout=max(1, deadline - time.monotonic()))

    def _read(self, deadline: float) -> bool:
        """Take in what comes next; False when the program has left or time is over."""
        if not select.select([self._ours], [], [], max(0, deadline - time.monotonic()))[0]:
            return False
        try:
            chunk = os.read(self._ours, 65536)
        except OSError:  # the last one at the terminal has left
            return False
        self.shown += chunk.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(chunk)
