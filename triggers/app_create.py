"""app-create APP: make an app.

Fired by: plugins.
"""

from lib.app import apps

HANDLERS = {"apps": lambda app, *_: apps.create(app)}
