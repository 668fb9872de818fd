"""Repositories to sync from, and the servers that have them: git over http, https and ssh on the loopback.

`serving` runs git's own http-backend and notes every request; told to, it asks for a password, and answers as
servers do on a bad day. `serving_ssh` is a private sshd that lets chosen keys in to git and nothing else.
"""

import base64
import contextlib
import gzip
import os
import pwd
import shlex
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.ports import free_port

BACKEND = Path(subprocess.check_output(["git", "--exec-path"], text=True).strip()) / "git-http-backend"
HTML = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body>A page.</body></html>\n"
_SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {place}/host_key
PidFile none
AuthorizedKeysFile {place}/authorized_keys
PermitRootLogin forced-commands-only
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM {pam}
StrictModes no
AcceptEnv GIT_PROTOCOL
PrintMotd no
LogLevel VERBOSE
"""


class Upstream:
    """A repository that somebody else owns, with a work tree beside it. path: what servers serve."""

    def __init__(self, served: Path, name: str = "blog.git", branch: str = "main") -> None:
        self.name, self.path = name, served / name
        self.tree = served.parent / f"work-{name}"
        self.tree.mkdir(parents=True)
        self.path.mkdir(parents=True)
        self.git("init", "--quiet", f"--initial-branch={branch}")
        self.git("config", "uploadpack.allowAnySHA1InWant", "true")  # as the large hosts do

    def git(self, *words: str, check: bool = True) -> str:
        """Git as the owner has it; its stdout."""
        who = {f"GIT_{kind}_{what}": "x@y" for kind in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        done = subprocess.run(
            ["git", *words],
            cwd=self.tree,
            env={
                "PATH": os.environ["PATH"],
                "HOME": "/nonexistent",
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_DIR": str(self.path),
                "GIT_WORK_TREE": str(self.tree),
                **who,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0 or not check, (words, done.stderr)
        return done.stdout.strip()

    def commit(self, *, message: str = "change", **files: str) -> str:
        """Add files to the branch that is checked out; the new commit."""
        return self.commit_files(files, message)

    def commit_files(self, files: dict[str, str], message: str = "change") -> str:
        """The same for names of any kind. What starts with `#!` is executable."""
        for name, content in files.items():
            path = self.tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            path.chmod(0o755 if content.startswith("#!") else 0o644)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.tip("HEAD")

    def branch(self, name: str) -> None:
        """Go on with a new branch, from where the old one is."""
        self.git("checkout", "--quiet", "-B", name)

    def unrelated(self, name: str, **files: str) -> str:
        """Go on with a branch that shares nothing with the others; its only commit."""
        self.git("checkout", "--quiet", "--orphan", name)
        self.git("rm", "--quiet", "-r", "--force", "--ignore-unmatch", ".")
        return self.commit(message=f"start of {name}", **files)

    def tag(self, name: str, commit: str = "HEAD", annotated: bool = False) -> str:
        """Put a tag, or move it; the id of what it names: the commit, or the tag object."""
        self.git("tag", "--force", *(["--annotate", "--message", name] if annotated else []), name, commit)
        return self.git("rev-parse", f"refs/tags/{name}")

    def submodule(self, path: str, url: str, commit: str) -> str:
        """Commit a submodule, whatever its URL is."""
        with (self.tree / ".gitmodules").open("a") as modules:
            modules.write(f'[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n')
        self.git("add", ".gitmodules")
        self.git("update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")
        self.git("commit", "--quiet", "--message", f"submodule {path}")
        return self.tip("HEAD")

    def tip(self, name: str) -> str:
        """The commit that a name leads to."""
        return self.git("rev-parse", "--verify", f"{name}^{{commit}}")


class Request(NamedTuple):
    """What a client asked. login: `user:password` that came with it. asked: ls-refs or fetch, of a POST."""

    method: str
    path: str
    login: str
    asked: str
    status: int


Misfortune = Callable[["_Handler", bytes], int]  # answers a request, given its body; the status it sent


class _Plan(NamedTuple):
    misfortune: Misfortune
    at: str


class HttpServer:
    """git http-backend over everything below a directory. users: password by name; without any it is public.

    requests: all there were, in order. delay: seconds that each answer takes.
    """

    def __init__(self, served: Path, users: dict[str, str] | None = None, tls: Path | None = None) -> None:
        self.served, self.users, self.delay = served, users or {}, 0.0
        self.requests: list[Request] = []
        self.ended = threading.Event()
        self._plans: list[_Plan] = []
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"git_server": self}))
        self._http.daemon_threads = True
        self.scheme, self.host = "http", f"127.0.0.1:{self._http.server_address[1]}"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
            self.scheme = "https"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def url(self, name: str = "blog.git", login: str = "") -> str:
        return f"{self.scheme}://{login}{'@' if login else ''}{self.host}/{name}"

    def fail(self, misfortune: Misfortune, times: int = 1, at: str = "") -> None:
        """Let the next requests come to grief. at: only those with this in path, query or `asked`."""
        self._plans += [_Plan(misfortune, at)] * times

    def recover(self) -> None:
        """Forget what has been planned, and what has been asked."""
        self._plans.clear()
        self.requests.clear()

    def count(self, **wanted: str | int) -> int:
        """How many requests were like that: `count(method="POST", asked="fetch")`."""
        return sum(all(getattr(one, key) == value for key, value in wanted.items()) for one in self.requests)

    @property
    def logins(self) -> list[str]:
        """The credentials of every request that brought some."""
        return [request.login for request in self.requests if request.login]

    @property
    def attempts(self) -> int:
        """How many times somebody came without credentials to ask what there is, as each git does first."""
        return sum(request.method == "GET" and not request.login for request in self.requests)

    def take_plan(self, request: str) -> Misfortune | None:
        with self._lock:
            for number, plan in enumerate(self._plans):
                if plan.at in request:
                    return self._plans.pop(number).misfortune
        return None

    def note(self, request: Request) -> None:
        with self._lock:
            self.requests.append(request)

    def close(self) -> None:
        self.ended.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(timeout=10)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    git_server: HttpServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def send(self, status: int, body: bytes, **headers: str) -> int:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        return status

    def cut(self) -> None:
        """Let go of the client in the middle of it all, without a word of farewell."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def backend(self, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        """What git's own server says: status, body, headers."""
        address = urlsplit(self.path)
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.git_server.served),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": address.path,
            "QUERY_STRING": address.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run([str(BACKEND)], env=env, input=body, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        status = int(headers.pop("Status", "200").split()[0])
        return status, content, {name.replace("-", "_"): value for name, value in headers.items()}

    def _answer(self) -> None:
        body = self._read()
        plain = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        asked = next((word for word in ("ls-refs", "fetch") if f"command={word}".encode() in plain), "")
        login = self._login()
        number = len(self.git_server.requests)
        self.git_server.note(Request(self.command, self.path, login, asked, 0))
        status = 0
        try:
            misfortune = self.git_server.take_plan(f"{self.path} {asked}")
            if self.git_server.delay:
                self.git_server.ended.wait(self.git_server.delay)
            status = misfortune(self, body) if misfortune else self._usual(login, body)
        except (ConnectionError, ValueError):  # the client has gone
            self.close_connection = True
        with contextlib.suppress(IndexError):
            self.git_server.requests[number] = self.git_server.requests[number]._replace(status=status)

    def _usual(self, login: str, body: bytes) -> int:
        user, _, password = login.partition(":")
        if self.git_server.users and self.git_server.users.get(user, object()) != password:
            return unauthorized(self, body)
        status, content, headers = self.backend(body)
        return self.send(status, content, **headers)

    def _login(self) -> str:
        kind, _, word = self.headers.get("Authorization", "").partition(" ")
        return base64.b64decode(word).decode() if kind == "Basic" else ""

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))


# --- misfortunes ----------------------------------------------------------------------------------------


def unauthorized(handler: _Handler, _body: bytes) -> int:
    return handler.send(401, b"who are you?\n", WWW_Authenticate='Basic realm="git"')


def answering(status: int, retry_after: str = "") -> Misfortune:
    """Nothing but a status."""
    more = {"Retry_After": retry_after} if retry_after else {}
    return lambda handler, _body: handler.send(status, b"no\n", Content_Type="text/plain", **more)


def page(handler: _Handler, _body: bytes) -> int:
    """A login page, say: 200, and no word of git's."""
    return handler.send(200, HTML, Content_Type="text/html; charset=utf-8")


def reset(handler: _Handler, _body: bytes) -> int:
    handler.cut()
    return 0


def stall(handler: _Handler, _body: bytes) -> int:
    """Not a word, for as long as the server runs."""
    handler.git_server.ended.wait()
    handler.cut()
    return 0


def truncated(handler: _Handler, body: bytes) -> int:
    """Half of what was promised."""
    status, content, headers = handler.backend(body)
    handler.send(status, content[: len(content) // 2], **{**headers, "Content_Length": str(len(content))})
    handler.close_connection = True
    return status


def trickling(seconds: float) -> Misfortune:
    """All of it, in twenty parts over so many seconds."""

    def answer(handler: _Handler, body: bytes) -> int:
        status, content, headers = handler.backend(body)
        handler.send(status, b"", **{**headers, "Content_Length": str(len(content))})
        size = len(content) // 20 + 1
        for start in range(0, len(content), size):
            handler.wfile.write(content[start : start + size])
            handler.wfile.flush()
            time.sleep(seconds / 20)
        return status

    return answer


def redirected(address: str) -> Misfortune:
    return lambda handler, _body: handler.send(302, b"", Location=address)


@contextlib.contextmanager
def serving(
    served: Path, users: dict[str, str] | None = None, tls: Path | None = None
) -> Iterator[HttpServer]:
    """A server for as long as the block lasts. tls: a file with a certificate and its key, for https."""
    server = HttpServer(served, users, tls)
    try:
        yield server
    finally:
        server.close()


def certificate(place: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody has signed but itself, and its key, in one file."""
    key, made, both = (place / name for name in ("tls.key", "tls.crt", "tls.pem"))
    line = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    words = ["-keyout", str(key), "-out", str(made)]
    subprocess.run(["openssl", *line.split(), *words], check=True, capture_output=True)
    both.write_bytes(key.read_bytes() + made.read_bytes())
    return both


# --- ssh ------------------------------------------------------------------------------------------------


class SshServer:
    """A sshd of its own. Keys get in by `allow`, to git and nothing else."""

    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        self.host = f"127.0.0.1:{self.port}"
        (place / "authorized_keys").touch()
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / "host_key")]
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        config = place / "sshd.conf"
        pam = "yes" if _is_locked(self.user) else "no"
        config.write_text(_SSHD.format(port=self.port, place=place, pam=pam))
        program = shutil.which("sshd", path="/usr/sbin:/sbin:/usr/bin") or "sshd"
        with (place / "sshd.log").open("wb") as log:
            self._process = subprocess.Popen(
                [program, "-D", "-e", "-f", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 15
        while not _answers(self.port):
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, "sshd did not start"
            time.sleep(0.02)

    @property
    def log(self) -> str:
        return (self.place / "sshd.log").read_text(errors="replace")

    @property
    def host_key(self) -> str:
        """The line of a known_hosts file for this server."""
        key = (self.place / "host_key.pub").read_text().split()
        return f"[127.0.0.1]:{self.port} {key[0]} {key[1]}\n"

    def url(self, repository: Path) -> str:
        return f"ssh://{self.user}@{self.host}{repository}"

    def allow(self, key: str) -> None:
        """Let the owner of a public key in."""
        backend = shlex.quote(str(BACKEND.parent))
        command = f'PATH={backend}:$PATH exec git-shell -c \\"$SSH_ORIGINAL_COMMAND\\"'
        with (self.place / "authorized_keys").open("a") as keys:
            keys.write(f'restrict,command="{command}" {key.strip()}\n')

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def serving_ssh(place: Path) -> Iterator[SshServer]:
    """A sshd for as long as the block lasts. place: a directory for its files."""
    server = SshServer(place)
    try:
        yield server
    finally:
        server.close()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_locked(user: str) -> bool:
    """Whether sshd without PAM would refuse the account."""
    try:
        return any(line.startswith(f"{user}:!") for line in Path("/etc/shadow").read_text().splitlines())
    except PermissionError:
        return False
