"""network-write-ipaddr APP PROCESS INDEX IP: note the address of a container that a plugin's scheduler runs.

Fired by: schedulers of plugins; ours writes all sightings at once.
"""

from lib.runtime import sightings

HANDLERS = {"network": lambda app, process, index, ip, *_: sightings.note(app, process, index, "IP", ip)}
