"""ps:* as a user calls it. Docker is a script here: what containers do is in tests/system."""

import fcntl
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cli.conftest import TREE

PER_APP = ["inspect", "rebuild", "restart", "scale", "start", "stop"]
BATCHES = ["rebuild", "restart", "restore", "start", "stop"]
ID = "a" * 64
DOCKER = f"""#!/bin/sh
printf '%s\\n' "$*" >>"$0.calls"
case "$*" in
"container inspect"*) printf '%s\\n' '{{"Id":"{ID}","Name":"/blog.web.1","Image":"sha256:1","RestartCount":0,\
"State":{{"Status":"exited","Running":false,"StartedAt":"2026-01-01T00:00:00Z"}},\
"Config":{{"Labels":{{"com.dokku.app-name":"blog"}},"Env":["SECRET=hunter2","PORT=5000"]}},\
"HostConfig":{{}},"NetworkSettings":{{"IPAddress":"172.17.0.2"}}}}' ;;
esac
"""


@pytest.fixture
def blog(dokku):
    """An app that was never deployed."""
    return dokku.make_app("blog")


@pytest.fixture
def deployed(dokku, blog):
    """An app with one stopped container; what docker was asked so far."""
    (blog / "CONTAINER.web.1").write_text(f"{ID}\n")
    docker = dokku.program("docker", DOCKER)
    calls = docker.with_name("docker.calls")
    return lambda: calls.read_text().splitlines() if calls.exists() else []


def refusal(text, code=1):
    return ("", f" !     {text}\n", code)


@pytest.mark.parametrize("name", PER_APP)
def test_an_app_has_to_be_named_and_to_exist(dokku, name):
    assert dokku(f"ps:{name}") == refusal("Please specify an app to run the command on")
    assert dokku(f"ps:{name}", "nope") == refusal("App nope does not exist", 20)
    assert dokku(f"ps:{name}", "No").code == 1


@pytest.mark.parametrize("name", ["restore", "retire", "set", "report"])
def test_an_app_that_is_named_has_to_exist(dokku, name):
    assert dokku(f"ps:{name}", "nope") == refusal("App nope does not exist", 20)


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_without_apps_succeeds(dokku, name):
    """PAR-6"""
    assert dokku(f"ps:{name}", "--all") == ("", " !     You haven't deployed any applications yet\n", 0)


@pytest.mark.parametrize(("count", "code"), [("-2", 1), ("x", 2), ("1e3", 2)])
def test_a_bad_number_of_workers_is_refused(dokku, blog, count, code):
    """NAME-16, PAR-2"""
    done = dokku("ps:restart", "--all", "--parallel", count)
    assert done.code == code
    assert done.out == ""
    assert code == 2 or done.err == " !     Invalid value -2 for --parallel flag\n"


def test_a_batch_names_each_app_in_turn(dokku):
    for app in ("blog", "shop"):
        dokku.make_app(app)
    assert dokku("ps:restart", "--all") == (
        "-----> Running restart against app blog\n-----> Running restart against app shop\n",
        " !     Running restart in serial mode\n"
        " !     App blog has not been deployed\n"
        " !     App shop has not been deployed\n",
        0,
    )


def test_a_batch_on_several_workers_keeps_each_apps_lines_together(dokku):
    for app in ("blog", "shop", "wiki"):
        dokku.make_app(app)
    done = dokku("ps:stop", "--all", "--parallel", "2")
    assert sorted(done.out.splitlines()) == [
        f"-----> Running command against {app}" for app in ("blog", "shop", "wiki")
    ]
    assert done.code == 0


@pytest.mark.parametrize("name", ["restart", "start", "stop"])
def test_an_app_that_was_never_deployed_is_left_alone(dokku, blog, name):
    assert dokku(f"ps:{name}", "blog") == ("", " !     App blog has not been deployed\n", 0)


def test_a_new_app_has_one_web_process(dokku, blog):
    assert (blog / "DOKKU_SCALE").read_text() == "web=1\n"
    assert (blog / "DOKKU_SCALE").stat().st_mode & 0o777 == 0o600
    assert (blog / "DOCKER_OPTIONS_DEPLOY").read_text() == "--restart=on-failure:10\n"
    assert dokku("ps:scale", "blog") == (
        "-----> Scaling for blog\nproctype: qty\n--------: ---\nweb:  1\n",
        "",
        0,
    )


@pytest.mark.parametrize("words", [("--quiet", "ps:scale", "blog"), ("ps:scale", "blog", "--quiet")])
def test_a_quiet_scale_has_no_table_head(dokku, blog, words):
    assert dokku(*words) == ("web:  1\n", "", 0)


def test_the_scale_is_json_on_request(dokku, blog):
    done = dokku("ps:scale", "blog", "--format", "json")
    assert json.loads(done.out) == [{"process_type": "web", "quantity": 1}]


def test_an_app_that_was_never_deployed_is_scaled_without_a_deploy(dokku, blog):
    assert dokku("ps:scale", "blog", "web=2", "worker=1") == (
        "-----> Scaling blog processes: web=2 worker=1\n",
        "",
        0,
    )
    assert (blog / "DOKKU_SCALE").read_text() == "web=2\nworker=1\n"


def test_a_scale_that_somebody_edited_counts(dokku, blog):
    (blog / "DOKKU_SCALE").write_text("# mine\nworker=3 # three\nweb=0\n")
    assert dokku("--quiet", "ps:scale", "blog").out == "web:  0\nworker: 3\n"


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("web", "Missing count for process type web"),
        ("web=x", "Invalid count for process type web"),
        ("web=1000000000000", "Invalid count for process type web"),
        ("a.b=1", "a.b is not a valid process name to scale up"),
    ],
)
def test_a_bad_count_is_refused_and_changes_nothing(dokku, blog, word, text):
    """NAME-16"""
    assert dokku("ps:scale", "blog", "web=4", word) == refusal(text)
    assert (blog / "DOKKU_SCALE").read_text() == "web=1\n"


def test_fifty_scales_at_once_lose_no_count(dokku, blog):
    """LCK-7"""
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: dokku("ps:scale", "blog", f"p{n}=1").code, range(50)))
    assert done == [0] * 50
    assert sorted((blog / "DOKKU_SCALE").read_text().split()) == sorted(
        ["web=1", *(f"p{n}=1" for n in range(50))]
    )


def test_the_report_on_a_new_app(dokku, blog):
    assert dokku("ps:report", "blog") == (
        "=====> blog ps information\n"
        "       Deployed:                      false\n"
        "       Processes:                     0\n"
        "       Ps can scale:                  true\n"
        "       Ps restart policy:             on-failure:10\n"
        "       Restore:                       true\n"
        "       Running:                       false\n",
        "",
        0,
    )


def test_the_report_on_an_app_with_a_container(dokku, deployed):
    assert dokku("ps:report", "blog", "--status-web.1") == ("exited (CID: aaaaaaaaaaa)\n", "", 0)
    assert len(deployed()) == 1


def test_the_report_on_many_apps_asks_docker_once(dokku, deployed):
    for app, digit in (("shop", "c"), ("wiki", "d")):
        (dokku.make_app(app) / "CONTAINER.web.1").write_text(f"{digit * 64}\n")
    done = dokku("ps:report")
    assert done.err == ""
    assert [line for line in done.out.splitlines() if "Status" in line] == [
        "       Status web 1:                  exited (CID: aaaaaaaaaaa)",
        "       Status web 1:                  missing (CID: ccccccccccc)",
        "       Status web 1:                  missing (CID: ddddddddddd)",
    ]
    assert len(deployed()) == 1


def test_the_report_refuses_an_unknown_flag_and_lists_what_there_is(dokku, blog):
    done = dokku("ps:report", "blog", "--colour")
    assert done.code == 1
    assert done.err.startswith(
        " !     Invalid flag passed, valid flags: --deployed, --processes, --ps-can-scale"
    )


def test_the_report_without_apps_succeeds(dokku):
    assert dokku("ps:report") == ("", " !     You haven't deployed any applications yet\n", 0)


def test_inspecting_shows_json_without_secrets(dokku, deployed):
    """SEC-5"""
    done = dokku("ps:inspect", "blog")
    assert done.code == 0
    assert json.loads(done.out)[0]["Config"]["Env"] == ["SECRET=XXXXXX", "PORT=5000"]
    assert done.out.startswith('[\n    {\n        "Config"')


def test_the_restart_policy_can_be_changed(dokku, blog):
    (blog / "DOCKER_OPTIONS_DEPLOY").write_text("--restart=on-failure:10\n--memory=1g\n")
    assert dokku("ps:set", "blog", "restart-policy", "unless-stopped") == (
        "=====> Setting restart-policy to unless-stopped\n",
        "",
        0,
    )
    assert (blog / "DOCKER_OPTIONS_DEPLOY").read_text() == "--memory=1g\n--restart=unless-stopped\n"
    assert dokku("ps:report", "blog", "--ps-restart-policy").out == "unless-stopped\n"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "No property specified"),
        (("restart-policy",), "Invalid restart-policy specified"),
        (("restart-policy", "sometimes"), "Invalid restart-policy specified"),
        (
            ("colour", "red"),
            "Invalid property specified, valid properties include: dockerfile-start-cmd, procfile-path, "
            "restart-policy, restore, skip-deploy, start-cmd, stop-timeout-seconds",
        ),
    ],
)
def test_a_bad_property_is_refused(dokku, blog, words, text):
    assert dokku("ps:set", "blog", *words) == refusal(text)


def test_stopping_stops_the_containers_and_keeps_them_registered(dokku, blog, deployed):
    assert dokku("ps:stop", "blog") == ("Stopping blog\n", "", 0)
    asked = deployed()
    assert f"container update --restart=no {ID}" in asked
    assert f"container stop -t 30 {ID}" in asked
    assert (blog / "CONTAINER.web.1").exists()
    assert dokku("config:get", "blog", "DOKKU_APP_RESTORE").out == "0\n"


def test_restoring_leaves_a_stopped_app_down(dokku, blog, deployed):
    """RBT-1"""
    dokku("config:set", "--no-restart", "blog", "DOKKU_APP_RESTORE=0")
    done = dokku("ps:restore", "blog")
    assert done.err == " !     Skipping ps:restore for blog as DOKKU_APP_RESTORE=0\n"
    assert done.code == 0
    assert not any(call.startswith("container start") for call in deployed())


def test_restoring_without_an_app_means_all(dokku, blog):
    done = dokku("ps:restore")
    assert done.err.splitlines() == [
        " !     Restore specified without app, assuming --all",
        " !     Running restore in serial mode",
        " !     App blog has not been deployed",
    ]
    assert done.code == 0


def test_retiring_is_done_by_one_process_at_a_time(dokku):
    assert dokku("ps:retire") == ("", "", 0)
    with (dokku.lib / "data/ps/retire").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert dokku("ps:retire") == refusal("Failed to acquire ps:retire lock", 137)


def test_retiring_removes_what_is_due_and_keeps_the_rest(dokku, blog):
    """LEAK-4"""
    asked = dokku.recorded("docker")
    dead = dokku.lib / "data/scheduler-docker-local/dead-containers"
    dead.parent.mkdir(parents=True)
    dead.write_text(f"blog {'d' * 64} 1\nblog {'e' * 64} 99999999999\n")
    assert dokku("ps:retire").code == 0
    assert dead.read_text() == f"blog {'e' * 64} 99999999999\n"
    assert ["container", "rm", "--force", "d" * 64] in asked()


def test_the_procfile_triggers_answer_plugins(dokku, blog):
    procfile = dokku.lib / "data/ps/blog/Procfile"
    procfile.write_text("web: node web.js --port $PORT\n")
    plugn = [str(TREE / "bin/plugn"), "trigger"]

    def ask(*words):
        return subprocess.run([*plugn, *words], env=dokku.environment, capture_output=True, text=True).stdout

    assert ask("procfile-get-command", "blog", "web", "5001") == "node web.js --port 5001\n"
    assert ask("procfile-get-command", "blog", "web") == "node web.js --port 5000\n"
    assert ask("procfile-get-command", "blog", "worker") == ""
    ask("procfile-remove", "blog")
    assert not procfile.exists()


def test_what_holds_for_all_apps_is_reported(dokku):
    dokku("ps:set", "--global", "stop-timeout-seconds", "20")
    assert dokku("ps:report", "--global", "--ps-stop-timeout-seconds") == ("20\n", "", 0)
    assert dokku("ps:report", "--global").out.startswith("=====> --global ps information\n")
