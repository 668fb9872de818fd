import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base.errors import DokkuError
from lib.proxy import nginx_syntax
from lib.proxy.nginx_syntax import Directive


def words(text: str) -> list[tuple[str, ...]]:
    return [one.words for one in nginx_syntax.read(text)]


def test_directives_come_with_their_lines_and_the_blocks_around_them() -> None:
    text = "server {\n  listen 80;\n  location / {\n    return\n 200;\n  }\n}\nmap $a $b {}\n"
    assert nginx_syntax.read(text) == [
        Directive(1, ("server",), ()),
        Directive(2, ("listen", "80"), ("server",)),
        Directive(3, ("location", "/"), ("server",)),
        Directive(4, ("return", "200"), ("server", "location")),
        Directive(8, ("map", "$a", "$b"), ()),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a b#c; # d; \n e;", [("a", "b#c"), ("e",)]),
        ("a # ;\n b;", [("a", "b")]),
        ("a 'b ;{}# c' \"d\ne\";", [("a", "b ;{}# c", "d\ne")]),
        ("a b'c d\"e;", [("a", "b'c", 'd"e')]),
        ('a \\\'b\\"c "d\\"e";', [("a", "'b\"c", 'd"e')]),
        ("a b\\;c d\\ e;", [("a", "b\\;c", "d\\ e")]),
        ("a ${b}c $$d{}", [("a", "${b}c", "$$d")]),
        ("a b}c;", [("a", "b}c")]),
        ("if ($a = 'b'){}", [("if", "($a", "=", "b", ")")]),
        ("a \\t\\n\\x;", [("a", "\t\n\\x")]),
        ("a\r\n\tb;", [("a", "b")]),
    ],
)
def test_words_are_those_that_nginx_reads(text: str, found: list[tuple[str, ...]]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a;\n;", "line 2 of the result: unexpected ;"),
        ("{}", "line 1 of the result: unexpected {"),
        ("a {\n b }", "line 2 of the result: unexpected }"),
        ("a { b; } }", "line 1 of the result: unexpected }"),
        ("a b {\n} c", "line 2 of the result: it ends in the middle of a directive or a block"),
        ("a 'b'c;", "line 1 of the result: unexpected '"),
        ("a\n'b", "line 2 of the result: unexpected '"),
        ("a \\", "line 1 of the result: unexpected \\"),
        ("server {", "line 1 of the result: it ends in the middle of a directive or a block"),
    ],
)
def test_what_nginx_would_not_read_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(DokkuError) as caught:
        nginx_syntax.read(text)
    assert caught.value.text == said


@given(st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=4))
def test_words_in_quotes_are_read_as_they_were(given_words: list[str]) -> None:
    escaped = [word.replace("\\", "\\\\").replace('"', '\\"') for word in given_words]
    assert words(" ".join(f'"{word}"' for word in escaped) + ";") == [tuple(given_words)]


def test_a_text_of_blanks_and_quotes_is_read_in_one_pass() -> None:
    count = 300_000
    assert words("\n " * count + "a;") == [("a",)]
    with pytest.raises(DokkuError, match="unexpected '"):
        nginx_syntax.read("'" + "a \n" * count)
