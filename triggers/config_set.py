"""config-set [--no-restart] APP [NO_RESTART] KEY=VALUE...: set variables of an app, or of --global.

NO_RESTART: true or false. Fired by: plugins (0.38; both orders are met). Stdin: unused.
Stdout: as of `config:set`.
"""

from lib.app import config_changes


def set_(*args: str) -> None:
    restart = "--no-restart" not in args
    owner, pairs = config_changes.addressed(
        [word for word in args if word != "--no-restart"], is_global=False
    )
    if pairs[:1] in (["true"], ["false"]):
        restart = pairs.pop(0) == "false"
    config_changes.set_pairs(owner, pairs, encoded=False, restart=restart)


HANDLERS = {"config": set_}
