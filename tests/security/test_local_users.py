"""What another user of the same machine gets of the apps on it: nothing. PRV-8, SEC-6."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from tests.system.conftest import NGINX_GROUP, Instance, Result

TOKEN = "t0k3n-of-the-app"


def as_local_user(*words: str, cwd: str = "/") -> Result:
    """Run a program as a user who is not in nginx's group, nor in any of dokku's."""
    switch = ["setpriv", "--reuid=nobody", "--regid=games", "--clear-groups"]
    done = subprocess.run([*switch, *words], capture_output=True, text=True, cwd=cwd, check=False)
    return Result(done.stdout, done.stderr, done.returncode)


@pytest.fixture(scope="module")
def app(instance: Instance) -> str:
    """A deployed app with a value, a mount, a password file for nginx, and a token in its source."""
    name = instance.name("private")
    assert instance.dokku("apps:create", name).code == 0
    assert instance.dokku("config:set", "--no-restart", name, f"SECRET={TOKEN}").code == 0
    assert instance.dokku("storage:ensure-directory", "--chown", "root", name).code == 0
    place = instance.lib / "data/storage" / name
    assert instance.dokku("storage:mount", name, f"{place}:/storage").code == 0
    repo = instance.new_repo(
        instance.sample("private", **{"source.txt": TOKEN, "Procfile": f"web: /app/serve {TOKEN}\n"})
    )
    pushed = instance.push(repo, name)
    assert pushed.code == 0, pushed
    return name


def test_no_file_of_any_app_can_be_read_by_others(instance: Instance, app: str) -> None:
    """SEC-6: neither by looking around nor by known names."""
    tops = (instance.root, instance.lib, instance.log)
    known = [str(path) for top in tops for path in top.rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(known) > 30
    listed = "\n".join(known)
    script = 'while read -r path; do head -c 1 "$path" >/dev/null 2>&1 && echo "$path"; done'
    switch = ["setpriv", "--reuid=nobody", "--regid=games", "--clear-groups", "sh", "-c", script]
    done = subprocess.run(switch, input=listed, capture_output=True, text=True, check=False)
    readable = [line for line in done.stdout.splitlines() if app in line]
    assert readable == []


@pytest.mark.parametrize(
    "words",
    [
        ("git", "-c", "safe.directory=*", "clone", "--quiet", "--no-local", "ROOT/APP", "TARGET"),
        ("git", "-c", "safe.directory=*", "clone", "--quiet", "--shared", "ROOT/APP", "TARGET"),
        ("git", "-c", "safe.directory=*", "--git-dir=ROOT/APP", "show", "HEAD:source.txt"),
        ("cat", "ROOT/APP/ENV"),
        ("cat", "LIB/data/ps/APP/Procfile"),
        ("ls", "ROOT"),
        ("ls", "ROOT/APP"),
        ("ls", "LIB/data"),
    ],
)
def test_a_local_user_gets_no_source_and_no_value(
    instance: Instance, app: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    """PRV-8"""
    target = instance.place / f"stolen-{os.urandom(3).hex()}"
    target.mkdir(mode=0o777)
    target.chmod(0o777)
    names = {"ROOT": str(instance.root), "LIB": str(instance.lib), "APP": app, "TARGET": str(target / "x")}
    filled = list(words)
    for name, value in names.items():
        filled = [word.replace(name, value) for word in filled]
    answer = as_local_user(*filled)
    assert answer.code != 0
    assert TOKEN not in answer.out
    assert list(target.rglob("source.txt")) == []


@pytest.mark.parametrize("where", ["storage", "cache"])
def test_a_setuid_file_of_a_container_is_not_run_by_a_local_user(
    instance: Instance, app: str, where: str
) -> None:
    places = {"storage": instance.lib / "data/storage" / app, "cache": instance.root / app / "cache"}
    place = places[where]
    place.mkdir(exist_ok=True)
    left = "cp /bin/busybox /left/rootshell && chmod 4755 /left/rootshell"
    instance.docker("run", "--rm", "-v", f"{place}:/left", "dokku-test/busybox", "sh", "-c", left)
    assert os.stat(place / "rootshell").st_mode & 0o4000
    answer = as_local_user(str(place / "rootshell"), "id", "-u")
    assert answer.code != 0
    assert answer.out == ""


def test_a_mount_below_the_closed_directory_works(instance: Instance, app: str) -> None:
    place = instance.lib / "data/storage" / app
    (place / "note").write_text("from the host\n")
    assert "from the host" in instance.dokku("run", app, "cat", "/storage/note").out


def test_nginx_reads_the_password_file_that_a_plugin_keeps_with_the_app(instance: Instance, app: str) -> None:
    """What nginx's workers must read stays readable to them."""
    (instance.root / app / "htpasswd").write_text("me:{PLAIN}secret\n")
    (instance.root / app / "htpasswd").chmod(0o644)
    inside = instance.root / app / "nginx.conf.d"
    inside.mkdir(exist_ok=True)
    (inside / "auth.conf").write_text(
        f'auth_basic "closed";\nauth_basic_user_file {instance.root}/{app}/htpasswd;\n'
    )
    assert instance.dokku("proxy:build-config", app).code == 0
    assert instance.get(app).status == 401
    (inside / "auth.conf").unlink()
    assert instance.dokku("proxy:build-config", app).code == 0
    assert instance.get(app).body == "private"


@pytest.mark.parametrize("name", ["objects", "refs", "config", "."])
def test_nginx_itself_reads_no_source(instance: Instance, app: str, name: str) -> None:
    """A template that has nginx serve files finds none of another app's source."""
    switch = ["setpriv", "--reuid=nobody", f"--regid={NGINX_GROUP}", "--clear-groups"]
    reading = "cat" if name == "config" else "ls"
    done = subprocess.run(
        [*switch, reading, str(instance.root / app / name)], capture_output=True, check=False
    )
    assert (done.stdout, done.returncode != 0) == (b"", True)


def test_a_repository_of_before_is_closed_by_the_next_push(instance: Instance, app: str) -> None:
    opened = [instance.root / app / name for name in ("objects", "refs")]
    for path in opened:
        path.chmod(0o755)
    repo = instance.new_repo(instance.sample("private"))
    assert instance.push(repo, app).code == 0
    assert [stat.S_IMODE(path.stat().st_mode) for path in opened] == [0o700, 0o700]
