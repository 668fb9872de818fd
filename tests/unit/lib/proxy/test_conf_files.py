"""What nginx reads of an app, and the note of what it has read."""

import os

import pytest

from lib.base import files, properties, settings
from lib.proxy import conf_files, conf_notes
from lib.proxy.conf_notes import Note

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
    conf_files.note_in_force([APP])
    assert conf_files.is_in_force(APP)

    files.replace(os.path.join(settings.app_dir(APP), changed), "something else")

    assert not conf_files.is_in_force(APP)


def test_what_is_noted_of_one_app_stays_when_another_is_forgotten():
    os.makedirs(settings.app_dir("wiki"))
    for app in (APP, "wiki"):
        conf_files.write(app, "server {}")
    conf_files.note_in_force([APP, "wiki"])
    conf_files.forget("wiki")
    assert conf_files.taken().keys() == {APP}
    assert conf_files.is_in_force(APP)


def test_a_file_of_another_kind_beside_the_includes_changes_nothing():
    conf_files.write(APP, "server {}")
    conf_files.note_in_force([APP])

    files.replace(os.path.join(conf_files.includes(APP), "README"), "read me")

    assert conf_files.is_in_force(APP)


def test_what_nginx_took_last_survives_what_it_did_not_take():
    conf_files.write(APP, "good")
    conf_files.note_in_force([APP])
    conf_files.doubt([APP])
    conf_files.write(APP, "bad")

    assert conf_files.last_good(APP) == "good"
    assert not conf_files.is_in_force(APP)


def test_forgetting_an_app_leaves_what_people_added():
    conf_files.write(APP, "server {}")
    conf_files.note_in_force([APP])
    files.replace(os.path.join(conf_files.includes(APP), "auth.conf"), "auth_basic on;")

    conf_files.forget(APP)

    assert conf_files.current(APP) is None
    assert conf_files.last_good(APP) is None
    assert conf_files.taken() == {}
    assert os.path.exists(os.path.join(conf_files.includes(APP), "auth.conf"))


def test_a_file_leads_where_its_note_says():
    assert conf_files.addresses(APP) is None
    conf_files.write(APP, conf_notes.signed("server 10.0.0.1:80;", Note(["172.17.0.2"], [], [])))
    assert conf_files.addresses(APP) == {"172.17.0.2"}


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
