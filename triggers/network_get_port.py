"""network-get-port APP PROCESS CONTAINER IS_HEROKUISH: the port at which a container of the app listens.

Fired by: schedulers of plugins.
"""

from lib.app import ports


def answer(app: str, _process: str = "web", _id: str = "", is_herokuish: str = "false", *_: str) -> str:
    exposed = [] if is_herokuish == "true" else ports.exposed_ports(app)
    return f"{exposed[0] if exposed else 5000}\n"


HANDLERS = {"network": answer}
