import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.app import port_maps
from lib.app.port_maps import PortMap
from lib.base.errors import DokkuError

PORTS = st.integers(1, 65535)
MAPS = st.builds(PortMap, st.sampled_from(sorted(port_maps.SCHEMES)), PORTS, PORTS)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("http:80", "[len=2]"),
        ("http:80:5000:1", "[len=4]"),
        ("", "[len=1]"),
        ("http:0:5000", "[hostPort=0]"),
        ("http:65536:1", "[hostPort=65536]"),
        ("http:-1:1", "[hostPort=-1]"),
        ("http:80:0", "[containerPort=0]"),
        ("http:80;x:1", "[err="),
        ("http:٨٠:1", "[err="),
        ("http::1", "[err="),
        ("http: 80:1", "[err="),
        ("http:80:1\n", "[err="),
        ("http:1e3:1", "[err="),
        ("http:0x50:1", "[err="),
        (f"http:{'1' * 5000}:1", "[err="),
        ("gopher:80:1", "[scheme=gopher]"),
        ("http;x:80:1", "[scheme=http;x]"),
        ("HTTP:80:1", "[scheme=HTTP]"),
        (":80:1", "[scheme=]"),
    ],
)
def test_a_bad_map_is_refused_with_its_fault(text: str, fault: str) -> None:
    """NAME-8"""
    with pytest.raises(DokkuError, match=re.escape(fault)) as caught:
        port_maps.parse(text)
    assert caught.value.text.startswith(f"Invalid port map {text}".rstrip("\n"))
    assert "\n" not in caught.value.text


@given(MAPS)
def test_a_map_is_spelled_as_it_was_given(entry: PortMap) -> None:
    assert port_maps.parse(str(entry)) == entry


@settings(max_examples=300)
@given(st.text() | st.from_regex(r"[a-z]{0,5}:[0-9\s;:{}-]{0,6}:[0-9]{0,6}\s?"))
def test_what_is_taken_is_spelled_in_one_way_and_harmless(text: str) -> None:
    """NAME-8"""
    try:
        entry = port_maps.parse(text)
    except DokkuError:
        return
    assert re.fullmatch(r"(http|https|grpc|grpcs):[0-9]{1,5}:[0-9]{1,5}", str(entry))
    assert 1 <= entry.host <= 65535
    assert 1 <= entry.container <= 65535


@given(st.lists(MAPS), st.lists(st.text()))
def test_words_of_a_file_are_sorted_each_once_and_without_what_is_no_map(
    entries: list[PortMap], others: list[str]
) -> None:
    words = [*others, *map(str, entries), *map(str, entries)]
    found = port_maps.of_words(words)
    assert set(entries) <= set(found)
    assert len(found) == len(set(found))
    assert [str(entry) for entry in found] == sorted(str(entry) for entry in found)


@given(st.lists(MAPS, max_size=5))
def test_programs_get_lines_or_json(entries: list[PortMap]) -> None:
    assert port_maps.as_text(entries, "text").split() == [str(entry) for entry in entries]
    found = json.loads(port_maps.as_text(entries, "json"))
    assert [PortMap(*entry.values()) for entry in found] == entries


@given(st.lists(MAPS, unique_by=lambda entry: (entry.scheme, entry.host), min_size=1))
def test_one_scheme_and_port_lead_to_one_place(entries: list[PortMap]) -> None:
    port_maps.refuse_doubles(entries)
    with pytest.raises(DokkuError, match=r"^Error validating new port mappings: .* reused: [a-z]+:[0-9]+$"):
        port_maps.refuse_doubles([*entries, entries[0]._replace(container=entries[0].container % 65535 + 1)])
