"""network-get-listeners APP [PROCESS]: IP:PORT of each running container of a type, with blanks between.

Fired by: plugins. Without PROCESS it is `web`, and a warning says so.
"""

from lib.base import log
from lib.runtime import listeners

_OLD = "Deprecated: Please specify a processType argument for the network-get-listeners plugin trigger"


def answer(app: str, process: str = "", *_: str) -> str:
    if not process:
        log.warn(_OLD)
    return " ".join(listeners.of(app, process or "web")) + "\n"


HANDLERS = {"network": answer}
