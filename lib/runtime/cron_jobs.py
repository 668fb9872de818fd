"""Scheduled jobs: the cron entries of an app's app.json, and running one of them.

A job's id is made of its command and its schedule: it stays when the app is deployed again or renamed.
Source: dokku v0.24.0 and 0.38 plugins/cron. Departures: seconds, `L`, `#` and intervals that no table of cron
can say are refused, and of `@every` what cron can say is translated.
"""

import hashlib
import re
import shlex
from typing import NamedTuple

from lib.app import app_json, apps, options
from lib.base import files, log, properties, settings
from lib.base.errors import DokkuError
from lib.base.values import printable
from lib.runtime import one_off

PLUGIN = "cron"
MOST = 100  # entries of an app: Debian's cron reads no table of more than 10000 lines
LONGEST = 200  # characters of a schedule
MAINTENANCE = "maintenance"  # property of an app or of all; `maintenance.ID` is a job's own

_ASK = "Please specify a Cron ID from the output of 'dokku cron:list {app}'"
_DESCRIPTORS = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_DURATION = re.compile(r"(?:([0-9]{1,4})h)?(?:([0-9]{1,4})m)?(?:0+s)?", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_TERM = re.compile(r"(?:\*|([0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?)(?:/([0-9]{1,4}))?", re.ASCII)
_told: set[str] = set()  # commands that this process has warned of


class Job(NamedTuple):
    """schedule: as the app says it. policy: allow, forbid or replace. is_suspended: not on schedule."""

    app: str
    id: str
    command: str
    schedule: str
    policy: str
    is_suspended: bool


def jobs(app: str) -> list[Job]:
    """An app's jobs in the order of its app.json, equal ones once. Raises: DokkuError for a broken file."""
    return _jobs_of(app, app_json.cron(app))


def of_all() -> list[Job]:
    """The jobs of every app; one whose file is broken is named in a warning."""
    found = []
    for app in apps.names():
        try:
            found += jobs(app)
        except DokkuError as error:
            log.warn(f"Skipping the cron tasks of {app}: {error}")
    return found


def find(app: str, id_: str) -> Job:
    """The job of that id. Raises: DokkuError when the app has none."""
    apps.verify_app_name(app)
    if not id_:
        raise DokkuError(_ASK.format(app=app))
    for job in jobs(app):
        if job.id == id_:
            return job
    raise DokkuError(f"No matching Cron ID found. {_ASK.format(app=app)}")


def verify(tasks: list[app_json.CronTask]) -> None:
    """Raises: DokkuError for the first that could not be run, or not at such times, and for too many."""
    if len(tasks) > MOST:
        raise DokkuError(f"Cannot parse app.json: cron has {len(tasks)} entries, at most {MOST} are taken")
    for number, task in enumerate(tasks):
        try:
            line(task.schedule)
            words(task.command)
            _warn_if_for_a_shell(number, task.command)
        except DokkuError as error:
            raise DokkuError(f"Cannot parse app.json: cron[{number}]: {error}") from None


def _warn_if_for_a_shell(number: int, command: str) -> None:
    mark = options.for_a_shell(command)
    if mark and command not in _told:
        _told.add(command)
        log.warn(
            f"app.json: cron[{number}]: no shell reads the command, {mark} is an argument: use sh -c '...'"
        )


def words(command: str) -> list[str]:
    """A command as a program and its arguments: quotes count, and nothing is expanded."""
    try:
        found = shlex.split(command)
    except ValueError:
        raise DokkuError(f"command {printable(command)} has a quote without its end") from None
    if not found or "\0" in command:
        raise DokkuError("command is empty" if not found else "command has a NUL")
    return found


def line(schedule: str) -> str:
    """A schedule as every cron reads it, of digits, `*`, `,`, `-` and `/`, or an @name.

    Raises: DokkuError when it is none.
    """
    if len(schedule) > LONGEST:
        raise DokkuError(f"invalid schedule {printable(schedule[:20])}...: more than {LONGEST} characters")
    fields = schedule.split()
    try:
        if len(fields) == 1 and fields[0] in _DESCRIPTORS:
            return fields[0]
        if len(fields) == 2 and fields[0] == "@every":
            return _every(fields[1])
        if len(fields) != len(_FIELDS):
            raise DokkuError(f"expected exactly 5 fields, found {len(fields)}")
        return _verified(" ".join(map(_field, range(5), fields)))
    except DokkuError as error:
        raise DokkuError(f"invalid schedule {printable(schedule)}: {error}") from None


def run(app: str, id_: str, detach: bool = False, ttl: str = "") -> None:
    """Run a job now, in a container of its own, as its policy allows. Status and streams are the program's.

    Raises: DokkuError when the policy is forbid and it is running; without a word where cron would mail it.
    """
    job = find(app, id_)
    one_off.request(
        app, words(job.command), detach=detach, cron_id=id_, ttl=ttl, no_terminal=True, policy=job.policy
    )


def forget(app: str) -> None:
    """Drop what is kept outside the app's directory."""
    files.remove(settings.data(PLUGIN, app))


def _jobs_of(app: str, tasks: list[app_json.CronTask]) -> list[Job]:
    everything = any(properties.get(PLUGIN, who, MAINTENANCE) == "true" for who in (app, properties.GLOBAL))
    found: dict[str, Job] = {}
    for task in tasks:
        id_ = _id(task)
        own = properties.get(PLUGIN, app, f"{MAINTENANCE}.{id_}")
        suspended = everything or (own == "true" if own else task.is_in_maintenance)
        found.setdefault(id_, Job(app, id_, task.command, task.schedule, task.policy, suspended))
    return list(found.values())


def _id(task: app_json.CronTask) -> str:
    """25 small letters and digits."""
    text = f"{task.command}==={task.schedule}".encode("utf-8", "surrogateescape")
    number = int.from_bytes(hashlib.sha256(text).digest(), "big")
    digits = []
    for _ in range(25):
        number, digit = divmod(number, 36)
        digits.append(_DIGITS[digit])
    return "".join(digits)


def _field(index: int, text: str) -> str:
    return ",".join(_term(index, term) for term in ("*" if text == "?" else text.lower()).split(","))


def _term(index: int, text: str) -> str:
    """`5/15` is 5-59/15: to cron it is 5. A step that is too long for its field leaves the first value."""
    low, high = _FIELDS[index]
    match = _TERM.fullmatch(text)
    if match is None:
        raise DokkuError(f"{text} can't be understood")
    first, last = (_number(index, word) if word else "" for word in match.group(1, 2))
    step = int(match[3] or 1)
    if match[3] and step > high - low:
        return first or str(low)
    range_ = f"{first}-{last or high}" if first and (last or match[3]) else first or "*"
    return f"{range_}/{step}" if match[3] else range_


def _number(index: int, word: str) -> str:
    names: tuple[str, ...] = {3: _MONTHS, 4: _DAYS}.get(index, ())
    if word in names:
        return str(names.index(word) + (index == 3))
    if not word.isdigit():
        raise DokkuError(f"{word} can't be understood")
    return str(int(word))


def _verified(fields: str) -> str:
    import datetime

    import cronsim

    minute, hour, day, month, weekday = fields.split()
    try:  # a day that no month has, as 31 2, is never: cron takes it too
        cronsim.CronSim(f"{minute} {hour} {day} * {weekday}", datetime.datetime(2024, 1, 1))
        cronsim.CronSim(f"* * * {month} *", datetime.datetime(2024, 1, 1))
    except cronsim.CronSimError as error:
        raise DokkuError(str(error).lower()) from None
    return fields


def _every(text: str) -> str:
    """`@every 15m` and `@every 6h`: what divides an hour or a day."""
    match = _DURATION.fullmatch(text)
    minutes = int(match[1] or 0) * 60 + int(match[2] or 0) if match else 0
    if minutes and 60 % minutes == 0:
        return f"*/{minutes} * * * *" if minutes < 60 else "0 * * * *"
    if minutes and minutes % 60 == 0 and 1440 % minutes == 0:
        return f"0 */{minutes // 60} * * *" if minutes < 1440 else "0 0 * * *"
    raise DokkuError("no number of minutes that divides an hour or a day")
