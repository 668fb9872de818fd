"""letsencrypt:* as a user types it; orders themselves are in tests/system/test_letsencrypt.py."""

import pytest

from tests.cli.conftest import Dokku

EMAIL = "me@example.com"
PLUGIN = '#!/bin/sh\n[ "$1" = help ] && echo "    letsencrypt:enable <app>, of the plugin" && exit\n'


@pytest.fixture(autouse=True)
def no_crontab(dokku: Dokku) -> None:
    dokku.program("crontab", "#!/bin/sh\necho 'no crontab for me' >&2\nexit 1\n")


def test_what_is_set_is_reported(dokku: Dokku) -> None:
    dokku.make_app("web")
    assert dokku("letsencrypt:set", "--global", "email", EMAIL).out == f"=====> Setting email to {EMAIL}\n"
    assert dokku("letsencrypt:set", "web", "server", "staging").out == "=====> Setting server to staging\n"
    assert dokku("letsencrypt:report", "web", "--letsencrypt-computed-email").out == f"{EMAIL}\n"
    assert dokku("letsencrypt:report", "web", "--letsencrypt-server").out == "staging\n"
    said = dokku("letsencrypt:report", "web").out.splitlines()
    assert said[0] == "=====> web letsencrypt information"
    assert "       Letsencrypt active:            false                    " in said
    assert f"       Letsencrypt global email:      {EMAIL}           " in said
    as_json = dokku("letsencrypt:report", "web", "--format", "json").out
    assert '"computed-email":"me@example.com"' in as_json
    assert '"letsencrypt-active":"false"' in as_json
    assert dokku("letsencrypt:set", "web", "server").out == "=====> Unsetting server\n"
    assert dokku("letsencrypt:report", "--global", "--letsencrypt-global-email").out == f"{EMAIL}\n"


def test_nothing_is_listed_and_nothing_is_renewed_where_nothing_was_ordered(dokku: Dokku) -> None:
    dokku.make_app("web")
    head = "-----> App name          Certificate Expiry       Time before expiry       Time before renewal\n"
    assert dokku("letsencrypt:list") == (head, "", 0)
    assert dokku("--quiet", "letsencrypt:list") == ("", "", 0)
    assert dokku("letsencrypt:list", "--format", "json").out == "[]\n"
    assert dokku("--quiet", "letsencrypt:auto-renew") == ("", "", 0)
    assert dokku("letsencrypt:active", "web") == ("false\n", "", 0)
    assert dokku("letsencrypt:auto-renew", "web") == ("-----> Letsencrypt not enabled for web\n", "", 0)
    assert dokku("letsencrypt:disable", "web").code == 0


@pytest.mark.parametrize(
    ("words", "text", "code"),
    [
        (("enable",), "Please specify an app to run the command on", 1),
        (("enable", "nope"), "App nope does not exist", 20),
        (("enable", "web"), "web is not deployed: nothing answers for its domains yet", 1),
        (("revoke", "web"), "Letsencrypt not enabled for web", 1),
        (("active", "nope"), "App nope does not exist", 20),
        (("set", "web"), "No key specified", 1),
        (("set", "web", "email", "me"), "me is not an e-mail address", 1),
        (("cron-job", "--add", "--remove"), "Specify --add or --remove to modify the cron-job", 1),
        (("enable", "web", "-f"), "web is not deployed: nothing answers for its domains yet", 1),
        (
            ("list", "--format", "xml"),
            "Invalid output format specified, supported formats: json, stdout: xml",
            1,
        ),
        (("enable", "web", "extra"), "web is not deployed: nothing answers for its domains yet", 1),
        (("renew",), "`letsencrypt:renew` is not a dokku command.", 1),
    ],
)
def test_what_is_wrong_is_one_clear_line(dokku: Dokku, words: tuple[str, ...], text: str, code: int) -> None:
    dokku.make_app("web")
    said = dokku(f"letsencrypt:{words[0]}", *words[1:])
    assert said.code == code
    assert said.err.splitlines()[0] == f" !     {text}"
    assert said.out == ""


def test_every_command_is_in_the_help(dokku: Dokku) -> None:
    said = dokku("letsencrypt:help").out
    names = "active auto-renew cleanup cron-job disable enable list report revoke set"
    assert [line.split()[0] for line in said.splitlines() if line.startswith("    ")] == [
        f"letsencrypt:{name}" for name in names.split()
    ]
    assert dokku("letsencrypt").out == said
    assert "    letsencrypt " in dokku("help").out


def test_what_looks_like_flags_is_kept_for_the_plugin(dokku: Dokku) -> None:
    dokku.make_app("web")
    said = dokku("letsencrypt:set", "web", "lego-docker-args", "--dns.resolvers 1.1.1.1")
    assert (said.out, said.code) == ("=====> Setting lego-docker-args to --dns.resolvers 1.1.1.1\n", 0)
    kept = dokku("letsencrypt:report", "web", "--letsencrypt-lego-docker-args")
    assert kept.out == "--dns.resolvers 1.1.1.1\n"
    assert dokku("letsencrypt:set", "--global", "lego-docker-args", "-e A=b").code == 0


def test_the_clock_is_said_to_renew_or_not(dokku: Dokku) -> None:
    dokku.make_app("web")
    assert "Scheduled renewal is on." in dokku("letsencrypt:cron-job").out
    assert dokku("letsencrypt:cron-job", "--remove").out == "-----> Removed cron job from dokku's crontab.\n"
    assert dokku("letsencrypt:report", "web", "--letsencrypt-autorenew").out == "false\n"
    assert "Scheduled renewal is off." in dokku("letsencrypt:cron-job").out
    assert dokku("letsencrypt:cron-job", "--add").out == "-----> Added cron job to dokku's crontab.\n"
    assert dokku("letsencrypt:report", "web", "--letsencrypt-autorenew").out == "true\n"


def test_the_plugin_answers_where_it_is_enabled_and_nothing_of_ours_does(dokku: Dokku) -> None:
    dokku.make_app("web")
    plugin = dokku.plugin("letsencrypt", commands=f"{PLUGIN}exit 10\n")
    (plugin / "subcommands").mkdir()
    script = plugin / "subcommands/enable"
    script.write_text('#!/bin/sh\necho "plugin: $* (app: $DOKKU_APP_NAME)"\n')
    script.chmod(0o755)
    assert dokku("letsencrypt:enable", "web") == ("plugin: letsencrypt:enable web (app: )\n", "", 0)
    said = dokku("--app", "web", "letsencrypt:enable")
    assert said == ("plugin: letsencrypt:enable (app: web)\n", "", 0)
    assert dokku("letsencrypt:list").err.startswith(" !     `letsencrypt:list` is not a dokku command.")
    table = dokku("help", "--all").out
    assert table.count("letsencrypt:enable") == 1
    assert "of the plugin" in table
    script.unlink()
    (plugin / "commands").unlink()
    plugin.rename(plugin.parent / "other")
    assert "web is not deployed" in dokku("letsencrypt:enable", "web").err
