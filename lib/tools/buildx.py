"""buildx: the plugin of docker's client through which builds go to BuildKit instead of the classic builder.

Source: github.com/docker/cli, cmd/docker/builder.go and cli-plugins/manager, 23.0 to 28. A client of 20.10 to
22 asks the daemon as well; one that is taken for BuildKit's here and is not only builds with more layers.
"""

import os

_YES = ("1", "t", "T", "true", "TRUE", "True")
_PLACES = (
    *("/usr/local/lib/docker/cli-plugins", "/usr/local/libexec/docker/cli-plugins"),
    *("/usr/lib/docker/cli-plugins", "/usr/libexec/docker/cli-plugins"),
)


def builds() -> bool:
    """Whether `docker build` means BuildKit: as DOCKER_BUILDKIT says, else when there is a buildx."""
    chosen = os.environ.get("DOCKER_BUILDKIT", "")
    if chosen:
        return chosen in _YES
    own = os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
    places = (os.path.join(own, "cli-plugins"), *_PLACES)
    return any(os.access(os.path.join(place, "docker-buildx"), os.X_OK) for place in places)
