import json
import re

from tests.cli.conftest import Dokku


def test_version_is_one_line_of_three_integers(dokku: Dokku) -> None:
    for words in (("version",), ("--version",), ("-v",), ("--quiet", "version"), ("version", "--quiet")):
        answer = dokku(*words)
        assert (answer.code, answer.err) == (0, "")
        assert re.fullmatch(r"dokku version 0\.24\.[0-9]+\n", answer.out)


def test_version_at_a_terminal_is_the_same(dokku: Dokku) -> None:
    assert dokku.pty("version").out == dokku("version").out


def test_verbose_adds_the_versions_of_programs(dokku: Dokku) -> None:
    lines = dokku("version", "--verbose").out.splitlines()
    assert lines[0] == dokku("version").out.strip()
    assert any(line.startswith("python:") for line in lines)
    known = json.loads(dokku("version", "--format", "json").out)
    assert f"dokku version {known['version']}" == lines[0]
