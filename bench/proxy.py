"""What `proxy:build-config --all` costs beside nginx itself: the goal is ten times one bare test and reload.

    bench/proxy.py [--apps 200] [--runs 3] [--profile] [--proxy haproxy]

Makes an instance with so many light apps (their state is written, nothing is deployed) and lets each run
change every one of them: all serially, then with --parallel 4, then with nothing to change. Beside it stands
what one `nginx -t` and one reload with the same files take, in the same run. Counts tests and reloads, and
takes the peak memory. --profile prints where the time of one serial run went. --proxy haproxy has that
serve the apps, and compares with it. Needs nginx, sshd, docker and root.
"""

import argparse
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lib.tools import haproxy
from tests.ports import free_port
from tests.system import light
from tests.system.conftest import Instance, missing

GOAL = 10  # times a bare test and reload
MEMORY = 150  # MB
TREE = pathlib.Path(__file__).resolve().parent.parent

PROFILED = """
import cProfile, os, runpy, sys
def stop(code):
    profile.disable()
    profile.dump_stats({place!r})
    sys.exit(code)
os._exit = stop
sys.argv = ["dokku", "proxy:build-config", "--all"]
profile = cProfile.Profile()
profile.enable()
runpy.run_path({program!r}, run_name="__main__")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--apps", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--proxy", choices=("nginx", "haproxy"), default="nginx")
    wanted = parser.parse_args()
    if missing():
        sys.exit(missing())
    instance = Instance()
    try:
        instance.start()
        with light.backend() as port:
            measure(instance, port, wanted)
    finally:
        if wanted.proxy == "haproxy":
            instance.dokku("haproxy:stop")
        instance.close()


def measure(instance: Instance, port: int, wanted: argparse.Namespace) -> None:
    count, runs = wanted.apps, wanted.runs
    names = light.names(instance, count)
    light.make(instance, names, port)
    notes = light.noted_nginx(instance)
    if wanted.proxy == "haproxy":
        choose_haproxy(instance)
    first, memory = build(instance)
    if wanted.proxy == "nginx":
        assert instance.get(names[-1]).body == f"this is {instance.host(names[-1])}\n"
    print(f"{count} apps; the first build took {first:.2f} s and {memory:.0f} MB")
    bare_one = {"nginx": bare_nginx, "haproxy": bare_haproxy}[wanted.proxy]
    bare = statistics.median(bare_one(instance) for _ in range(runs))
    print(f"{'bare test and reload':<34}{bare:7.3f} s")
    for title, words in (("serial", []), ("--parallel 4", ["--parallel", "4"])):
        rows = []
        for number in range(runs):
            change(instance, names, f"{title}-{number}")
            notes.write_text("")
            rows.append(build(instance, *words))
            calls = [line.rpartition(" ")[2] for line in notes.read_text().splitlines()]
            assert sorted(calls) == (["-t", "reload"] if wanted.proxy == "nginx" else []), calls
        show(title, rows, bare, count)
    show("nothing to change", [build(instance) for _ in range(runs)], bare, count)
    if wanted.profile:
        change(instance, names, "profiled")
        profile(instance)


def choose_haproxy(instance: Instance) -> None:
    """Let haproxy serve all apps, at a port of its own."""
    for words in (
        ("haproxy:set", "--global", "http-port", str(free_port())),
        ("haproxy:set", "--global", "bind-address", "127.0.0.1"),
        ("haproxy:start",),
        ("proxy:set", "--global", "type", "haproxy"),
    ):
        assert instance.dokku(*words).code == 0, words


def show(title: str, rows: list[tuple[float, float]], bare: float, count: int) -> None:
    seconds = statistics.median(row[0] for row in rows)
    memory = max(row[1] for row in rows)
    verdict = "ok" if seconds <= GOAL * bare and memory <= MEMORY else "MISSED"
    each = 1000 * seconds / count
    print(
        f"{title:<34}{seconds:7.3f} s  {each:5.1f} ms an app  {seconds / bare:5.1f} times bare"
        f"  {memory:4.0f} MB  {verdict}",
        flush=True,
    )


def build(instance: Instance, *words: str) -> tuple[float, float]:
    """Seconds and peak memory in MB of one build of all apps."""
    command = [str(instance.place / "bin/dokku"), "proxy:build-config", "--all", *words]
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = process.stderr.read() if process.stderr else ""
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, said
    return time.monotonic() - begin, usage.ru_maxrss / 1024


def change(instance: Instance, names: list[str], word: str) -> None:
    """Give every app one more domain, so that all their files change."""
    for app in names:
        path = instance.root / app / "VHOST"
        path.write_text(f"{instance.host(app)}\n{word.strip('-').replace(' ', '-')}.{instance.host(app)}\n")


def bare_nginx(instance: Instance) -> float:
    """Seconds of one test and one reload, until the new workers are there."""
    begin = time.monotonic()
    test, reload = (
        shlex.split(instance.environment[f"DOKKU_NGINX_{what}_COMMAND"]) for what in ("TEST", "RELOAD")
    )
    subprocess.run(test, check=True, stderr=subprocess.DEVNULL)
    master = (instance.place / "nginx.pid").read_text().strip()
    children = pathlib.Path(f"/proc/{master}/task/{master}/children")
    before = set(children.read_text().split())
    subprocess.run(reload, check=True, stderr=subprocess.DEVNULL)
    while not set(children.read_text().split()) - before:
        time.sleep(0.005)
    return time.monotonic() - begin


def bare_haproxy(instance: Instance) -> float:
    """The same for haproxy."""
    os.environ.update(instance.environment)
    begin = time.monotonic()
    assert haproxy.problem(haproxy.ours().configuration) == ""
    haproxy.reload(haproxy.ours())
    return time.monotonic() - begin


def profile(instance: Instance) -> None:
    """Print where the time of one serial build goes."""
    place = instance.place / "profile"
    script = PROFILED.format(place=str(place), program=str(TREE / "bin/dokku"))
    subprocess.run(
        [sys.executable, "-c", script], env=instance.environment, stdout=subprocess.DEVNULL, check=False
    )
    import pstats

    pstats.Stats(str(place)).sort_stats("cumulative").print_stats(45)
    pstats.Stats(str(place)).sort_stats("tottime").print_stats(25)


main()
