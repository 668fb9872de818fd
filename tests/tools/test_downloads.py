"""Archives from a web server of our own, on good days and bad ones, fetched by real curl."""

import contextlib
import os
import shutil
import socket
import time

import pytest

from lib.base import properties, settings, values
from lib.base.errors import ArchiveRejected, DokkuError, Transient
from lib.source import archives, downloads
from tests.archives import GOOD, archive, member
from tests.web import Server, in_turn, says, without_length

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
DATA = archive(GOOD)


@pytest.fixture
def server():
    with Server.running() as server:
        yield server


@pytest.fixture
def slept():
    """The pauses between attempts, which nobody waits for."""
    return []


@pytest.fixture
def fetched(tmp_path, said, slept):
    """Download an address; its content."""

    def fetch(url, sleep=slept.append):
        downloads.download(url, str(tmp_path / "archive"), sleep=sleep)
        return (tmp_path / "archive").read_bytes()

    return fetch


def warnings(said):
    return [data.decode() for stream, data in said if stream == 2 and data]


def test_a_file_is_fetched_with_one_request(server, fetched, said):
    server.answers["/a.tar"] = says(200, DATA)
    assert fetched(server.url("/a.tar")) == DATA
    assert (server.requests, warnings(said)) == ([("/a.tar", "")], [])


def test_an_archive_from_the_web_is_unpacked_and_shown_without_credentials(server, told, left_over):
    server.answers["/a.tar"] = says(200, archive(member("top/index.html", b"hello")))
    with archives.unpacked(server.url("/a.tar", "me:secret@"), "tar") as tree:
        assert os.listdir(tree) == ["index.html"]
    assert told() == (
        f"-----> Downloading tar file from {server.url('/a.tar')}\n-----> Generating build context\n"
        "       Striping 1 worth of directories from tarball\n"
        "       Moving unarchived files and folders into place\n"
    )
    assert left_over() == []


def test_redirects_are_followed(server, fetched):
    server.answers |= {f"/{n}": says(302, Location=f"/{n + 1}") for n in range(10)}
    server.answers["/10"] = says(200, DATA)
    assert fetched(server.url("/0")) == DATA


def test_redirects_have_an_end(server, fetched):
    """ARC-15"""
    server.answers["/a"] = says(302, Location="/a")
    with pytest.raises(DokkuError) as failed:
        fetched(server.url("/a"))
    assert failed.value.text == f"Unable to download {server.url('/a')}: more than 10 redirects"
    assert len(server.requests) == 11


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "scp://127.0.0.1/x", "ftp://127.0.0.1/x", "gopher://x"]
)
def test_a_redirect_leads_to_no_other_protocol(server, fetched, target, tmp_path):
    """ARC-15"""
    server.answers["/a"] = says(302, Location=target)
    with pytest.raises(DokkuError, match=r"Unable to download .*: Protocol .* not supported or disabled"):
        fetched(server.url("/a"))
    assert len(server.requests) == 1
    assert not (tmp_path / "archive").exists()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_lasting_failure_is_asked_for_once(server, fetched, said, status):
    """ARC-15, SYN-2"""
    server.answers["/a"] = says(status, b"<html>sorry</html>")
    with pytest.raises(DokkuError) as failed:
        fetched(server.url("/a", "me:secret@"))
    assert failed.value.text == f"Unable to download {server.url('/a')}: HTTP {status}"
    assert (len(server.requests), warnings(said)) == (1, [])


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_failure_is_tried_again(server, fetched, said, status):
    """SYN-1"""
    server.answers["/a"] = in_turn(says(status, b"sorry"), says(200, DATA))
    assert fetched(server.url("/a", "me:secret@")) == DATA
    assert len(server.requests) == 2
    (warning,) = warnings(said)
    assert warning.startswith(
        f" !     Unable to download {server.url('/a')}: HTTP {status}; attempt 2 of 4 in "
    )


def test_four_attempts_are_all(server, fetched, said):
    """SYN-1"""
    server.answers["/a"] = says(500)
    with pytest.raises(DokkuError, match=r"Unable to download http://127.0.0.1:\d+/a: HTTP 500"):
        fetched(server.url("/a"))
    assert (len(server.requests), len(warnings(said))) == (4, 3)


def test_the_server_says_when_to_come_back(server, slept, fetched):
    """SYN-1"""
    server.answers["/a"] = in_turn(says(503, Retry_After="7"), says(429, Retry_After="9999"), says(200, DATA))
    assert fetched(server.url("/a")) == DATA
    assert slept == [7, 20]


def test_a_server_may_name_a_date(server, slept, fetched):
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3600))
    late = "Wed, 21 Oct 2015 07:28:00 GMT"
    server.answers["/a"] = in_turn(
        says(503, Retry_After=date),
        says(503, Retry_After=late),
        says(503, Retry_After="soon"),
        says(200, DATA),
    )
    assert fetched(server.url("/a")) == DATA
    assert slept[0] == 20
    assert all(pause <= 4 for pause in slept[1:])


def test_no_budget_means_one_attempt(server, fetched):
    properties.write("git", "--global", "retry-timeout", "1")
    server.answers["/a"] = says(503, Retry_After="5")
    with pytest.raises(DokkuError, match="HTTP 503"):
        fetched(server.url("/a"))
    assert len(server.requests) == 1


def test_half_a_file_is_fetched_again_from_the_start(server, fetched):
    half = says(200, DATA[:100], Content_Length=str(len(DATA)))
    server.answers["/a"] = in_turn(half, says(200, DATA))
    assert fetched(server.url("/a")) == DATA
    assert len(server.requests) == 2


def test_nothing_after_half_a_file_is_nothing(server, fetched):
    half = says(200, DATA[:100], Content_Length=str(len(DATA)))
    server.answers["/a"] = in_turn(half, says(200, b""))
    with pytest.raises(DokkuError, match="Empty archive"):
        fetched(server.url("/a"))


def test_a_file_that_always_breaks_off_is_no_file(server, fetched):
    server.answers["/a"] = says(200, DATA[:100], Content_Length=str(len(DATA)))
    with pytest.raises(DokkuError, match=r"Unable to download .*: transfer closed with \d+ bytes remaining"):
        fetched(server.url("/a"))
    assert len(server.requests) == 4


def test_a_server_that_stalls_is_given_up(server, fetched):
    """ARC-15"""

    def stall(request):
        says(200, DATA[:100], Content_Length=str(len(DATA)))(request)
        request.wfile.flush()
        server.done.wait(30)

    properties.write("git", "--global", "fetch-timeout", "1")
    server.answers["/a"] = stall
    with pytest.raises(DokkuError, match=r"Unable to download .*: not done within 1 seconds"):
        fetched(server.url("/a"))
    assert len(server.requests) == 1


def test_the_ceiling_holds_for_all_attempts_together(server, fetched):
    properties.write("git", "--global", "fetch-timeout", "1")
    server.answers["/a"] = says(500)
    with pytest.raises(DokkuError, match="Unable to download"):
        fetched(server.url("/a"), sleep=lambda _: time.sleep(1.1))
    assert len(server.requests) <= 2


def test_a_server_that_is_not_there_is_tried_again(fetched, said):
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Transient, match=r"Failed to connect to 127\.0\.0\.1"):
        fetched(f"http://127.0.0.1:{port}/a")
    assert len(warnings(said)) == 3


@pytest.mark.parametrize("how", [lambda body: says(200, body), without_length])
def test_a_file_above_the_limit_is_not_fetched(server, fetched, how, tmp_path):
    """ARC-15"""
    properties.write("git", "--global", "archive-max-size", "2000000")
    server.answers["/a"] = how(bytes(9_000_000))
    with pytest.raises(ArchiveRejected, match="Archive exceeds maximum allowed size of 2000000 bytes"):
        fetched(server.url("/a"))
    assert len(server.requests) == 1
    path = tmp_path / "archive"
    assert not path.exists() or path.stat().st_size <= 2_000_000


@pytest.mark.parametrize("how", [lambda body: says(200, body), without_length])
def test_the_limit_is_exact(server, fetched, how):
    properties.write("git", "--global", "archive-max-size", "100")
    server.answers |= {"/100": how(bytes(100)), "/101": how(bytes(101))}
    assert fetched(server.url("/100")) == bytes(100)
    with pytest.raises(ArchiveRejected, match="Archive exceeds maximum allowed size of 100 bytes"):
        fetched(server.url("/101"))


def test_nothing_is_an_empty_archive(server, fetched):
    """IO-2"""
    server.answers["/a"] = says(200)
    with pytest.raises(ArchiveRejected, match="Empty archive"):
        fetched(server.url("/a"))


def wants_credentials(request):
    if request.headers.get("Authorization"):
        says(200, DATA)(request)
    else:
        says(401, WWW_Authenticate='Basic realm="x"')(request)


def test_credentials_of_an_address_are_used(server, fetched):
    server.answers["/a"] = wants_credentials
    assert fetched(server.url("/a", "me:s%20ecret@")) == DATA
    assert server.requests[-1] == ("/a", "me:s ecret")


def test_credentials_come_from_the_netrc_of_the_instance(server, fetched):
    os.makedirs(settings.root(), exist_ok=True)
    with open(os.path.join(settings.root(), ".netrc"), "w") as file:
        place = f"127.0.0.1:{server.server_port}"
        file.write(f'machine {place} login me password "s\\"ecret"\n')
    server.answers["/a"] = wants_credentials
    assert fetched(server.url("/a")) == DATA
    assert server.requests == [("/a", 'me:s"ecret')]


def test_credentials_are_not_taken_along_to_another_host(server, fetched):
    """ARC-15, SEC-4"""
    server.answers["/a"] = says(302, Location=f"http://localhost:{server.server_port}/b")
    server.answers["/b"] = says(200, DATA)
    assert fetched(server.url("/a", "me:secret@")) == DATA
    assert server.requests == [("/a", "me:secret"), ("/b", "")]


def test_the_configuration_of_a_user_changes_nothing(server, fetched, monkeypatch, tmp_path):
    (tmp_path / ".curlrc").write_text("fail = false\nuser-agent = evil\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    server.answers["/a"] = says(404, b"page")
    with pytest.raises(DokkuError, match="HTTP 404"):
        fetched(server.url("/a"))


def test_brackets_and_quotes_in_an_address_are_no_pattern(server, fetched):
    server.answers['/[1-9]{a,b}"x\\y'] = says(200, DATA)
    assert fetched(server.url('/[1-9]{a,b}"x\\y')) == DATA


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "ftp://h/x", "scp://h/x", "h/x", "/etc/passwd", "-o/tmp/canary", "http:/h/x"),
        *(
            "http://",
            "https:///x",
            "http://h/a b",
            "http://h/\nx",
            "http://h\x1b/",
            "HTTP:h",
            "http://h\\@x/",
        ),
        *("--", "http://me:pa/ss@h/x", "ext::sh -c id", "http://h:x/"),
    ],
)
def test_what_is_no_plain_address_is_refused_and_not_repeated(url):
    """ARC-15"""
    with pytest.raises(DokkuError) as refused:
        downloads.verify_url(url)
    assert refused.value.text == "Invalid archive url, must start with http:// or https:// and name a host"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pass@host/x", "https://host/x"),
        ("https://token@host:8443/x?y=@z#a@b", "https://host:8443/x?y=@z#a@b"),
        ("HTTPS://u:p@p@host/@scope/x.tgz", "HTTPS://host/@scope/x.tgz"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("http://host", "http://host"),
        ("http://host?x=y@z", "http://host?x=y@z"),
    ],
)
def test_an_address_is_shown_without_credentials(url, shown):
    """ARC-15, SEC-4"""
    downloads.verify_url(url)
    assert values.without_credentials(url) == shown
