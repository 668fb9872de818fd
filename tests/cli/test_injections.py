"""What could get from a domain, a port map or a port into a configuration file is refused where it is given.

Every line of the tables is tried; the commands take turns. What stands in the files already is for
tests/system/test_addresses.py.
"""

import itertools

import pytest

from tests.cli.conftest import Dokku

DOMAINS = [
    *("a;b", "a b", "{a}", "$host", "~re", "a.com#x", '"a"', "a'b", "a\\b", "a..b", "-a.com", "a-.com"),
    *("a.com\n", "\na.com", "a.com\nb.com", "a\tb", "a\x7f", "a.com;return 200 evil;", "a.com} server{"),
    *("..a", "a.*.b", "--", "*", "**.a", "*.", ".-a", "a.", "*.*.a", "a*.b", "http://a.com", "a.com/x"),
    *("a.com:80", "[::1]", "a@b", "`id`.com", "$(id).com", "%{host}", "a|b", "a&b", "<a>", "faß.de"),
    *("a" * 300, f"{'a' * 64}.com", ".".join(["a" * 60] * 5), "\u202ea.com", "a\u2028b", "例え。jp", ""),
]
MAPS = {
    "http:80": "[len=2]",
    "http:80:5000:1": "[len=4]",
    "a.com": "[len=1]",
    "http:0:5000": "[hostPort=0]",
    "http:65536:1": "[hostPort=65536]",
    "http:-1:1": "[hostPort=-1]",
    "http:80:0": "[containerPort=0]",
    "http:80:65536": "[containerPort=65536]",
    "http:80;x:1": "[err='80;x' is not a number]",
    "http:80:1;return 200": "[err='1;return 200' is not a number]",
    "http:٨٠:1": "[err='٨٠' is not a number]",
    "http:80:1\n": "[err='1\\\\x0a' is not a number]",
    "http: 80:1": "[err=' 80' is not a number]",
    "http::1": "[err='' is not a number]",
    "http:1e3:1": "[err='1e3' is not a number]",
    "gopher:80:1": "[scheme=gopher]",
    "HTTP:80:1": "[scheme=HTTP]",
    ":80:1": "[scheme=]",
    "http;x:80:1": "[scheme=http;x]",
    "http\nx:80:1": "[scheme=http\\x0ax]",
    "$(id):80:1": "[scheme=$(id)]",
}
PORTS = ["0", "65536", "80;x", "80 default_server", "٨٠", "-1", "1e3", "80\n", "0x50", "a"]


def printable(text: str) -> str:
    return "".join(f"\\x{ord(letter):02x}" if letter < " " or letter == "\x7f" else letter for letter in text)


def test_no_bad_domain_gets_into_a_file(dokku: Dokku) -> None:
    """NAME-7, NGX-1"""
    app = dokku.make_app("web")
    (app / "VHOST").write_text("kept.com\n")
    (dokku.root / "VHOST").write_text("kept.me\n")
    commands = itertools.cycle(
        [("domains:add", "web"), ("domains:set", "web"), ("domains:add-global",), ("domains:set-global",)]
    )
    for bad, command in zip(DOMAINS, commands, strict=False):
        refused = dokku(*command, "--", "good.com", bad)
        said = f" !     {printable(bad)} is invalid. exiting...\n"
        assert (refused.code, refused.out) == (1, ""), (command, bad, refused)
        assert refused.err.startswith(said), (command, bad, refused)
        assert (app / "VHOST").read_text() == "kept.com\n", (command, bad)
        assert (dokku.root / "VHOST").read_text() == "kept.me\n", (command, bad)
    assert not (app / "nginx.conf").exists()


def test_no_bad_map_gets_into_the_config(dokku: Dokku) -> None:
    """NAME-8, NGX-1"""
    app = dokku.make_app("web")
    dokku("ports:set", "web", "http:80:5000")
    before = (app / "ENV").read_bytes()
    commands = itertools.cycle(
        ["ports:add", "ports:set", "ports:remove", "proxy:ports-add", "proxy:ports-set", "proxy:ports-remove"]
    )
    for (bad, fault), command in zip(MAPS.items(), commands, strict=False):
        refused = dokku(command, "web", "--", "http:81:5000", bad)
        said = f" !     Invalid port map {printable(bad)} {fault}\n"
        assert refused == ("", said, 1), (command, bad)
        assert (app / "ENV").read_bytes() == before, (command, bad)


@pytest.mark.parametrize("key", ["proxy-port", "proxy-ssl-port"])
def test_no_bad_port_gets_into_the_config(dokku: Dokku, key: str) -> None:
    """NAME-8, NGX-1"""
    app = dokku.make_app("web")
    for bad, owner in zip(PORTS, itertools.cycle(["web", "--global"]), strict=False):
        refused = dokku("proxy:set", owner, key, "--", bad)
        assert (refused.code, refused.out) == (1, ""), (owner, bad, refused)
        assert refused.err == f" !     Invalid port: {printable(bad)}\n", (owner, bad)
    assert not (app / "ENV").exists() or "PORT" not in (app / "ENV").read_text()
    assert not (dokku.root / "ENV").exists()
