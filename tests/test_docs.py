"""The documentation as a whole: its index, its links, and that the commands it names exist."""

import re
from pathlib import Path

import pytest

from commands import _modules

TREE = Path(__file__).resolve().parents[1]
PAGES = sorted([*(TREE / "docs").glob("*.md"), TREE / "README.md", TREE / "SECURITY.md"])
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
REAL_DOKKUS = {"plugin:uninstall"}  # a host's own plugin goes before it is taken over
COMMAND = re.compile(r"(?<!push )\bdokku (?:--\w+ )?([a-z][a-z-]*:[a-z][a-z-]+)")


def test_every_page_is_in_the_index() -> None:
    linked = set(LINK.findall((TREE / "docs/README.md").read_text()))
    assert {page.name for page in (TREE / "docs").glob("*.md")} - linked == {"README.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_named_exists(page: Path) -> None:
    named = sorted(set(COMMAND.findall(page.read_text())))
    assert [name for name in named if name not in REAL_DOKKUS and not _modules.find(name)] == []


def test_every_namespace_has_a_line_in_some_page() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    hidden = {"deploy", "git-hook", "git-receive-pack", "git-upload-archive", "git-upload-pack"}
    missing = [
        name for name in _modules.namespaces() if f"`{name}" not in text and f"dokku {name}" not in text
    ]
    assert set(missing) <= hidden
