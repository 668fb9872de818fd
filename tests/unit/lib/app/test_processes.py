"""What a Procfile and a scale file say, and which counts are refused."""

import json
import os

import pytest

from lib.app import app_json, options, processes
from lib.base import files, log, properties, settings
from lib.base.errors import DokkuError

APP = "blog"


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


def lines_of(said, stream):
    return b"".join(data for number, data in said if number == stream).decode().splitlines()


def give_procfile(text):
    files.replace(processes.procfile_path(APP), text)


def give_scale(text):
    files.replace(processes.scale_path(APP), text)


def test_a_procfile_maps_types_to_commands_in_order():
    text = "# the app\nworker: bin/work\n\nweb: node web.js --port $PORT\n"
    assert list(processes.parse_procfile(text).items()) == [
        ("worker", "bin/work"),
        ("web", "node web.js --port $PORT"),
    ]


def test_a_procfile_with_windows_line_ends_is_read():
    assert processes.parse_procfile("web: serve\r\nworker: work\r\n") == {"web": "serve", "worker": "work"}


@pytest.mark.parametrize("comment", ["# start it", "// start it"])
def test_a_comment_after_a_command_is_dropped(comment):
    assert processes.parse_procfile(f"web: serve --tag a#b {comment}") == {"web": "serve --tag a#b"}


def test_a_url_in_a_command_is_no_comment():
    assert processes.parse_procfile("web: curl http://localhost/") == {"web": "curl http://localhost/"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("web: serve\nno colon here\n", 2),
        ("web serve", 1),
        ("web:", 1),
        ("web: a\nweb: b", 2),
        ("../x: serve", 1),
        ("a.b: serve", 1),
        (f"{'w' * 64}: serve", 1),
        ("-w: serve", 1),
        ("\n\nweb: # nothing", 3),
        ("web: a\0b", 1),
    ],
)
def test_a_bad_procfile_is_refused_with_the_line(text, line):
    """NAME-4"""
    with pytest.raises(DokkuError, match=rf"^Invalid Procfile: line {line}: "):
        processes.parse_procfile(text)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_procfile_with_a_byte_order_mark_is_read(end):
    text = end.join(["\ufeffweb: serve", "worker:\xa0work", ""])
    assert processes.parse_procfile(text) == {"web": "serve", "worker": "work"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("web serve", "there is no colon in web serve"),
        ("web:", "expected TYPE: COMMAND, found web:"),
        ("-w: x", "-w is no process type"),
        ("web: # x", "a comment in place of a command"),
        ("web: \x1b[1m", "it has a control character"),
    ],
)
def test_a_bad_line_is_told_with_its_reason(line, reason):
    with pytest.raises(DokkuError) as caught:
        processes.parse_procfile(f"a: b\n{line}\n")
    assert caught.value.text == f"Invalid Procfile: line 2: {reason}"


def test_a_command_that_needs_a_shell_is_told_where_none_reads_it(said):
    give_procfile("web: cd app && serve\nworker: sh -c 'a && b'\n")
    processes.warn_if_for_a_shell(APP)
    assert lines_of(said, 2) == [
        " !     Procfile, web: no shell reads the command, && is an argument: use sh -c '...'"
    ]


def test_the_port_is_filled_into_a_command():
    give_procfile("web: node web.js --port $PORT --admin ${PORT} $PORTAL\n")
    assert processes.command(APP, "web", "5001") == "node web.js --port 5001 --admin 5001 $PORTAL"


def test_a_type_without_a_command_has_an_empty_one():
    assert processes.command(APP, "web") == ""


def test_a_new_app_has_one_web_process_that_is_restarted_on_failure():
    processes.set_up(APP)
    assert files.read(processes.scale_path(APP)) == "web=1\n"
    assert options.lines(APP, "deploy") == ["--restart=on-failure:10"]
    assert os.path.isdir(settings.data("ps", APP))


def test_an_app_without_a_scale_file_wants_one_web_process():
    assert processes.wanted(APP) == [("web", 1)]


def test_types_of_the_procfile_that_were_never_scaled_count_as_none():
    give_scale("web=2\n")
    give_procfile("web: serve\nworker: work\nrelease: migrate\n")
    assert processes.counts(APP) == {"web": 2, "worker": 0, "release": 0}


def test_web_is_started_first():
    give_scale("clock=1\nworker=2\nweb=1\n")
    assert processes.wanted(APP) == [("web", 1), ("clock", 1), ("worker", 2)]


def test_a_type_that_left_the_procfile_is_not_started():
    give_scale("web=1\nold=3\n")
    give_procfile("worker: work\n")
    assert processes.wanted(APP) == [("web", 1), ("worker", 0)]


def test_a_scale_file_may_hold_comments_and_bad_lines(said):
    give_scale("# counts\nweb=2 # two\n\nworker\nclock=many\ncron=-1\na.b=1\nqueue=1\n")
    assert processes.counts(APP) == {"web": 2, "queue": 1}
    assert lines_of(said, 2) == [
        " !     Invalid scale entry on line 4, skipping",
        " !     Invalid count on line 5, skipping",
        " !     Invalid count on line 6, skipping",
        " !     Invalid scale entry on line 7, skipping",
    ]


@pytest.mark.parametrize("text", ["nonsense\n", ""])
def test_a_scale_file_without_a_valid_line_means_one_web_process(said, text):
    """CRS-5: and says so."""
    give_scale(text)
    assert processes.counts(APP) == {"web": 1}
    assert " !     No valid entries found in scale file, defaulting to web=1" in lines_of(said, 2)


def test_the_scale_of_a_later_dokku_is_read_where_there_is_no_scale_file():
    properties.write_list("ps", APP, "scale", ["web=3", "worker=1"])
    assert processes.counts(APP) == {"web": 3, "worker": 1}


def test_changing_a_count_keeps_the_others():
    give_scale("web=1\nworker=2\n")
    processes.set_counts(APP, {"worker": 0, "clock": 1})
    assert files.read(processes.scale_path(APP)) == "web=1\nworker=0\nclock=1\n"


@pytest.mark.parametrize(
    ("word", "refusal"),
    [
        ("web", "Missing count for process type web"),
        ("web=", "Missing count for process type web"),
        ("web=x", "Invalid count for process type web"),
        ("web=-1", "Invalid count for process type web"),
        ("web=1;x", "Invalid count for process type web"),
        ("web=1e3", "Invalid count for process type web"),
        ("web=٣", "Invalid count for process type web"),
        ("web= 1", "Invalid count for process type web"),
        ("web=1000000000000", "Invalid count for process type web"),
        ("a.b=1", "a.b is not a valid process name to scale up"),
        ("../x=0", "../x is not a valid process name to scale up"),
        ("other=1", "other is not a valid process name to scale up"),
    ],
)
def test_a_bad_count_is_refused(word, refusal):
    give_procfile("web: serve\n")
    with pytest.raises(DokkuError) as refused:
        processes.verify_counts(APP, [word])
    assert refused.value.text == refusal


def test_an_unknown_type_may_be_scaled_to_none():
    give_procfile("web: serve\n")
    assert processes.verify_counts(APP, ["web=2", "other=0"]) == {"web": 2, "other": 0}


def test_without_a_procfile_any_type_may_be_scaled():
    assert processes.verify_counts(APP, ["worker=2"]) == {"worker": 2}


def test_the_last_count_given_for_a_type_holds():
    assert processes.verify_counts(APP, ["web=1", "web=3"]) == {"web": 3}


def test_an_app_whose_source_holds_a_scale_file_is_not_scaled_by_hand():
    processes.adopt_files(APP, None, "web=2\n")
    with pytest.raises(DokkuError, match="App blog contains DOKKU_SCALE file and cannot be manually scaled"):
        processes.verify_counts(APP, ["web=1"])
    assert processes.counts(APP) == {"web": 2}


def test_a_deploy_without_a_scale_file_makes_the_app_scalable_again(said):
    processes.adopt_files(APP, None, "web=2\n")
    processes.adopt_files(APP, "web: serve\nworker: work\n", None)
    assert processes.is_scalable(APP)
    assert files.read(processes.scale_path(APP)) == "web=2\nworker=0\n"
    assert lines_of(said, 1)[-2:] == [
        "-----> App Procfile file found",
        "-----> DOKKU_SCALE file not found in app image. Generating one based on Procfile...",
    ]


def test_a_deploy_without_a_procfile_drops_the_last_one(said):
    give_procfile("web: serve\n")
    processes.adopt_files(APP, None, None)
    assert processes.procfile(APP) == {}
    assert lines_of(said, 1)[0] == "-----> No Procfile found in app image"


def test_a_bad_procfile_changes_nothing():
    processes.adopt_files(APP, "web: serve\n", None)
    with pytest.raises(DokkuError):
        processes.adopt_files(APP, "web\n", "web=5\n")
    assert processes.procfile(APP) == {"web": "serve"}
    assert processes.counts(APP) == {"web": 1}


def test_a_type_that_left_the_procfile_is_named_at_deploy(said):
    give_scale("web=1\nold=3\n")
    processes.adopt_files(APP, "web: serve\n", None)
    assert lines_of(said, 2) == [" !     old is no longer in the Procfile and will not be started"]


def held():
    paths = (processes.procfile_path(APP), processes.scale_path(APP), processes.frozen_path(APP))
    return [files.read(path, "none") for path in paths]


def fail_deploying(*, procfile=None, scale=None, serves=False, meanwhile=lambda: None):
    def fail():
        with processes.restored_on_failure(APP, unless=lambda: serves):
            processes.adopt_files(APP, procfile, scale)
            meanwhile()
            raise DokkuError("no luck")

    with pytest.raises(DokkuError, match="no luck"):
        fail()


@pytest.mark.parametrize("scale_before", [None, "web=2\nworker=1\n"])
@pytest.mark.parametrize("procfile", [None, "web: new\nclock: new\n"])
@pytest.mark.parametrize("scale", [None, "web=5\nclock=5\n"])
def test_the_files_of_a_version_that_fails_do_not_become_the_apps(scale_before, procfile, scale):
    give_scale("# by hand\nweb=3\n")
    processes.adopt_files(APP, "web: old\nworker: old\n", scale_before)
    before = held()
    fail_deploying(procfile=procfile, scale=scale)
    assert held() == before


def test_a_first_version_that_fails_leaves_no_files_and_the_scale_as_it_was_written():
    give_scale("web=2 # two\n")
    fail_deploying(procfile="web: new\nclock: new\n")
    assert held() == ["none", "web=2 # two\n", "none"]


def test_a_version_that_fails_and_serves_all_the_same_has_its_own_files():
    processes.adopt_files(APP, "web: old\n", None)
    fail_deploying(procfile="web: new\n", scale="web=5\n", serves=True)
    assert held() == ["web: new\n", "web=5\n", "web=5\n"]


def test_what_people_scale_during_a_deploy_that_fails_stays():
    processes.adopt_files(APP, "web: old\n", None)
    fail_deploying(procfile="web: new\n", meanwhile=lambda: processes.set_counts(APP, {"web": 0}))
    assert held() == ["web: old\n", "web=0\n", "none"]


@pytest.mark.parametrize("policy", ["no", "always", "unless-stopped", "on-failure", "on-failure:20"])
def test_a_restart_policy_replaces_the_last_one(policy):
    options.add(APP, ["deploy"], "--restart=on-failure:10")
    options.add(APP, ["deploy"], "--memory=1g")
    processes.set_restart_policy(APP, policy)
    assert options.lines(APP, "deploy") == ["--memory=1g", f"--restart={policy}"]
    assert processes.restart_policy(APP) == policy


@pytest.mark.parametrize(
    "policy", ["", "sometimes", "on-failure:", "on-failure:x", "no --privileged", "no\n"]
)
def test_an_unknown_restart_policy_is_refused(policy):
    with pytest.raises(DokkuError, match="Invalid restart-policy specified"):
        processes.set_restart_policy(APP, policy)


def formation(**quantities):
    """Let the deployed app.json say how many there are to be."""
    wanted = {process: {"quantity": count} for process, count in quantities.items()}
    files.replace(app_json.file_path(APP), json.dumps({"formation": wanted}))


def test_counts_in_app_json_rule_and_web_is_one_unless_they_say_otherwise():
    formation(worker=3)
    processes.adopt_files(APP, "web: a\nworker: b\nclock: c\n", "web=9\n")
    assert processes.wanted(APP) == [("web", 1), ("clock", 0), ("worker", 3)]
    formation(web=0)
    processes.adopt_files(APP, "web: a\nworker: b\n", None)
    assert processes.wanted(APP) == [("web", 0), ("worker", 0)]


def test_counts_in_app_json_can_not_be_changed_by_hand():
    formation(web=2)
    processes.adopt_files(APP, None, None)
    with pytest.raises(DokkuError) as caught:
        processes.verify_counts(APP, ["web=3"])
    text = f"App {APP} contains an app.json file with a formations key and cannot be manually scaled"
    assert caught.value.text == text
    files.replace(app_json.file_path(APP), "{}")
    processes.adopt_files(APP, None, None)
    assert processes.verify_counts(APP, ["web=3"]) == {"web": 3}
    assert processes.counts(APP) == {"web": 2}


def test_a_count_too_high_changes_nothing():
    formation(web=1001)
    with pytest.raises(DokkuError, match=r"app.json: formation.web.quantity is more than 1000"):
        processes.adopt_files(APP, "web: a\n", None)
    assert processes.procfile(APP) == {}


def test_the_command_of_a_procfile_that_is_not_the_apps_yet():
    assert processes.command_in("release: migrate -p $PORT\n", "release") == "migrate -p 5000"
    assert processes.command_in("web: x\n", "release") == ""
