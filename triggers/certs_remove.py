"""certs-remove APP: serve an app without a certificate (0.38). Without one already: status 1.

Fired by: plugins. As `certs:remove`.
"""

from lib.app import apps, certs

HANDLERS = {"certs": lambda app="", *_: certs.remove(apps.verify_app_name(app))}
