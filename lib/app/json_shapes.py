"""What JSON has to look like: shapes, what does not fit is dropped or refused, by line and key.

A shape is a type; a tuple of the texts there are to choose from; a list with the shape of the elements; a
dict with shapes by key, `key!` for one that must be there; AnyKey for keys of the author's choice; Either; a
Rule for the values of a shape; Lenient, Text and ANY. null counts as absent. A key that differs only in case
from a known one is that one, as Go reads it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from lib.app.json_text import Node, plain
from lib.base.errors import DokkuError
from lib.base.values import printable

ANY = object()
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


class Lenient(NamedTuple):
    """A shape; a value that has another one is noted and counts as absent. is_kept: it stays as it is."""

    shape: Any
    is_kept: bool = False


class Text(NamedTuple):
    """A text; numbers, true and false are read as one, and noted."""


def fitted(node: Node, shape: Any, notes: list[str], path: str = "") -> Node:
    """Return a node as its shape has it: known keys under their own names, lenient misfits as null.

    notes: takes a line for each value that is ignored. Raises: DokkuError naming the line and the key of the
    first other value that does not fit.
    """
    if node.value is None or shape is ANY:
        return node
    match shape:
        case Lenient():
            return _leniently(node, shape, notes, path)
        case AnyKey():
            return _fit_keys(node, shape, notes, path)
        case Either(first, second):
            return fitted(node, second if isinstance(node.value, dict) else first, notes, path)
        case Rule(inner, accepts, what):
            found = fitted(node, inner, notes, path)
            if found.value is not None and not accepts(plain(found)):
                raise _refused(node, path, what)
            return found
        case Text():
            return _text(node, notes, path)
        case tuple():
            if node.value not in shape:
                raise _refused(node, path, f"one of {', '.join(shape)}")
        case dict():
            return _fit_members(node, shape, notes, path)
        case list():
            return _fit_elements(node, shape, notes, path)
        case _:
            return _typed(node, shape, notes, path)
    return node


def _leniently(node: Node, shape: Lenient, notes: list[str], path: str) -> Node:
    try:
        return fitted(node, shape.shape, notes, path)
    except DokkuError as error:
        notes.append(f"{error.text}; ignored")
        return node if shape.is_kept else Node(None, node.line)


def _fit_keys(node: Node, shape: AnyKey, notes: list[str], path: str) -> Node:
    node = _typed(node, dict, notes, path)
    found = {}
    for key, value in (node.value or {}).items():
        if shape.accepts(key):
            found[key] = fitted(value, shape.shape, notes, _below(path, key))
            continue
        problem = f"line {value.line}: {_below(path, key)} is no {shape.what}"
        if not isinstance(shape.shape, Lenient):
            raise DokkuError(problem)
        notes.append(f"{problem}; ignored")
    return Node(found, node.line)


def _fit_members(node: Node, shape: dict[str, Any], notes: list[str], path: str) -> Node:
    node = _typed(node, dict, notes, path)
    if node.value is None:
        return node
    names = {name.rstrip("!").casefold(): name.rstrip("!") for name in shape}
    found: dict[str, Node] = {}
    for key, value in node.value.items():
        name = names.get(key.casefold(), "")
        if not name:
            notes.append(f"line {value.line}: {_below(path, key)} is not a known key; ignored")
        if value.value is not None or not name or name not in found:
            found[name or key] = value
        if name and not path and value.value is None:
            notes.append(f"line {value.line}: {name} is null; ignored")
    for name, inner in shape.items():
        key = name.rstrip("!")
        value = found.get(key, Node(None, node.line))
        if name != key and value.value in (None, ""):
            raise DokkuError(f"line {node.line}: {_below(path, key)} is missing")
        if key in found:
            found[key] = fitted(value, inner, notes, _below(path, key))
    return Node(found, node.line)


def _fit_elements(node: Node, shape: list[Any], notes: list[str], path: str) -> Node:
    node = _typed(node, list, notes, path)
    found = [
        fitted(value, shape[0], notes, f"{path}[{index}]") for index, value in enumerate(node.value or [])
    ]
    return node if node.value is None else Node(found, node.line)


def _text(node: Node, notes: list[str], path: str) -> Node:
    if isinstance(node.value, bool | int | float):
        written = str(node.value).lower() if isinstance(node.value, bool) else str(node.value)
        notes.append(f'line {node.line}: {path} is read as the text "{written}"')
        return Node(written, node.line)
    return _typed(node, str, notes, path)


def _typed(node: Node, type_: type, notes: list[str], path: str) -> Node:
    """The node, when it has the type; null in place of another type's empty value below the top."""
    found = type(node.value)
    if found is not type_ and type_ in (dict, list) and path and node.value in ("", [], {}):
        notes.append(f"line {node.line}: {path} is empty; ignored")
        return Node(None, node.line)
    if found is not type_:
        raise _refused(node, path, _NAMES[type_])
    if type_ is int and not 0 <= node.value <= _MOST:
        raise _refused(node, path, "0 or more")
    if type_ is str and "\0" in node.value:
        raise _refused(node, path, "a text without NUL")
    return node


def _refused(node: Node, path: str, wanted: str) -> DokkuError:
    return DokkuError(f"line {node.line}: {path or 'it'} must be {wanted}")


def _below(path: str, key: str) -> str:
    return f"{path}.{printable(key)}" if path else printable(key)
