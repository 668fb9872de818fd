"""What JSON has to look like: shapes, and the first place where a value has another one.

A shape is a type; a tuple of the texts there are to choose from; a list with the shape of the elements; a
dict with shapes by key, `key!` for one that must be there; AnyKey for keys of the author's choice; Either; a
Rule for the values of a shape. null counts as absent, and what a shape does not name may be anything.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from lib.app.json_text import Node, plain
from lib.base.errors import DokkuError
from lib.base.values import printable

_NAMES = {str: "a text", bool: "true or false", int: "a whole number", dict: "an object", list: "a list"}
_MOST = 2**31 - 1


class AnyKey(NamedTuple):
    """An object. accepts: which keys there may be; what: what such a key is called."""

    shape: Any
    accepts: Callable[[str], bool]
    what: str


class Either(NamedTuple):
    first: Any
    second: Any


class Rule(NamedTuple):
    """accepts: which of the values of a shape there may be; what: what such a value must be."""

    shape: Any
    accepts: Callable[[Any], object]
    what: str


def verify(node: Node, shape: Any, path: str = "") -> None:
    """Raises: DokkuError naming the line and the key of the first value that has another shape."""
    if node.value is None:
        return
    match shape:
        case AnyKey():
            _verify_keys(node, shape, path)
        case Either(first, second):
            verify(node, second if isinstance(node.value, dict) else first, path)
        case Rule(inner, accepts, what):
            verify(node, inner, path)
            if not accepts(plain(node)):
                raise _refused(node, path, what)
        case tuple():
            if node.value not in shape:
                raise _refused(node, path, f"one of {', '.join(shape)}")
        case dict():
            _verify_members(node, shape, path)
        case list():
            _verify_type(node, list, path)
            for index, element in enumerate(node.value):
                verify(element, shape[0], f"{path}[{index}]")
        case _:
            _verify_type(node, shape, path)


def _verify_keys(node: Node, shape: AnyKey, path: str) -> None:
    _verify_type(node, dict, path)
    for key, value in node.value.items():
        if not shape.accepts(key):
            raise DokkuError(f"line {value.line}: {path}.{printable(key)} is no {shape.what}")
        verify(value, shape.shape, _below(path, key))


def _verify_members(node: Node, shape: dict[str, Any], path: str) -> None:
    _verify_type(node, dict, path)
    for name, inner in shape.items():
        key = name.rstrip("!")
        value = node.value.get(key, Node(None, node.line))
        if name != key and value.value in (None, ""):
            raise DokkuError(f"line {node.line}: {_below(path, key)} is missing")
        verify(value, inner, _below(path, key))


def _verify_type(node: Node, type_: type, path: str) -> None:
    found = type(node.value)
    if found is not type_:
        raise _refused(node, path, _NAMES[type_])
    if type_ is int and not 0 <= node.value <= _MOST:
        raise _refused(node, path, "0 or more")
    if type_ is str and "\0" in node.value:
        raise _refused(node, path, "a text without NUL")


def _refused(node: Node, path: str, wanted: str) -> DokkuError:
    return DokkuError(f"line {node.line}: {path or 'it'} must be {wanted}")


def _below(path: str, key: str) -> str:
    return f"{path}.{printable(key)}" if path else printable(key)
