"""Which container somebody means, and what runs in there."""

import json
import os

import pytest

from lib.base import files, settings
from lib.base.errors import DokkuError
from lib.runtime import entering

APP = "blog"
WEB, WEB_2, WORKER = "a" * 64, "ab" + "c" * 62, "d" * 64


def serve(shell, *names, running=True, labels=None):
    ids = {"web.1": WEB, "web.2": WEB_2, "worker.1": WORKER}
    os.makedirs(settings.app_dir(APP), exist_ok=True)
    for name in names:
        files.replace(os.path.join(settings.app_dir(APP), f"CONTAINER.{name}"), f"{ids[name]}\n")
        known = {
            "Id": ids[name],
            "Name": f"/{APP}.{name}",
            "Image": "sha256:1",
            "RestartCount": 0,
            "State": {"Status": "running", "Running": running, "StartedAt": ""},
            "Config": {"Labels": {"com.dokku.app-name": APP}},
            "HostConfig": {},
            "NetworkSettings": {},
        }
        shell.answers(f"docker container inspect … {ids[name]}", json.dumps(known))
    image = {"Id": "sha256:1", "Config": {"Labels": labels or {}}}
    shell.answers("docker image inspect …", json.dumps(image))


def entered(shell):
    """The container and the words that docker was asked to run in it."""
    argv = shell.calls[-1].argv
    assert argv[:3] == ["docker", "container", "exec"]
    place = next(number for number, word in enumerate(argv) if word in (WEB, WEB_2, WORKER))
    return argv[place], argv[place + 1 :]


@pytest.mark.parametrize(
    ("words", "container", "command"),
    [
        (["web", "ls", "-la"], WEB, ["ls", "-la"]),
        (["web.2", "ls"], WEB_2, ["ls"]),
        (["worker", "a  b", "$(id)"], WORKER, ["a  b", "$(id)"]),
        (["--container-id", "abc", "ls"], WEB_2, ["ls"]),
    ],
)
def test_a_type_a_name_or_an_id_says_which(fs, shell, words, container, command):
    serve(shell, "web.1", "web.2", "worker.1")
    entering.request(APP, words)
    assert entered(shell) == (container, command)


def test_without_a_word_it_is_a_shell_in_the_only_type(fs, shell):
    serve(shell, "web.1", "web.2")
    entering.request(APP, [])
    container, command = entered(shell)
    assert container == WEB
    assert command[0] == "/bin/sh"


@pytest.mark.parametrize(
    ("words", "text", "more"),
    [
        ([], "No container type specified.", f"Available types for app ({APP}): web worker"),
        (["cron"], "No containers found for type 'cron'", f"Available types for app ({APP}): web worker"),
        (["--container-id"], "No container id specified", f"Available ids for app ({APP}): {WEB} {WORKER}"),
        (
            ["--container-id", "ff"],
            "Invalid container id for app",
            f"Available ids for app ({APP}): {WEB} {WORKER}",
        ),
    ],
)
def test_what_names_none_is_refused_with_what_there_is(fs, shell, words, text, more):
    serve(shell, "web.1", "worker.1")
    with pytest.raises(DokkuError) as caught:
        entering.request(APP, words)
    assert (caught.value.text, caught.value.more) == (text, (more,))
    assert not any("exec" in line for line in shell.ran)


def test_an_id_that_several_start_with_is_refused(fs, shell):
    serve(shell, "web.1", "web.2")
    with pytest.raises(DokkuError, match=r"^Invalid container id for app$"):
        entering.request(APP, ["--container-id", "a", "ls"])


def test_an_app_without_containers_is_refused(fs, shell):
    os.makedirs(settings.app_dir(APP))
    with pytest.raises(DokkuError, match=rf"^App {APP} has not been deployed$"):
        entering.request(APP, ["web"])


def test_a_stopped_container_is_refused(fs, shell):
    serve(shell, "web.1", running=False)
    with pytest.raises(DokkuError, match=r"^Container is not running$"):
        entering.request(APP, ["web"])


def test_the_status_of_the_program_becomes_ours(fs, shell):
    serve(shell, "web.1")
    shell.answers("docker container exec …", status=5)
    with pytest.raises(DokkuError) as caught:
        entering.request(APP, ["web", "false"])
    assert (caught.value.text, caught.value.exit_code) == ("", 5)


def test_an_image_by_pack_is_entered_by_its_launcher(fs, shell):
    serve(shell, "web.1", labels={"io.buildpacks.stack.id": "any"})
    entering.request(APP, ["web", "rake", "a b"])
    assert entered(shell) == (WEB, ["/cnb/lifecycle/launcher", "rake 'a b'"])
    assert "--workdir=/workspace" in shell.calls[-1].argv


def test_another_scheduler_is_left_to_its_plugin(fs, shell):
    entering.enter("other", APP, "web")
    assert shell.ran == []
