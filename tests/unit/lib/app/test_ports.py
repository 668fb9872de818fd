from pathlib import Path
from typing import Any

import pytest

from lib.app import config, ports
from lib.base import properties, settings
from lib.base.errors import DokkuError

Output = pytest.CaptureFixture[str]


@pytest.fixture
def app(fs: Any) -> Path:
    directory = Path(settings.app_dir("web"))
    directory.mkdir(parents=True)
    return directory


def give_certificate(app: Path) -> None:
    (app / "tls").mkdir()
    for name in ("server.crt", "server.key"):
        (app / "tls" / name).write_text("pem")


def mapped() -> list[str]:
    return [str(entry) for entry in ports.mapped("web")]


def test_without_anything_80_leads_to_5000(app: Path) -> None:
    assert mapped() == ["http:80:5000"]


def test_a_certificate_adds_443(app: Path) -> None:
    give_certificate(app)
    assert mapped() == ["http:80:5000", "https:443:5000"]


def test_half_a_certificate_adds_nothing(app: Path) -> None:
    give_certificate(app)
    (app / "tls/server.key").write_text("")
    assert mapped() == ["http:80:5000"]


def test_the_registered_port_of_the_first_web_container_counts(app: Path) -> None:
    (app / "PORT.web.1").write_text("3000\n")
    assert mapped() == ["http:80:3000"]


def test_exposed_ports_are_reached_under_their_own_numbers(app: Path) -> None:
    config.set_values("web", {"DOKKU_DOCKERFILE_PORTS": "3001/udp 3003 3000/tcp 99999 3000"})
    assert ports.exposed_ports("web") == [3003, 3000]
    assert mapped() == ["http:3000:3000", "http:3003:3003"]


def test_an_exposed_80_gets_443_with_a_certificate(app: Path) -> None:
    config.set_values("web", {"DOKKU_DOCKERFILE_PORTS": "80"})
    give_certificate(app)
    assert mapped() == ["http:80:80", "https:443:80"]


@pytest.mark.parametrize(
    ("exposed", "found"),
    [
        ("443", ["https:443:443"]),
        ("80 443", ["http:80:80", "https:443:80"]),
        ("3000 443", ["http:3000:3000", "https:443:443"]),
        ("3000", ["http:3000:3000"]),
    ],
)
def test_https_of_a_certificate_wins_over_an_exposed_443(app: Path, exposed: str, found: list[str]) -> None:
    config.set_values("web", {"DOKKU_DOCKERFILE_PORTS": exposed})
    assert not any("https" in entry for entry in mapped())
    give_certificate(app)
    assert mapped() == found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("http:443:443 http:80:80", "http:80:80 https:443:80"),
        ("http:443:443", "https:443:443"),
        ("http:3000:3000", "http:3000:3000"),
        ("grpcs:443:5000 http:81:1", "grpcs:443:5000 http:81:1"),
    ],
)
def test_https_of_a_certificate_wins_over_a_plain_map_of_the_users(
    app: Path, before: str, after: str
) -> None:
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": before})
    give_certificate(app)
    ports.follow_certificate("web")
    assert config.get("web", "DOKKU_PROXY_PORT_MAP") == after


def test_a_certificate_that_serves_nothing_is_told(app: Path, capfd: Output) -> None:
    config.set_values("web", {"DOKKU_DOCKERFILE_PORTS": "3000"})
    give_certificate(app)
    ports.follow_certificate("web")
    assert capfd.readouterr().err.splitlines() == [
        " !     The certificate of web serves nothing: its ports are http:3000:3000",
        " !     To serve with it: dokku ports:set web http:80:3000 https:443:3000",
    ]
    config.set_values("web", {"DOKKU_DOCKERFILE_PORTS": "80"})
    ports.follow_certificate("web")
    assert capfd.readouterr().err == ""


def test_the_hosts_ports_can_be_elsewhere(app: Path) -> None:
    config.set_values(config.GLOBAL, {"DOKKU_PROXY_PORT": "8080", "DOKKU_PROXY_SSL_PORT": "8443"})
    give_certificate(app)
    assert mapped() == ["http:8080:5000", "https:8443:5000"]


def test_the_apps_port_comes_before_the_hosts(app: Path) -> None:
    config.set_values(config.GLOBAL, {"DOKKU_PROXY_PORT": "8080"})
    config.set_values("web", {"DOKKU_PROXY_PORT": "8081"})
    assert mapped() == ["http:8081:5000"]


def test_an_app_without_domains_has_no_port_until_it_is_given_one_for_good(app: Path, capfd: Output) -> None:
    config.set_values("web", {"NO_VHOST": "1"})
    assert mapped() == []
    ports.settle("web")
    assert capfd.readouterr().out == "-----> no proxy port set. setting to random open high port\n"
    given = config.get("web", "DOKKU_PROXY_PORT")
    assert 1025 <= int(given) <= 65535
    assert mapped() == [f"http:{given}:5000"]
    ports.settle("web")
    assert config.get("web", "DOKKU_PROXY_PORT") == given
    assert capfd.readouterr().out == ""


def test_an_app_without_domains_but_with_a_certificate_is_given_two_ports(app: Path, capfd: Output) -> None:
    config.set_values("web", {"NO_VHOST": "1"})
    give_certificate(app)
    ports.settle("web")
    assert "-----> no proxy ssl port set. setting to random open high port\n" in capfd.readouterr().out
    assert [entry.split(":")[0] for entry in mapped()] == ["http", "https"]


def test_a_detected_map_is_not_written_into_the_config(app: Path) -> None:
    ports.settle("web")
    assert config.values("web") == {}
    assert [str(entry) for entry in ports.listed("web")] == ["http:80:5000"]


def test_what_the_user_sets_replaces_what_is_detected(app: Path) -> None:
    ports.set_("web", ["https:8443:5003", "http:1234:5001", "http:8080:5002", "http:1234:5001"])
    assert config.get("web", "DOKKU_PROXY_PORT_MAP") == "http:1234:5001 http:8080:5002 https:8443:5003"
    assert mapped() == ["http:1234:5001", "http:8080:5002", "https:8443:5003"]


def test_adding_adds_to_what_people_were_shown(app: Path) -> None:
    ports.settle("web")
    ports.add("web", ["http:8080:5001"])
    assert mapped() == ["http:8080:5001", "http:80:5000"]


def test_adding_to_a_new_app_starts_from_nothing(app: Path) -> None:
    ports.add("web", ["http:8080:5001", "http:8080:5001"])
    assert mapped() == ["http:8080:5001"]


def test_one_scheme_and_port_lead_to_one_place(app: Path) -> None:
    ports.add("web", ["http:1234:5001"])
    with pytest.raises(DokkuError, match=r"^Error validating new port mappings: .* being reused: http:1234$"):
        ports.add("web", ["http:1234:5002"])
    assert mapped() == ["http:1234:5001"]


def test_entries_go_by_host_port_or_as_a_whole(app: Path) -> None:
    ports.set_("web", ["http:80:5000", "https:80:5000", "http:81:5000", "http:82:5000"])
    ports.remove("web", ["80", "http:81:5000", "http:82:9999"])
    assert mapped() == ["http:82:5000"]


def test_without_the_last_entry_the_map_is_detected_again(app: Path) -> None:
    ports.set_("web", ["http:82:5000"])
    ports.remove("web", ["82"])
    assert "DOKKU_PROXY_PORT_MAP" not in config.values("web")
    assert mapped() == ["http:80:5000"]


def test_clearing_leads_back_to_the_detected_map(app: Path, capfd: Output) -> None:
    ports.set_("web", ["http:82:5000"])
    ports.clear("web")
    ports.show("web")
    assert capfd.readouterr().out.split()[-3:] == ["http", "80", "5000"]


@pytest.mark.parametrize("change", [ports.add, ports.set_, ports.remove])
@pytest.mark.parametrize("words", [None, []])
def test_no_map_is_refused(app: Path, change: Any, words: Any) -> None:
    with pytest.raises(DokkuError, match=r"^No port mapping specified$"):
        change("web", words)


def test_a_bare_port_is_no_map_to_add(app: Path) -> None:
    with pytest.raises(DokkuError, match=r"^No port mapping specified$"):
        ports.add("web", ["8080"])


def test_words_on_disk_that_are_no_maps_are_left_out(app: Path) -> None:
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "http:80;evil:1 http:81:5000 x"})
    assert mapped() == ["http:81:5000"]


def test_a_map_that_a_later_release_stored_is_read(app: Path) -> None:
    properties.write_list("ports", "web", "map", ["http:81:5000"])
    assert mapped() == ["http:81:5000"]
    ports.clear("web")
    assert mapped() == ["http:80:5000"]


def test_the_table_is_dokkus(app: Path, capfd: Output) -> None:
    ports.set_("web", ["http:1234:5001", "https:8443:5003"])
    ports.show("web")
    assert capfd.readouterr().out == (
        "-----> Port mappings for web\n"
        "    -----> scheme  host port  container port\n"
        "    http           1234       5001\n"
        "    https          8443       5003\n"
    )


def test_no_map_to_show_is_a_failure(app: Path) -> None:
    with pytest.raises(DokkuError, match=r"^No port mappings configured for app$"):
        ports.show("web")


def test_a_port_is_found_that_nobody_has(app: Path) -> None:
    import socket

    port = ports.available()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))


def test_no_two_ports_that_are_asked_for_are_the_same(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.set_values("web", {"DOKKU_PROXY_PORT_MAP": "http:1025:5000"})
    offered = iter([0, 1, 1, 0, 2])
    monkeypatch.setattr("secrets.randbelow", lambda _: next(offered))
    assert [ports.available(), ports.available()] == [1026, 1027]


def test_a_copy_of_an_app_gets_ports_of_its_own(app: Path) -> None:
    config.set_values("web", {"NO_VHOST": "1", "DOKKU_PROXY_PORT": "4711"})
    ports.separate("web")
    assert mapped() == []


def test_a_builder_can_say_what_its_images_listen_at(app: Path) -> None:
    config.set_values("web", {"DOKKU_DOCKERFILE_PORTS": "3000"})
    ports.announce("web", ["http:80:8080", "grpc:9000:9001"])
    assert mapped() == ["grpc:9000:9001", "http:80:8080"]
    give_certificate(app)
    assert mapped() == ["grpc:9000:9001", "http:80:8080", "https:443:8080"]
    ports.set_("web", ["http:81:1"])
    assert mapped() == ["http:81:1"]
    ports.clear("web")
    ports.announce("web", [])
    assert mapped() == ["http:3000:3000"]


def test_what_a_builder_says_of_80_is_meant_for_the_apps_own_port(app: Path, capfd: Output) -> None:
    ports.announce("web", ["http:80:8080", "https:443:8443"])
    config.set_values("web", {"NO_VHOST": "1"})
    assert mapped() == []
    ports.settle("web")
    given = config.get("web", "DOKKU_PROXY_PORT")
    assert "no proxy port set" in capfd.readouterr().out
    assert mapped() == [f"http:{given}:8080"]


def test_what_a_builder_says_is_checked(app: Path) -> None:
    with pytest.raises(DokkuError, match="Invalid port map"):
        ports.announce("web", ["http:80:8080", "http:80;x:1"])
    assert mapped() == ["http:80:5000"]


def test_plugins_ask_for_one_setting(app: Path) -> None:
    ports.set_("web", ["http:81:5000", "http:82:5000"])
    asked = {
        key: ports.setting("web", key) for key in ("map", "map-detected", "proxy-port", "proxy-ssl-port", "x")
    }
    assert asked == {
        "map": "http:81:5000 http:82:5000",
        "map-detected": "http:80:5000",
        "proxy-port": "80",
        "proxy-ssl-port": "443",
        "x": "",
    }


def test_a_map_is_dropped_without_a_word_to_proxies(app: Path, capfd: Output) -> None:
    ports.set_("web", ["http:81:5000"])
    ports.drop_map("web")
    assert config.values("web") == {}


def test_programs_are_shown_an_empty_map_as_one(app: Path, capfd: Output) -> None:
    ports.show("web", "json")
    assert capfd.readouterr().out == "[]\n"
    ports.set_("web", ["http:81:5000"])
    ports.show("web", "json")
    assert capfd.readouterr().out == '[{"scheme":"http","host_port":81,"container_port":5000}]\n'
    with pytest.raises(DokkuError, match="Invalid output format"):
        ports.show("web", "yaml")


def config_map() -> str:
    return config.get("web", "DOKKU_PROXY_PORT_MAP")


def test_a_certificate_lets_443_lead_where_80_does(app: Path) -> None:
    ports.set_("web", ["http:80:3000", "http:81:5000", "https:443:9000", "https:8443:9000"])
    ports.follow_certificate("web")
    assert config_map() == "http:80:3000 http:81:5000 https:443:3000 https:8443:9000"


def test_a_certificate_leaves_a_map_without_80_and_the_detected_one_alone(app: Path) -> None:
    ports.follow_certificate("web")
    assert config_map() == ""
    ports.set_("web", ["http:81:5000", "https:443:9000"])
    ports.follow_certificate("web")
    assert config_map() == "http:81:5000 https:443:9000"


def test_a_certificate_follows_to_the_hosts_own_ports(app: Path) -> None:
    config.set_values(config.GLOBAL, {"DOKKU_PROXY_PORT": "8080", "DOKKU_PROXY_SSL_PORT": "8443"})
    ports.set_("web", ["http:8080:3000"])
    ports.follow_certificate("web")
    assert config_map() == "http:8080:3000 https:8443:3000"
    ports.forget_certificate("web")
    assert config_map() == "http:8080:3000"


def test_where_both_80_and_another_port_are_everybodys_80_decides(app: Path) -> None:
    config.set_values(config.GLOBAL, {"DOKKU_PROXY_PORT": "8080"})
    ports.set_("web", ["http:8080:3000", "http:80:5000"])
    ports.follow_certificate("web")
    assert config_map() == "http:8080:3000 http:80:5000 https:443:5000"


def test_usual_ports_that_were_set_are_forgotten_with_a_certificate(app: Path) -> None:
    config.set_values("web", {"DOKKU_PROXY_PORT": "80", "DOKKU_PROXY_SSL_PORT": "443"})
    ports.follow_certificate("web")
    assert config.values("web") == {}
    config.set_values("web", {"DOKKU_PROXY_PORT": "81", "DOKKU_PROXY_SSL_PORT": "8443"})
    ports.follow_certificate("web")
    assert config.values("web") == {"DOKKU_PROXY_PORT": "81", "DOKKU_PROXY_SSL_PORT": "8443"}


def test_without_its_certificate_443_leads_nowhere(app: Path) -> None:
    config.set_values("web", {"DOKKU_PROXY_SSL_PORT": "8443"})
    ports.set_("web", ["https:443:3000", "https:444:3000", "http:80:3000"])
    ports.forget_certificate("web")
    assert config.values("web") == {"DOKKU_PROXY_PORT_MAP": "http:80:3000 https:444:3000"}
    ports.set_("web", ["https:443:3000"])
    ports.forget_certificate("web")
    assert config.values("web") == {}
