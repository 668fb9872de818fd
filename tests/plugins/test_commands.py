"""Commands of plugins: subcommands, `commands` scripts, help; and the hook that guards all commands."""

import pytest

NOT_MINE = "#!/bin/sh\nexit $DOKKU_NOT_IMPLEMENTED_EXIT\n"
ECHO = '#!/bin/sh\necho "$0: $*" | sed "s|.*/enabled/||"\n'


def sub(dokku, plugin, name, script=ECHO):
    directory = dokku.plugin(plugin) / "subcommands"
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(script)
    (directory / name).chmod(0o755)


def unknown(words):
    return (
        "",
        f" !     `{words}` is not a dokku command.\n"
        " !     See `dokku help` for a list of available commands.\n",
        1,
    )


def test_a_subcommand_is_run_with_the_whole_word_first(dokku):
    sub(dokku, "redis", "create")
    assert dokku("redis:create", "a b", "--flag") == (
        "redis/subcommands/create: redis:create a b --flag\n",
        "",
        0,
    )


def test_the_bare_namespace_is_the_default_subcommand(dokku):
    sub(dokku, "redis", "default")
    assert dokku("redis", "x") == ("redis/subcommands/default: redis x\n", "", 0)


def test_a_subcommands_status_is_the_commands(dokku):
    sub(dokku, "redis", "create", "#!/bin/sh\nread line; echo $line; exit 10\n")
    assert dokku("redis:create", input="from stdin\n") == ("from stdin\n", "", 10)


def test_a_subcommand_comes_before_the_commands_script(dokku):
    sub(dokku, "redis", "create")
    dokku.plugin("redis", commands="#!/bin/sh\necho never\n")
    assert dokku("redis:create").out == "redis/subcommands/create: redis:create\n"


@pytest.mark.parametrize(
    "word", ["redis:../install", "redis:sub/../../install", "../redis:create", "redis:/bin/ls"]
)
def test_no_word_leads_out_of_the_subcommands(dokku, word):
    sub(dokku, "redis", "create")
    dokku.plugin("redis", install="#!/bin/sh\necho canary\n")
    assert dokku(word) == unknown(word)


def test_a_commands_script_says_10_for_what_is_not_its_own(dokku):
    dokku.plugin("a", commands=NOT_MINE)
    dokku.plugin("b", commands='#!/bin/sh\necho "b did $*"\n')
    assert dokku("something:else", "x") == ("b did something:else x\n", "", 0)


def test_after_a_plugin_that_did_it_the_next_is_asked_too(dokku):
    dokku.plugin("a", commands="#!/bin/sh\necho a\n")
    dokku.plugin("b", commands="#!/bin/sh\necho b\n")
    dokku.plugin("c", commands=NOT_MINE)
    assert dokku("something") == ("a\nb\n", "", 0)


def test_another_status_ends_the_command(dokku):
    dokku.plugin("a", commands="#!/bin/sh\nexit 3\n")
    dokku.plugin("b", commands="#!/bin/sh\necho never\n")
    assert dokku("something") == ("", "", 3)


def test_what_no_plugin_claims_is_not_a_dokku_command(dokku):
    dokku.plugin("a", commands=NOT_MINE)
    assert dokku("something:else", "x") == unknown("something:else x")


def test_our_commands_ask_no_plugin(dokku):
    dokku.plugin("apps", commands="#!/bin/sh\necho never\n")
    sub(dokku, "apps", "create")
    assert "never" not in dokku("apps:create", "blog").out
    assert (dokku.root / "blog").is_dir()


HELP = """#!/bin/sh
case "$1" in
help)
    if ps -o command= $PPID | grep -q -- --all; then
        echo "    redis:create <name>, Create a redis service"
    else
        echo "    redis, Manage redis services"
    fi
    ;;
*) exit 10 ;;
esac
"""


def test_help_shows_the_plugins_after_our_own(dokku):
    dokku.plugin("redis", commands=HELP)
    lines = dokku("help").out.splitlines()
    heading = lines.index("Community plugin commands:")
    assert lines[heading - 1] == lines[heading + 1] == ""
    assert [line.split() for line in lines[heading + 2 :]] == [["redis", "Manage", "redis", "services"]]
    assert any(line.startswith("    apps ") for line in lines[:heading])


def test_help_all_lets_the_plugins_see_that_all_is_wanted(dokku):
    dokku.plugin("redis", commands=HELP)
    out = dokku("help", "--all").out
    assert "    redis:create <name>  Create a redis service" in out.splitlines()
    assert "Manage redis services" not in out


def test_a_plugin_without_help_does_not_spoil_it(dokku):
    dokku.plugin("broken", commands="#!/bin/sh\nexit 1\n")
    dokku.plugin("redis", commands=HELP)
    said = dokku("help")
    assert said.code == 0
    assert "Manage redis services" in said.out


DENIED = ("", " !     Access denied\n", 1)


@pytest.mark.parametrize("hook", ["exit 1", "exit 10", "kill -9 $$", "set -e; false"])
def test_a_command_that_is_not_allowed_does_nothing(dokku, hook):
    """SSH-7"""
    dokku.plugin("acl", user_auth=f"#!/bin/sh\n{hook}\n")
    dokku.plugin("b", post_create="#!/bin/sh\necho never\n")
    assert dokku("apps:create", "blog") == DENIED
    assert dokku("--quiet", "apps:create", "blog") == DENIED
    assert dokku("--app", "blog", "apps:create") == DENIED
    assert dokku("redis:create") == DENIED
    assert not (dokku.root / "blog").exists()


def test_a_guard_that_cannot_be_started_allows_nothing(dokku):
    """SSH-7"""
    dokku.plugin("acl", user_auth="#!/nowhere/interpreter\n")
    said = dokku("apps:create", "blog")
    assert said.code != 0
    assert said.err.splitlines()[-1] == " !     Access denied"
    assert not (dokku.root / "blog").exists()


def test_the_guard_sees_who_asks_for_what(dokku):
    note = dokku.log / "asked"
    dokku.plugin("acl", user_auth=f'#!/bin/sh\nprintf "[%s]" "$@" >{note}\n')
    assert dokku("--quiet", "apps:create", "blog", env={"NAME": "ada", "USER": "someone"}).code == 0
    assert note.read_text() == "[someone][ada][apps:create][blog]"


def test_the_guard_sees_the_same_words_over_ssh(dokku):
    """SSH-7"""
    note = dokku.log / "asked"
    dokku.plugin("acl", user_auth=f'#!/bin/sh\nshift\nprintf "[%s]" "$@" >{note}\n')
    assert dokku.ssh("--app blog apps:create", name="ada").code == 0
    assert note.read_text() == "[ada][apps:create][blog]"


def test_the_guard_is_asked_again_for_a_command_within_a_command(dokku):
    note = dokku.log / "asked"
    dokku.plugin("acl", user_auth=f'#!/bin/sh\necho "$3" >>{note}\n')
    dokku.plugin("b", post_create="#!/bin/sh\ndokku apps:exists $1\n")
    assert dokku("apps:create", "blog").code == 0
    assert note.read_text() == "apps:create\napps:exists\n"
