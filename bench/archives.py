"""How long an archive of almost 1 GiB takes to become a commit, against tar and git alone, in the same run.

    bench/archives.py [--size MIB] [--files N] [--runs N]

One tar archive on stdin, half of it a few large files that don't compress, half N small ones that do. Ours
is `archives.unpacked` and `commits.commit_directory` in a process of their own, as git:from-archive calls
them, but without the deploy that follows. Theirs is `tar x`, then `git add`, `write-tree` and `commit-tree`
by the same functions of lib/tools/git.py, so with the same settings. Runs are interleaved; the ratio is that
of the medians (goal: at most 1.3). The memory is the peak of our process, without the programs it starts
(goal: below 100 MB). The processor time tells more than the clock on a machine that others use.
"""

import argparse
import io
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

TREE = pathlib.Path(__file__).resolve().parent.parent
LARGE = 64 * 1024**2
OURS = """
import sys
sys.path.insert(0, sys.argv[1])
from lib.base import settings
from lib.source import archives, commits
settings.clean_environment()
with archives.unpacked("--", "tar") as tree:
    assert commits.commit_directory("blog", tree)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
THEIRS = """
import os, subprocess, sys
sys.path.insert(0, sys.argv[1])
from lib.base import settings
from lib.source import repos
from lib.tools import git
settings.clean_environment()
place = sys.argv[2]
os.mkdir(place)
subprocess.run(["tar", "x", "-C", place], check=True)
repos.initialize("blog")
tree = git.write_tree(repos.path("blog"), place + ".index", place)
git.commit_tree(repos.path("blog"), tree, "", "Initial commit", ("a", "a@b"))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--files", type=int, default=9000)
    parser.add_argument("--runs", type=int, default=3)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        archive = pathlib.Path(place) / "archive.tar"
        make(archive, wanted.size * 1024**2, wanted.files)
        print(f"{archive.stat().st_size / 1024**2:.0f} MiB, {wanted.files} small files, {wanted.runs} runs:")
        measure(pathlib.Path(place), archive, wanted.runs)


def make(archive: pathlib.Path, size: int, files: int) -> None:
    """Write an archive of at most that size: half of it large files of noise, half of it text."""
    noise = random.Random(1)
    each = size // 2 // files - 1536
    with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as made:
        for number in range(size // 2 // LARGE):
            add(made, f"top/large/{number}.bin", noise.randbytes(LARGE))
        for number in range(files):
            words = " ".join(str(noise.randrange(10**6)) for _ in range(200))
            text = (words * (each // len(words) + 1))[:each]
            add(made, f"top/src/{number % 100}/{number}.txt", text.encode())


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def measure(place: pathlib.Path, archive: pathlib.Path, runs: int) -> None:
    times: dict[str, list[float]] = {"ours": [], "tar and git": []}
    work: dict[str, list[float]] = {name: [] for name in times}
    peaks = []
    for number in range(runs):
        for name, script in (("ours", OURS), ("tar and git", THEIRS)):
            seconds, busy, said = timed(script, place / f"{name[0]}{number}", archive)
            times[name].append(seconds)
            work[name].append(busy)
            if name == "ours":
                peaks.append(int(said.split()[-1]) / 1024)
    for name, taken in times.items():
        print(f"  {name:<12} {statistics.median(taken):6.1f} s   ({', '.join(f'{t:.1f}' for t in taken)})")
    ratio = statistics.median(times["ours"]) / statistics.median(times["tar and git"])
    print(f"  ratio        {ratio:6.2f}     goal: at most 1.30")
    ours, theirs = (statistics.median(taken) for taken in work.values())
    print(f"  processor    {ours / theirs:6.2f}     ({ours:.1f} s, {theirs:.1f} s)")
    print(f"  peak memory  {max(peaks):6.1f} MB  goal: below 100")


def timed(script: str, place: pathlib.Path, archive: pathlib.Path) -> tuple[float, float, str]:
    """Run a script in a new instance with the archive on its stdin; its seconds by the clock, by the
    processor, and what it said.
    """
    for name in ("root", "lib", "log"):
        (place / name).mkdir(parents=True)
    (place / "root" / "blog").mkdir()
    names = {"DOKKU_ROOT": "root", "DOKKU_LIB_PATH": "lib", "DOKKU_LOGS_DIR": "log"}
    user = os.environ.get("USER") or "root"
    environment = {
        **{variable: str(place / name) for variable, name in names.items()},
        "PATH": os.environ["PATH"],
        "HOME": str(place),
        "DOKKU_SYSTEM_USER": user,
        "DOKKU_DEFAULTS_FILE": "/dev/null",
    }
    argv = [sys.executable, "-c", script, str(TREE), str(place / "tree")]
    os.sync()
    with archive.open("rb") as stdin:
        before, begin = os.times(), time.perf_counter()
        done = subprocess.run(
            argv,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
            check=True,
        )
        seconds, after = time.perf_counter() - begin, os.times()
    busy = sum(after[2:4]) - sum(before[2:4])
    subprocess.run(["rm", "-rf", str(place)], check=True)
    return seconds, busy, done.stdout


main()
