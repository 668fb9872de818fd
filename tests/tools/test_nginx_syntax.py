"""What we read of nginx's language and write in it, compared with nginx itself."""

import http.client
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.base.errors import DokkuError
from lib.tools import nginx_syntax
from lib.tools.nginx_syntax import Directive
from tests.ports import free_port

NGINX = "/usr/sbin/nginx"
MAIN = "pid {place}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n  access_log off;\n{text}\n}}\n"
MAP = "map $uri $x {{ {text} }}"
TEXTS = st.text("ab ;#'\"\\${}\n\t)", max_size=14).map(lambda text: f"k{text} v;")
FREE = st.text("ab.1 ;#'\"\\${}\n\t)(~*^|", min_size=1, max_size=12)
CONTEXTS = {  # what takes words of all kinds
    "server_name": "server {{ listen {port}; server_name k{text}; }}"
    " server {{ listen {port}; server_name ka; }}",
    "upstream": "upstream k{text} {{ server 127.0.0.1:1; }}",
    "map": "map $uri $x {{ k{text} v; }}",
    "map source": "map k{text} $x {{ a b; }}",
    "return": "server {{ listen {port}; return 200 k{text}; }}",
    "add_header": "server {{ listen {port}; add_header X k{text}; }}",
    "log_format": "log_format x k{text};",
    "location": "server {{ listen {port}; location k{text} {{ }} }}",
    "if": "server {{ listen {port}; if ($uri = k{text}) {{ return 200; }} }}",
    "name": "k{text} {{ a b; }}",
}

needs_nginx = pytest.mark.skipif(shutil.which(NGINX) is None, reason="nginx is not installed")


def words(text: str) -> list[tuple[str, ...]]:
    return [one.words for one in nginx_syntax.walk(nginx_syntax.read(text))]


def test_directives_come_with_their_lines_and_what_is_in_their_blocks() -> None:
    text = "server {\n  listen 80;\n  location / {\n    return\n 200;\n  }\n}\nmap $a $b {}\n"
    location = Directive(3, ("location", "/"), (Directive(4, ("return", "200")),))
    assert nginx_syntax.read(text) == (
        Directive(1, ("server",), (Directive(2, ("listen", "80")), location)),
        Directive(8, ("map", "$a", "$b"), ()),
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a b#c; # d; \n e;", [("a", "b#c"), ("e",)]),
        ("a # ;\n b;", [("a", "b")]),
        ("a 'b ;{}# c' \"d\ne\";", [("a", "b ;{}# c", "d\ne")]),
        ("a b'c d\"e;", [("a", "b'c", 'd"e')]),
        ('a \\\'b\\"c "d\\"e";', [("a", "'b\"c", 'd"e')]),
        ("a b\\;c d\\ e;", [("a", "b\\;c", "d\\ e")]),
        ("#\\\na b\\\n#c;", [("a", "b\\\n#c")]),
        ("a ${b}c $$d{}", [("a", "${b}c", "$$d")]),
        ("a ${{b;}", [("a", "${{b")]),
        ("a b}c;", [("a", "b}c")]),
        ("if ($a = 'b'){}", [("if", "($a", "=", "b", ")")]),
        ("a \\t\\n\\x;", [("a", "\t\n\\x")]),
        ("a\r\n\tb;", [("a", "b")]),
    ],
)
def test_words_are_those_that_nginx_reads(text: str, found: list[tuple[str, ...]]) -> None:
    assert words(text.removesuffix("}") if "${{" in text else text) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a;\n;", "line 2: unexpected ;"),
        ("{}", "line 1: unexpected {"),
        ("a {\n b }", "line 2: unexpected }"),
        ("a { b; } }", "line 1: unexpected }"),
        ("a b {\n} c", "line 2: unexpected c"),
        ("a b {\n} c ", "line 2: the text ends in the middle of a directive or a block"),
        ("a 'b'c;", "line 1: unexpected '"),
        ("a\n'b", "line 2: unexpected '"),
        ("a \\", "line 1: unexpected \\"),
        ("a ${b", "line 1: unexpected $"),
        ("server {", "line 1: the text ends in the middle of a directive or a block"),
        ("a;\nb \0;", "line 2: unexpected \\x00"),
        ("server { set_by_lua_block $a { } }", "line 1: set_by_lua_block can't be read, use set_by_lua_file"),
        ("a {" * 40 + "}" * 40, "line 1: blocks are nested more than 30 deep"),
    ],
)
def test_what_nginx_would_not_read_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(DokkuError) as caught:
        nginx_syntax.read(text)
    assert caught.value.text == said


ANY = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\r\t${}\\"), max_size=9)
TREES = st.recursive(
    st.builds(lambda words: Directive(0, tuple(words)), st.lists(ANY, min_size=1, max_size=4)),
    lambda inner: st.builds(
        lambda words, block: Directive(0, tuple(words), tuple(block)),
        st.lists(ANY, min_size=1, max_size=4),
        st.lists(inner, max_size=3),
    ),
    max_leaves=8,
)


def without_lines(tree: tuple[Directive, ...]) -> tuple[Directive, ...]:
    return tuple(Directive(0, d.words, d.block if d.block is None else without_lines(d.block)) for d in tree)


@given(st.lists(TREES, max_size=3))
def test_a_tree_that_was_written_is_read_as_it_was(tree: list[Directive]) -> None:
    assert without_lines(nginx_syntax.read(nginx_syntax.write(tree))) == tuple(tree)


def test_plain_words_are_written_as_people_write_them() -> None:
    text = 'server {\n  listen [::]:80 ssl;\n  return 301 "https://$host$request_uri ${a}";\n  x "";\n}\n'
    assert nginx_syntax.write(nginx_syntax.read(text)) == text


def test_a_text_of_blanks_and_quotes_is_read_in_one_pass() -> None:
    count = 300_000
    assert words("\n " * count + "a;") == [("a",)]
    with pytest.raises(DokkuError, match="unexpected '"):
        nginx_syntax.read("'" + "a \n" * count)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def verdict(place: Path, text: str) -> tuple[int, list[str]]:
    """nginx's status, and what it said, without place and time."""
    path = place / "nginx.conf"
    path.write_bytes(MAIN.format(place=place, text=text).encode())
    done = subprocess.run([NGINX, "-t", "-c", path], capture_output=True, check=False)
    said = re.findall(r"\[(?:emerg|warn)\] \d+#\d+: (.*)", done.stderr.decode("utf-8", "replace"))
    return done.returncode, [re.sub(r" in \S+:\d+$", "", line) for line in said]


def nginx_takes(place: Path, text: str) -> bool:
    return verdict(place, MAP.format(text=text))[0] == 0


@needs_nginx
def test_nginx_is_asked_right(place: Path) -> None:
    assert nginx_takes(place, "k v;")
    assert not nginx_takes(place, "k;")


@needs_nginx
@given(TEXTS)
@settings(max_examples=30, deadline=None)
def test_two_words_for_nginx_are_two_words_for_us(place: Path, text: str) -> None:
    """In a map nginx takes any two words, and nothing else."""
    if nginx_takes(place, text):
        (found,) = nginx_syntax.read(MAP.format(text=text))
        assert found.inside
        assert all(len(one.words) == 2 and one.block is None for one in found.inside)


@needs_nginx
@given(TEXTS)
@settings(max_examples=30, deadline=None)
def test_what_we_do_not_read_nginx_does_not_either(place: Path, text: str) -> None:
    try:
        nginx_syntax.read(MAP.format(text=text))
    except DokkuError:
        assert not nginx_takes(place, text)


@needs_nginx
@pytest.mark.parametrize("context", CONTEXTS)
def test_nginx_says_the_same_of_a_text_that_was_written_anew(place: Path, context: str) -> None:
    """Its words are in what it complains of."""
    port = free_port()

    @given(FREE)
    @settings(max_examples=12, deadline=None)
    def says_the_same(text: str) -> None:
        whole = CONTEXTS[context].format(text=text, port=port)
        before = verdict(place, whole)
        try:
            anew = nginx_syntax.write(nginx_syntax.read(whole))
        except DokkuError:
            assert before[0] != 0
            return
        assert nginx_syntax.read(anew)
        assert verdict(place, anew) == before

    says_the_same()


@needs_nginx
def test_nginx_serves_the_very_words_that_we_read(place: Path) -> None:
    """Many words at once, as each needs an nginx: in a text, a map and a log."""
    port = free_port()

    @given(st.lists(st.text("ab ;#'\"\\{}\n\t)(", max_size=8), min_size=30, max_size=30))
    @settings(max_examples=4, deadline=None)
    def serves(texts: list[str]) -> None:
        sources = [word for text in texts for word in (f"k{text} ", f'"{text}"', f"'{text}'") if is_one(word)]
        servers = "".join(
            f"map $uri $m{number} {{ default {word}; }}\nlog_format f{number} {word};\n"
            f"server {{ listen 127.0.0.1:{port}; server_name n{number}; access_log {place}/log f{number};"
            f" return 200 {word}; }}\n"
            for number, word in enumerate(sources)
        )
        for text in (servers, nginx_syntax.write(nginx_syntax.read(servers))):
            found = list(served(place, port, text, len(sources)))
            assert found == [nginx_syntax.read(f"a {word};")[0].words[1] for word in sources]

    serves()


def is_one(word: str) -> bool:
    """Whether it is one word, also where nothing but a blank follows."""
    try:
        read = nginx_syntax.read(f"a {word} b;\n")
        return [(len(one.words), one.words[-1]) for one in read] == [(3, "b")]
    except DokkuError:
        return False


def served(place: Path, port: int, text: str, count: int) -> Iterator[str]:
    """The answers of so many servers, each asked by its name."""
    (place / "nginx.conf").write_text(MAIN.format(place=place, text=text))
    subprocess.run([NGINX, "-c", place / "nginx.conf"], check=True, stderr=subprocess.DEVNULL, timeout=20)
    try:
        for number in range(count):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/", headers={"Host": f"n{number}", "Connection": "close"})
            yield connection.getresponse().read().decode()
            connection.close()
    finally:
        pid = int((place / "pid").read_text())
        os.kill(pid, signal.SIGTERM)
        while os.path.exists(f"/proc/{pid}"):
            time.sleep(0.01)
