"""JSON as people write it: comments and commas before a closing bracket are fine; each value has its line.

Source: dokku 0.38 reads app.json that way; the rest is RFC 8259.
"""

import re
from typing import Any, NamedTuple

from lib.base.errors import DokkuError
from lib.base.values import printable

_DEPTH = 64
_TOKEN = re.compile(
    r"""(?P<quiet>[ \t\r\n]+|//[^\n]*|/\*.*?\*/)"""
    r"""|(?P<mark>[{}\[\],:])"""
    r"""|(?P<text>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")"""
    r"""|(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?![\w.+-]))"""
    r"""|(?P<word>true|false|null)(?!\w)""",
    re.DOTALL | re.ASCII,
)
_WORDS = {"true": True, "false": False, "null": None}


class Node(NamedTuple):
    """A value and where it starts. value: a scalar, a list of nodes, or a dict of nodes by key."""

    value: Any
    line: int


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


class _Tokens:
    """What is left of a text."""

    def __init__(self, found: list[_Token]) -> None:
        self.found = found
        self.position = 0

    def next(self) -> _Token:
        token = self.found[self.position]
        self.position = min(self.position + 1, len(self.found) - 1)
        return token

    def takes(self, mark: str) -> bool:
        """Whether the next one is this mark; then it is taken."""
        if self.found[self.position].text != mark or self.found[self.position].kind != "mark":
            return False
        self.next()
        return True


def parse(text: str) -> Node:
    """What a text holds. Of two values with one key the last counts. Raises: DokkuError naming the line."""
    tokens = _Tokens(_split(text.removeprefix("\ufeff")))
    found = _value(tokens, 0)
    rest = tokens.next()
    if rest.kind != "end":
        raise _unexpected(rest, "the end")
    return found


def plain(node: Node) -> Any:
    """The value without its lines, as json.loads returns it."""
    if isinstance(node.value, dict):
        return {key: plain(value) for key, value in node.value.items()}
    return [plain(value) for value in node.value] if isinstance(node.value, list) else node.value


def _split(text: str) -> list[_Token]:
    found = []
    position, line = 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unexpected(_Token("", text[position : position + 20].split("\n")[0], line), "a value")
        if match.lastgroup != "quiet":
            found.append(_Token(match.lastgroup or "", match[0], line))
        line += match[0].count("\n")
        position = match.end()
    return [*found, _Token("end", "", line)]


def _value(tokens: _Tokens, depth: int) -> Node:
    token = tokens.next()
    if depth > _DEPTH:
        raise DokkuError(f"line {token.line}: more than {_DEPTH} levels")
    match token:
        case ("mark", "{", line):
            return Node(_members(tokens, depth), line)
        case ("mark", "[", line):
            return Node(_elements(tokens, depth), line)
        case ("text" | "number", text, line):
            return Node(_scalar(text, line), line)
        case ("word", text, line):
            return Node(_WORDS[text], line)
    raise _unexpected(token, "a value")


def _members(tokens: _Tokens, depth: int) -> dict[str, Node]:
    found: dict[str, Node] = {}
    while not tokens.takes("}"):
        key = tokens.next()
        if key.kind != "text":
            raise _unexpected(key, "a key in quotes")
        if not tokens.takes(":"):
            raise _unexpected(tokens.next(), "':'")
        found[_scalar(key.text, key.line)] = _value(tokens, depth + 1)
        _pass_comma(tokens, "}")
    return found


def _elements(tokens: _Tokens, depth: int) -> list[Node]:
    found: list[Node] = []
    while not tokens.takes("]"):
        found.append(_value(tokens, depth + 1))
        _pass_comma(tokens, "]")
    return found


def _pass_comma(tokens: _Tokens, closing: str) -> None:
    following = tokens.found[tokens.position]
    if not tokens.takes(",") and (following.kind, following.text) != ("mark", closing):
        raise _unexpected(following, f"',' or '{closing}'")


def _scalar(text: str, line: int) -> Any:
    import json  # 8 ms

    try:
        found = json.loads(text)
    except ValueError:  # Python's own limit on digits
        raise DokkuError(f"line {line}: a number of {len(text)} digits") from None
    if isinstance(found, str):  # halves of characters are no text
        return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return found


def _unexpected(token: _Token, wanted: str) -> DokkuError:
    shown = f"'{printable(token.text[:20])}'" if token.text else "the end of the file"
    return DokkuError(f"line {token.line}: {shown} where {wanted} was expected")
