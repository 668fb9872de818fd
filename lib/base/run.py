"""Starting other programs: the one door to `sh`, which is loaded when the first program starts.

Always a list of words, never a shell. A program gets our own stdout and stderr, an empty stdin unless one is
given, and of our environment what it has a use for. `_spawn` is the one seam that unit tests replace.
"""

import contextlib
import errno
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from typing import IO, Any, NamedTuple, TypedDict, Unpack

from lib.base import descendants, environment, log, memory, outputs, signals, stalls
from lib.base.environment import Env as Env
from lib.base.errors import DokkuError, OutputTooLarge, ToolFailed

Stdin = bytes | int | IO[bytes] | None
INHERIT = 0  # as stdin: our own
_running: dict[int, Any] = {}  # what `_spawn` waits for, in any thread


class Result(NamedTuple):
    """What a program returned: its status (negative for a signal), its stdout and its stderr."""

    status: int
    output: bytes
    errors: bytes


class How(TypedDict, total=False):
    """env: what differs from `environment.given`. stdin: empty if not given. timeout: seconds, 0 for none.

    stall: seconds in which the program has to get on, 0 for any; for one that receives something.
    """

    cwd: str
    env: Env | None
    stdin: Stdin
    timeout: float
    stall: float


class Limits(How, total=False):
    """most: bytes that a program may write to stdout, and to stderr; it is killed beyond that."""

    most: int


def run(*argv: str, **how: Unpack[How]) -> None:
    """Run a program for its effect and its output.

    env: what differs from `environment.given`. stdin: bytes, an open file, or INHERIT. timeout: seconds,
    0 for none. Raises: ToolFailed with the program's status.
    """
    ended = status(*argv, **how)
    if ended:
        raise ToolFailed(argv[0], ended)


def status(*argv: str, **how: Unpack[How]) -> int:
    """Run a program with our output; return its status, negative for a signal."""
    sink = log.current_sink()
    if sink is None:
        return _start(argv, 1, 2, **how)
    said: list[bytes] = []
    try:
        with _taken(argv, outputs.MOST, said.append) as output:
            return _start(argv, output, output, **how)
    finally:
        sink.append((1, b"".join(said)))


def capture(*argv: str, show_errors: bool = True, **how: Unpack[Limits]) -> str:
    """The stdout of a program. show_errors: its stderr is ours; else it becomes the text of ToolFailed."""
    output = capture_bytes(*argv, show_errors=show_errors, **how)
    return output.decode("utf-8", "surrogateescape")


def capture_bytes(*argv: str, show_errors: bool = True, **how: Unpack[Limits]) -> bytes:
    """The stdout of a program, undecoded."""
    done = result(*argv, **how)
    if show_errors and done.errors:
        log.raw(done.errors, 2)
    if done.status:
        text = "" if show_errors and done.errors else done.errors.decode("utf-8", "replace").strip()
        raise ToolFailed(argv[0], done.status, text)
    return done.output


def result(*argv: str, most: int = outputs.MOST, **how: Unpack[How]) -> Result:
    """Everything a program returned, whatever its status; of its stderr the end, where that is long.

    Raises: OutputTooLarge, or Transient when it does not get on; it has been killed then.
    """
    output: list[bytes] = []
    errors = bytearray()
    with _taken(argv, most, output.append) as out, _taken(argv, most, outputs.tail(errors)) as err:
        ended = _start(argv, out, err, **how)
    return Result(ended, b"".join(output), bytes(errors))


def succeeds(*argv: str, **how: Unpack[How]) -> bool:
    """Whether a program returns 0; what it says is dropped."""
    with open(os.devnull, "wb") as nowhere:
        return _start(argv, nowhere.fileno(), nowhere.fileno(), **how) == 0


def stream(
    *argv: str,
    each: outputs.Take,
    merged: bool = False,
    complaints: outputs.Take | None = None,
    most: int = 0,
    **how: Unpack[How],
) -> None:
    """Run a program and hand over its stdout line by line (with line ends) as it comes; stderr is ours.

    merged: its stderr goes the same way. complaints: gets its stderr instead. timeout: seconds, 0 for none.
    Lines above 1 MiB come in parts. most: bytes of either, 0 for any; what goes into our memory has a limit.
    Raises: ToolFailed with the program's status; OutputTooLarge.
    """
    is_kept = log.current_sink() is not None
    most = most or (outputs.MOST if is_kept else 0)
    shown = complaints or (is_kept and (lambda line: log.raw(line, stream=2)))
    with contextlib.ExitStack() as pipes:

        def lines_to(taker: outputs.Take) -> outputs.Pipe:
            return pipes.enter_context(_taken(argv, most, pipes.enter_context(outputs.lines(taker))))

        out = lines_to(each)
        err: outputs.Target = out if merged else lines_to(shown) if shown else 2
        ended = _start(argv, out, err, **how)
    if ended:
        raise ToolFailed(argv[0], ended)


def _taken(
    argv: tuple[str, ...], most: int, take: outputs.Take
) -> contextlib.AbstractContextManager[outputs.Pipe]:
    """A pipe for a program, which may write so many bytes there (0: any number)."""
    return outputs.pipe(outputs.limited(os.path.basename(argv[0]), most, take))


def end_all() -> None:
    """End the programs that other threads of this process have under way, and what is below them.

    Their callers see a failure, or Interrupted where a signal was passed on to them.
    """
    for process in [one for one in list(_running.values()) if one.is_alive()]:
        descendants.send(signal.SIGTERM, process.pid)


def become(*argv: str, env: Env | None = None) -> None:
    """Replace this process by a program, which inherits every open file not marked otherwise."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python's own choice would stay with it
    os.execvpe(argv[0], list(argv), environment.given(env))


def _start(
    argv: tuple[str, ...],
    stdout: outputs.Target,
    stderr: outputs.Target,
    *,
    cwd: str = "",
    env: Env | None = None,
    stdin: Stdin = None,
    timeout: float = 0,
    stall: float = 0,
) -> int:
    for word in argv:
        if "\0" in word or not _is_text(word):
            raise DokkuError(f"Invalid value for {os.path.basename(argv[0])}: {word!a}")
    log.debug(f"{os.path.basename(argv[0])} {argv[1] if len(argv) > 1 else ''} ({len(argv)} words)")
    with _input(stdin) as source:
        return _spawn(list(argv), cwd, environment.given(env), source, stdout, stderr, timeout, stall)


def _spawn(
    argv: list[str],
    cwd: str,
    env: dict[str, str],
    stdin: int,
    stdout: outputs.Target,
    stderr: outputs.Target,
    timeout: float,
    stall: float,
) -> int:
    """Start a program on three streams, wait for it, return its status (negative: killed by a signal).

    Raises: DokkuError when there is no such program, or it outlives its timeout; as `result`.
    """
    pipes = outputs.pipes(stdout, stderr)
    name = os.path.basename(argv[0])
    process: Any = None
    signals.heed()
    try:
        with signals.deferred() as alone:  # a signal between the fork and here would leave it running
            process = _started(argv, cwd, env, alone, stdin, *map(outputs.descriptor, (stdout, stderr)))
            _running[id(process)] = process
        watch = stalls.watch(name, process.pid, stall) if stall else None
        if not outputs.hand_over(process.pid, pipes, timeout, watch, stalls.every(stall)):
            raise DokkuError(f"{name} did not finish within {timeout:g} seconds")
        process.wait()
        signals.heed()
    except BaseException as error:
        if process is not None:
            _stop(process, pipes, is_patient=not isinstance(error, OutputTooLarge))
        raise
    finally:
        _running.pop(id(process), None)
    return int(process.exit_code)


def _started(argv: list[str], cwd: str, env: dict[str, str], alone: bool, *streams: int) -> Any:
    """What sh knows of the program it has just started. alone: out of reach of our terminal's signals."""
    import sh

    program = shutil.which(argv[0], path=env.get("PATH"))
    if program is None and os.path.isfile(argv[0]):
        raise DokkuError(f"{argv[0]} cannot be run", exit_code=126)
    if program is None:
        raise DokkuError(f"{argv[0]} not found", exit_code=127 if "/" in argv[0] else 1)
    how: dict[str, Any] = dict(zip(("_in", "_out", "_err"), streams, strict=True), _new_session=alone)
    how |= {"_bg": True, "_bg_exc": False, "_ok_code": tuple(range(-64, 256))}
    if not os.isatty(how["_out"]):  # sh refuses to hear about a terminal where there is one
        how["_tty_out"] = False
    try:
        return sh.Command(program)(*argv[1:], _env=env, _cwd=cwd or None, _preexec_fn=_default_signals, **how)
    except sh.ForkException as failure:  # say, a script whose first line names no program
        amount = f"{sum(map(len, (*argv, *env, *env.values())))} bytes of arguments and variables are more"
        # sh has the text of the traceback only
        reason = f": {amount} than the system passes on" if f"[Errno {errno.E2BIG}]" in str(failure) else ""
        raise DokkuError(f"{argv[0]} cannot be run{reason}", exit_code=126) from None


def _stop(process: Any, pipes: Sequence[outputs.Pipe], is_patient: bool) -> None:
    """End a program that is no longer wanted, and all it has under way: TERM, ten seconds, KILL.

    What it still says is dropped. is_patient: KILL at once otherwise.
    """
    dropping = [one._replace(take=lambda data: None) for one in pipes]
    for number in (signal.SIGTERM, signal.SIGKILL) if is_patient else (signal.SIGKILL,):
        if process.is_alive():  # else its pid may be somebody else's
            descendants.send(number, process.pid)
        if outputs.hand_over(process.pid, dropping, 10):
            process.wait()
            return


def _default_signals() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


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
