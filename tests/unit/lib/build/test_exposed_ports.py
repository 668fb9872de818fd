"""Exposed ports: read from a Dockerfile, kept for an app, and forgotten when they are no longer so."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.app import config
from lib.base import settings
from lib.build import exposed_ports

APP = "blog"


@pytest.fixture
def app(fs):
    os.makedirs(settings.app_dir(APP))
    return APP


def known() -> str:
    return config.get(APP, exposed_ports.VARIABLE)


@given(st.lists(st.integers(1, 65535)), st.text(alphabet="ab \n#", max_size=20))
def test_exposed_ports_are_read_in_their_order(ports, noise):
    lines = [f"EXPOSE {port}" for port in ports]

    assert exposed_ports.named_in("\n".join([noise, *lines, " EXPOSE 1", "RUN EXPOSE 2"])) == [
        str(port) for port in ports
    ]


@given(st.text(alphabet="EXPOS e0123456789/tcpud\t\n#$-{}٣", max_size=60))
def test_whatever_a_dockerfile_exposes_is_a_port_or_nothing(text):
    for port in exposed_ports.named_in(f"FROM scratch\nEXPOSE {text}\n"):
        number, _, protocol = port.partition("/")
        assert 1 <= int(number) <= 65535
        assert number.isascii()
        assert protocol in ("", "tcp", "udp", "sctp")


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("EXPOSE 3001/udp 3003\nEXPOSE 3000/tcp\n", ["3001/udp", "3003", "3000/tcp"]),
        ("EXPOSE\t3000\n  EXPOSE 3000\n#EXPOSE 3000\n", []),
        ("EXPOSE $PORT ${PORT} 0 65536 3000-3005 3000/xyz 3000/\n", []),
        ("EXPOSE ５０００ ²\n", []),
        ("EXPOSE 3000\r\n", ["3000"]),
        ("", []),
    ],
)
def test_lines_that_expose_nothing_usable_are_left_to_docker(text, ports):
    assert exposed_ports.named_in(text) == ports


def test_what_one_image_exposes_is_forgotten_with_the_next(app):
    exposed_ports.of_build(app, [])
    exposed_ports.of_image(app, ["80/tcp"])
    assert known() == "80/tcp"
    exposed_ports.of_build(app, [])
    exposed_ports.of_image(app, ["8080/tcp"])
    assert known() == "8080/tcp"


def test_a_dockerfile_that_exposes_nothing_any_more_leaves_it_to_the_image(app):
    exposed_ports.of_build(app, ["3000"])
    exposed_ports.of_image(app, ["80/tcp"])
    assert known() == "3000"
    exposed_ports.of_build(app, [])
    assert known() == ""


def test_what_somebody_set_stays_until_a_dockerfile_names_others(app):
    config.set_values(app, {exposed_ports.VARIABLE: "5000"})
    exposed_ports.of_build(app, [])
    exposed_ports.of_image(app, ["80/tcp"])
    assert known() == "5000"
    exposed_ports.of_build(app, ["3000"])
    assert known() == "3000"
