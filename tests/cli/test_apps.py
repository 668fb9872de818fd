"""apps:* as a user meets it: every command's output, errors and status."""

import json
import os
import re

import pytest

from tests.cli.conftest import Dokku

NO_APP = " !     Please specify an app to run the command on\n"
BEGIN = " !     App name must begin with lowercase alphanumeric character, and"
MISSING = " !     App nope does not exist\n"
NONE = " !     You haven't deployed any applications yet\n"
FORCE = " !     Without a terminal, give --force\n"
TAKEN = " !     Name is already taken\n"
LOCKED = " !     blog currently has a deploy lock in place. Exiting...\n"


# --- create, exists, list -------------------------------------------------------------------------------


def test_creating_makes_a_directory_with_a_bare_repository_and_a_hook(dokku: Dokku) -> None:
    assert dokku("apps:create", "blog") == ("-----> Creating blog...\n", "", 0)
    app = dokku.root / "blog"
    assert app.stat().st_mode & 0o777 == 0o711
    assert (app / "HEAD").read_text() == "ref: refs/heads/master\n"
    assert (app / "hooks/pre-receive").read_text().endswith('git-hook "blog"\n')
    assert os.access(app / "hooks/pre-receive", os.X_OK)
    assert (dokku.lib / "config/network/blog/bind-all-interfaces").read_text() == "false"
    assert (dokku.lib / "config/apps/blog/created-at").read_text().isdigit()


@pytest.mark.parametrize("words", [("--quiet", "apps:create", "blog"), ("apps:create", "--quiet", "blog")])
def test_creating_can_be_quiet(dokku: Dokku, words: tuple[str, ...]) -> None:
    assert dokku(*words) == ("", "", 0)


@pytest.mark.parametrize("words", [("--app", "blog", "apps:create"), ("apps:create", "--app", "blog")])
def test_the_app_may_come_as_a_flag(dokku: Dokku, words: tuple[str, ...]) -> None:
    assert dokku(*words).code == 0
    assert (dokku.root / "blog").is_dir()


@pytest.mark.parametrize("name", ["1994testapp", "a", "a.b", "a-b.c", "x" * 128])
def test_these_are_names(dokku: Dokku, name: str) -> None:
    """NAME-1"""
    assert dokku("apps:create", name) == (f"-----> Creating {name}...\n", "", 0)
    assert dokku("apps:exists", name) == ("", "", 0)


OLD_RULE = f"{BEGIN} cannot include uppercase characters, colons, or underscores\n"
NEW_RULE = f"{BEGIN} may only contain lowercase alphanumerics, dots, and hyphens\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(
            (name, OLD_RULE)
            for name in ("testApp", "TestApp", "testapp:latest", "test_app", ".a", "_", "é", "/x")
        ),
        *(
            (name, NEW_RULE)
            for name in ("test/app", "a;b", "a$b", "a`b", "a b", "a|b", "a&b", "a/../b", "a\nb")
        ),
        *(
            (name, NEW_RULE)
            for name in ("a'b", 'a"b', "a\\b", "a*", "x" * 129, "a..b", "a.", "a-", "a.-b", "tls")
        ),
        *((name, NEW_RULE) for name in ("dokkurc", "aé", "a\x1bx")),
    ],
)
def test_these_are_no_names_and_nothing_is_made(dokku: Dokku, name: str, text: str) -> None:
    """NAME-1"""
    assert dokku("apps:create", name) == ("", text, 1)
    assert os.listdir(dokku.root) == []
    assert not (dokku.lib / "config").exists()


def test_a_name_has_to_be_given(dokku: Dokku) -> None:
    """NAME-1"""
    for command in ("create", "exists", "destroy", "lock", "locked", "unlock", "clone", "rename"):
        assert dokku(f"apps:{command}") == ("", NO_APP, 1)


def test_a_name_can_be_taken_once(dokku: Dokku) -> None:
    dokku.make_app("blog")
    again = dokku("apps:create", "blog")
    assert (again.err, again.code) == (TAKEN, 1)


def test_an_app_of_an_old_release_keeps_working(dokku: Dokku) -> None:
    """NAME-2"""
    (dokku.root / "old_app").mkdir()
    assert dokku("apps:exists", "old_app") == ("", "", 0)
    assert dokku("apps:list").out == "=====> My Apps\nold_app\n"
    assert dokku("--force", "apps:destroy", "old_app").code == 0
    assert not (dokku.root / "old_app").exists()


def test_existence_is_told_by_the_status(dokku: Dokku) -> None:
    """NAME-2"""
    dokku.make_app("blog")
    assert dokku("apps:exists", "blog") == ("", "", 0)
    assert dokku("apps:exists", "nope") == ("", MISSING, 20)
    assert dokku("--quiet", "apps:exists", "nope") == ("", MISSING, 20)


def test_a_file_is_no_app(dokku: Dokku) -> None:
    """NAME-2"""
    (dokku.root / "nope").write_text("")
    assert dokku("apps:exists", "nope") == ("", MISSING, 20)
    assert dokku("apps:list") == ("", NONE, 0)


def test_apps_are_listed_under_a_heading_in_order(dokku: Dokku) -> None:
    for name in ("zebra", "blog", "10"):
        dokku.make_app(name)
    (dokku.root / ".ssh").mkdir()
    (dokku.root / "Upper").mkdir()
    assert dokku("apps:list") == ("=====> My Apps\n10\nblog\nzebra\n", "", 0)
    assert dokku("--quiet", "apps:list") == ("10\nblog\nzebra\n", "", 0)
    assert json.loads(dokku("apps:list", "--format", "json").out) == ["10", "blog", "zebra"]


def test_no_apps_are_no_failure(dokku: Dokku) -> None:
    assert dokku("apps:list") == ("", NONE, 0)
    assert dokku("apps:report") == ("", NONE, 0)
    assert dokku("apps:list", "--format=json") == ("[]\n", "", 0)


# --- destroy --------------------------------------------------------------------------------------------

WARNING = (
    " !     WARNING: Potentially Destructive Action\n"
    " !     This command will destroy app blog.\n"
    ' !     To proceed, type "blog"\n'
)


@pytest.mark.parametrize("answer", ["blog", "blog\n", "  blog \n"])
def test_destroying_wants_the_name_on_stdin(dokku: Dokku, answer: str) -> None:
    dokku.make_app("blog")
    done = dokku("apps:destroy", "blog", input=answer)
    assert done.err == WARNING
    assert done.out.startswith("> -----> Destroying blog (including all add-ons)\n")
    assert done.code == 0
    assert not (dokku.root / "blog").exists()
    assert not list(dokku.lib.glob("config/*/blog"))
    assert not list(dokku.lib.glob("data/*/blog"))


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("blag\n", "Confirmation did not match test. Aborted.\n"),
        ("yes\n", "Confirmation did not match test. Aborted.\n"),
        ("blog blog\n", "Confirmation did not match test. Aborted.\n"),
        ("\n", f" !     unexpected newline\n{FORCE}"),
        ("", f" !     EOF\n{FORCE}"),
        (None, f" !     EOF\n{FORCE}"),
    ],
)
def test_any_other_answer_keeps_the_app(dokku: Dokku, answer: str | None, text: str) -> None:
    dokku.make_app("blog")
    assert dokku("apps:destroy", "blog", input=answer) == ("> ", WARNING + text, 1)
    assert (dokku.root / "blog/HEAD").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--force", "apps:destroy", "blog"),
        ("apps:destroy", "--force", "blog"),
        ("apps:destroy", "blog", "--force"),
    ],
)
def test_force_asks_nothing(dokku: Dokku, words: tuple[str, ...]) -> None:
    dokku.make_app("blog")
    done = dokku(*words)
    assert (done.err, done.code) == ("", 0)
    assert done.out.startswith("-----> Destroying blog (including all add-ons)\n")
    assert os.listdir(dokku.root) == []


@pytest.mark.parametrize(
    ("typed", "said", "code"),
    [
        ("blog\n", "Destroying blog (including all add-ons)", 0),
        ("blag\n", "Confirmation did not match test. Aborted.", 1),
        ("\n", "unexpected newline", 1),
        ("\x04", "EOF", 1),
    ],
)
def test_at_a_terminal_the_same_is_asked_and_answered(dokku: Dokku, typed: str, said: str, code: int) -> None:
    dokku.make_app("blog")
    done = dokku.pty("apps:destroy", "blog", input=typed)
    assert WARNING + "> " in done.out
    assert said in done.out
    assert done.code == code
    assert (dokku.root / "blog").exists() is (code != 0)


def test_destroying_removes_the_apps_containers_and_images_and_no_others(dokku: Dokku) -> None:
    """DKR-5, LEAK-5"""
    dokku.make_app("blog")
    calls = dokku.recorded("docker")
    assert dokku("--force", "apps:destroy", "blog").code == 0
    asked = [" ".join(call) for call in calls()]
    assert "container ls --quiet --no-trunc --all --filter=label=com.dokku.app-name=blog" in asked
    assert "image ls --quiet --no-trunc --filter=label=com.dokku.app-name=blog" in asked
    assert all("blog" in line for line in asked if " ls " in line)


def test_what_does_not_exist_is_not_destroyed(dokku: Dokku) -> None:
    assert dokku("apps:destroy", "nope", input="nope") == ("", MISSING, 20)
    assert dokku("--force", "apps:destroy", "nope") == ("", MISSING, 20)


def test_a_link_to_an_app_elsewhere_goes_and_its_target_stays(dokku: Dokku) -> None:
    elsewhere = dokku.lib / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "keep").write_text("x")
    (dokku.root / "linked").symlink_to(elsewhere)
    assert dokku("--force", "apps:destroy", "linked").code == 0
    assert os.listdir(dokku.root) == []
    assert (elsewhere / "keep").exists()


def test_destroying_tells_plugins_in_order_and_a_refusal_keeps_the_app(dokku: Dokku) -> None:
    dokku.make_app("blog")
    note = f'#!/bin/sh\necho "$(basename "$0") $*" >>{dokku.log}/heard\n'
    dokku.plugin("watch", pre_delete=note, post_delete=note, scheduler_stop=note, scheduler_post_delete=note)
    dokku.plugin("zguard", pre_delete="#!/bin/sh\necho no >&2\nexit 7\n")
    refused = dokku("--force", "apps:destroy", "blog")
    assert (refused.err, refused.code) == ("no\n", 7)
    assert (dokku.root / "blog/HEAD").exists()
    dokku.plugin("zguard", pre_delete="#!/bin/sh\n")
    assert dokku("--force", "apps:destroy", "blog").code == 0
    assert (dokku.log / "heard").read_text().splitlines() == [
        "pre-delete blog latest",
        "pre-delete blog latest",
        "scheduler-stop docker-local blog true",
        "scheduler-post-delete docker-local blog latest",
        "post-delete blog latest",
    ]


# --- locks ----------------------------------------------------------------------------------------------


def test_a_lock_is_made_told_and_taken_away(dokku: Dokku) -> None:
    """LCK-5"""
    dokku.make_app("blog")
    assert dokku("apps:locked", "blog") == ("", " !     Deploy lock does not exist\n", 1)
    assert dokku("apps:lock", "blog") == ("-----> Deploy lock created\n", "", 0)
    assert dokku("apps:lock", "blog") == ("-----> Deploy lock created\n", "", 0)
    assert dokku("apps:locked", "blog") == ("Deploy lock exists\n", "", 0)
    assert dokku("--quiet", "apps:locked", "blog") == ("", "", 0)
    assert "true" in dokku("apps:report", "blog", "--app-locked").out
    assert dokku("apps:unlock", "blog") == ("-----> Deploy lock removed\n", "", 0)
    assert dokku("apps:unlock", "blog") == ("", " !     Unable to remove deploy lock\n", 1)
    assert dokku("apps:locked", "blog").code == 1


@pytest.mark.parametrize("words", [("--force", "apps:destroy", "blog"), ("apps:rename", "blog", "other")])
def test_a_lock_keeps_an_app_where_it_is(dokku: Dokku, words: tuple[str, ...]) -> None:
    """LCK-9"""
    dokku.make_app("blog")
    dokku("apps:lock", "blog", env={"NAME": "jane"})
    refused = dokku(*words)
    assert refused.code == 1
    first, who, how = refused.err.splitlines()
    assert first + "\n" == LOCKED
    assert re.fullmatch(r" !     Held by jane \(apps:lock\) since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", who)
    assert how == " !     Run 'apps:unlock' to release the existing deploy lock"
    assert os.listdir(dokku.root) == ["blog"]


# --- report ---------------------------------------------------------------------------------------------


def test_the_report_has_dokkus_rows_in_order(dokku: Dokku) -> None:
    app = dokku.make_app("blog")
    assert dokku("apps:report", "blog") == (
        "=====> blog app information\n"
        "       App deploy source:             \n"
        f"       App dir:                       {app}\n"
        "       App locked:                    false\n",
        "",
        0,
    )


def test_a_report_on_all_apps_is_one_after_another(dokku: Dokku) -> None:
    dokku.make_app("zebra")
    dokku.make_app("blog")
    heads = [line for line in dokku("apps:report").out.splitlines() if line.startswith("=")]
    assert heads == ["=====> blog app information", "=====> zebra app information"]
    assert not dokku("--quiet", "apps:report").out.startswith("=")


def test_one_value_is_told_by_its_flag_before_or_after_the_app(dokku: Dokku) -> None:
    app = dokku.make_app("blog")
    for words in (("blog", "--app-dir"), ("--app-dir", "blog"), ("--app-dir",)):
        assert dokku("apps:report", *words) == (f"{app}\n", "", 0)
    assert dokku("apps:report", "blog", "--app-deploy-source") == ("\n", "", 0)
    assert dokku("apps:report", "blog", "--app-created-at").out.strip().isdigit()


@pytest.mark.parametrize(
    "words", [("--format", "json", "blog"), ("blog", "--format=json"), ("--format=json",)]
)
def test_a_report_can_be_json_with_keys_of_both_kinds(dokku: Dokku, words: tuple[str, ...]) -> None:
    app = dokku.make_app("blog")
    told = json.loads(dokku("apps:report", *words).out)
    assert told["app-dir"] == told["dir"] == str(app)
    assert told["app-locked"] == told["locked"] == "false"
    assert told["created-at"].isdigit()
    assert all(isinstance(value, str) for value in told.values())


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            ("blog", "--nope"),
            " !     Invalid flag passed, valid flags: --app-created-at, --app-deploy-source,"
            " --app-deploy-source-metadata, --app-dir, --app-locked\n",
        ),
        (
            ("blog", "--format", "xml"),
            " !     Invalid output format specified, supported formats: json, stdout: xml\n",
        ),
        (
            ("blog", "--app-dir", "--format", "json"),
            " !     --format flag cannot be specified when specifying an info flag\n",
        ),
        (("blog", "--app-dir", "--app-locked"), " !     app:report command allows only a single flag\n"),
    ],
)
def test_a_bad_question_is_refused(dokku: Dokku, words: tuple[str, ...], text: str) -> None:
    dokku.make_app("blog")
    assert dokku("apps:report", *words) == ("", text, 1)


def test_a_report_on_no_app_is_refused(dokku: Dokku) -> None:
    assert dokku("apps:report", "nope") == ("", MISSING, 20)
    assert dokku("apps:report", "Nope") == ("", OLD_RULE, 1)


# --- clone, rename --------------------------------------------------------------------------------------


def equip(dokku: Dokku) -> None:
    """An app with a setting of each kind that goes along, and of each that does not."""
    app = dokku.make_app("blog")
    assert dokku("config:set", "--no-restart", "blog", "A=1").code == 0
    assert dokku("git:set", "blog", "deploy-branch", "main").code == 0
    (app / "DOCKER_OPTIONS_RUN").write_text("--cpus 1\n")
    (app / "tls").mkdir()
    (app / "tls/server.key").write_text("secret")
    (app / "CONTAINER.web.1").write_text("a" * 64)
    (app / "URLS").write_text("http://blog.test\n")


def clone_of(dokku: Dokku, name: str = "copy") -> dict[str, str]:
    return {
        "config": dokku("config:export", name, "--format", "json").out,
        "branch": dokku("git:report", name, "--git-deploy-branch").out,
        "options": (dokku.root / name / "DOCKER_OPTIONS_RUN").read_text(),
        "hook": (dokku.root / name / "hooks/pre-receive").read_text().splitlines()[-1][-len(name) - 11 :],
    }


@pytest.mark.parametrize("flag", [("--skip-deploy",), ()])
def test_a_clone_has_code_and_settings_and_no_domains(dokku: Dokku, flag: tuple[str, ...]) -> None:
    equip(dokku)
    done = dokku("apps:clone", *flag, "blog", "copy")
    assert done.out.startswith("-----> Cloning blog to copy\n-----> Creating copy...\n")
    assert (done.err, done.code) == ("", 0)
    assert clone_of(dokku) == {
        "config": '{"A":"1"}\n',
        "branch": "main\n",
        "options": "--cpus 1\n",
        "hook": 'git-hook "copy"',
    }
    there = set(os.listdir(dokku.root / "copy"))
    assert not there & {"tls", "URLS", "VHOST", "CONTAINER.web.1", "nginx.conf", ".deploy.lock"}
    assert (dokku.root / "blog/tls/server.key").read_text() == "secret"


@pytest.mark.parametrize(
    "words",
    [
        ("apps:clone", "blog", "copy", "--skip-deploy", "--ignore-existing"),
        ("apps:clone", "--ignore-existing", "blog", "--skip-deploy", "copy"),
    ],
)
def test_a_clone_over_an_app_that_exists_may_be_asked_for(dokku: Dokku, words: tuple[str, ...]) -> None:
    dokku.make_app("blog")
    dokku.make_app("copy")
    assert dokku(*words) == ("", TAKEN, 0)


def test_renaming_moves_everything(dokku: Dokku) -> None:
    equip(dokku)
    done = dokku("apps:rename", "--skip-deploy", "blog", "copy")
    assert done.out.startswith("-----> Renaming blog to copy\n-----> Creating copy...\n")
    assert "-----> Destroying blog (including all add-ons)\n" in done.out
    assert (done.err, done.code) == ("", 0)
    assert os.listdir(dokku.root) == ["copy"]
    assert (dokku.root / "copy/tls/server.key").read_text() == "secret"
    assert clone_of(dokku)["config"] == '{"A":"1"}\n'
    assert clone_of(dokku)["hook"] == 'git-hook "copy"'
    assert not list(dokku.lib.glob("config/*/blog"))


@pytest.mark.parametrize("command", ["apps:clone", "apps:rename"])
@pytest.mark.parametrize(
    ("words", "text", "code"),
    [
        (("nope", "copy"), MISSING, 20),
        (("Nope", "copy"), OLD_RULE, 1),
        (("blog", ""), " !     Please specify an new app name\n", 1),
        (("blog",), " !     Please specify an new app name\n", 1),
        (("blog", "Copy"), OLD_RULE, 1),
        (("blog", "a;b"), NEW_RULE, 1),
        (("blog", "other"), TAKEN, 1),
        (("blog", "blog"), TAKEN, 1),
    ],
)
def test_names_are_judged_before_anything_is_made(
    dokku: Dokku, command: str, words: tuple[str, ...], text: str, code: int
) -> None:
    dokku.make_app("blog")
    dokku.make_app("other")
    assert dokku(command, *words) == ("", text, code)
    assert sorted(os.listdir(dokku.root)) == ["blog", "other"]


@pytest.mark.parametrize("command", ["clone", "rename"])
def test_a_copy_that_fails_half_way_leaves_the_old_app_and_no_new_one(dokku: Dokku, command: str) -> None:
    """CRS-7"""
    equip(dokku)
    hook = f"post_app_{command}_setup"
    dokku.plugin("zz", **{hook: "#!/bin/sh\necho 'no luck' >&2\nexit 5\n"})
    said = dokku(f"apps:{command}", "--skip-deploy", "blog", "copy")
    assert (said.err, said.code) == ("no luck\n", 5)
    assert "Destroying" not in said.out
    assert os.listdir(dokku.root) == ["blog"]
    assert not list(dokku.lib.glob("*/*/copy"))
    assert (dokku.root / "blog/tls/server.key").exists()
    dokku.plugin("zz", **{hook: "#!/bin/sh\n"})
    assert dokku(f"apps:{command}", "--skip-deploy", "blog", "copy").code == 0


# --- the rest -------------------------------------------------------------------------------------------


def test_the_help_names_every_command(dokku: Dokku) -> None:
    for words in (("apps",), ("apps:help",)):
        said = dokku(*words)
        assert (said.err, said.code) == ("", 0)
        for usage in (
            *("apps:create <app>", "apps:destroy [--force] <app>", "apps:exists <app>", "apps:list"),
            *("apps:lock <app>", "apps:locked <app>", "apps:unlock <app>", "apps:report"),
            *("apps:clone [--skip-deploy] [--ignore-existing] <old-app> <new-app>",),
            *("apps:rename [--skip-deploy] <old-app> <new-app>",),
        ):
            assert f"    {usage}" in said.out


def test_a_command_of_no_name_is_told_apart(dokku: Dokku) -> None:
    said = dokku("apps:nope")
    assert said.code == 1
    assert "is not a dokku command" in said.err


def test_an_unknown_flag_is_refused_before_anything_happens(dokku: Dokku) -> None:
    assert dokku("apps:create", "--nope", "blog").code != 0
    assert os.listdir(dokku.root) == []


def test_reading_starts_no_program(dokku: Dokku) -> None:
    dokku.make_app("blog")
    calls = [dokku.recorded(name) for name in ("docker", "git", "nginx", "sudo")]
    for words in (("apps:exists", "blog"), ("apps:list",), ("apps:report", "blog"), ("apps:locked", "blog")):
        dokku(*words)
    assert [call() for call in calls] == [[], [], [], []]


def test_over_ssh_the_same_is_said(dokku: Dokku) -> None:
    dokku.make_app("blog")
    assert dokku.ssh("apps:exists nope") == ("", MISSING, 20)
    assert dokku.ssh("--force apps:destroy blog").code == 0
    assert os.listdir(dokku.root) == []


def test_a_taken_name_is_all_that_is_said(dokku: Dokku) -> None:
    dokku.make_app("blog")
    assert dokku("apps:create", "blog") == ("", TAKEN, 1)
