"""Which module answers a command, without loading any other."""

import importlib
import os
import re
from typing import Any

_DIRECTORY = os.path.dirname(__file__)
_LIKE = 0.8  # of difflib: `postgres` is not `ports`
_NAME = re.compile(r"[a-z][a-z0-9-]*")


def find(command: str) -> Any:
    """The registered command of that name, or the namespace's help; None when no module claims it."""
    namespace, colon, name = command.partition(":")
    module = load(namespace)
    if module is None or (colon and not name):
        return None
    wanted = name or namespace
    for info in module.namespace.registered_commands:
        if info.name == wanted and bool(colon) != (wanted == namespace):
            return info
    if name in ("", "help"):
        from commands import _help

        return _help.of(namespace)
    return None


def operands(command: str) -> list[str]:
    """What its help calls the words a command takes: `["<app>", "[<process>]"]`; none when it is not ours."""
    info = find(command)
    words: list[str] = []
    for annotation in getattr(getattr(info, "callback", None), "__annotations__", {}).values():
        for about in getattr(annotation, "__metadata__", ()):
            if type(about).__name__ == "ArgumentInfo":
                words += str(about.metavar or "").split()
    return words


def nearest(command: str) -> str:
    """The command of ours that is spelt most like one that does not exist; empty when none is like it."""
    import difflib  # 5 ms

    namespace, colon, name = command.partition(":")
    found = [namespace] if load(namespace) else difflib.get_close_matches(namespace, namespaces(), 1, _LIKE)
    if not found or not colon:
        return "".join(found)
    known = [info.name for info in load(found[0]).namespace.registered_commands if not info.hidden]
    like = difflib.get_close_matches(name, [text for text in known if text != found[0]], 1, _LIKE)
    return f"{found[0]}:{like[0]}" if like else ""


def load(namespace: str) -> Any:
    """The module of a namespace; None when there is none."""
    name = namespace.replace("-", "_")
    if not _NAME.fullmatch(namespace) or not os.path.exists(os.path.join(_DIRECTORY, f"{name}.py")):
        return None
    return importlib.import_module(f"commands.{name}")


def namespaces() -> list[str]:
    """Every namespace we have, sorted."""
    names = (entry.removesuffix(".py") for entry in os.listdir(_DIRECTORY) if entry.endswith(".py"))
    return sorted(name.replace("_", "-") for name in names if not name.startswith("_"))
