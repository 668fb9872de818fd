"""A scheduler of a plugin, which says where its containers are and has our proxy lead there."""


def test_nginx_leads_to_where_the_scheduler_of_a_plugin_runs_an_app(dokku):
    app = dokku.make_app("blog")
    assert dokku("config:set", "--no-restart", "blog", "DOKKU_SCHEDULER=nomad").code == 0
    assert dokku("domains:set", "blog", "blog.example.com").code == 0
    assert dokku("ports:set", "blog", "http:80:8080").code == 0
    (dokku.root.parent / "nginx.pid").write_text("1\n")
    script = """#!/bin/sh
[ "$1" = nomad ] || exit 0
plugn trigger network-write-ipaddr "$2" web 1 10.0.0.7
plugn trigger network-write-port "$2" web 1 8080
plugn trigger network-config-exists "$2"
plugn trigger network-get-listeners "$2" web
plugn trigger core-post-deploy "$2" 8080 10.0.0.7 latest
"""
    dokku.plugin("nomad", scheduler_deploy=script)
    done = dokku("plugin:trigger", "scheduler-deploy", "nomad", "blog", "latest")
    assert done.out.startswith("true\n10.0.0.7:8080\n"), done
    assert "  server 10.0.0.7:8080;" in (app / "nginx.conf").read_text()
