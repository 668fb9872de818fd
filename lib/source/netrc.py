"""$DOKKU_ROOT/.netrc: who we are at which git host. People and other tools write in it, too.

What we do not have to change stays byte for byte: comments, macros, the default entry, the layout of others.
As git (that is, curl) reads it: the first entry of a machine counts, letter case aside, and nothing after
the default entry does. Source of the form of our own entries: the `netrc` tool of dokku v0.24.0.
"""

import os
import re
import stat
from collections.abc import Callable
from typing import NamedTuple

from lib.base import files, settings
from lib.base.errors import DokkuError

_TOKEN = r'("(?:[^"\\\r\n]|\\[^\r\n])*+"|[^ \t\r\n]+)'
_WORD = re.compile(rf"(?:[ \t\r\n]|#[^\n]*+)*+{_TOKEN}")  # a comment is no word,
_VALUE = re.compile(rf"[ \t\r\n]*+{_TOKEN}")  # but a password may begin like one
_PLAIN = re.compile(r"[!$-&(-\[\]-~]+")  # all readers agree on these; others go between quotes
_COMMENT_BELOW = re.compile(r"[ \t]*\r?\n[ \t]*#")  # Python's reader takes none below a value in quotes
_KEYWORDS = ("machine", "default", "macdef", "login", "user", "account", "password")
_MODE = 0o600


class Field(NamedTuple):
    """A keyword and its value, which stands at text[start:end]."""

    keyword: str
    value: str
    start: int
    end: int


class Entry(NamedTuple):
    """A machine, the default or a macro. start: of its keyword; head: that and the name."""

    start: int
    head: Field
    fields: list[Field]

    @property
    def end(self) -> int:
        return self.fields[-1].end if self.fields else self.head.end

    @property
    def login(self) -> str:
        return self.value_of("login", "user")

    @property
    def password(self) -> str:
        return self.value_of("password")

    def value_of(self, *keywords: str) -> str:
        return next((field.value for field in self.fields if field.keyword in keywords), "")

    def is_for(self, host: str) -> bool:
        return self.head.keyword == "machine" and self.head.value.lower() == host.lower()


def store(host: str, user: str, password: str) -> None:
    """Make this the one entry of a host. Raises: DokkuError, with the file as it was."""
    _rewrite(lambda text: with_entry(text, host, user, password))


def drop(host: str) -> None:
    """Take every entry of a host away; none is success."""
    _rewrite(lambda text: without(text, host))


def has(host: str, user: str, password: str) -> bool:
    """Whether this is what the file tells of a host; how long the answer takes tells nothing."""
    return _tells(_first(_read(), host), user, password)


def has_none(host: str) -> bool:
    return _first(_read(), host) is None


def first(*hosts: str, or_default: bool) -> Entry | None:
    """The entry of the first of some names that has one. or_default: or that for all others."""
    text = _read()
    own = next(filter(None, (_first(text, host) for host in hosts)), None)
    if own or not or_default:
        return own
    return next((entry for entry in parse(text) if entry.head.keyword == "default"), None)


def machines() -> list[Entry]:
    """The entries of single hosts, in order."""
    return [entry for entry in parse(_read()) if entry.head.keyword == "machine"]


def path() -> str:
    return os.path.join(settings.root(), ".netrc")


def parse(text: str) -> list[Entry]:
    """Every machine, default and macro of a file, in order. Words that mean nothing are passed over."""
    found: list[Entry] = []
    inside: Entry | None = None
    at = 0
    while word := _WORD.match(text, at):
        keyword = word[1].lower()
        field = _field(text, keyword, word.end())
        if keyword in ("machine", "default", "macdef"):
            found.append(Entry(word.start(1), field, []))
            inside = None if keyword == "macdef" else found[-1]
        elif inside:
            inside.fields.append(field)
        at = field.end
    return found


def with_entry(text: str, host: str, user: str, password: str) -> str:
    """A file's text with one entry for a host, in the place of its first one or before the default.

    Raises: DokkuError when what stands before it is incomplete and would swallow it.
    """
    entries = parse(text)
    end = next((entry.start for entry in entries if entry.head.keyword == "default"), len(text))
    own = [entry for entry in entries if entry.is_for(host)]
    kept = [entry for entry in own[:1] if entry.start < end]
    text = _cut(text, own[len(kept) :])
    if kept:
        changes = _updates(text, kept[0], host, user, password)
    else:
        new = _entry(host, ("login", user), ("password", password))
        changes = [(end, end, f"{_gap(text[:end], entries)}{new}\n")]
    changed = _changed(text, changes)
    if not _tells(_first(changed, host), user, password):
        raise DokkuError(f"Unable to change {path()}: an entry in it is incomplete")
    return changed


def without(text: str, host: str) -> str:
    """A file's text without the entries of a host."""
    return _cut(text, [entry for entry in parse(text) if entry.is_for(host)])


def quoted(value: str) -> str:
    r"""A value as git, curl and Python's netrc all read it: bare if it can be, else in "" with \\ and \"."""
    if _is_bare(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _is_bare(value: str) -> bool:
    return _PLAIN.fullmatch(value) is not None and value.lower() not in _KEYWORDS


def _field(text: str, keyword: str, at: int) -> Field:
    """A keyword that ends at `at`, with its value."""
    if keyword not in _KEYWORDS or keyword == "default":
        return Field(keyword, "", at, at)
    match = _VALUE.match(text, at)
    if match is None:
        return Field(keyword, "", at, at)
    if keyword == "macdef":
        return Field(keyword, match[1], match.start(1), _end_of_macro(text, match.end()))
    word = match[1]
    is_quoted = len(word) > 1 and word.startswith('"') and word.endswith('"')
    value = re.sub(r"\\(.)", r"\1", word[1:-1]) if is_quoted else word
    return Field(keyword, value, match.start(1), match.end())


def _end_of_macro(text: str, at: int) -> int:
    """A macro lasts up to an empty line."""
    empty = re.compile(r"\n\r?\n").search(text, at)
    return empty.end() if empty else len(text)


def _gap(before: str, entries: list[Entry]) -> str:
    """What has to stand between a text and an entry that follows."""
    line_end = "" if not before or before.endswith("\n") else "\n"
    macro = next((entry for entry in entries if entry.end == len(before)), None)
    if macro and macro.head.keyword == "macdef" and not re.search(r"\n\r?\n\Z", before):
        return f"{line_end}\n"
    return line_end


def _entry(host: str, *fields: tuple[str, str]) -> str:
    lines = [f"machine {quoted(host)}", *(f"  {name} {quoted(value)}" for name, value in fields)]
    return "\n".join(lines)


def _updates(text: str, entry: Entry, host: str, user: str, password: str) -> list[tuple[int, int, str]]:
    """The changes of text that give an entry another name, user and password."""
    new = {"login": user, "password": password}
    own = [field for field in entry.fields if field.keyword in new]
    is_whole = {field.keyword for field in own} == set(new)
    has_comment = _COMMENT_BELOW.match(text, entry.end) is not None
    if not is_whole or (has_comment and not _is_bare(new.get(entry.fields[-1].keyword, "bare"))):
        names = sorted(new, key=lambda name: has_comment and _is_bare(new[name]))
        return [(entry.start, entry.end, _entry(host, *((name, new[name]) for name in names)))]
    values = [(field.start, field.end, quoted(new[field.keyword])) for field in own]
    return [(entry.head.start, entry.head.end, quoted(host)), *values]


def _cut(text: str, entries: list[Entry]) -> str:
    for entry in reversed(entries):
        start, end = _lines_of(text, entry)
        text = text[:start] + text[end:]
    return text


def _lines_of(text: str, entry: Entry) -> tuple[int, int]:
    """Where an entry begins and ends, with the blanks and line ends that are only there for it.

    Blanks at a line's end are: Python's reader takes no comment below them.
    """
    start, end = entry.start, entry.end
    while end < len(text) and text[end] in " \t":
        end += 1
    line = text.rfind("\n", 0, start) + 1
    others = text[line:start].rstrip(" \t")
    ending = re.compile(r"\r?\n|\Z").match(text, end)
    if others:
        return line + len(others) if ending else start, end
    return line, ending.end() if ending else end


def _changed(text: str, changes: list[tuple[int, int, str]]) -> str:
    for start, end, new in sorted(changes, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _first(text: str, host: str) -> Entry | None:
    return next((entry for entry in parse(text) if entry.is_for(host)), None)


def _tells(entry: Entry | None, user: str, password: str) -> bool:
    from hmac import compare_digest  # 5 ms

    told, wanted = (
        "\0".join(pair).encode("utf-8", "surrogateescape")
        for pair in ((entry.login, entry.password) if entry else (), (user, password))
    )
    return compare_digest(told, wanted)


def _rewrite(change: Callable[[str], str]) -> None:
    """Change the file's text; whatever the change, nobody else may read the file afterwards."""
    with files.locked(path()):
        old = _read()
        new = change(old)
        try:
            if new != old:
                files.replace(path(), new, _MODE)
            elif os.path.exists(path()):
                os.chmod(path(), _MODE)
        except OSError as error:
            raise DokkuError(f"Unable to write {path()}: {error.strerror}") from error


def _read() -> str:
    """The text of the file. Raises: DokkuError when something else is in its place."""
    try:
        if not stat.S_ISREG(os.lstat(path()).st_mode):
            raise DokkuError(f"{path()} is not a regular file")
        return files.read(path())
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise DokkuError(f"Unable to read {path()}: {error.strerror}") from error
