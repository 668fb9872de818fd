"""post-create APP: the app's directory is there; make what else it needs.

Fired by: lib/app/apps.py create. A failure fails apps:create; the directory stays.
"""

from lib.app import processes
from lib.base import properties
from lib.source import repos

HANDLERS = {
    "git": repos.initialize,
    "network": lambda app, *_: properties.write("network", app, "bind-all-interfaces", "false"),
    "ps": lambda app, *_: processes.set_up(app),
}
