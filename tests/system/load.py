"""A load generator, wrk, on one app: 16 connections, a new one for every request, until told to stop.

A pause before each request leaves the processors to what is tested, and to other tests: some hundred requests
a second find what is dropped as some thousand do, only sooner.
"""

import re
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.system.conftest import Instance

_SCRIPT = """
wrong = 0
function delay() return {pause} end
function setup(thread) the_thread = thread end
function response(status, headers, body)
    if status ~= 200 or not string.find(body, "{mark}", 1, true) then wrong = wrong + 1 end
end
function done(summary, latency, requests)
    local e = summary.errors
    local form = "requests=%d connect=%d read=%d write=%d timeout=%d status=%d wrong=%d\\n"
    io.write(string.format(form,
        summary.requests, e.connect, e.read, e.write, e.timeout, e.status, the_thread:get("wrong")))
end
"""


class Outcome(NamedTuple):
    """failed: connection errors, timeouts, answers other than 2xx. wrong: answers without the mark."""

    requests: int
    failed: int
    wrong: int


class Load:
    """Runs wrk for the length of a `with` block; `outcome` is there after it. pause: milliseconds."""

    def __init__(
        self, instance: Instance, app: str, mark: str, connections: int = 16, pause: int = 30
    ) -> None:
        self.directory = tempfile.TemporaryDirectory()
        script = Path(self.directory.name) / "check.lua"
        script.write_text(_SCRIPT.replace("{mark}", mark).replace("{pause}", str(pause)))
        headers = ["-H", "Connection: close", "-H", f"Host: {instance.host(app)}"]
        self.argv = [
            "wrk",
            "-t1",
            f"-c{connections}",
            "-d3600s",
            "--timeout=10s",
            *headers,
            "-s",
            str(script),
        ]
        self.argv.append(instance.url(app))
        self.outcome = Outcome(0, 0, 0)

    def __enter__(self) -> "Load":
        self.process = subprocess.Popen(self.argv, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGINT)
        said, _ = self.process.communicate(timeout=60)
        numbers = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", said)}
        failed = sum(numbers[name] for name in ("connect", "read", "write", "timeout", "status"))
        self.outcome = Outcome(numbers["requests"], failed, numbers["wrong"])
        self.directory.cleanup()
