"""The system user's crontab: one block of it is ours, written whole; every other line stays as it is.

The block is made anew from what all apps say, under one lock, and the table is replaced only when that
changes it. With nothing to write and nothing written before, no program starts.
Source: dokku v0.24.0 plugins/cron/functions.go, which replaces the whole table.
"""

import base64
import binascii
import os
import re
import shlex
import shutil
from collections.abc import Collection, Iterator, Sequence

from lib.app import apps
from lib.base import files, log, properties, settings, triggers, values
from lib.base.errors import DokkuError, TriggerFailed
from lib.runtime import cron_jobs, schedulers
from lib.runtime.cron_jobs import PLUGIN
from lib.tools import crontab

MAILTO, MAILFROM = "mailto", "mailfrom"
_DEFAULTS = {"MAILFROM": "root", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
_OF_PLUGINS = ("PATH=/usr/local/bin:/usr/bin:/bin", "SHELL=/bin/bash")
_NOTE = "# Jobs of apps (cron:list). Whatever is written between these lines is lost."
_SHOWN = 200  # characters of a command in the comment above its job
_ASSIGNMENT = re.compile(r"\s*[\"']?(\w+)[\"']?\s*=")
_OF_024 = re.compile(r"(\S.*?) dokku --rm run --cron-id ([A-Za-z0-9+/=]+) (\S+) (.*)")


def write(without: str = "", always: bool = False) -> list[str]:
    """Let the crontab be what apps and plugins say; what could not be understood of that, a text each.

    without: an app that is going. always: look at the table also when nothing of ours should be there.
    Fires: cron-entries. Raises: DokkuError when the table can't be read or written.
    """
    with files.locked(_record()):
        entries, wrong = injected()
        ours = _lines(without, entries)
        known = files.read_lines(_record())
        if not (ours or known or always):
            return wrong
        user = settings.user() if os.geteuid() == 0 and settings.user() != "root" else ""
        before = crontab.read(user)
        after = placed(before, ours, settings.root(), settings.user(), known)
        if ours:
            files.replace_lines(_record(), [*dict.fromkeys([*known, *ours])])
        if after != before:
            _replace(after, user)
        if ours:
            files.replace_lines(_record(), ours)
        else:
            files.remove(_record())
        return wrong


def write_all() -> None:
    """As `write`, for who cannot be failed by what others say: that becomes warnings."""
    for text in write():
        log.warn(text)


def injected() -> tuple[list[tuple[str, str, str]], list[str]]:
    """What plugins want to be run, (schedule, command, log file or empty), and why the rest can't be.

    The renewal of certificates is among it, as it was when that was a plugin.
    """
    found, wrong = [], []
    answers = triggers.poll("cron-entries", schedulers.DOCKER_LOCAL, may_decline=True)
    if answers and answers[-1].status:
        raise TriggerFailed("cron-entries", answers[-1].plugin, answers[-1].status)
    for entry in filter(None, "".join(answer.said for answer in answers).split("\n")):
        schedule, _, rest = entry.partition(";")
        command, _, log_file = (word.strip() for word in rest.partition(";"))
        try:
            if not command or ";" in log_file or values.has_control_characters(entry):
                raise DokkuError("expected SCHEDULE;COMMAND[;LOGFILE]")
            found.append((cron_jobs.line(schedule), command, log_file))
        except DokkuError:
            wrong.append(f"Invalid injected cron task: {values.printable(entry)}")
    return found, wrong


def placed(table: str, ours: Sequence[str], root: str, user: str, known: Collection[str] = ()) -> str:
    """A table with these lines as the block of the installation at root, or without one if there are none.

    user: whose table. known: lines of a block whose end somebody has removed. Lines of dokku 0.24 go: what
    they ran is in the block now.
    """
    foreign: list[str] = []
    at = -1
    for text in _outside(table, _marks(root), known):
        if text is None:
            at = len(foreign) if at < 0 else at
        elif not _is_of_024(text):
            foreign.append(text if text.endswith("\n") else f"{text}\n")
    at = len(foreign) if at < 0 else at
    if "".join(foreign).rstrip("\n") == table.rstrip("\n") and not ours:
        return table
    return "".join([*foreign[:at], *_block(ours, foreign[:at], root, user), *foreign[at:]])


def program() -> str:
    """How the table calls us: nothing in it is for a shell to find or to understand."""
    path = os.environ.get("DOKKU_PROGRAM") or shutil.which("dokku") or "/usr/bin/dokku"
    return shlex.quote(path).replace("%", "\\%")


def _lines(without: str, entries: Sequence[tuple[str, str, str]]) -> list[str]:
    found: list[str] = []
    for app in apps.names():
        if app == without or not apps.is_deployed(app) or schedulers.selected(app) != schedulers.DOCKER_LOCAL:
            continue
        try:
            mine = [
                text
                for job in cron_jobs.jobs(app)
                if not job.is_suspended
                for text in (
                    f"# {app}: {values.printable(job.command)[:_SHOWN]}",
                    f"{cron_jobs.line(job.schedule)} {program()} --quiet cron:run {app} {job.id}",
                )
            ]
        except DokkuError as error:  # one app's file is no reason to stop the jobs of others
            log.warn(f"Skipping the cron tasks of {app}: {error}")
            continue
        found += [*_mail(app), *mine] if mine else []
    if entries:
        found += [*_mail(properties.GLOBAL), *_OF_PLUGINS]
    for schedule, command, log_file in entries:
        found.append(f"{schedule} {command} &>> {log_file}" if log_file else f"{schedule} {command}")
    return found


def _mail(app: str) -> list[str]:
    """Who gets the mail of an app's jobs, and from whom, in two lines; `*` stands for what held before."""
    kept = []
    for key in (MAILFROM, MAILTO):
        general = properties.get(PLUGIN, properties.GLOBAL, key)
        kept.append(f"{key.upper()}={properties.get(PLUGIN, app, key) or general or '*'}")
    return kept


def _block(ours: Sequence[str], above: Sequence[str], root: str, user: str) -> list[str]:
    """The block's lines. What a line above it has set holds below it again."""
    if not ours:
        return []
    begin, end = _marks(root)
    outside = {name: f"{name}={value}" for name, value in (*_DEFAULTS.items(), ("MAILTO", user))}
    for text in above:
        match = _ASSIGNMENT.match(text)
        if match and match[1] in outside:
            outside[match[1]] = text.strip()
    current = dict(outside)
    lines = []
    for text in ours:
        match = _ASSIGNMENT.match(text)
        if match is None:
            lines.append(text)
            continue
        wanted = outside[match[1]] if text.endswith("=*") else text
        if current[match[1]] != wanted:
            lines.append(wanted)
        current[match[1]] = wanted
    lines += [text for name, text in outside.items() if current[name] != text]
    return [f"{text}\n" for text in (begin, _NOTE, *lines, end)]


def _outside(table: str, marks: tuple[str, str], known: Collection[str]) -> Iterator[str | None]:
    """The lines of others with their line ends, and None where a block of ours was."""
    begin, end = marks
    lines = re.findall(r"[^\n]*\n|[^\n]+", table)
    bare = [text.rstrip("\r\n") for text in lines]
    number, is_open = 0, False
    while number < len(lines):
        if bare[number] == begin:
            yield None
            stops = [n for n in range(number + 1, len(lines)) if bare[n] in marks]
            is_open = not stops or bare[stops[0]] != end
            number = number + 1 if is_open else stops[0] + 1
            continue
        if bare[number] != end and not (is_open and (bare[number] == _NOTE or bare[number].strip() in known)):
            yield lines[number]
        number += 1


def _marks(root: str) -> tuple[str, str]:
    place = values.printable(root)
    return f"# BEGIN dokku {place}", f"# END dokku {place}"


def _is_of_024(text: str) -> bool:
    """Whether dokku 0.24 wrote a line: its id is made of the app, the command and the schedule beside it."""
    match = _OF_024.fullmatch(text.rstrip("\n"))
    if match is None:
        return False
    try:
        said = base64.b64decode(match[2], validate=True).decode("utf-8", "surrogateescape")
    except (ValueError, binascii.Error):
        return False
    return said == f"{match[3]}==={match[4]}==={match[1]}"


def _replace(table: str, user: str) -> None:
    if table:
        crontab.replace(table, user)
        log.info1_quiet("Updated schedule file")
    else:
        crontab.remove(user)
        log.info1_quiet("Removed")


def _record() -> str:
    """A file with the lines of our block; there is one as long as there may be a block."""
    return os.path.join(settings.data(PLUGIN), ".installed")
