"""post-domains-update APP [OPERATION DOMAIN...]: the app's names have changed.

OPERATION: add, clear, disable, enable, remove, reset or set; domains stand after add, remove and set.
Fired by: lib/app/domains.py, certs commands (with APP only). A failure fails the command; the change stays.
"""

from lib.proxy import acme_renewals, traffic

HANDLERS = {
    "letsencrypt": acme_renewals.advise,
    "haproxy-vhosts": traffic.answer("haproxy"),
    "nginx-vhosts": traffic.answer("nginx"),
}
