"""scheduler-detect APP: the name of the app's scheduler.

Fired by: lib/app/apps.py destroy.
"""

from lib.runtime import schedulers

HANDLERS = {"scheduler": lambda app, *_: schedulers.selected(app)}
