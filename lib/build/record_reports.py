"""builds:list, builds:report and builds:set."""

import time

from lib.base import log, properties, values
from lib.base.errors import DokkuError
from lib.base.report import Row
from lib.build import records
from lib.build.records import Record

PROPERTIES = ("keep",)
_HEADINGS = ("NUMBER", "REVISION", "BUILDER", "USER", "STARTED", "TIME", "OUTCOME")


def list_(app: str, shape: str) -> None:
    """Print an app's builds, the oldest first: a table or a JSON array."""
    if shape not in ("stdout", "json"):
        raise DokkuError(f"Invalid output format specified, supported formats: json, stdout: {shape}")
    found = records.all_(app)
    if shape == "json":
        import json

        log.plain(json.dumps([as_json(record) for record in found]))
        return
    log.info2_quiet(f"{app} builds")
    if not found:
        log.warn(f"App {app} has not been built yet")
        return
    log.columns([_HEADINGS, *(_cells(record) for record in found)])


def as_json(record: Record) -> dict[str, object]:
    """duration: seconds, null of a killed build, whose end nobody saw."""
    duration = _duration(record)
    return {
        "number": record.number,
        "revision": record.revision,
        "builder": record.builder,
        "user": record.user,
        "started": _moment(record.started),
        "ended": _moment(record.ended) if record.ended else "",
        "duration": None if duration < 0 else duration,
        "outcome": record.outcome,
    }


def rows(app: str) -> list[Row]:
    """What builds:report knows of an app."""
    last = next(reversed(records.all_(app)), None)
    return [
        Row("--builds-computed-keep", str(records.keep(app))),
        Row("--builds-global-keep", str(records.keep(properties.GLOBAL))),
        Row("--builds-keep", properties.get(records.PLUGIN, app, "keep")),
        Row("--builds-last-number", str(last.number) if last else ""),
        Row("--builds-last-outcome", last.outcome if last else ""),
    ]


def global_rows() -> list[Row]:
    """What builds:report knows of the host."""
    return [Row("--builds-global-keep", str(records.keep(properties.GLOBAL)))]


def set_(app: str, key: str, value: str) -> None:
    """Set or (no value) unset a property of an app or of --global. Raises: DokkuError for a bad one."""
    if not key:
        raise DokkuError("No property specified")
    if key not in PROPERTIES:
        raise DokkuError(f"Invalid property specified, valid properties include: {', '.join(PROPERTIES)}")
    if value and not records.is_count(value):
        raise DokkuError(f"Invalid value for {key}, it must be a number from 1 to {records.MOST}")
    properties.change(records.PLUGIN, app, key, value)


def _cells(record: Record) -> tuple[str, ...]:
    duration = _duration(record)
    return (
        str(record.number),
        record.revision[:8],
        record.builder or "-",
        values.printable(record.user),
        _moment(record.started),
        "-" if duration < 0 else f"{duration}s",
        record.outcome,
    )


def _duration(record: Record) -> int:
    if record.outcome == records.KILLED:
        return -1
    return max(0, (record.ended or int(time.time())) - record.started)


def _moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
