import re

import pytest

from lib.proxy import conf_notes
from lib.proxy.conf_notes import Listen, Note

NOTE = Note(
    ["172.17.0.2", "fd00::2"], ["a.com", "*.b.com"], [Listen("", 80, "plain"), Listen("[::1]", 443, "tls")]
)
NOBODY = Note([], [], [])


@pytest.mark.parametrize("note", [NOTE, NOBODY])
@pytest.mark.parametrize(
    "text", ["", "server {}\n\n", "# leads to 10.0.0.1\n# serves c.com\n# listens at 1/tls\n"]
)
def test_a_file_says_what_was_noted_whatever_stands_before(note: Note, text: str) -> None:
    signed = conf_notes.signed(text, note)
    assert conf_notes.of(signed) == note
    assert signed.startswith(text.rstrip())


def test_notes_are_lines_that_people_can_read() -> None:
    assert conf_notes.signed("server {}", NOTE).splitlines()[:-1] == [
        "server {}",
        "# leads to 172.17.0.2 fd00::2",
        "# serves a.com *.b.com",
        "# listens at 80/plain [::1]:443/tls",
    ]
    assert re.fullmatch("# checksum: [0-9a-f]{8}", conf_notes.signed("server {}", NOTE).splitlines()[-1])
    assert conf_notes.signed("server {}", NOBODY).splitlines()[1:-1] == [
        "# leads to nobody",
        "# serves every name",
        "# listens at no port",
    ]


def test_a_note_of_many_names_and_ports_has_no_line_that_nginx_refuses() -> None:
    names = [f"name-{number}.example.com" for number in range(500)]
    note = Note(["10.0.0.1"], names, [Listen("", 1000 + number, "plain") for number in range(900)])
    signed = conf_notes.signed("# serves forged.example.com\n#   more.example.com", note)
    assert max(map(len, signed.splitlines())) < 1100
    assert conf_notes.of(signed) == note


def test_servers_that_a_plugin_adds_count_as_well() -> None:
    added = "server {\n  listen 81;\n  server_name c.com;\n}\n"
    for text in (added + conf_notes.signed("server {}", NOTE), conf_notes.signed("server {}", NOTE) + added):
        found = conf_notes.of(text)
        assert found.addresses == NOTE.addresses
        assert found.names == [*NOTE.names, "c.com"]
        assert found.listens == [*NOTE.listens, Listen("", 81, "plain")]


def test_a_file_without_notes_is_read_itself() -> None:
    text = (
        "upstream x {\n  server 172.17.0.12:5000;\n  server [fd00::2]:5000; server 10.0.0.1:1;\n}\n"
        "server {\n  listen      [::]:80;\n  listen 127.0.0.1:81 ssl http2;\n  listen  82 http2;\n"
        "  server_name a.com b.com;\n}\n"
    )
    found = conf_notes.of(text)
    assert found.addresses == ["172.17.0.12", "fd00::2", "10.0.0.1"]
    assert found.names == ["a.com", "b.com"]
    assert found.listens == [Listen("", 80, "plain"), Listen("127.0.0.1", 81, "tls"), Listen("", 82, "http2")]


def test_notes_that_were_cut_off_are_none() -> None:
    cut = conf_notes.signed("server { server_name c.com; }", NOTE).rpartition("# listens")[0]
    assert conf_notes.of(cut).names == ["c.com"]


def test_a_file_that_was_not_changed_is_not_read() -> None:
    """Two hundred of them would take a second."""
    text = conf_notes.signed("server { server_name c.com; }", NOTE)
    assert conf_notes.of(text) == NOTE
    assert conf_notes.of(text.replace("c.com", "d.com")).names == [*NOTE.names, "d.com"]
    assert conf_notes.of(text.rpartition("# checksum")[0]).names == [*NOTE.names, "c.com"]


def test_a_text_that_looks_like_a_directive_is_none() -> None:
    text = (
        'server { listen 80; return 200 "\n server_name b.com;\n listen 9000;\n"; # server_name d.com;\n }\n'
    )
    assert conf_notes.of(text) == Note([], [], [Listen("", 80, "plain")])
    assert conf_notes.of(conf_notes.signed(text, NOTE)).names == NOTE.names


def test_a_file_that_can_not_be_read_says_what_its_note_says() -> None:
    broken = "server { listen 80; content_by_lua_block { x } }"
    assert conf_notes.of(broken) == NOBODY
    assert conf_notes.of(conf_notes.signed(broken, NOTE)) == NOTE


@pytest.mark.parametrize("address", ["", "*", "0.0.0.0", "[::]"])
def test_all_ways_to_say_everywhere_are_one(address: str) -> None:
    assert str(conf_notes.at(address, 80, "plain")) == "80/plain"


@pytest.mark.parametrize("part", ["\n ", "server ", "server_name x ", "listen [", "server {", "\n  listen 1"])
def test_a_long_text_without_notes_is_read_in_one_pass(part: str) -> None:
    assert conf_notes.of(part * 100_000).addresses == []
