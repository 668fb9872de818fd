"""pre-delete APP [TAG]: the app is about to go; whoever can't let it go fails, and all of it stays.

Fired by: lib/app/apps.py destroy. Stdin, stdout: unused.
"""

from lib.build import caches

HANDLERS = {"builder-herokuish": lambda app, *_: caches.give_up(app)}
