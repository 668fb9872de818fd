"""post-certs-update APP: the app has a new certificate; 443 leads where 80 does.

Fired by: certs commands, plugins. Who fires it has the proxy built afterwards: post-domains-update.
"""

from lib.app import ports

HANDLERS = {"proxy": lambda app, *_: ports.follow_certificate(app)}
