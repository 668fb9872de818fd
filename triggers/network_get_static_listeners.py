"""network-get-static-listeners APP PROCESS: IP:PORT of each thing that is served in place of web containers.

Fired by: plugins.
"""

from lib.app import network_settings
from lib.runtime import listeners


def answer(app: str, process: str = "web", *_: str) -> str:
    is_static = process == "web" and bool(network_settings.listeners(app))
    return " ".join(listeners.of(app)) + "\n" if is_static else ""


HANDLERS = {"network": answer}
