"""How nginx reads a configuration: directives, each with its words and the blocks that it stands in.

What nginx would not read is an error here too. Only blocks in other languages (`*_by_lua_block`) look like
ordinary ones. Source: nginx 1.22 src/core/ngx_conf_file.c, ngx_conf_read_token.
"""

import re
from typing import NamedTuple

from lib.base import values
from lib.base.errors import DokkuError

_BLANK = r"[ \t\r\n]"
_TOKEN = re.compile(
    rf"""(?P<blank>{_BLANK}+|\#[^\n]*)
      | (?P<end>[;{{}}])
      | "(?P<double>(?:[^"\\]|\\.)*)"(?={_BLANK}|[;{{)])
      | '(?P<single>(?:[^'\\]|\\.)*)'(?={_BLANK}|[;{{)])
      | (?P<bare>(?![}}"'#])(?:\\.|\$\{{|[^ \t\r\n;{{\\])+)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\([\"'\\trn])")
_MEANING = {"t": "\t", "r": "\r", "n": "\n"}


class Directive(NamedTuple):
    """line: of the first word. blocks: the first words of the blocks around it, from outside."""

    line: int
    words: tuple[str, ...]
    blocks: tuple[str, ...]


def read(text: str) -> list[Directive]:
    """All directives in order, each before those in its block. Raises: DokkuError with the line."""
    found: list[Directive] = []
    blocks: list[str] = []
    words: list[str] = []
    at, line, begun = 0, 1, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unexpected(text[at], line)
        kind, token = str(match.lastgroup), match[0]
        if kind == "end" and (token == "}") == bool(words):
            raise _unexpected(token, line)
        if kind == "end" and token == "}":
            if not blocks:
                raise _unexpected(token, line)
            blocks.pop()
        elif kind == "end":
            found.append(Directive(begun, tuple(words), tuple(blocks)))
            blocks += words[:1] if token == "{" else []
            words.clear()
        elif kind != "blank":
            begun = begun if words else line
            words.append(_ESCAPED.sub(_meant, match[kind]))
        line += token.count("\n")
        at = match.end()
    if words or blocks:
        raise DokkuError(f"line {line} of the result: it ends in the middle of a directive or a block")
    return found


def _meant(escaped: re.Match[str]) -> str:
    return _MEANING.get(escaped[1], escaped[1])


def _unexpected(character: str, line: int) -> DokkuError:
    return DokkuError(f"line {line} of the result: unexpected {values.printable(character)}")
