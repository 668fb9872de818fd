"""nginx.conf.sigil of an app, and its logs, on real docker and nginx: one app, two deploys."""

import time
from collections.abc import Iterator

import pytest

from tests.system.conftest import BASE_IMAGE, Instance

TEMPLATE = """
{{ range $port_map := .PROXY_PORT_MAP | split " " }}
{{ $port_map_list := $port_map | split ":" }}
{{ if eq (index $port_map_list 0) "http" }}
server {
  listen      {{ index $port_map_list 1 }};
  {{ if $.NOSSL_SERVER_NAME }}server_name {{ $.NOSSL_SERVER_NAME }}; {{ end }}
  access_log  {{ $.NGINX_ACCESS_LOG_PATH }};
  error_log   {{ $.NGINX_ERROR_LOG_PATH }};
  location = /mine { return 200 "mine, {{ $.APP }} {{ var "COLOUR" }}"; }
  location / { proxy_pass http://{{ $.APP }}-{{ index $port_map_list 2 }}; }
  include {{ $.DOKKU_ROOT }}/{{ $.APP }}/nginx.conf.d/*.conf;
}
{{ end }}
{{ end }}
{{ range $upstream_port := .PROXY_UPSTREAM_PORTS | split " " }}
upstream {{ $.APP }}-{{ $upstream_port }} {
{{ range $listener := $.DOKKU_APP_WEB_LISTENERS | split " " }}
  server {{ index (split ":" $listener) 0 }}:{{ $upstream_port }};
{{ end }}
}
{{ end }}
"""
DOCKERFILE = f"""FROM {BASE_IMAGE}
RUN mkdir -p /www && echo page >/www/index.html
COPY serve nginx.conf.sigil /app/
WORKDIR /app
CMD ["/app/serve"]
"""


@pytest.fixture(scope="module")
def app(instance: Instance) -> Iterator[str]:
    """An app that was deployed with a template, and then pushed once more with a bad one, in vain."""
    name = instance.name("nginx-template")
    files = {**instance.sample(), "Dockerfile": DOCKERFILE, "nginx.conf.sigil": TEMPLATE}
    assert instance.dokku("apps:create", name).code == 0
    assert instance.dokku("config:set", "--no-restart", name, "COLOUR=blue").code == 0
    repo = instance.new_repo(files)
    pushed = instance.push(repo, name)
    assert pushed.code == 0, pushed
    assert "Overriding default nginx.conf with detected nginx.conf.sigil" in pushed.err
    assert f"Configuring {instance.host(name)}...(using app-supplied template)" in pushed.err
    instance.commit(repo, {"nginx.conf.sigil": TEMPLATE + '\n{{ sh "id" }}\n'})
    refused = instance.push(repo, name)
    assert refused.code != 0
    assert f"{name}: nginx.conf.sigil line {TEMPLATE.count(chr(10)) + 2}: function sh is not" in refused.err
    yield name
    assert instance.dokku("apps:destroy", "--force", name).code == 0


def test_a_good_template_serves_whatever_was_pushed_after_it(instance: Instance, app: str) -> None:
    """NGX-2"""
    assert instance.get(app, "/mine") == (200, f"mine, {app} blue")
    assert instance.get(app) == (200, "page\n")
    assert instance.dokku("proxy:build-config", app).code == 0
    assert instance.get(app, "/mine") == (200, f"mine, {app} blue")


def test_it_counts_as_long_as_it_is_not_disabled(instance: Instance, app: str) -> None:
    """NGX-2"""
    assert instance.dokku("nginx:set", app, "disable-custom-config", "true").code == 0
    built = instance.dokku("proxy:build-config", app)
    assert "(using built-in template)" in built.out
    assert instance.get(app, "/mine").status == 404
    assert instance.get(app) == (200, "page\n")
    assert instance.dokku("nginx:set", app, "disable-custom-config").code == 0
    assert instance.dokku("proxy:build-config", app).code == 0
    assert instance.get(app, "/mine").status == 200


def test_a_bad_include_is_named_and_leaves_everything_as_it_was(instance: Instance, app: str) -> None:
    """NGX-2, NGX-3"""
    added = instance.root / app / "nginx.conf.d/mine.conf"
    added.parent.mkdir(exist_ok=True)
    added.write_text("# mine\nbogus on;\n")
    refused = instance.dokku("proxy:build-config", app)
    assert refused.code == 1
    assert f'unknown directive "bogus" in {added}:2' in refused.err
    assert instance.get(app, "/mine").status == 200
    added.write_text('add_header X-Mine "yes";\n')
    assert instance.dokku("proxy:build-config", app).code == 0
    assert instance.get(app, "/mine").status == 200
    added.unlink()


def test_what_was_asked_for_is_in_the_log(instance: Instance, app: str) -> None:
    assert instance.get(app, "/mine?logged").status == 200
    deadline = time.monotonic() + 20
    while "GET /mine?logged" not in instance.dokku("nginx:access-logs", app).out:
        assert time.monotonic() < deadline
    assert instance.dokku("nginx:error-logs", app, "-n", "0") == ("", "", 0)
