import errno
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.app import config, domains
from lib.base import properties, settings
from lib.base.errors import AppsFailed, DokkuError
from lib.proxy import batching, conf_files, traffic, vhosts
from tests.unit.lib.proxy.conftest import Host

Output = pytest.CaptureFixture[str]


def upstream(text: str | None) -> list[str]:
    return re.findall(r"^  server (.*);$", text or "", re.MULTILINE)


def test_an_app_is_tested_and_loaded_once(host: Host, capfd: Output) -> None:
    host.app("web", "10.0.0.2", "10.0.0.3")
    assert vhosts.build(["web"]) is True
    assert upstream(host.in_force["web"]) == ["10.0.0.2:5000", "10.0.0.3:5000"]
    assert (host.count("nginx -t"), host.count("nginx -s reload")) == (1, 1)
    assert capfd.readouterr().out.splitlines() == [
        "-----> Creating new app virtual host file...",
        "-----> Configuring web.dokku.me...(using built-in template)",
        "-----> Creating http nginx.conf",
        "       Reloading nginx",
    ]


def test_nothing_is_tested_or_loaded_when_nothing_changed(host: Host) -> None:
    host.app("web", "10.0.0.2")
    vhosts.build(["web"])
    host.ran.clear()
    assert vhosts.build(["web"]) is False
    assert [line for line in host.ran if "nginx" in line] == []


def test_many_apps_are_one_test_one_load_and_three_questions_to_docker(host: Host) -> None:
    for number in range(20):
        host.app(f"web{number}", f"10.0.0.{number}")
    vhosts.build([f"web{number}" for number in range(20)])
    assert (host.count("nginx -t"), host.count("nginx -s reload")) == (1, 1)
    kinds = [line.split()[1] for line in host.ran if line.startswith("docker")]
    assert kinds == ["container", "container", "image"]  # where they are, what they run, what is in that
    assert len(host.in_force) == 20


def test_builds_in_a_batch_wait_for_its_end(host: Host) -> None:
    host.app("a", "10.0.0.2")
    host.app("b", "10.0.0.3")
    with batching.batched():
        assert vhosts.build(["a"]) is False
        assert vhosts.build(["b"]) is False
        assert host.conf("a") is None
    assert sorted(host.in_force) == ["a", "b"]
    assert host.count("nginx -s reload") == 1


def build_in_a_batch(*names: str, then: BaseException) -> None:
    with batching.batched():
        vhosts.build(names)
        raise then


def test_what_failed_in_a_batch_is_told_with_what_nginx_refused(host: Host) -> None:
    host.app("good", "10.0.0.2")
    host.app("bad", "10.0.0.3")
    host.refused.append("bad.dokku.me")
    with pytest.raises(DokkuError, match=r"^Invalid nginx config for bad, not put in force$") as caught:
        build_in_a_batch("good", "bad", then=DokkuError("one app failed"))
    assert caught.value.more[-1] == "one app failed"
    assert "good" in host.in_force


def test_what_was_built_before_a_batch_was_interrupted_goes_live(host: Host) -> None:
    host.app("web", "10.0.0.2")
    with pytest.raises(KeyboardInterrupt):
        build_in_a_batch("web", then=KeyboardInterrupt())
    assert sorted(host.in_force) == ["web"]
    assert vhosts.build(["web"]) is False


@pytest.mark.parametrize("culprits", [["web3"], ["web0", "web7"], ["web1", "web2", "web6"], []])
def test_refused_apps_stay_as_they_were_and_the_others_go_live(host: Host, culprits: list[str]) -> None:
    """NGX-3"""
    names = [f"web{number}" for number in range(8)]
    for number, name in enumerate(names):
        host.app(name, f"10.0.0.{number}")
    vhosts.build(names)
    before = dict(host.in_force)
    for name in names:
        Path(domains.path(name)).write_text(f"new-{name}.com\n")
    host.refused += [f"new-{name}.com" for name in culprits]
    if culprits:
        with pytest.raises(DokkuError, match=f"^Invalid nginx config for {', '.join(culprits)}, ") as caught:
            vhosts.build(names)
        assert len(caught.value.more) == len(culprits)
    else:
        vhosts.build(names)
    for name in names:
        assert (f"new-{name}.com" in host.in_force[name]) is (name not in culprits)
        assert (host.conf(name) == before[name]) is (name in culprits)


def test_a_refused_first_file_leaves_none(host: Host) -> None:
    host.app("web", "10.0.0.2")
    host.refused.append("web-5000")
    with pytest.raises(DokkuError, match=r"^Invalid nginx config for web"):
        vhosts.build(["web"])
    assert host.conf("web") is None
    assert host.count("nginx -s reload") == 0


def test_a_broken_file_of_another_app_is_written_anew(host: Host, capfd: Output) -> None:
    """NGX-4"""
    host.app("web", "10.0.0.2")
    directory = host.app("other", "10.0.0.3")
    vhosts.build(["other"])
    good = host.conf("other")
    (directory / "nginx.conf").write_text("bogus")
    vhosts.build(["web"])
    assert host.conf("other") == good
    assert sorted(host.in_force) == ["other", "web"]
    assert "configuration of other is broken" in capfd.readouterr().err


def test_what_somebody_else_broke_is_named_and_left_alone(host: Host) -> None:
    """NGX-4"""
    host.app("web", "10.0.0.2")
    directory = host.app("other", "10.0.0.3")
    vhosts.build(["other"])
    (directory / "nginx.conf.d").mkdir(exist_ok=True)
    (directory / "nginx.conf.d/mine.conf").write_text("bogus")
    with pytest.raises(DokkuError, match=r"other/nginx\.conf\.d/mine\.conf:1") as caught:
        vhosts.build(["web"])
    assert caught.value.more == ("Try: dokku nginx:validate-config other --clean",)
    assert (directory / "nginx.conf.d/mine.conf").read_text() == "bogus"
    assert host.conf("web") is None


def test_a_load_that_nginx_does_not_take_puts_the_files_back(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NGX-3"""
    monkeypatch.setattr("lib.tools.nginx.PATIENCE", 0.1)
    host.app("web", "10.0.0.2")
    vhosts.build(["web"])
    before = host.conf("web")
    host.app("web", "10.0.0.4")
    host.reloads_take = False
    with pytest.raises(DokkuError, match="did not take its new configuration"):
        vhosts.build(["web"])
    assert host.conf("web") == before
    host.reloads_take = True
    assert vhosts.build(["web"]) is True
    assert upstream(host.in_force["web"]) == ["10.0.0.4:5000"]


def test_without_nginx_the_file_is_written_and_the_build_fails(host: Host) -> None:
    """NGX-7"""
    host.app("web", "10.0.0.2")
    host.stop_nginx()
    with pytest.raises(DokkuError, match=r"^nginx is not running$"):
        vhosts.build(["web"])
    assert upstream(host.conf("web")) == ["10.0.0.2:5000"]
    host.start_nginx()
    assert vhosts.build(["web"]) is True


def test_a_pid_of_somebody_else_is_not_nginx(host: Host) -> None:
    Path("/proc/77/cmdline").write_bytes(b"sleep\0100\0")
    host.app("web", "10.0.0.2")
    with pytest.raises(DokkuError, match=r"^nginx is not running$"):
        vhosts.build(["web"])
    assert host.count("nginx -s reload") == 0


def test_a_kill_between_writing_and_loading_is_made_good_by_the_next_build(host: Host) -> None:
    host.app("web", "10.0.0.2")
    vhosts.build(["web"])
    text = (host.conf("web") or "").replace("10.0.0.2", "10.0.0.4")
    host.app("web", "10.0.0.4")
    conf_files.write("web", text)  # what a build does before it is killed
    assert vhosts.build(["web"]) is True
    assert upstream(host.in_force["web"]) == ["10.0.0.4:5000"]


def test_a_kill_between_loading_and_noting_it_is_no_reason_to_trust_an_older_note(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.app("web", "10.0.0.2")
    vhosts.build(["web"])
    host.app("web", "10.0.0.4")

    def kill(app: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(conf_files, "note_in_force", kill)
        with pytest.raises(KeyboardInterrupt):
            vhosts.build(["web"])
    host.app("web", "10.0.0.2")  # the deploy is undone
    assert vhosts.build(["web"]) is True
    assert upstream(host.in_force["web"]) == ["10.0.0.2:5000"]


def test_a_changed_include_or_certificate_is_loaded(host: Host) -> None:
    directory = host.app("web", "10.0.0.2")
    vhosts.build(["web"])
    (directory / "nginx.conf.d").mkdir()
    (directory / "nginx.conf.d/mine.conf").write_text("allow all;")
    assert vhosts.build(["web"]) is True
    (directory / "tls").mkdir()
    for name in ("server.crt", "server.key"):
        (directory / "tls" / name).write_text("pem")
    assert vhosts.build(["web"]) is True
    (directory / "tls/server.crt").write_text("renewed")
    assert vhosts.build(["web"]) is True
    assert vhosts.build(["web"]) is False


def test_a_key_that_only_root_reads_stops_no_build(host: Host, withheld: Callable[[Path], None]) -> None:
    tls = host.app("web", "10.0.0.2") / "tls"
    tls.mkdir()
    (tls / "server.crt").write_text("pem")
    for size in (1, 2):
        (tls / "server.key").unlink(missing_ok=True)
        (tls / "server.key").write_text("x" * size)
        withheld(tls / "server.key")
        assert vhosts.build(["web"]) is True
        assert vhosts.build(["web"]) is False


def test_an_app_that_was_never_deployed_gets_no_file(host: Host) -> None:
    host.app("web")
    assert vhosts.build(["web"]) is False
    assert host.conf("web") is None


def test_an_app_with_its_proxy_off_loses_its_file(host: Host, capfd: Output) -> None:
    host.app("web", "10.0.0.2")
    vhosts.build(["web"])
    config.set_values("web", {"DOKKU_DISABLE_PROXY": "1"})
    capfd.readouterr()
    vhosts.build(["web"])
    assert host.in_force == {}
    assert capfd.readouterr().out.splitlines()[:3] == [
        "-----> nginx support is disabled for app (web).",
        "-----> deleting nginx.conf",
        "-----> reloading nginx after nginx.conf deletion",
    ]


def test_an_app_that_was_stopped_answers_502_at_once(host: Host) -> None:
    directory = host.app("web", "10.0.0.2")
    vhosts.build(["web"])
    for name in ("CONTAINER", "IP", "PORT"):
        (directory / f"{name}.web.1").unlink()
    properties.write("common", "web", "deployed", "true")
    traffic.stopped("web")
    assert "10.0.0.2" not in host.in_force["web"]
    assert "return 502;" in host.in_force["web"]
    assert "server_name web.dokku.me;" in host.in_force["web"]


def test_clearing_takes_the_file_and_loads(host: Host) -> None:
    host.app("web", "10.0.0.2")
    vhosts.build(["web"])
    vhosts.clear(["web", "never-built"])
    assert host.in_force == {}
    assert [path.name for path in Path(settings.app_dir("web")).glob("nginx.conf*")] == []


def test_clearing_works_whatever_state_nginx_is_in(host: Host, capfd: Output) -> None:
    host.app("web", "10.0.0.2")
    vhosts.build(["web"])
    broken = host.app("broken")
    (broken / "nginx.conf.d").mkdir()
    (broken / "nginx.conf.d/mine.conf").write_text("bogus")
    vhosts.clear(["web"])
    assert host.conf("web") is None
    assert "bogus" in capfd.readouterr().err
    host.stop_nginx()
    vhosts.clear(["web"])


def test_the_first_app_keeps_a_domain_and_the_next_inherits_it(host: Host, capfd: Output) -> None:
    """NGX-6"""
    host.app("zebra", "10.0.0.2", domains="shared.com z.com")
    host.app("ant", "10.0.0.3", domains="shared.com a.com")
    vhosts.build(["zebra"])
    vhosts.build(["ant"])
    assert "server_name a.com;" in host.in_force["ant"]
    assert "server_name shared.com z.com;" in host.in_force["zebra"]
    assert "Skipping domain shared.com of ant: it belongs to zebra" in capfd.readouterr().err
    Path(domains.path("zebra")).write_text("z.com\n")
    vhosts.build(["zebra"])
    assert "server_name shared.com a.com;" in host.in_force["ant"]


def test_a_domain_of_an_app_that_is_cleared_goes_to_the_next(host: Host) -> None:
    host.app("zebra", "10.0.0.2", domains="shared.com")
    host.app("ant", "10.0.0.3", domains="shared.com")
    vhosts.build(["zebra"])
    vhosts.build(["ant"])
    assert host.conf("ant") is None
    vhosts.clear(["zebra"])
    assert "server_name shared.com;" in host.in_force["ant"]


def test_apps_built_together_share_out_domains_by_name(host: Host) -> None:
    host.app("zebra", "10.0.0.2", domains="shared.com z.com")
    host.app("ant", "10.0.0.3", domains="shared.com a.com")
    vhosts.build(["zebra", "ant"])
    assert "server_name shared.com a.com;" in host.in_force["ant"]
    assert "server_name z.com;" in host.in_force["zebra"]


def test_the_app_of_another_proxy_is_not_ours(host: Host) -> None:
    host.app("web", "10.0.0.2")
    config.set_values("web", {"DOKKU_APP_PROXY_TYPE": "haproxy"})
    traffic.answer("nginx")("web")
    assert host.ran == []


def test_urls_are_left_for_plugins(host: Host) -> None:
    directory = host.app("web", "10.0.0.2")
    vhosts.build(["web"])
    assert (directory / "URLS").read_text().splitlines()[1:] == ["http://web.dokku.me"]


def test_an_app_whose_only_domain_is_anothers_keeps_its_last_file_and_both_are_named(host: Host) -> None:
    host.app("zebra", "10.0.0.2", domains="z.com")
    host.app("ant", "10.0.0.3", domains="a.com")
    vhosts.build(["zebra", "ant"])
    before = host.conf("ant")
    Path(domains.path("ant")).write_text("z.com\n")
    Path(domains.path("zebra")).write_text("z.com\nmore.com\n")
    with pytest.raises(AppsFailed, match=r"^Invalid nginx config for ant, ") as caught:
        vhosts.build(["zebra", "ant"])
    assert caught.value.reasons == {"ant": "z.com belongs to zebra"}
    assert host.conf("ant") == host.in_force["ant"] == before
    assert "server_name z.com more.com;" in host.in_force["zebra"]


def test_culprits_that_nginx_names_are_found_without_trying_in_parts(host: Host) -> None:
    names = [f"web{number}" for number in range(64)]
    for number, name in enumerate(names):
        host.app(name, f"10.0.0.{number}")
    host.refused += ["web7.dokku.me", "web33.dokku.me", "web60.dokku.me"]
    with pytest.raises(AppsFailed) as caught:
        vhosts.build(names)
    assert sorted(caught.value.reasons) == ["web33", "web60", "web7"]
    assert len(host.in_force) == 61
    assert host.count("nginx -t") <= 2 + 1 + 3


def test_a_file_that_can_not_be_written_is_its_own_apps_failure(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"web{number}" for number in range(20)]
    for number, name in enumerate(names):
        host.app(name, f"10.0.0.{number}")
    real = conf_files.write

    def write(app: str, text: str | None) -> None:
        if app == "web4":
            raise OSError(errno.ENOSPC, "No space left on device")
        real(app, text)

    monkeypatch.setattr(conf_files, "write", write)
    with pytest.raises(AppsFailed) as caught:
        vhosts.build(names)
    assert caught.value.reasons == {"web4": f"{conf_files.path('web4')}: No space left on device"}
    assert len(host.in_force) == 19


def test_what_could_not_be_noted_is_loaded_again_by_the_next_build(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.app("web", "10.0.0.2")

    def no_room(app: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(conf_files, "note_in_force", no_room)
        assert vhosts.build(["web"]) is True
    assert "web" in host.in_force
    assert vhosts.build(["web"]) is True
    assert vhosts.build(["web"]) is False


def test_who_gives_a_domain_up_does_not_fail_for_an_heir_that_cannot_have_it(
    host: Host, capfd: Output
) -> None:
    host.app("ant", "10.0.0.2", domains="ant.com shop.com")
    host.app("bee", "10.0.0.3", domains="bee.com shop.com")
    vhosts.build(["ant", "bee"])
    host.refused.append("server_name bee.com shop.com;")
    Path(domains.path("ant")).write_text("ant.com\n")
    assert vhosts.build(["ant"])
    assert "server_name ant.com;" in host.in_force["ant"]
    assert "server_name bee.com;" in host.in_force["bee"]
    assert " !     Invalid nginx config for bee, not put in force: unknown" in capfd.readouterr().err
