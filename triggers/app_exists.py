"""app-exists APP: succeeds when there is such an app; status 20 otherwise.

Fired by: plugins.
"""

from lib.app import apps


def verify(app: str, *_: str) -> None:
    apps.verify_app_name(app)


HANDLERS = {"apps": verify}
