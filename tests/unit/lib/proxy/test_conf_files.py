"""What nginx reads of an app, and the note of what it has read."""

import os

import pytest

from lib.base import files, properties, settings
from lib.proxy import conf_files

APP = "blog"


@pytest.fixture(autouse=True)
def blog(fs):
    os.makedirs(settings.app_dir(APP))


def test_nothing_on_disk_is_nothing_in_force():
    assert conf_files.current(APP) is None
    assert conf_files.is_in_force(APP)


@pytest.mark.parametrize(
    "changed", ["nginx.conf", "nginx.conf.d/auth.conf", "tls/server.crt", "tls/server.key"]
)
def test_a_change_behind_our_back_is_not_in_force(changed):
    conf_files.write(APP, "server {}")
    conf_files.note_in_force(APP)
    assert conf_files.is_in_force(APP)

    files.replace(os.path.join(settings.app_dir(APP), changed), "something else")

    assert not conf_files.is_in_force(APP)


def test_a_file_of_another_kind_beside_the_includes_changes_nothing():
    conf_files.write(APP, "server {}")
    conf_files.note_in_force(APP)

    files.replace(os.path.join(conf_files.includes(APP), "README"), "read me")

    assert conf_files.is_in_force(APP)


def test_what_nginx_took_last_survives_what_it_did_not_take():
    conf_files.write(APP, "good")
    conf_files.note_in_force(APP)
    conf_files.doubt(APP)
    conf_files.write(APP, "bad")

    assert conf_files.last_good(APP) == "good"
    assert not conf_files.is_in_force(APP)


def test_forgetting_an_app_leaves_what_people_added():
    conf_files.write(APP, "server {}")
    conf_files.note_in_force(APP)
    files.replace(os.path.join(conf_files.includes(APP), "auth.conf"), "auth_basic on;")

    conf_files.forget(APP)

    assert conf_files.current(APP) is None
    assert conf_files.last_good(APP) is None
    assert not properties.is_set("nginx", APP, "in-force")
    assert os.path.exists(os.path.join(conf_files.includes(APP), "auth.conf"))


@pytest.mark.parametrize("blank", [" ", "\n  "])
def test_a_file_without_a_note_leads_where_its_servers_are(blank):
    assert conf_files.addresses(APP) is None
    lines = ("upstream x {", "server 172.17.0.12:5000;", "server [fd00::2]:5000;", "}")
    conf_files.write(APP, blank.join(lines))
    assert conf_files.addresses(APP) == {"172.17.0.12", "fd00::2"}


@pytest.mark.parametrize("addresses", [[], ["172.17.0.2"], ["172.17.0.2", "fd00::2"]])
def test_a_file_leads_where_we_noted_whatever_its_text_says(addresses):
    text = "# leads to 10.0.0.1\nserver { location / { proxy_pass http://10.0.0.9:80; } }"
    conf_files.write(APP, conf_files.noted(text, addresses))
    assert conf_files.addresses(APP) == set(addresses)


def test_a_build_says_that_browsers_will_insist_on_https(capfd):
    conf_files.write_hsts(APP)
    for name in ("server.crt", "server.key"):
        files.replace(os.path.join(settings.app_dir(APP), "tls", name), "pem")
    assert capfd.readouterr().out == ""

    conf_files.write_hsts(APP)
    assert capfd.readouterr().out == "       Enabling HSTS\n"

    properties.write("nginx", APP, "hsts", "false")
    conf_files.write_hsts(APP)
    assert capfd.readouterr().out == ""
