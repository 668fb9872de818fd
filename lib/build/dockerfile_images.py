"""The images that a Dockerfile names: FROM, COPY --from, RUN --mount=from=, ONBUILD and the syntax directive.

Releases of docker differ in how they read continuation lines and escapes. A text is read in each of these
ways, and all the images count. BuildKit of docker 20.10 takes the text of a heredoc for instructions, where
others have scripts: what is named there counts if it is surely an image's name.
Source: github.com/moby/buildkit frontend/dockerfile: parser, shell, instructions; moby builder/dockerfile.
"""

import itertools
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from lib.base.errors import DokkuError
from lib.build import dockerfile_words

_BLANKS = re.compile(r"[\t\v\f\r ]+")
_ESCAPE = re.compile(r"^\s*#\s*escape\s*=\s*`", re.IGNORECASE | re.MULTILINE)
_SYNTAX = re.compile(r"\s*(?:#|//)\s*syntax\s*=\s*(\S+)", re.IGNORECASE)
_HEREDOC = re.compile(r"(?:^|\s)[0-9]*<<(-?)(['\"]?)([^<\s'\"]+)\2(?=\s|$)")
_QUOTING = str.maketrans("", "", "'\"\\`")
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}


class Use(NamedTuple):
    """line: where, 0 for none. what: as the Dockerfile has it, `COPY --from`. is_sure: it is nothing else."""

    image: str
    line: int
    what: str
    is_sure: bool = True


class _Way(NamedTuple):
    """One way to read. doubled: an escape before an escape at a line's end does not continue the line."""

    escape: str
    doubled: bool
    heredocs: bool


class _Instruction(NamedTuple):
    """readings: its flags, and the text after them, as releases of docker read them."""

    name: str
    line: int
    readings: list[tuple[list[str], str]]
    text: str


def uses(text: str, arguments: Mapping[str, str], with_buildkit: bool) -> list[Use]:
    """Every image that a build may take something from. arguments: those of --build-arg.

    Raises: DokkuError where the name of one can't be told before the build.
    """
    text = text.removeprefix("\ufeff")
    escapes = ["\\", *(["`"] if _ESCAPE.search(text) else [])]
    both = (True, False)
    found = list(_frontends(text)) if with_buildkit else []
    for way in itertools.product(escapes, both, (with_buildkit, False)):
        known = _platform() if with_buildkit else {}
        found += _uses(text, _Way(*way), arguments, known, is_sure=way[-1] == with_buildkit)
    return list(dict.fromkeys(found))


def triggered(lines: Iterable[str]) -> list[Use]:
    """Every image that the ONBUILD instructions of an image take something from. Raises: as `uses`."""
    found = [use for line in lines for use in _of_instruction(_instruction(line, 0), ())]
    return list(dict.fromkeys(found))


def _uses(
    text: str, way: _Way, arguments: Mapping[str, str], known: dict[str, str], is_sure: bool
) -> Iterator[Use]:
    """known: the predefined arguments, then those of the text, too."""
    stages: set[str] = set()
    for number, line in _logical_lines(text, way):
        try:
            for use in _of_line(_instruction(line, number), stages, way.escape, arguments, known):
                yield use._replace(is_sure=use.is_sure and is_sure)
        except DokkuError:
            if is_sure:
                raise


def _of_line(
    instruction: _Instruction,
    stages: set[str],
    escape: str,
    arguments: Mapping[str, str],
    known: dict[str, str],
) -> Iterator[Use]:
    """The images of an instruction; what it means to the next ones goes into stages and known."""
    if instruction.name == "ARG" and not stages:
        _learn(instruction, known, arguments, escape)
    elif instruction.name == "FROM":
        words: list[str] = []
        for _, rest in instruction.readings:
            words = _BLANKS.split(rest)
            image = _expanded(words[0], known, escape, instruction)
            yield from _named(image, instruction, "FROM", stages)
        stages.add(str(len([stage for stage in stages if stage.isdigit()])))
        if len(words) == 3 and words[1].lower() == "as":
            stages.add(words[2].lower())
    else:
        yield from _of_instruction(instruction, stages)


def _learn(
    instruction: _Instruction, known: dict[str, str], arguments: Mapping[str, str], escape: str
) -> None:
    """Take in what an ARG before the first stage says."""
    for word in dockerfile_words.split(instruction.text, escape):
        key, equals, value = word.partition("=")
        if key in arguments:
            known[key] = arguments[key]
        elif equals:
            known[key] = _expanded(value, known, escape, instruction)


def _expanded(word: str, known: Mapping[str, str], escape: str, instruction: _Instruction) -> str:
    try:
        if not instruction.text.replace("\t", " ").isprintable() or (
            instruction.name == "FROM" and not instruction.text.isascii()
        ):
            raise ValueError(word)
        return dockerfile_words.expanded(word, known, escape)
    except ValueError:
        raise _unknown(instruction) from None


def _of_instruction(instruction: _Instruction, stages: Iterable[str]) -> Iterator[Use]:
    """The images of an instruction that is none of FROM and ARG."""
    if "from" not in instruction.text.translate(_QUOTING).lower():
        return
    for flags, rest in instruction.readings:
        if instruction.name == "ONBUILD":
            yield from _of_instruction(_instruction(rest, instruction.line), stages)
        for flag in flags:
            if instruction.name in ("COPY", "RUN") and not (flag.isascii() and flag.isprintable()):
                raise _unknown(instruction)
            key, _, value = flag.partition("=")
            if instruction.name == "COPY" and key == "--from":
                yield from _literal(value, instruction, "COPY --from", stages)
            elif instruction.name == "RUN" and key == "--mount":
                for field in _fields(value, instruction):
                    option, _, source = field.partition("=")
                    if option.strip().lower() == "from":
                        yield from _literal(source, instruction, "RUN --mount", stages)


def _literal(image: str, instruction: _Instruction, what: str, stages: Iterable[str]) -> Iterator[Use]:
    """What stands where no variables are: docker itself refuses them there, or takes them as they are."""
    if set(image) & set("$'\"\\`"):
        raise _unknown(instruction)
    yield from _named(image, instruction, what, stages)


def _named(image: str, instruction: _Instruction, what: str, stages: Iterable[str]) -> Iterator[Use]:
    if image not in ("scratch", ""):
        yield Use(image, instruction.line, what, image.lower() not in stages)


def _logical_lines(text: str, way: _Way) -> Iterator[tuple[int, str]]:
    """Instructions, each as one line, with the number of its first one."""
    escape = re.escape(way.escape)
    continued = re.compile(rf"(?<!{escape}){escape}[ \t]*$" if way.doubled else rf"{escape}[ \t]*$")
    lines = iter(list(enumerate((line.removesuffix("\r") for line in text.split("\n")), 1)))
    for number, first in lines:
        line = first.lstrip()
        if line.startswith("#"):
            continue
        whole, more = continued.sub("", line), continued.search(line)
        while more and (following := next(lines, None)):
            if following[1].strip() and not following[1].lstrip().startswith("#"):
                more = continued.search(following[1])
                whole += continued.sub("", following[1])
        if not whole.strip():
            continue
        yield number, whole
        if way.heredocs and _BLANKS.split(whole.strip())[0].upper() in ("RUN", "COPY", "ADD", "ONBUILD"):
            for tabs, _, end in _HEREDOC.findall(whole):
                _pass_heredoc(lines, bool(tabs), end)


def _pass_heredoc(lines: Iterator[tuple[int, str]], tabs: bool, end: str) -> None:
    for _, line in lines:
        if (line.lstrip("\t") if tabs else line) == end:
            return


def _instruction(line: str, number: int) -> _Instruction:
    name, *rest = _BLANKS.split(line.strip(), maxsplit=1)
    text = rest[0].strip() if rest else ""
    readings = [dockerfile_words.flags(text), dockerfile_words.flags(text, loose=True)]
    return _Instruction(name.upper(), number, readings if readings[0] != readings[1] else readings[:1], text)


def _fields(value: str, instruction: _Instruction) -> list[str]:
    import csv

    try:
        return next(csv.reader([value], strict=True), [])
    except csv.Error:
        raise _unknown(instruction) from None


def _frontends(text: str) -> Iterator[Use]:
    """The program that BuildKit is to read the file by: it may take from any image."""
    for number, line in enumerate(text.split("\n"), 1):
        match = _SYNTAX.match(line)
        if match:
            yield Use(match[1], number, "syntax")
        elif line.lstrip().startswith("{"):
            raise _unknown(_instruction("syntax", number))
        elif line.strip() and not line.lstrip().startswith(("#", "//")):
            return


def _platform() -> dict[str, str]:
    machine = _MACHINES.get(os.uname().machine, os.uname().machine)
    parts = {"PLATFORM": f"linux/{machine}", "OS": "linux", "ARCH": machine, "VARIANT": "", "OSVERSION": ""}
    return {f"{which}{part}": value for which in ("TARGET", "BUILD") for part, value in parts.items()}


def _unknown(instruction: _Instruction) -> DokkuError:
    where = f"Dockerfile, line {instruction.line}" if instruction.line else "ONBUILD of a base image"
    return DokkuError(f"{where}: the image that {instruction.name} names can't be told before the build")
