"""The ENV file's text: read generously, written in one form, and the forms `config:export` offers.

Source: dokku v0.24.0 plugins/config/environment.go and its godotenv v1.2.0, which reads what `render` writes.
"""

import re
from collections.abc import Mapping

from lib.base.errors import DokkuError
from lib.base.values import printable

FORMATS = (
    *("exports", "envfile", "docker-args", "docker-args-keys", "shell", "pretty", "json", "json-list"),
    "pack-keys",  # later than 0.24
)

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LETTERS = {"n": "\n", "r": "\r"}
_TO_ESCAPE = str.maketrans({c: f"\\{c}" for c in '\\"!$`'} | {"\n": "\\n", "\r": "\\r"})
_QUOTED = {quote: re.compile(rf"{quote}((?:[^\\{quote}]|\\.)*){quote}", re.DOTALL) for quote in "\"'"}
_BLANKS = " \t\r"
_HTML = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})
_SHELLS_VALUE = r"'(?:[^']|'\\'')*+'"
_SHELLS_PAIR = rf"([A-Za-z_][A-Za-z0-9_]*)=({_SHELLS_VALUE})"
_WRITTEN = [  # what `export` has written: the start of each variable, its end, the end of all
    re.compile(rf"(?:{start}{re.sub('[(](?=[^?])', '(?:', _SHELLS_PAIR)}{end})+{last}")
    for start, end, last in (
        ("export ", r"(?:\n|\Z)", r""),
        ("", r"[ ]", r"\n?"),
        ("--env=", r"(?: (?=-)|(?=\n?\Z))", r"\n?"),
    )
]


def read(text: str, name: str) -> dict[str, str]:
    """The variables in any form that `export` writes with values, and in what `parse` takes.

    A shell's quotes mean what they mean to a shell where all of the text is in one of the forms for shells.
    Raises: DokkuError for what is none of them.
    """
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] in ("{", "["):
        return _of_json(text, name)
    if any(form.fullmatch(text) for form in _WRITTEN):
        return {key: value[1:-1].replace("'\\''", "'") for key, value in re.findall(_SHELLS_PAIR, text)}
    return parse(text, name)


def _of_json(text: str, name: str) -> dict[str, str]:
    """An object of texts, or a list of objects with name and value."""
    import json

    try:
        found = json.loads(text)
    except ValueError:
        raise DokkuError(f"Unable to read {printable(name)}: no valid JSON") from None
    if isinstance(found, list) and all(
        isinstance(one, dict) and one.keys() == {"name", "value"} for one in found
    ):
        found = {str(one["name"]): one["value"] for one in found}
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise DokkuError(f"Unable to read {printable(name)}: not a JSON object of strings")
    return found


def parse(text: str, name: str = "ENV") -> dict[str, str]:
    """The variables that a file sets, in its order; keys as they stand there, valid or not.

    Takes what releases since 0.24 wrote and what people write: comments, `export`, `KEY: value`, either
    quote, quoted values over several lines. Nothing is expanded. name: the file, for messages.
    Raises: DokkuError for a line without a key, or a quote without its end.
    """
    found: dict[str, str] = {}
    position, text = 0, text.removeprefix("\ufeff")
    while position < len(text):
        end = _line_end(text, position)
        line = text[position:end].strip(_BLANKS)
        if line and not line.startswith("#"):
            separator = _separator(text, position, end)
            if separator < 0:
                raise DokkuError(f"{name}, line {_line(text, position)}: no variable is set there")
            key = text[position:separator].strip(_BLANKS)
            found[re.sub(r"\Aexport[ \t]+", "", key)], end = _value(text, separator + 1, name)
        position = end + 1
    return found


def _value(text: str, start: int, name: str) -> tuple[str, int]:
    """The value that starts here, and where its last line ends."""
    end = _line_end(text, start)
    rest = text[start:end].lstrip(_BLANKS)
    if rest[:1] not in ('"', "'"):
        return re.split(r"(?:\A|[ \t])#", text[start:end], maxsplit=1)[0].strip(_BLANKS) if rest else "", end
    quote, begin = rest[0], end - len(rest)
    match = _QUOTED[quote].match(text, begin)
    if match:
        end = _line_end(text, match.end())
        if text[match.end() : end].strip(_BLANKS)[:1] in ("", "#"):
            return _unescaped(match[1]), end
        end = _line_end(text, start)
    rest = rest.rstrip(_BLANKS)
    if len(rest) > 1 and rest.endswith(quote) and (match or quote == "'"):
        return _unescaped(rest[1:-1]), end  # quotes inside quotes: the outer ones count
    if match:
        return rest, end
    raise DokkuError(f"{name}, line {_line(text, begin)}: the value's {quote} has no end")


def _separator(text: str, position: int, end: int) -> int:
    found = [index for index in (text.find(mark, position, end) for mark in "=:") if index >= 0]
    return min(found, default=-1)


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: _LETTERS.get(match[1], match[1]), text)


def render(values: Mapping[str, str]) -> str:
    """The text of an ENV file: `KEY="value"` lines in byte order, without a line end after the last."""
    return "\n".join(f'{key}="{values[key].translate(_TO_ESCAPE)}"' for key in sorted(values))


def quoted(value: str) -> str:
    """A value in single quotes, as a shell reads it back."""
    return "'" + value.replace("'", "'\\''") + "'"


def export(values: Mapping[str, str], shape: str) -> str:
    """Variables in one of FORMATS, as `config:export` prints them, with a line end or a blank after the last.

    Raises: DokkuError for another format.
    """
    pairs = sorted(values.items())
    match shape:
        case "exports":
            text = "\n".join(f"export {key}={quoted(value)}" for key, value in pairs)
        case "envfile":
            text = render(values)
        case "docker-args":
            text = " ".join(f"--env={key}={quoted(value)}" for key, value in pairs)
        case "docker-args-keys":
            text = " ".join(f"--env={key}" for key, _ in pairs)
        case "pack-keys":
            text = " ".join(f"--env {key}" for key, _ in pairs)
        case "shell":
            return " ".join(f"{key}={quoted(value)}" for key, value in pairs) + " "
        case "pretty":
            text = "\n".join(aligned(pairs))
        case "json":
            text = _json(dict(pairs))
        case "json-list":
            text = _json([{"name": key, "value": value} for key, value in pairs])
        case _:
            raise DokkuError(f"Unknown export format: {shape}")
    return text + "\n"


def aligned(pairs: list[tuple[str, str]]) -> list[str]:
    """`KEY:  value` lines, all values in one column."""
    width = max((len(key) for key, _ in pairs), default=0) + 3
    return [f"{key}:".ljust(width) + value.strip(" ") for key, value in pairs]


def bundle(values: Mapping[str, str]) -> bytes:
    """A tar archive with one private file per variable, named after it."""
    import io
    import tarfile  # 12 ms

    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for key in sorted(values):
            content = values[key].encode("utf-8", "surrogateescape")
            member = tarfile.TarInfo(key)
            member.size, member.mode = len(content), 0o600
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def _json(value: object) -> str:
    """JSON as Go writes it: compact, markup characters escaped, bytes that are no text replaced."""
    import json  # 8 ms

    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False).translate(_HTML)
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
