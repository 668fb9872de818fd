"""config-unset APP KEY [RESTART]: drop a variable of an app, or of --global.

RESTART: true (also when left out) or false. Fired by: plugins (0.38). Stdin: unused.
Stdout: as of `config:unset`.
"""

from lib.app import config_changes


def unset(app: str = "", key: str = "", restart: str = "true", *_: str) -> None:
    owner, _rest = config_changes.addressed([app], is_global=False)
    config_changes.unset(owner, [key] if key else [], restart != "false")


HANDLERS = {"config": unset}
