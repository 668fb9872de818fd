"""A small image that keeps herokuish's contract, for hosts that reach no registry.

It holds this machine's bash, git and setpriv on the busybox image, and the scripts of herokuish_image/.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

NAME = "dokku-test/herokuish"
USER = "herokuishuser:x:32767:32767::/app:/bin/bash\n"
SCRIPTS = Path(__file__).with_name("herokuish_image")
PROGRAMS = ("/bin/bash", "/usr/bin/git", "/usr/bin/setpriv", "/usr/lib/git-core/git-remote-http")


def image(base: str) -> str:
    """The image's name; it is made unless one of the same content is there. base: what has busybox in it."""
    name = f"{NAME}:{_content()}"
    with open(Path(tempfile.gettempdir()) / "dokku-test-herokuish.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if subprocess.run(["docker", "image", "inspect", name], check=False, capture_output=True).returncode:
            with tempfile.TemporaryDirectory() as directory:
                _furnish(Path(directory), base)
                subprocess.run(
                    ["docker", "image", "build", "--quiet", f"--tag={name}", directory],
                    check=True,
                    capture_output=True,
                    env={**os.environ, "DOCKER_BUILDKIT": "0"},
                )
    return name


def _furnish(context: Path, base: str) -> None:
    root = context / "root"
    libraries = subprocess.run(["ldd", *PROGRAMS], check=True, capture_output=True, text=True).stdout
    for path in (*PROGRAMS, *re.findall(r"(?:=>|^)\s+(/\S+) \(", libraries, re.MULTILINE)):
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (root / "usr/lib/git-core/git-remote-https").symlink_to("git-remote-http")
    (root / "tmp").mkdir()
    shutil.copytree(SCRIPTS / "buildpacks", root / "tmp/buildpacks")
    for script in SCRIPTS.iterdir():
        if script.is_file():
            shutil.copy(script, root)
    (context / "passwd").write_text(USER)
    lines = [
        f"FROM {base}",
        "COPY root /",
        "COPY passwd /tmp/passwd",
        "RUN cat /tmp/passwd >>/etc/passwd && echo herokuishuser:x:32767: >>/etc/group && chmod 1777 /tmp",
        "ENV PATH=/usr/bin:/bin",
        "",
    ]
    (context / "Dockerfile").write_text("\n".join(lines))


def _content() -> str:
    texts = [path.read_bytes() for path in sorted(SCRIPTS.rglob("*")) if path.is_file()]
    return hashlib.sha256(b"\0".join([*texts, Path(__file__).read_bytes()])).hexdigest()[:12]
