"""app-maybe-create APP: make the app if it is missing and the host allows that.

Fired by: plugins.
"""

from lib.app import apps

HANDLERS = {"apps": lambda app, *_: apps.create_if_missing(app)}
