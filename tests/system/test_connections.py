"""What is under way when an app is replaced: slow requests, streams, connections that are kept open."""

import http.client
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from tests.system.conftest import Instance, wait_for

LINES = 12
OVERLAP = 1.0  # seconds: nginx itself has old and new workers answer side by side for a tenth of one
_HEAD = "echo Content-Type: text/plain; echo"
SLOW = f"#!/bin/sh\nsleep 4\n{_HEAD}\ncat /www/index.html\n"
STREAM = (
    f"#!/bin/sh\n{_HEAD}\nn=0\nwhile [ $n -lt {LINES} ]; do n=$((n + 1)); echo line $n; sleep 0.5; done\n"
)


class Seen(NamedTuple):
    """pages: what a client got and when, in order. failures: answers that were none, or not 200."""

    pages: list[tuple[str, float]]
    failures: list[str]

    def mixed(self) -> float:
        """For how many seconds a client got the old page after it had got the new one."""
        first = min(when for page, when in self.pages if page == "version 2")
        return max(when for page, when in self.pages if page == "version 1") - first


class Client:
    """Asks in a thread until told to stop. keeps: over one connection for as long as the server keeps it."""

    def __init__(self, instance: Instance, app: str, keeps: bool) -> None:
        self.instance, self.app, self.keeps = instance, app, keeps
        self.seen, self.over = Seen([], []), threading.Event()
        self.thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Seen:
        self.thread.start()
        return self.seen

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _ask(self) -> None:
        connection = self._connection()
        while not self.over.wait(0.02):
            if not self.keeps:
                connection.close()
            try:
                self._note(connection)
            except (http.client.HTTPException, OSError) as error:
                connection.close()
                if not self.keeps:
                    self.seen.failures.append(repr(error))
                    continue
                try:  # an idle connection may be closed at any time: every client asks once more
                    self._note(connection)
                except (http.client.HTTPException, OSError) as again:
                    self.seen.failures.append(repr(again))
        connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.instance.port, timeout=30)

    def _note(self, connection: http.client.HTTPConnection) -> None:
        connection.request("GET", "/", headers={"Host": self.instance.host(self.app)})
        answer = connection.getresponse()
        page = answer.read().decode()
        if answer.status == 200:
            self.seen.pages.append((page, time.monotonic()))
        else:
            self.seen.failures.append(str(answer.status))


def _in_background(work: Callable[[], object]) -> Callable[[], object]:
    """Begin something; the function that waits for it returns its result."""
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()

    def ended() -> object:
        thread.join()
        return results[0]

    return ended


def _files(instance: Instance, version: int) -> dict[str, str]:
    return instance.sample(f"version {version}", **{"www/cgi-bin/slow": SLOW, "www/cgi-bin/stream": STREAM})


def test_what_is_under_way_is_finished_and_the_old_version_is_gone_with_the_switch(
    instance: Instance,
) -> None:
    """ZDT-1, ZDT-2, ZDT-3, ZDT-4, ZDT-6"""
    app = instance.name("open")
    repo = instance.new_repo(_files(instance, 1))
    assert instance.push(repo, app).code == 0
    assert instance.get(app, "/cgi-bin/slow") == (200, "version 1")

    with Client(instance, app, keeps=False) as serial, Client(instance, app, keeps=True) as kept:
        instance.commit(repo, _files(instance, 2))
        push = _in_background(lambda: instance.push(repo, app).code)
        wait_for(lambda: len(instance.containers(app)) > 1, 120)  # the switch comes next
        slow = [_in_background(lambda: instance.get(app, "/cgi-bin/slow")) for _ in range(4)]
        stream = _in_background(lambda: instance.get(app, "/cgi-bin/stream", timeout=60))
        assert push() == 0
        assert instance.get(app) == (200, "version 2")
        for words in (
            ("config:set", app, "A=1"),
            ("domains:add", app, f"other.{instance.host(app)}"),
            ("proxy:build-config", app),
        ):
            assert instance.dokku(*words).code == 0

    assert [wait() for wait in slow] in ([(200, f"version {n}")] * 4 for n in (1, 2))
    assert stream() == (200, "".join(f"line {n + 1}\n" for n in range(LINES)))
    assert (serial.failures, kept.failures) == ([], [])
    assert len(serial.pages) > 50
    assert len(kept.pages) > 50
    assert {page for page, _ in serial.pages} == {"version 1", "version 2"}
    assert serial.mixed() < OVERLAP
