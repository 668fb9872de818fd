"""cron:* as a user calls them. The crontab is a file here; real ones: tests/tools and tests/system."""

import concurrent.futures
import json
import os
import shlex

import pytest

FOREIGN = "MAILTO=me@x\n17 4 * * * dokku letsencrypt:auto-renew >>/tmp/x 2>&1 # \xe9\n"
_CRONTAB = """#!/bin/sh
case "$1" in
-l) [ -e $TABLE ] || { echo "no crontab for $USER" >&2; exit 1; }; cat $TABLE ;;
-) cat >$TABLE.$$; echo >>$TABLE.calls; mv $TABLE.$$ $TABLE ;;
-r) rm $TABLE ;;
esac
"""
_DOCKER = """#!/bin/sh
case "$1 $2" in
"image inspect") echo '{"Id": "sha256:1", "Config": {}}' ;;
"container create") printf '%s\\n' "$@" >$NOTES; echo $ID ;;
"container start") echo ran; exit 7 ;;
esac
"""
ID = "a" * 64


@pytest.fixture
def table(dokku):
    """The crontab, a file."""
    path = dokku.bin / "table"
    dokku.program("crontab", _CRONTAB.replace("$TABLE", shlex.quote(str(path))))
    dokku.environment["DOKKU_PROGRAM"] = "/usr/bin/dokku"
    return path


def deploy(dokku, app, *tasks):
    """Let an app be one that was deployed with cron entries: pairs of a schedule and a command."""
    dokku.make_app(app)
    kept = dokku.lib / "data/app-json" / app / "app.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps({"cron": [{"schedule": when, "command": what} for when, what in tasks]}))
    (dokku.lib / "config/common" / app).mkdir(parents=True, exist_ok=True)
    (dokku.lib / "config/common" / app / "deployed").write_text("true")


def jobs(dokku, app):
    return json.loads(dokku("cron:list", app, "--format", "json").out)


def write(dokku):
    return dokku("cron:set", "--global", "maintenance", "false")


def test_tasks_are_listed_for_people_and_for_programs(dokku, table):
    deploy(dokku, "blog", ("0 3 * * *", "bin/report --all"))
    (job,) = jobs(dokku, "blog")
    assert dokku("cron:list", "blog") == (
        f"{'ID':27}Schedule   Command\n{job['id']}  0 3 * * *  bin/report --all\n",
        "",
        0,
    )
    assert (job["command"], job["schedule"], job["maintenance"]) == ("bin/report --all", "0 3 * * *", False)
    assert dokku("cron:list", "--all").out.splitlines()[1].startswith(f"blog  {job['id']}  ")


def test_an_app_without_tasks_has_a_list_without_rows(dokku, table):
    dokku.make_app("blog")
    assert dokku("cron:list", "blog").out == "ID  Schedule  Command\n"
    assert jobs(dokku, "blog") == []
    assert dokku("cron:report", "blog").out.splitlines() == [
        "=====> blog cron information",
        f"       {'Cron task count:':31}0",
    ]
    assert "       Cron task count:               0\n" in dokku("report", "blog").out


def test_what_apps_want_is_written_below_what_others_wrote(dokku, table):
    table.write_bytes(FOREIGN.encode("latin-1"))
    deploy(dokku, "blog", ("@daily", "bin/report"))
    (job,) = jobs(dokku, "blog")
    done = write(dokku)
    assert done == ("=====> Setting maintenance to false\n-----> Updated schedule file\n", "", 0)
    written = table.read_bytes()
    assert written.startswith(FOREIGN.encode("latin-1"))
    assert (
        f"\n# blog: bin/report\n@daily /usr/bin/dokku --quiet cron:run blog {job['id']}\n".encode() in written
    )
    assert written.count(b"report") == 1
    assert write(dokku).out == "=====> Setting maintenance to false\n"
    assert (dokku.bin / "table.calls").read_text() == "\n"


def test_a_task_is_suspended_and_resumed(dokku, table):
    deploy(dokku, "blog", ("@daily", "a"), ("@hourly", "b"))
    first, second = (job["id"] for job in jobs(dokku, "blog"))
    assert dokku("cron:suspend", "blog", first).out.splitlines() == [
        f"-----> Suspended cron task {first} of blog",
        "-----> Updated schedule file",
    ]
    assert (first in table.read_text(), second in table.read_text()) == (False, True)
    assert [job["maintenance"] for job in jobs(dokku, "blog")] == [True, False]
    assert dokku("cron:list", "blog").err == f" !     {first} of blog is suspended\n"
    assert dokku("--quiet", "cron:resume", "blog", first) == ("", "", 0)
    assert first in table.read_text()


def test_a_task_runs_with_its_own_output_and_status(dokku, table):
    deploy(dokku, "blog", ("@daily", "bin/report '$(id)' \"a b\""))
    notes = dokku.bin / "notes"
    dokku.program("docker", _DOCKER.replace("$NOTES", shlex.quote(str(notes))).replace("$ID", ID))
    (job,) = jobs(dokku, "blog")
    assert dokku("--quiet", "cron:run", "blog", job["id"]) == ("ran\n", "", 7)
    words = notes.read_text().splitlines()
    assert words[words.index("--") + 2 :] == ["bin/report", "$(id)", "a b"]
    assert f"--label=com.dokku.cron-id={job['id']}" in words


@pytest.mark.parametrize("flag", ["--detach", "--ttl-seconds=60"])
def test_a_task_can_be_run_as_run_runs_it(dokku, table, flag):
    deploy(dokku, "blog", ("@daily", "true"))
    notes = dokku.bin / "notes"
    script = _DOCKER.replace("$NOTES", shlex.quote(str(notes))).replace("$ID", ID).replace("exit 7", "exit 0")
    dokku.program("docker", script)
    done = dokku("cron:run", "blog", jobs(dokku, "blog")[0]["id"], flag)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("blog.run.") == (flag == "--detach")
    assert ("--label=com.dokku.active-deadline-seconds=60" in notes.read_text()) == (flag != "--detach")


def test_a_task_that_must_not_run_twice_is_not_started_while_another_call_attends_it(dokku, table):
    deploy(dokku, "blog", ("@daily", "true"))
    kept = dokku.lib / "data/app-json/blog/app.json"
    kept.write_text('{"cron": [{"schedule": "@daily", "command": "a", "concurrency_policy": "forbid"}]}')
    started, ended = (dokku.bin / name for name in ("started", "ended"))
    os.mkfifo(started)
    os.mkfifo(ended)
    waits = f"echo ran >{shlex.quote(str(started))}; read line <{shlex.quote(str(ended))}; exit 0"
    script = _DOCKER.replace("$NOTES", "/dev/null").replace("$ID", ID)
    dokku.program("docker", script.replace("echo ran; exit 7", waits))
    id_ = jobs(dokku, "blog")[0]["id"]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        first = pool.submit(dokku, "cron:run", "blog", id_)
        assert started.read_text() == "ran\n"
        second = dokku("cron:run", "blog", id_)
        ended.write_text("go on\n")
    assert first.result().code == 0
    text = f"Cron task {id_} of blog is running, and its concurrency policy is forbid"
    assert second == ("", f" !     {text}\n", 1)


def test_an_app_that_goes_takes_its_tasks_along_and_one_renamed_keeps_its_suspended(dokku, table):
    table.write_bytes(FOREIGN.encode("latin-1"))
    deploy(dokku, "blog", ("@daily", "a"), ("@hourly", "b"))
    id_ = jobs(dokku, "blog")[0]["id"]
    assert dokku("cron:suspend", "blog", id_).code == 0
    assert dokku("apps:rename", "--skip-deploy", "blog", "shop").code == 0
    assert [job["maintenance"] for job in jobs(dokku, "shop")] == [True, False]
    assert table.read_bytes() == FOREIGN.encode("latin-1")
    assert dokku("--force", "apps:destroy", "shop").code == 0
    assert not (dokku.lib / "config/cron/shop").exists()
    assert not (dokku.lib / "data/cron/shop").exists()


def test_fifty_changes_at_a_time_lose_nothing(dokku, table):
    """LCK-7, PAR-7"""
    table.write_bytes(FOREIGN.encode("latin-1"))
    deploy(dokku, "blog", *((f"{minute} * * * *", "task") for minute in range(50)))
    assert write(dokku).code == 0
    ids = [job["id"] for job in jobs(dokku, "blog")]
    assert all(id_ in table.read_text("latin-1") for id_ in ids)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        done = list(pool.map(lambda id_: dokku("cron:suspend", "blog", id_), ids[1:]))
    assert {one.code for one in done} == {0}
    written = table.read_text("latin-1")
    assert [id_ for id_ in ids if id_ in written] == ids[:1]
    assert written.startswith(FOREIGN)


def test_plugins_have_entries_of_their_own(dokku, table):
    plugin = dokku.plugin("letsencrypt", cron_entries='#!/bin/sh\n[ "$1" = docker-local ] && cat "$0.said"\n')
    (plugin / "cron-entries.said").write_text("@daily;/bin/true\n0 1 * * *;/bin/renew;/var/log/renew.log\n")
    assert dokku("cron:set", "--global", "mailto", "").code == 0
    lines = table.read_text().splitlines()
    assert {"@daily /bin/true", "0 1 * * * /bin/renew &>> /var/log/renew.log", "SHELL=/bin/bash"} <= set(
        lines
    )
    assert [
        entry["command"] for entry in json.loads(dokku("cron:list", "--global", "--format=json").out)
    ] == [
        "/bin/true",
        "/bin/renew",
    ]
    (plugin / "cron-entries.said").write_text("@daily;/bin/true;a;b\n@hourly;/bin/false\n")
    done = dokku("cron:set", "--global", "mailto", "")
    assert (done.err, done.code) == (" !     Invalid injected cron task: @daily;/bin/true;a;b\n", 0)
    assert "@hourly /bin/false\n" in table.read_text()
    assert "/bin/true" not in table.read_text()


@pytest.mark.parametrize(
    ("words", "text", "code"),
    [
        (["list"], "Please specify an app to run the command on", 1),
        (["list", "nope"], "App nope does not exist", 20),
        (["list", "blog", "--format", "xml"], "Invalid output format specified", 1),
        (["run", "blog"], "Please specify a Cron ID from the output of 'dokku cron:list blog'", 1),
        (["run", "blog", "x"], "No matching Cron ID found.", 1),
        (["suspend", "blog", "../x"], "No matching Cron ID found.", 1),
        (["resume", "nope", "x"], "App nope does not exist", 20),
        (["set", "blog"], "No property specified", 1),
        (["set", "blog", "mailto", "a b"], "Invalid mailto specified", 1),
        (["set", "nope", "mailto", "a@b"], "App nope does not exist", 20),
        (["report", "blog", "--cron-x"], "Invalid flag passed", 1),
    ],
)
def test_a_bad_call_is_refused_in_one_line(dokku, table, words, text, code):
    dokku.make_app("blog")
    done = dokku(f"cron:{words[0]}", *words[1:])
    assert (done.out, done.code) == ("", code)
    assert done.err.startswith(f" !     {text}")
    assert done.err.count("\n") == 1
    assert not table.exists()


def test_without_tasks_nobody_needs_a_crontab(dokku):
    dokku.program("crontab", "#!/bin/sh\nexit 99\n")
    dokku.make_app("blog")
    assert dokku("cron:set", "blog", "mailto", "a@b").code == 0
    assert dokku("--force", "apps:destroy", "blog").code == 0


def test_a_crontab_that_cannot_be_read_is_left_alone(dokku, table):
    deploy(dokku, "blog", ("@daily", "a"))
    dokku.program("crontab", "#!/bin/sh\n[ $1 = -l ] || touch $0.written\necho 'not allowed' >&2\nexit 1\n")
    done = write(dokku)
    assert (done.err, done.code) == (" !     crontab -l failed: not allowed\n", 1)
    assert not (dokku.bin / "crontab.written").exists()


def test_help_names_the_commands(dokku):
    told = dokku("cron:help").out
    assert all(f"cron:{name}" in told for name in ("list", "report", "resume", "run", "set", "suspend"))
