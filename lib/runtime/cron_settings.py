"""cron:list, cron:report, cron:set, and which jobs are suspended.

Source: dokku v0.24.0 plugins/cron (list, and the count of the report); the rest is 0.38's.
"""

import re

from lib.app import apps
from lib.base import log, properties
from lib.base.errors import DokkuError
from lib.base.report import Row
from lib.runtime import cron_jobs, cron_table
from lib.runtime.cron_jobs import MAINTENANCE, PLUGIN, Job
from lib.runtime.cron_table import MAILFROM, MAILTO

PROPERTIES = (MAILFROM, MAILTO, MAINTENANCE)
_ADDRESS = re.compile(r"[A-Za-z0-9_@][A-Za-z0-9@!:%.,_+=/-]{0,899}", re.ASCII)  # as Debian's cron takes them


def list_(found: list[Job], shape: str, with_app: bool = False) -> None:
    """Print jobs as a table, which ends in the command, or as an array of objects."""
    _verify_shape(shape)
    if shape == "json":
        _print_json([as_json(job) for job in found])
        return
    cells = [(job.app, job.id, job.schedule, job.command) for job in found]
    rows_ = [("App", "ID", "Schedule", "Command"), *(tuple(map(_in_one_line, row)) for row in cells)]
    log.columns(rows_ if with_app else [row[1:] for row in rows_])
    for job in found:
        if job.is_suspended:
            log.warn(f"{job.id} of {job.app} is suspended")


def list_injected(shape: str) -> None:
    """Print what plugins have run."""
    _verify_shape(shape)
    entries, wrong = cron_table.injected()
    if shape == "json":
        names = ("schedule", "command", "log_file")
        _print_json([{"global": True, **dict(zip(names, entry, strict=True))} for entry in entries])
    else:
        log.columns([("Schedule", "Command"), *(entry[:2] for entry in entries)])
    for text in wrong:
        log.warn(text)


def as_json(job: Job) -> dict[str, object]:
    """A job as programs get it."""
    return {
        "id": job.id,
        "app": job.app,
        "command": job.command,
        "schedule": job.schedule,
        "concurrency_policy": job.policy,
        "maintenance": job.is_suspended,
        "global": False,
    }


def set_(app: str, key: str, value: str) -> None:
    """Set a property of an app (or GLOBAL: of all); without a value, unset it. The crontab follows.

    Raises: DokkuError for an unknown property, or a value it can't have.
    """
    if not key:
        raise DokkuError("No property specified")
    if key not in PROPERTIES:
        raise DokkuError(f"Invalid property specified, valid properties include: {', '.join(PROPERTIES)}")
    if key == MAINTENANCE and value not in ("", "true", "false"):
        raise DokkuError(f"Invalid {key} specified, it must be true or false")
    if key != MAINTENANCE and value and not _ADDRESS.fullmatch(value):
        raise DokkuError(f"Invalid {key} specified")
    if value:
        log.info2_quiet(f"Setting {key} to {value}")
        properties.write(PLUGIN, app, key, value)
    else:
        log.info2_quiet(f"Unsetting {key}")
        properties.delete(PLUGIN, app, key)
    cron_table.write_all()


def suspend(app: str, id_: str) -> None:
    """Have a job no longer run on schedule, also by later versions of the app."""
    _decide(app, id_, "true", "Suspended")


def resume(app: str, id_: str) -> None:
    """Have a job run on schedule again, whatever app.json says of it."""
    _decide(app, id_, "false", "Resumed")


def effective(app: str, key: str) -> str:
    """A property as it counts for an app. Maintenance of all cannot be taken back by one app."""
    own, general = (properties.get(PLUGIN, who, key) for who in (app, properties.GLOBAL))
    if key == MAINTENANCE:
        return "true" if "true" in (own, general) else "false"
    return own or general


def rows(app: str) -> list[Row]:
    """The rows of cron:report; all but the count are later than 0.24."""
    own = [Row(f"--cron-{key}", properties.get(PLUGIN, app, key), newer=True) for key in PROPERTIES]
    return [Row("--cron-task-count", _count(app)), *own, *general_rows(app)]


def general_rows(app: str = properties.GLOBAL) -> list[Row]:
    """What the report knows without an app."""
    is_newer = app != properties.GLOBAL
    found = []
    for key in PROPERTIES:
        found.append(Row(f"--cron-computed-{key}", effective(app, key), is_newer))
        general = properties.get(PLUGIN, properties.GLOBAL, key)
        found.append(Row(f"--cron-global-{key}", general, is_newer))
    return found


def _count(app: str) -> str:
    try:
        return str(len(cron_jobs.jobs(app)))
    except DokkuError as error:  # one broken file must not end the report on all apps
        log.warn(f"{app}: {error}")
        return ""


def _decide(app: str, id_: str, value: str, done: str) -> None:
    job = cron_jobs.find(app, id_)
    properties.write(PLUGIN, app, f"{MAINTENANCE}.{job.id}", value)
    log.info1_quiet(f"{done} cron task {job.id} of {apps.verify_app_name(app)}")
    if value == "false" and effective(app, MAINTENANCE) == "true":
        log.warn("It does not run before maintenance ends, see cron:report")
    cron_table.write_all()


def _verify_shape(shape: str) -> None:
    if shape not in ("stdout", "json"):
        raise DokkuError(f"Invalid output format specified, supported formats: json, stdout: {shape}")


def _print_json(found: list[dict[str, object]]) -> None:
    import json

    log.plain(json.dumps(found, ensure_ascii=False))


def _in_one_line(text: str) -> str:
    return " ".join(text.split())
