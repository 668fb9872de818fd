"""The shape of app.json: which keys are known, and which values.

cron and scripts are what dokku v0.24.0 read, and refused when they had another type. It looked at nothing
else: there a value that makes no sense is noted and ignored, unless a deploy can't do without it, as what a
healthcheck asks for. A new file has to be DEPLOYABLE; SHAPE is for reading one that has been deployed.
"""

import functools
import re
from typing import Any

from lib.app import json_shapes
from lib.app.json_shapes import ANY, Lenient
from lib.base import values

MOST_SECONDS = 24 * 3600
MOST_PORT = 65535
GENERATORS = ("secret",)

_URL = re.compile(r"(?:https?://[!-~]+)?")
_PATH = re.compile(r"(?:/[^\x00-\x20\x7f]*)?")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_WAYS = ("command", "listening", "path", "uptime")


def _ways(entry: dict[str, Any]) -> list[str]:
    """In which ways a healthcheck asks."""
    return [key for key in _WAYS if entry.get(key)]


def _asks(entry: dict[str, Any]) -> bool:
    return bool(_ways(entry) or entry.get("content") or entry.get("uptime") is not None)


def _up_to(most: int) -> json_shapes.Rule:
    return json_shapes.Rule(int, lambda number: number <= most, f"{most} or less")


_process = functools.partial(json_shapes.AnyKey, accepts=values.is_process, what="process type")
_SECONDS = Lenient(_up_to(MOST_SECONDS))
_HEALTHCHECK = {
    "name": Lenient(str),
    "type": ("startup", "readiness", "liveness"),
    "path": json_shapes.Rule(str, _PATH.fullmatch, "a path that starts with / and has no blanks"),
    "content": str,
    "command": [str],
    "attempts": _SECONDS,
    "initialDelay": _SECONDS,
    "timeout": _SECONDS,
    "uptime": _up_to(MOST_SECONDS),
    "wait": _SECONDS,
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
    "warn": Lenient(bool),
    "onFailure": {
        "command": Lenient([str]),
        "url": Lenient(json_shapes.Rule(str, _URL.fullmatch, "a url that starts with http:// or https://")),
    },
}
_CHECK = json_shapes.Rule(
    json_shapes.Rule(
        _HEALTHCHECK, lambda entry: len(_ways(entry)) <= 1, "one of command, listening, path, uptime"
    ),
    lambda entry: not entry.get("content") or _ways(entry) in ([], ["path"]),
    "of a path, since it has a content",
)
_VARIABLE = {
    "description": Lenient(str),
    "value": Lenient(json_shapes.Text()),
    "required": Lenient(bool),
    "generator": Lenient(GENERATORS, is_kept=True),
    "sync": Lenient(bool),
}
_COUNTS = {
    "quantity": Lenient(int),
    "max_parallel": Lenient(int),
    "autoscaling": ANY,
    "service": ANY,
    "size": ANY,
}
_OTHERS = (  # keys of Heroku's that say nothing here
    *("$schema", "addons", "description", "environments", "image", "keywords", "logo", "name", "repository"),
    *("stack", "success_url", "website"),
)
SHAPE: dict[str, Any] = {
    "scripts": {"postdeploy": str, "dokku": {"predeploy": str, "postdeploy": str}, "test": ANY},
    "env": Lenient(
        json_shapes.AnyKey(
            Lenient(json_shapes.Either(json_shapes.Text(), _VARIABLE)),
            values.is_config_key,
            "name of a variable",
        )
    ),
    "formation": Lenient(_process(Lenient(_COUNTS))),
    "healthchecks": _process([_CHECK]),
    "cron": [
        {
            "command!": str,
            "schedule!": str,
            "concurrency_policy": Lenient(("allow", "forbid", "replace")),
            "maintenance": Lenient(bool),
        }
    ],
    "buildpacks": Lenient([Lenient({"url!": str})]),
    **dict.fromkeys(_OTHERS, ANY),
}
DEPLOYABLE = SHAPE | {
    "healthchecks": _process(
        [json_shapes.Rule(_CHECK, _asks, "a check with one of command, listening, path, uptime")]
    )
}
