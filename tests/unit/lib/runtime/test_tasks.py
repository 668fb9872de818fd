"""Deployment tasks: which run when, what their containers get, what is told. Real docker: tests/system."""

import io
import json
import os
import tarfile

import pytest

from lib.app import config, options
from lib.base import log, properties, settings
from lib.base.errors import DokkuError
from lib.build import images, predeploy_layers
from lib.runtime import tasks

APP = "blog"
TASK = "c" * 64
ALL = {"postdeploy": "seed", "dokku": {"predeploy": "prepare", "postdeploy": "announce"}}
CREATE = "docker container create …dokku_phase_script={}…"
CREATE_THIS = "docker container create …--label=dokku_phase_script={} …"
INSPECT = "docker image inspect …"


@pytest.fixture(autouse=True)
def said(fs, shell):
    """What the code under test writes: pairs of stream and bytes. The app's image is there."""
    os.makedirs(settings.app_dir(APP))
    images._files.clear()
    known = {
        "Id": "sha256:1",
        "Os": "linux",
        "Architecture": "amd64",
        "Config": {"WorkingDir": "/app", "Cmd": ["serve"], "Env": ["PATH=/bin"]},
        "RootFS": {"Layers": ["sha256:a", "sha256:b"]},
    }
    shell.answers(INSPECT, out=json.dumps(known) + "\n")
    shell.answers("docker container create …", out="p" * 64)
    for phase in ("predeploy", "release", "heroku.postdeploy", "postdeploy"):
        shell.answers(CREATE.format(phase), out=TASK)
    shell.answers("docker container commit …", out="sha256:left\n")
    with log.collected() as lines:
        yield lines


def hold(shell, scripts=None, release=""):
    """Put an app.json and a Procfile into the image."""
    put(shell, "app.json", json.dumps({"scripts": scripts or {}}))
    put(shell, "Procfile", f"web: serve\nrelease: {release}\n" if release else "web: serve\n")


def put(shell, name, text):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(text.encode())
        tar.addfile(member, io.BytesIO(text.encode()))
    shell.answers(f"docker container cp {'p' * 64}:/app/{name} -", archive.getvalue())


def text_of(said):
    return b"".join(data for _, data in said).decode()


def ran(shell, phase=""):
    return [call for call in shell.calls if f"--label=dokku_phase_script={phase}" in " ".join(call.argv)]


def commands(shell):
    return [call.argv[-1] for call in ran(shell)]


def test_without_tasks_nothing_is_started_and_each_is_told(shell, said):
    hold(shell)
    tasks.run_before(APP, "latest")
    tasks.run_after(APP, "latest")
    names = ["predeploy", "release", "first deploy postdeploy", "postdeploy"]
    lines = [f"-----> Checking for {name} task\n       No {name} task found, skipping\n" for name in names]
    assert text_of(said) == "".join(lines)
    assert ran(shell) == []


def test_a_first_deploy_runs_three_before_and_one_after(shell, said):
    hold(shell, ALL, "migrate --port $PORT")
    tasks.run_before(APP, "latest")
    assert commands(shell) == ["prepare", "migrate --port 5000", "seed"]
    tasks.run_after(APP, "latest")
    assert commands(shell)[3:] == ["announce"]
    assert "-----> Executing release task from Procfile: migrate --port 5000\n" in text_of(said)
    assert "-----> Executing first deploy postdeploy task from app.json: seed\n" in text_of(said)


def test_what_a_task_says_stands_between_two_lines(shell, said):
    hold(shell, ALL)
    shell.answers(f"docker container start --attach {TASK}", out="one\r\ntwo")
    tasks.run_after(APP, "latest")
    before = text_of(said)
    assert before == "-----> Checking for postdeploy task\n       No postdeploy task found, skipping\n"
    tasks.run_before(APP, "latest")
    assert (
        "=====> Start of blog predeploy task (ccccccccc) output\n       one\n       two\n"
        "=====> End of blog predeploy task (ccccccccc) output\n"
    ) in text_of(said)


def test_a_quiet_deploy_shows_no_output(shell, said):
    hold(shell, ALL)
    os.environ["DOKKU_QUIET_OUTPUT"] = "1"
    shell.answers(f"docker container start --attach {TASK}", out="one\n")
    tasks.run_before(APP, "latest")
    assert "one" not in text_of(said)
    assert "Start of" not in text_of(said)
    assert "-----> Executing predeploy task" in text_of(said)


@pytest.mark.parametrize(
    ("phase", "name", "command", "status"),
    [
        ("predeploy", "predeploy", "prepare", 1),
        ("release", "release", "migrate", 7),
        ("heroku.postdeploy", "first deploy postdeploy", "seed", 137),
    ],
)
def test_a_failing_task_ends_the_deploy_and_its_container_goes(shell, phase, name, command, status):
    hold(shell, ALL, "migrate")
    shell.answers(CREATE_THIS.format(phase), out="f" * 64)
    shell.answers(f"docker container start --attach {'f' * 64}", status=status)
    with pytest.raises(DokkuError) as caught:
        tasks.run_before(APP, "latest")
    assert (caught.value.text, caught.value.exit_code) == (f"Execution of {name} task failed: {command}", 1)
    assert shell.ran[-1] == f"docker container rm --force --volumes {'f' * 64}"
    assert not properties.is_set("app-json", APP, "heroku.postdeploy")


@pytest.mark.parametrize(
    ("manifest", "procfile", "refusal"),
    [
        (json.dumps({"scripts": ALL}), "web\n", r"Invalid Procfile: line 1: "),
        ("{", "web: serve\n", r"Cannot parse app.json: line 1"),
    ],
)
def test_a_bad_file_is_refused_before_any_task(shell, manifest, procfile, refusal):
    put(shell, "app.json", manifest)
    put(shell, "Procfile", procfile)
    with pytest.raises(DokkuError, match=refusal):
        tasks.run_before(APP, "latest")
    assert ran(shell) == []


def test_a_container_that_can_not_be_made_is_told(shell):
    hold(shell, ALL)
    shell.answers(CREATE_THIS.format("predeploy"), err="no such network\n", status=125)
    with pytest.raises(DokkuError, match="Failed to create predeploy execution container: "):
        tasks.run_before(APP, "latest")


def test_the_first_deploys_task_is_done_once_it_has_succeeded(shell):
    hold(shell, ALL)
    for _ in range(2):
        tasks.run_before(APP, "latest")
    assert commands(shell).count("seed") == 1
    assert properties.get("app-json", APP, "heroku.postdeploy") == "executed"


def test_an_app_that_was_deployed_has_no_first_deploy(shell, said):
    hold(shell, ALL)
    properties.write("common", APP, "deployed", "true")
    tasks.run_before(APP, "latest")
    assert "seed" not in commands(shell)
    assert "first deploy" not in text_of(said)


def test_a_first_version_without_the_task_does_not_use_it_up(shell):
    hold(shell)
    tasks.run_before(APP, "latest")
    assert not properties.is_set("app-json", APP, "heroku.postdeploy")


def test_a_container_is_known_as_a_tasks_and_gets_the_config_by_name(shell):
    hold(shell, ALL)
    config.set_values(APP, {"TOKEN": "s3cret $(id)\nx"})
    options.add(APP, ["deploy"], "--restart=always")
    options.add(APP, ["deploy"], "-p 80:80")
    options.add(APP, ["deploy"], "--network=x")
    tasks.run_before(APP, "latest")
    call = ran(shell, "predeploy")[0]
    assert "--env=TOKEN" in call.argv
    assert shell.handed[0]["TOKEN"] == "s3cret $(id)\nx"
    assert "s3cret" not in repr(shell.calls)
    assert not [word for word in call.argv if "s3cret" in word]
    assert f"--label=com.dokku.app-name={APP}" in call.argv
    assert "--label=com.dokku.container-type=peek" in call.argv
    assert {"--network=x", "--init"} < set(call.argv)
    assert not {"--restart=always", "-p", "80:80"} & set(call.argv)
    assert f"--volume={settings.app_dir(APP)}/cache:/cache" in call.argv


@pytest.mark.parametrize(
    ("flags", "kept"),
    [
        (["--memory=1g", "-m", "1g", "-m1g", "--cpus", "2", "--memory-swap=2g", "--gpus", "all"], []),
        (["-P", "--publish-all", "--publish-all=true", "-p80:80", "--publish", "80", "--rm"], []),
        (["--restart", "no", "--mount=a", "--memory-swappiness=1", "--privileged"], [2, 3, 4]),
        (["--env=A=-p", "--pid=host", "-v", "/a:/b", "--publish"], [0, 1, 2, 3]),
    ],
)
def test_options_for_what_goes_on_running_are_left_out(flags, kept):
    assert tasks.without_deploy_options(flags) == [flags[index] for index in kept]


def test_predeploy_makes_an_image_that_runs_as_it_was_built(shell):
    hold(shell, ALL)
    tasks.run_before(APP, "latest")
    load = next(call for call in shell.calls if call.argv[1:3] == ["image", "load"])
    with tarfile.open(fileobj=io.BytesIO(load.stdin)) as tar:
        (manifest,) = json.load(tar.extractfile("manifest.json"))
        made = json.load(tar.extractfile(manifest["Config"]))
    assert manifest["RepoTags"] == ["dokku/blog:latest"]
    assert (made["config"]["Cmd"], made["config"]["Env"]) == (["serve"], ["PATH=/bin"])
    assert made["config"]["Labels"][predeploy_layers.LAYER] == "sha256:b"
    assert f"docker container commit {TASK}" in shell.ran
    assert "docker image rm -- sha256:left" in shell.ran


def test_a_store_that_can_not_compose_gets_a_plain_commit_without_values(shell):
    hold(shell, ALL)
    config.set_values(APP, {"TOKEN": "s3cret"})
    shell.answers("docker image load --quiet", err="no such layer\n", status=1)
    tasks.run_before(APP, "latest")
    commit = next(
        call.argv for call in shell.calls if call.argv[-1] == "dokku/blog:latest" and "commit" in call.argv
    )
    assert '--change=ENV TOKEN=""' in commit
    assert '--change=ENV PATH="/bin"' in commit
    assert '--change=CMD ["serve"]' in commit
    assert "--change=ENTRYPOINT []" in commit
    assert '--change=LABEL com.dokku.container-type=""' in commit


def test_a_commit_that_fails_ends_the_deploy(shell):
    hold(shell, ALL)
    shell.answers(f"docker container commit {TASK}", err="full\n", status=1)
    with pytest.raises(DokkuError, match="Commiting of 'predeploy' to image failed: prepare"):
        tasks.run_before(APP, "latest")


def test_a_second_predeploy_starts_from_the_image_as_it_was_built(shell):
    hold(shell, ALL)
    known = {
        "Id": "sha256:1",
        "Config": {"WorkingDir": "/app", "Labels": {predeploy_layers.LAYER: "sha256:b"}},
        "RootFS": {"Layers": ["sha256:a", "sha256:b"]},
    }
    shell.answers(INSPECT, out=json.dumps(known) + "\n")
    built = {**known, "Id": "sha256:0", "RootFS": {"Layers": ["sha256:a"]}}
    shell.answers("docker image inspect …dokku/blog:predeploy", out=json.dumps(built) + "\n")
    tasks.run_before(APP, "latest")
    assert "sha256:0" in ran(shell, "predeploy")[0].argv
    assert shell.ran.index("docker image rm -- dokku/blog:predeploy") > shell.ran.index(
        f"docker container rm --force --volumes {TASK}"
    )


def test_a_command_of_several_lines_is_told_in_one(shell, said):
    hold(shell, {"dokku": {"predeploy": "a\nb"}})
    tasks.run_before(APP, "latest")
    assert "task from app.json: a\\x0ab\n" in text_of(said)
    assert commands(shell) == ["a\nb"]
