"""post-delete APP [TAG]: the app is going; drop whatever was kept for it.

Fired by: lib/app/apps.py destroy. Having nothing to drop is success.
"""

from lib.app import app_json, processes
from lib.base import files, log, properties, settings
from lib.base.errors import DokkuError
from lib.build import caches, images, layers, pack, records
from lib.host import nginx_logs
from lib.proxy import acme_orders, traffic
from lib.runtime import containers, cron_jobs, cron_table, own_networks, release_records, retirement


def drop_containers(app: str, *_: str) -> None:
    containers.remove_all(app)
    own_networks.remove(app)
    retirement.forget(app)
    files.remove(settings.data("scheduler-docker-local", app))


def drop_jobs(app: str, *_: str) -> None:
    cron_jobs.forget(app)
    try:
        for text in cron_table.write(without=app):
            log.warn(text)
    except DokkuError as error:  # its jobs have nothing to run any more, and the next deploy takes them out
        log.warn(f"Unable to take the cron tasks of {app} out of the crontab: {error}")


def drop_site(app: str, *_: str) -> None:
    traffic.clear([app])
    nginx_logs.remove(app)


HANDLERS = {
    "app-json": lambda app, *_: app_json.forget(app),
    "builder": lambda app, *_: images.remove_all(app),  # after "apps", before nothing that needs them
    "builder-dockerfile": lambda app, *_: layers.forget(app),  # after its images
    "builds": lambda app, *_: records.forget(app),
    "apps": drop_containers,
    "builder-herokuish": lambda app, *_: caches.purge(app),
    "builder-pack": lambda app, *_: pack.forget(app),
    "certs": lambda app, *_: acme_orders.forget(app),  # before "cron" asks what is renewed
    "common": lambda app, *_: properties.forget(app),
    "cron": drop_jobs,
    "nginx-vhosts": drop_site,
    "releases": lambda app, *_: release_records.forget(app),
    "ps": lambda app, *_: processes.forget(app),
}
