"""`instance`: a whole dokku beside whatever this machine runs: own roots, nginx and sshd, the host's docker.

Everything is below one directory, listens on free ports, and is named with a prefix of its own; when the
tests end its processes, containers, images and networks go. DOKKU_TEST_KEEP=1 keeps the directory.
"""

import contextlib
import fcntl
import http.client
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from lib.host import nginx_logs
from tests.ports import free_port

TREE = Path(__file__).resolve().parents[2]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BASE_IMAGE = "dokku-test/busybox"
DOMAIN = "apps.test"
PARENT = "/var/lib"  # sshd trusts no key file below a directory that others can write
_SERVE = """#!/bin/sh
# httpd ends at once when it is asked to; process 1 of a container has to ask for that itself
trap 'kill $server; exit 0' TERM INT
echo "listening on ${PORT:-5000}"
httpd -f -p "${PORT:-5000}" -h /www &
server=$!
wait
"""
NGINX_GROUP = "nogroup"
_NGINX = """
user nobody nogroup;
worker_processes 2;
worker_shutdown_timeout 30s;
pid {place}/nginx.pid;
error_log {place}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    server_names_hash_bucket_size 512;
    access_log off;
    client_body_temp_path {place}/nginx-body;
    proxy_temp_path {place}/nginx-proxy;
    fastcgi_temp_path {place}/nginx-fastcgi;
    uwsgi_temp_path {place}/nginx-uwsgi;
    scgi_temp_path {place}/nginx-scgi;
    server {{
        {listen}
        server_name _;
        return 444;
    }}
    include {place}/root/*/nginx.conf;
    include {place}/lib/data/nginx-vhosts/*.conf;
}}
"""
_SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {place}/host_key
PidFile none
AuthorizedKeysFile {place}/root/.ssh/authorized_keys
PermitRootLogin forced-commands-only
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM {pam}
StrictModes yes
AcceptEnv none
MaxStartups 200
Subsystem sftp /usr/lib/openssh/sftp-server
PrintMotd no
LogLevel VERBOSE
"""


class Result(NamedTuple):
    out: str
    err: str
    code: int


class Answer(NamedTuple):
    """What nginx said to a request; status 0 when it closed the connection without a word."""

    status: int
    body: str


class Instance:
    """Started by `start`, ended by `close`. place: its directory; root, lib, log: dokku's below it."""

    def __init__(self) -> None:
        self.prefix = "t" + secrets.token_hex(3)
        self.place = Path(tempfile.mkdtemp(prefix="dokku-test-", dir=PARENT))
        self.place.chmod(0o711)  # nginx's workers are nobody
        self.root, self.lib, self.log = (self.place / name for name in ("root", "lib", "log"))
        self.port, self.ssh_port = free_port(), free_port()
        self.nginx: subprocess.Popen[bytes] | None = None
        self.sshd: subprocess.Popen[bytes] | None = None
        nginx = f"/usr/sbin/nginx -p {self.place} -c {self.place}/nginx.conf"
        self.environment = {
            "PATH": f"{self.place}/bin:{PATH}",
            "HOME": str(self.root),
            "USER": "root",
            "DOKKU_ROOT": str(self.root),
            "DOKKU_LIB_PATH": str(self.lib),
            "DOKKU_LOGS_DIR": str(self.log),
            "DOKKU_SYSTEM_USER": "root",
            "DOKKU_SYSTEM_GROUP": "root",
            "DOKKU_DEFAULTS_FILE": os.devnull,
            "DOKKU_PYTHON": sys.executable,
            "DOKKU_NGINX_LOG_DIR": str(self.log),
            "DOKKU_NGINX_PID_FILE": str(self.place / "nginx.pid"),
            "DOKKU_NGINX_TEST_COMMAND": f"{nginx} -t",
            "DOKKU_NGINX_RELOAD_COMMAND": f"{nginx} -s reload",
        }

    def name(self, app: str) -> str:
        """The name of an app that nobody else on this machine has."""
        return f"{self.prefix}-{app}"

    def dokku(
        self,
        *words: str,
        input: str | bytes | None = None,
        env: dict[str, str] | None = None,
        timeout: float = 300,
    ) -> Result:
        """Run a command as the administrator does, on the machine itself."""
        return _run(
            [str(self.place / "bin/dokku"), *words],
            env={"PATH": PATH, "HOME": "/root", "USER": "root", **(env or {})},
            input=input,
            timeout=timeout,
        )

    def ssh(self, *words: str, input: str | bytes | None = None, options: tuple[str, ...] = ()) -> Result:
        """Run a command as a remote user does. options: more of ssh's own."""
        return _run([*self.ssh_argv(), *options, "root@127.0.0.1", *words], input=input)

    def ssh_argv(self, key: str = "client_key") -> list[str]:
        """ssh, up to but without the host."""
        options = ["IdentitiesOnly=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"]
        options += ["LogLevel=ERROR", "BatchMode=yes", "ConnectTimeout=15"]
        flags = [word for option in options for word in ("-o", option)]
        return ["ssh", "-F", "none", "-p", str(self.ssh_port), "-i", str(self.place / key), *flags]

    def new_repo(self, files: dict[str, str], branch: str = "main") -> Path:
        """A git work tree with one commit. files: content by path; what starts with `#!` is executable."""
        repo = Path(tempfile.mkdtemp(prefix="repo-", dir=self.place))
        self.git(repo, "init", "--quiet", f"--initial-branch={branch}")
        self.commit(repo, files)
        return repo

    def commit(self, repo: Path, files: dict[str, str], message: str = "change") -> str:
        """Write files into a work tree and commit everything; the commit's name."""
        for name, content in files.items():
            path = repo / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            path.chmod(0o755 if content.startswith("#!") else 0o644)
        self.git(repo, "add", "--all")
        self.git(repo, "commit", "--quiet", "--allow-empty", "--message", message)
        return self.git(repo, "rev-parse", "HEAD").out.strip()

    def git(self, repo: Path, *words: str, check: bool = True) -> Result:
        """git as a user has it, in a work tree."""
        done = _run(["git", *words], cwd=repo, env=self._git_environment())
        assert done.code == 0 or not check, done
        return done

    def push(
        self, repo: Path, app: str, refspec: str = "HEAD:refs/heads/main", timeout: float = 300
    ) -> Result:
        """git push to an app through sshd. What the deploy says is in `err`, where git shows it."""
        return _run(self.push_argv(app, refspec), cwd=repo, env=self._git_environment(), timeout=timeout)

    def push_in_background(
        self, repo: Path, app: str, refspec: str = "HEAD:refs/heads/main"
    ) -> subprocess.Popen[bytes]:
        """The same, not waited for; stdout and stderr together are in its stdout."""
        return subprocess.Popen(
            self.push_argv(app, refspec),
            cwd=repo,
            env=self._git_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def push_argv(self, app: str, refspec: str) -> list[str]:
        return ["git", "push", "--force", self.remote(app), refspec]

    def remote(self, app: str) -> str:
        return f"ssh://root@127.0.0.1:{self.ssh_port}/{app}"

    def get(self, app: str, path: str = "/", host: str = "", timeout: float = 30) -> Answer:
        """Ask nginx for an app's page under its own domain, or under another host name."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers={"Host": host or self.host(app), "Connection": "close"})
            answer = connection.getresponse()
            return Answer(answer.status, answer.read().decode("utf-8", "replace"))
        except (http.client.RemoteDisconnected, ConnectionResetError):
            return Answer(0, "")
        finally:
            connection.close()

    def host(self, app: str) -> str:
        return f"{app}.{DOMAIN}"

    def url(self, app: str) -> str:
        """Where an app is for a load generator, which has to send `Host: self.host(app)`."""
        return f"http://127.0.0.1:{self.port}/"

    def sample(self, page: str = "hello", **more: str) -> dict[str, str]:
        """The files of an app that answers / with a page. more: other files, or other content."""
        dockerfile = [
            f"FROM {BASE_IMAGE}",
            "COPY . /app",
            "RUN ln -s /app/www /www",
            "WORKDIR /app",
        ]
        return {
            "Dockerfile": "\n".join([*dockerfile, 'CMD ["/app/serve"]', ""]),
            "serve": f"{_SERVE}# {self.prefix}: no other instance shares the layers\n",
            "www/index.html": page,
            "CHECKS": f"WAIT=0\nTIMEOUT=5\nATTEMPTS=300\n/ {page}\n",
            **more,
        }

    def docker(self, *words: str, check: bool = True) -> str:
        """docker, as anybody calls it; its stdout."""
        done = _run(["docker", *words])
        assert done.code == 0 or not check, done
        return done.out

    def build(self, name: str, context: Path) -> None:
        """Build an image by hand, and again when docker looked at a layer that went meanwhile."""
        for _ in range(10):
            done = _run(["docker", "build", "--quiet", "--force-rm", f"--tag={name}", str(context)])
            if 'unable to find image "sha256:' not in done.err:
                break
        assert done.code == 0, done

    def containers(self, app: str = "", *filters: str) -> list[str]:
        """The ids of an app's containers (of all of this instance's apps), running or not."""
        return self._labelled(["container", "ls", "--all", *(f"--filter={text}" for text in filters)], app)

    def images(self, app: str = "") -> list[str]:
        return self._labelled(["image", "ls"], app)

    def wait_for_images(self, app: str, count: int) -> None:
        """Clean up until an app has so many: docker prunes for one caller at a time, and others deploy."""
        wait_for(lambda: self.dokku("cleanup", app).code == 0 and len(self.images(app)) == count, 30)

    def set_environment(self, **variables: str) -> None:
        """What every dokku of this instance gets from now on, and nothing else, however it is called."""
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
        (self.place / "environment").write_text("".join(lines))

    def add_key(self, name: str, key: str) -> Result:
        """Make an ssh key file below `place` and let it in."""
        path = self.place / key
        if not path.exists():
            _must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)])
        return self.dokku("ssh-keys:add", name, f"{path}.pub")

    def start(self) -> None:
        for directory in (self.root, self.lib, self.log, self.lib / "data", self.place / "bin"):
            directory.mkdir()
        for directory in (self.root, self.lib / "data"):  # as lib/host/layout.py has them
            shutil.chown(directory, group=NGINX_GROUP)
            directory.chmod(0o710)
        nginx_logs.make_private(str(self.log), "root:adm")
        for name in ("body", "proxy", "fastcgi", "uwsgi", "scgi"):
            (self.place / f"nginx-{name}").mkdir(mode=0o700)
        _build_base_image()
        self._write_wrapper()
        (self.root / "VHOST").write_text(f"{DOMAIN}\n")
        (self.root / "HOSTNAME").write_text(f"{DOMAIN}\n")
        settings = {"DOKKU_PROXY_PORT": str(self.port), "DOKKU_DEFAULT_CHECKS_WAIT": "1"}
        (self.root / "ENV").write_text("\n".join(f'{key}="{value}"' for key, value in settings.items()))
        (self.root / "ENV").chmod(0o600)
        (self.root / ".sshcommand").write_text(f"{self.place}/bin/dokku\n")
        (self.lib / "failpoints").touch()
        keep = self.lib / "config/releases/--global/keep"  # tests count images; those about releases set more
        keep.parent.mkdir(parents=True)
        keep.write_text("1")
        self.start_nginx()
        self.start_sshd()
        added = self.add_key("tester", "client_key")
        assert added.code == 0, added

    def start_nginx(self) -> None:
        listen = [f"listen {self.port} default_server;"]
        if _has_ipv6():
            listen.append(f"listen [::]:{self.port} default_server;")
        config = self.place / "nginx.conf"
        config.write_text(_NGINX.format(place=self.place, listen=" ".join(listen)))
        argv = ["/usr/sbin/nginx", "-p", str(self.place), "-c", str(config), "-g", "daemon off;"]
        self.nginx = self._daemon(argv, self.port)

    def stop_nginx(self) -> None:
        _end(self.nginx)
        self.nginx = None

    def start_sshd(self) -> None:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        if not (self.place / "host_key").exists():
            _must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.place / "host_key")])
        config = self.place / "sshd.conf"
        pam = "yes" if _is_locked("root") else "no"
        config.write_text(_SSHD.format(place=self.place, port=self.ssh_port, pam=pam))
        self.sshd = self._daemon(["/usr/sbin/sshd", "-D", "-e", "-f", str(config)], self.ssh_port)

    def close(self) -> None:
        """End what runs and remove what is ours, also after a start that failed half way."""
        _end(self.sshd)
        _end(self.nginx)
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            self._remove_from_docker()
        if not os.environ.get("DOKKU_TEST_KEEP"):
            shutil.rmtree(self.place, ignore_errors=True)

    def _daemon(self, argv: list[str], port: int) -> subprocess.Popen[bytes]:
        with open(self.place / f"{Path(argv[0]).name}.out", "ab") as output:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={"PATH": PATH}
            )
        try:
            wait_for(lambda: process.poll() is not None or _answers(port), 15)
            assert process.poll() is None, (self.place / f"{Path(argv[0]).name}.out").read_text()
        except BaseException:
            _end(process)
            raise
        return process

    def _write_wrapper(self) -> None:
        lines = [f"export {name}={shlex.quote(value)}" for name, value in self.environment.items()]
        extra = shlex.quote(str(self.place / "environment"))
        lines.append(f"[ ! -f {extra} ] || . {extra}")
        lines.append(f'exec {shlex.quote(str(TREE / "bin/dokku"))} "$@"')
        wrapper = self.place / "bin/dokku"
        wrapper.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        wrapper.chmod(0o755)

    def _git_environment(self) -> dict[str, str]:
        who = {"NAME": "Test", "EMAIL": "test@example.com"}
        return {
            "PATH": PATH,
            "HOME": str(self.place),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_SSH_COMMAND": shlex.join(self.ssh_argv()),
            **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()},
        }

    def _labelled(self, listing: list[str], app: str) -> list[str]:
        if app:
            mark = f"--filter=label=com.dokku.app-name={app}"
            return sorted(set(self.docker(*listing, "--quiet", "--no-trunc", mark).split()))
        label = '{{.ID}} {{.Label "com.dokku.app-name"}}'
        if listing[0] == "image":
            ids = set(
                self.docker(*listing, "--quiet", "--no-trunc", "--filter=label=com.dokku.app-name").split()
            )
            label = '{{.Id}} {{index .Config.Labels "com.dokku.app-name"}}'
            inspect = ["image", "inspect", f"--format={label}", *sorted(ids)]
            lines = self.docker(*inspect, check=False) if ids else ""  # others' may have gone by now
        else:
            lines = self.docker(*listing, "--no-trunc", f"--format={label}")
        pairs = [line.split(" ", 1) for line in lines.splitlines()]
        return [id_ for id_, owner in pairs if owner.startswith(f"{self.prefix}-")]

    def _remove_from_docker(self) -> None:
        containers, images = self.containers(), self.images()
        if containers:
            self.docker("container", "rm", "--force", "--volumes", *containers, check=False)
        names = self.docker("image", "ls", "--format={{.Repository}}:{{.Tag}}").split()
        ours = (f"dokku/{self.prefix}-", f"dokku-test/{self.prefix}-")
        named = [name for name in names if name.startswith(ours)]
        if images or named:
            self.docker("image", "rm", "--force", *named, *images, check=False)
        for kind in ("network", "volume"):
            names = self.docker(kind, "ls", "--format={{.Name}}").split()
            ours = [name for name in names if name.removeprefix("dokku.app.").startswith(f"{self.prefix}-")]
            if ours:
                self.docker(kind, "rm", *ours, check=False)


@pytest.fixture(scope="session")
def instance() -> Iterator[Instance]:
    """A whole dokku of its own, one for all tests of a run; apps are named with `instance.name`."""
    absent = missing()
    if absent:
        pytest.skip(f"no whole system can be had here: {absent}")
    whole = Instance()
    try:
        whole.start()
        yield whole
    finally:
        whole.close()


def missing() -> str:
    """What this machine lacks for an instance; empty when it lacks nothing."""
    if os.geteuid() != 0:
        return "needs root"
    found = {"PATH": f"{os.environ.get('PATH', '')}:{PATH}"}
    programs = ("docker", "nginx", "sshd", "ssh", "ssh-keygen", "git", "busybox", "tar")
    absent = [name for name in programs if shutil.which(name, path=found["PATH"]) is None]
    if absent:
        return f"needs {', '.join(absent)}"
    return "" if _run(["docker", "version"]).code == 0 else "docker does not answer"


def wait_for(ready: Callable[[], object], timeout: float) -> None:
    """Ask until the answer is yes; an assertion fails when the time (seconds) is up."""
    deadline = time.monotonic() + timeout
    while not ready():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def _build_base_image() -> None:
    """Debian's static busybox with a link for each of its programs, on nothing else; made once."""
    with open(Path(tempfile.gettempdir()) / "dokku-test-busybox.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _run(["docker", "image", "inspect", BASE_IMAGE]).code == 0:
            return
        with tempfile.TemporaryDirectory() as directory:
            top = Path(directory)
            for name in ("bin", "etc", "tmp"):
                (top / name).mkdir()
            (top / "tmp").chmod(0o1777)
            shutil.copy(shutil.which("busybox") or "/bin/busybox", top / "bin/busybox")
            for applet in _must(["busybox", "--list"]).out.split():
                if applet != "busybox":
                    (top / "bin" / applet).symlink_to("busybox")
            (top / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n")
            (top / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
            archive = subprocess.run(
                ["tar", "--create", "--owner=0", "--group=0", f"--directory={top}", "."],
                check=True,
                stdout=subprocess.PIPE,
            )
            change = ["--change", "ENV PATH=/bin", "--change", 'CMD ["/bin/sh"]']
            _must(["docker", "import", *change, "-", BASE_IMAGE], input=archive.stdout)


def _run(
    argv: list[str],
    env: dict[str, str] | None = None,
    input: str | bytes | None = None,
    cwd: Path | None = None,
    timeout: float = 300,
) -> Result:
    done = subprocess.run(
        argv,
        env=env,
        cwd=cwd,
        input=input.encode("utf-8", "surrogateescape") if isinstance(input, str) else input,
        stdin=subprocess.DEVNULL if input is None else None,
        capture_output=True,
        timeout=timeout,
        check=False,
        start_new_session=True,  # a failpoint kills the process group, and we are not in it
    )
    out, err = (said.decode("utf-8", "surrogateescape") for said in (done.stdout, done.stderr))
    return Result(out, err, done.returncode)


def _must(argv: list[str], input: bytes | None = None) -> Result:
    done = _run(argv, input=input)
    assert done.code == 0, done
    return done


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::", 0))
        return True
    except OSError:
        return False


def _is_locked(user: str) -> bool:
    """Whether sshd without PAM would refuse the account."""
    lines = Path("/etc/shadow").read_text().splitlines()
    return any(line.startswith(f"{user}:!") for line in lines)
