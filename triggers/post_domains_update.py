"""post-domains-update APP [add|clear|disable|enable|remove|set DOMAIN...]: the app's names have changed.

Fired by: lib/app/domains.py, certs commands (with APP only). A failure fails the command; the change stays.
"""

from lib.proxy import vhosts

HANDLERS = {"nginx-vhosts": vhosts.answer}
