"""Plugins and cron: entries of their own, and telling us that they have changed."""

import shlex

import pytest

_CRONTAB = """#!/bin/sh
case "$1" in
-l) cat TABLE ;;
-) cat >TABLE ;;
-r) rm TABLE; touch TABLE ;;
esac
"""


@pytest.fixture
def table(dokku):
    """The crontab, a file."""
    path = dokku.bin / "table"
    path.write_text("# mine\n")
    dokku.program("crontab", _CRONTAB.replace("TABLE", shlex.quote(str(path))))
    return path


@pytest.fixture
def entries(dokku):
    """What a plugin wants to be run, a file."""
    plugin = dokku.plugin("renewal", cron_entries='#!/bin/sh\n[ "$1" != docker-local ] || cat "$0.said"\n')
    return plugin / "cron-entries.said"


@pytest.mark.parametrize("trigger", ["cron-write", "scheduler-cron-write"])
def test_a_plugins_entries_come_and_go_when_it_says_so(plugn, table, entries, trigger):
    entries.write_text("@daily;/bin/true\n")
    assert plugn("trigger", trigger) == ("-----> Updated schedule file\n", "", 0)
    assert "\n@daily /bin/true\n" in table.read_text()
    entries.write_text("@daily;/bin/true;/log\n")
    assert plugn("trigger", trigger).code == 0
    assert "\n@daily /bin/true &>> /log\n" in table.read_text()
    entries.write_text("")
    assert plugn("trigger", trigger).code == 0
    assert table.read_text() == "# mine\n"
    assert plugn("trigger", trigger) == ("", "", 0)


@pytest.mark.parametrize(
    "entry", ["@daily", "@daily;", "61 * * * *;/bin/true", "@daily;a;b;c", ";a", "@daily;a\tb"]
)
def test_an_entry_without_sense_fails_after_the_others_are_written(plugn, table, entries, entry):
    entries.write_text(f"{entry}\n@hourly;/bin/true\n")
    done = plugn("trigger", "cron-write")
    shown = entry.replace("\t", "\\x09")
    assert (done.err, done.code) == (f" !     Invalid injected cron task: {shown}\n", 1)
    assert "\n@hourly /bin/true\n" in table.read_text()


def test_what_others_schedulers_run_is_theirs(plugn, table, entries):
    entries.write_text("@daily;/bin/true\n")
    assert plugn("trigger", "scheduler-cron-write", "kubernetes", "blog") == ("", "", 0)
    assert table.read_text() == "# mine\n"


def test_plugins_ask_for_properties_and_judge_files(dokku, plugn):
    dokku.make_app("blog")
    assert dokku("cron:set", "--global", "mailto", "ops@example.com").code == 0
    assert plugn("trigger", "cron-get-property", "blog", "mailto").out == "ops@example.com\n"
    assert plugn("trigger", "cron-get-property", "blog", "maintenance").out == "false\n"
    bad = dokku.bin / "app.json"
    bad.write_text('{"cron": [{"schedule": "* * * * * *", "command": "a"}]}')
    done = plugn("trigger", "app-json-is-valid", "blog", str(bad))
    assert done.err.startswith(" !     Cannot parse app.json: cron[0]: invalid schedule * * * * * *: ")
    assert done.code == 1


def test_a_hook_that_ends_with_1_and_says_nothing_wants_nothing(dokku, plugn, table, entries):
    entries.write_text("@daily;/bin/true\n")
    dokku.plugin("another", cron_entries='#!/bin/bash\n[[ $1 == kubernetes ]] && echo "@daily;/bin/false"\n')
    assert plugn("trigger", "cron-write").code == 0
    assert "\n@daily /bin/true\n" in table.read_text()


@pytest.mark.parametrize("script", ["echo broken >&2; exit 1", "exit 2", "echo '@daily;/bin/false'; exit 1"])
def test_a_hook_that_fails_otherwise_changes_nothing(dokku, plugn, table, script):
    dokku.plugin("another", cron_entries=f"#!/bin/bash\n{script}\n")
    assert plugn("trigger", "cron-write").code != 0
    assert table.read_text() == "# mine\n"
