"""app.json: what an app's source says of tasks, variables, counts, checks and cron entries.

data/app-json/APP/app.json is the deployed version's. While a source is being deployed, its file is remembered
in this process: an image that does not hold one is deployed by it.
Source: dokku v0.24.0 and 0.38 plugins/app-json.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from lib.app import app_json_shape, config, json_shapes, json_text, source_files
from lib.base import files, log, properties, settings
from lib.base.errors import DokkuError

PLUGIN = "app-json"
IMAGE, SOURCE = "image", "source"  # where the kept file was found: property `found-in`
NOTED = 10  # warnings about one file

_sources: dict[str, str | None] = {}  # by app: the file in the source that this process deploys


class Scripts(NamedTuple):
    """Commands of tasks, empty for none. first: Heroku's postdeploy, for the first deploy only."""

    predeploy: str
    postdeploy: str
    first: str


class Variable(NamedTuple):
    key: str
    value: str
    description: str
    is_required: bool
    is_secret: bool
    is_synced: bool


class CronTask(NamedTuple):
    """schedule: as written; nobody has read it yet. policy: allow, forbid or replace."""

    command: str
    schedule: str
    policy: str
    is_in_maintenance: bool


class Healthcheck(NamedTuple):
    """One check of a process type: command, path, is_listening, or else uptime; content is of path's answer.

    Numbers are seconds, but attempts and port; port 0 is the app's own.
    """

    name: str
    type: str
    path: str
    content: str
    command: list[str]
    attempts: int
    initial_delay: int
    timeout: int
    uptime: int
    wait: int
    port: int
    scheme: str
    headers: list[tuple[str, str]]
    is_listening: bool
    only_warns: bool
    on_failure_command: list[str]
    on_failure_url: str


def parse(text: str) -> dict[str, Any]:
    """The file's values; nothing for one that is empty. Raises: DokkuError naming the key and the line."""
    found = json_text.plain(_read(text)[0])
    return found if isinstance(found, dict) else {}


def notes(text: str) -> list[str]:
    """What a deploy ignores in a file, a line each. Raises: DokkuError for one it can't use."""
    return _read(text, app_json_shape.DEPLOYABLE)[1]


def _read(text: str, shape: dict[str, Any] = app_json_shape.SHAPE) -> tuple[json_text.Node, list[str]]:
    noted: list[str] = []
    if not text.strip("\ufeff \t\r\n"):
        return json_text.Node({}, 1), noted
    try:
        return json_shapes.fitted(json_text.parse(text), shape, noted), noted
    except DokkuError as error:
        raise DokkuError(f"Cannot parse app.json: {error.text}") from None


def _verify(text: str, is_told: bool = True) -> None:
    """Warn of what a deploy ignores. Raises: DokkuError for a file it can't use."""
    noted = notes(text)
    for note in noted[:NOTED] if is_told else []:
        log.warn(f"app.json, {note}")
    if is_told and len(noted) > NOTED:
        log.warn(f"app.json: {len(noted) - NOTED} more values are ignored")


def scripts(app: str) -> Scripts:
    """The commands of its tasks."""
    found = _part(app, "scripts")
    ours = found.get("dokku") or {}
    commands = (ours.get("predeploy"), ours.get("postdeploy"), found.get("postdeploy"))
    return Scripts(*((command or "").strip() for command in commands))


def variables(app: str) -> list[Variable]:
    """What the app wants to have in its config, by name; nothing that is a setting of dokku's."""
    found = sorted(_part(app, "env").items())
    return [_variable(key, entry) for key, entry in found if entry is not None and not config.is_setting(key)]


def refused_variables(app: str) -> list[tuple[str, int]]:
    """The settings of dokku's that the app wants to change, which only the operator may: names with lines."""
    node = _read(files.read(file_path(app)))[0].value
    wanted = node["env"].value if isinstance(node, dict) and "env" in node else None
    return [(key, entry.line) for key, entry in (wanted or {}).items() if config.is_setting(key)]


def quantities(app: str) -> dict[str, int]:
    """How many of each process type the source wants; nobody may say otherwise then."""
    found = {process: (entry or {}).get("quantity") for process, entry in _part(app, "formation").items()}
    return {process: count for process, count in found.items() if count is not None}


def most_at_a_time(app: str, process: str) -> int:
    """How many containers of a type are to be deployed at a time; 0 for as many as there are."""
    return (_part(app, "formation").get(process) or {}).get("max_parallel") or 0


def healthchecks(app: str, process: str) -> list[Healthcheck]:
    """The checks of a process type, in order."""
    return [_healthcheck(entry) for entry in _part(app, "healthchecks").get(process) or [] if entry]


def cron(app: str) -> list[CronTask]:
    """The app's cron entries, in order."""
    return cron_in(files.read(file_path(app)))


def cron_in(text: str) -> list[CronTask]:
    """The cron entries of a file with this text, in order."""
    return [
        CronTask(
            entry["command"],
            entry["schedule"],
            entry.get("concurrency_policy") or "allow",
            bool(entry.get("maintenance")),
        )
        for entry in parse(text).get("cron") or []
        if entry
    ]


def content(app: str) -> dict[str, Any]:
    """All that the deployed file says. Raises: DokkuError for one that somebody broke."""
    return parse(files.read(file_path(app)))


def take_from_source(app: str, tree: str) -> None:
    """Put the app's file where builders find it, and remember it until this process ends.

    Raises: DokkuError for a bad one.
    """
    text = source_files.place(source_files.APP_JSON, app, tree)
    _verify(text or "")
    _sources[app] = text


def adopt(app: str, in_image: str | None) -> None:
    """Keep the file of what is about to run. in_image: its text, None when the image has none.

    An image without one has the source's, be it of this deploy or of the one that built the image.
    Raises: DokkuError for a bad one; the last one stays then.
    """
    text, found_in = in_image, IMAGE
    if in_image is None:
        found_in = properties.get(PLUGIN, app, "found-in")
        text = files.read(file_path(app), "\0") if found_in == SOURCE else "\0"
        text = None if text == "\0" else text
        if app in _sources:
            text, found_in = _sources[app], SOURCE
    _verify(text or "", is_told=text not in (_sources.get(app), files.read(file_path(app))))
    _keep(app, text, found_in if text is not None else "")


@contextlib.contextmanager
def restored_on_failure(app: str, unless: Callable[[], bool]) -> Iterator[None]:
    """When the block fails, the kept file is again the one it was before.

    unless: whether the new version serves all the same.
    """
    before, found_in = files.read(file_path(app), "\0"), properties.get(PLUGIN, app, "found-in")
    try:
        yield
    except BaseException:
        if not unless():
            _keep(app, None if before == "\0" else before, found_in)
        raise
    finally:
        _sources.pop(app, None)


def forget(app: str) -> None:
    """Drop what is kept outside the app's directory."""
    files.remove(settings.data(PLUGIN, app))


def file_path(app: str) -> str:
    return os.path.join(settings.data(PLUGIN, app), "app.json")


def _keep(app: str, text: str | None, found_in: str) -> None:
    if properties.get(PLUGIN, app, "found-in") != found_in:
        properties.write(PLUGIN, app, "found-in", found_in)
    if text is None:
        files.remove(file_path(app))
    elif files.read(file_path(app), "\0") != text:
        files.replace(file_path(app), text, mode=0o644)


def _part(app: str, key: str) -> dict[str, Any]:
    return content(app).get(key) or {}


def _variable(key: str, entry: Any) -> Variable:
    known = {"value": entry} if isinstance(entry, str) else entry
    generator = known.get("generator")
    is_known = not generator or generator in app_json_shape.GENERATORS
    return Variable(
        key,
        known.get("value") or "",
        known.get("description") or "",
        known.get("required") is not False and is_known,
        generator == "secret",
        bool(known.get("sync")),
    )


def _healthcheck(entry: dict[str, Any]) -> Healthcheck:
    failure = entry.get("onFailure") or {}
    path = entry.get("path") or ("/" if entry.get("content") else "")
    return Healthcheck(
        name=entry.get("name") or "",
        type=entry.get("type") or "startup",
        path=path,
        content=entry.get("content") or "",
        command=list(filter(None, entry.get("command") or [])),
        attempts=_number(entry, "attempts", 3) or 3,
        initial_delay=_number(entry, "initialDelay", 0),
        timeout=_number(entry, "timeout", 5) or 5,
        uptime=_number(entry, "uptime", 0),
        wait=_number(entry, "wait", 5),
        port=_number(entry, "port", 0),
        scheme=entry.get("scheme") or "http",
        headers=[
            (header["name"], header.get("value") or "") for header in entry.get("httpHeaders") or [] if header
        ],
        is_listening=bool(entry.get("listening")),
        only_warns=bool(entry.get("warn")),
        on_failure_command=failure.get("command") or [],
        on_failure_url=failure.get("url") or "",
    )


def _number(entry: dict[str, Any], key: str, otherwise: int) -> int:
    found = entry.get(key)
    return otherwise if found is None else int(found)
