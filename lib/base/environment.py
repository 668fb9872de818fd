"""What programs get of our environment: how to run here, and what the operator's settings say of it.

Anything else may steer some program: loaders, shells, interpreters and git read hundreds of names. Plugins'
scripts get all of it, as in Dokku. Values of an app are never in it.
"""

import os
from collections.abc import Mapping

Env = Mapping[str, str | None]  # what differs for one program; None takes a variable away

_NAMES = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TERM", "COLUMNS", "LINES", "TZ"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("all_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSH_AUTH_SOCK", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"),
)
_PREFIXES = ("DOKKU_", "PLUGIN_", "DOCKER_", "BUILDKIT_", "BUILDX_", "PACK_", "LEGO_")


def given(change: Env | None = None) -> dict[str, str]:
    """The environment of a program: what it gets of ours, and then the change."""
    ours = {name: value for name, value in os.environ.items() if is_passed(name)}
    return {name: value for name, value in {**ours, **(change or {})}.items() if value is not None}


def whole() -> dict[str, str]:
    """All of our environment, for programs that are the operator's own: plugins' scripts."""
    return dict(os.environ)


def is_passed(name: str) -> bool:
    """Whether every program gets this variable if we have it."""
    return name in _NAMES or name.startswith(_PREFIXES)
