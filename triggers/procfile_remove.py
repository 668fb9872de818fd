"""procfile-remove APP: forget the copy of the app's Procfile.

Fired by: plugins.
"""

from lib.app import processes

HANDLERS = {"ps": lambda app, *_: processes.adopt_procfile(app, None)}
