"""Hooks of plugins dropped in by hand: who runs, in which order, with what, and who stops whom."""

import os

import pytest


def says(word, status=0):
    return f"#!/bin/sh\nprintf ' {word}'\nexit {status}\n"


@pytest.fixture
def blog(dokku):
    """An app with one variable, so that the built-in config plugin answers docker-args-deploy."""
    app = dokku.make_app("blog")
    dokku("config:set", "--no-restart", "blog", "A=1")
    return app


def test_hooks_run_in_byte_order_of_names_with_ours_between_them(dokku, plugn, blog):
    for name in ("zz", "config-x", "Upper", "confi", "00_first"):
        dokku.plugin(name, docker_args_deploy=says(name))
    said = plugn("trigger", "docker-args-deploy", "blog", "latest")
    assert (said.out.split(), said.err, said.code) == (
        ["00_first", "Upper", "confi", "--env=A", "config-x", *options(blog), "zz"],
        "",
        0,
    )


def options(blog):
    """What the built-in docker-options plugin says."""
    file = blog / "DOCKER_OPTIONS_DEPLOY"
    return file.read_text().split() if file.exists() else []


def test_a_hook_gets_the_arguments_as_they_are(dokku, plugn):
    dokku.plugin("a", my_hook='#!/bin/sh\nprintf "[%s]" "$@"\necho " $(basename "$0") $#"\n')
    assert plugn("trigger", "my-hook", "", "two  words", "-x", "$(id)", "é\n").out == (
        "[][two  words][-x][$(id)][é\n] my-hook 5\n"
    )


def test_all_hooks_share_one_stdin(dokku, plugn):
    dokku.plugin("a", my_hook='#!/bin/sh\nread line; echo "a:$line"\n')
    dokku.plugin("b", my_hook='#!/bin/sh\necho "b:$(cat)"\n')
    dokku.plugin("c", my_hook='#!/bin/sh\necho "c:$(cat)"\n')
    assert plugn("trigger", "my-hook", input="one\ntwo\nthree").out == "a:one\nb:two\nthree\nc:\n"


def test_what_hooks_say_is_put_together_without_anything_between(dokku, plugn):
    for name in ("a", "b"):
        dokku.plugin(name, my_hook=f"#!/bin/sh\nprintf {name}\necho {name} >&2\n")
    assert plugn("trigger", "my-hook") == ("ab", "a\nb\n", 0)


@pytest.mark.parametrize("status", [1, 7, 20, 127, 255])
def test_the_first_failure_stops_the_chain_and_is_the_status(dokku, plugn, blog, status):
    dokku.plugin("a", docker_args_deploy=says("a", status))
    dokku.plugin("b", docker_args_deploy=says("b"))
    assert plugn("trigger", "docker-args-deploy", "blog", "latest") == (" a", "", status)


def test_a_hook_killed_by_a_signal_is_a_failure(dokku, plugn):
    dokku.plugin("a", my_hook="#!/bin/sh\nkill -9 $$\n")
    dokku.plugin("b", my_hook=says("b"))
    assert plugn("trigger", "my-hook") == ("", "", 137)


def test_a_refusal_of_ours_stops_the_chain_too(dokku, plugn):
    dokku.plugin("zz", config_export=says("zz"))
    said = plugn("trigger", "config-export", "nope", "false", "false", "json")
    assert said == ("", " !     App nope does not exist\n", 20)


def test_a_hook_that_is_not_executable_is_named_and_skipped(dokku, plugn):
    (dokku.plugin("a", my_hook=says("a")) / "my-hook").chmod(0o644)
    dokku.plugin("b", my_hook=says("b"))
    assert plugn("trigger", "my-hook") == (
        " b",
        "Trigger 'my-hook' is not executable, skipping plugin (a)\n",
        0,
    )


def test_a_hook_without_a_first_line_is_bash(dokku, plugn):
    dokku.plugin(
        "a",
        my_hook='words=("$@")\n[[ ${#words[@]} == 2 ]] && echo "${words[1]} $BASH_VERSINFO" | cut -c1-4\n',
    )
    assert plugn("trigger", "my-hook", "x", "yy").out == "yy 5\n"


def test_links_to_nowhere_and_directories_are_no_hooks(dokku, plugn):
    enabled = dokku.plugin("a", my_hook=says("a")).parent
    (enabled / "b").symlink_to("/nowhere")
    (dokku.plugin("c") / "my-hook").mkdir()
    (dokku.plugin("d") / "my-hook").symlink_to("/nowhere")
    (enabled / "e").write_text("no directory")
    assert plugn("trigger", "my-hook") == (" a", "", 0)


def test_one_script_may_be_linked_under_several_names(dokku, plugn):
    hook = dokku.plugin("a", hook='#!/bin/sh\nbasename "$0"\n') / "hook"
    for name in ("my-hook", "your-hook"):
        (hook.parent / name).symlink_to("hook")
    assert [plugn("trigger", name).out for name in ("my-hook", "your-hook")] == ["my-hook\n", "your-hook\n"]


def test_a_plugin_is_enabled_by_a_link(dokku, plugn):
    there = dokku.plugin("a", my_hook=says("a"))
    available = dokku.lib / "plugins/available"
    available.mkdir()
    there.rename(available / "a")
    assert plugn("trigger", "my-hook").out == ""
    there.symlink_to(available / "a")
    assert plugn("trigger", "my-hook").out == " a"


def core_plugin(dokku, name, hook):
    """What a Dokku host has for a core plugin: a directory that the enabled ones link to."""
    directory = dokku.lib / "core-plugins/available" / name
    (dokku.lib / "plugins/enabled").mkdir(parents=True, exist_ok=True)
    directory.mkdir(parents=True)
    (directory / hook).write_text(says("stub"))
    (directory / hook).chmod(0o755)
    (dokku.lib / "plugins/enabled" / name).symlink_to(directory)


def test_the_stub_of_a_core_plugin_is_not_run_beside_it(dokku, plugn, blog):
    core_plugin(dokku, "config", "docker-args-deploy")
    assert plugn("trigger", "docker-args-deploy", "blog", "latest").out.split() == ["--env=A", *options(blog)]


def test_the_path_of_the_core_plugins_leaves_all_others_out(dokku, plugn, blog):
    dokku.plugin("a", docker_args_deploy=says("a"))
    core = {"PLUGIN_PATH": str(dokku.lib / "core-plugins")}
    said = plugn("trigger", "docker-args-deploy", "blog", "latest", env=core)
    assert said.out.split() == ["--env=A", *options(blog)]


def test_a_trigger_nobody_answers_is_a_success(plugn):
    assert plugn("trigger", "nobody-cares", "x") == ("", "", 0)


@pytest.mark.parametrize("name", ["../a/my-hook", "a/../my-hook", "__init__", "os.path", "", "-x"])
def test_a_name_that_is_no_trigger_runs_nothing(dokku, plugn, name):
    dokku.plugin("a", my_hook=says("a"))
    assert plugn("trigger", name).out == ""


def test_hooks_see_what_dokku_promises(dokku, plugn):
    names = (
        "DOKKU_ROOT",
        "DOKKU_LIB_ROOT",
        "PLUGIN_PATH",
        "PLUGIN_ENABLED_PATH",
        "DOKKU_API_VERSION",
        "FROM_RC",
    )
    dokku.plugin("a", my_hook="#!/bin/sh\n" + "".join(f'echo "${name}"\n' for name in names))
    (dokku.root / ".dokkurc").mkdir()
    (dokku.root / ".dokkurc/MINE").write_text("export FROM_RC='of mine'\n")
    plugins = dokku.lib / "plugins"
    expected = [str(dokku.root), str(dokku.lib), str(plugins), f"{plugins}/enabled", "1", "of mine"]
    assert plugn("trigger", "my-hook").out.splitlines() == expected


def test_hooks_do_not_see_what_could_change_them(dokku, plugn):
    """RUN-5"""
    dokku.plugin("a", my_hook='#!/bin/sh\necho "$BASH_ENV$LD_PRELOAD$PYTHONPATH$TMPDIR."\n')
    hostile = {"BASH_ENV": "/x", "PYTHONPATH": "/x", "TMPDIR": "/x"}
    assert plugn("trigger", "my-hook", env=hostile).out == ".\n"


def test_hooks_run_where_the_caller_stands(dokku, plugn):
    dokku.plugin("a", my_hook="#!/bin/sh\npwd\n")
    assert plugn("trigger", "my-hook").out.strip() == os.getcwd()


def test_a_plugins_own_settings_come_from_the_environment_or_its_config(dokku, plugn):
    show = '#!/bin/sh\necho "$CONFIG_COLOR_NAME/$CONFIG_SIZE/${CONFIG_SHAPE-unset}/$CONFIG_WIDTH"\n'
    plugin = dokku.plugin("my-plugin", my_hook=show)
    (plugin / "plugin.toml").write_text(
        '[plugin]\ndescription = "x"\n[plugin.config]\ncolor-name = "not a default"\nsize = ""\nwidth = ""\n'
    )
    (dokku.lib / "plugins/config.toml").write_text(
        '[my-plugin]\nsize = "10"\nwidth = "3"\n[other]\nshape = "x"\n'
    )
    said = plugn("trigger", "my-hook", env={"MY_PLUGIN_WIDTH": "4"})
    assert said == ("/10/unset/4\n", "", 0)


@pytest.mark.parametrize("toml", [None, "", "not toml [", "[plugin]\n", "[plugin.config]\n"])
def test_a_plugin_without_sound_toml_still_runs_in_silence(dokku, plugn, toml):
    plugin = dokku.plugin("a", my_hook=says("a"))
    if toml is not None:
        (plugin / "plugin.toml").write_text(toml)
    assert plugn("trigger", "my-hook") == (" a", "", 0)


def test_hooks_may_call_plugn_and_dokku(dokku, plugn, blog):
    dokku.plugin(
        "a",
        my_hook='#!/bin/sh\necho "$(plugn trigger config-get "$1" A) $(dokku config:get "$1" A)"\n'
        "plugn trigger deeper\n",
    )
    dokku.plugin("b", deeper="#!/bin/sh\necho deeper\nexit 5\n", my_hook=says("never"))
    assert plugn("trigger", "my-hook", "blog") == ("1 1\ndeeper\n", "", 5)


def test_a_command_fires_hooks_as_plugn_does(dokku):
    dokku.plugin("a", post_create='#!/bin/sh\necho "made $1 in $DOKKU_COMMAND"\n')
    said = dokku("apps:create", "blog")
    assert said.code == 0
    assert "made blog in apps:create\n" in said.out


def test_a_command_ends_with_the_status_of_a_hook_that_failed(dokku):
    dokku.plugin("a", post_create="#!/bin/sh\necho because >&2\nexit 42\n")
    said = dokku("apps:create", "blog")
    assert (said.code, said.err) == (42, "because\n")
