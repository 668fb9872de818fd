"""The ports that an app's image exposes, where Dokku keeps them: DOKKU_DOCKERFILE_PORTS in the app's config.

What one build found is forgotten with the next; what somebody set by hand stays until a Dockerfile says
otherwise. Source: dokku v0.24.0 plugins/common.
"""

import contextlib
from collections.abc import Callable, Iterator

from lib.app import config
from lib.base import log, properties, values

MOST = 32  # each takes connections from all that the proxy has
VARIABLE = "DOKKU_DOCKERFILE_PORTS"
_FOUND = ("builder", "exposed-ports")  # the property that holds what we put there


def named_in(dockerfile: str) -> list[str]:
    """The ports of the EXPOSE lines, in their order: `3000`, `3001/udp`."""
    words = [line.split() for line in dockerfile.splitlines() if line.startswith("EXPOSE ")]
    return [port for line in words for port in line[1:] if _is_port(port)]


def of_build(app: str, ports: list[str]) -> None:
    """Keep the ports that a Dockerfile names; without any, those found by an earlier build go."""
    if ports:
        _keep(app, ports)
    elif config.get(app, VARIABLE) and config.get(app, VARIABLE) == properties.get(_FOUND[0], app, _FOUND[1]):
        config.unset_values(app, [VARIABLE])


def of_image(app: str, ports: list[str]) -> None:
    """Keep the ports of an image, when nobody named others."""
    if ports and not config.get(app, VARIABLE):
        _keep(app, ports)


@contextlib.contextmanager
def restored_on_failure(app: str, unless: Callable[[], bool]) -> Iterator[None]:
    """When the block fails, ports and what is known of where they came from are again those from before.

    unless: whether the new version serves all the same.
    """
    before = properties.get(_FOUND[0], app, _FOUND[1])
    try:
        with config.restored_on_failure(app, VARIABLE, unless=unless):
            yield
    except BaseException:
        if not unless() and properties.get(_FOUND[0], app, _FOUND[1]) != before:
            properties.write(_FOUND[0], app, _FOUND[1], before)
        raise


def _keep(app: str, ports: list[str]) -> None:
    if len(ports) > MOST:
        log.warn(f"{app} exposes {len(ports)} ports, of which the first {MOST} count")
        ports = ports[:MOST]
    config.set_values(app, {VARIABLE: " ".join(ports)})
    properties.write(_FOUND[0], app, _FOUND[1], " ".join(ports))


def _is_port(word: str) -> bool:
    number, slash, protocol = word.partition("/")
    return values.is_port(number) and (not slash or protocol in ("tcp", "udp", "sctp"))
