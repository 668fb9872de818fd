"""git:set, git:report and git:initialize: how an app's repository is used."""

import os

from lib.app import apps
from lib.base import files, log, properties, values
from lib.base.errors import DokkuError
from lib.base.report import Row
from lib.source import repos
from lib.tools import git

KEYS = ("archive-max-files", "archive-max-size", "deploy-branch", "keep-git-dir", "rev-env-var")
_EVERYWHERE = ("archive-max-files", "archive-max-size")


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


def rows(app: str) -> list[Row]:
    """What git:report knows, in the order of Dokku 0.24."""
    own, everywhere = properties.get, properties.GLOBAL
    branch = repos.deploy_branch(app)
    return [
        Row("--git-deploy-branch", own("git", app, "deploy-branch", repos.DEFAULT_BRANCH)),
        Row("--git-global-deploy-branch", own("git", everywhere, "deploy-branch", repos.DEFAULT_BRANCH)),
        Row("--git-keep-git-dir", own("git", app, "keep-git-dir", "false")),
        Row("--git-rev-env-var", repos.rev_variable(app)),
        Row("--git-sha", _short_id(app, branch), refusal="not deployed"),
        Row("--git-last-updated-at", _last_updated(app, branch)),
        Row("--git-computed-deploy-branch", branch, newer=True),
        Row("--git-computed-keep-git-dir", str(repos.keeps_git_dir(app)).lower(), newer=True),
        Row("--git-source-image", own("git", app, "source-image"), newer=True),
    ]


def _judge(app: str, key: str, value: str) -> None:
    if key == "deploy-branch" and not values.is_ref(value):
        raise DokkuError(f"Invalid branch name: {values.printable(value)}")
    if key == "keep-git-dir" and value not in ("true", "false"):
        raise DokkuError("Invalid value for keep-git-dir, must be true or false")
    if key == "rev-env-var" and not values.is_config_key(value):
        raise DokkuError(f"Invalid key name: '{values.printable(value)}'")
    if key in _EVERYWHERE:
        if app != properties.GLOBAL:
            raise DokkuError("Property can only be specified globally")
        values.number(value, 1, f"Invalid value for {key}, must be a positive number")


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
