"""dokkurc files that are real shell: read by bash."""

import os
from pathlib import Path

import pytest

from lib.base import settings
from lib.base.errors import DokkuError, ToolFailed


@pytest.fixture
def dokkurc() -> Path:
    root = Path(settings.root())
    root.mkdir()
    return root / "dokkurc"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('export NAME_="$HOME/x"', "/h/x"),
        ("NAME_=$(echo a b)", "a b"),
        ("export NAME_=~/x", "/h/x"),
        ("if true; then NAME_=yes; fi", "yes"),
        ("NAME_='a\nb'", "a\nb"),
        ('NAME_="a\\$b"', "a$b"),
        ("NAME_=a; NAME_=${NAME_}b", "ab"),
        ("NAME_=it\\'s", "it's"),
        ('echo noise; NAME_="x"$?', "x0"),
    ],
)
def test_what_bash_makes_of_it_is_the_value(dokkurc: Path, text: str, value: str) -> None:
    os.environ["HOME"] = "/h"
    dokkurc.write_text(f"{text}\n")
    settings.load_user()
    assert os.environ["NAME_"] == value


def test_bash_says_nothing_on_stdout(dokkurc: Path, capfd: pytest.CaptureFixture[str]) -> None:
    dokkurc.write_text("echo hello; NAME_=$(echo x)\n")
    settings.load_user()
    assert capfd.readouterr().out == ""


def test_bash_leaves_none_of_its_own_variables(dokkurc: Path) -> None:
    for name in ("SHLVL", "PWD", "OLDPWD", "_"):
        os.environ.pop(name, None)
    dokkurc.write_text('NAME_="$(true)"\n')
    settings.load_user()
    assert {"SHLVL", "PWD", "OLDPWD", "_"} & set(os.environ) == set()


def test_a_file_that_fails_is_a_failure(dokkurc: Path) -> None:
    dokkurc.write_text("if\n")
    with pytest.raises((DokkuError, ToolFailed)):
        settings.load_user()
