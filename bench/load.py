"""Requests lost while an app is replaced under load: the goal is none.

    bench/load.py [--redeploys 10] [--restarts 5]

wrk keeps 16 connections on one app through nginx, each request on a connection of its own, while the app is
redeployed by git push, restarted, scaled from 1 to 3 web processes and back. A second app runs beside it: an
answer without the first app's mark is counted as wrong. A control run does nothing but reload nginx, so that
the tool's own noise is known. Needs docker, nginx, sshd and wrk, and root; uses an instance of its own.
"""

import argparse
import pathlib
import shlex
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tests.system.conftest import Instance, missing
from tests.system.load import Load, Outcome

MARK = "mark-of-this-app"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--redeploys", type=int, default=10)
    parser.add_argument("--restarts", type=int, default=5)
    wanted = parser.parse_args()
    if missing():
        sys.exit(missing())
    instance = Instance()
    try:
        instance.start()
        measure(instance, wanted.redeploys, wanted.restarts)
    finally:
        instance.close()


def measure(instance: Instance, redeploys: int, restarts: int) -> None:
    app, other = instance.name("loaded"), instance.name("neighbour")
    repo = instance.new_repo(instance.sample(f"{MARK} 0"))
    assert instance.push(repo, app).code == 0
    assert instance.push(instance.new_repo(instance.sample("somebody else")), other).code == 0

    with Load(instance, app, MARK, pause=0) as load:
        for _ in range(5):
            reload = shlex.split(instance.environment["DOKKU_NGINX_RELOAD_COMMAND"])
            subprocess.run(reload, check=True, stderr=subprocess.DEVNULL)
            time.sleep(1)
    show("control: 5 bare nginx reloads", load.outcome)

    with Load(instance, app, MARK, pause=0) as load:
        begin = time.monotonic()
        for number in range(redeploys):
            instance.commit(repo, instance.sample(f"{MARK} {number + 1}"))
            assert instance.push(repo, app).code == 0
        seconds = (time.monotonic() - begin) / max(1, redeploys)
    show(f"{redeploys} redeploys by git push ({seconds:.1f} s each)", load.outcome)

    with Load(instance, app, MARK, pause=0) as load:
        for _ in range(restarts):
            assert instance.dokku("ps:restart", app).code == 0
    show(f"{restarts} restarts", load.outcome)

    with Load(instance, app, MARK, pause=0) as load:
        for count in (1, 3, 1):
            assert instance.dokku("ps:scale", app, f"web={count}").code == 0
    show("scale 1 to 3 to 1", load.outcome)


def show(what: str, outcome: Outcome) -> None:
    print(
        f"{what:<44} {outcome.requests:>8} requests  {outcome.failed} failed  {outcome.wrong} wrong",
        flush=True,
    )


main()
