"""One-off containers: what docker is asked for, and what is refused before anything starts."""

import datetime
import json
import os
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.app import config
from lib.base import files, log, settings
from lib.base.errors import AppNotFound, DokkuError, UsageError
from lib.build import images
from lib.runtime import commands_in_images, one_off

APP = "blog"
ID = "a" * 64
OURS = "docker-local"
WORDS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=2)


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


def text_of(said):
    return b"".join(data for _, data in said).decode()


def build(shell, **more):
    """Let there be an image of the app, and containers of it."""
    image = {"Id": "sha256:1", "Config": {"Labels": {}, "Env": [], **more}}
    shell.answers("docker image inspect …", json.dumps(image))
    shell.answers("docker container create …", ID + "\n")


def created(shell):
    return next(call for call in shell.calls if call.argv[1:3] == ["container", "create"])


def container(name=f"{APP}.run.7", status="running", age=10, app=APP, command=("sleep", "9"), **marks):
    moment = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=age)).isoformat()
    labels = {"com.dokku.app-name": app, **{key.replace("_", "-"): value for key, value in marks.items()}}
    return {
        "Id": ID,
        "Name": f"/{name}",
        "Created": moment,
        "State": {"Status": status, "Running": status == "running", "StartedAt": moment},
        "Config": {"Labels": labels, "Entrypoint": None, "Cmd": list(command)},
    }


def exist(shell, *known):
    shell.answers("docker container ls …", "".join(f"{one['Id']}\n" for one in known))
    shell.answers("docker container inspect …", "\n".join(map(json.dumps, known)))


def test_docker_is_asked_for_the_image_the_container_and_its_end(shell):
    build(shell)
    one_off.request(APP, ["ls", "-la"])
    assert [call.argv[2] for call in shell.calls] == ["inspect", "create", "start"]
    assert shell.ran[-1] == (
        f"docker container start --attach --interactive '--detach-keys=ctrl-^,ctrl-@,ctrl-^,ctrl-@' {ID}"
    )


def test_words_are_the_last_ones_of_the_container_as_they_are(shell):
    build(shell)
    one_off.request(APP, ["printf", "--", "$(id)", "a\nb", ""])
    assert created(shell).argv[-7:] == ["--", "dokku/blog:latest", "printf", "--", "$(id)", "a\nb", ""]


def test_variables_are_named_in_words_and_valued_in_the_environment(shell):
    config.set_values(APP, {"TOKEN": "secret"})
    build(shell)
    one_off.request(APP, ["env"], ["OTHER=more=secret", "=THIRD=third"])
    asked = created(shell)
    assert {"--env=TOKEN", "--env=OTHER", "--env=THIRD"} <= set(asked.argv)
    given = shell.handed[0]
    assert (given["TOKEN"], given["OTHER"], given["THIRD"]) == ("secret", "more=secret", "third")
    assert "secret" not in " ".join(asked.argv)


@pytest.mark.parametrize("wrong", ["TOKEN", "=", "1A=b", "A B=c", ""])
def test_a_variable_without_a_proper_key_is_refused_unseen(shell, wrong):
    with pytest.raises(DokkuError, match=r"^Expected KEY=VALUE as the argument of --env$"):
        one_off.request(APP, ["env"], [wrong])
    assert shell.ran == []


@pytest.mark.parametrize("wrong", ["0", "-1", "1.5", "x", "9" * 12])
def test_a_time_to_live_that_is_none_is_refused(shell, wrong):
    with pytest.raises(DokkuError, match=r"^--ttl-seconds must be a positive integer$"):
        one_off.request(APP, ["env"], ttl=wrong)
    assert shell.ran == []


def test_an_app_that_does_not_exist_is_refused(shell):
    with pytest.raises(AppNotFound):
        one_off.request("none", ["env"])


def test_both_terminal_flags_are_refused(shell):
    with pytest.raises(DokkuError, match=r"^Cannot specify both --force-tty and --no-tty$"):
        one_off.request(APP, ["env"], no_terminal=True, terminal=True)


def test_a_terminal_is_asked_for_where_it_is_wanted(shell):
    build(shell)
    one_off.request(APP, ["env"], terminal=True)
    assert "--tty" in created(shell).argv
    assert any(word.startswith("--label=com.dokku.terminal-of=") for word in created(shell).argv)


def test_without_a_terminal_there_is_stdin_only(shell):
    build(shell)
    one_off.request(APP, ["--no-tty", "env"])
    assert "--interactive" in created(shell).argv
    assert "--tty" not in created(shell).argv
    assert created(shell).argv[-1] == "env"


def test_the_status_of_the_program_becomes_ours(shell):
    build(shell)
    shell.answers("docker container start …", status=3)
    with pytest.raises(DokkuError) as caught:
        one_off.request(APP, ["false"])
    assert (caught.value.text, caught.value.exit_code) == ("", 3)


def test_a_container_that_could_not_be_prepared_is_removed(shell, fs):
    build(shell)
    script = os.path.join(settings.plugins_enabled(), "guard", "post-container-create")
    fs.create_file(script, contents="#!/bin/sh\n", st_mode=0o100755)
    shell.answers(f"{script} …", status=4)
    with pytest.raises(DokkuError):
        one_off.request(APP, ["true"])
    assert shell.ran[-1] == f"docker container rm --force {ID}"
    assert not any("container start" in line for line in shell.ran)


def test_detached_ones_get_no_stdin_and_are_named(shell, said):
    build(shell)
    one_off.request(APP, ["true"], detach=True)
    assert "--interactive" not in created(shell).argv
    assert shell.ran[-1] == f"docker container start {ID}"
    assert text_of(said).startswith(f"{APP}.run.")


def test_the_flag_of_old_prints_the_id(shell, said):
    build(shell)
    os.environ |= {"DOKKU_COMMAND": "run", "DOKKU_DETACH_CONTAINER": "1"}
    one_off.request(APP, ["true"])
    assert text_of(said) == f"{ID}\n"


def test_labels_of_the_caller_do_not_replace_ours(shell):
    build(shell)
    os.environ["DOKKU_GLOBAL_FLAGS"] = "--quiet --label=a=b=c --label=com.dokku.app-name=other"
    one_off.request(APP, ["true"], cron_id="job", ttl="9")
    labels = [word for word in created(shell).argv if word.startswith("--label=")]
    assert "--label=a=b=c" in labels
    assert f"--label=com.dokku.app-name={APP}" in labels
    assert {"--label=com.dokku.cron-id=job", "--label=com.dokku.active-deadline-seconds=9"} <= set(labels)
    assert "--label=com.dokku.app-name=other" not in labels


def test_another_scheduler_is_left_to_its_plugin(shell):
    one_off.run("other", APP, "0", "true")
    one_off.retire("other")
    assert shell.ran == []


def test_a_process_type_stands_for_its_command(shell, said):
    files.replace(os.path.join(settings.data("ps", APP), "Procfile"), "job: sh -c 'echo $PORT'\n")
    build(shell)
    one_off.request(APP, ["job", "more words"])
    assert created(shell).argv[-4:] == ["sh", "-c", "echo 5000", "more words"]
    assert text_of(said) == "-----> Found 'job' in Procfile, running that command\n"


def test_an_image_by_herokuish_has_a_way_in(shell):
    build(shell, Env=["USER=herokuishuser"])
    one_off.request(APP, ["ls", "-l"])
    assert created(shell).argv[-3:] == ["/exec", "ls", "-l"]


@pytest.mark.parametrize(
    ("words", "command"), [(["job"], ["/start", "job"]), (["job", "a b"], ["/exec", "rake", "it's", "a b"])]
)
def test_a_process_type_of_an_image_by_herokuish_is_started_by_it(shell, words, command):
    files.replace(os.path.join(settings.data("ps", APP), "Procfile"), """job: rake "it's"\n""")
    build(shell, Env=["USER=herokuishuser"])
    one_off.request(APP, words)
    assert created(shell).argv[-len(command) :] == command


def test_the_launcher_of_pack_gets_a_line_and_more_words_as_a_script():
    image = images.Image("1", "dokku/blog", "pack", "/workspace", [], [], "")
    [script] = commands_in_images.as_process(image, "job", "rake $PORT && x", ["a b"])
    assert script == "rake $PORT && x 'a b'"


@given(words=WORDS)
def test_the_launcher_of_pack_gets_a_script_of_the_very_words(words):
    image = images.Image("1", "dokku/blog", "pack", "/workspace", [], [], "")
    [script] = commands_in_images.as_words(image, words)
    assert shlex.split(script) == words


def test_the_list_has_name_state_command_and_time(shell, said):
    exist(shell, container(command=["sh", "-c", "echo it's"]))
    one_off.show(APP, "json")
    [listed] = json.loads(text_of(said))
    assert listed.pop("created_at")
    assert listed == {"name": f"{APP}.run.7", "state": "running", "command": "sh -c 'echo it'\"'\"'s'"}


def test_the_table_shows_no_control_characters(shell, said):
    """IO-10"""
    exist(shell, container(command=["printf", "\x1b[2J"]))
    one_off.show(APP, "stdout")
    assert text_of(said).startswith(f"=====> {APP} run containers\nNAMES")
    assert "\x1b" not in text_of(said)


def test_a_format_that_is_none_is_refused(shell):
    with pytest.raises(DokkuError, match=r"^Invalid output format specified"):
        one_off.show(APP, "xml")


@pytest.mark.parametrize(
    ("app", "name", "text"),
    [
        ("", "", "No container or app specified"),
        ("", "blog", "Invalid container name specified: blog"),
        ("other", f"{APP}.run.7", f"Invalid container name specified: {APP}.run.7"),
        ("", f"{APP}.web.1", "Specified container must be a run container"),
        ("", f"{APP}.run.8", f"No run container {APP}.run.8"),
    ],
)
def test_what_names_no_run_container_is_refused(shell, app, name, text):
    exist(shell, container())
    with pytest.raises(DokkuError) as caught:
        one_off.stop(app, name)
    assert caught.value.text == text
    assert not any("stop" in line for line in shell.ran)


def test_stopping_is_by_id_and_with_the_apps_patience(shell):
    exist(shell, container())
    config.set_values(APP, {"DOKKU_DOCKER_STOP_TIMEOUT": "5"})
    one_off.stop("", f"{APP}.run.7")
    assert shell.ran[-1] == f"docker container stop -t 5 {ID}"


def test_a_bad_count_of_lines_is_refused(shell):
    with pytest.raises(UsageError):
        one_off.show_logs(APP, "", False, True, "many")


OVER = {"com.dokku.active_deadline_seconds": "5000"}
ALONE = {"com.dokku.terminal_of": "4194999:1"}


@pytest.mark.parametrize(
    ("known", "last"),
    [
        (container(age=9999, **OVER), f"docker container stop -t 30 {ID}"),
        (container(age=10, **OVER), "inspect"),
        (container(age=10), "inspect"),
        (container(age=9999, app="strange", **OVER), "inspect"),
        (container(age=10, **ALONE), f"docker container stop -t 10 {ID}"),
        (container(age=10, status="created"), "inspect"),
        (container(age=9999, status="created"), f"docker container rm --force {ID}"),
    ],
)
def test_only_what_is_over_or_abandoned_is_retired(shell, known, last):
    exist(shell, known)
    one_off.retire(OURS)
    assert last in shell.ran[-1]
