"""config-export APP GLOBAL MERGED FORMAT: variables on stdout, as `config:export` prints them.

GLOBAL, MERGED: true or false; with GLOBAL the app is not looked at. FORMAT: as of `config:export --format`.
Fired by: plugins. Stdin: unused.
"""

from lib.app import apps, config, config_changes, env_text


def text(app: str = "", is_global: str = "", merged: str = "", shape: str = "exports", *_: str) -> str:
    owner = config.GLOBAL if is_global == "true" else apps.verify_app_name(app)
    return env_text.export(config_changes.shown(owner, merged == "true"), shape)


HANDLERS = {"config": text}
