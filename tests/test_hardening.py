"""Every item of tests/hardening.txt has its tests, and docs/hardening.md tells which."""

from tests import hardening


def test_every_item_that_must_hold_has_a_test_or_a_reason_why_not() -> None:
    tests = hardening.named()
    must = [item for item in hardening.items() if item.priority == "M"]
    missing = [item.id for item in must if item.id not in tests and not item.open]
    assert not missing, f"name it in front of a test's docstring, or say why not in {hardening.LIST.name}"


def test_no_test_names_an_item_that_is_none() -> None:
    known = {item.id for item in hardening.items()}
    unknown = {id: tests for id, tests in hardening.named().items() if id not in known}
    assert not unknown


def test_every_item_is_listed_once_with_a_priority() -> None:
    items = hardening.items()
    assert len({item.id for item in items}) == len(items)
    assert {item.priority for item in items} == {"M", "S"}


def test_the_page_is_current() -> None:
    assert hardening.PAGE.read_text() == hardening.page(), f"write it anew: {hardening.COMMAND}"
