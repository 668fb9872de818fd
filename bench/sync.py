"""What a git:sync costs that finds nothing new, against the one question that it can't do without.

    bench/sync.py [--runs 31] [--commits 2000]

Both ask a git server on the loopback for the same branch of the same repository: `dokku git:sync
--build-if-changes APP URL main`, with the median of `dokku version` taken off, and a bare `git ls-remote URL
refs/heads/main`. Interleaved, medians, goal at most 1.5 times: from a server that answers at once, and from
one that takes 50 ms for each of its two answers, as one across the internet does. Counts what is asked of the
server, too, and the objects before and after: an unchanged branch transfers nothing. Needs git with its
http-backend.
"""

import argparse
import os
import pathlib
import pwd
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tests.git_servers import HttpServer, Upstream, serving

TREE = pathlib.Path(__file__).resolve().parent.parent
GOAL = 1.5
DISTANT = 0.05  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=31)
    parser.add_argument("--commits", type=int, default=2000)
    wanted = parser.parse_args()
    folders = [str(TREE / name) for name in ("commands", "lib", "triggers")]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *folders], check=False)
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory)
        upstream = Upstream(place / "served")
        for number in range(wanted.commits):
            upstream.git("commit", "--quiet", "--allow-empty", "--message", str(number))
        upstream.commit(page="the last one")
        with serving(upstream.path.parent) as server:
            environment = instance(place)
            for server.delay in (0, DISTANT):
                measure(place, environment, server, upstream, wanted.runs)


def measure(
    place: pathlib.Path, environment: dict[str, str], server: HttpServer, upstream: Upstream, runs: int
) -> None:
    dokku = [sys.executable, "-I", str(TREE / "bin" / "dokku")]
    sync = [*dokku, "git:sync", "--build-if-changes", "app", server.url(), "main"]
    if not (place / "root/app").exists():
        for words in (["apps:create", "app"], ["git:sync", "app", server.url(), "main"]):
            subprocess.run([*dokku, *words], env=environment, check=True, stdout=subprocess.DEVNULL)
    commands = {
        "dokku version": [*dokku, "version"],
        "git ls-remote": ["git", "ls-remote", server.url(), "refs/heads/main"],
        "dokku git:sync": sync,
    }
    objects = count_objects(place)
    server.recover()
    times: dict[str, list[float]] = {name: [] for name in commands}
    asked: dict[str, list[str]] = {}
    for run in range(runs + 1):
        for name, argv in commands.items():
            before, begin = len(server.requests), time.perf_counter()
            subprocess.run(
                argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True
            )
            if run:
                times[name].append(time.perf_counter() - begin)
            asked[name] = [f"{one.method} {one.asked}".strip() for one in server.requests[before:]]
    print(f"an answer takes {server.delay * 1000:.0f} ms and what git needs, median of {runs} runs:")
    report(times, asked)
    print(f"  packs asked for in {runs + 1} syncs: {server.count(asked='fetch')}")
    print(f"  objects before and after: {objects}, {count_objects(place)}")
    assert upstream.tip("main") in (place / "root/app/refs/heads/main").read_text()


def report(times: dict[str, list[float]], asked: dict[str, list[str]]) -> None:
    middle = {name: statistics.median(taken) for name, taken in times.items()}
    for name, seconds in middle.items():
        print(f"  {name:<28} {seconds * 1000:7.1f} ms   asks: {', '.join(asked[name]) or 'nothing'}")
    own = middle["dokku git:sync"] - middle["dokku version"]
    ratio = own / middle["git ls-remote"]
    verdict = "within" if ratio <= GOAL else "ABOVE"
    print(f"  git:sync without start-up    {own * 1000:7.1f} ms   {ratio:.2f} x ls-remote ({verdict} {GOAL})")


def count_objects(place: pathlib.Path) -> str:
    words = ["git", f"--git-dir={place / 'root/app'}", "count-objects", "-v"]
    lines = subprocess.check_output(words, text=True).splitlines()
    found = dict(line.split(": ") for line in lines)
    return f"{int(found['count']) + int(found['in-pack'])}"


def instance(place: pathlib.Path) -> dict[str, str]:
    """The environment of a throw-away instance. Its docker is none: nothing is built."""
    for name in ("root", "lib", "log", "bin"):
        (place / name).mkdir()
    docker = place / "bin/docker"
    docker.write_text("#!/bin/sh\nexit 1\n")
    docker.chmod(0o755)
    return {
        "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
        "HOME": str(place / "root"),
        "DOKKU_ROOT": str(place / "root"),
        "DOKKU_LIB_PATH": str(place / "lib"),
        "DOKKU_LOGS_DIR": str(place / "log"),
        "DOKKU_SYSTEM_USER": pwd.getpwuid(os.geteuid()).pw_name,
        "DOKKU_SYSTEM_GROUP": pwd.getpwuid(os.geteuid()).pw_name,
        "DOKKU_DEFAULTS_FILE": os.devnull,
        "DOKKU_PYTHON": sys.executable,
        "DOKKU_NGINX_RELOAD_COMMAND": "/bin/true",
        "DOKKU_NGINX_TEST_COMMAND": "/bin/true",
    }


main()
