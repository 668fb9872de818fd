"""Words of a Dockerfile: flags of an instruction, and variables in a word.

Source: github.com/moby/buildkit frontend/dockerfile/parser (line_parsers, split_command) and shell (lex).
"""

from collections.abc import Mapping

_BLANKS = "\t\v\f\r "
_NAME = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"


def flags(text: str, loose: bool = False) -> tuple[list[str], str]:
    """The flags at the start of an instruction's text, without quotes and backslashes, and what follows them.

    loose: `--flag value` is one, as some releases of docker have it; it comes as `--flag=value`.
    """
    found: list[str] = []
    at = 0
    while True:
        while at < len(text) and text[at] in _BLANKS:
            at += 1
        is_value = loose and bool(found) and "=" not in found[-1]
        if not text.startswith("--", at) and not (is_value and at < len(text)):
            return found, text[at:]
        word, at = _flag(text, at)
        if word == "--":
            return found, text[at:]
        if is_value:
            found[-1] += f"={word}"
        else:
            found.append(word)


def split(text: str, escape: str) -> list[str]:
    """The words of a text; quotes and escapes keep blanks in a word, and stay there."""
    found: list[str] = []
    word, quote = "", ""
    letters = iter(text)
    for letter in letters:
        if not quote and letter in _BLANKS:
            found, word = [*found, *([word] if word else [])], ""
            continue
        word += letter
        if letter == escape and quote != "'":
            word += next(letters, "")
        elif letter == quote:
            quote = ""
        elif letter in "'\"" and not quote:
            quote = letter
    return [*found, *([word] if word else [])]


def expanded(text: str, known: Mapping[str, str], escape: str) -> str:
    """A word with its variables filled in; those that are not known are empty.

    Raises: ValueError for what only some releases of docker expand.
    """
    found, rest = _expanded(text, 0, known, escape, "")
    if rest != len(text):
        raise ValueError(text)
    return found


def _expanded(text: str, at: int, known: Mapping[str, str], escape: str, end: str) -> tuple[str, int]:
    """What stands before end, expanded, and where it ends."""
    found = ""
    while at < len(text) and text[at] != end:
        letter = text[at]
        if letter == "'":
            close = text.index("'", at + 1)
            found, at = found + text[at + 1 : close], close + 1
        elif letter == '"':
            part, at = _in_quotes(text, at + 1, known, escape)
            found += part
        elif letter == "$":
            part, at = _variable(text, at, known, escape)
            found += part
        elif letter == escape:
            found, at = found + text[at + 1 : at + 2], at + 2
        else:
            found, at = found + letter, at + 1
    return found, at


def _in_quotes(text: str, at: int, known: Mapping[str, str], escape: str) -> tuple[str, int]:
    found = ""
    while text[at : at + 1] != '"':
        if at >= len(text):
            raise ValueError(text)
        if text[at] == "$":
            part, at = _variable(text, at, known, escape)
            found += part
        elif text[at] == escape and text[at + 1 : at + 2] in ('"', "$", escape):
            found, at = found + text[at + 1], at + 2
        else:
            found, at = found + text[at], at + 1
    return found, at + 1


def _variable(text: str, at: int, known: Mapping[str, str], escape: str) -> tuple[str, int]:
    """The value of what starts with a dollar here, and where it ends."""
    braced = text.startswith("${", at)
    start = end = at + (2 if braced else 1)
    while end < len(text) and text[end] in _NAME:
        end += 1
    name = text[start:end]
    if not name or name[0].isdigit():
        raise ValueError(text)
    if not braced:
        return known.get(name, ""), end
    colon = text.startswith(":", end)
    operator = text[end + colon : end + colon + 1]
    if operator == "}" and not colon:
        return known.get(name, ""), end + 1
    if not operator or operator not in "-+?":
        raise ValueError(text)
    word, close = _expanded(text, end + colon + 1, known, escape, "}")
    if not text.startswith("}", close):
        raise ValueError(text)
    is_set = bool(known.get(name)) if colon else name in known
    if operator == "+":
        return (word if is_set else ""), close + 1
    if operator == "?" and not is_set:
        raise ValueError(text)
    return (known.get(name, "") if is_set else word), close + 1


def _flag(text: str, at: int) -> tuple[str, int]:
    found, quote = "", ""
    while at < len(text) and (quote or text[at] not in _BLANKS):
        letter = text[at]
        if letter == quote:
            quote = ""
        elif not quote and letter in "'\"":
            quote = letter
        elif letter == "\\":
            at += 1
            found += text[at : at + 1]
        else:
            found += letter
        at += 1
    return found, at
