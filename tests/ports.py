"""Ports for servers of tests."""

import secrets
import socket


def free_port() -> int:
    """A free port of the host, below those that the kernel gives to clients: a server can come back to it."""
    while True:
        port = 20000 + secrets.randbelow(12000)
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        return port
