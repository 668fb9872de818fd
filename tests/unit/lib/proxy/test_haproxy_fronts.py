"""What is kept of haproxy's configurations: whole ones side by side, and one link."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base.errors import DokkuError
from lib.proxy import haproxy_fronts
from lib.proxy.haproxy_fronts import Front, Route

OPTIONS = {"proxy-read-timeout": "60s"}


def front(app: str, *addresses: str, certificate: str = "") -> Front:
    route = Route(8080, is_secure=False, container=5000, is_http2=False, redirect=0)
    return Front(app, [f"{app}.test"], [route], list(addresses), certificate, OPTIONS)


def put(*fronts: Front) -> str:
    record = haproxy_fronts.as_text({one.app: one for one in fronts})
    digest = haproxy_fronts.write({haproxy_fronts.RECORD: record, haproxy_fronts.MAIN: "x\n"})
    haproxy_fronts.put(digest)
    return digest


names = st.lists(st.from_regex(r"[a-z]{1,8}\.test", fullmatch=True), max_size=3)
routes = st.builds(
    Route, st.integers(1, 65535), st.booleans(), st.integers(1, 65535), st.booleans(), st.integers(0, 65535)
)


@given(names, st.lists(routes, max_size=3), st.lists(st.ip_addresses().map(str), max_size=3), st.text())
def test_a_record_is_read_as_it_was_written(names, routes, addresses, option: str) -> None:
    known = {"web": Front("web", names, routes, addresses, "a.pem", {"key": option}, tuple(names))}
    assert haproxy_fronts.of_text(haproxy_fronts.as_text(known)) == known


def test_a_record_of_an_older_release_is_read() -> None:
    text = haproxy_fronts.as_text({"web": front("web")}).replace(',\n  "covered": []', "")
    assert "covered" not in text
    assert haproxy_fronts.of_text(text) == {"web": front("web")}


def test_without_a_configuration_nobody_is_known(tmp_path: Path) -> None:
    assert haproxy_fronts.current() == {}
    assert haproxy_fronts.names("web") == set()
    assert haproxy_fronts.digest_in_place() == ""


def test_what_is_put_in_place_is_what_is_known_then(tmp_path: Path) -> None:
    first = put(front("web", "10.0.0.2"))
    second = put(front("web", "10.0.0.3"), front("blog"))
    assert first != second
    assert haproxy_fronts.current()["web"].addresses == ["10.0.0.3"]
    assert haproxy_fronts.names("blog") == {"blog.test"}
    haproxy_fronts.put(first)
    assert haproxy_fronts.current().keys() == {"web"}


def test_the_same_texts_are_the_same_configuration(tmp_path: Path) -> None:
    assert put(front("web", "10.0.0.2")) == put(front("web", "10.0.0.2"))


def test_what_is_not_in_place_goes_with_its_certificates(tmp_path: Path) -> None:
    old, new = haproxy_fronts.keep_certificate("old\n"), haproxy_fronts.keep_certificate("new\n")
    first = put(front("web", certificate=old))
    second = put(front("web", certificate=new))
    haproxy_fronts.tidy()
    assert os.listdir(os.path.join(haproxy_fronts.directory(), "generations")) == [second] != [first]
    assert not os.path.exists(haproxy_fronts.certificate(old))
    assert Path(haproxy_fronts.certificate(new)).stat().st_mode & 0o777 == 0o600
    assert Path(haproxy_fronts.directory()).stat().st_mode & 0o777 == 0o700
    assert Path(haproxy_fronts.directory()).parent.stat().st_mode & 0o777 == 0o755


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    haproxy_fronts.put(haproxy_fronts.write({haproxy_fronts.RECORD: '{"web": 1}', haproxy_fronts.MAIN: ""}))
    with pytest.raises(DokkuError, match="is damaged"):
        haproxy_fronts.current()
