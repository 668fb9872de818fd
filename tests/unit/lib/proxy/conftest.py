"""A host in memory: docker with labelled containers, and an nginx that reads files when it is reloaded."""

import json
from pathlib import Path
from typing import Any

import jinja2  # noqa: F401 - loaded once, not anew in each test's file system
import pytest

from lib.base import settings
from tests.conftest import Answer, Shell

MASTER = 77


class Host(Shell):
    """nginx refuses files that hold a word of `refused`; what it read last is `in_force`, by app."""

    def __init__(self) -> None:
        super().__init__()
        self.docker: dict[str, Any] = {}
        self.refused = ["bogus"]
        self.in_force: dict[str, str] = {}
        self.reloads_take = True
        self.worker = 100
        self.answers("openssl …", status=1)

    def app(self, name: str, *addresses: str, domains: str = "") -> Path:
        """An app with a running web container at each address; what the files say of addresses is old."""
        directory = Path(settings.app_dir(name))
        directory.mkdir(exist_ok=True, parents=True)
        if domains:
            (directory / "VHOST").write_text("".join(f"{domain}\n" for domain in domains.split()))
        for index, ip in enumerate(addresses, 1):
            id_ = f"{name}.{index}".encode().hex().ljust(64, "0")
            for file, text in (("CONTAINER", f"{id_}\n"), ("IP", "10.9.9.9"), ("PORT", "5000")):
                (directory / f"{file}.web.{index}").write_text(text)
            self.docker[id_] = _container(id_, name, ip)
        return directory

    def containers(self, name: str) -> list[Any]:
        """What docker knows of an app's containers, for a test to change."""
        return [known for id_, known in self.docker.items() if bytes.fromhex(id_).startswith(name.encode())]

    def start_nginx(self) -> None:
        Path(settings.nginx_pid_file()).write_text(f"{MASTER}\n")
        self._process(MASTER, "nginx: master process /usr/sbin/nginx")
        self._new_workers()

    def stop_nginx(self) -> None:
        Path(settings.nginx_pid_file()).unlink()

    def conf(self, app: str) -> str | None:
        path = Path(settings.app_dir(app), "nginx.conf")
        return path.read_text() if path.exists() else None

    def count(self, line: str) -> int:
        return self.ran.count(line)

    def _answer(self, line: str) -> Answer | None:
        if line.startswith("docker container inspect"):
            lines = [json.dumps(known) for id_, known in self.docker.items() if id_ in line]
            return Answer("\n".join(lines).encode(), b"", 0, None)
        if line == "nginx -t":
            return self._tested()
        if line == "nginx -s reload":
            if self.reloads_take:
                self.in_force = {path.parent.name: text for path, text in self._files().items()}
                self._process(self.worker, "nginx: worker process is shutting down")
                self._new_workers()
            return Answer(b"", b"", 0, None)
        return super()._answer(line)

    def _tested(self) -> Answer:
        for path, text in self._files().items():
            for word in self.refused:
                if word in text:
                    said = f'nginx: [emerg] unknown directive "{word}" in {path}:1\nnginx: test failed\n'
                    return Answer(b"", said.encode(), 1, None)
        return Answer(b"", b"nginx: test is successful\n", 0, None)

    def _files(self) -> dict[Path, str]:
        found = [
            *Path(settings.root()).glob("*/nginx.conf"),
            *Path(settings.root()).glob("*/nginx.conf.d/*.conf"),
        ]
        ours = Path(settings.data("nginx-vhosts")).glob("*.conf")
        return {path: path.read_text() for path in sorted([*found, *ours], key=lambda path: path.name)}

    def _new_workers(self) -> None:
        self.worker += 1
        self._process(self.worker, "nginx: worker process")
        task = Path(f"/proc/{MASTER}/task/{MASTER}")
        task.mkdir(parents=True, exist_ok=True)
        (task / "children").write_text(f"{self.worker} ")

    def _process(self, pid: int, title: str) -> None:
        directory = Path(f"/proc/{pid}")
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "cmdline").write_bytes(title.encode() + b"\0")


@pytest.fixture
def host(fs: Any, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host whose nginx runs, with a global domain and no app."""
    found = Host()
    monkeypatch.setattr("lib.base.run._spawn", found.spawn)
    place = Path(settings.root()).parent
    for name, value in {
        "DOKKU_NGINX_TEST_COMMAND": "nginx -t",
        "DOKKU_NGINX_RELOAD_COMMAND": "nginx -s reload",
        "DOKKU_NGINX_PID_FILE": str(place / "nginx.pid"),
        "DOKKU_NGINX_LOG_DIR": "/var/log/nginx",
    }.items():
        monkeypatch.setenv(name, value)
    fs.add_real_directory(Path(__file__).parents[4] / "lib/templates")
    Path(settings.root(), "VHOST").write_text("dokku.me\n")
    found.start_nginx()
    return found


def _container(id_: str, app: str, ip: str) -> dict[str, Any]:
    return {
        "Id": id_,
        "Name": f"/{app}.web.1",
        "Image": "sha256:0",
        "RestartCount": 0,
        "Config": {"Labels": {"com.dokku.app-name": app}},
        "HostConfig": {"NetworkMode": "default"},
        "State": {
            "Status": "running",
            "Running": True,
            "Restarting": False,
            "StartedAt": "2026-01-01T00:00:00Z",
        },
        "NetworkSettings": {"IPAddress": ip, "Networks": {}},
    }
