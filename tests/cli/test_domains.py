import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cli.conftest import TREE, Dokku


def test_domains_are_added_listed_and_removed(dokku: Dokku) -> None:
    app = dokku.make_app("web")
    added = dokku("domains:add", "web", "a.com", "*.b.com")
    assert (added.code, added.err) == (0, "")
    assert added.out == "-----> Added a.com to web\n-----> Added *.b.com to web\n"
    assert (app / "VHOST").read_text() == "a.com\n*.b.com\n"
    assert dokku("--quiet", "domains:report", "web", "--domains-app-vhosts").out == "a.com *.b.com\n"
    assert dokku("domains:remove", "web", "*.b.com").out == "-----> Removed *.b.com from web\n"
    assert (app / "VHOST").read_text() == "a.com\n"


def test_the_app_can_come_first(dokku: Dokku) -> None:
    dokku.make_app("web")
    assert dokku("--app", "web", "domains:set", "a.com", "b.com").out == "-----> Set a.com b.com for web\n"


def test_an_invalid_domain_changes_nothing(dokku: Dokku) -> None:
    app = dokku.make_app("web")
    refused = dokku("domains:add", "web", "a.com", "x; return 200")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == " !     x; return 200 is invalid. exiting...\n"
    assert not (app / "VHOST").exists()


@pytest.mark.parametrize("command", ["domains:add", "domains:set", "domains:remove"])
def test_what_is_missing_is_told(dokku: Dokku, command: str) -> None:
    assert dokku(command).err == " !     Please specify an app to run the command on\n"
    without = dokku(command, "nope")
    assert (without.code, without.err.split(" Usage")[0]) == (1, " !     Please specify a domain name.")
    unknown = dokku(command, "nope", "a.com")
    assert (unknown.code, unknown.err) == (20, " !     App nope does not exist\n")


@pytest.mark.parametrize("command", ["domains:add-global", "domains:set-global", "domains:remove-global"])
def test_a_missing_global_domain_is_told(dokku: Dokku, command: str) -> None:
    refused = dokku(command)
    assert (refused.code, refused.err.split(" Usage")[0]) == (1, " !     Please specify a domain name.")


def test_global_domains(dokku: Dokku) -> None:
    assert dokku("domains:add-global", "a.me", "b.me").out == "-----> Added a.me\n-----> Added b.me\n"
    assert dokku("domains:remove-global", "a.me").out == "-----> Removed a.me\n"
    assert dokku("domains:set-global", "c.me", "d.me").out == "-----> Set c.me d.me\n"
    report = dokku("domains:report", "--global")
    assert [line.rstrip() for line in report.out.splitlines()] == [
        "=====> Global domains information",
        "       Domains global enabled:        true",
        "       Domains global vhosts:         c.me d.me",
    ]
    assert dokku("domains:clear-global").out == "-----> Clearing global domains\n"
    assert dokku("domains:clear-global", "--quiet").out == ""
    assert dokku("--quiet", "domains:report", "--global", "--domains-global-vhosts").out == "\n"


def test_an_app_goes_from_names_to_a_port_and_back(dokku: Dokku) -> None:
    app = dokku.make_app("web")
    dokku("domains:set-global", "dokku.me")
    assert dokku("domains:setup", "web").out == "-----> Creating new app virtual host file...\n"
    assert dokku("domains:disable", "web").out.startswith("-----> App virtual host support disabled\n")
    assert not (app / "VHOST").exists()
    assert "already disabled for app (web)" in dokku("domains:disable", "web").out
    assert dokku("domains:report", "web", "--domains-app-enabled").out == "false\n"
    assert dokku("domains:enable", "web").code == 0
    assert "already enabled for app (web)" in dokku("domains:enable", "web").out
    assert (app / "VHOST").read_text() == "web.dokku.me\n"


def test_a_plugin_names_the_first_domain(dokku: Dokku) -> None:
    app = dokku.make_app("web")
    dokku("domains:set-global", "dokku.me")
    dokku.plugin("naming", nginx_hostname='#!/bin/sh\necho "$2-of-$3"\n')
    dokku("domains:clear", "web")
    assert (app / "VHOST").read_text() == "web-of-dokku.me\n"


def test_plugins_hear_of_every_change(dokku: Dokku) -> None:
    dokku.make_app("web")
    notes = dokku.root.parent / "notes"
    dokku.plugin("zz-listener", post_domains_update=f'#!/bin/sh\necho "$@" >>{notes}\n')
    for words in (("add", "web", "a.com"), ("set", "web", "b.com", "c.com"), ("remove", "web", "b.com")):
        dokku(f"domains:{words[0]}", *words[1:])
    dokku("domains:clear", "web")
    assert notes.read_text().splitlines() == [
        "web add a.com",
        "web set b.com c.com",
        "web remove b.com",
        "web clear",
    ]


def test_a_second_call_makes_good_what_an_interrupted_one_left(dokku: Dokku) -> None:
    """CRS-7"""
    app = dokku.make_app("web")
    notes = dokku.root.parent / "notes"
    dokku.plugin("zz-listener", post_domains_update=f'#!/bin/sh\necho "$@" >>{notes}\n')
    (app / "VHOST").write_text("a.com\n")
    (app / "ENV").write_text("NO_VHOST=1\n")
    again = dokku("domains:disable", "web")
    assert again.out.startswith("-----> Domains (VHOST) support is already disabled for app (web)\n")
    assert "setting to random open high port" in again.out
    assert not (app / "VHOST").exists()
    (app / "ENV").write_text("NO_VHOST=0\n")
    assert dokku("domains:enable", "web").code == 0
    assert notes.read_text().splitlines() == ["web disable", "web enable"]


def test_plugins_can_ask_for_domains(dokku: Dokku) -> None:
    dokku.make_app("web")
    (dokku.root / "HOSTNAME").write_text("host.me\n")
    ask = dokku.plugin(
        "asker", commands='#!/bin/sh\n[ "$1" = ask ] || exit 10\nexec "$PLUGN" trigger "$2" web\n'
    )
    assert ask.is_dir()
    plugn = {"PLUGN": str(TREE / "bin/plugn")}
    assert dokku("ask", "domains-list", env=plugn).out == "host.me\n"
    dokku("domains:add", "web", "b.com", "a.com")
    assert dokku("ask", "domains-list", env=plugn).out == "b.com\na.com\n"
    assert dokku("ask", "domains-vhost-enabled", env=plugn).code == 0
    dokku("domains:disable", "web")
    assert dokku("ask", "domains-list", env=plugn).out == ""
    assert dokku("ask", "domains-vhost-enabled", env=plugn).code == 1


def test_json_has_both_shapes_of_keys(dokku: Dokku) -> None:
    dokku.make_app("web")
    dokku("domains:add", "web", "a.com")
    for words in (("--format", "json"), ("--format=json",)):
        found = json.loads(dokku("domains:report", "web", *words).out)
        assert found["app-vhosts"] == found["domains-app-vhosts"] == "a.com"


def test_no_domain_is_lost_among_fifty_at_once(dokku: Dokku) -> None:
    """LCK-7"""
    app = dokku.make_app("web")
    with ThreadPoolExecutor(max_workers=10) as pool:
        codes = [
            done.code for done in pool.map(lambda n: dokku("domains:add", "web", f"d{n}.com"), range(50))
        ]
    assert codes == [0] * 50
    assert sorted((app / "VHOST").read_text().split()) == sorted(f"d{n}.com" for n in range(50))


@pytest.mark.parametrize("workers", [(), ("--parallel", "2")])
def test_all_apps_lose_their_names_and_get_them_back(dokku: Dokku, workers: tuple[str, ...]) -> None:
    directories = [dokku.make_app(name) for name in ("one", "two")]
    dokku("domains:set-global", "dokku.me")
    done = dokku("domains:reset", "--all", *workers)
    assert done.code == 0, done
    assert "-----> Reset domains for one\n" in done.out
    assert [(app / "VHOST").read_text() for app in directories] == ["one.dokku.me\n", "two.dokku.me\n"]
    assert dokku("domains:disable", "--all", *workers).code == 0
    assert not any((app / "VHOST").exists() for app in directories)
    assert dokku("domains:enable", *workers, "--all").code == 0
    dokku("domains:add", "two", "mine.com")
    assert dokku("domains:clear", "--all", *workers).code == 0
    assert [(app / "VHOST").read_text() for app in directories] == ["one.dokku.me\n", "two.dokku.me\n"]


def test_one_apps_bad_file_keeps_no_other_from_its_names(dokku: Dokku) -> None:
    for name in ("broken", "sound"):
        dokku.make_app(name)
    (dokku.root / "broken/ENV").write_text("A='open\n")
    dokku("domains:set-global", "dokku.me")
    done = dokku("domains:clear", "--all")
    assert done.code == 1
    assert "app broken" in done.err
    assert (dokku.root / "sound/VHOST").read_text() == "sound.dokku.me\n"


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_a_name_in_another_script_arrives_in_any_locale(dokku: Dokku, locale: str) -> None:
    app = dokku.make_app("web")
    done = dokku("domains:add", "web", "Bücher.example", env={"LC_ALL": locale})
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "       Bücher.example is xn--bcher-kva.example in DNS",
        "-----> Added xn--bcher-kva.example to web",
    ]
    assert (app / "VHOST").read_text() == "xn--bcher-kva.example\n"
    refused = dokku("domains:add", "web", "faß.de", env={"LC_ALL": locale})
    assert (refused.code, refused.err.splitlines()[0]) == (1, " !     faß.de is invalid. exiting...")
