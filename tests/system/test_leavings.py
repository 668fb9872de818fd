"""What many deploys leave behind, and where the secrets of an app are afterwards."""

import os
import secrets
import subprocess
from pathlib import Path

from tests.system.conftest import Instance

FAILING_CHECK = "WAIT=0\nTIMEOUT=1\nATTEMPTS=1\n/ not what it says\n"
FAILING_BUILD = "FROM dokku-test/busybox\nRUN false\n"


def _left(instance: Instance, app: str) -> dict[str, object]:
    """All there is of an app and of the instance that a deploy could leave behind."""
    listing = subprocess.run(["ps", "-eo", "stat=,args="], capture_output=True, text=True, check=True).stdout
    names = {
        kind: [name for name in instance.docker(kind, "ls", "--format={{.Name}}").split() if app in name]
        for kind in ("network", "volume")
    }
    return {
        **names,
        "containers": len(instance.containers(app)),
        "images": len(instance.images(app)),
        "temporary": sorted(os.listdir(instance.lib / "tmp")),
        "mounts": [line for line in Path("/proc/mounts").read_text().splitlines() if app in line],
        "processes": [line for line in listing.splitlines() if app in line and "ssh" not in line],
        "work trees": (instance.root / app / "worktrees").exists(),
        "upstreams": (instance.root / app / "nginx.conf").read_text().count("server "),
    }


def test_many_deploys_leave_as_much_as_one_and_no_secret_elsewhere(instance: Instance) -> None:
    """DKR-3, DKR-12, LEAK-1, LEAK-3, SEC-1, SEC-5"""
    app = instance.name("many")
    token, password, said = secrets.token_hex(16), secrets.token_hex(16), []
    repo = instance.new_repo(instance.sample("0"))
    instance.set_environment(DOKKU_WAIT_TO_RETIRE="0", DOKKU_TRACE="1")
    assert instance.dokku("apps:create", app).code == 0
    said += [instance.dokku("config:set", "--no-restart", app, f"TOKEN={token}")]
    said += [instance.dokku("git:auth", "git.example.com", "ann", input=f"{password}\n")]
    assert instance.push(repo, app).code == 0
    assert instance.dokku("ps:retire", app).code == 0
    instance.wait_for_images(app, 1)
    first = _left(instance, app)

    for number, more in enumerate([{"CHECKS": FAILING_CHECK}, {}, {"Dockerfile": FAILING_BUILD}, {}, {}]):
        instance.commit(repo, {**instance.sample(str(number + 1)), **more})
        point = "started:kill9" if number == 3 else ""
        instance.set_environment(DOKKU_WAIT_TO_RETIRE="0", DOKKU_TRACE="1", DOKKU_TEST_FAILPOINT=point)
        pushed = instance.push(repo, app)
        said.append(pushed)
        assert (pushed.code == 0) is (not more and not point), pushed
    instance.set_environment(DOKKU_TRACE="1")

    assert instance.get(app) == (200, "5")
    assert instance.dokku("ps:retire").code == 0
    instance.wait_for_images(app, 1)
    assert _left(instance, app) == first

    said += [
        instance.dokku(*words)
        for words in (("ps:inspect", app), ("report", app), ("builds:output", app), ("ps:report", app))
    ]
    instance.set_environment()
    history = instance.docker("image", "history", "--no-trunc", f"dokku/{app}:latest")
    inspected = instance.docker("image", "inspect", f"dokku/{app}:latest")
    for secret in (token, password):
        assert not [result for result in said if secret in result.out + result.err]
        assert secret not in history + inspected
        holders = {path for path in instance.place.rglob("*") if _holds(path, secret)}
        assert holders
        assert {path.stat().st_mode & 0o077 for path in holders} == {0}, holders
        known = {instance.root / app / "ENV", instance.root / ".netrc"}
        kept = instance.lib / "data/releases"  # what a rollback puts back
        assert {path for path in holders - known if not path.is_relative_to(kept)} == set()

    assert instance.dokku("--force", "apps:destroy", app).code == 0
    assert not [path for path in instance.place.rglob("*") if _holds(path, token)]


def _holds(path: Path, secret: str) -> bool:
    return path.is_file() and not path.is_symlink() and secret.encode() in path.read_bytes()
