import pytest

from tests.cli.conftest import Dokku
from tests.conftest import needs


@pytest.mark.parametrize(
    "command", ["build-config", "clear-config", "disable", "enable", "ports", "report", "set"]
)
def test_the_app_has_to_exist(dokku: Dokku, command: str) -> None:
    unknown = dokku(f"proxy:{command}", "nope")
    assert (unknown.code, unknown.err) == (20, " !     App nope does not exist\n")
    bad = dokku(f"proxy:{command}", "Nope")
    assert (bad.code, bad.err.startswith(" !     App name must begin with")) == (1, True)


def test_the_proxy_is_switched_off_and_on(dokku: Dokku) -> None:
    dokku.make_app("web")
    off = dokku("proxy:disable", "web")
    assert off.code == 0
    assert off.out.startswith(
        "-----> Disabling proxy for app\n-----> Setting config vars\n       DOKKU_DISABLE_PROXY:"
    )
    assert off.err == " !     App web has not been deployed\n"
    assert dokku("--quiet", "config:get", "web", "DOKKU_DISABLE_PROXY").out == "1\n"
    assert dokku("proxy:report", "web", "--proxy-enabled").out == "false\n"
    assert dokku("proxy:disable", "web").out == "-----> Proxy is already disable for app\n"
    on = dokku("proxy:enable", "web")
    assert on.out.startswith("-----> Enabling proxy for app\n-----> Unsetting DOKKU_DISABLE_PROXY\n")
    assert dokku("proxy:enable", "web").out == "-----> Proxy is already enabled for app\n"


def test_all_apps_are_tried_one_after_another_or_at_once(dokku: Dokku) -> None:
    for name in ("ant", "bee"):
        dokku.make_app(name)
    serial = dokku("proxy:build-config", "--all")
    assert (serial.code, serial.err) == (0, " !     Running build-config in serial mode\n")
    assert serial.out == "".join(
        f"-----> Running build-config against app {name}\n" for name in ("ant", "bee")
    )
    parallel = dokku("proxy:build-config", "--all", "--parallel", "2")
    assert (parallel.code, parallel.err) == (0, "")
    assert sorted(parallel.out.splitlines()) == [
        f"-----> Running command against {name}" for name in ("ant", "bee")
    ]
    refused = dokku("proxy:build-config", "--all", "--parallel", "-2")
    assert (refused.code, refused.err) == (1, " !     Invalid value -2 for --parallel flag\n")


def test_without_apps_all_is_success(dokku: Dokku) -> None:
    """PAR-6"""
    done = dokku("proxy:build-config", "--all")
    assert (done.code, done.err) == (0, " !     You haven't deployed any applications yet\n")


def test_one_failing_app_does_not_keep_the_others_from_being_tried(dokku: Dokku) -> None:
    for name in ("ant", "bee", "cat"):
        dokku.make_app(name)
    dokku.plugin("zz", proxy_build_config='#!/bin/sh\necho "built $1"; [ "$1" != bee ]\n')
    done = dokku("proxy:build-config", "--all")
    assert done.code == 1
    assert [line for line in done.out.splitlines() if line.startswith("built")] == [
        "built ant",
        "built bee",
        "built cat",
    ]
    assert " !     Error running build-config against app bee: exit status 1\n" in done.err
    assert done.err.endswith(" !     build-config command returned 1 errors\n !     Failed apps: bee\n")


@needs("haproxy")
def test_a_type_is_set_in_both_ways(dokku: Dokku) -> None:
    dokku.make_app("web")
    assert dokku("proxy:set", "web", "haproxy").code == 0
    assert dokku("proxy:report", "web", "--proxy-type").out == "haproxy\n"
    assert dokku("proxy:set", "web", "type", "nginx").out == "=====> Setting type to nginx\n"
    assert dokku("proxy:set", "--global", "proxy-port", "8080").code == 0
    assert dokku("proxy:report", "web", "--proxy-computed-proxy-port").out == "8080\n"
    short = dokku("proxy:set", "web", "x")
    assert (short.code, short.err) == (1, " !     Please specify a proxy type\n")


def test_nginx_commands_on_an_app_without_a_file(dokku: Dokku) -> None:
    dokku.make_app("web")
    missing = dokku("nginx:show-config", "web")
    assert (missing.code, missing.err) == (1, " !     No nginx.conf exists for web\n")
    assert dokku("nginx:validate-config") == ("", "", 0)
    assert dokku("nginx:validate-config", "web") == ("", "", 0)
    old = dokku("nginx:build-config", "web")
    assert (old.code, old.err) == (0, " !     Deprecated: Please use proxy:build-config\n")


def test_a_broken_file_is_shown_with_what_nginx_says(dokku: Dokku) -> None:
    app = dokku.make_app("web")
    (app / "nginx.conf").write_text("bogus on;\n")
    said = f'nginx: [emerg] unknown directive "bogus" in {app}/nginx.conf:1'
    dokku.program("tester", f"#!/bin/sh\n[ ! -e {app}/nginx.conf ] || {{ echo '{said}' >&2; exit 1; }}\n")
    dokku.environment["DOKKU_NGINX_TEST_COMMAND"] = str(dokku.bin / "tester")
    broken = dokku("nginx:validate-config", "web")
    assert broken.code == 1
    assert broken.err.splitlines() == [
        " !     Failed to validate nginx config for web. Contents below...",
        "bogus on;",
        "",
        f' !     unknown directive "bogus" in {app}/nginx.conf:1',
    ]
    cleaned = dokku("nginx:validate-config", "web", "--clean")
    assert (cleaned.code, cleaned.err.splitlines()[-1]) == (0, " !     Removing invalid nginx file")
    assert not (app / "nginx.conf").exists()
    assert (app / "nginx.conf.invalid").read_text() == "bogus on;\n"


def test_the_file_is_shown_as_it_is(dokku: Dokku) -> None:
    app = dokku.make_app("web")
    (app / "nginx.conf").write_text("# é\n")
    assert dokku("nginx:show-config", "web") == ("# é\n", "", 0)
    assert dokku("nginx:show-conf", "web").err == " !     Deprecated: Please use nginx:show-config\n"


def test_clearing_takes_files_away(dokku: Dokku) -> None:
    for name in ("ant", "bee", "cat"):
        (dokku.make_app(name) / "nginx.conf").write_text("#\n")
    assert dokku("proxy:clear-config", "ant") == ("", "", 0)
    assert [path.parent.name for path in sorted(dokku.root.glob("*/nginx.conf"))] == ["bee", "cat"]
    assert dokku("proxy:clear-config", "--all") == ("", "", 0)
    assert list(dokku.root.glob("*/nginx.conf")) == []


def test_nginx_options_are_set_checked_and_reported(dokku: Dokku) -> None:
    dokku.make_app("web")
    assert (
        dokku("nginx:set", "web", "proxy-read-timeout", "45s").out
        == "=====> Setting proxy-read-timeout to 45s\n"
    )
    assert dokku("nginx:report", "web", "--nginx-proxy-read-timeout").out == "45s\n"
    refused = dokku("nginx:set", "web", "proxy-read-timeout", "60s; return 200")
    assert (refused.code, refused.err) == (
        1,
        " !     Invalid value for proxy-read-timeout: 60s; return 200\n",
    )
    assert dokku("nginx:set", "--global", "hsts", "false").code == 0
    assert dokku("nginx:report", "web", "--nginx-computed-hsts").out == "false\n"
    assert dokku("nginx:set", "nope", "hsts", "true").code == 20
