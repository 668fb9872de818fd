"""Docker's networks, through its client."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lib.base import run, settings
from lib.tools import docker_complaints

QUICK = 30  # seconds


class Network(NamedTuple):
    """What docker says of a network, in its words. created_at: a time of its own form."""

    id: str
    name: str
    driver: str
    scope: str
    created_at: str
    is_internal: bool
    has_ipv6: bool
    labels: dict[str, str]


def all_() -> list[Network]:
    """The host's networks, by name."""
    said = _ask("ls", "--no-trunc", "--format={{json .}}")
    return sorted(
        (_network(json.loads(line)) for line in said.splitlines() if line), key=lambda one: one.name
    )


def create(name: str, labels: Mapping[str, str]) -> None:
    """Make a network on a bridge of its own, which containers can be attached to at any time."""
    flags = [f"--label={key}={value}" for key, value in labels.items()]
    _ask("create", "--attachable", *flags, "--", name)


def create_internal(name: str, subnet: str, labels: Mapping[str, str]) -> None:
    """Make a bridge network that leads nowhere but to the host, with these addresses (`10.0.0.0/24`)."""
    flags = [f"--label={key}={value}" for key, value in labels.items()]
    _ask("create", "--internal", "--driver=bridge", f"--subnet={subnet}", *flags, "--", name)


def inspect(*names: str) -> list[dict[str, Any]]:
    """All that docker knows of some networks, in one call; those that are gone are absent."""
    if not names:
        return []
    words = [settings.docker(), "network", "inspect", "--format={{json .}}", "--", *names]
    lines = run.result(*words, timeout=QUICK).output.decode("utf-8", "replace").split("\n")
    return [json.loads(line) for line in lines if line.strip()]


def remove(name: str) -> None:
    """Raises: ToolFailed, with docker's reason, for one that is in use or not there."""
    _ask("rm", "--", name)


def connect(network: str, container: str, aliases: Sequence[str] = (), ip: str = "") -> None:
    """Attach a container, running or not.

    aliases: more names that others on the network find it by. ip: the address that it has there for good;
    docker chooses one without, at each start.
    """
    flags = [*(f"--alias={alias}" for alias in aliases), *([f"--ip={ip}"] if ip else [])]
    _ask("connect", *flags, "--", network, container)


def _ask(word: str, *words: str) -> str:
    done = run.result(settings.docker(), "network", word, *words, timeout=QUICK)
    if done.status:
        said = done._replace(errors=done.errors.removesuffix(b"exit status 1\n"))  # what `rm` of 28 ends with
        raise docker_complaints.failure(said, f"network {word}")
    return done.output.decode("utf-8", "replace")


def _network(row: Mapping[str, str]) -> Network:
    return Network(
        id=row["ID"],
        name=row["Name"],
        driver=row["Driver"],
        scope=row["Scope"],
        created_at=row["CreatedAt"],
        is_internal=row.get("Internal") == "true",
        has_ipv6=row.get("IPv6") == "true",
        labels=_labels(row.get("Labels", "")),
    )


def _labels(text: str) -> dict[str, str]:
    """Docker writes KEY=VALUE,KEY=VALUE; what has no `=` belongs to the value before."""
    found: dict[str, str] = {}
    key = ""
    for word in text.split(",") if text else []:
        name, equals, value = word.partition("=")
        if equals or not found:
            key, found[name] = name, value
        else:
            found[key] += f",{word}"
    return found


def daemon_start() -> str:
    """When docker was started, as an ISO time: it makes its bridge anew then. Empty where it has none."""
    return next((str(one.get("Created") or "") for one in inspect("bridge")), "")
