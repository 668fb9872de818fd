"""What dokku itself adds to a rebuild with everything in docker's cache: the goal is less than 0.7 s.

    bench/rebuild.py [--runs 7] [--calls]

Deploys an app with CHECKS into an instance of its own, then rebuilds it with `ps:rebuild`. A wrapper as
DOCKER_BIN notes when each docker command starts and ends. Prints medians: the whole; docker's part; and the
difference, which is ours: Python, git, files, nginx, and waiting for the app to be ready. --calls lists the
docker commands of the last run and what stood before each. Needs docker, nginx and sshd, and root.
"""

import argparse
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tests.system.conftest import Instance, missing

GOAL = 0.7  # seconds
WRAPPER = """#!/bin/bash
start=$EPOCHREALTIME
"{docker}" "$@"
status=$?
printf '%s %s %s\\n' "$start" "$EPOCHREALTIME" "${{*//$'\\n'/ }}" >>"{notes}"
exit $status
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--calls", action="store_true")
    wanted = parser.parse_args()
    if missing():
        sys.exit(missing())
    instance = Instance()
    try:
        instance.start()
        measure(instance, wanted.runs, wanted.calls)
    finally:
        instance.close()


def measure(instance: Instance, runs: int, with_calls: bool) -> None:
    """Rebuild an app some times and print where the time went."""
    app, notes = instance.name("rebuilt"), instance.place / "notes"
    wrapper = instance.place / "bin/docker-timed"
    wrapper.write_text(WRAPPER.format(docker=shutil.which("docker"), notes=notes))
    wrapper.chmod(0o755)
    instance.set_environment(DOCKER_BIN=str(wrapper))
    assert instance.push(instance.new_repo(instance.sample("x")), app).code == 0
    each = cost_of(wrapper, notes)
    rows: list[tuple[float, float]] = []
    calls: list[list[str]] = []
    for run in range(runs + 1):
        notes.write_text("")
        start = time.monotonic()
        rebuilt = instance.dokku("ps:rebuild", app)
        whole = time.monotonic() - start
        assert rebuilt.code == 0, rebuilt
        calls = [line.split(" ", 2) for line in notes.read_text().splitlines() if line.strip()]
        if run:  # the first one fills the caches
            spans = sorted((float(begin), float(end)) for begin, end, _ in calls)
            rows.append((whole - each * len(calls), covered(spans)))
    whole, docker = (statistics.median(row[column] for row in rows) for column in (0, 1))
    ours = statistics.median(row[0] - row[1] for row in rows)
    print(f"rebuild {whole:.2f} s: docker {docker:.2f} s in {len(calls)} commands, ours {ours:.2f} s")
    print("within" if ours < GOAL else "ABOVE", f"the goal of {GOAL} s")
    until = float(calls[0][0])
    for begin, end, words in calls if with_calls else ():
        print(f"{milliseconds(until, begin)} after, {milliseconds(begin, end)} docker {words[:100]}")
        until = float(end)


def cost_of(wrapper: pathlib.Path, notes: pathlib.Path) -> float:
    """What noting times adds to a command (seconds): it is taken off the whole."""
    found = []
    for _ in range(11):
        start = time.monotonic()
        subprocess.run([str(wrapper), "--version"], check=True, stdout=subprocess.DEVNULL)
        between = time.monotonic()
        subprocess.run(["docker", "--version"], check=True, stdout=subprocess.DEVNULL)
        found.append(between - start - (time.monotonic() - between))
    notes.write_text("")
    return max(0.0, statistics.median(found))


def milliseconds(begin: float | str, end: str) -> str:
    return f"{(float(end) - float(begin)) * 1000:6.0f} ms"


def covered(spans: list[tuple[float, float]]) -> float:
    """The time in which at least one of some sorted spans was under way."""
    total, until = 0.0, 0.0
    for begin, end in spans:
        total += max(0.0, end - max(begin, until))
        until = max(until, end)
    return total


if __name__ == "__main__":
    main()
