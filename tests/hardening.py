"""The items of hardening.txt and the tests that name them; run as a program, write docs/hardening.md."""

import ast
import functools
import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

TREE = Path(__file__).resolve().parents[1]
LIST, PAGE = TREE / "tests/hardening.txt", TREE / "docs/hardening.md"
COMMAND = ".venv/bin/python -m tests.hardening"
_ID = r"[A-Z]{2,4}-\d+"
_IDS = re.compile(rf"{_ID}(?:, {_ID})*(?=[:.]|$)")


class Item(NamedTuple):
    """One line of the list. open: what no test shows yet."""

    section: str
    id: str
    priority: str
    text: str
    open: str = ""


def items() -> list[Item]:
    """Read the list, in its order."""
    found: list[Item] = []
    section = ""
    for line in LIST.read_text().splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif line.startswith("  open: "):
            said = [found[-1].open, line.removeprefix("  open: ")]
            found[-1] = found[-1]._replace(open="; ".join(filter(None, said)))
        elif line and not line.startswith("#"):
            found.append(Item(section, *line.split(" ", 2)))
    return found


@functools.cache
def named() -> dict[str, list[str]]:
    """Map each ID that stands in front of a test's docstring to `path::test`, in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((TREE / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for id in _ids(ast.get_docstring(node) or ""):
                    found[id].append(f"{path.relative_to(TREE)}::{node.name}")
    return dict(found)


def page() -> str:
    """Return the text of docs/hardening.md."""
    tests, lines, section = named(), [_HEAD, "", "Open:", ""], ""
    lines += [f"- {item.id}: {item.open}." for item in items() if item.open]
    for item in items():
        if item.section != section:
            section = item.section
            lines += [f"\n## {section}\n", "| ID | | What must hold | Shown by |", "|---|---|---|---|"]
        shown = [f"`{test}`" for test in tests.get(item.id, [])]
        shown += [f"open: {item.open}"] if item.open else []
        lines += [f"| {item.id} | {item.priority} | {item.text} | {'<br>'.join(shown) or 'no test'} |"]
    return "\n".join(lines) + "\n"


def _ids(docstring: str) -> list[str]:
    match = _IDS.match(docstring)
    return match[0].split(", ") if match else []


_HEAD = f"""# What holds, and which tests show it

What the program must survive, refuse and never lose: M before any release, S soon. A test names the IDs that
it shows in front of its docstring. This page is made from `{LIST.relative_to(TREE)}` and the tests by
`{COMMAND}`; `tests/test_hardening.py` fails when it is not current, and when an M has
neither a test nor a reason why not."""

if __name__ == "__main__":
    PAGE.write_text(page())
