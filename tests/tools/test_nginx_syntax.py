"""What we read of a configuration, compared with nginx itself."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.base.errors import DokkuError
from lib.proxy import nginx_syntax

NGINX = "/usr/sbin/nginx"
MAIN = "pid {place}/pid;\nevents {{}}\nhttp {{\n  access_log off;\n  map $uri $x {{ {text} }}\n}}\n"
TEXTS = st.text("ab ;#'\"\\${}\n\t)", max_size=14).map(lambda text: f"k{text} v;")

pytestmark = pytest.mark.skipif(shutil.which(NGINX) is None, reason="nginx is not installed")


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def nginx_takes(place: Path, text: str) -> bool:
    path = place / "nginx.conf"
    path.write_bytes(MAIN.format(place=place, text=text).encode())
    done = subprocess.run([NGINX, "-t", "-q", "-c", path], stderr=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def test_nginx_is_asked_right(place: Path) -> None:
    assert nginx_takes(place, "k v;")
    assert not nginx_takes(place, "k;")


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_two_words_for_nginx_are_two_words_for_us(place: Path, text: str) -> None:
    """In a map nginx takes any two words, and nothing else."""
    if nginx_takes(place, text):
        found = nginx_syntax.read(f"map $uri $x {{ {text} }}")[1:]
        assert found
        assert all(len(one.words) == 2 and one.blocks == ("map",) for one in found)


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_what_we_do_not_read_nginx_does_not_either(place: Path, text: str) -> None:
    try:
        nginx_syntax.read(f"map $uri $x {{ {text} }}")
    except DokkuError:
        assert not nginx_takes(place, text)
