"""The order of a trigger's answers, and what each kind gives. tests/tools has scripts that really run."""

import os
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

from lib.base import log, settings, triggers
from lib.base.errors import DokkuError, TriggerFailed
from tests.conftest import Shell

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _memory(fs: object) -> None:
    pass


@pytest.fixture
def built_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, triggers.Handler]]:
    """The handlers of a trigger `test-event` that this test makes up."""
    handlers: dict[str, triggers.Handler] = {}
    module = types.ModuleType("triggers.test_event")
    module.HANDLERS = handlers  # type: ignore[attr-defined]
    module.__spec__ = types.SimpleNamespace(name="triggers.test_event")  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, "triggers.test_event", module)
    return handlers


def plugin(name: str, *scripts: str, text: str = "#!/bin/sh\n", mode: int = 0o755) -> str:
    directory = os.path.join(settings.plugins_enabled(), name)
    os.makedirs(directory, exist_ok=True)
    for script in scripts:
        path = os.path.join(directory, script)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
    return directory


def test_an_unknown_trigger_is_silence() -> None:
    triggers.fire("nobody-answers", "x")
    assert triggers.ask("nobody-answers", "x") == ""


@pytest.mark.parametrize("name", ["", "__init__", "../x", "os.path", "a b", "a_b", "-"])
def test_a_name_that_is_none_loads_nothing(name: str) -> None:
    assert triggers.ask(name) == ""


def test_handlers_and_scripts_answer_in_the_order_of_plugin_names(
    built_in: dict[str, triggers.Handler], shell: Shell
) -> None:
    built_in |= {"ps": lambda *_: "ps ", "apps": lambda *_: "apps "}
    for name in ("network", "Zebra", "acl"):
        path = plugin(name, "test-event")
        shell.answers(f"{path}/test-event…", out=f"{name} ")
    assert triggers.ask("test-event") == "Zebra acl apps network ps "


def test_what_scripts_get_is_the_arguments_alone(shell: Shell) -> None:
    path = plugin("acl", "test-event")
    triggers.fire("test-event", "blog", "", "a b")
    assert shell.ran == [f"{path}/test-event blog '' 'a b'"]


def test_a_script_without_an_interpreter_line_is_bash(shell: Shell) -> None:
    path = plugin("acl", "test-event", text="echo hello\n")
    triggers.fire("test-event", "blog")
    assert shell.ran == [f"bash {path}/test-event blog"]


def test_a_script_that_fails_ends_the_chain_with_its_status(
    built_in: dict[str, triggers.Handler], shell: Shell
) -> None:
    reached: list[str] = []
    built_in["ps"] = lambda *_: reached.append("ps")
    shell.answers(f"{plugin('acl', 'test-event')}/test-event", status=3)
    plugin("later", "test-event")
    for way in (triggers.fire, triggers.ask):
        with pytest.raises(TriggerFailed) as failure:
            way("test-event")
        assert (failure.value.exit_code, failure.value.plugin, failure.value.text) == (3, "acl", "")
    assert reached == []
    assert len(shell.ran) == 2


def test_a_handler_that_fails_ends_the_chain(built_in: dict[str, triggers.Handler], shell: Shell) -> None:
    def refuse(*_: str) -> None:
        raise DokkuError("no")

    built_in["apps"] = refuse
    plugin("later", "test-event")
    with pytest.raises(DokkuError, match="no"):
        triggers.fire("test-event")
    assert shell.ran == []


def test_what_a_handler_returns_is_said_when_it_is_fired(
    built_in: dict[str, triggers.Handler], capfd: Capture
) -> None:
    built_in["apps"] = lambda app: f"{app}\n"
    triggers.fire("test-event", "blog")
    assert capfd.readouterr().out == "blog\n"


def test_what_a_script_says_while_a_question_is_asked_is_not_shown(shell: Shell, capfd: Capture) -> None:
    shell.answers(f"{plugin('acl', 'test-event')}/test-event", out="answer", err="complaint\n")
    assert triggers.ask("test-event") == "answer"
    assert capfd.readouterr() == ("", "complaint\n")


def test_a_script_that_may_not_run_is_named_and_passed_over(shell: Shell, capfd: Capture) -> None:
    plugin("acl", "test-event", mode=0o644)
    triggers.fire("test-event")
    assert shell.ran == []
    assert capfd.readouterr().err == "Trigger 'test-event' is not executable, skipping plugin (acl)\n"


def test_core_plugins_are_not_run_as_scripts(fs: Any, shell: Shell) -> None:
    """An old host's plugin directory has links to them; their part is ours now."""
    core = os.path.join(settings.core_plugins(), "available/apps")
    fs.create_file(f"{core}/test-event", st_mode=0o100755)
    os.makedirs(settings.plugins_enabled())
    fs.create_symlink(os.path.join(settings.plugins_enabled(), "apps"), core)
    triggers.fire("test-event")
    assert shell.ran == []
    assert triggers.plugins() == []


def test_a_link_to_an_available_plugin_is_one(fs: Any) -> None:
    fs.create_dir("/srv/available/acl")
    os.makedirs(settings.plugins_enabled())
    fs.create_symlink(os.path.join(settings.plugins_enabled(), "acl"), "/srv/available/acl")
    fs.create_symlink(os.path.join(settings.plugins_enabled(), "broken"), "/srv/available/gone")
    fs.create_file(os.path.join(settings.plugins_enabled(), "README"))
    assert [found.name for found in triggers.plugins()] == ["acl"]


def test_it_is_known_whether_plugins_listen(built_in: dict[str, triggers.Handler]) -> None:
    built_in["apps"] = lambda *_: None
    assert not triggers.has_plugins("test-event")
    plugin("acl", "test-event")
    assert triggers.has_plugins("test-event")


TOML = '[plugin]\nversion = "1"\n[plugin.config]\napi-key = {}\nregion = {}\n'


def test_a_plugins_settings_are_in_its_environment(fs: Any, shell: Shell) -> None:
    fs.create_file(os.path.join(plugin("my-acl", "test-event"), "plugin.toml"), contents=TOML)
    stored = os.path.join(os.path.dirname(settings.plugins_enabled()), "config.toml")
    fs.create_file(stored, contents='[my-acl]\napi-key = "stored"\nregion = "eu"\n')
    os.environ["MY_ACL_API_KEY"] = "from outside"
    triggers.fire("test-event")
    assert shell.calls[0].env["CONFIG_API_KEY"] == "from outside"
    assert shell.calls[0].env["CONFIG_REGION"] == "eu"


@pytest.mark.parametrize("text", ["rubbish [", "", "plugin = 1\n", "[plugin]\nconfig = 2\n"])
def test_a_broken_plugin_toml_is_no_reason_to_stop(fs: Any, shell: Shell, text: str) -> None:
    fs.create_file(os.path.join(plugin("acl", "test-event"), "plugin.toml"), contents=text)
    triggers.fire("test-event")
    assert len(shell.ran) == 1


def test_handlers_of_one_app_collected_in_a_thread_stay_together(
    built_in: dict[str, triggers.Handler], shell: Shell
) -> None:
    built_in["apps"] = lambda *_: "ours\n"
    shell.answers(f"{plugin('zebra', 'test-event')}/test-event", out="theirs\n")
    with log.collected() as said:
        triggers.fire("test-event")
    assert b"".join(data for _, data in said) == b"ours\ntheirs\n"


def test_a_poll_tells_who_said_what_and_ends_with_the_first_failure(
    built_in: dict[str, triggers.Handler], shell: Shell
) -> None:
    built_in |= {"apps": lambda *_: "ours\n", "ps": lambda *_: "never asked"}
    for name, status in (("acl", 0), ("nginx", 3)):
        shell.answers(f"{plugin(name, 'test-event')}/test-event…", out=f"{name}\n", status=status)

    assert triggers.poll("test-event", "blog") == [
        ("acl", "acl\n", 0),
        ("apps", "ours\n", 0),
        ("nginx", "nginx\n", 3),
    ]


def test_those_who_would_answer_are_known_without_asking_them(
    built_in: dict[str, triggers.Handler], shell: Shell
) -> None:
    built_in["ps"] = lambda *_: "x"
    plugin("acl", "test-event")
    plugin("zzz", "test-event", mode=0o644)

    assert triggers.listeners("test-event") == ["acl", "ps"]
    assert triggers.barred("test-event") == ["zzz"]
    assert shell.ran == []


def test_scripts_start_in_the_directory_that_a_trigger_promises(shell: Shell) -> None:
    plugin("acl", "test-event")
    triggers.fire("test-event", "blog", cwd="/source")
    assert shell.calls[0].cwd == "/source"


def test_the_events_log_has_names_and_no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    """SEC-2"""
    said: list[str] = []
    monkeypatch.setattr("syslog.syslog", said.append)
    triggers.fire("post-config-update", "blog", "set", "PASSWORD=hunter2")
    assert said == []
    os.environ |= {"DOKKU_EVENTS": "1", "NAME": "alice"}
    triggers.fire("post-config-update", "blog", "set", "PASSWORD=hunter2")
    assert len(said) == 1
    assert said[0].startswith("INVOKED: post-config-update( *** ) NAME=alice ")
    assert "hunter2" not in said[0]
