"""A host's data as Dokku 0.24 writes it: everything is read, and nothing is written anew by reading."""

from pathlib import Path

import pytest

from tests.certificates import Authority, written
from tests.cli.conftest import Dokku

ID = "44b2b007ee2195d87ad4c469e586a53c802121678865e02fdee8db625f6c453a"
ENV = (
    'DATABASE_URL="postgres://u:p\\$w@h/db"\nDOKKU_APP_RESTORE="1"\nDOKKU_APP_TYPE="dockerfile"\n'
    'DOKKU_CHECKS_SKIPPED="worker"\nDOKKU_PROXY_PORT="80"\n'
    'DOKKU_PROXY_PORT_MAP="http:8080:5000 http:80:5000"\nEMPTY=""\n'
    'GREETING="it\'s \\"quoted\\""\nMULTI="line1\\nline2"\nUNI="żółw"'
)
APP = {
    "ENV": ENV,
    "VHOST": "shop.example.com\nwww.shop.example.com\n",
    "URLS": "# generated\nhttp://shop.example.com\n",
    "DOKKU_SCALE": "worker=2\nweb=1\n",
    "CONTAINER.web.1": f"{ID}\n",
    "IP.web.1": "172.18.0.15",
    "PORT.web.1": "5000",
    "DOCKER_OPTIONS_DEPLOY": "--memory-swappiness=0\n--restart=on-failure:20\n-v /srv/shop:/data\n",
    "DOCKER_OPTIONS_RUN": "-v /srv/shop:/data\n",
    "DOCKER_OPTIONS_BUILD": "--build-arg=A='b c'\n",
    "nginx.conf": "upstream test_app-5000 {\n  server 172.18.0.15:5000;\n}\n",
    "nginx.conf.d/upload.conf": "client_max_body_size 50m;\n",
}
PROPERTIES = {
    "common/test_app/deployed": "true",
    "git/test_app/deploy-branch": "main",
    "git/--global/deploy-branch": "trunk",
    "nginx/test_app/hsts-max-age": "15724800",
    "network/test_app/attach-post-create": "backend",
    "network/test_app/bind-all-interfaces": "false",
    "resource/test_app/web.reserve.memory": "64",
    "resource/test_app/_default_.limit.memory": "512",
}
KEY = (
    'command="FINGERPRINT=SHA256:x NAME=\\"admin\\" `cat /home/dokku/.sshcommand` $SSH_ORIGINAL_COMMAND",'
    "no-agent-forwarding,no-user-rc,no-X11-forwarding,no-port-forwarding "
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl admin\n"
)


@pytest.fixture
def host(dokku: Dokku, tmp_path: Path) -> Dokku:
    """A host of 0.24 with one app, whose name could not be given any more."""
    dokku.program("docker", '#!/bin/sh\necho "Error: No such container: x" >&2\nexit 1\n')
    app = dokku.make_app("old-name")
    app.rename(dokku.root / "test_app")
    for name in ("common", "git", "network"):
        for place in (dokku.lib / "config" / name).glob("old-name"):
            place.rename(place.with_name("test_app"))
    for top, files in ((dokku.root / "test_app", APP), (dokku.lib / "config", PROPERTIES)):
        for name, content in files.items():
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_text(content)
    (dokku.root / "ENV").write_text('TZ="UTC"')
    (dokku.root / "VHOST").write_text("example.com\n")
    (dokku.root / ".ssh").mkdir()
    (dokku.root / ".ssh/authorized_keys").write_text(KEY)
    (dokku.root / ".ssh/authorized_keys").chmod(0o700)
    (dokku.root / "test_app/tls").mkdir(mode=0o750)
    written(dokku.root / "test_app/tls", Authority(tmp_path / "authority").leaf("shop.example.com"))
    return dokku


def state(dokku: Dokku) -> dict[str, tuple[bytes, int]]:
    found = [path for top in (dokku.root, dokku.lib) for path in top.rglob("*") if path.is_file()]
    kept = [path for path in found if not path.is_relative_to(dokku.lib / "tmp")]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in kept}


READ = [
    ("apps:list",),
    ("config:export", "test_app"),
    ("urls", "test_app"),
    ("docker-options:report", "test_app"),
    ("storage:list", "test_app"),
    ("ssh-keys:list",),
    ("git:report", "test_app", "--git-deploy-branch"),
    *((f"{name}:report", "test_app") for name in ("apps", "ps", "checks", "nginx", "resource", "certs")),
]


def test_everything_is_read_and_nothing_is_rewritten(host: Dokku) -> None:
    """UPG-1, NAME-2"""
    before = state(host)
    told = {words: host(*words) for words in READ}
    assert not {words: said for words, said in told.items() if said.code}
    assert {path: content for path, content in state(host).items() if path in before} == before
    assert told["apps:list",].out.splitlines()[-1] == "test_app"
    assert "export GREETING='it'\\''s \"quoted\"'" in told["config:export", "test_app"].out
    assert host("config:get", "test_app", "DATABASE_URL").out == "postgres://u:p$w@h/db\n"
    assert host("config:get", "test_app", "MULTI").out == "line1\nline2\n"
    assert host("config:get", "test_app", "UNI").out == "żółw\n"
    assert host("config:get", "--global", "TZ").out == "UTC\n"
    assert host("domains:report", "test_app", "--domains-app-vhosts").out.split() == [
        "shop.example.com",
        "www.shop.example.com",
    ]
    assert "http://shop.example.com:8080\n" in told["urls", "test_app"].out
    assert host("certs:report", "test_app", "--ssl-enabled").out == "true\n"
    assert sorted(host("--quiet", "ps:scale", "test_app").out.split()) == ["1", "2", "web:", "worker:"]
    assert told["git:report", "test_app", "--git-deploy-branch"].out == "main\n"
    assert "/srv/shop:/data" in told["storage:list", "test_app"].out
    assert 'NAME="admin"' in told["ssh-keys:list",].out


def test_a_command_changes_its_own_item_only(host: Dokku) -> None:
    """UPG-1, UPG-4"""
    before = state(host)
    assert host("config:set", "--no-restart", "test_app", "ADDED=1").code == 0
    after = state(host)
    assert [path for path in before if after[path] != before[path]] == [str(host.root / "test_app/ENV")]
    assert (host.root / "test_app/ENV").read_text().splitlines() == sorted([*ENV.split("\n"), 'ADDED="1"'])
