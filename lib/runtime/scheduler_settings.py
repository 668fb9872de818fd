"""scheduler-docker-local:set and :report: how our scheduler starts an app's containers.

Source: dokku v0.24.0 plugins/scheduler-docker-local (disable-chown); the others are 0.38's.
"""

import os

from lib.app import apps
from lib.base import log, properties, values
from lib.base.errors import DokkuError
from lib.base.report import Row

STORE = "scheduler-docker-local"
CHOWN, INIT, AT_A_TIME = "disable-chown", "init-process", "parallel-schedule-count"
DEFAULTS = {CHOWN: "", INIT: "true", AT_A_TIME: "1"}
_GLOBAL = (INIT, AT_A_TIME)  # may be set for every app
_MOST = 100


def set_(app: str, key: str, value: str) -> None:
    """Set or (no value) unset a property of an app or of --global. The next deploy uses it.

    Raises: DokkuError for an unknown one, or a value it can't have.
    """
    if app != properties.GLOBAL:
        apps.verify_app_name(app)
    known = sorted(DEFAULTS if app != properties.GLOBAL else _GLOBAL)
    if not key:
        raise DokkuError("No key specified")
    if key not in known:
        raise DokkuError(f"Invalid key specified, valid keys include: {', '.join(known)}")
    if not value:
        log.info2_quiet(f"Unsetting {key}")
        properties.delete(STORE, app, key)
        return
    _verify(key, value)
    log.info2_quiet(f"Setting {key} to {value}")
    properties.write(STORE, app, key, value)


def types_at_a_time(app: str) -> int:
    """How many process types, besides web, are deployed side by side; -1 stands for one per CPU."""
    text = _computed(app, AT_A_TIME)
    if text == "-1":
        return os.cpu_count() or 1
    return max(1, int(text)) if values.is_number(text) else 1


def has_init(app: str) -> bool:
    """Whether process 1 of the app's containers is docker's own, which passes signals on."""
    return _computed(app, INIT) != "false"


def rows(app: str) -> list[Row]:
    """What the report knows of an app; all but disable-chown is later than 0.24."""
    chown = properties.get(STORE, app, CHOWN)
    found = [Row("--scheduler-docker-local-disable-chown", chown, refusal="not deployed")]
    for key in _GLOBAL:
        found += [
            Row(f"--scheduler-docker-local-computed-{key}", _computed(app, key), newer=True),
            Row(f"--scheduler-docker-local-global-{key}", _general(key), newer=True),
            Row(f"--scheduler-docker-local-{key}", properties.get(STORE, app, key), newer=True),
        ]
    return found


def global_rows() -> list[Row]:
    return [Row(f"--scheduler-docker-local-global-{key}", _general(key)) for key in _GLOBAL]


def _computed(app: str, key: str) -> str:
    return properties.get(STORE, app, key) or _general(key)


def _general(key: str) -> str:
    return properties.get(STORE, properties.GLOBAL, key) or DEFAULTS[key]


def _verify(key: str, value: str) -> None:
    if key != AT_A_TIME:
        if value not in ("true", "false"):
            raise DokkuError(f"Invalid value for {key}, must be true or false")
    elif value != "-1" and not (values.is_number(value) and 1 <= int(value) <= _MOST):
        raise DokkuError(f"Invalid value for {key}, must be -1 or a number from 1 to {_MOST}")
