"""Parameters that many commands share."""

import pytest

from commands import _params


@pytest.mark.parametrize(
    ("words", "name", "email"),
    [
        ([], "", ""),
        (["First"], "First", ""),
        (["First Last", "a@b.example"], "First Last", "a@b.example"),
        (["First", "Last", "a@b.example"], "First Last", "a@b.example"),
        (["First", "Last", "a@b.example", "more"], "First Last", "a@b.example"),
        (["a@b.example"], "a@b.example", ""),
        (["First", "root"], "First", "root"),
        (["", "a@b.example"], "", "a@b.example"),
    ],
)
def test_a_name_and_an_address_are_told_apart(words: list[str], name: str, email: str) -> None:
    assert _params.name_and_email(words) == (name, email)
