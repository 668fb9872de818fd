import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.app import domain_names
from lib.base import values


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("a.com", "a.com"),
        ("A.Com", "a.com"),
        ("*.A.com", "*.a.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BU\u0308CHER.example", "xn--bcher-kva.example"),
        ("*.bücher.example", "*.xn--bcher-kva.example"),
        ("例え.jp", "xn--r8jz45g.jp"),
        ("мой.рф", "xn--i1afg.xn--p1ai"),
        ("a;b", "a;b"),
    ],
)
def test_names_are_spelled_as_dns_has_them(name: str, spelled: str) -> None:
    assert domain_names.as_ascii(name) == spelled


@pytest.mark.parametrize(
    "name", ["faß.de", "a\u200cb.com", "ｇoogle.com", "例え。jp", "ü..com", "ü" * 70, "\udcff.com", "ü.a b"]
)
def test_what_could_be_another_name_too_is_no_name(name: str) -> None:
    assert not values.is_domain(domain_names.as_ascii(name))


@given(st.text())
def test_a_spelling_is_final(name: str) -> None:
    spelled = domain_names.as_ascii(name)
    assert not values.is_domain(spelled) or domain_names.as_ascii(spelled) == spelled
