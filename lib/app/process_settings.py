"""ps:set: the restart policy, and what later releases keep as properties and dokku v0.24.0 as variables.

Source: dokku v0.24.0 plugins/ps/subcommands.go; the names beside restart-policy are 0.38's.
"""

from collections.abc import Sequence

from lib.app import apps, config, processes, source_files
from lib.base import log, properties, values
from lib.base.errors import DokkuError
from lib.base.report import Row

POLICY = "restart-policy"
PATH = source_files.PROCFILE.key
VARIABLES = {
    "dockerfile-start-cmd": "DOKKU_DOCKERFILE_START_CMD",
    "restore": "DOKKU_APP_RESTORE",
    "skip-deploy": "DOKKU_SKIP_DEPLOY",
    "start-cmd": "DOKKU_START_CMD",
    "stop-timeout-seconds": "DOKKU_DOCKER_STOP_TIMEOUT",
}
GLOBAL = (PATH, "skip-deploy", "stop-timeout-seconds")  # what may be set for every app
_MOST_SECONDS = 24 * 3600


def set_(words: Sequence[str]) -> None:
    """Set or (no value) unset a property of an app: APP PROPERTY [VALUE...]. The next deploy uses it.

    For config.GLOBAL there are those of GLOBAL.
    Raises: DokkuError for an unknown property, or a value it can't have.
    """
    given = [*words, "", "", ""]
    app, key = given[:2]
    value = " ".join(filter(None, given[2:])) if key.endswith("-cmd") else given[2]
    known = sorted(GLOBAL if app == config.GLOBAL else (PATH, POLICY, *VARIABLES))
    if app != config.GLOBAL:
        apps.verify_app_name(app)
    if not key:
        raise DokkuError("No property specified")
    if key not in known:
        raise DokkuError(f"Invalid property specified, valid properties include: {', '.join(known)}")
    if key == PATH:
        source_files.set_path(source_files.PROCFILE, app, key, value)
        return
    stored = _stored(key, value)
    if key == POLICY:
        processes.set_restart_policy(app, value)
    elif stored:
        config.set_values(app, {VARIABLES[key]: stored})
    else:
        config.unset_values(app, [VARIABLES[key]])
    log.info2_quiet(f"Setting {key} to {value}" if value else f"Unsetting {key}")


def rows(app: str) -> list[Row]:
    """The properties for ps:report; all but the restart policy are later than 0.24."""
    found = []
    for key, name in VARIABLES.items():
        found.append(Row(f"--ps-{key}", config.get(app, name), newer=True))
        if key in GLOBAL:
            found.append(Row(f"--ps-computed-{key}", config.effective(app, name), newer=True))
            found.append(Row(f"--ps-global-{key}", config.get(config.GLOBAL, name), newer=True))
    paths = [row._replace(newer=True) for row in source_files.rows(source_files.PROCFILE, app)]
    return [Row("--ps-restart-policy", processes.restart_policy(app)), *found, *paths]


def general_rows() -> list[Row]:
    """The properties of every app for ps:report --global."""
    held = [Row(f"--ps-global-{key}", config.get(config.GLOBAL, VARIABLES[key])) for key in GLOBAL[1:]]
    return [Row(f"--ps-global-{PATH}", properties.get("ps", properties.GLOBAL, PATH)), *held]


def is_restored(app: str) -> bool:
    """Whether the app is to run after a reboot or a change of its config: ps:stop says no."""
    return config.get(app, "DOKKU_APP_RESTORE") != "0"


def _stored(key: str, value: str) -> str:
    """A value as its variable holds it."""
    if not value:
        return ""
    if key == "stop-timeout-seconds":
        number = values.number(value, 0, f"Invalid {key} specified")
        if number > _MOST_SECONDS:
            raise DokkuError(f"Invalid {key} specified")
    if key in ("restore", "skip-deploy"):
        if value not in ("true", "false"):
            raise DokkuError(f"Invalid {key} specified, it must be true or false")
        return {"true": "1", "false": "0"}[value] if key == "restore" else value
    return value
