"""post-stack-set APP STACK: the app is built on another stack from now on; empty for the host's own.

Fired by: lib/build/buildpacks.py set_property. Stdout: the user's.
"""

from lib.build import caches

HANDLERS = {"repo": lambda app, *_: caches.purge(app)}
