"""A Debian or Ubuntu machine with nothing installed, in namespaces of its own, for the tests of bin/install.

The base system is made by debootstrap from the mirror that this machine uses, and cached. A machine has
processes, mounts, a network, a host name and cgroups of its own; `close` ends it and takes its traces away.
"""

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

CACHE = Path(os.environ.get("DOKKU_TEST_CACHE", "/var/cache/dokku-tests"))
PLACE = Path("/var/tmp")
PREFIX = "dokku-bare"
PACKAGES = "var/cache/apt/archives"  # below a machine's root
HOST = "bare"  # the name that a machine calls itself
SCRIPT = str(Path(__file__).with_name("machine.sh"))
PASSED_ON = re.compile(
    r"(?i)(pip_.*|(https?|all|no|ftp)_proxy|ssl_cert_.*|(requests|curl)_ca_bundle|git_ssl_cainfo)"
)
PROGRAMS = ("debootstrap", "unshare", "nsenter", "ip", "iptables", "setpriv")


class Mirror(NamedTuple):
    """Where this machine's own packages come from. lines: the same as an apt source list."""

    uri: str
    suite: str
    components: list[str]
    lines: list[str]


class Result(NamedTuple):
    status: int
    output: str
    seconds: float


def missing() -> str:
    """Why no machine can be made here; empty when it can."""
    if os.geteuid() != 0:
        return "needs root"
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"needs {', '.join(absent)}" if absent else ""


class Machine:
    """A machine that runs until it is closed. root: its file system, as seen from here."""

    def __init__(self, init: bool = False) -> None:
        """init: start the machine's own /sbin/init; else only what is run in it runs."""
        sweep()
        self.name = f"{PREFIX}-{os.getpid()}-{secrets.token_hex(2)}"
        self.root = PLACE / self.name
        self.pid = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._undo: list[list[str]] = []
        try:
            with base(("systemd", "systemd-sysv", "dbus") if init else ()) as cached:
                _call("cp", "--archive", str(cached), str(self.root))
            self._furnish(init)
            self._start()
            self._connect()
        except BaseException:
            self.close()
            raise

    def run(self, *argv: str, timeout: float = 600, stdin: bytes = b"") -> Result:
        """Run a program as root in the machine, with a plain environment; stdout and stderr together."""
        env = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
        env |= {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        env |= {"TERM": "dumb", "LANG": "C.UTF-8"}
        before = time.monotonic()
        done = subprocess.run(
            ["sh", SCRIPT, "join", self.name, "nsenter", f"--target={self.pid}", "--all", *argv],
            env=env,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(errors="replace"), time.monotonic() - before)

    def sh(self, script: str, timeout: float = 600) -> Result:
        """Run a shell script as root in the machine."""
        return self.run("sh", "-c", script, timeout=timeout)

    def wait(self, script: str, timeout: float = 60, also: Callable[[], object] = lambda: None) -> None:
        """Until a shell script says yes. also: called each time it has not."""
        deadline = time.monotonic() + timeout
        while self.sh(script).status:
            if time.monotonic() > deadline:
                raise RuntimeError(f"not within {timeout} seconds: {script}")
            also()
            time.sleep(0.2)

    def reboot(self) -> None:
        """Cut its power, and start it again from its disk."""
        self._stop()
        self._start()
        self._connect()

    def close(self) -> None:
        """End all its processes, and remove its files, its groups and its way out."""
        self._stop()
        with contextlib.suppress(FileNotFoundError):
            self._keep_packages()
        shutil.rmtree(self.root, ignore_errors=True)

    def _keep_packages(self) -> None:
        """Save the next machine the download."""
        for package in (self.root / PACKAGES).glob("*.deb"):
            if not (CACHE / "apt" / package.name).exists():
                whole = CACHE / "apt" / f"{self.name}-{package.name}.part"
                shutil.copy(package, whole)
                whole.rename(CACHE / "apt" / package.name)

    def _stop(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid or self._process.pid, signal.SIGKILL)
            self._process.kill()
            self._process.wait()
        while self._undo:
            subprocess.run(self._undo.pop(), check=False, capture_output=True)
        remove_cgroups(self.name)

    def _furnish(self, init: bool) -> None:
        """What a hoster's image would have: a name, a resolver, package sources, trusted certificates."""
        etc = self.root / "etc"
        (etc / "hostname").write_text(f"{HOST}\n")
        (etc / "hosts").write_text(f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {HOST}\n")
        stub = Path("/run/systemd/resolve/resolv.conf")
        resolver = stub if "127.0.0.53" in Path("/etc/resolv.conf").read_text() else Path("/etc/resolv.conf")
        (etc / "resolv.conf").unlink(missing_ok=True)
        shutil.copy(resolver, etc / "resolv.conf")
        (etc / "apt/sources.list").write_text("".join(f"{line}\n" for line in mirror().lines))
        settings = [line for line in _output("apt-config", "dump").splitlines() if "::Proxy" in line]
        (etc / "apt/apt.conf.d/90outside").write_text("\n".join([*settings, ""]))
        (etc / "dpkg/dpkg.cfg.d/outside").write_text("force-unsafe-io\n")  # no test cuts the power during apt
        named = [value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)]
        certificates = ["/etc/ssl/certs/ca-certificates.crt", "/usr/local/share/ca-certificates"]
        for path in [*named, "/etc/pip.conf", *certificates]:
            if path.startswith("/") and os.path.exists(path) and not os.path.exists(f"{self.root}{path}"):
                os.makedirs(os.path.dirname(f"{self.root}{path}"), exist_ok=True)
                _call("cp", "--recursive", "--dereference", path, f"{self.root}{path}")
        (CACHE / "apt").mkdir(parents=True, exist_ok=True)
        for package in (CACHE / "apt").glob("*.deb"):
            shutil.copy(package, self.root / PACKAGES)
        if init:
            (self.root / "machine-init").touch()

    def _start(self) -> None:
        # the machine's clock since boot starts now, not when this one's did
        booted = f"--boottime=-{int(time.clock_gettime(time.CLOCK_BOOTTIME))}"
        namespaces = ["--mount", "--pid", "--net", "--uts", "--ipc", "--time", booted]
        unshare = ["setpriv", "--pdeathsig=KILL", "unshare", *namespaces, "--fork", "--kill-child"]
        enter = ["sh", SCRIPT, "enter", str(self.root), self.name]
        self._process = subprocess.Popen([*unshare, *enter], stdin=subprocess.DEVNULL)
        self.pid = 0
        deadline = time.monotonic() + 30
        while not self.pid or not os.path.exists(f"/proc/{self.pid}/root/run/machine-is-up"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the machine did not come up")
            time.sleep(0.05)
            children = (
                Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
            )
            self.pid = int(children[0]) if children else 0

    def _connect(self) -> None:
        """A cable to this machine, which forwards and masquerades."""
        network, cable = _free_network(), f"bare{secrets.token_hex(4)}"
        inside = ["nsenter", f"--target={self.pid}", "--net", "ip"]
        _call("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", str(self.pid))
        _call("ip", "address", "add", f"{network}.1/30", "dev", cable)
        _call("ip", "link", "set", cable, "mtu", _mtu(), "up")
        _call(*inside, "link", "set", "lo", "up")
        _call(*inside, "address", "add", f"{network}.2/30", "dev", "eth0")
        _call(*inside, "link", "set", "eth0", "mtu", _mtu(), "up")
        _call(*inside, "route", "add", "default", "via", f"{network}.1")
        forwarding = Path("/proc/sys/net/ipv4/ip_forward")
        if forwarding.read_text().strip() == "0":
            forwarding.write_text("1")
            self._undo.append(["sysctl", "-q", "-w", "net.ipv4.ip_forward=0"])
        mark = ["-m", "comment", "--comment", self.name]
        self._rule("-t", "nat", "POSTROUTING", "-s", f"{network}.0/30", *mark, "-j", "MASQUERADE")
        self._rule("-t", "filter", "FORWARD", "-i", cable, *mark, "-j", "ACCEPT")
        self._rule("-t", "filter", "FORWARD", "-o", cable, *mark, "-j", "ACCEPT")

    def _rule(self, _flag: str, table: str, chain: str, *rule: str) -> None:
        _call("iptables", "--wait", "-t", table, "-I", chain, *rule)
        self._undo.append(["iptables", "--wait", "-t", table, "-D", chain, *rule])


@contextlib.contextmanager
def running(init: bool = False) -> Iterator[Machine]:
    """A machine for the time of the block."""
    made = Machine(init)
    try:
        yield made
    finally:
        made.close()


def mirror() -> Mirror:
    """The distribution's package source as this machine has it.

    DOKKU_TEST_MIRROR="URI SUITE COMPONENT..." chooses another.
    """
    chosen = os.environ.get("DOKKU_TEST_MIRROR", "").split()
    if chosen:
        return Mirror(chosen[0], chosen[1], chosen[2:], ["deb " + " ".join(chosen)])
    suite = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.MULTILINE)
    if suite is None:
        raise RuntimeError("this system does not say which release it is")
    template = "$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)"
    rows = _output("apt-get", "indextargets", "--format", template, "Created-By: Packages").split("\n")
    sources: dict[tuple[str, str], list[str]] = {}
    for origin, uri, release, component in (row.split() for row in sorted(set(rows)) if row):
        if origin in ("Debian", "Ubuntu"):
            sources.setdefault((uri, release), []).append(component)
    lines = [f"deb {uri} {release} {' '.join(parts)}" for (uri, release), parts in sources.items()]
    uri = next(uri for uri, release in sources if release == suite[1])
    return Mirror(uri, suite[1], sources[uri, suite[1]], lines)


@contextlib.contextmanager
def base(packages: tuple[str, ...] = ()) -> Iterator[Path]:
    """The file system of a freshly installed minimal system; made once, then cached. packages: in it too."""
    source = mirror()
    CACHE.mkdir(parents=True, exist_ok=True)
    kind = "-".join([source.suite, _output("dpkg", "--print-architecture").strip(), *packages[:1]])
    place, fresh = CACHE / f"base-{kind}", CACHE / f"base-{kind}.new"
    with open(CACHE / f"base-{kind}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            shutil.rmtree(fresh, ignore_errors=True)
            flags = ["--variant=minbase", f"--components={','.join(source.components)}"]
            if packages:
                flags.append(f"--include={','.join(packages)}")
            _call("debootstrap", *flags, source.suite, str(fresh), source.uri)
            for archive in (fresh / "var/cache/apt/archives").glob("*.deb"):
                archive.unlink()
            fresh.rename(place)
        yield place


def sweep() -> None:
    """Remove what a test run that was killed has left."""
    for place in PLACE.glob(f"{PREFIX}-*"):
        owner = place.name.split("-")[2]
        if not os.path.exists(f"/proc/{owner}"):
            remove_cgroups(place.name)
            shutil.rmtree(place, ignore_errors=True)
    for table in ("nat", "filter"):
        for line in _output("iptables-save", "-t", table).splitlines():
            owned = re.search(rf"--comment \"?{PREFIX}-(\d+)-", line)
            if owned and not os.path.exists(f"/proc/{owned[1]}") and line.startswith("-A "):
                _call("iptables", "--wait", "-t", table, "-D", *line.replace('"', "").split()[1:])


def remove_cgroups(name: str) -> None:
    """Remove a machine's groups; its processes are gone, or about to be."""
    for group in (*Path("/sys/fs/cgroup").glob(name), *Path("/sys/fs/cgroup").glob(f"*/{name}")):
        for _ in range(20):
            done = subprocess.run(
                ["find", str(group), "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"],
                check=False,
                capture_output=True,
            )
            if not done.stderr:
                break
            time.sleep(0.1)


def _free_network() -> str:
    taken = _output("ip", "-4", "route", "show", "table", "all")
    for number in range(os.getpid() % 200, os.getpid() % 200 + 256):
        if f"10.213.{number % 256}." not in taken:
            return f"10.213.{number % 256}"
    raise RuntimeError("no free network")


def _mtu() -> str:
    device = re.search(r"default .*dev (\S+)", _output("ip", "-4", "route", "show", "default"))
    return Path(f"/sys/class/net/{device[1]}/mtu").read_text().strip() if device else "1500"


def _call(*argv: str) -> None:
    done = subprocess.run(argv, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stdout.decode(errors='replace')[-2000:]}")


def _output(*argv: str) -> str:
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout.decode()
