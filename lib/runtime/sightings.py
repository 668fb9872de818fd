"""Where the scheduler of a plugin says that containers are: files IP.PROCESS.INDEX and PORT.PROCESS.INDEX.

Our own scheduler writes them too, for plugins to read, but docker knows better where its containers are.
"""

import os

from lib.app import apps, network_settings
from lib.app.network_settings import Listener
from lib.base import files, settings, values
from lib.base.errors import DokkuError


def of(app: str, process: str) -> list[Listener]:
    """The containers of a process type by index. What names no address is left out."""
    directory = settings.app_dir(app)
    found = []
    for name in os.listdir(directory) if os.path.isdir(directory) else []:
        kind, _, place = name.partition(".")
        type_, _, index = place.rpartition(".")
        if kind != "IP" or type_ != process or not values.is_number(index):
            continue
        ip, port = (files.read(os.path.join(directory, f"{kind}.{place}")).strip() for kind in ("IP", "PORT"))
        if network_settings.is_address(ip):
            found.append((int(index), Listener(ip, port if values.is_port(port) else "")))
    return [listener for _, listener in sorted(found)]


def note(app: str, process: str, index: str, kind: str, text: str) -> None:
    """Write what a plugin says of a container into its file, IP or PORT. Raises: DokkuError for neither."""
    apps.verify_app_name(app)
    is_place = values.is_process(process) and values.is_number(index) and int(index) > 0
    if not is_place or not (values.is_port(text) if kind == "PORT" else network_settings.is_address(text)):
        given = values.printable(f"{process}.{index} {text}")
        raise DokkuError(f"Invalid address of a container: {given}")
    files.replace(os.path.join(settings.app_dir(app), f"{kind}.{process}.{int(index)}"), text, 0o644)
