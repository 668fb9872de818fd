"""One command line, whichever way it came: global flags, --app, ssh's one string, and who is asked first."""

import os
import subprocess
from pathlib import Path

import pytest

from commands import _line
from tests.cli.conftest import TREE, Dokku


@pytest.mark.parametrize(
    "words",
    [
        ("--quiet", "apps:list"),
        ("apps:list", "--quiet"),
        ("--quiet", "--trace", "apps:list"),
        ("--", "--quiet", "apps:list"),
    ],
)
def test_quiet_stands_anywhere(dokku: Dokku, words: tuple[str, ...]) -> None:
    dokku.make_app("blog")
    assert dokku(*words).out == "blog\n"


def test_headings_are_there_without_quiet_also_without_a_terminal(dokku: Dokku) -> None:
    dokku.make_app("blog")
    assert dokku("apps:list").out == "=====> My Apps\nblog\n"


@pytest.mark.parametrize(
    "words",
    [
        ("--force", "apps:destroy", "blog"),
        ("apps:destroy", "--force", "blog"),
        ("apps:destroy", "blog", "--force"),
    ],
)
def test_force_stands_anywhere(dokku: Dokku, words: tuple[str, ...]) -> None:
    dokku.make_app("blog")
    assert dokku(*words).code == 0
    assert not (dokku.root / "blog").exists()


@pytest.mark.parametrize("flag", ["--rm", "--rm-container", "--detach"])
def test_flags_of_old_releases_are_taken_anywhere(dokku: Dokku, flag: str) -> None:
    dokku.make_app("blog")
    for words in (
        (flag, "apps:exists", "blog"),
        ("apps:exists", flag, "blog"),
        ("apps:exists", "blog", flag),
    ):
        assert dokku(*words) == ("", "", 0)


def test_a_password_like_a_flag_is_none_that_programs_see(dokku: Dokku) -> None:
    seen = _line.understood(["--quiet", "git:auth", "example.com", "joe", "--hunter2"]).variables
    assert not any("hunter2" in value for value in seen.values())
    assert seen["DOKKU_GLOBAL_FLAGS"] == "--quiet"


def test_unknown_flags_before_the_command_are_dropped(dokku: Dokku) -> None:
    assert dokku("--no-such-flag", "version").out == dokku("version").out


def test_unknown_flags_after_the_command_are_usage_errors(dokku: Dokku) -> None:
    answer = dokku("apps:exists", "--no-such-flag", "blog")
    assert (answer.out, answer.err, answer.code) == ("", " !     unknown flag: --no-such-flag\n", 2)


def test_a_flag_without_its_value_is_a_usage_error(dokku: Dokku) -> None:
    answer = dokku("ps:restart", "--all", "--parallel")
    assert (answer.err, answer.code) == (" !     flag needs an argument: --parallel\n", 2)


def test_a_number_that_is_none_is_a_usage_error(dokku: Dokku) -> None:
    answer = dokku("ps:restart", "--all", "--parallel", "x")
    assert answer.code == 2
    assert answer.err.startswith(" !     invalid argument")
    assert '"--parallel" flag' in answer.err


def test_trace_tells_what_is_run_and_no_secrets(dokku: Dokku) -> None:
    """SEC-5"""
    answer = dokku("--trace", "apps:create", "blog")
    assert answer.code == 0
    assert " ?     git init " in answer.err
    answer = dokku("--trace", "config:set", "blog", "PASSWORD=hunter2")
    assert "hunter2" not in answer.err + answer.out


@pytest.mark.parametrize("words", [("--app", "blog", "apps:exists"), ("apps:exists", "--app", "blog")])
def test_the_app_of_a_flag_is_the_first_argument(dokku: Dokku, words: tuple[str, ...]) -> None:
    assert dokku(*words).err == " !     App blog does not exist\n"
    dokku.make_app("blog")
    assert dokku(*words) == ("", "", 0)


def test_the_app_of_a_flag_stands_before_other_arguments(dokku: Dokku) -> None:
    dokku.make_app("blog")
    assert dokku("--app", "blog", "config:set", "--no-restart", "KEY=value").code == 0
    assert dokku("--app", "blog", "config:get", "KEY").out == "value\n"


def test_the_app_can_come_from_the_environment(dokku: Dokku) -> None:
    dokku.make_app("blog")
    assert dokku("apps:exists", env={"DOKKU_APP_NAME": "blog"}).code == 0


def test_plugins_read_the_app_from_the_environment_and_keep_their_words(dokku: Dokku) -> None:
    directory = dokku.plugin("hello")
    (directory / "subcommands").mkdir()
    script = directory / "subcommands/greet"
    script.write_text('#!/bin/sh\necho "$*|$DOKKU_APP_NAME"\n')
    script.chmod(0o755)
    assert dokku("--app", "blog", "hello:greet", "you").out == "hello:greet you|blog\n"


@pytest.mark.parametrize(
    "words", [("nope",), ("apps:",), ("apps:nope", "blog"), ("no:such", "x y"), ("App:create",), ("../x",)]
)
def test_an_unknown_command_is_named_with_its_words(dokku: Dokku, words: tuple[str, ...]) -> None:
    answer = dokku(*words)
    assert answer.out == ""
    assert answer.err == (
        f" !     `{' '.join(words)}` is not a dokku command.\n"
        " !     See `dokku help` for a list of available commands.\n"
    )
    assert answer.code == 1


def test_a_plugins_commands_file_answers_what_nobody_else_does(dokku: Dokku) -> None:
    dokku.plugin("one", commands="#!/bin/sh\nexit 10\n")
    dokku.plugin("two", commands='#!/bin/sh\n[ "$1" = greet ] || exit 10\necho "hello $2"\nexit 7\n')
    assert dokku("greet", "you") == ("hello you\n", "", 7)
    assert dokku("nope").code == 1


def test_programs_have_the_callers_terminal(dokku: Dokku) -> None:
    dokku.plugin("hello", commands="#!/bin/sh\n[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo yes\n")
    assert dokku.pty("greet") == ("yes\n", "", 0)


@pytest.mark.parametrize("name", ["apps", "git", "ps", "ssh-keys", "config"])
def test_a_namespace_and_its_help_are_one(dokku: Dokku, name: str) -> None:
    answer = dokku(f"{name}:help")
    assert (answer.err, answer.code) == ("", 0)
    assert answer.out.startswith(f"Usage: dokku {name}[:COMMAND]\n\n")
    assert "\n\nAdditional commands:\n    " in answer.out
    if name != "config":  # which is a command itself
        assert dokku(name) == answer


def test_without_a_command_there_is_help(dokku: Dokku) -> None:
    assert dokku() == dokku("help")
    assert dokku().code == 0
    for line in ("    apps  ", "    git  ", "    ps  "):
        assert line in dokku().out


def test_the_heading_of_the_help_is_for_terminals(dokku: Dokku) -> None:
    assert "Usage: dokku [--quiet|" in dokku.pty("help").out
    assert "Usage: dokku [--quiet|" not in dokku("help").out


@pytest.mark.parametrize(
    ("original", "value"),
    [
        ("config:set blog 'KEY=x y'", "x y"),
        ('config:set blog "KEY=it\'s"', "it's"),
        (r"config:set blog KEY=\ x", " x"),
        ("config:set blog KEY=''", ""),
        ("config:set blog KEY=-n", "-n"),
        ("config:set\tblog   'KEY=a\tb'", "a\tb"),
        ("config:set blog 'KEY=a\nb'", "a\nb"),
        ("config:set blog KEY=*", "*"),
        ("config:set blog KEY=$HOME`id`$(id)", "$HOME`id`$(id)"),
        ("config:set blog KEY=a;touch${IFS}canary", "a;touch${IFS}canary"),
        ("config:set blog KEY=a\\", "a\\"),
        (r"config:set blog 'KEY=C:\dir'", r"C:\dir"),
        ("--app blog config:set KEY=é", "é"),
    ],
)
def test_quotes_count_over_ssh_and_nothing_is_expanded(dokku: Dokku, original: str, value: str) -> None:
    """SSH-1, SSH-2, SSH-3"""
    dokku.make_app("blog")
    assert dokku.ssh(original).code == 0
    assert dokku("config:get", "blog", "KEY").out == f"{value}\n"
    assert not (dokku.root / "canary").exists()


@pytest.mark.parametrize("original", ["config:set blog 'KEY=x", 'apps:create "x', "apps:create a'"])
def test_a_quote_without_its_end_is_refused(dokku: Dokku, original: str) -> None:
    """SSH-3"""
    answer = dokku.ssh(original)
    assert answer == ("", " !     Unable to parse command: unmatched quote\n", 1)


@pytest.mark.parametrize(
    "rest", ["; touch canary", "$(touch canary)", "`touch canary`", "&& touch canary", "| touch canary"]
)
def test_a_shells_own_words_are_words(dokku: Dokku, rest: str) -> None:
    """SSH-1"""
    answer = dokku.ssh(f"apps:create x{rest}")
    assert answer.code in (1, 2)
    assert not (dokku.root / "canary").exists()
    assert not [entry for entry in os.listdir(dokku.root) if entry.startswith("x")]


def test_only_the_original_counts_not_what_a_shell_made_of_it(dokku: Dokku) -> None:
    """SSH-3"""
    dokku.make_app("blog")
    env = {"SSH_ORIGINAL_COMMAND": "config:set --no-restart blog 'KEY=a  b'", "NAME": "alice"}
    assert dokku("config:set", "--no-restart", "blog", "'KEY=a", "b'", env=env).code == 0
    assert dokku("config:get", "blog", "KEY").out == "a  b\n"


def test_an_original_of_blanks_is_no_command(dokku: Dokku) -> None:
    assert dokku("version", env={"SSH_ORIGINAL_COMMAND": "  "}).out == dokku("version").out


def test_programs_do_not_see_the_original_again(dokku: Dokku) -> None:
    dokku.plugin("witness", user_auth='#!/bin/sh\necho "[$SSH_ORIGINAL_COMMAND]" >&2\n')
    assert dokku.ssh("version").err == "[]\n"


def test_a_very_long_command_works(dokku: Dokku) -> None:
    """SSH-11"""
    dokku.make_app("blog")
    value = "x" * 100_000
    assert dokku.ssh(f"config:set --no-restart blog KEY={value}").code == 0
    assert dokku("config:get", "blog", "KEY").out == f"{value}\n"


def test_ten_thousand_words_are_taken_as_the_first_ones(dokku: Dokku) -> None:
    """SSH-11"""
    answer = dokku.ssh("apps:exists " + "x " * 10_000)
    assert answer == ("", " !     App x does not exist\n", 20)


WITNESS = '#!/bin/sh\nprintf \'%s|\' "$@" >>"$DOKKU_ROOT/../asked"\necho >>"$DOKKU_ROOT/../asked"\n'


def asked(dokku: Dokku) -> list[list[str]]:
    path = dokku.root.parent / "asked"
    return [line.rstrip("|").split("|") for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        (("apps:list",), ["apps:list"]),
        (("--quiet", "apps:list"), ["apps:list"]),
        (("apps:list", "--quiet"), ["apps:list"]),
        (("--app", "blog", "config:show"), ["config:show", "blog"]),
        (("config:show", "--app", "blog"), ["config:show", "blog"]),
        (("--trace", "--no-such", "--force", "apps:exists", "blog"), ["apps:exists", "blog"]),
        (("--version",), ["version"]),
        ((), ["help"]),
        (("nope", "x"), ["nope", "x"]),
        (("--app", "blog", "nope:do", "x"), ["nope:do", "blog", "x"]),
        (("nope:do", "x", "--app", "blog"), ["nope:do", "blog", "x"]),
        (("nope", "--app", "mine", "--app", "blog"), ["nope", "blog"]),
        (("--app", "blog", "run", "env", "--app", "mine"), ["run", "blog", "env", "--app", "mine"]),
    ],
)
def test_who_guards_commands_sees_what_is_about_to_run(
    dokku: Dokku, words: tuple[str, ...], seen: list[str]
) -> None:
    """SSH-7"""
    dokku.plugin("acl", user_auth=WITNESS)
    dokku(*words, env={"USER": "bob"})
    assert asked(dokku) == [["bob", "default", *seen]]


def test_who_guards_commands_sees_the_key_over_ssh(dokku: Dokku) -> None:
    """SSH-6, SSH-7"""
    dokku.plugin("acl", user_auth=WITNESS)
    dokku.ssh("--quiet apps:destroy 'a b' --force", name="alice", env={"USER": "dokku", "SSH_NAME": "admin"})
    assert asked(dokku) == [["dokku", "alice", "apps:destroy", "a b"]]


def test_a_no_is_access_denied_and_nothing_runs(dokku: Dokku) -> None:
    """SSH-7"""
    dokku.plugin("acl", user_auth="#!/bin/sh\necho because >&2\nexit 3\n")
    assert dokku("apps:create", "blog") == ("", "because\n !     Access denied\n", 1)
    assert not (dokku.root / "blog").exists()


def test_one_no_among_several_is_a_no(dokku: Dokku) -> None:
    """SSH-7"""
    dokku.plugin("a-first", user_auth="#!/bin/sh\nexit 0\n")
    dokku.plugin("b-second", user_auth="#!/bin/sh\nexit 1\n")
    dokku.plugin("c-third", user_auth=WITNESS)
    assert dokku("version").code == 1
    assert asked(dokku) == []


def test_a_guard_that_can_not_run_denies(dokku: Dokku) -> None:
    """SSH-7: a hook without its executable bit, or without its interpreter, must not open the door."""
    directory = dokku.plugin("acl", user_auth="#!/no/such/interpreter\n")
    assert dokku("version").code == 1
    (directory / "user-auth").chmod(0o644)
    answer = dokku("version")
    assert (answer.out, answer.code) == ("", 1)
    assert answer.err == " !     Access denied\n"


LOOP = """printf '1\\n2\\n' | while read -r line; do "$@" >/dev/null 2>&1; echo "$line"; done"""


@pytest.mark.parametrize(
    "words", [("version",), ("apps:list",), ("config:show", "blog"), ("apps:create", "x"), ("nope",)]
)
def test_stdin_is_left_for_those_who_want_it(dokku: Dokku, words: tuple[str, ...]) -> None:
    """IO-5: dokku inside a `while read` loop."""
    dokku.make_app("blog")
    dokku.plugin("witness", user_auth="#!/bin/sh\n")
    done = shell(dokku, LOOP, *words)
    assert done.stdout == b"1\n2\n"


def test_a_reader_that_goes_away_stops_nothing(dokku: Dokku) -> None:
    """IO-6: what changes something is done to its end."""
    done = shell(dokku, '"$@" | true; echo "${PIPESTATUS[0]}"', "apps:create", "blog")
    assert (done.stdout, done.stderr) == (b"0\n", b"")
    assert dokku("apps:exists", "blog").code == 0
    for number in range(3):
        dokku.make_app(f"app{number}")
    done = shell(dokku, '"$@" | head -n 1; echo "${PIPESTATUS[0]}"', "apps:list")
    assert (done.stdout, done.stderr) == (b"=====> My Apps\n0\n", b"")


def test_a_full_device_is_told_by_the_status_and_the_work_is_done(dokku: Dokku) -> None:
    """IO-7"""
    assert shell(dokku, '"$@" >/dev/full', "apps:create", "blog").returncode != 0
    assert dokku("apps:exists", "blog").code == 0
    assert shell(dokku, '"$@" >/dev/full', "version").returncode != 0


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_matter(dokku: Dokku, closed: str) -> None:
    """IO-7"""
    done = shell(dokku, f'"$@" {closed}', "apps:create", "blog")
    assert done.returncode == 0
    assert (dokku.root / "blog/HEAD").read_text().startswith("ref: ")
    assert shell(dokku, f'"$@" {closed}', "apps:exists", "nope").returncode == 20


@pytest.mark.parametrize(
    "locale", [{"LC_ALL": "C"}, {"LC_ALL": "POSIX"}, {"LC_ALL": "", "LANG": ""}, {"LC_ALL": "tlh_KX"}]
)
def test_the_locale_of_the_caller_does_not_matter(dokku: Dokku, locale: dict[str, str]) -> None:
    """IO-8"""
    dokku.make_app("blog")
    assert dokku("config:set", "--no-restart", "blog", "KEY=bücher☃", env=locale).code == 0
    assert dokku("config:get", "blog", "KEY", env=locale).out == "bücher☃\n"


def test_words_that_are_no_text_are_refused_or_named_but_never_a_crash(dokku: Dokku) -> None:
    """RUN-3, IO-8"""
    for command in ("apps:create", "apps:exists", "nope"):
        argv = [os.fsencode(TREE / "bin/dokku"), command.encode(), b"caf\xe9"]
        done = subprocess.run(argv, env=dokku.environment, capture_output=True, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith(b" !     ")
        assert b"UnicodeE" not in done.stderr


def test_nothing_is_imported_from_the_current_directory(dokku: Dokku, tmp_path: Path) -> None:
    """PRV-6"""
    for name in ("typer", "sh", "commands", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(99)")
    assert dokku("version", cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}).code == 0


def test_a_directory_that_is_gone_does_not_matter(dokku: Dokku, tmp_path: Path) -> None:
    """ENV-6"""
    gone = tmp_path / "gone"
    done = shell(dokku, f'mkdir {gone}; cd {gone}; rmdir {gone}; "$@"', "apps:create", "blog")
    assert done.returncode == 0
    assert b" !     " not in done.stderr  # the shell that starts us may complain


@pytest.mark.parametrize("variable", ["HOME", "PATH", "USER"])
def test_a_bare_environment_is_enough(dokku: Dokku, variable: str) -> None:
    """RUN-5, ENV-6"""
    env = {name: value for name, value in dokku.environment.items() if name != variable}
    argv = ["/bin/sh", str(TREE / "bin/dokku"), "apps:create", "blog"]
    done = subprocess.run(argv, env=env, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("mask", ["000", "077"])
def test_modes_do_not_come_from_the_umask(dokku: Dokku, mask: str) -> None:
    """ENV-6, PRV-8"""
    shell(dokku, f'umask {mask}; "$@"', "apps:create", "blog")
    shell(dokku, f'umask {mask}; "$@"', "config:set", "--no-restart", "blog", "KEY=value")
    assert (dokku.root / "blog/ENV").stat().st_mode & 0o777 == 0o600
    assert (dokku.root / "blog").stat().st_mode & 0o001


def shell(dokku: Dokku, script: str, *words: str) -> "subprocess.CompletedProcess[bytes]":
    """A bash script in which "$@" is a dokku command line."""
    argv = ["bash", "-c", script, "bash", str(TREE / "bin/dokku"), *words]
    return subprocess.run(argv, env=dokku.environment, capture_output=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("apps:lst", "apps:list"), ("app:list", "apps:list"), ("config:shoow", "config:show")],
)
def test_a_command_that_does_not_exist_suggests_the_nearest_one(dokku: Dokku, typed: str, meant: str) -> None:
    said = [
        f"`{typed}` is not a dokku command.",
        f"Did you mean `{meant}`?",
        "See `dokku help` for a list of available commands.",
    ]
    assert dokku(typed) == ("", "".join(f" !     {text}\n" for text in said), 1)


def test_a_flag_that_does_not_exist_suggests_the_nearest_one(dokku: Dokku) -> None:
    said = " !     unknown flag: --no-restrt; did you mean --no-restart?\n"
    assert dokku("config:set", "--no-restrt", "blog", "A=b") == ("", said, 2)
    assert dokku("apps:clone", "--zzz") == ("", " !     unknown flag: --zzz\n", 2)
