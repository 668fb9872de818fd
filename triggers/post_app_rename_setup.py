"""post-app-rename-setup OLD NEW: NEW was created; give it a copy of what OLD has, which still serves.

Fired by: lib/app/apps.py rename.
"""

from lib.app import copies, domains
from lib.build import records
from lib.runtime import release_images
from lib.source import repos


def copy(old: str, new: str) -> None:
    copies.copy(old, new, all_of_it=True)
    repos.write_hook(new)


HANDLERS = {
    "builds": records.copy,
    "git": copy,
    "releases": release_images.copy,
    "nginx-vhosts": lambda old, new, *_: domains.rename(
        old, new
    ),  # after "git", which copies them as they are
}
