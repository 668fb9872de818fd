import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base import values
from lib.base.errors import DokkuError


@pytest.mark.parametrize("name", ["a", "0", "node-app", "a.b-c", "a--b", "x" * 128])
def test_names_for_new_apps(name: str) -> None:
    """NAME-1"""
    assert values.is_new_app_name(name)
    assert values.is_app_name(name)


OLD_RULE = ["Foo", "a:b", "a_b", "-a", ".a", "_", "A", "fOo"]
NEW_RULE = [
    "a;b",
    "a$b",
    "a`b",
    "a b",
    "a|b",
    "a&b",
    "a/b",
    "a/../b",
    "a\nb",
    "a\0b",
    "a'b",
    'a"b',
    "a\\b",
    "a*",
]
NEW_RULE += [
    "x" * 129,
    "a\n",
    "a..b",
    "a.",
    "a-",
    "a.-b",
    "a-.b",
    "aé",
    "a\u0663",
    "tls",
    "dokkurc",
    "a%b",
    "a{b}",
]


@pytest.mark.parametrize("name", OLD_RULE)
def test_names_that_old_releases_refuse_get_their_text(name: str) -> None:
    """NAME-1"""
    assert not values.is_new_app_name(name)
    assert values.bad_app_name(name).text == values.BAD_NAME
    assert values.bad_app_name(name).exit_code == 1


@pytest.mark.parametrize("name", NEW_RULE)
def test_names_that_only_the_strict_rule_refuses_get_the_newer_text(name: str) -> None:
    """NAME-1"""
    assert not values.is_new_app_name(name)
    assert values.bad_app_name(name).text == values.BAD_NAME_STRICT


def test_a_name_that_begins_with_another_letter_gets_the_old_text() -> None:
    assert values.bad_app_name("é").text == values.BAD_NAME


def test_no_name_is_asked_for() -> None:
    """NAME-1"""
    assert values.bad_app_name("").text == "Please specify an app to run the command on"


def test_old_apps_may_have_underscores_and_nothing_worse() -> None:
    """NAME-2"""
    assert values.is_app_name("test_app")
    for name in ("Foo", "a:b", "-a", "a/b", "..", "a\n", "", "a;b"):
        assert not values.is_app_name(name)


@given(st.text(max_size=20))
def test_a_new_name_is_a_path_component_and_an_image_name(name: str) -> None:
    """NAME-1"""
    if values.is_new_app_name(name):
        assert values.is_app_name(name)
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
        assert name not in (".", "..")
        assert name.encode().isascii()


@pytest.mark.parametrize("key", ["A", "_", "a1", "DATABASE_URL"])
def test_config_keys(key: str) -> None:
    """NAME-5"""
    assert values.is_config_key(key)


@pytest.mark.parametrize("key", ["", "A-B", "1A", "A B", "A=", "A$(x)", "A\n", "É", "A.B"])
def test_what_is_no_config_key(key: str) -> None:
    """NAME-5"""
    assert not values.is_config_key(key)


@pytest.mark.parametrize("name", ["web", "W-1_x", "a" * 63])
def test_process_types(name: str) -> None:
    """NAME-4"""
    assert values.is_process(name)


@pytest.mark.parametrize("name", ["", "web=1;x", "-w", "a.b", "../x", "a b", "web\n", "a" * 64, "é"])
def test_what_is_no_process_type(name: str) -> None:
    """NAME-4"""
    assert not values.is_process(name)


@pytest.mark.parametrize("name", ["a", "me@laptop", "A.b_c+d-e", "0" * 64])
def test_identifiers(name: str) -> None:
    """NAME-15"""
    assert values.is_identifier(name)


@pytest.mark.parametrize("name", ["", ".a", "-a", "a/b", "a b", 'a"b', "a\n", "$(a)", "a,b", "0" * 65])
def test_what_is_no_identifier(name: str) -> None:
    """NAME-15"""
    assert not values.is_identifier(name)


@pytest.mark.parametrize(
    "domain", ["a.test", "localhost", "*.a.test", "1.2.3.4", "xn--bcher-kva.test", "a-b.c"]
)
def test_domains(domain: str) -> None:
    """NAME-7"""
    assert values.is_domain(domain)


BAD_DOMAINS = [
    "",
    "a;b",
    "a b",
    "{a}",
    "$host",
    "~re",
    "a.com#x",
    '"a"',
    "a..b",
    "-a.com",
    "a-.com",
    "a\nb",
    "a.b\n",
]
BAD_DOMAINS += [
    "*",
    "a.*.b",
    "*.*.b",
    "..a",
    "--",
    "a" * 64 + ".b",
    "a." * 150 + "b",
    "A.test",
    "bücher.test",
    "a/b",
    "a:1",
]


@pytest.mark.parametrize("domain", BAD_DOMAINS)
def test_what_is_no_domain(domain: str) -> None:
    """NAME-7"""
    assert not values.is_domain(domain)


@pytest.mark.parametrize("text", ["1", "80", "65535", "080"])
def test_ports(text: str) -> None:
    """NAME-8"""
    assert values.is_port(text)


@pytest.mark.parametrize(
    "text", ["0", "65536", "-1", "", "8 0", " 80", "80\n", "٨٠", "0x50", "1e3", "99999999999999999999"]
)
def test_what_is_no_port(text: str) -> None:
    """NAME-8"""
    assert not values.is_port(text)


@given(st.integers(-(10**17), 10**17))
def test_numbers_are_read(number: int) -> None:
    assert values.number(str(number), number, "no") == number


@pytest.mark.parametrize(
    "text", ["", "1e3", "٣", "0x10", " 1", "1 ", "+1", "1_000", "1.0", "-", "9" * 19, "1\n"]
)
def test_what_is_no_number_is_refused_in_the_words_of_the_caller(text: str) -> None:
    """NAME-16"""
    with pytest.raises(DokkuError, match="Invalid count"):
        values.number(text, -1, "Invalid count")


def test_a_number_below_the_least_is_refused() -> None:
    """NAME-16"""
    with pytest.raises(DokkuError, match="too few"):
        values.number("0", 1, "too few")


@given(st.text())
def test_printable_text_moves_no_cursor(text: str) -> None:
    """IO-10"""
    assert not values.has_control_characters(values.printable(text))


def test_control_characters_are_spelled_out() -> None:
    """IO-10"""
    assert values.printable("a\x1b[2J\nb") == "a\\x1b[2J\\x0ab"


@pytest.mark.parametrize("name", ["main", "feature/x", "v1.0", "a-b_c", "ä"])
def test_refs(name: str) -> None:
    """NAME-10"""
    assert values.is_ref(name)


BAD_REFS = [
    "",
    "-x",
    "--upload-pack=x",
    "a..b",
    "a~1",
    "a:b",
    "@{-1}",
    "a b",
    "a\nb",
    "refs/heads/../x",
    "HEAD",
    "@",
    "a.lock",
]


@pytest.mark.parametrize(
    "name", [*BAD_REFS, "a.lock/b", "/a", "a/", "a//b", ".a", "a/.b", "a.", "a\\b", "a^", "a?", "a*", "a["]
)
def test_what_is_no_ref(name: str) -> None:
    """NAME-10"""
    assert not values.is_ref(name)


DIGEST = "@sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "name",
    [
        *(
            "bb",
            "library/bb",
            "bb:1.2-x_Y",
            "a.b-c__d/e--f",
            f"bb{DIGEST}",
            f"bb:1{DIGEST}",
            "4f2a",
            "b" * 237,
        ),
        *("localhost/x", "localhost:5000/x/y:1", "registry.example.com/x", "Registry.Example.COM:443/x"),
        *("127.0.0.1:5000/x", "sha256:" + "a" * 64, "bb:_", "bb:" + "a" * 128),
    ],
)
def test_images(name: str) -> None:
    """NAME-11"""
    assert values.is_image(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "-a",
            "--help",
            "--platform=x bb",
            "bb AS x",
            "$X",
            "bb\nRUN id",
            "bb\n",
            "bb ",
            "bb\t",
            "é",
            "b\u0663",
        ),
        *("Bb", "Foo/bb", "_b", "b_", ".b", "b.", "b..b", "b___b", "b/", "/b", "b//b", "b/../c", "a:b/c"),
        *("bb:", "bb:-1", "bb:.1", "bb:a:b", "bb:" + "a" * 129, "bb@", "bb@sha256:12", f"bb{DIGEST[:-1]}G"),
        *(
            f"bb{DIGEST.upper()}",
            "b" * 238,
            "[::1]:5000/x",
            "x:/y",
            "x:123456/y",
            "-x.y/z",
            "http://x/y",
            "b\\",
        ),
    ],
)
def test_what_names_no_image(name: str) -> None:
    """NAME-11"""
    assert not values.is_image(name)


@given(st.text(alphabet="aB1-._:/@[]$ \n\"'\\", max_size=12))
def test_an_image_is_one_plain_word(name: str) -> None:
    """NAME-11"""
    assert not values.is_image(name) or re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._:/@-]*", name)


@pytest.mark.parametrize("name", [".git", ".GIT", ".Git.", ".git ", "git~1", "GIT~1"])
def test_what_some_file_system_takes_for_git(name: str) -> None:
    """ARC-9"""
    assert values.is_git_directory(name)


@pytest.mark.parametrize("name", ["git", ".gitignore", ".gitmodules", "a.git", ".git2"])
def test_what_only_looks_like_git(name: str) -> None:
    """ARC-9"""
    assert not values.is_git_directory(name)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("git.Example.com", ("git.Example.com", "")),
        ("localhost:22", ("localhost", "22")),
        ("10.0.0.1:65535", ("10.0.0.1", "65535")),
        ("::1", ("::1", "")),
        ("[::1]", ("::1", "")),
        ("[fe80::1]:2222", ("fe80::1", "2222")),
    ],
)
def test_a_host_may_have_a_port(text: str, place: tuple[str, str]) -> None:
    """NAME-13"""
    assert values.split_host(text) == place


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            ":22",
            "a:",
            "a:0",
            "a:65536",
            "a:b",
            "a:1:2",
            "-a",
            "*.a",
            "a b",
            "a/b",
            "a@b",
            "a\n",
            "a#",
            "é",
        ),
        *("[a]", "[::1", "::1]", "[]", "fe80::1%eth0", "::g", "[1.2.3.4]", "a..b", "x" * 64, "1" * 9000),
    ],
)
def test_what_is_no_host_has_none(text: str) -> None:
    """NAME-13"""
    assert values.split_host(text) == ("", "")
