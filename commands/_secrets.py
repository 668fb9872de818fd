"""The words of a command without the secrets among them, for programs that judge what is about to run.

Everybody on the machine can read the arguments of a program. What a judge may have to look at, such as docker
options and the words of a program, stays as it is.
"""

import re
from collections.abc import Sequence

HIDDEN = "*****"
_VALUE = re.compile(r"(?s)((?:--env=)?[A-Za-z_][A-Za-z0-9_]*=).+")
_OF_USER = re.compile(r"(?s)([A-Za-z][A-Za-z0-9+.-]*://)[^/@]*@")
_WITH_PASSWORD = ("git:auth", "git:auth-status", "registry:login")  # COMMAND HOST USER PASSWORD


def hidden(words: Sequence[str]) -> list[str]:
    """The words in their places; values of variables, passwords, and users in urls are `*****`."""
    command = words[0]
    shown = [_OF_USER.sub(rf"\1{HIDDEN}@", word) for word in words]
    if command in _WITH_PASSWORD:
        return [*shown[:3], *[HIDDEN for _ in shown[3:]]]
    if command == "config:set":
        return [_without_value(word) for word in shown]
    if command in ("run", "run:detached"):
        return [_without_value(word) if _is_option(shown, i) else word for i, word in enumerate(shown)]
    return shown


def _without_value(word: str) -> str:
    found = _VALUE.fullmatch(word)
    return f"{found[1]}{HIDDEN}" if found else word


def _is_option(words: Sequence[str], place: int) -> bool:
    """Whether a word is, or belongs to, an option that sets a variable."""
    return words[place].startswith("--env=") or words[place - 1] in ("-e", "--env")
