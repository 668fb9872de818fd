"""resource-get-property APP PROCESS limit|reserve KEY: the value of a type, else the default, and a line end.

Fired by: plugins that are schedulers.
"""

from lib.app import resources


def answer(app: str, process: str = "", kind: str = "", key: str = "", *_: str) -> str:
    return f"{resources.value(app, process, kind, key)}\n"


HANDLERS = {"resource": answer}
