"""app.json: what an app's source says of tasks, variables, counts, checks and cron entries.

data/app-json/APP/app.json is the deployed version's. While a source is being deployed, its file is remembered
in this process: an image that does not hold one is deployed by it.
Source: dokku v0.24.0 and 0.38 plugins/app-json.
"""

import contextlib
import functools
import os
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from lib.app import config, json_shapes, json_text, source_files
from lib.base import files, properties, settings, values
from lib.base.errors import DokkuError

PLUGIN = "app-json"
IMAGE, SOURCE = "image", "source"  # where the kept file was found: property `found-in`
MOST_SECONDS = 24 * 3600
MOST_PORT = 65535

_URL = re.compile(r"(?:https?://[!-~]+)?")
_PATH = re.compile(r"(?:/[^\x00-\x20\x7f]*)?")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def _ways(entry: dict[str, Any]) -> list[str]:
    """In which ways a healthcheck asks."""
    return [key for key in ("command", "listening", "path", "uptime") if entry.get(key)]


def _up_to(most: int) -> json_shapes.Rule:
    return json_shapes.Rule(int, lambda number: number <= most, f"{most} or less")


_process = functools.partial(json_shapes.AnyKey, accepts=values.is_process, what="process type")
_HEALTHCHECK = {
    "name": str,
    "type": ("startup", "readiness", "liveness"),
    "path": json_shapes.Rule(str, _PATH.fullmatch, "a path that starts with / and has no blanks"),
    "content": str,
    "command": [str],
    "attempts": _up_to(MOST_SECONDS),
    "initialDelay": _up_to(MOST_SECONDS),
    "timeout": _up_to(MOST_SECONDS),
    "uptime": _up_to(MOST_SECONDS),
    "wait": _up_to(MOST_SECONDS),
    "port": _up_to(MOST_PORT),
    "scheme": ("http", "https"),
    "httpHeaders": [
        {
            "name!": json_shapes.Rule(str, _HEADER.fullmatch, "the name of a header"),
            "value": json_shapes.Rule(
                str, lambda text: not values.has_control_characters(text), "a text without control characters"
            ),
        }
    ],
    "listening": bool,
    "warn": bool,
    "onFailure": {
        "command": [str],
        "url": json_shapes.Rule(str, _URL.fullmatch, "a url that starts with http:// or https://"),
    },
}
_SHAPE = {
    "scripts": {"postdeploy": str, "dokku": {"predeploy": str, "postdeploy": str}},
    "env": json_shapes.AnyKey(
        json_shapes.Either(
            str,
            {"description": str, "value": str, "required": bool, "generator": ("secret",), "sync": bool},
        ),
        values.is_config_key,
        "name of a variable",
    ),
    "formation": _process({"quantity": int, "max_parallel": int, "autoscaling": dict, "service": dict}),
    "healthchecks": _process(
        [
            json_shapes.Rule(
                json_shapes.Rule(
                    _HEALTHCHECK,
                    lambda entry: len(_ways(entry)) <= 1,
                    "one of command, listening, path, uptime",
                ),
                lambda entry: not entry.get("content") or _ways(entry) in ([], ["path"]),
                "of a path, since it has a content",
            )
        ]
    ),
    "cron": [
        {
            "command!": str,
            "schedule!": str,
            "concurrency_policy": ("allow", "forbid", "replace"),
            "maintenance": bool,
        }
    ],
    "buildpacks": [{"url!": str}],
}
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
    if not text.strip():
        return {}
    try:
        node = json_text.parse(text)
        json_shapes.verify(node, _SHAPE)
    except DokkuError as error:
        raise DokkuError(f"Cannot parse app.json: {error.text}") from None
    found = json_text.plain(node)
    return found if isinstance(found, dict) else {}


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
    text = files.read(file_path(app))
    node = json_text.parse(text).value if parse(text) else {}
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
    parse(text or "")
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
    parse(text or "")
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
    return Variable(
        key,
        known.get("value") or "",
        known.get("description") or "",
        known.get("required") is not False,
        known.get("generator") == "secret",
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
