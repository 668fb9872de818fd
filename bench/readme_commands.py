"""The two commands of README.md in every order on one machine, and how long each step takes.

    bench/readme_commands.py [--steps bare,quickstart,served,again,twice,busy] [PYTEST-ARGUMENT ...]

The machine is a new one in namespaces: nothing installed, and a clean clone of the last commit. The steps:

    bare         bin/test, before anything else
    quickstart   bin/quickstart
    served       bin/test on the host that quickstart made, while its app is asked all the time
    again        bin/quickstart once more, which has to change nothing
    twice        two bin/test at once: the second is refused in one line
    busy         bin/test while two other programs use both cores

Pytest's arguments (say, tests/unit) go to each bin/test. Exits with 1 when a step did not go as it has to.
Needs root, debootstrap, unshare and iptables.
"""

import argparse
import contextlib
import pathlib
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tests.system import machine
from tests.system.machine import Machine, Result

CLONE = "/root/dokku"
STEPS = ("bare", "quickstart", "served", "again", "twice", "busy")
HOURS = 2 * 60 * 60
# What is the installed host's own: its program and settings, its apps, and the containers that serve them.
STATE = """
places="/opt/dokku /home/dokku /etc/nginx /etc/cron.d /etc/sudoers.d"
find $places -printf '%p %m %u %l\\n' | sort
find $places -type f -exec sha256sum {} + | sort
docker container ls --filter label=com.dokku.app-name=hello --no-trunc --format '{{.ID}} {{.State}}'
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", default=",".join(STEPS))
    wanted, arguments = parser.parse_known_args()
    if machine.missing():
        sys.exit(machine.missing())
    with machine.running() as made:
        tree = pathlib.Path(__file__).resolve().parent.parent
        subprocess.run(["git", "clone", "-q", "--no-local", str(tree), f"{made.root}{CLONE}"], check=True)
        passed = [run(name, made, arguments) for name in wanted.steps.split(",")]
    sys.exit(not all(passed))


def run(name: str, made: Machine, arguments: list[str]) -> bool:
    test = " ".join([f"{CLONE}/bin/test", *arguments])
    if name in ("quickstart", "again"):
        before = made.sh(STATE).output if name == "again" else ""
        done = made.run(f"{CLONE}/bin/quickstart", timeout=HOURS)
        return told(name, done, wrong=changes(made, before) if before else "")
    if name == "twice":
        with beside(made, test):
            done = made.sh(f"sleep 5; {test}")
        is_refused = done.status == 1 and done.output.count("\n") == 1 and "Another bin/test" in done.output
        return told(name, done._replace(status=0), wrong="" if is_refused else f"not refused: {done.output}")
    if name == "busy":
        with beside(made, "while :; do :; done"), beside(made, "while :; do :; done"):
            return told(name, made.sh(test, timeout=HOURS))
    if name == "bare":
        return told(name, made.sh(test, timeout=HOURS))
    before, lost = made.sh(STATE).output, []
    with asked(made, lost):
        done = made.sh(test, timeout=HOURS)
    return told(name, done, wrong="\n".join([*lost[:3], changes(made, before)]).strip())


def changes(made: Machine, before: str) -> str:
    """Return the first lines of the host's state that are new or gone."""
    changed = {*before.split("\n")} ^ {*made.sh(STATE).output.split("\n")}
    return "\n".join(sorted(changed - {""})[:6])


@contextlib.contextmanager
def beside(made: Machine, script: str) -> Iterator[None]:
    """Run a script in the machine for the time of the block."""
    group = shlex.quote(f"echo $$ >>/run/beside; {script}")
    thread = threading.Thread(target=made.sh, args=(f"setsid --wait sh -c {group}", HOURS))
    thread.start()
    try:
        yield
    finally:
        made.sh("for group in $(cat /run/beside); do kill -s TERM -- -$group; done; rm -f /run/beside")
        thread.join()


@contextlib.contextmanager
def asked(made: Machine, lost: list[str]) -> Iterator[None]:
    """Ask the installed app for its page once a second; lost: what it answered otherwise."""
    done = threading.Event()

    def ask() -> None:
        while not done.wait(1):
            said = made.sh("curl --silent --show-error --fail --max-time 30 http://hello.dokku.localhost/")
            if "It works" not in said.output:
                lost.append(f"the app said {said.output.strip()[:80]!r}")

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def told(name: str, done: Result, wrong: str = "") -> bool:
    """Print a step's line: its name, seconds, the last line of what it said; all of it when it went wrong."""
    failed = done.status != 0 or bool(wrong)
    if failed:
        print(done.output)
    last = done.output.strip().splitlines()[-1:] or [""]
    counts = [line for line in done.output.splitlines() if " passed" in line]
    for line in counts:
        print(f"             {line}")
    print(
        f"{name:<12} {done.seconds:7.0f} s  {'FAILED' if failed else 'passed'}  {wrong or last[0]}",
        flush=True,
    )
    return not failed


if __name__ == "__main__":
    main()
