"""post-app-clone-setup OLD NEW: NEW was created; give it what OLD has.

Fired by: lib/app/apps.py clone, before NEW is deployed.
"""

from lib.app import copies, ports
from lib.proxy import letsencrypt
from lib.source import repos


def copy(old: str, new: str) -> None:
    copies.copy(old, new, all_of_it=False)
    repos.write_hook(new)


HANDLERS = {
    "git": copy,
    "letsencrypt": lambda _old, new, *_: letsencrypt.separate(new),
    "nginx-vhosts": lambda _old, new, *_: ports.separate(new),
}
