"""Names of images as docker compares them, and whose image a name means."""

import re

_OURS = re.compile(r"dokku/([^/:@]+)(?:[:@].*)?", re.DOTALL)


def canonical(name: str) -> str:
    """A name with its tag, without docker's own registry: `busybox:latest` for docker.io/library/busybox."""
    for prefix in ("index.docker.io/", "registry-1.docker.io/", "docker.io/", "library/"):
        name = name.removeprefix(prefix)
    return name if "@" in name or ":" in name.rpartition("/")[2] else f"{name}:latest"


def repository(name: str) -> str:
    """A name without its tag and digest, as docker compares it."""
    return re.sub(r":[^/:]*\Z", "", canonical(name.partition("@")[0]))


def app_of(name: str) -> str:
    """The app whose image has such a name, `dokku/APP:TAG`, be there one or not; empty for other names."""
    match = _OURS.fullmatch(canonical(name))
    return match[1] if match else ""
