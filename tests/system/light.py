"""Hundreds of apps in a second: their state is written as the program would leave it, without a deploy.

What answers for them is one process of ours on an address of loopback, as an app's static-web-listener; it
says which host it was asked for. What is measured or broken with them is the proxy's part only.
"""

import http.server
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.system.conftest import Instance


class _Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        page = f"this is {self.headers['Host']}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 512


@contextmanager
def backend() -> Iterator[int]:
    """A web server on 127.0.0.1 that answers `this is HOST`; its port."""
    with _Server(("127.0.0.1", 0), _Echo) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def make(instance: Instance, names: Sequence[str], port: int) -> None:
    """Apps that the backend at a port of 127.0.0.1 serves, each under its own domain."""
    for app in names:
        directory = instance.root / app
        directory.mkdir()
        (directory / "VHOST").write_text(f"{instance.host(app)}\n")
        (directory / "ENV").write_text(f'DOKKU_PROXY_PORT_MAP="http:{instance.port}:{port}"\n')
        (directory / "ENV").chmod(0o600)
        listener = instance.lib / f"config/network/{app}/static-web-listener"
        listener.parent.mkdir(parents=True)
        listener.write_text(f"127.0.0.1:{port}")


def noted_nginx(instance: Instance) -> Path:
    """Have dokku start nginx by way of a script that notes each call in a file; the file."""
    notes, wrapper = instance.place / "nginx-calls", instance.place / "bin/nginx-noted"
    wrapper.write_text(f'#!/bin/sh\necho "$*" >>"{notes}"\nexec /usr/sbin/nginx "$@"\n')
    wrapper.chmod(0o755)
    names = ("DOKKU_NGINX_TEST_COMMAND", "DOKKU_NGINX_RELOAD_COMMAND")
    commands = {
        name: instance.environment[name].replace("/usr/sbin/nginx", str(wrapper), 1) for name in names
    }
    instance.set_environment(**commands)
    return notes


def names(instance: Instance, count: int) -> list[str]:
    return [instance.name(f"light-{number:03d}") for number in range(count)]
