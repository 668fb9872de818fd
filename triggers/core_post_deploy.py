"""core-post-deploy APP PORT IP TAG: all new containers are up, the old ones too; switch the traffic.

Fired by: lib/deploy.py roll_out. PORT and IP are those of the first web container, empty without one. A
failure fails the deploy: the new containers go, the old ones stay.
"""

from lib.base import properties
from lib.proxy import traffic
from lib.runtime import attachments, launch, lifecycle

HANDLERS = {
    "common": lambda app, *_: properties.write("common", app, "deployed", "true"),
    "network": lambda app, *_: attachments.attach_deployed(app),
    "nginx-vhosts": traffic.deployed,  # whichever proxy it is: the networks come first
    "proxy": traffic.leave,
    "ps": lambda app, *_: lifecycle.remember_running(app),
    "scheduler-docker-local": lambda app, *_: launch.rename(app),
}
