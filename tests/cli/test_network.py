"""network:* as a user calls it. What containers find on their networks is in tests/system."""

import json

import pytest

# Remembers the networks that it made, in a file beside itself.
DOCKER = """#!/bin/sh
notes="$0.networks"
touch "$notes"
case "$1 $2" in
"network ls")
    for name in bridge host none $(cat "$notes"); do
        echo '{"ID":"1","Name":"'$name'","Driver":"bridge","Scope":"local","CreatedAt":"now","Labels":""}'
    done ;;
"network create")
    for name; do :; done
    if grep -qx "$name" "$notes"; then
        echo "Error response from daemon: network with name $name already exists" >&2
        exit 1
    fi
    echo "$name" >>"$notes"
    echo "$@" >>"$0.calls" ;;
"network rm")
    for name; do :; done
    if ! grep -qx "$name" "$notes"; then
        printf 'Error response from daemon: network %s not found\\nexit status 1\\n' "$name" >&2
        exit 1
    fi
    grep -vx "$name" "$notes" >"$notes.new"
    mv "$notes.new" "$notes" ;;
esac
"""


@pytest.fixture(autouse=True)
def docker(dokku):
    """Docker, as far as networks go; the path of its notes."""
    return dokku.program("docker", DOCKER)


def refusal(text, code=1, out=""):
    return (out, f" !     {text}\n", code)


def test_a_network_is_made_found_listed_and_taken_away(dokku, docker):
    assert dokku("network:exists", "shared") == refusal("Network does not exist")
    assert dokku("network:create", "shared") == ("-----> Creating network shared\n", "", 0)
    calls = docker.with_name("docker.calls").read_text()
    assert calls == "network create --attachable --label=com.dokku.network-name=shared -- shared\n"
    assert dokku("network:exists", "shared") == ("-----> Network exists\n", "", 0)
    assert dokku("--quiet", "network:exists", "shared") == ("", "", 0)
    assert dokku("network:list") == ("=====> Networks\nbridge\nhost\nnone\nshared\n", "", 0)
    assert dokku("--quiet", "network:list").out == "bridge\nhost\nnone\nshared\n"
    assert [one["Name"] for one in json.loads(dokku("network:list", "--format", "json").out)][-1] == "shared"
    assert dokku("network:info", "shared").out.splitlines()[0] == "=====> shared network information"
    again = refusal(
        "docker network create: network with name shared already exists",
        out="-----> Creating network shared\n",
    )
    assert dokku("network:create", "shared") == again
    assert dokku("--force", "network:destroy", "shared") == ("-----> Destroying network shared\n", "", 0)
    gone = refusal("docker network rm: network shared not found", out="-----> Destroying network shared\n")
    assert dokku("network:destroy", "--force", "shared") == gone


def test_destroying_asks_for_the_name(dokku):
    assert dokku("network:create", "shared").code == 0
    refused = dokku("network:destroy", "shared", input="other\n")
    assert refused.code == 1
    assert refused.err.splitlines() == [
        " !     WARNING: Potentially Destructive Action",
        " !     This command will destroy network shared.",
        ' !     To proceed, type "shared"',
        "Confirmation did not match test. Aborted.",
    ]
    assert dokku("network:destroy", "shared").code == 1
    assert dokku("network:exists", "shared").code == 0
    assert dokku("network:destroy", "shared", input="shared").code == 0
    assert dokku("network:exists", "shared").code == 1


@pytest.mark.parametrize("command", ["create", "destroy", "exists", "info"])
def test_a_network_has_to_be_named(dokku, command):
    assert dokku(f"network:{command}") == refusal("No network name specified")
    assert dokku(f"network:{command}", "a b") == refusal("Invalid network name specified: a b")


def test_properties_are_set_reported_and_unset(dokku):
    dokku.make_app("blog")
    done = dokku("network:set", "blog", "attach-post-create", "front", "back")
    assert done == ("=====> Setting attach-post-create to front,back\n", "", 0)
    assert dokku("network:set", "--global", "tld", "svc.local") == (
        "=====> Setting tld to svc.local\n",
        "",
        0,
    )
    assert (dokku.lib / "config/network/blog/attach-post-create").read_text() == "front,back"
    assert dokku("network:report", "blog") == (
        "=====> blog network information\n"
        "       Network attach post create:    front,back\n"
        "       Network attach post deploy:    \n"
        "       Network bind all interfaces:   false\n"
        "       Network web listeners:         \n",
        "",
        0,
    )
    assert dokku("network:report", "blog", "--network-computed-tld").out == "svc.local\n"
    found = json.loads(dokku("network:report", "blog", "--format", "json").out)
    assert (found["tld"], found["network-global-tld"], found["initial-network"]) == ("", "svc.local", "")
    assert dokku("network:report", "--global").out.splitlines()[0] == "=====> --global network information"
    assert dokku("network:set", "blog", "attach-post-create").out == "=====> Unsetting attach-post-create\n"
    assert dokku("network:set", "--global", "tld").out == "=====> Unsetting tld\n"
    assert dokku("network:report", "blog", "--network-computed-tld").out == "\n"


def test_what_makes_no_sense_is_refused(dokku):
    dokku.make_app("blog")
    assert dokku("network:set") == refusal("Please specify an app to run the command on")
    assert dokku("network:set", "nope", "tld", "x") == refusal("App nope does not exist", 20)
    assert dokku("network:set", "blog") == refusal("No property specified")
    assert dokku("network:set", "blog", "attach-post-create", "host") == refusal(
        "Invalid network name specified for attach: host"
    )
    assert dokku("network:set", "--global", "static-web-listener", "10.0.0.1") == refusal(
        "Property cannot be specified globally"
    )
    assert dokku("network:report", "nope") == refusal("App nope does not exist", 20)
    assert dokku("network:report", "blog", "--network-x").err.startswith(
        " !     Invalid flag passed, valid flags: "
    )
    assert dokku("network:rebuild", "nope") == refusal("App nope does not exist", 20)
    assert dokku("network:rebuild") == refusal("Please specify an app to run the command on")


def test_what_was_never_deployed_has_nothing_to_rebuild(dokku):
    assert dokku("network:rebuildall") == refusal("You haven't deployed any applications yet", 0)
    dokku.make_app("blog")
    assert dokku("network:rebuild", "blog") == ("", "", 0)
    for words in ((), ("--parallel", "2")):
        done = dokku("network:rebuildall", *words)
        assert done.code == 0, done
        assert "against" in done.out


def test_copies_have_the_same_networks_and_nothing_is_left_of_what_goes(dokku):
    """LEAK-5"""
    dokku.make_app("blog")
    for key, value in (("attach-post-deploy", "shared"), ("static-web-listener", "10.0.0.7:80")):
        assert dokku("network:set", "blog", key, value).code == 0
    assert dokku("apps:clone", "--skip-deploy", "blog", "copy").code == 0
    assert dokku("network:report", "copy", "--network-attach-post-deploy").out == "shared\n"
    assert dokku("apps:rename", "--skip-deploy", "blog", "new").code == 0
    assert dokku("network:report", "new", "--network-static-web-listener").out == "10.0.0.7:80\n"
    assert dokku("--force", "apps:destroy", "new").code == 0
    assert sorted(path.name for path in (dokku.lib / "config/network").iterdir()) == ["copy"]


def test_an_app_may_be_something_that_is_no_container(dokku):
    """It was never deployed; nginx leads to the address all the same."""
    app = dokku.make_app("panel")
    (dokku.root / "VHOST").write_text("example.com\n")
    assert dokku("domains:set", "panel", "panel.example.com").code == 0
    assert dokku("network:set", "panel", "static-web-listener", "10.0.0.7:8080").code == 0
    (dokku.root.parent / "nginx.pid").write_text("1\n")
    built = dokku("proxy:build-config", "panel")
    text = (app / "nginx.conf").read_text()
    assert "upstream panel-8080 {" in text, built
    assert "  server 10.0.0.7:8080;" in text
    assert dokku("network:report", "panel", "--network-web-listeners").out == "10.0.0.7:8080\n"
    assert dokku("ports:list", "panel").out.split()[-3:] == ["http", "80", "8080"]
