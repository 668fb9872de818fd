"""What an app's author might make us do: endless output, sparse files, escape sequences, requests."""

import http.server
import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Dokku
from tests.system.conftest import BASE_IMAGE, Instance

ESCAPE = "\x1b]0;owned\x07\x1b[2J\x9b1m\r"
FAKE = "\n=====> Application deployed:"


class Canary(http.server.ThreadingHTTPServer):
    """A service of the host that only the host reaches."""

    def __init__(self, address: str) -> None:
        super().__init__((address, 0), CanaryHandler)
        self.asked: list[str] = []


class CanaryHandler(http.server.BaseHTTPRequestHandler):
    server: Canary

    def do_POST(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def canary() -> Iterator[Canary]:
    with Canary("0.0.0.0") as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()


def pushed(instance: Instance, name: str, **more: str) -> str:
    """What the push of a new app said, whatever came of it."""
    repo = instance.new_repo(instance.sample(**more))
    push = instance.push(repo, instance.name(name))
    return push.out + push.err


def test_healthchecks_can_neither_flood_nor_paint_nor_ask(instance: Instance, canary: Canary) -> None:
    """IO-10, RUN-7"""
    app = instance.name("rude")
    port = canary.server_port
    hosts = ["127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]", "0.0.0.0", _bridge()]
    asking = [
        {"name": f"ask {host}", "listening": True, "port": 9, "onFailure": {"url": f"http://{host}:{port}/"}}
        for host in hosts
    ]
    flood = ["sh", "-c", "yes | tr -d '\\n'; exit 1"]
    checks = [
        {"name": f"flood{ESCAPE}{FAKE}", "command": flood, "timeout": 60},
        {"name": "errors", "command": ["sh", "-c", "yes >&2"], "timeout": 60},
        {"name": "paint", "command": ["sh", "-c", "printf '\\033]0;owned\\007\\033[2J'; exit 1"]},
        {"path": "/", "content": f"nowhere{ESCAPE}"},
        *asking,
    ]
    wanted = [{**one, "warn": True, "attempts": 1, "wait": 0} for one in checks]
    began = time.monotonic()
    try:
        said = pushed(instance, "rude", **{"app.json": json.dumps({"healthchecks": {"web": wanted}})})
    finally:
        instance.dokku("--force", "apps:destroy", app)
    assert time.monotonic() - began < 120
    assert said.count("the command wrote more than 4 MiB") >= 2, said
    assert "owned" in said
    assert not set("\x07\x9b") & set(said)
    assert not re.search(r"\x1b[^\[]|\x1b\[[0-9;]*[^0-9;mK]", said)  # git itself clears to the end of a line
    assert not [line for line in said.splitlines() if "flood" in line and line.endswith("deployed:")]
    assert said.count("which is not a public address") == len(hosts)
    assert canary.asked == []


def test_a_sparse_file_of_an_image_is_no_file(instance: Instance) -> None:
    """DKR-4"""
    app = instance.name("sparse")
    dockerfile = [
        f"FROM {BASE_IMAGE}",
        "COPY . /app",
        "RUN ln -s /app/www /www && truncate -s 3G /app/CHECKS && truncate -s 2M /app/Procfile",
        "WORKDIR /app",
        'CMD ["/app/serve"]',
    ]
    try:
        said = pushed(instance, "sparse", Dockerfile="\n".join(dockerfile))
        assert instance.get(app).status == 200, said
    finally:
        instance.dokku("--force", "apps:destroy", app)
    assert "Default container check successful" in said


@pytest.mark.parametrize(
    ("size", "levels", "said"), [(1, 10, "files"), (0, 9, "files"), (64 << 20, 2, "bytes")]
)
def test_a_small_commit_of_endless_files_is_refused(
    instance: Instance, size: int, levels: int, said: str
) -> None:
    """IO-10: each file and directory is in the repository once, and in the commit any number of times.

    size: bytes of the file, 0 for directories alone. levels: each has what is below it ten times.
    """
    repo = instance.new_repo({"file": "x"})

    def git(*words: str, input: bytes) -> str:
        done = subprocess.run(["git", "-C", str(repo), *words], input=input, capture_output=True, check=True)
        return done.stdout.decode().strip()

    entry = f"100644 blob {git('hash-object', '-w', '--stdin', input=bytes(size))}" if size else ""
    for _ in range(levels):
        lines = [f"{entry}\t{number}" for number in range(10)] if entry else []
        entry = f"040000 tree {git('mktree', input=''.join(f'{line}{chr(10)}' for line in lines).encode())}"
    tree = entry.split()[-1]
    commit = instance.git(repo, "commit-tree", "-m", "many", tree).out.strip()
    push = instance.push(repo, instance.name("endless"), f"{commit}:refs/heads/main")
    assert push.code != 0
    assert "The commit holds more than" in push.err
    assert said in push.err


def test_nothing_that_was_only_looked_at_leaves_a_volume(instance: Instance) -> None:
    """RUN-7: docker copies what the image has there for each container that is made."""
    before = set(instance.docker("volume", "ls", "--quiet").split())
    files = instance.sample(
        "volumes", **{"app.json": json.dumps({"scripts": {"dokku": {"predeploy": "true"}}})}
    )
    files["Dockerfile"] += "VOLUME /heap\n"
    app = instance.name("volumes")
    assert instance.push(instance.new_repo(files), app).code == 0
    (container,) = instance.containers(app)
    has = instance.docker("inspect", "--format={{range .Mounts}}{{.Name}} {{end}}", container).split()
    left = set(instance.docker("volume", "ls", "--quiet").split()) - before
    assert [name for name in left if _is_of_nobody(instance, name)] == []
    assert instance.dokku("apps:destroy", "--force", app).code == 0
    assert not {*has} & set(instance.docker("volume", "ls", "--quiet").split())


def _is_of_nobody(instance: Instance, volume: str) -> bool:
    return not instance.docker("container", "ls", "--all", "--quiet", f"--filter=volume={volume}").strip()


def test_a_plugin_that_never_stops_answering_is_stopped(tmp_path: Path) -> None:
    dokku = Dokku(tmp_path)
    dokku.make_app("blog")
    dokku.plugin("00-flood", scheduler_detect="#!/bin/sh\nyes\n")
    done = dokku("apps:destroy", "--force", "blog")
    assert done.code == 1
    assert "wrote more than 64 MiB; it was stopped" in done.err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("proxy:build-config", "--all", "--parallel", "1000000000000"), "for --parallel flag"),
        (("proxy:build-config", "--all", "--parallel", "-2"), "for --parallel flag"),
        (("proxy:build-config", "--all", "--parallel", "9" * 400), "--parallel"),
        (("ps:scale", "blog", "web=1000000000"), "Invalid count for process type web"),
        (("ps:scale", "blog", "web=-1"), "Invalid count for process type web"),
        (("checks:set", "blog", "attempts", "1000000000000"), "from 0 to 86400"),
        (("checks:set", "blog", "wait-to-retire", "1000000000000"), "from 0 to 86400"),
        (("git:set", "--global", "fetch-timeout", "1000000000000"), "604800 seconds or less"),
        (("git:set", "--global", "stall-timeout", "0"), "must be a positive number"),
        (("ports:add", "blog", "http:1000000000000:5000"), "Invalid port map"),
        (("nginx:set", "blog", "client-max-body-size", "1000000000000m"), "Invalid value"),
        (("nginx:set", "blog", "proxy-read-timeout", "1000000000000s"), "Invalid value"),
        (("haproxy:set", "--global", "max-connections", "1000000000000"), "Invalid value"),
        (("checks:set", "--global", "url-networks", "everything"), "it must be networks"),
    ],
)
def test_numbers_that_no_machine_has_room_for_are_refused(
    tmp_path: Path, words: tuple[str, ...], text: str
) -> None:
    """NAME-16"""
    dokku = Dokku(tmp_path)
    dokku.make_app("blog")
    done = dokku(*words)
    assert done.code != 0
    lines = done.err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith(" !     "), lines
    assert text in lines[0], lines


def _bridge() -> str:
    words = ["docker", "network", "inspect", "bridge", "--format={{(index .IPAM.Config 0).Gateway}}"]
    found = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    return found or "172.17.0.1"
