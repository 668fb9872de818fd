"""What an app's own template may cost: nginx's workers, and the memory of the host, are everybody's.

One request must not make a text of gigabytes or keep a worker busy for minutes. So variables may be copied
into others only so often, zones share one limit, and each regular expression ends after some steps: where it
has not matched by then nginx answers with an error.
Source: pcre2pattern(3), (*LIMIT_MATCH=); nginx makes at most 10 internal redirects of a request.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from lib.base.errors import DokkuError
from lib.proxy.template_names import ZONE, refusal
from lib.tools import nginx_syntax
from lib.tools.nginx_syntax import Directive

_ZONES = 256 << 20  # bytes of all zones
_PATTERNS, _STEPS, _LEAST_STEPS = 2000, 2_000_000, 1000  # of all regular expressions; steps of one
_COPIES, _ALL_COPIES = 256, 1000  # of values of a request: in one word, and where one location is
_VALUE = 8192  # bytes: what a header has room for
_BODY = 16  # copies that one of the body counts for

_OWN_LIMIT = "(*LIMIT_"
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
_GROUP = re.compile(r"\(\?(?:P?<|')(\w+)[>']")
_SIZE = re.compile(r":?([0-9]+)([kKmM]?)")
_FACTORS = {"": 0, "k": 10, "m": 20}
_PLACES = ("server", "location")
_TESTS = ("~", "~*", "!~", "!~*")
_URI, _ARGS, _FOUND = "uri", "args", "1"  # _FOUND: what a regular expression has found
_ALIASES = {"document_uri": _URI, "request_filename": _URI, "query_string": _ARGS}
_TOUCHING = re.compile(r"\(\?(?:<?[=!])")  # groups of these may find what others find
_AFTER_TILDE = re.compile(r"~\*?")


class _Text(NamedTuple):
    """What a variable is made of: how often of which others; bytes of its own."""

    variable: str
    parts: Mapping[str, int]
    size: int
    one: Directive


def verify(tree: Sequence[Directive]) -> None:
    """Raises: DokkuError that begins with the line, for what takes too much."""
    _verify_zones(tree)
    _verify_copies(tree)
    patterns = [(one, pattern) for one in nginx_syntax.walk(tree) for pattern in _patterns(one)]
    if len(patterns) > _PATTERNS:
        raise refusal(patterns[_PATTERNS][0], f"{_PATTERNS} regular expressions are the most")
    for one, pattern in patterns:
        if _OWN_LIMIT in pattern:  # of two, the last counts
            raise refusal(one, "the steps of a regular expression are limited already")


def limited(tree: Sequence[Directive]) -> tuple[Directive, ...]:
    """The tree with regular expressions that give up after some steps, the earlier the more there are."""
    count = sum(len(_places(one)) for one in nginx_syntax.walk(tree))
    limit = f"(*LIMIT_MATCH={max(_LEAST_STEPS, _STEPS // max(count, 1))})"
    return tuple(_limited(one, limit) for one in tree)


def _limited(one: Directive, limit: str) -> Directive:
    words = list(one.words)
    for number, at in _places(one):
        if number >= 0:
            words[number] = words[number][:at] + limit + words[number][at:]
    if one.block is None:
        return one._replace(words=tuple(words))
    if one.name != "map":
        inner = [_limited(inside, limit) for inside in one.block]
    else:
        inner = [_entry(entry, limit) for entry in one.block]
    return one._replace(words=tuple(words), block=tuple(inner))


def _entry(entry: Directive, limit: str) -> Directive:
    tilde = _AFTER_TILDE.match(entry.name)
    if not tilde:
        return entry
    key = entry.name[: tilde.end()] + limit + entry.name[tilde.end() :]
    return entry._replace(words=(key, *entry.arguments))


def _places(one: Directive) -> list[tuple[int, int]]:
    """Where regular expressions begin: number of the word, -1 for an entry of a map, and place in it."""
    words = one.words
    if one.name == "map":
        return [(-1, 0) for entry in one.inside if entry.name.startswith("~")]
    if one.name in ("rewrite", "fastcgi_split_path_info"):
        return [(1, 0)] if len(words) > 1 else []
    if one.name == "gzip_disable":
        return [(number, 0) for number in range(1, len(words)) if words[number] != "msie6"]
    if one.name == "if":
        return [(number + 1, 0) for number in range(1, len(words) - 1) if words[number] in _TESTS][:1]
    if one.name == "location" and words[1:2] in (("~",), ("~*",)):
        return [(2, 0)] if len(words) > 2 else []
    is_of_proxy = one.name.endswith(("_redirect", "_cookie_domain", "_cookie_path", "_cookie_flags"))
    if one.name not in ("location", "valid_referers") and not is_of_proxy:
        return []
    found = ((number, _AFTER_TILDE.match(word)) for number, word in enumerate(words) if number)
    return [(number, tilde.end()) for number, tilde in found if tilde]


def _patterns(one: Directive) -> list[str]:
    """The regular expressions of a directive."""
    if one.name == "map":
        return [entry.name for entry in one.inside if entry.name.startswith("~")]
    return [one.words[number][at:] for number, at in _places(one)]


def _verify_zones(tree: Sequence[Directive]) -> None:
    sizes: dict[str, int] = {}
    for one in nginx_syntax.walk(tree):
        for name, size in _zones(one):
            sizes[name] = max(size, sizes.get(name, 0))
        if sum(sizes.values()) > _ZONES:
            raise refusal(one, f"all zones together have at most {_ZONES >> 20}m")


def _zones(one: Directive) -> Iterator[tuple[str, int]]:
    if one.name == "zone" and len(one.words) > 2:
        yield one.words[1], _bytes(one.words[2])
    elif one.name == "ssl_session_cache" or one.name.endswith(("_zone", "_cache_path")):
        for word in one.arguments:
            if found := ZONE.fullmatch(word):
                yield found["name"], _bytes(found["size"] or "")


def _bytes(text: str) -> int:
    found = _SIZE.match(text)
    return int(found[1]) << _FACTORS[found[2].lower()] if found else 0


def _verify_copies(tree: Sequence[Directive]) -> None:
    """Raises: DokkuError where values of a request would be copied too often, into variables or elsewhere."""
    touches = any(_touches(pattern) for one in nginx_syntax.walk(tree) for pattern in _patterns(one))
    texts = [text for one in nginx_syntax.walk(tree) for text in _texts(one, touches)]
    _add_up(tree, 0, _weights(texts))


def _add_up(block: Sequence[Directive], copies: int, weights: Mapping[str, int]) -> None:
    """Raises: DokkuError for a location or server with too many. copies: around the block."""
    for one in block:
        inner = [one] if one.name in _PLACES else [*nginx_syntax.walk([one])]
        for word in (word for each in inner for word in each.words):
            here = sum(weights.get(name, 1) * count for name, count in _variables(word, touches=True).items())
            copies += 0 if one.name == "map" else here
            if here > _COPIES or copies > _ALL_COPIES:
                raise _too_many(one)
    for one in block:
        if one.name in _PLACES:
            _add_up(one.inside, copies, weights)


def _weights(texts: Sequence[_Text]) -> dict[str, int]:
    """How many copies of values of a request each variable may hold. Raises: DokkuError, for too many."""
    made: dict[str, list[_Text]] = {}
    for text in texts:
        made.setdefault(text.variable, []).append(text)
    below = {
        name: {part for text in found for part in text.parts if part in made} for name, found in made.items()
    }
    reach = _closure(below)
    weights = {"request_body": _BODY}
    while left := [name for name in made if name not in weights]:
        name = next(one for one in left if all(part in weights or one in reach[part] for part in reach[one]))
        circle = {name, *(part for part in reach[name] if name in reach[part])}
        weights.update(dict.fromkeys(circle, _weight(circle, made, reach, weights)))
    return weights


def _weight(
    circle: Collection[str],
    made: Mapping[str, Sequence[_Text]],
    reach: Mapping[str, Collection[str]],
    weights: Mapping[str, int],
) -> int:
    """Of variables that are made of one another, or of one that is not: then its largest text counts."""
    found = [0]
    for text in (text for name in circle for text in made[name]):
        again = sum(count for part, count in text.parts.items() if part in circle)
        if again > 1:  # it would double each time
            raise refusal(text.one, "a variable may not be made of more than one copy of itself")
        others = sum(weights.get(part, 1) * count for part, count in text.parts.items() if part not in circle)
        found.append(others + text.size // _VALUE)
    is_circle = any(name in reach[name] for name in circle)
    weight = max(1, sum(found) if is_circle else max(found))
    if weight > _COPIES:
        raise _too_many(made[next(iter(circle))][0].one)
    return weight


def _closure(below: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """All that each name leads to."""
    found: dict[str, set[str]] = {}
    for name in below:
        seen: set[str] = set()
        waiting = [*below[name]]
        while waiting:
            part = waiting.pop()
            if part not in seen:
                seen.add(part)
                waiting += below[part]
        found[name] = seen
    return found


def _texts(one: Directive, touches: bool) -> Iterator[_Text]:
    """What a directive makes variables of; the uri and its arguments are variables, too."""
    if one.name in ("set", "auth_request_set") and len(one.words) > 2:
        yield _text(_own(one.words[1][1:].lower()), one.words[2], one, touches)
    elif one.name == "map" and len(one.words) > 2:
        for entry in one.inside:
            yield from (_text(_own(one.words[2][1:].lower()), word, one, touches) for word in entry.arguments)
            if entry.name.startswith("~"):
                yield from (_text(name, one.words[1], one) for name in (_FOUND, *_GROUP.findall(entry.name)))
    elif one.name == "rewrite" and len(one.words) > 2 and not _is_redirect(one):
        yield from _rewritten(one)
    elif one.name in ("try_files", "error_page"):
        for word in one.arguments:
            path, _, args = word.partition("?")
            yield _text(_URI, path, one)
            yield _text(_ARGS, args, one)
    for number, at in _places(one):
        if one.name != "map":
            source = " ".join(one.words[1:number]) if one.name == "if" else f"${_URI}"
            names = _GROUP.findall(one.words[number][at:])
            yield from (_text(name, source, one) for name in (_FOUND, *names))


def _is_redirect(one: Directive) -> bool:
    """Whether the request ends there."""
    return one.words[3:] in (("redirect",), ("permanent",)) or one.words[2].startswith(
        ("http://", "https://")
    )


def _rewritten(one: Directive) -> Iterator[_Text]:
    """The uri and the arguments, which nginx adds to those that there were."""
    path, _, args = one.words[2].partition("?")
    for variable, word in ((_URI, path), (_ARGS, args)):
        parts = _variables(word, _touches(one.words[1]))
        parts[_URI] += parts.pop(_FOUND, 0)
        if variable == _ARGS and not word.endswith("?"):
            parts[_ARGS] += 1
        yield _Text(variable, parts, len(word), one)


def _touches(pattern: str) -> bool:
    """Whether two groups of a pattern may find the same: one in the other, or by looking ahead."""
    depth = deepest = 0
    opened: list[bool] = []
    for token in re.findall(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?(?!P?<\w|'))?|\)", pattern, re.DOTALL):
        if token.startswith("("):
            opened.append(token == "(")
            depth += opened[-1]
            deepest = max(deepest, depth)
        elif token == ")" and opened:
            depth -= opened.pop()
    return deepest > 1 or _TOUCHING.search(pattern) is not None


def _text(variable: str, word: str, one: Directive, touches: bool = True) -> _Text:
    return _Text(variable, _variables(word, touches), len(word), one)


def _variables(word: str, touches: bool) -> Counter[str]:
    """How often a text has which variable. touches: whether two groups may have found the same."""
    if "$" not in word:
        return Counter()
    names = [(found[1] or found[2]).lower() for found in _VARIABLE.finditer(word)]
    found = Counter(map(_own, names))
    if found[_FOUND] and not touches:
        found[_FOUND] = max(Counter(name for name in names if name.isdigit()).values())
    return found


def _own(name: str) -> str:
    """The variable that a name in small letters means."""
    if name.isdigit():
        return _FOUND
    return _ARGS if name.startswith("arg_") else _ALIASES.get(name, name)


def _too_many(one: Directive) -> DokkuError:
    return refusal(one, "values of a request are copied too often")
