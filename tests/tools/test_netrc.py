"""What git and curl send as password is what was stored, whatever it is."""

import base64
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.source import netrc

TIP = "1" * 40
HOST = "127.0.0.1"
PASSWORDS = [
    *("secret", "a b", "a\tb", "#lead", "a#b", '"', 'a"b', '"ab"', "it's", "\\", "a\\", "\\n", "a\\b", "né→"),
    *(
        "machine",
        "default",
        "login",
        "-x",
        "--",
        "x" * 300,
        "{}[]$`|;&<>*?~!%^",
        ' \\" ',
        "\\\\\"\"''",
        "%20",
        "é" * 1000,
        '"' * 2000,
    ),
]


class Server(ThreadingHTTPServer):
    """Shows one branch to who signs in. asked: the user:password of each request that had one."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), Answer)
        self.asked: list[str] = []


class Answer(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        word = self.headers.get("Authorization", "")
        if not word:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.server.asked.append(base64.b64decode(word.removeprefix("Basic ")).decode())
        body = f"{TIP}\trefs/heads/main\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@pytest.fixture(scope="module")
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


def sent_by(program, server, home):
    """What a program signs in with, given the netrc in a home directory."""
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program}")
    url = f"http://{HOST}:{server.server_port}/x.git"
    words = {
        "git": ["git", "ls-remote", url, "refs/heads/main"],
        "curl": ["curl", "--silent", "--fail", "--netrc-file", str(home / ".netrc"), f"{url}/info/refs"],
    }[program]
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin", "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1"}
    server.asked.clear()
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"{TIP}\trefs/heads/main\n"), done.stderr
    return set(server.asked)


@pytest.mark.parametrize("program", ["git", "curl"])
@pytest.mark.parametrize("password", PASSWORDS)
def test_the_password_arrives_as_it_was_given(server, home, program, password):
    """NET-5"""
    text = "# a comment\nmachine other login a password b\ndefault login c password d\n"
    (home / ".netrc").write_text(netrc.with_entry(text, HOST, "me", password))
    assert sent_by(program, server, home) == {f"me:{password}"}


@settings(max_examples=40)
@given(
    user=st.text(
        st.characters(exclude_categories=["Cc", "Cs"], exclude_characters=":"), min_size=1, max_size=20
    ),
    password=st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40),
)
def test_git_signs_in_with_whatever_was_given(server, home, user, password):
    """NET-5"""
    (home / ".netrc").write_text(netrc.with_entry("", HOST, user, password))
    assert sent_by("git", server, home) == {f"{user}:{password}"}


@pytest.mark.parametrize("program", ["git", "curl"])
@pytest.mark.parametrize(
    "before",
    [
        "default login c password d\n",
        "macdef init\ncd /pub",
        f"machine {HOST} login a # old\n",
        f"machine {HOST} password b login a\nmachine {HOST} login c password d\n",
        f"default login c password d\nmachine {HOST} login a password b\n",
        f"# x\nmachine {HOST}\n\tlogin a\n\tpassword b\n# y\n",
        f"machine {HOST} user a password b\n",
    ],
)
def test_an_update_counts_whatever_stood_there(server, home, program, before):
    (home / ".netrc").write_text(netrc.with_entry(before, HOST, "me", "pass word"))
    assert sent_by(program, server, home) == {"me:pass word"}


def test_an_entry_with_a_port_is_not_used_by_git(server, home):
    """NET-12: Why git:auth warns about it: the default counts."""
    text = netrc.with_entry("default login c password d\n", f"{HOST}:{server.server_port}", "me", "secret")
    (home / ".netrc").write_text(text)
    assert sent_by("git", server, home) == {"c:d"}
