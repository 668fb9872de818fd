"""One line of text as words, by the rules of xargs: quotes and backslashes count, nothing is expanded."""

import re

from lib.base.errors import DokkuError

BLANKS = " \t\n\r\v\f"
_PARTS = (r"'[^']*'", r'"(?:[^"\\]|\\.)*"', r"\\.", r"\\\Z", r"""[^\s'"\\]+""")  # \Z: a last backslash
_PART = re.compile("|".join(_PARTS), re.DOTALL | re.ASCII)
_WORD = re.compile(f"(?:{_PART.pattern})+", re.DOTALL | re.ASCII)


def split(text: str) -> list[str]:
    """The words of a line. Inside "" a backslash takes back the meaning of " and of itself only.

    Raises: DokkuError for a quote without its end.
    """
    if _WORD.sub("", text).strip(BLANKS):
        raise DokkuError("Unable to parse command: unmatched quote")
    return ["".join(map(_meant, _PART.findall(word))) for word in _WORD.findall(text)]


def _meant(part: str) -> str:
    if part.startswith("'"):
        return part[1:-1]
    if part.startswith('"'):
        return re.sub(r'\\(["\\])', r"\1", part[1:-1])
    return part[1:] if part.startswith("\\") and len(part) > 1 else part
