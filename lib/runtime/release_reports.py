"""releases:list, releases:info, releases:report and releases:set."""

import time

from lib.base import log, properties, values
from lib.base.errors import DokkuError
from lib.base.report import Row
from lib.runtime import release_records
from lib.runtime.release_records import Release

PROPERTIES = ("keep",)
_HEADINGS = ("RELEASE", "SERVES", "REVISION", "IMAGE", "SOURCE", "USER", "STARTED", "TIME", "OUTCOME")


def list_(app: str, shape: str) -> None:
    """Print an app's releases, the oldest first: a table or a JSON array."""
    _verify(shape)
    found = release_records.all_(app)
    now = release_records.serving(app, found)
    if shape == "json":
        import json

        log.plain(json.dumps([as_json(release, release == now) for release in found]))
        return
    log.info2_quiet(f"{app} releases")
    if not found:
        log.warn(f"App {app} has no releases yet")
        return
    log.columns([_HEADINGS, *(_cells(release, release == now) for release in found)])


def info(app: str, word: str, shape: str) -> None:
    """Print what is known of a release, the one that serves without a word; names of variables only."""
    _verify(shape)
    release = release_records.find(app, word)
    found = as_json(release, release == release_records.serving(app))
    if shape == "json":
        import json

        log.plain(json.dumps(found))
        return
    log.info2_quiet(f"{app} v{release.number} release information")
    for key, value in found.items():
        log.verbose(f"{key.replace('_', ' ').capitalize() + ':':<24}{_text(value)}".rstrip())


def as_json(release: Release, serves: bool) -> dict[str, object]:
    """duration: seconds, null of a release whose end nobody saw. config: names."""
    duration = _duration(release)
    return {
        "number": release.number,
        "serves": serves,
        "outcome": release.outcome,
        "revision": release.revision,
        "image": release.image,
        "source": release.source,
        "metadata": release.metadata,
        "build": release.build or None,
        "user": release.user,
        "started": _moment(release.started),
        "ended": _moment(release.ended) if release.ended else "",
        "duration": None if duration < 0 else duration,
        "config": list(release.names),
    }


def rows(app: str) -> list[Row]:
    """What releases:report knows of an app."""
    found = release_records.all_(app)
    now, last = release_records.serving(app, found), next(reversed(found), None)
    return [
        Row("--releases-computed-keep", str(release_records.keep(app))),
        Row("--releases-global-keep", str(release_records.keep(properties.GLOBAL))),
        Row("--releases-keep", properties.get(release_records.PLUGIN, app, "keep")),
        Row("--releases-last", f"v{last.number}" if last else ""),
        Row("--releases-last-outcome", last.outcome if last else ""),
        Row("--releases-serving", f"v{now.number}" if now else ""),
    ]


def global_rows() -> list[Row]:
    """What releases:report knows of the host."""
    return [Row("--releases-global-keep", str(release_records.keep(properties.GLOBAL)))]


def set_(app: str, key: str, value: str) -> None:
    """Set or (no value) unset a property of an app or of --global. Raises: DokkuError for a bad one."""
    if not key:
        raise DokkuError("No property specified")
    if key not in PROPERTIES:
        raise DokkuError(f"Invalid property specified, valid properties include: {', '.join(PROPERTIES)}")
    if value and not release_records.is_count(value):
        raise DokkuError(f"Invalid value for {key}, it must be a number from 1 to {release_records.MOST}")
    properties.change(release_records.PLUGIN, app, key, value)


def _verify(shape: str) -> None:
    if shape not in ("stdout", "json"):
        raise DokkuError(f"Invalid output format specified, supported formats: json, stdout: {shape}")


def _cells(release: Release, serves: bool) -> tuple[str, ...]:
    duration = _duration(release)
    source = f"{release.source} {release.metadata}" if release.source == "rollback" else release.source
    return (
        f"v{release.number}",
        "*" if serves else "-",
        release.revision[:8] or "-",
        release.image.removeprefix("sha256:")[:12] or "-",
        values.printable(source) or "-",
        values.printable(release.user),
        _moment(release.started),
        "-" if duration < 0 else f"{duration}s",
        release.outcome,
    )


def _text(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else values.printable(str(value))


def _duration(release: Release) -> int:
    if not release.ended and release.outcome != release_records.DEPLOYING:
        return -1
    return max(0, (release.ended or int(time.time())) - release.started)


def _moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
