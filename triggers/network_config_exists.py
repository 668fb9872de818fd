"""network-config-exists APP: `true` when the address of the app's first web container is known, else `false`.

Fired by: plugins.
"""

import os

from lib.base import settings


def answer(app: str, *_: str) -> str:
    known = (os.path.isfile(os.path.join(settings.app_dir(app), f"{kind}.web.1")) for kind in ("IP", "PORT"))
    return f"{str(all(known)).lower()}\n"


HANDLERS = {"network": answer}
