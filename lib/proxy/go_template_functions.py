"""What a Go template may call: Go's own functions and those of sigil that touch nothing outside the template.

Each takes and gives plain values; ValueError says what is wrong with its arguments.
Source: Go's text/template/funcs.go; gliderlabs/sigil 0.11 builtin.
"""

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

Value = Any  # str, int, bool, None, or a list or dict of these

_VERB = re.compile(r"%([-+ #0]*)([0-9]{0,3})(?:\.([0-9]{1,3}))?(.)", re.DOTALL)
_MOST_NUMBERS = 10_000
LARGEST = 64 * 1024  # characters of a text, or of all that is in a list


class Function(NamedTuple):
    """least, most: how many arguments it takes."""

    call: Callable[..., Value]
    least: int
    most: int = 100


def shown(value: Value, nothing: str = "<nil>") -> str:
    """A value as Go writes it. nothing: what stands for no value at all."""
    if value is None:
        return nothing
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{shown(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(shown, value))}]"
    return str(value)


def size(value: Value) -> int:
    """How many characters there are in a value, and at least one for each item of a list."""
    if isinstance(value, dict):
        return sum(len(key) + 1 + size(value[key]) for key in value)
    if isinstance(value, list):
        return sum(size(item) + 1 for item in value)
    return len(value) if isinstance(value, str) else 1


def lookup(known: Mapping[str, str]) -> Function:
    """`var`: the value of a name; an unknown one is empty."""
    return Function(lambda name: known.get(_text(name), ""), 1, 1)


def _verify_size(count: int, length: int) -> None:
    """Before a text is made that repeats another."""
    if count * length > LARGEST:
        raise ValueError(f"more than {LARGEST} characters")


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{_kind(value)} instead of a text")
    return value


def _kind(value: Value) -> str:
    names = {str: "a text", bool: "true or false", int: "a number", list: "a list", dict: "a map"}
    return names.get(type(value), "no value")


def _equals(first: Value, *others: Value) -> bool:
    return any(_is_same(first, other) for other in others)


def _is_same(first: Value, second: Value) -> bool:
    if first is None or second is None:
        return first is second
    if type(first) is not type(second) or isinstance(first, list | dict):
        raise ValueError(f"can't compare {_kind(first)} with {_kind(second)}")
    same: bool = first == second
    return same


def _is_less(first: Value, second: Value) -> bool:
    if type(first) is not type(second) or not isinstance(first, str | int) or isinstance(first, bool):
        raise ValueError(f"can't compare {_kind(first)} with {_kind(second)}")
    less: bool = first < second
    return less


def _index(value: Value, *keys: Value) -> Value:
    for key in keys:
        if isinstance(value, dict):
            value = value.get(_text(key))
        elif isinstance(value, list):
            if type(key) is not int or not 0 <= key < len(value):
                raise ValueError(f"no place {shown(key)} in a list of {len(value)}")
            value = value[key]
        else:
            raise ValueError(f"{_kind(value)} instead of a list")
    return value


def _length(value: Value) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogateescape"))
    if isinstance(value, list | dict):
        return len(value)
    raise ValueError(f"{_kind(value)} has no length")


def _print(*values: Value) -> str:
    """Blanks only between two that are no texts, as Go has it."""
    words = [shown(value) for value in values[:1]]
    for before, value in itertools.pairwise(values):
        words.append(
            shown(value) if isinstance(before, str) or isinstance(value, str) else f" {shown(value)}"
        )
    return "".join(words)


def _printf(form: Value, *values: Value) -> str:
    given = list(values)

    def filled(match: re.Match[str]) -> str:
        flags, width, precision, verb = match.groups()
        if verb == "%":
            return "%"
        if not given:
            raise ValueError(f"no value for {match[0]}")
        return _verb(given.pop(0), flags, width, precision, verb)

    text = _VERB.sub(filled, _text(form))
    if given:
        raise ValueError("more values than its text has places for")
    return text


def _verb(value: Value, flags: str, width: str, precision: str | None, verb: str) -> str:
    if verb == "d" and type(value) is int:
        return f"%{flags}{width}{'.' + precision if precision else ''}d" % value
    if verb in "sq" and not isinstance(value, str):
        raise ValueError(f"%{verb} for {_kind(value)}")
    if verb not in "svq" or "#" in flags or (precision and verb == "q"):
        raise ValueError(f"%{flags}{verb} for {_kind(value)}")
    text = shown(value)[: int(precision) if precision else None]
    if verb == "q":
        text = '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return text.ljust(int(width or 0)) if "-" in flags else text.rjust(int(width or 0))


def _default(value: Value, given: Value) -> Value:
    return given or value


def _replace(old: Value, new: Value, text: Value) -> str:
    _verify_size(_text(text).count(_text(old)), len(_text(new)))
    return _text(text).replace(old, new)


def _capitalize(text: Value) -> str:
    return re.sub(r"(?<!\w)\w", lambda match: match[0].upper(), _text(text))


def _indent(by: Value, text: Value) -> str:
    first, *rest = _text(text).split("\n")
    _verify_size(len(rest), len(_text(by)))
    return "\n".join([first, *(_text(by) + line if line else line for line in rest)])


def _substr(places: Value, text: Value) -> str:
    match = re.fullmatch(r"([0-9]{0,9}):([0-9]{1,9})", _text(places))
    if not match:
        raise ValueError("places must be given as start:end")
    start, end = int(match[1] or 0), int(match[2])
    data = _text(text).encode("utf-8", "surrogateescape")
    if not start <= end <= len(data):
        raise ValueError(f"no places {match[0]} in a text of {len(data)}")
    return data[start:end].decode("utf-8", "surrogateescape")


def _split(separator: Value, text: Value) -> list[Value]:
    return _text(text).split(_text(separator)) if _text(separator) else list(_text(text))


def _splitkv(separator: Value, pairs: Value) -> dict[str, Value]:
    split = [(pair, *_text(pair).partition(_text(separator))) for pair in _items(pairs)]
    return {key if found else pair: value if found else True for pair, key, found, value in split}


def _join(separator: Value, items: Value) -> str:
    texts = [item for item in _items(items) if isinstance(item, str)]
    _verify_size(len(texts), len(_text(separator)))
    return str(separator).join(texts)


def _joinkv(separator: Value, pairs: Value) -> list[Value]:
    if not isinstance(pairs, dict):
        raise ValueError(f"{_kind(pairs)} instead of a map")
    _verify_size(len(pairs), len(_text(separator)))
    return [f"{key}{separator}{_text(pairs[key])}" for key in sorted(pairs)]


def _uniq(*lists: Value) -> list[Value]:
    items = itertools.chain.from_iterable(map(_items, lists))
    return list({(type(item), item): item for item in items}.values())


def _seq(number: Value) -> list[Value]:
    digits = str(number) if type(number) is int else _text(number)
    if not re.fullmatch(r"[0-9]{1,5}", digits, re.ASCII) or int(digits) > _MOST_NUMBERS:
        raise ValueError(f"no number from 0 to {_MOST_NUMBERS}")
    return [str(one) for one in range(int(digits))]


def _append(item: Value, items: Value) -> list[Value]:
    if isinstance(item, list | dict):
        raise ValueError(f"{_kind(item)} inside a list")
    return [*_items(items), item]


def _items(value: Value) -> Sequence[Value]:
    if not isinstance(value, list | None):
        raise ValueError(f"{_kind(value)} instead of a list")
    return value or []


FUNCTIONS = {
    "append": Function(_append, 2, 2),
    "capitalize": Function(_capitalize, 1, 1),
    "default": Function(_default, 2, 2),
    "eq": Function(_equals, 2),
    "ge": Function(lambda first, second: not _is_less(first, second), 2, 2),
    "gt": Function(lambda first, second: _is_less(second, first), 2, 2),
    "indent": Function(_indent, 2, 2),
    "index": Function(_index, 1),
    "join": Function(_join, 2, 2),
    "joinkv": Function(_joinkv, 2, 2),
    "le": Function(lambda first, second: not _is_less(second, first), 2, 2),
    "len": Function(_length, 1, 1),
    "lower": Function(lambda text: _text(text).lower(), 1, 1),
    "lt": Function(_is_less, 2, 2),
    "ne": Function(lambda first, second: not _is_same(first, second), 2, 2),
    "not": Function(lambda value: not value, 1, 1),
    "print": Function(_print, 0),
    "printf": Function(_printf, 1),
    "println": Function(lambda *values: " ".join(map(shown, values)) + "\n", 0),
    "replace": Function(_replace, 3, 3),
    "seq": Function(_seq, 1, 1),
    "split": Function(_split, 2, 2),
    "splitkv": Function(_splitkv, 2, 2),
    "substr": Function(_substr, 2, 2),
    "trim": Function(lambda text: _text(text).strip(" \n"), 1, 1),
    "uniq": Function(_uniq, 1),
    "upper": Function(lambda text: _text(text).upper(), 1, 1),
}
