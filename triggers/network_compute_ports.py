"""network-compute-ports APP PROCESS IS_HEROKUISH INDEX: the container's TCP ports, with blanks between.

Fired by: lib/runtime/launch.py for web containers, schedulers of plugins.
"""

from lib.app import ports


def answer(app: str, _process: str = "web", is_herokuish: str = "false", *_: str) -> str:
    exposed = [] if is_herokuish == "true" else ports.exposed_ports(app)
    return " ".join(map(str, exposed or [5000])) + "\n"


HANDLERS = {"network": answer}
