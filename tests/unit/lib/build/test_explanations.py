"""Explanations: who answered, who won and why. How they read is in tests/cli/test_builder.py."""

import os

import pytest

from lib.base import files, log, properties, settings
from lib.base.errors import DokkuError
from lib.build import explanations

APP, TREE, COMMIT = "blog", "/source", "a" * 40


@pytest.fixture(autouse=True)
def said(fs):
    os.makedirs(settings.app_dir(APP))
    os.makedirs(TREE)
    with log.collected() as lines:
        yield lines


def plugin(name: str, script: str) -> str:
    path = os.path.join(settings.plugins_enabled(), name, script)
    files.replace(path, "#!/bin/sh\n", mode=0o755)
    return path


def judged() -> explanations.Explanation:
    return explanations.judged(APP, TREE, "main", COMMIT)


@pytest.mark.parametrize(
    ("owner", "name", "reason"),
    [
        (APP, "", explanations.OWN),
        ("--global", "", explanations.GENERAL),
        ("", "a-builder", explanations.PLUGIN),
        ("", "", explanations.SOURCE),
    ],
)
def test_the_first_answer_is_the_reason(shell, owner, name, reason):
    files.replace(os.path.join(TREE, "Dockerfile"), "FROM scratch\n")
    if owner:
        properties.write("builder", owner, "selected", "nix")
    if name:
        shell.answers(f"{plugin(name, 'builder-detect')} …", out="nix\n")

    found = judged()

    assert (found.builder, found.reason) == ("nix" if owner or name else "dockerfile", reason)
    assert found.answers[-1] == ("builder-dockerfile", "dockerfile")


def test_nobodys_answer_is_the_default():
    assert judged()[3:] == ("herokuish", explanations.DEFAULT, [])


def test_what_hooks_say_is_shown_only_if_one_of_them_fails(shell, said):
    hook = plugin("mono", "post-extract")
    shell.answers(f"{hook} …", out="moved\n")
    shell.answers(f"{hook} …", out="can not move\n", status=5)

    judged()
    assert said == []

    with pytest.raises(DokkuError) as failed:
        judged()
    assert failed.value.exit_code == 5
    assert b"can not move\n" in b"".join(text for _, text in said)


def test_an_unknown_shape_is_refused(said):
    with pytest.raises(DokkuError, match="Invalid output format"):
        explanations.show(explanations.without_code(APP, "main"), "xml")
    assert said == []
