"""`plugn list`, `plugn version`, and what plugn is not."""

import pytest

from lib.base import settings


def available(dokku, name, toml="", enabled=True):
    directory = dokku.lib / "plugins/available" / name
    directory.mkdir(parents=True)
    (directory / "plugin.toml").write_text(toml)
    if enabled:
        (dokku.lib / "plugins/enabled").mkdir(exist_ok=True)
        (dokku.lib / "plugins/enabled" / name).symlink_to(directory)


def test_the_version_is_ours(plugn):
    assert plugn("version") == (f"plugn: {settings.VERSION}\n", "", 0)


def test_the_list_has_a_line_for_every_plugin_there_is(dokku, plugn):
    available(dokku, "redis", '[plugin]\ndescription = "dokku redis service plugin"\nversion = "1.35.4"\n')
    available(dokku, "acl", '[plugin]\ndescription = "access"\nversion = "1"\n', enabled=False)
    available(dokku, "broken", "not toml [")
    assert plugn("list") == (
        "  acl                  1     disabled   access\n"
        "  broken                     enabled    \n"
        "  redis                1.35.4 enabled    dokku redis service plugin\n",
        "",
        0,
    )


def test_no_plugins_make_an_empty_list(plugn):
    assert plugn("list") == ("", "", 0)


@pytest.mark.parametrize("words", [(), ("trigger",), ("install", "https://host/plugin"), ("nonsense", "x")])
def test_other_words_are_a_usage_error(plugn, words):
    said = plugn(*words)
    assert (said.out, said.code) == ("", 2)
    assert said.err.startswith(" !     Usage: plugn ")
