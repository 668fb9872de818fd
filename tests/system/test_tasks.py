"""Deployment tasks on real docker: their order, how often they run, and what a failing one leaves.

Each task writes its name into a directory of the host, which stands for the app's database.
"""

import contextlib
import json
import os
import shutil
import signal
from collections.abc import Iterator

import pytest

from tests.system import herokuish
from tests.system.conftest import BASE_IMAGE, Instance, wait_for
from tests.system.load import Load

ORDER = ["predeploy", "release", "first", "postdeploy"]


class App:
    """An app with all four tasks. commands: theirs, by name."""

    def __init__(self, instance: Instance, name: str) -> None:
        self.instance, self.name = instance, instance.name(name)
        self.marks = instance.place / f"marks-{name}"
        self.marks.mkdir()
        self.commands = {task: f"echo {task} >>/marks/log; echo {task} at work" for task in ORDER}
        self.commands["predeploy"] += "; cat /proc/sys/kernel/random/uuid >/app/www/made.html"
        assert instance.dokku("apps:create", self.name).code == 0
        assert instance.dokku("storage:mount", self.name, f"{self.marks}:/marks").code == 0
        assert instance.dokku("config:set", "--no-restart", self.name, "TOKEN=s3cret").code == 0
        self.repo = instance.new_repo({"www/index.html": ""})

    def push(self, page: str, **commands: str) -> tuple[int, str]:
        """Commit and push a version; status and what git shows. commands: other tasks than usual."""
        said = {**self.commands, **commands}
        scripts = {
            "postdeploy": said["first"],
            "dokku": {"predeploy": said["predeploy"], "postdeploy": said["postdeploy"]},
        }
        files = self.instance.sample(page, Procfile=f"web: /app/serve\nrelease: {said['release']}\n")
        files["app.json"] = json.dumps({"scripts": scripts})
        self.instance.commit(self.repo, files)
        pushed = self.instance.push(self.repo, self.name)
        return pushed.code, pushed.err

    def log(self) -> list[str]:
        """The tasks that ran so far, in order."""
        path = self.marks / "log"
        return path.read_text().split() if path.exists() else []

    def left_over(self) -> list[str]:
        """Containers of tasks, which nobody should find after a deploy."""
        return self.instance.containers(self.name, "label=dokku_phase_script")


@pytest.fixture(scope="module")
def app(instance: Instance) -> Iterator[App]:
    """Deployed once."""
    made = App(instance, "tasks")
    code, said = made.push("one")
    assert code == 0, said
    yield made
    assert instance.dokku("apps:destroy", "--force", made.name).code == 0
    assert instance.images(made.name) == []


def shown(said: str) -> list[str]:
    """What a push said, as the deploy wrote it."""
    return [line.removeprefix("remote: ").split("\x1b")[0].rstrip() for line in said.splitlines()]


def test_the_first_deploy_runs_all_four_in_order_and_each_says_what_it_does(app: App) -> None:
    assert app.log() == ORDER
    assert app.left_over() == []
    assert app.instance.get(app.name) == (200, "one")


def test_later_deploys_run_the_others_again_and_frame_what_they_say(app: App) -> None:
    before = len(app.log())
    code, said = app.push("two")

    assert code == 0, said
    assert app.log()[before:] == ["predeploy", "release", "postdeploy"]
    lines = shown(said)
    for task, source in (("predeploy", "app.json"), ("release", "Procfile"), ("postdeploy", "app.json")):
        start = lines.index(f"-----> Checking for {task} task")
        assert lines[start + 1].startswith(f"-----> Executing {task} task from {source}: echo {task} ")
        assert lines[start + 2].startswith(f"=====> Start of {app.name} {task} task (")
        assert lines[start + 3] == f"       {task} at work"
        assert lines[start + 4].startswith(f"=====> End of {app.name} {task} task (")
    assert "first deploy" not in said


def test_what_predeploy_changes_is_in_the_containers_and_its_variables_are_not_in_the_image(
    app: App,
) -> None:
    """DKR-3"""
    code, said = app.push("three")
    assert code == 0, said
    first = app.instance.get(app.name, "/made.html")
    assert first.status == 200
    assert len(first.body) > 30

    layers = app.instance.docker("image", "inspect", "--format={{json .RootFS.Layers}}", f"dokku/{app.name}")
    restarted = app.instance.dokku("ps:restart", app.name)
    assert restarted.code == 0, restarted
    again = app.instance.get(app.name, "/made.html")
    assert (again.status, again.body == first.body) == (200, False)
    inspected = app.instance.docker("image", "inspect", f"dokku/{app.name}")
    known = json.loads(inspected)[0]
    assert len(known["RootFS"]["Layers"]) == len(json.loads(layers))
    assert (known["Config"]["Cmd"], known["Config"]["Entrypoint"]) == (["/app/serve"], None)
    assert "s3cret" not in inspected
    names = app.instance.docker("image", "ls", "--format={{.Tag}}", f"dokku/{app.name}").split()
    assert [name for name in names if not name.startswith("release-v")] == ["latest"]


@pytest.mark.parametrize("task", ["predeploy", "release"])
def test_a_task_that_fails_before_leaves_the_old_version_serving(app: App, task: str) -> None:
    """DKR-11, CRS-8"""
    code, said = app.push("serving")
    assert code == 0, said
    before = app.instance.containers(app.name)
    image = app.instance.docker("image", "inspect", "--format={{.Id}}", f"dokku/{app.name}")

    code, said = app.push("broken", **{task: "echo all is lost; exit 7"})

    assert code != 0
    lines = shown(said)
    assert "       all is lost" in lines
    assert f" !     Execution of {task} task failed: echo all is lost; exit 7" in lines
    assert app.instance.get(app.name) == (200, "serving")
    assert app.instance.containers(app.name) == before
    assert app.left_over() == []
    assert app.instance.docker("image", "inspect", "--format={{.Id}}", f"dokku/{app.name}") == image
    kept = (app.instance.lib / "data/app-json" / app.name / "app.json").read_text()
    assert "all is lost" not in kept


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_a_postdeploy_that_fails_leads_visitors_back_to_the_old_version(app: App) -> None:
    """CRS-8"""
    code, said = app.push("page: serving")
    assert code == 0, said
    before = app.instance.containers(app.name)
    name = app.instance.docker("container", "ls", "--format={{.ID}}", f"--filter=name=^{app.name}.web.1$")

    with Load(app.instance, app.name, "page: ") as load:
        code, said = app.push("page: broken", postdeploy="echo all is lost; exit 3")

    assert code != 0
    lines = shown(said)
    assert "       all is lost" in lines
    assert " !     Execution of postdeploy task failed: echo all is lost; exit 3" in lines
    assert app.instance.get(app.name) == (200, "page: serving")
    assert set(app.instance.containers(app.name)) > set(before), "the new one may have requests to answer"
    assert app.left_over() == []
    again = app.instance.docker("container", "ls", "--format={{.ID}}", f"--filter=name=^{app.name}.web.1$")
    assert (again, bool(again)) == (name, True)
    kept = (app.instance.lib / "data/app-json" / app.name / "app.json").read_text()
    assert "all is lost" not in kept
    assert load.outcome.requests > 0
    assert (load.outcome.failed, load.outcome.wrong) == (0, 0)


def test_the_first_deploys_task_runs_once_in_an_apps_life(instance: Instance) -> None:
    """CRS-9"""
    app = App(instance, "once")
    code, said = app.push("one", first="echo first >>/marks/log; exit 1")
    assert code != 0
    assert (
        " !     Execution of first deploy postdeploy task failed: echo first >>/marks/log; exit 1"
        in shown(said)
    )
    assert instance.get(app.name).status != 200
    assert app.log().count("first") == 1

    code, said = app.push("two", web="x")  # what failed is tried again
    assert code == 0, said
    assert app.log().count("first") == 2
    for number in range(3):
        code, said = app.push(f"more {number}")
        assert code == 0, said
    renamed, cloned = instance.name("once-renamed"), instance.name("once-cloned")
    assert instance.dokku("apps:rename", app.name, renamed, env={"DOKKU_WAIT_TO_RETIRE": "0"}).code == 0
    assert instance.dokku("apps:clone", renamed, cloned).code == 0
    assert instance.get(renamed) == (200, "more 2")
    assert instance.get(cloned) == (200, "more 2")

    assert app.log().count("first") == 2
    for name in (renamed, cloned):
        assert instance.dokku("apps:destroy", "--force", name).code == 0


def test_values_and_commands_arrive_as_they_are_and_run_nothing_here(instance: Instance) -> None:
    """RUN-10"""
    app = App(instance, "bytes")
    bait = instance.place / "bait"
    value = f"a 'b' \"c\" $(touch {bait}) `touch {bait}` \\n\nsecond line; $HOME é"
    assert instance.dokku("config:set", "--no-restart", app.name, f"VALUE={value}").code == 0
    command = f"printf '%s' \"$VALUE\" >/marks/value; printf '%s' '$(touch {bait})`' >/marks/quoted\n# end"
    code, said = app.push("one", predeploy=command)

    assert code == 0, said
    assert (app.marks / "value").read_bytes() == value.encode()
    assert (app.marks / "quoted").read_text() == f"$(touch {bait})`"
    assert not bait.exists()
    assert instance.dokku("apps:destroy", "--force", app.name).code == 0


def test_an_entrypoint_gets_the_words_and_stays(instance: Instance) -> None:
    app = instance.name("entry")
    files = instance.sample("entered", entry='#!/bin/sh\necho "got $#: $*"\nexec "$@"\n')
    files["Dockerfile"] += 'ENTRYPOINT ["/app/entry"]\n'
    files["app.json"] = json.dumps({"scripts": {"dokku": {"predeploy": "touch '/app/www/a b.html'"}}})
    pushed = instance.push(instance.new_repo(files), app)

    assert pushed.code == 0, pushed
    assert "       got 2: touch /app/www/a b.html" in shown(pushed.err)
    assert instance.get(app, "/a%20b.html").status == 200
    known = json.loads(instance.docker("image", "inspect", f"dokku/{app}"))[0]["Config"]
    assert (known["Entrypoint"], known["Cmd"]) == (["/app/entry"], ["/app/serve"])
    assert instance.dokku("apps:destroy", "--force", app).code == 0


def test_output_comes_while_the_task_runs_and_an_interrupted_one_is_gone(
    instance: Instance, app: App
) -> None:
    files = instance.sample("slow", Procfile="web: /app/serve\nrelease: cat; echo under way; sleep 600\n")
    instance.commit(app.repo, files)
    before = instance.containers(app.name)
    push = instance.push_in_background(app.repo, app.name)
    assert push.stdout is not None
    said = b""
    for line in push.stdout:
        said += line
        if b"       under way" in line:
            break
    assert len(app.left_over()) == 1, said
    push.send_signal(signal.SIGINT)
    push.communicate(timeout=60)

    wait_for(lambda: app.left_over() == [], 30)
    wait_for(lambda: instance.containers(app.name) == before, 30)
    assert instance.get(app.name).status == 200


def test_a_deploy_killed_in_a_task_leaves_nothing_that_the_next_one_does_not_clear(
    instance: Instance, app: App
) -> None:
    """CRS-2"""
    code, said = app.push("before the kill")
    assert code == 0, said
    files = instance.sample("slow", Procfile="web: /app/serve\nrelease: echo under way; sleep 600\n")
    instance.commit(app.repo, files)
    pids = instance.place / "pids"
    (instance.place / "environment").write_text(f"echo $$ >>{pids}\n")
    push = instance.push_in_background(app.repo, app.name)
    wait_for(lambda: bool(app.left_over()), 120)
    for pid in pids.read_text().split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    push.communicate(timeout=60)
    instance.set_environment()

    assert len(app.left_over()) == 1
    assert instance.get(app.name) == (200, "before the kill")
    code, said = app.push("after the kill")
    assert code == 0, said
    assert app.left_over() == []
    assert instance.get(app.name) == (200, "after the kill")


def test_an_app_by_herokuish_has_tasks_with_its_profile(instance: Instance) -> None:
    app, stack = instance.name("profile"), herokuish.image(BASE_IMAGE)
    assert instance.dokku("apps:create", app).code == 0
    assert instance.dokku("buildpacks:set-property", app, "stack", stack).code == 0
    assert instance.dokku("config:set", "--no-restart", app, "COLOUR=deep 'red'").code == 0
    scripts = {"dokku": {"predeploy": 'echo "$COLOUR" >www/made.html; echo "$HOME $PWD"'}}
    source = {"www/index.html": "static", "app.json": json.dumps({"scripts": scripts})}
    pushed = instance.push(instance.new_repo(source), app)

    assert pushed.code == 0, pushed
    assert "       /app /app" in shown(pushed.err)
    assert instance.get(app, "/made.html") == (200, "deep 'red'\n")
    shape = ("image", "inspect", "--format={{len .RootFS.Layers}}", f"dokku/{app}")
    layers = instance.docker(*shape)
    for colour in ("green", "blue"):
        changed = instance.dokku("config:set", app, f"COLOUR={colour}")
        assert changed.code == 0, changed
        assert instance.get(app, "/made.html") == (200, f"{colour}\n")
    assert instance.docker(*shape) == layers
    assert instance.dokku("config:unset", app, "COLOUR").code == 0
    assert instance.get(app, "/made.html") == (200, "\n")
    assert instance.dokku("apps:destroy", "--force", app).code == 0


def test_an_app_json_that_is_not_in_the_image_counts_all_the_same(instance: Instance) -> None:
    app = instance.name("outside")
    files = instance.sample("outside")
    text = '{ // commented\n "scripts": {"dokku": {"predeploy": "echo from elsewhere",},}, }'
    files |= {"deploy/app.json": text, ".dockerignore": "app.json\ndeploy\n", "app.json": "{"}
    assert instance.dokku("apps:create", app).code == 0
    assert instance.dokku("app-json:set", app, "appjson-path", "deploy/app.json").code == 0
    repo = instance.new_repo(files)
    pushed = instance.push(repo, app)
    assert pushed.code == 0, pushed
    assert "       from elsewhere" in shown(pushed.err)
    restarted = instance.dokku("ps:restart", app)
    assert "       from elsewhere\n" in restarted.out

    instance.git(repo, "rm", "--quiet", "-r", "deploy")
    instance.commit(repo, {})
    pushed = instance.push(repo, app)
    assert pushed.code == 0, pushed
    assert "       No predeploy task found, skipping" in shown(pushed.err)
    assert instance.dokku("apps:destroy", "--force", app).code == 0


def test_a_bad_app_json_is_refused_with_its_line_before_anything_is_built(instance: Instance) -> None:
    app = instance.name("badjson")
    files = instance.sample("bad") | {
        "app.json": '{\n  "scripts": {\n    "dokku": {"predeploy": 2}\n  }\n}\n'
    }
    pushed = instance.push(instance.new_repo(files), app)

    assert pushed.code != 0
    text = " !     Cannot parse app.json: line 3: scripts.dokku.predeploy must be a text"
    assert text in shown(pushed.err)
    assert instance.images(app) == []
    assert instance.dokku("apps:destroy", "--force", app).code == 0


def test_variables_and_counts_of_app_json_are_the_apps(instance: Instance) -> None:
    app = instance.name("wants")
    assert instance.dokku("apps:create", app).code == 0
    wanted = {
        "env": {"SECRET": {"generator": "secret"}, "PLAIN": "x y", "NEEDED": {"description": "ask me"}},
        "formation": {"worker": {"quantity": 2}},
    }
    procfile = 'web: /app/serve\nworker: sleep 1000\nrelease: echo "$PLAIN,$NEEDED,${#SECRET}"\n'
    files = instance.sample("wants", Procfile=procfile) | {"app.json": json.dumps(wanted)}
    repo = instance.new_repo(files)
    pushed = instance.push(repo, app)
    assert pushed.code != 0
    refused = " !     required env var NEEDED has no value, no default, and no TTY for prompt"
    assert refused in shown(pushed.err)

    assert instance.dokku("config:set", "--no-restart", app, "NEEDED=given").code == 0
    pushed = instance.push(repo, app)
    assert pushed.code == 0, pushed
    assert "-----> Setting 2 env var(s) from app.json" in shown(pushed.err)
    assert "       x y,given,64" in shown(pushed.err)
    secret = instance.dokku("config:get", app, "SECRET").out
    scaled = instance.dokku("--quiet", "ps:scale", app).out
    assert "web:  1\n" in scaled
    assert "worker: 2\n" in scaled
    refused = (
        f" !     App {app} contains an app.json file with a formations key and cannot be manually scaled\n"
    )
    assert instance.dokku("ps:scale", app, "worker=1").err == refused
    assert instance.dokku("ps:rebuild", app).code == 0
    assert instance.dokku("config:get", app, "SECRET").out == secret
    assert instance.dokku("apps:destroy", "--force", app).code == 0
