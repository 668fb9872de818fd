"""ports-set-detected APP [MAP...]: what images of a plugin's builder listen at; nothing: forget it (0.31).

Fired by: plugins that build. Counts as long as the user sets no map, from the next build of a proxy on.
"""

from lib.app import ports

HANDLERS = {"ports": lambda app, *maps: ports.announce(app, maps)}
