"""config-get-global KEY: the value of a global variable on stdout without a line end, or nothing.

Fired by: plugins, lib/app/apps.py create_if_missing. Stdin: unused. Status 0 also when it is not set.
"""

from lib.app import config


def value(key: str = "", *_: str) -> str:
    return config.get(config.GLOBAL, key)


HANDLERS = {"config": value}
