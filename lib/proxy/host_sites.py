"""The names under which the host's own sites are served: those of people's files, not of apps.

They are read from the files themselves, as `nginx -T` shows them, without starting a program. A file that we
may not read, or that is not in nginx's language, has none.
"""

import glob
import os
from collections.abc import Iterator

from lib.base import files, settings
from lib.base.errors import DokkuError
from lib.tools import nginx_syntax
from lib.tools.nginx_syntax import Directive

OWNER = "a site of the host"


def names() -> frozenset[str]:
    """The server names of all files that nginx reads besides ours. Ask once for many apps."""
    servers = (one for tree in _trees() for one in nginx_syntax.walk(tree) if one.name == "server_name")
    return frozenset(name.lower() for one in servers for name in one.arguments if name not in ("", "_"))


def main() -> str:
    """The file that nginx begins with."""
    words = settings.nginx_test()
    return words[words.index("-c") + 1] if "-c" in words[:-1] else settings.NGINX_CONF


def _trees() -> Iterator[tuple[Directive, ...]]:
    top = main()
    waiting, seen = [top], set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        tree = _tree(path)
        yield tree
        for one in nginx_syntax.walk(tree):
            if one.name == "include" and len(one.words) == 2:
                pattern = os.path.join(os.path.dirname(top), one.words[1])
                waiting += [] if _is_ours(pattern) else filter(os.path.isfile, glob.glob(pattern))


def _tree(path: str) -> tuple[Directive, ...]:
    try:
        text = files.read(path)
        return nginx_syntax.read(text) if "server_name" in text or "include" in text else ()
    except (OSError, DokkuError):
        return ()


def _is_ours(pattern: str) -> bool:
    ours = (settings.root(), settings.data("nginx-vhosts"))
    return any(pattern.startswith(f"{directory}/") for directory in ours)
