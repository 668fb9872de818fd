"""Requests for an app's author: to public addresses, the app's own containers, and what the operator allows.

Never to this host, its networks or a cloud's metadata: we reach there, the author does not. The address is
looked up once, judged and then used, and no redirect is followed.
"""

import json
from typing import Any

from lib.app import check_settings
from lib.base import values
from lib.base.errors import DokkuError, answer_reason

PATIENCE = 10  # seconds, for each of looking up, connecting and the answer


def post(url: str, content: object, own: str) -> None:
    """Send a JSON object to a url; what is answered is not looked at, but for its status.

    own: the address of the container that it is about. Raises: DokkuError that says why it was not taken.
    """
    import http.client
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        if not host.isprintable():
            raise ValueError("the url names no host")
        ip = _address(host, port, own)
        connection = _connected(parts.scheme, host, ip, port)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Content-Type": "application/json", "User-Agent": "dokku", "Connection": "close"}
        try:
            connection.request("POST", path, json.dumps(content).encode(), headers)
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise DokkuError(values.printable(answer_reason(error))) from error
    if status >= 300:
        raise DokkuError(f"the url answered {status}")


def _address(host: str, port: int, own: str) -> str:
    """The address to connect to. Raises: DokkuError when we may not; OSError for a name without one."""
    import socket

    found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for ip in found:
        if not (_is_allowed(ip) or (ip == own and not ip.startswith("127.") and ip != "::1")):
            text = f"{host} is {ip}, which is not a public address"
            raise DokkuError(f"{text}; checks:set --global url-networks {ip} allows it")
    return found[0]


def _is_allowed(ip: str) -> bool:
    import ipaddress
    import socket

    address = _inner(ipaddress.ip_address(ip.partition("%")[0]))
    for word in check_settings.url_networks():
        network = ipaddress.ip_network(word, strict=False)
        if address.version == network.version and address in network:
            return True
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return True
    return False  # it is this host's own


def _inner(address: Any) -> Any:
    """The IPv4 address that one of IPv6 leads to: mapped, 6to4, or NAT64; any other as it is."""
    import ipaddress

    if address.version == 4:
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address in ipaddress.ip_network("64:ff9b::/96"):
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address


def _connected(scheme: str, host: str, ip: str, port: int) -> Any:
    """A connection to an address, over which the host's name is spoken and, for https, proved."""
    import http.client
    import socket

    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    connection.sock = socket.create_connection((ip, port), timeout=PATIENCE)
    if scheme == "https":
        import ssl

        try:
            connection.sock = ssl.create_default_context().wrap_socket(connection.sock, server_hostname=host)
        except BaseException:
            connection.sock.close()
            raise
    return connection
