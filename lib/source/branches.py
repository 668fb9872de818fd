"""git:set, git:report, git:initialize, git:status and git:unlock: how an app's repository is used."""

import os

from lib.app import apps
from lib.base import files, log, properties, settings, values
from lib.base.errors import DokkuError, ToolFailed
from lib.base.report import Row
from lib.source import limits, repos
from lib.tools import git

_ONLY_GLOBAL = tuple(limits.DEFAULTS)
DEFAULTS = {
    **{key: str(value) for key, value in limits.DEFAULTS.items()},
    "deploy-branch": repos.DEFAULT_BRANCH,
    "keep-git-dir": "false",
    "rev-env-var": repos.REV_VARIABLE,
    "source-image": "",
}
KEYS = tuple(sorted(DEFAULTS))
_ONLY_OWN = ("source-image",)
_TOLD = ("source-image", "sync-remote", "sync-ref")  # of an app, set by what it was deployed from


def set_(app: str, key: str, value: str) -> None:
    """Set a property of an app or of the host; without a value, take it away.

    rev-env-var set to nothing is kept: it means "no variable". Raises: DokkuError for what is none of KEYS.
    """
    if app != properties.GLOBAL:
        apps.verify_app_name(app)
    if not key:
        raise DokkuError("No key specified")
    if key not in KEYS:
        raise DokkuError(f"Invalid key specified, valid keys include: {', '.join(KEYS)}")
    if value:
        _judge(app, key, value)
        log.info2_quiet(f"Setting {key} to {value}")
        properties.write("git", app, key, value)
        return
    log.info2_quiet(f"Unsetting {key}")
    if key == "rev-env-var":
        properties.write("git", app, key, "")
    else:
        properties.delete("git", app, key)


def initialize(app: str) -> None:
    """Make the app's repository and hook where they are missing."""
    log.info1_quiet(f"Initializing git repository for {app}")
    repos.initialize(app)


def show_status(app: str) -> None:
    """Let git tell about the app's repository. Raises: ToolFailed with git's status."""
    status = git.status(repos.path(app))
    if status:
        raise ToolFailed("git", status)


def unlock(app: str) -> None:
    """Remove the clone that a killed git:sync of an older release left behind; none is success."""
    files.remove(settings.data("git", app))


def rows(app: str) -> list[Row]:
    """What git:report knows: the rows of Dokku 0.24 in their order, then those of later releases."""
    branch = repos.deploy_branch(app)
    told = [
        Row("--git-deploy-branch", _own(app, "deploy-branch") or repos.DEFAULT_BRANCH),
        Row("--git-global-deploy-branch", _global("deploy-branch")),
        Row("--git-keep-git-dir", _own(app, "keep-git-dir") or "false"),
        Row("--git-rev-env-var", repos.rev_variable(app)),
        Row("--git-sha", _short_id(app, branch), refusal="not deployed"),
        Row("--git-last-updated-at", _last_updated(app, branch)),
    ]
    known = {row.flag for row in told}
    general = {key: _global(key) for key in DEFAULTS if key not in _ONLY_OWN}
    newer = {f"--git-{key}": _own(app, key) for key in (*general, *_TOLD)}
    newer |= {f"--git-global-{key}": value for key, value in general.items()}
    newer |= {f"--git-computed-{key}": _computed(app, key) for key in general}
    return [*told, *(Row(flag, value, newer=True) for flag, value in newer.items() if flag not in known)]


def general_rows() -> list[Row]:
    """What git:report knows of the host: the values for apps that have none of their own."""
    general = {key: _global(key) for key in DEFAULTS if key not in _ONLY_OWN}
    return [
        Row(f"--git-{kind}-{key}", value) for kind in ("computed", "global") for key, value in general.items()
    ]


def _own(app: str, key: str) -> str:
    return properties.get("git", app, key)


def _global(key: str) -> str:
    return properties.get("git", properties.GLOBAL, key, DEFAULTS[key])


def _computed(app: str, key: str) -> str:
    """What counts for an app. No revision variable is a choice, too."""
    if key == "rev-env-var":
        return repos.rev_variable(app)
    own = "" if key in _ONLY_GLOBAL else _own(app, key)
    return own or _global(key) or DEFAULTS[key]


def _judge(app: str, key: str, value: str) -> None:
    if key == "deploy-branch" and not values.is_ref(value):
        raise DokkuError(f"Invalid branch name: {values.printable(value)}")
    if key == "keep-git-dir" and value not in ("true", "false"):
        raise DokkuError("Invalid value for keep-git-dir, must be true or false")
    if key == "rev-env-var" and not values.is_config_key(value):
        raise DokkuError(f"Invalid key name: '{values.printable(value)}'")
    if key in _ONLY_OWN and app == properties.GLOBAL:
        raise DokkuError("Property cannot be specified globally")
    if key == "source-image" and not values.is_image(value):
        raise DokkuError(f"Invalid docker image: {values.printable(value)}")
    if key in _ONLY_GLOBAL:
        if app != properties.GLOBAL:
            raise DokkuError("Property can only be specified globally")
        number = values.number(value, 1, f"Invalid value for {key}, must be a positive number")
        if key.endswith("-timeout") and number > limits.MOST_SECONDS:
            raise DokkuError(f"Invalid value for {key}, must be {limits.MOST_SECONDS} seconds or less")


def _short_id(app: str, branch: str) -> str:
    return git.abbreviated(repos.path(app), f"refs/heads/{branch}") if repos.exists(app) else ""


def _last_updated(app: str, branch: str) -> str:
    """When the branch last moved, in seconds since 1970: the time of its file, or of packed-refs."""
    ref = f"refs/heads/{branch}"
    loose, packed = (os.path.join(repos.path(app), name) for name in (ref, "packed-refs"))
    if os.path.isfile(loose):
        return str(int(os.stat(loose).st_mtime))
    if any(line.endswith(f" {ref}") for line in files.read_lines(packed)):
        return str(int(os.stat(packed).st_mtime))
    return ""
