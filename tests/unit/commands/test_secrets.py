"""What a program that judges commands is shown of them."""

import pytest

from commands import _secrets


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("config:set --no-restart blog KEY=secret B=", "config:set --no-restart blog KEY=***** B="),
        ("config:set --encoded blog KEY=c2VjcmV0==", "config:set --encoded blog KEY=*****"),
        ("git:auth host me secret", "git:auth host me *****"),
        ("git:auth host me secret more", "git:auth host me ***** *****"),
        ("git:auth-status host me secret", "git:auth-status host me *****"),
        ("git:auth host", "git:auth host"),
        ("registry:login host me secret", "registry:login host me *****"),
        ("git:sync blog https://me:secret@host/x main", "git:sync blog https://*****@host/x main"),
        ("git:from-archive blog https://secret@host/x.tar", "git:from-archive blog https://*****@host/x.tar"),
        ("run -e KEY=secret blog env A=b", "run -e KEY=***** blog env A=b"),
        ("run --env KEY=secret blog x", "run --env KEY=***** blog x"),
        ("run:detached --env=KEY=secret blog x", "run:detached --env=KEY=***** blog x"),
        ("apps:create blog", "apps:create blog"),
        (
            "docker-options:add blog deploy --volume=/:/host",
            "docker-options:add blog deploy --volume=/:/host",
        ),
        ("help", "help"),
    ],
)
def test_secrets_are_hidden_and_all_else_is_shown(line: str, shown: str) -> None:
    assert _secrets.hidden(line.split(" ")) == shown.split(" ")


def test_a_value_of_several_lines_is_hidden_whole() -> None:
    assert _secrets.hidden(["config:set", "blog", "KEY=one\ntwo=three"]) == [
        "config:set",
        "blog",
        "KEY=*****",
    ]
