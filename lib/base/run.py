"""Starting other programs: the one door to `sh`, which is loaded when the first program starts.

Always a list of words, never a shell. A program gets our own stdout and stderr, an empty stdin unless one is
given, and our environment. `_spawn` is the one seam that unit tests replace.
"""

import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, NamedTuple

from lib.base import descendants, log, memory, pidfd, signals
from lib.base.errors import DokkuError, ToolFailed

Stdin = bytes | int | IO[bytes] | None
Env = Mapping[str, str | None]  # added to our environment; None takes a variable away
INHERIT = 0  # as stdin: our own
_running: dict[int, Any] = {}  # what `_spawn` waits for, in any thread


class Result(NamedTuple):
    """What a program returned: its status (negative for a signal), its stdout and its stderr."""

    status: int
    output: bytes
    errors: bytes


def run(*argv: str, cwd: str = "", env: Env | None = None, stdin: Stdin = None, timeout: float = 0) -> None:
    """Run a program for its effect and its output.

    env: added to ours (None takes a variable away). stdin: bytes, an open file, or INHERIT. timeout: seconds,
    0 for none. Raises: ToolFailed with the program's status.
    """
    ended = status(*argv, cwd=cwd, env=env, stdin=stdin, timeout=timeout)
    if ended:
        raise ToolFailed(argv[0], ended)


def status(*argv: str, cwd: str = "", env: Env | None = None, stdin: Stdin = None, timeout: float = 0) -> int:
    """Run a program with our output; return its status, negative for a signal."""
    sink = log.current_sink()
    if sink is None:
        return _start(argv, cwd, env, stdin, 1, 2, timeout)
    with memory.file() as output:
        ended = _start(argv, cwd, env, stdin, output, output, timeout)
        sink.append((1, memory.content(output)))
    return ended


def capture(
    *argv: str,
    cwd: str = "",
    env: Env | None = None,
    stdin: Stdin = None,
    timeout: float = 0,
    show_errors: bool = True,
) -> str:
    """The stdout of a program. show_errors: its stderr is ours; else it becomes the text of ToolFailed."""
    output = capture_bytes(*argv, cwd=cwd, env=env, stdin=stdin, timeout=timeout, show_errors=show_errors)
    return output.decode("utf-8", "surrogateescape")


def capture_bytes(
    *argv: str,
    cwd: str = "",
    env: Env | None = None,
    stdin: Stdin = None,
    timeout: float = 0,
    show_errors: bool = True,
) -> bytes:
    """The stdout of a program, undecoded."""
    done = result(*argv, cwd=cwd, env=env, stdin=stdin, timeout=timeout)
    if show_errors and done.errors:
        log.raw(done.errors, 2)
    if done.status:
        text = "" if show_errors and done.errors else done.errors.decode("utf-8", "replace").strip()
        raise ToolFailed(argv[0], done.status, text)
    return done.output


def result(
    *argv: str, cwd: str = "", env: Env | None = None, stdin: Stdin = None, timeout: float = 0
) -> Result:
    """Everything a program returned, whatever its status."""
    with memory.file() as output, memory.file() as errors:
        ended = _start(argv, cwd, env, stdin, output, errors, timeout)
        return Result(ended, memory.content(output), memory.content(errors))


def succeeds(
    *argv: str, cwd: str = "", env: Env | None = None, stdin: Stdin = None, timeout: float = 0
) -> bool:
    """Whether a program returns 0; what it says is dropped."""
    with open(os.devnull, "wb") as nowhere:
        return _start(argv, cwd, env, stdin, nowhere.fileno(), nowhere.fileno(), timeout) == 0


def stream(
    *argv: str,
    each: Callable[[bytes], None],
    cwd: str = "",
    env: Env | None = None,
    stdin: Stdin = None,
    merged: bool = False,
    timeout: float = 0,
    complaints: Callable[[bytes], None] | None = None,
) -> None:
    """Run a program and hand over its stdout line by line (with line ends) as it comes; stderr is ours.

    merged: its stderr goes the same way. complaints: gets its stderr instead. timeout: seconds, 0 for none.
    Lines above 1 MiB come in parts. Both are called in threads that write where the caller does.
    Raises: ToolFailed with the program's status.
    """
    shown = complaints or (log.current_sink() is not None and (lambda line: log.raw(line, stream=2)))
    with contextlib.ExitStack() as pipes:
        out = pipes.enter_context(_lines_to(each))
        err = out if merged else pipes.enter_context(_lines_to(shown)) if shown else 2
        ended = _start(argv, cwd, env, stdin, out, err, timeout)
    if ended:
        raise ToolFailed(argv[0], ended)


@contextlib.contextmanager
def _lines_to(each: Callable[[bytes], None]) -> Iterator[int]:
    """A pipe's end to write to; what is written is handed over line by line, all of it by the block's end."""
    import threading

    sink = log.current_sink()
    reading, writing = os.pipe()

    def read() -> None:
        log.collect_into(sink)
        with os.fdopen(reading, "rb") as output:
            while line := output.readline(1024 * 1024):
                each(line)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield writing
    finally:
        os.close(writing)
        reader.join(timeout=10)


def end_all() -> None:
    """End the programs that other threads of this process have under way, and what is below them.

    Their callers see a failure, or Interrupted where a signal was passed on to them.
    """
    for process in [one for one in list(_running.values()) if one.is_alive()]:
        descendants.send(signal.SIGTERM, process.pid)


def become(*argv: str, env: Env | None = None) -> None:
    """Replace this process by a program, which inherits every open file not marked otherwise."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python's own choice would stay with it
    os.execvpe(argv[0], list(argv), _environment(env))


def _start(
    argv: tuple[str, ...], cwd: str, env: Env | None, stdin: Stdin, stdout: int, stderr: int, timeout: float
) -> int:
    for word in argv:
        if "\0" in word or not _is_text(word):
            raise DokkuError(f"Invalid value for {os.path.basename(argv[0])}: {word!a}")
    log.debug(f"{os.path.basename(argv[0])} {argv[1] if len(argv) > 1 else ''} ({len(argv)} words)")
    with _input(stdin) as source:
        return _spawn(list(argv), cwd, _environment(env), source, stdout, stderr, timeout)


def _spawn(
    argv: list[str], cwd: str, env: dict[str, str], stdin: int, stdout: int, stderr: int, timeout: float
) -> int:
    """Start a program on three open files, wait for it, return its status (negative: killed by a signal).

    Raises: DokkuError when there is no such program, or it outlives its timeout.
    """
    import sh  # 100 ms

    process: Any = None
    signals.heed()
    try:
        with signals.deferred() as alone:  # a signal between the fork and here would leave it running
            process = _started(argv, cwd, env, alone, stdin, stdout, stderr)
            _running[id(process)] = process
        process.wait(timeout=pidfd.left_to_wait(process.pid, timeout))
        signals.heed()
    except sh.TimeoutException:
        _stop(process)
        raise DokkuError(f"{os.path.basename(argv[0])} did not finish within {timeout:g} seconds") from None
    except BaseException:
        if process is not None:
            _stop(process)
        raise
    finally:
        _running.pop(id(process), None)
    return int(process.exit_code)


def _started(argv: list[str], cwd: str, env: dict[str, str], alone: bool, *streams: int) -> Any:
    """What sh knows of the program it has just started. alone: out of reach of our terminal's signals."""
    import sh

    program = shutil.which(argv[0], path=env.get("PATH"))
    if program is None:
        raise DokkuError(f"{argv[0]} not found", exit_code=127 if "/" in argv[0] else 1)
    how: dict[str, Any] = dict(zip(("_in", "_out", "_err"), streams, strict=True), _new_session=alone)
    how |= {"_bg": True, "_bg_exc": False, "_ok_code": tuple(range(-64, 256))}
    if not os.isatty(how["_out"]):  # sh refuses to hear about a terminal where there is one
        how["_tty_out"] = False
    try:
        return sh.Command(program)(*argv[1:], _env=env, _cwd=cwd or None, _preexec_fn=_default_signals, **how)
    except sh.ForkException:  # say, a script whose first line names no program
        raise DokkuError(f"{argv[0]} cannot be run", exit_code=126) from None


def _stop(process: Any) -> None:
    """End a program that is no longer wanted, and all it has under way: TERM, ten seconds, KILL."""
    import sh

    for number, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        if process.is_alive():  # else its pid may be somebody else's
            descendants.send(number, process.pid)
        with contextlib.suppress(sh.TimeoutException):
            process.wait(timeout=patience)
            return


def _default_signals() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _environment(change: Env | None) -> dict[str, str]:
    merged: dict[str, str | None] = dict(os.environ)
    merged.update(change or {})
    return {name: value for name, value in merged.items() if value is not None}


def _is_text(word: str) -> bool:
    try:
        word.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


@contextlib.contextmanager
def _input(stdin: Stdin) -> Iterator[int]:
    if stdin is None:
        with open(os.devnull, "rb") as nothing:
            yield nothing.fileno()
    elif isinstance(stdin, int):
        yield stdin
    elif isinstance(stdin, bytes):
        with memory.file(stdin) as source:
            yield source
    else:
        yield stdin.fileno()
