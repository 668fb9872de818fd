"""Process types: what the Procfile starts, and how many of each an app wants.

The Procfile is data/ps/APP/Procfile, a copy of the deployed image's. The counts are lines PROCESS=COUNT in
DOKKU_SCALE, which people edit; DOKKU_SCALE.extracted beside it says that the app's source rules them.
Source: dokku v0.24.0 plugins/ps.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Sequence

from lib.app import app_json, options
from lib.base import files, log, properties, settings, values
from lib.base.errors import DokkuError

MOST = 1000  # a docker bridge has room for 1023 containers
DEFAULT_POLICY = "on-failure:10"

_ENTRY = re.compile(r"([A-Za-z0-9_-]+)\s*:\s*(.+)")
_COMMENT_AFTER = re.compile(r"(.*)\s(?:#|//).+")
_PORT = re.compile(r"\$(?:PORT\b|\{PORT\})")
_POLICY = re.compile(r"no|always|unless-stopped|on-failure(:[0-9]{1,9})?", re.ASCII)


def wanted(app: str) -> list[tuple[str, int]]:
    """Pairs of process and count, web first; without the types that the Procfile has no longer."""
    known = procfile(app)
    kept = {
        process: count
        for process, count in counts(app).items()
        if not known or process in known or process == "web"
    }
    return sorted(kept.items(), key=lambda pair: (pair[0] != "web", pair[0]))


def counts(app: str) -> dict[str, int]:
    """How many of each type the app is to have: of every type in DOKKU_SCALE and in the Procfile."""
    text = files.read(scale_path(app)) or "\n".join(properties.get_list("ps", app, "scale"))
    found = parse_scale(text)
    if not found and (text.strip() or os.path.exists(scale_path(app))):  # empty is what a crash leaves
        log.warn("No valid entries found in scale file, defaulting to web=1")
    if not found:
        found = {"web": 1}
    return {**dict.fromkeys(procfile(app), 0), **found}


def set_counts(app: str, changes: dict[str, int]) -> None:
    """Change the counts of some types and write all of them down."""
    with files.locked(scale_path(app)):
        new = {**counts(app), **changes}
        files.replace_lines(scale_path(app), [f"{process}={count}" for process, count in new.items()])


def is_scalable(app: str) -> bool:
    """Whether people may change the counts: not when the app's source says them."""
    return not os.path.exists(frozen_path(app))


def verify_counts(app: str, words: Sequence[str]) -> dict[str, int]:
    """What `web=2 worker=1` says. Raises: DokkuError for a bad count or a type the Procfile lacks."""
    if not is_scalable(app) and app_json.quantities(app):
        raise DokkuError(
            f"App {app} contains an app.json file with a formations key and cannot be manually scaled"
        )
    if not is_scalable(app):
        raise DokkuError(f"App {app} contains DOKKU_SCALE file and cannot be manually scaled")
    known = procfile(app)
    changes = {}
    for word in words:
        process, has_count, count = word.partition("=")
        if not has_count or not count:
            raise DokkuError(f"Missing count for process type {values.printable(process)}")
        number = values.number(count, 0, f"Invalid count for process type {values.printable(process)}")
        if number > MOST:
            raise DokkuError(f"Invalid count for process type {values.printable(process)}")
        if not values.is_process(process) or (number and known and process not in known):
            raise DokkuError(f"{values.printable(process)} is not a valid process name to scale up")
        changes[process] = number
    return changes


def command(app: str, process: str, port: str = "5000") -> str:
    """The command line of a type with $PORT filled in; empty when the Procfile has none."""
    return _with_port(procfile(app).get(process, ""), port)


def command_in(text: str, process: str, port: str = "5000") -> str:
    """The same, of a Procfile that is not the app's yet."""
    return _with_port(parse_procfile(text).get(process, ""), port)


def procfile(app: str) -> dict[str, str]:
    """The deployed Procfile: command line by type. Empty when there is none."""
    return parse_procfile(files.read(procfile_path(app)))


def parse_procfile(text: str) -> dict[str, str]:
    """Command line by type, in order. Raises: DokkuError naming the line and the reason.

    Source: procfile-util's parser, comments after a command included.
    """
    found: dict[str, str] = {}
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line.startswith(("#", "//")):
            continue
        entry = _ENTRY.fullmatch(line)
        process, words = (entry[1], entry[2]) if entry else ("", "")
        comment = _COMMENT_AFTER.fullmatch(words)
        command = (comment[1] if comment else words).strip()
        reason = _problem(line, process, command, found)
        if reason:
            raise DokkuError(f"Invalid Procfile: line {number}: {reason}")
        found[process] = command
    return found


def _problem(line: str, process: str, command: str, known: dict[str, str]) -> str:
    """Why a line of a Procfile is none; empty when it is one."""
    if values.has_control_characters(line.replace("\t", " ")):
        return "it has a control character"
    if not process:
        shown = values.printable(line[:60])
        return f"expected TYPE: COMMAND, found {shown}" if ":" in line else f"there is no colon in {shown}"
    if not values.is_process(process):
        return f"{process} is no process type"
    if process in known:
        return f"{process} is there twice, process names must be unique"
    return "a comment in place of a command" if not command or command.startswith(("#", "//")) else ""


def warn_if_for_a_shell(app: str) -> None:
    """Tell which commands of the Procfile have what a shell would read, for an image where none does."""
    for process, command in procfile(app).items():
        mark = options.for_a_shell(command)
        if mark:
            log.warn(
                f"Procfile, {process}: no shell reads the command, {mark} is an argument: use sh -c '...'"
            )


def parse_scale(text: str) -> dict[str, int]:
    """Count by type. Lines that are no PROCESS=COUNT are skipped with a warning."""
    found = {}
    for number, line in enumerate(text.split("\n"), 1):
        entry = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
        if not entry:
            continue
        process, has_count, count = (part.strip() for part in entry.partition("="))
        if not has_count or not values.is_process(process):
            log.warn(f"Invalid scale entry on line {number}, skipping")
        elif not values.is_number(count) or not 0 <= int(count) <= MOST:
            log.warn(f"Invalid count on line {number}, skipping")
        else:
            found[process] = int(count)
    return found


def adopt_files(app: str, procfile_text: str | None, scale: str | None) -> None:
    """Take over what a new image holds: its Procfile and its DOKKU_SCALE; None when it has none.

    The counts in app.json, if there are any, rule over that scale file.
    Raises: DokkuError for a bad Procfile or a count too high; nothing is changed then.
    """
    wanted_counts = app_json.quantities(app)
    for process, count in wanted_counts.items():
        if count > MOST:
            raise DokkuError(f"app.json: formation.{process}.quantity is more than {MOST}")
    log.info1("No Procfile found in app image" if procfile_text is None else "App Procfile file found")
    adopt_procfile(app, procfile_text)
    if wanted_counts:
        pairs = {"web": 1, **wanted_counts}.items()
        _freeze(app, "".join(f"{process}={count}\n" for process, count in pairs))
    elif scale is None:
        log.info1("DOKKU_SCALE file not found in app image. Generating one based on Procfile...")
        files.remove(frozen_path(app))
        set_counts(app, {})
    else:
        log.info1("DOKKU_SCALE file exists")
        _freeze(app, scale)
    for process in sorted(counts(app).keys() - dict(wanted(app)).keys()):
        if counts(app)[process]:
            log.warn(f"{process} is no longer in the Procfile and will not be started")


def _freeze(app: str, scale: str) -> None:
    files.replace(scale_path(app), scale)
    files.replace(frozen_path(app), scale)


def adopt_procfile(app: str, text: str | None) -> None:
    """Keep a Procfile, or (None) drop the last one. Raises: DokkuError for a bad one; the last one stays."""
    parse_procfile(text or "")
    if text is None:
        files.remove(procfile_path(app))
    else:
        files.replace(procfile_path(app), text, mode=0o644)


@contextlib.contextmanager
def restored_on_failure(app: str, unless: Callable[[], bool]) -> Iterator[None]:
    """When the block fails, Procfile and counts are again those of the version that serves.

    Counts of people's own stay as they are by then. unless: whether the new version serves all the same.
    """
    before = [files.read(path, "\0") for path in (procfile_path(app), scale_path(app), frozen_path(app))]
    try:
        yield
    except BaseException:
        if not unless():
            _put_back(app, *before)
        raise


def _put_back(app: str, procfile_text: str, scale: str, frozen: str) -> None:
    """A text of NUL stands for no file."""
    is_peoples = frozen == "\0" and is_scalable(app)
    _restore(procfile_path(app), procfile_text, mode=0o644)
    _restore(frozen_path(app), frozen)
    with files.locked(scale_path(app)):
        known = parse_scale(scale.strip("\0"))
        held = parse_scale(files.read(scale_path(app)))
        if not is_peoples or known == {key: count for key, count in held.items() if count or key in known}:
            _restore(scale_path(app), scale)


def _restore(path: str, text: str, mode: int = 0o600) -> None:
    if text == "\0":
        files.remove(path)
    elif files.read(path, "\0") != text:
        files.replace(path, text, mode)


def set_up(app: str) -> None:
    """What a new app starts with: one web process, restarted when it fails."""
    files.make_directory(settings.data("ps", app))
    options.add(app, ["deploy"], f"--restart={DEFAULT_POLICY}")
    set_counts(app, {})


def restart_policy(app: str) -> str:
    """Docker's restart policy for the app's containers; empty when its options name none."""
    for line in options.lines(app, "deploy"):
        if line.startswith("--restart="):
            return line.removeprefix("--restart=")
    return ""


def set_restart_policy(app: str, policy: str) -> None:
    """Raises: DokkuError for what docker does not know as one."""
    if not _POLICY.fullmatch(policy):
        raise DokkuError("Invalid restart-policy specified")
    options.replace_matching(app, "deploy", "--restart=", f"--restart={policy}")


def forget(app: str) -> None:
    """Drop what is kept outside the app's directory."""
    files.remove(settings.data("ps", app))


def scale_path(app: str) -> str:
    return os.path.join(settings.app_dir(app), "DOKKU_SCALE")


def frozen_path(app: str) -> str:
    return scale_path(app) + ".extracted"


def procfile_path(app: str) -> str:
    return os.path.join(settings.data("ps", app), "Procfile")


def _with_port(command: str, port: str) -> str:
    return _PORT.sub(lambda _: port, command)
