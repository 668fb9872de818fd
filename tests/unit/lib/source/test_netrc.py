"""The netrc file: what is changed is one machine's, the rest stays; Python's own reader agrees."""

import io
import netrc as pythons
import os
import re
import stat

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.base import files
from lib.base.errors import DokkuError
from lib.source import netrc

OURS = "machine git.example.com\n  login me\n  password secret\n"
HOST = "git.example.com"


def python_reads(text):
    """What Python's reader finds, by host: (login, account, password). Raises: NetrcParseError."""
    reader = pythons.netrc(os.devnull)
    reader._parse("text", io.StringIO(text, newline=None), False)
    return reader.hosts


# --- the form of an entry -------------------------------------------------------------------------------


def test_an_entry_has_one_item_per_line():
    assert netrc.with_entry("", HOST, "me", "secret") == OURS
    assert netrc.with_entry(OURS, "h", "u", "p") == f"{OURS}machine h\n  login u\n  password p\n"


@pytest.mark.parametrize("value", ["secret", "p@ss!word", "-x", "a/b+c=", "%24$(id)", "~`{}[]|;&<>"])
def test_what_every_reader_takes_bare_stays_bare(value):
    assert netrc.quoted(value) == value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a b", '"a b"'),
        ("a\tb", '"a\tb"'),
        ("#lead", '"#lead"'),
        ('a"b', r'"a\"b"'),
        ("a\\b", r'"a\\b"'),
        ("a'b", '"a\'b"'),
        ("né", '"né"'),
        ("", '""'),
        ("machine", '"machine"'),
        ("Default", '"Default"'),
    ],
)
def test_what_some_reader_would_misread_is_quoted(value, written):
    assert netrc.quoted(value) == written
    assert python_reads(netrc.with_entry("", "h", value, value)) == {"h": (value, "", value)}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (OURS, f'machine {HOST}\n  password "p w"\n  login u\n'),
        (f"machine {HOST} login a\n", f'machine {HOST}\n  password "p w"\n  login u\n'),
        (
            f"machine {HOST} password a login b account c\n",
            f'machine {HOST} password "p w" login u account c\n',
        ),
    ],
)
def test_no_value_in_quotes_is_put_above_a_comment_as_python_would_stumble(before, after):
    rest = "# a comment\nmachine x login y password z\n"
    changed = netrc.with_entry(before + rest, HOST, "u", "p w")
    assert changed == after + rest
    assert python_reads(changed)[HOST][2] == "p w"


# --- what stays -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (OURS, OURS.replace("me", "u").replace("secret", "p w").replace("p w", '"p w"')),
        (f"machine {HOST} login a password b\n", f'machine {HOST} login u password "p w"\n'),
        (
            f"# mine\nmachine {HOST} # work\n\tpassword b # old\n\tlogin a\nmachine x login y\n",
            f'# mine\nmachine {HOST} # work\n\tpassword "p w" # old\n\tlogin u\nmachine x login y\n',
        ),
        (
            f"machine {HOST} login a account c password b\r\n",
            f'machine {HOST} login u account c password "p w"\r\n',
        ),
        (
            f'machine {HOST} login "a \\" b" password "c d" machine x login y password z',
            f'machine {HOST} login u password "p w" machine x login y password z',
        ),
        (
            f"machine {HOST.upper()} login a password b\n",
            f'machine {HOST} login u password "p w"\n',
        ),
        (
            f"machine {HOST} login a\nmachine x login y password z\n",
            f'machine {HOST}\n  login u\n  password "p w"\nmachine x login y password z\n',
        ),
        (
            f"machine {HOST} user a password b\n",
            f'machine {HOST}\n  login u\n  password "p w"\n',
        ),
        (
            f"machine {HOST} login #a password #b\nmachine x login y password z\n",
            f'machine {HOST} login u password "p w"\nmachine x login y password z\n',
        ),
    ],
)
def test_an_update_changes_the_values_of_one_machine(before, after):
    """NET-7"""
    assert netrc.with_entry(before, HOST, "u", "p w") == after


def test_of_several_entries_the_first_is_left():
    """NET-7"""
    twice = f"# a\nmachine {HOST} login 1 password 1\n# b\n  {OURS}# c\n{OURS}machine x login y password z\n"
    assert netrc.with_entry(twice, HOST, "u", "p") == (
        f"# a\nmachine {HOST} login u password p\n# b\n# c\nmachine x login y password z\n"
    )
    assert netrc.without(twice, HOST) == "# a\n# b\n# c\nmachine x login y password z\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("default login a password b\n", "machine h\n  login u\n  password p\ndefault login a password b\n"),
        (
            "machine x login y password z default login a password b",
            "machine x login y password z \nmachine h\n  login u\n  password p\ndefault login a password b",
        ),
        (
            "default login a password b\nmachine h login 1 password 2\n",
            "machine h\n  login u\n  password p\ndefault login a password b\n",
        ),
    ],
)
def test_an_entry_stands_before_the_default_as_nothing_after_it_counts(before, after):
    assert netrc.with_entry(before, "h", "u", "p") == after


@pytest.mark.parametrize(
    ("before", "gap"),
    [
        ("# no line end", "\n"),
        ("machine x login y password z", "\n"),
        ("macdef init\ncd /pub\n\n", ""),
        ("macdef init\ncd /pub\n", "\n"),
        ("macdef init\ncd /pub", "\n\n"),
        ("macdef init\n", "\n"),
        ("macdef init\nmachine h login in password macro\n", "\n"),
    ],
)
def test_a_new_entry_gets_a_line_of_its_own_outside_of_any_macro(before, gap):
    after = netrc.with_entry(before, "h", "u", "p")
    assert after == f"{before}{gap}machine h\n  login u\n  password p\n"
    assert python_reads(after)["h"] == ("u", "", "p")


def test_what_a_macro_says_is_no_entry():
    """NET-7"""
    text = "macdef init\nmachine h login a password b\n\nmachine h login c password d\n"
    assert netrc.without(text, "h") == "macdef init\nmachine h login a password b\n\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            f"machine x login y password z machine {HOST} login a password b\n",
            "machine x login y password z\n",
        ),
        (
            f"machine x login y password z\tmachine {HOST} login a password b\t",
            "machine x login y password z",
        ),
        (
            f"machine x password z machine {HOST} login a\t machine {HOST} login b\n# next\n",
            "machine x password z\n# next\n",
        ),
        (f"machine {HOST} login a  machine {HOST} login b\n# next\n", "# next\n"),
        (f"machine {HOST} login a password b machine x login y password z", "machine x login y password z"),
        (f"  machine {HOST}\n\n login a\n password b", ""),
        (f"{OURS}# next\n\n\nmachine x login y password z\n", "# next\n\n\nmachine x login y password z\n"),
        (f"machine {HOST} login a password b # of mine\nmachine x\n", "# of mine\nmachine x\n"),
        (f"machine {HOST}\r\nlogin a\r\npassword b\r\nmachine x\r\n", "machine x\r\n"),
        (f"machine {HOST}-x login a password b\n", f"machine {HOST}-x login a password b\n"),
        (f"machine x login machine password {HOST}\n", f"machine x login machine password {HOST}\n"),
        (f"# machine {HOST} login a password b\n", f"# machine {HOST} login a password b\n"),
        ("", ""),
    ],
)
def test_a_removed_entry_takes_nothing_along(before, after):
    assert netrc.without(before, HOST) == after


@pytest.mark.parametrize("before", ["machine x login", "machine x login y password", "machine"])
def test_an_entry_that_would_be_swallowed_by_an_incomplete_one_is_refused(before):
    with pytest.raises(DokkuError, match="an entry in it is incomplete"):
        netrc.with_entry(before, "h", "u", "p")


# --- whatever stands in the file ------------------------------------------------------------------------

VALUES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n") | st.sampled_from(" \t#\"'\\"),
    max_size=12,
)
HOSTS = st.sampled_from(["a.example", "b.example", "A.Example", "c"])
BLANKS = st.sampled_from([" ", "\n", "\n  ", "\t", "  "])


@st.composite
def entries(draw):
    """An entry in some layout of people and tools."""
    fields = draw(st.permutations(["login", "password"])) + draw(st.sampled_from([[], ["account"]]))
    words = ["machine", draw(HOSTS)]
    for field in fields:
        words += [field, netrc.quoted(draw(VALUES))]
    return "".join(word + draw(BLANKS) for word in words[:-1]) + words[-1] + draw(st.sampled_from("\n\t"))


FOREIGN = st.one_of(
    entries(),
    st.sampled_from(["# a comment\n", "#\n", "macdef init\ncd /pub\nmachine a.example\n\n", "\n"]),
)
LAST = st.sampled_from(["", "default login anonymous password x@y\n"])
FILES = st.builds(lambda parts, last: "".join(parts) + last, st.lists(FOREIGN, max_size=6), LAST)
PIECES = st.sampled_from([*' \t\r\n#"\\ax', "machine ", "h ", "login ", "\npassword ", "default "])
ANYTHING = st.lists(PIECES).map("".join)


LOST_ON_PYTHON = re.compile(r'(\n|"|\A)[ \t\r]*\n[ \t\r\n]*#')


def others(text, host):
    """What a file says of everybody else, in order."""
    return [
        (entry.head.keyword, entry.head.value, [(field.keyword, field.value) for field in entry.fields])
        for entry in netrc.parse(text)
        if not entry.is_for(host)
    ]


@settings(max_examples=300)
@given(FILES, HOSTS, VALUES, VALUES)
def test_an_entry_is_found_again_and_the_others_are_as_they_were(text, host, user, password):
    """NET-7"""
    after = netrc.with_entry(text, host, user, password)
    own = [entry for entry in netrc.parse(after) if entry.is_for(host)]
    assert [(entry.head.value, entry.login, entry.password) for entry in own] == [(host, user, password)]
    assert others(after, host) == others(text, host)
    assert others(netrc.without(after, host), host) == others(text, host)


@settings(max_examples=300)
@given(FILES, HOSTS)
def test_no_entry_is_found_where_it_was_removed(text, host):
    after = netrc.without(text, host)
    assert not any(entry.is_for(host) for entry in netrc.parse(after))
    assert others(after, host) == others(text, host)
    if not any(entry.is_for(host) for entry in netrc.parse(text)):
        assert after == text


@settings(max_examples=300)
@given(FILES, HOSTS, VALUES, VALUES)
@example("machine b login x password 0\tmachine c login y password 1\n# a comment\n", "c", "u", "p")
@example("machine c\nmachine b login x password 0\tmachine c login y\n# a comment\n", "c", "u", "p")
def test_pythons_reader_agrees(text, host, user, password):
    """Where it can: it takes no comment below an empty line or below a value in quotes."""
    try:
        before = python_reads(text)
    except pythons.NetrcParseError:
        return
    changed, rest = netrc.with_entry(text, host, user, password), netrc.without(text, host)
    if LOST_ON_PYTHON.search(changed) or LOST_ON_PYTHON.search(rest):
        return
    after = python_reads(changed)
    assert (after[host][0], after[host][2]) == (user, password)
    for name in before:
        assert name.lower() == host.lower() or after[name] == before[name]
    gone = python_reads(rest)
    assert {name for name in before if name.lower() != host.lower()} == set(gone)


@settings(max_examples=300)
@given(ANYTHING, VALUES)
def test_no_text_makes_it_fail_otherwise_than_by_refusal(text, value):
    try:
        after = netrc.with_entry(text, "h", value, value)
    except DokkuError:
        return
    assert [(entry.login, entry.password) for entry in netrc.parse(after) if entry.is_for("h")] == [
        (value, value)
    ]


@given(FILES, st.integers(0, 60))
def test_a_cut_off_file_is_kept_or_refused(text, length):
    text = text[:length]
    try:
        after = netrc.with_entry(text, "new.example", "u", "p")
    except DokkuError:
        return
    assert others(after, "new.example") == others(text, "new.example")


# --- the file -------------------------------------------------------------------------------------------


def mode():
    return stat.S_IMODE(os.stat(netrc.path()).st_mode)


def test_the_file_is_for_us_alone_from_the_start(fs):
    """NET-1"""
    os.umask(0)
    netrc.store(HOST, "me", "secret")
    assert (files.read(netrc.path()), mode()) == (OURS, 0o600)
    assert netrc.has(HOST, "me", "secret")
    assert not netrc.has_none(HOST)


@pytest.mark.parametrize("change", [lambda: netrc.store(HOST, "me", "secret"), lambda: netrc.drop("other")])
def test_a_mode_that_lets_others_read_is_repaired_without_a_change_too(fs, change):
    """NET-2"""
    fs.create_file(netrc.path(), contents=OURS)
    os.chmod(netrc.path(), 0o644)
    change()
    assert (files.read(netrc.path()), mode()) == (OURS, 0o600)


def test_removing_from_no_file_makes_none(fs):
    netrc.drop(HOST)
    assert not os.path.exists(netrc.path())
    assert netrc.has_none(HOST)


def test_bytes_that_are_no_text_stay(fs):
    """NET-7"""
    fs.create_file(netrc.path(), contents=b"# caf\xe9\n")
    netrc.store(HOST, "me", "secret")
    with open(netrc.path(), "rb") as file:
        assert file.read() == b"# caf\xe9\n" + OURS.encode()


@pytest.mark.parametrize(
    ("user", "password", "same"),
    [("me", "secret", True), ("me", "Secret", False), ("me", "", False), ("you", "secret", False)],
)
def test_an_entry_is_compared_whole(fs, user, password, same):
    """NET-10"""
    netrc.store(HOST, "me", "secret")
    assert netrc.has(HOST, user, password) == same
    assert not netrc.has("other", user, password)


@pytest.mark.parametrize(
    "act", [lambda: netrc.store("h", "u", "p"), lambda: netrc.drop("h"), lambda: netrc.has_none("h")]
)
def test_a_link_and_a_directory_in_its_place_are_refused(fs, act):
    """NET-13"""
    fs.create_file("/elsewhere", contents="x")
    os.symlink("/elsewhere", netrc.path())
    with pytest.raises(DokkuError, match=r"/root/\.netrc is not a regular file"):
        act()
    assert files.read("/elsewhere") == "x"
    os.unlink(netrc.path())
    os.mkdir(netrc.path())
    with pytest.raises(DokkuError, match=r"/root/\.netrc is not a regular file"):
        act()
    assert os.listdir(netrc.path()) == []
