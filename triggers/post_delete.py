"""post-delete APP [TAG]: the app is going; drop whatever was kept for it.

Fired by: lib/app/apps.py destroy. Having nothing to drop is success.
"""

from lib.app import app_json, processes
from lib.base import files, properties, settings
from lib.build import caches, images, pack, records
from lib.proxy import vhosts
from lib.runtime import containers, retirement


def drop_containers(app: str, *_: str) -> None:
    containers.remove_all(app)
    retirement.forget(app)
    files.remove(settings.data("scheduler-docker-local", app))


HANDLERS = {
    "app-json": lambda app, *_: app_json.forget(app),
    "builder": lambda app, *_: images.remove_all(app),  # after "apps", before nothing that needs them
    "builds": lambda app, *_: records.forget(app),
    "apps": drop_containers,
    "builder-herokuish": lambda app, *_: caches.purge(app),
    "builder-pack": lambda app, *_: pack.forget(app),
    "common": lambda app, *_: properties.forget(app),
    "nginx-vhosts": lambda app, *_: vhosts.clear([app]),
    "ps": lambda app, *_: processes.forget(app),
}
