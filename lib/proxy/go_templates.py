"""Go templates, as the program sigil has them, rendered: what apps bring as nginx.conf.sigil is one.

A template comes from whoever wrote the app, so it sees its values and nothing else, and it can't use up the
machine: steps, sizes and depth are limited.
Source: Go's text/template; gliderlabs/sigil 0.11.
"""

import collections
from collections.abc import Mapping
from typing import NamedTuple

from lib.base import values
from lib.base.errors import DokkuError
from lib.proxy import go_template_parsing as parsing
from lib.proxy.go_template_functions import FUNCTIONS, LARGEST, Function, Value, lookup, shown, size
from lib.proxy.go_template_parsing import Block, Command, Dot, Literal, Node, Operand, Path, Pipeline, Text

STEPS = 100_000
LONGEST = 1024 * 1024  # characters of the whole
_LAZY = {"and": Function(lambda: None, 1), "or": Function(lambda: None, 1)}


class _Run(NamedTuple):
    """scopes: the variables, the innermost last. used: steps and characters so far. parts: the result."""

    functions: Mapping[str, Function]
    scopes: list[dict[str, Value]]
    used: collections.Counter[str]
    parts: list[str]


def render(source: str, variables: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """The text that a template gives. variables: `.NAME`, `$.NAME` and `$NAME`; environment: `var "NAME"`.

    Raises: DokkuError that begins with the line, for what is no template and for what we do not support.
    """
    functions = {**FUNCTIONS, **_LAZY, "var": lookup({**environment, **variables})}
    joined = source.replace("\\}}\n{{", "}}{{")
    nodes = parsing.parse(joined, functions, variables)
    run = _Run(functions, [{"": dict(variables), **variables}], collections.Counter(), [])
    _render(nodes, run, dict(variables))
    return "".join(run.parts)


def _error(line: int, problem: str) -> DokkuError:
    return DokkuError(f"line {line}: {values.printable(problem[:200])}")


def _render(nodes: tuple[Node, ...], run: _Run, dot: Value) -> None:
    for node in nodes:
        if isinstance(node, Text):
            _say(node.text, 0, run)
        elif isinstance(node, Block):
            run.scopes.append({})
            _render_block(node, run, dot)
            run.scopes.pop()
        else:
            value = _pipeline(node, run, dot)
            _assign(node, value, run)
            if not node.variables:
                _say(shown(value, "<no value>"), node.line, run)


def _spend(steps: int, line: int, run: _Run) -> None:
    run.used["steps"] += steps
    if run.used["steps"] > STEPS:
        raise _error(line, f"more than {STEPS} steps")


def _say(text: str, line: int, run: _Run) -> None:
    run.used["characters"] += len(text)
    if run.used["characters"] > LONGEST:
        raise _error(line, f"more than {LONGEST} characters")
    run.parts.append(text)


def _render_block(block: Block, run: _Run, dot: Value) -> None:
    value = _pipeline(block.pipeline, run, dot)
    if block.kind == "range":
        _render_range(block, value, run, dot)
        return
    _assign(block.pipeline, value, run)
    inner = value if block.kind == "with" and value else dot
    _render_branch(block.body if value else block.otherwise, run, inner)


def _render_range(block: Block, value: Value, run: _Run, dot: Value) -> None:
    if isinstance(value, dict):
        pairs: list[tuple[Value, Value]] = sorted(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    elif value is None:
        pairs = []
    else:
        raise _error(block.pipeline.line, f"range over {shown(value)}, which is no list")
    for key, element in pairs:
        _spend(1, block.pipeline.line, run)
        names = block.pipeline.variables
        given = (key, element) if len(names) == 2 else (element,)
        for name, part in zip(names, given, strict=False):
            _set(name, part, block.pipeline.declares, run)
        _render_branch(block.body, run, element)
    if not pairs:
        _render_branch(block.otherwise, run, dot)


def _render_branch(nodes: tuple[Node, ...], run: _Run, dot: Value) -> None:
    run.scopes.append({})
    _render(nodes, run, dot)
    run.scopes.pop()


def _assign(pipeline: Pipeline, value: Value, run: _Run) -> None:
    if len(pipeline.variables) > 1:
        raise _error(pipeline.line, "two variables outside of range")
    for name in pipeline.variables:
        _set(name, value, pipeline.declares, run)


def _set(name: str, value: Value, declares: bool, run: _Run) -> None:
    scope = run.scopes[-1] if declares else next(one for one in reversed(run.scopes) if name in one)
    scope[name] = value


def _pipeline(pipeline: Pipeline, run: _Run, dot: Value) -> Value:
    first, *others = pipeline.commands
    value = _command(first, (), run, dot)
    for command in others:
        value = _command(command, (Literal(value),), run, dot)
    return value


def _command(command: Command, piped: tuple[Literal, ...], run: _Run, dot: Value) -> Value:
    _spend(1, command.line, run)
    if not command.function:
        return _value(command.operands[0], command.line, run, dot)
    operands = (*command.operands, *piped)
    function = run.functions[command.function]
    if not function.least <= len(operands) <= function.most:
        raise _error(command.line, f"{command.function} with {len(operands)} arguments")
    if command.function in _LAZY:
        return _first_that_decides(command, operands, run, dot)
    arguments = [_value(operand, command.line, run, dot) for operand in operands]
    try:
        value = function.call(*arguments)
    except ValueError as error:
        raise _error(command.line, f"{command.function}: {error}") from error
    _spend((size(value) + sum(map(size, arguments))) // 100, command.line, run)
    if size(value) > LARGEST:
        raise _error(command.line, f"{command.function} gives more than {LARGEST} characters")
    return value


def _first_that_decides(command: Command, operands: tuple[Operand, ...], run: _Run, dot: Value) -> Value:
    value: Value = None
    for operand in operands:
        value = _value(operand, command.line, run, dot)
        if bool(value) == (command.function == "or"):
            break
    return value


def _value(operand: Operand, line: int, run: _Run, dot: Value) -> Value:
    if isinstance(operand, Literal):
        return operand.value
    if isinstance(operand, Dot):
        return dot
    if isinstance(operand, Pipeline):
        return _pipeline(operand, run, dot)
    if isinstance(operand, Path):
        return _entry(_value(operand.base, line, run, dot), operand.names, line)
    return next(scope[operand.name] for scope in reversed(run.scopes) if operand.name in scope)


def _entry(value: Value, names: tuple[str, ...], line: int) -> Value:
    for name in names:
        if value is not None and not isinstance(value, dict):
            raise _error(line, f"no .{name} in {shown(value)}")
        value = (value or {}).get(name)
    return value
