"""How far a command is: one line at the end of the terminal, drawn over and wiped; nothing in a pipe."""

import os

from lib.base import log

_drawn = [0]  # columns of the line that stands there


def draw(text: str) -> None:
    """Put the line in place of the last one, cut to the terminal's width."""
    if log.is_quiet() or not os.isatty(2):
        return
    shown = text[: _width() - 1]
    log.raw(f"\r{shown.ljust(_drawn[0])}\r{shown}".encode("utf-8", "surrogateescape"), 2)
    _drawn[0] = len(shown)


def wipe() -> None:
    """Leave the line empty, with the cursor at its start: others may write now."""
    if _drawn[0]:
        log.raw(f"\r{' ' * _drawn[0]}\r".encode(), 2)
        _drawn[0] = 0


def _width() -> int:
    try:
        return os.get_terminal_size(2).columns or 80
    except OSError:
        return 80
