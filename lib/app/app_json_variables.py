"""The variables that an app.json asks for: defaults, secrets made here, and those that its owner has to give.

Source: dokku 0.38 plugins/app-json.
"""

import os
import sys

from lib.app import app_json, apps, config
from lib.base import log
from lib.base.errors import DokkuError

SECRET = 32  # bytes; two digits each


def set_missing(app: str) -> None:
    """Set what the app's config lacks: all of it until the app is deployed, then only what is to be in sync.

    A value that is there stays, unless app.json has another to be in sync with: so a secret is made once.
    Raises: DokkuError for a required one without a value; nothing is set then.
    """
    for key, line in app_json.refused_variables(app):
        log.warn(f"app.json, line {line}: env.{key} is a setting of dokku's and was ignored: use config:set")
    wanted = app_json.variables(app)
    if not wanted:
        return
    log.info1("Processing app.json env vars")
    held = config.merged(app)
    considered = [one for one in wanted if one.is_synced or not apps.is_deployed(app)]
    found = {one.key: _value(one, held.get(one.key, "")) for one in considered}
    new = {key: value for key, value in found.items() if value and value != held.get(key)}
    if not new:
        log.verbose("No env vars to set from app.json")
        return
    log.info1(f"Setting {len(new)} env var(s) from app.json")
    config.set_values(app, new)


def _value(one: app_json.Variable, held: str) -> str:
    if held and not (one.is_synced and one.value and not one.is_secret):
        return held
    if one.is_secret:
        return os.urandom(SECRET).hex()
    if one.value:
        return one.value
    if os.isatty(0) and log.current_sink() is None:  # nobody sees what several workers ask
        return _asked(one)
    if one.is_required:
        raise DokkuError(f"required env var {one.key} has no value, no default, and no TTY for prompt")
    return ""


def _asked(one: app_json.Variable) -> str:
    """What somebody at the terminal says."""
    described = f" ({one.description})" if one.description else ""
    log.info1(f"Enter value for {one.key}{described}")
    log.raw(b"> ")
    answer = sys.stdin.readline().strip()
    if not answer and one.is_required:
        raise DokkuError(f"required env var {one.key} cannot be empty")
    return answer
