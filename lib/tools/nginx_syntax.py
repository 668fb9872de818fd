"""nginx's configuration language: a text read as a tree of directives, and a tree written as text.

The reader splits a text exactly as nginx does and refuses what nginx refuses. It also refuses what it can't
be sure of: control characters, blocks in other languages (`*_by_lua_block`), blocks nested very deep. The
writer quotes each word in one way, so that nginx reads the very words that were judged.
Source: nginx 1.22 src/core/ngx_conf_file.c, ngx_conf_read_token.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from lib.base import values
from lib.base.errors import DokkuError

DEPTH = 30

_BLANK = r"[ \t\r\n]"
_TOKEN = re.compile(
    rf"""(?P<blank>{_BLANK}+|\#[^\n]*)
      | (?P<end>[;{{}}])
      | "(?P<double>(?:[^"\\]|\\.)*)"(?={_BLANK}|[;{{)])
      | '(?P<single>(?:[^'\\]|\\.)*)'(?={_BLANK}|[;{{)])
      | (?P<bare>(?![}}"'#])(?:\\.|\$\{{*+|[^ \t\r\n;{{\\$])++)(?={_BLANK}|[;{{])""",
    re.VERBOSE | re.DOTALL,
)
_UNSURE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ESCAPED = re.compile(r"\\([\"'\\trn])")
_MEANING = {"t": "\t", "r": "\r", "n": "\n"}
_PLAIN = re.compile(r"[A-Za-z0-9_./:@=,+*~^!%&?|<>()\[\]$-]+")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


class Directive(NamedTuple):
    """words: as nginx takes them, without quotes and escapes. block: what stands in its {}, if it has one."""

    line: int
    words: tuple[str, ...]
    block: tuple["Directive", ...] | None = None

    @property
    def name(self) -> str:
        return self.words[0]

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.words[1:]

    @property
    def inside(self) -> tuple["Directive", ...]:
        """What stands in its block."""
        return self.block or ()


class _Open(NamedTuple):
    """A block that has not ended: its first line and words, and what was read of it."""

    line: int
    words: tuple[str, ...]
    found: list[Directive]


def read(text: str) -> tuple[Directive, ...]:
    """The directives of a text, as a tree. Raises: DokkuError that begins with the line."""
    if unsure := _UNSURE.search(text):
        raise _unexpected(unsure[0], 1 + text.count("\n", 0, unsure.start()))
    stack = [_Open(0, (), [])]
    words: list[str] = []
    at, line, begun = 0, 1, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unexpected(text[at], line)
        kind, token = str(match.lastgroup), match[0]
        if kind == "end":
            _end(token, line, begun, words, stack)
            words = []
        elif kind != "blank":
            begun = begun if words else line
            words.append(_decoded(match[kind]))
        line += token.count("\n")
        at = match.end()
    if words or len(stack) > 1:
        raise DokkuError(f"line {line}: the text ends in the middle of a directive or a block")
    return tuple(stack[0].found)


def write(directives: Iterable[Directive]) -> str:
    """The text that nginx reads as these directives, one a line; it has no comments."""
    return "".join(_lines(directives, ""))


def walk(directives: Iterable[Directive]) -> Iterable[Directive]:
    """All directives of a tree, each before those in its block."""
    for one in directives:
        yield one
        yield from walk(one.inside)


def _end(token: str, line: int, begun: int, words: list[str], stack: list[_Open]) -> None:
    """Take a `;`, `{` or `}`. words: those before it."""
    if (token == "}") == bool(words) or (token == "}" and len(stack) == 1):
        raise _unexpected(token, line)
    if token == "}":
        done = stack.pop()
        stack[-1].found.append(Directive(done.line, done.words, tuple(done.found)))
    elif token == ";":
        stack[-1].found.append(Directive(begun, tuple(words)))
    elif words[0].endswith("_by_lua_block"):
        better = words[0].removesuffix("block") + "file"
        raise DokkuError(f"line {begun}: {words[0]} can't be read, use {better}")
    elif len(stack) > DEPTH:
        raise DokkuError(f"line {begun}: blocks are nested more than {DEPTH} deep")
    else:
        stack.append(_Open(begun, tuple(words), []))


def _decoded(word: str) -> str:
    return _ESCAPED.sub(lambda found: _MEANING.get(found[1], found[1]), word) if "\\" in word else word


def _lines(directives: Iterable[Directive], indent: str) -> Iterable[str]:
    for one in directives:
        words = " ".join(map(_quoted, one.words))
        if one.block is None:
            yield f"{indent}{words};\n"
        else:
            yield f"{indent}{words} {{\n"
            yield from _lines(one.block, f"{indent}  ")
            yield f"{indent}}}\n"


def _quoted(word: str) -> str:
    return word if _PLAIN.fullmatch(word) else f'"{word.translate(_ESCAPES)}"'


def _unexpected(character: str, line: int) -> DokkuError:
    return DokkuError(f"line {line}: unexpected {values.printable(character)}")
