"""network-get-ipaddr APP PROCESS CONTAINER: the address at which the host reaches a container of the app.

Fired by: schedulers of plugins.
"""

from lib.runtime import containers
from lib.runtime.containers import Container


def answer(app: str, process: str = "web", id_: str = "", *_: str) -> str:
    states = containers.states([Container(app, process, 1, id_)] if containers.is_id(id_) else [])
    return "".join(state.ip for state in states.values()) + "\n"


HANDLERS = {"network": answer}
