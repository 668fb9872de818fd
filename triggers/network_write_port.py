"""network-write-port APP PROCESS INDEX PORT: note the port of a container that a plugin's scheduler runs.

Fired by: schedulers of plugins; ours writes all ports at once.
"""

from lib.runtime import sightings

HANDLERS = {
    "network": lambda app, process, index, port, *_: sightings.note(app, process, index, "PORT", port)
}
