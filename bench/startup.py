"""How long a command that only reads state takes, against the bare interpreter in the same run.

    bench/startup.py [--runs N]

Prints the median of N runs (default 21) of each, interleaved, as milliseconds and as a ratio to the bare
interpreter: with 1 and with 1,000 apps on disk; then how many programs `apps:exists` started (by strace, when
there is one).
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TREE = pathlib.Path(__file__).resolve().parent.parent
COMMANDS = {
    "dokku version": ["version"],
    "dokku apps:exists APP": ["apps:exists", "app-0000"],
    "dokku config:get APP KEY": ["config:get", "app-0000", "KEY"],
    "dokku apps:list": ["apps:list"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=21)
    runs = parser.parse_args().runs
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", *(str(TREE / d) for d in ("commands", "lib"))], check=False
    )
    for apps in (1, 1000):
        with tempfile.TemporaryDirectory() as place:
            environment = instance(pathlib.Path(place), apps)
            measure(environment, apps, runs)
            if apps == 1:
                count_programs(environment)


def instance(place: pathlib.Path, apps: int) -> dict[str, str]:
    """The environment of a throw-away instance with that many apps, each with a config of ten variables."""
    for number in range(apps):
        app = place / "root" / f"app-{number:04}"
        (app / "refs" / "heads").mkdir(parents=True)
        (app / "ENV").write_text(
            "\n".join(f'{key}="value"' for key in ("KEY", *(f"KEY_{i}" for i in range(9))))
        )
    (place / "lib").mkdir()
    user = os.environ.get("USER") or "root"
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(place / "root"),
        "DOKKU_ROOT": str(place / "root"),
        "DOKKU_LIB_PATH": str(place / "lib"),
        "DOKKU_SYSTEM_USER": user,
        "DOKKU_DEFAULTS_FILE": "/dev/null",
        "DOKKU_PYTHON": sys.executable,
    }


def measure(environment: dict[str, str], apps: int, runs: int) -> None:
    dokku = [sys.executable, "-I", str(TREE / "bin" / "dokku")]
    commands = {"python3 -I -c pass": [sys.executable, "-I", "-c", "pass"]}
    commands |= {name: [*dokku, *words] for name, words in COMMANDS.items()}
    times: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(runs + 1):
        for name, argv in commands.items():
            begin = time.perf_counter()
            subprocess.run(
                argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True
            )
            if run:
                times[name].append(time.perf_counter() - begin)
    bare = statistics.median(times["python3 -I -c pass"])
    print(f"{apps} app{'s' if apps > 1 else ''} on disk, median of {runs} runs:")
    for name, taken in times.items():
        middle = statistics.median(taken)
        print(f"  {name:<28} {middle * 1000:7.1f} ms   {middle / bare:5.2f} x bare interpreter")


def count_programs(environment: dict[str, str]) -> None:
    if not shutil.which("strace"):
        print("  programs started by apps:exists: not counted, strace is not installed")
        return
    argv = [sys.executable, "-I", str(TREE / "bin" / "dokku"), "apps:exists", "app-0000"]
    traced = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=execve", *argv],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    started = sum("execve(" in line and "= 0" in line for line in traced.stderr.splitlines()) - 1
    print(f"  programs started by apps:exists: {started}")


main()
