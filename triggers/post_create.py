"""post-create APP: the app's directory is there; make what else it needs.

Fired by: lib/app/apps.py create. A failure fails apps:create; the directory stays.
"""

from lib.app import network_settings, processes
from lib.source import repos

HANDLERS = {
    "git": repos.initialize,
    "network": lambda app, *_: network_settings.set_up(app),
    "ps": lambda app, *_: processes.set_up(app),
}
