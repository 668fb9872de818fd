"""Go templates, as the program sigil has them: the text of one becomes a tree of nodes.

What we do not know is refused here, with its line, before anything is rendered: also in a branch that
nobody takes today. Left out on purpose: everything that reads files or starts programs, and templates
inside templates (define, template, block).
Source: Go's text/template/parse; gliderlabs/sigil 0.11.
"""

import collections
import itertools
import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from lib.base import values
from lib.base.errors import DokkuError

DEEPEST = 50  # blocks and parentheses inside each other

_BLANKS = " \t\r\n"
_TOKEN = re.compile(
    r"""(?P<end>[ \t\r\n]+-\}\}|\}\})|(?P<blank>[ \t\r\n]+)
    |(?P<string>"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`)|(?P<number>[+-]?[0-9][0-9A-Za-z_.]*)
    |(?P<variable>\$\w*)|(?P<field>\.[^\W\d]\w*)|(?P<dot>\.)|(?P<word>[^\W\d]\w*)|(?P<sign>:=|[|(),=])""",
    re.VERBOSE | re.ASCII,
)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[0-7]{3}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", '"': '"'}
_CONSTANTS = {"true": True, "false": False, "nil": None}
_BLOCKS = ("if", "range", "with")


class Literal(NamedTuple):
    value: str | int | bool | None


class Dot(NamedTuple):
    """What `.` is at the moment."""


class Variable(NamedTuple):
    """name: without its `$`; empty for the root."""

    name: str


class Path(NamedTuple):
    """base.name.name"""

    base: "Operand"
    names: tuple[str, ...]


class Command(NamedTuple):
    """function: empty for a value that stands alone."""

    line: int
    function: str
    operands: tuple["Operand", ...]


class Pipeline(NamedTuple):
    """Commands, each of which gets what the one before gave; variables: who gets the last one's."""

    line: int
    variables: tuple[str, ...]
    declares: bool
    commands: tuple[Command, ...]


Operand = Literal | Dot | Variable | Path | Pipeline


class Text(NamedTuple):
    text: str


class Block(NamedTuple):
    """kind: if, range or with."""

    kind: str
    pipeline: Pipeline
    body: tuple["Node", ...]
    otherwise: tuple["Node", ...]


Node = Text | Pipeline | Block


class Token(NamedTuple):
    """is_tight: nothing stands between it and what is before."""

    kind: str
    text: str
    line: int
    is_tight: bool


class Action(NamedTuple):
    """What stands between two braces; trims: whether blanks before and after it go."""

    line: int
    tokens: collections.deque[Token]
    trims: tuple[bool, bool]


class _Known(NamedTuple):
    """What a template may name. scopes: the variables there are, the innermost last."""

    functions: Collection[str]
    scopes: list[set[str]]


def parse(source: str, functions: Collection[str], variables: Collection[str]) -> tuple[Node, ...]:
    """The nodes of a template. Raises: DokkuError that begins with the line, for what is no such thing."""
    pieces = collections.deque(_trimmed(_pieces(source)))
    known = _Known(functions, [{"", *variables}])
    nodes, ending = _nodes(pieces, known, 0)
    if ending:
        raise _error(ending.line, f"{{{{{ending.tokens[0].text}}}}} without a beginning")
    return nodes


def _error(line: int, problem: str) -> DokkuError:
    return DokkuError(f"line {line}: {values.printable(problem[:200])}")


def _pieces(source: str) -> Iterator[Text | Action]:
    line, place = 1, 0
    while (start := source.find("{{", place)) >= 0:
        yield Text(source[place:start])
        line += source.count("\n", place, start)
        place = start + 2
        trims = source[place : place + 1] == "-" and source[place + 1 : place + 2] in tuple(_BLANKS)
        place += 2 if trims else 0
        tokens, end = _tokens(source, place, line)
        if not tokens and not source.startswith("/*", place):
            raise _error(line, "nothing between {{ and }}")
        yield Action(line, tokens, (trims, source[end - 3 : end - 2] == "-" and end - 3 > place))
        line += source.count("\n", start, end)
        place = end
    yield Text(source[place:])


def _tokens(source: str, place: int, line: int) -> tuple[collections.deque[Token], int]:
    """The tokens of one action, and where it ends. None for a comment."""
    found: collections.deque[Token] = collections.deque()
    if source.startswith("/*", place):
        closed = source.find("*/", place + 2)
        end = _TOKEN.match(source, closed + 2) if closed >= 0 else None
        if end is None or end.lastgroup != "end":
            raise _error(line, "a comment that is not closed by */}}")
        return found, end.end()
    is_tight = False
    while match := _TOKEN.match(source, place):
        kind, place = str(match.lastgroup), match.end()
        if kind == "end":
            return found, place
        if kind != "blank":
            found.append(Token(kind, match[0], line, is_tight))
        line += match[0].count("\n")
        is_tight = kind != "blank"
    rest = source[place : place + 10].partition("\n")[0]
    raise _error(line, f"can't read {rest}" if rest else "{{ without }}")


def _trimmed(pieces: Iterator[Text | Action]) -> Iterator[Text | Action]:
    """Without the blanks that a dash takes away, and without comments."""
    before = ""
    trims_next = False
    for piece in pieces:
        if isinstance(piece, Text):
            before = piece.text.lstrip(_BLANKS) if trims_next else piece.text
            continue
        yield Text(before.rstrip(_BLANKS) if piece.trims[0] else before)
        before, trims_next = "", piece.trims[1]
        if piece.tokens:
            yield piece
    yield Text(before)


def _nodes(
    pieces: collections.deque[Text | Action], known: _Known, depth: int
) -> tuple[tuple[Node, ...], Action | None]:
    """Nodes up to an `end` or `else`, which comes with them, or to the end of the text."""
    nodes: list[Node] = []
    while pieces:
        piece = pieces.popleft()
        if isinstance(piece, Text):
            nodes += [piece] if piece.text else []
            continue
        word = piece.tokens[0].text if piece.tokens[0].kind == "word" else ""
        if word in ("end", "else"):
            return tuple(nodes), piece
        if word in _BLOCKS:
            piece.tokens.popleft()
            nodes.append(_block(word, piece, pieces, known, depth + 1))
        elif word in ("define", "template", "block", "break", "continue"):
            raise _error(piece.line, f"{{{{{word}}}}} is not supported")
        else:
            nodes.append(_whole_pipeline(piece, known, depth))
    return tuple(nodes), None


def _block(
    kind: str, action: Action, pieces: collections.deque[Text | Action], known: _Known, depth: int
) -> Block:
    if depth > DEEPEST:
        raise _error(action.line, f"more than {DEEPEST} blocks inside each other")
    known.scopes.append(set())
    pipeline = _whole_pipeline(action, known, depth)
    body, ending = _branch(pieces, known, depth)
    otherwise: tuple[Node, ...] = ()
    if ending and ending.tokens[0].text == "else":
        ending.tokens.popleft()
        if ending.tokens and ending.tokens[0].text in ("if", "with"):
            otherwise = (_block(ending.tokens.popleft().text, ending, pieces, known, depth + 1),)
            known.scopes.pop()
            return Block(kind, pipeline, body, otherwise)
        _verify_empty(ending.tokens, "else")
        otherwise, ending = _branch(pieces, known, depth)
    known.scopes.pop()
    if ending is None or ending.tokens[0].text != "end":
        raise _error(action.line, f"{{{{{kind}}}}} without {{{{end}}}}")
    ending.tokens.popleft()
    _verify_empty(ending.tokens, "end")
    return Block(kind, pipeline, body, otherwise)


def _branch(
    pieces: collections.deque[Text | Action], known: _Known, depth: int
) -> tuple[tuple[Node, ...], Action | None]:
    known.scopes.append(set())
    found = _nodes(pieces, known, depth)
    known.scopes.pop()
    return found


def _verify_empty(tokens: collections.deque[Token], word: str) -> None:
    if tokens:
        raise _error(tokens[0].line, f"{tokens[0].text} after {word}")


def _whole_pipeline(action: Action, known: _Known, depth: int) -> Pipeline:
    pipeline = _pipeline(action.tokens, action.line, known, depth)
    if action.tokens:
        raise _error(action.tokens[0].line, f"unexpected {action.tokens[0].text}")
    return pipeline


def _pipeline(tokens: collections.deque[Token], line: int, known: _Known, depth: int) -> Pipeline:
    variables, sign = _assigned(tokens)
    commands = [_command(tokens, line, known, depth)]
    while tokens and tokens[0].text == "|":
        commands.append(_command(tokens, tokens.popleft().line, known, depth))
    for command in commands[1:]:
        if not command.function:
            raise _error(command.line, "only a function can stand after |")
    if sign == ":=":
        known.scopes[-1].update(variables)
    for name in variables:
        _verify_variable(name, line, known)
    return Pipeline(line, variables, sign == ":=", tuple(commands))


def _assigned(tokens: collections.deque[Token]) -> tuple[tuple[str, ...], str]:
    """`$x :=`, `$i, $x :=` and `$x =` at the beginning of a pipeline."""
    first = list(itertools.islice(tokens, 4))
    texts, kinds = [token.text for token in first], [token.kind for token in first]
    for count, shape in ((2, ["variable", "sign"]), (4, ["variable", "sign", "variable", "sign"])):
        separated = count == 2 or texts[1:2] == [","]
        if kinds[:count] == shape and separated and texts[count - 1] in (":=", "="):
            names = tuple(text[1:] for text in texts[:count:2])
            for _ in range(count):
                tokens.popleft()
            return names, texts[count - 1]
    return (), ""


def _command(tokens: collections.deque[Token], line: int, known: _Known, depth: int) -> Command:
    function = ""
    if tokens and tokens[0].kind == "word" and tokens[0].text not in _CONSTANTS:
        token = tokens.popleft()
        function, line = token.text, token.line
        if function not in known.functions:
            raise _error(line, f"function {function} is not supported")
    operands = []
    while tokens and tokens[0].text not in ("|", ")"):
        operands.append(_operand(tokens, known, depth))
    if not function and operands == [Literal(None)]:
        raise _error(line, "nil stands alone")
    if not function and len(operands) != 1:
        raise _error(line, "arguments for what is no function" if operands else "a value is missing")
    return Command(line, function, tuple(operands))


def _operand(tokens: collections.deque[Token], known: _Known, depth: int) -> Operand:
    token = tokens.popleft()
    found: Operand
    names: list[str] = []
    if token.text == "(":
        found = _nested(tokens, token, known, depth + 1)
    elif token.kind == "variable":
        _verify_variable(token.text[1:], token.line, known)
        found = Variable(token.text[1:])
    elif token.kind == "field":
        found = Dot()
        names.append(token.text[1:])
    elif token.kind == "dot":
        return Dot()
    else:
        return _literal(token)
    while tokens and tokens[0].kind == "field" and tokens[0].is_tight:
        names.append(tokens.popleft().text[1:])
    return Path(found, tuple(names)) if names else found


def _nested(tokens: collections.deque[Token], opening: Token, known: _Known, depth: int) -> Pipeline:
    if depth > DEEPEST:
        raise _error(opening.line, f"more than {DEEPEST} parentheses inside each other")
    found = _pipeline(tokens, opening.line, known, depth)
    if not tokens or tokens.popleft().text != ")":
        raise _error(opening.line, "( without )")
    return found


def _literal(token: Token) -> Literal:
    if token.kind == "word" and token.text in _CONSTANTS:
        return Literal(_CONSTANTS[token.text])
    if token.kind == "word":
        raise _error(token.line, f"{token.text} needs parentheses here: ({token.text} ...)")
    if token.kind == "number" and re.fullmatch(r"[+-]?(0|[1-9][0-9]{0,17})", token.text):
        return Literal(int(token.text))
    if token.kind == "string":
        return Literal(_unquoted(token))
    raise _error(token.line, f"unexpected {token.text}")


def _unquoted(token: Token) -> str:
    inside = token.text[1:-1]
    if token.text[0] == "`":
        return inside.replace("\r", "")

    def meant(match: re.Match[str]) -> str:
        escape = match[1]
        if escape in _ESCAPES:
            return _ESCAPES[escape]
        code = -1 if len(escape) == 1 else int(escape[1:], 16) if escape[0] in "ux" else int(escape, 8)
        if code < 0 or 0xD800 <= code <= 0xDFFF or (escape[0] != "u" and code > 127):
            raise _error(token.line, f"can't read \\{escape}")
        return chr(code)

    return _ESCAPE.sub(meant, inside)


def _verify_variable(name: str, line: int, known: _Known) -> None:
    if not any(name in scope for scope in known.scopes):
        raise _error(line, f"${name} is not defined")
