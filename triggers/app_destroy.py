"""app-destroy APP: take an app away without asking.

Fired by: plugins.
"""

from lib.app import apps

HANDLERS = {"apps": lambda app, *_: apps.destroy(apps.verify_app_name(app))}
