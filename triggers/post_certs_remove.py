"""post-certs-remove APP: the app's certificate is gone, and so is https at 443.

Fired by: certs commands, plugins. Who fires it has the proxy built afterwards: post-domains-update.
"""

from lib.app import ports

HANDLERS = {"proxy": lambda app, *_: ports.forget_certificate(app)}
