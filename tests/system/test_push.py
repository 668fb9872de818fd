"""git push over a real sshd, to real docker, behind a real nginx."""

import threading
import time

import pytest

from tests.system.conftest import Instance


def test_the_first_push_makes_the_app_and_serves_it(instance: Instance) -> None:
    app = instance.name("first")
    repo = instance.new_repo(instance.sample("version one"))

    pushed = instance.push(repo, app)

    assert pushed.code == 0, pushed
    assert "Application deployed:" in pushed.err
    assert f"http://{instance.host(app)}" in pushed.err
    assert instance.get(app) == (200, "version one")
    assert instance.dokku("apps:exists", app).code == 0
    assert instance.dokku("git:report", app, "--git-deploy-branch").out == "main\n"


def test_a_second_push_serves_the_changed_page_and_keeps_the_old_container_for_a_while(
    instance: Instance,
) -> None:
    app = instance.name("second")
    repo = instance.new_repo(instance.sample("before"))
    assert instance.push(repo, app).code == 0
    (old,) = instance.containers(app)

    instance.commit(repo, instance.sample("after"))
    assert instance.push(repo, app).code == 0

    assert instance.get(app) == (200, "after")
    assert old in instance.containers(app, "status=running")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Dockerfile": "FROM dokku-test/busybox\nRUN echo no such luck >&2; exit 7\n"}, "no such luck"),
        ({"serve": "#!/bin/sh\necho cannot find the database\nexit 3\n"}, "cannot find the database"),
        (
            {"CHECKS": "WAIT=0\nATTEMPTS=2\nTIMEOUT=2\n/ another text\n"},
            "Could not start due to 1 failed checks.",
        ),
        ({"Procfile": "web /no/colon\n"}, "Procfile"),
    ],
    ids=["build fails", "container ends", "check fails", "bad Procfile"],
)
def test_a_bad_push_is_rejected_with_its_reason_and_the_old_version_answers_throughout(
    instance: Instance, change: dict[str, str], reason: str
) -> None:
    """CRS-8, ZDT-5"""
    app = instance.name(f"bad-{abs(hash(reason)) % 10000}")
    repo = instance.new_repo(instance.sample("still here"))
    assert instance.push(repo, app).code == 0
    before = instance.containers(app)
    served = instance.git(repo, "ls-remote", instance.remote(app), "refs/heads/main").out

    with Watcher(instance, app) as watcher:
        instance.commit(repo, change)
        pushed = instance.push(repo, app)

    assert pushed.code != 0
    assert reason in pushed.err
    assert "pre-receive hook declined" in pushed.err
    assert watcher.answers == {(200, "still here")}
    assert watcher.count > 5
    assert instance.containers(app) == before
    assert instance.git(repo, "ls-remote", instance.remote(app), "refs/heads/main").out == served

    instance.commit(repo, {**instance.sample("mended"), "Procfile": "web: /app/serve\n"})
    assert instance.push(repo, app).code == 0
    assert instance.get(app) == (200, "mended")


def test_a_branch_that_is_not_the_deploy_branch_is_accepted_and_not_deployed(instance: Instance) -> None:
    app = instance.name("branches")
    repo = instance.new_repo(instance.sample("main page"))
    assert instance.push(repo, app).code == 0
    instance.commit(repo, instance.sample("feature page"))

    pushed = instance.push(repo, app, "HEAD:refs/heads/feature")

    assert pushed.code == 0, pushed
    assert pushed.err.count("deploy did not complete") == 1
    assert instance.get(app) == (200, "main page")


def test_several_process_types_run_and_web_is_balanced(instance: Instance) -> None:
    app = instance.name("types")
    files = instance.sample("x", Procfile="web: /app/name\nworker: sleep 1000\n", CHECKS="")
    files["name"] = (
        "#!/bin/sh\nmkdir /tmp/www; hostname > /tmp/www/index.html\nexec httpd -f -p $PORT -h /tmp/www\n"
    )
    files.pop("CHECKS")
    repo = instance.new_repo(files)
    assert instance.push(repo, app).code == 0

    scaled = instance.dokku("ps:scale", app, "web=3", "worker=2")

    assert scaled.code == 0, scaled
    assert len({instance.get(app).body for _ in range(20)}) == 3
    report = instance.dokku("ps:report", app).out
    assert all(f"Status {name}:" in report for name in ("web 1", "web 2", "web 3", "worker 1", "worker 2"))
    assert instance.dokku("ps:scale", app, "web=1", "worker=0").code == 0
    assert len({instance.get(app).body for _ in range(10)}) == 1


def test_the_repository_can_be_cloned_back(instance: Instance) -> None:
    app = instance.name("clone")
    repo = instance.new_repo(instance.sample("cloned"))
    assert instance.push(repo, app).code == 0

    cloned = instance.git(repo, "clone", "--quiet", instance.remote(app), "copy")

    assert cloned.code == 0
    assert (repo / "copy" / "www" / "index.html").read_text() == "cloned"


def test_an_unknown_host_is_answered_by_no_app(instance: Instance) -> None:
    """NGX-8"""
    assert instance.get("nobody").status in (0, 404)


class Watcher:
    """Asks an app for its page all the time. answers: everything it ever said."""

    def __init__(self, instance: Instance, app: str) -> None:
        self.instance, self.app = instance, app
        self.answers: set[tuple[int, str]] = set()
        self.count = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Watcher":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.ended.is_set():
            self.answers.add(tuple(self.instance.get(self.app)))  # type: ignore[arg-type]
            self.count += 1
            time.sleep(0.02)
