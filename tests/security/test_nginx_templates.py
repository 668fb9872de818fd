"""What an author tries with nginx.conf.sigil, on a real nginx: NGX-2. Each attack asserts its effect.

Those marked `shown` are run once more with the operator's trust, where they succeed: the test would notice.
"""

import http.client
import http.server
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from lib.proxy import template_names
from tests.certificates import Authority
from tests.ports import free_port
from tests.system.conftest import Instance, Result

SECRET = "the secret of somebody else"
TEMPLATE = """{top}
upstream {{{{ .APP }}}}-5000 {{
  {{{{ range .DOKKU_APP_WEB_LISTENERS | split " " }}}}server {{{{ . }}}};{{{{ end }}}}
}}
server {{
  listen {{{{ .PROXY_PORT }}}};
  server_name {{{{ .NOSSL_SERVER_NAME }}}};
{body}
  location / {{ proxy_pass http://{{{{ .APP }}}}-5000; proxy_set_header Host $http_host; }}
  include {{{{ .DOKKU_ROOT }}}}/{{{{ .APP }}}}/nginx.conf.d/*.conf;
}}
"""


class Reply(NamedTuple):
    status: int
    body: str
    headers: dict[str, str]


class Ground:
    """An instance with the app of an author, and one of a victim. place: for canaries, root's."""

    def __init__(self, instance: Instance, inner_port: int) -> None:
        self.instance, self.inner_port = instance, inner_port
        mark = secrets.token_hex(2)  # the module can be taken up a second time in one session
        self.author, self.victim = instance.name(f"author-{mark}"), instance.name(f"victim-{mark}")
        self.place = instance.place / f"cron.d.{mark}"
        self.secure = free_port()

    def set_up(self) -> None:
        self.place.mkdir(mode=0o755)
        for app, page in ((self.author, "author"), (self.victim, "victim")):
            assert self.instance.dokku("apps:create", app).code == 0
            template = TEMPLATE.format(top="", body="") if app == self.author else "#"
            files = {**self.instance.sample(page), "nginx.conf.sigil": template}
            if app == self.author:
                files["Dockerfile"] += "COPY nginx.conf.sigil /app/\n"
            else:
                del files["nginx.conf.sigil"]
            pushed = self.instance.push(self.instance.new_repo(files), app)
            assert pushed.code == 0, pushed
        added = self.instance.root / self.victim / "nginx.conf.d/own.conf"
        added.parent.mkdir(exist_ok=True)
        added.write_text(
            'location /seen { add_header X-Seen "$http_connection|$arg_key|$mark"; return 200; }\n'
            "set $mark own;\n"
            f"location /inner/ {{ proxy_pass http://localhost:{self.inner_port}/; }}\n"
        )
        (self.instance.root / self.victim / "htpasswd").write_text("ann:{PLAIN}secret\n")
        built = self.instance.dokku("proxy:build-config", self.victim)
        assert built.code == 0, built

    def try_(self, attack: "Attack", trusted: bool = False) -> Result:
        """Have the author's image bring a template, and build as a deploy does."""
        kept = self.instance.lib / "data/builder" / self.author / "image-files.json"
        known = json.loads(kept.read_text())
        values = {"place": self.place, "port": self.inner_port, "victim": self.victim, "secure": self.secure}
        values |= {"root": self.instance.root, "lib": self.instance.lib, "listen": self.instance.port}
        values |= {"own": self.instance.host(self.author)}
        top, body = (text % values if "%(" in text else text for text in (attack.top, attack.body))
        text = TEMPLATE.replace("{{", "{").replace("}}", "}").replace("{top}", top).replace("{body}", body)
        known["files"]["nginx.conf.sigil"] = text
        kept.write_text(json.dumps(known))
        value = ("true",) if trusted else ()
        assert self.instance.dokku("nginx:set", self.author, "trusted-template", *value).code == 0
        return self.instance.dokku("proxy:build-config", self.author)

    def ask(self, path: str, app: str = "", headers: dict[str, str] | None = None) -> Reply:
        host = self.instance.host(app or self.author)
        connection = http.client.HTTPConnection("127.0.0.1", self.instance.port, timeout=30)
        try:
            connection.request("GET", path, headers={"Host": host, **(headers or {})})
            answer = connection.getresponse()
            body = answer.read().decode("utf-8", "replace")
            return Reply(answer.status, body, dict(answer.getheaders()))
        except (http.client.RemoteDisconnected, ConnectionResetError):
            return Reply(0, "", {})
        finally:
            connection.close()

    def storage(self) -> Path:
        return self.instance.lib / "data/storage" / self.author


Effect = Callable[[Ground], bool]


class Attack(NamedTuple):
    """body: in the author's server. top: before it. effect: whether it succeeded."""

    effect: Effect
    body: str = ""
    top: str = ""
    shown: bool = False


def canary(ground: Ground) -> bool:
    """Whether root wrote something where only root may."""
    return any(ground.place.iterdir())


def mark_on_others(ground: Ground) -> bool:
    """Whether the victim's answers have a header of the author's."""
    return "X-Evil" in ground.ask("/", ground.victim).headers


def others_variable(ground: Ground) -> bool:
    """Whether what the victim's servers see of a request is the author's."""
    return "evil" in ground.ask("/seen?key=1", ground.victim).headers.get("X-Seen", "")


def others_visitors(ground: Ground) -> bool:
    """Whether what the victim leads to its own place reaches the author."""
    return SECRET not in ground.ask("/inner/", ground.victim).body


def password_file(ground: Ground) -> bool:
    return any(
        "root:x:0" in ground.ask(path).body for path in ("/etc/passwd", "/x", "/x/etc/passwd", "/l/passwd")
    )


def others_files(ground: Ground) -> bool:
    return any(SECRET in ground.ask(path).body for path in ("/x", f"/x../{ground.victim}/file", "/x/file"))


def inner_service(ground: Ground) -> bool:
    return any(
        SECRET in ground.ask(path, headers={"X-To": f"127.0.0.1:{ground.inner_port}"}).body
        for path in ("/x", f"/x?h=127.0.0.1:{ground.inner_port}")
    )


def large_text(ground: Ground) -> bool:
    """Whether one small request makes a worker fill memory."""
    return len(ground.ask(f"/x?{'y' * 100}").body) > 1_000_000


def busy_worker(ground: Ground) -> bool:
    """Whether one small request keeps a worker, which is everybody's, from all others."""
    begun = time.monotonic()
    ground.ask(f"/x?q={'a' * 20}b")
    return time.monotonic() - begun > 1


def filled_memory(ground: Ground) -> bool:
    """Whether nginx has a lot of memory in use before there is any request."""
    assert ground.instance.nginx
    status = Path(f"/proc/{ground.instance.nginx.pid}/status").read_text()
    return int(status.partition("RssShmem:")[2].split()[0]) > 20_000  # kB


def others_password(ground: Ground) -> bool:
    return ground.ask("/x", headers={"Authorization": "Basic YW5uOnNlY3JldA=="}).status == 418


LOG = "access_log %(place)s/log;"
PASSWD = "root /; autoindex on;"
ATTACKS = {
    "a log behind what looks like a comment": Attack(canary, "  set $a b\\\n#c;" + LOG, shown=True),
    "a log whose name is quoted": Attack(canary, f'"access_log" {LOG.split()[1]}'),
    "a log whose name is escaped": Attack(canary, f"location /x {{ 'access_log'\t#\n{LOG.split()[1]} }}"),
    "an error log in an if": Attack(canary, "location /x { error_log %(place)s/log debug; }", shown=True),
    "a log by variables": Attack(canary, "set $d %(place)s; access_log $d/log;"),
    "a cache that root makes": Attack(canary, top="proxy_cache_path %(place)s/c keys_zone=c:1m;", shown=True),
    "a store of bodies": Attack(canary, "client_body_temp_path %(place)s/b;", shown=True),
    "a store of answers": Attack(canary, "location /x { proxy_temp_path %(place)s/p; }"),
    "a brace after two dollars": Attack(
        mark_on_others,
        'server_name a${{ "{{" }}b; } add_header X-Evil yes; server { listen 127.0.0.1:1;',
        shown=True,
    ),
    "a brace after three dollars": Attack(
        mark_on_others, 'server_name $$${{ "{{{" }}b; } add_header X-Evil yes; server { listen 127.0.0.1:1;'
    ),
    "a brace in a value": Attack(
        mark_on_others, 'set $a ${{ "{{" }}b; } add_header X-Evil yes; server { listen 127.0.0.1:1;'
    ),
    "a header for all": Attack(mark_on_others, top="add_header X-Evil yes;"),
    "a file for all": Attack(mark_on_others, top="include %(place)s/*;"),
    "a map onto a header": Attack(
        others_variable, top="map $uri $http_connection { default evil; }", shown=True
    ),
    "a map onto an argument": Attack(others_variable, top="geo $arg_key { default evil; }"),
    "a group of a pattern": Attack(others_variable, "location ~ ^/(?<http_connection>evil) { }"),
    "a map onto another app's": Attack(others_variable, top="map $uri $mark { default evil; }"),
    "an upstream of a name": Attack(
        others_visitors, top="upstream localhost:%(port)s { server 127.0.0.1:1; }"
    ),
    "an upstream of a host": Attack(others_visitors, top="upstream localhost { server 127.0.0.1:1; }"),
    "an upstream of another app": Attack(
        others_visitors, top="upstream %(victim)s-5000 { server 127.0.0.1:1; }"
    ),
    "all of the host's files": Attack(password_file, f"location /etc {{ {PASSWD} }}", shown=True),
    "an alias": Attack(password_file, "location /x/ { alias /; }", shown=True),
    "an alias by a pattern": Attack(password_file, "location ~ ^/x(.*)$ { alias $1; }"),
    "dots in a rewrite": Attack(
        password_file, "location /x { rewrite ^ /../../../../../../../../etc/passwd break; }", shown=True
    ),
    "dots by an error page": Attack(
        password_file,
        "location /x { return 404; } error_page 404 /y/../../../../../../../../etc/passwd; location /y { }",
    ),
    "dots by try_files": Attack(
        password_file, "location /x { try_files /../../../../../../../../etc/passwd =404; }", shown=True
    ),
    "dots made of parts": Attack(
        password_file,
        "location /x { root {{ .DOKKU_LIB_ROOT }}/data/storage/{{ .APP }};"
        " rewrite ^ /./.$arg_none./../../../../../../../etc/passwd break; }",
    ),
    "a link in a storage directory": Attack(
        password_file, "location /l/ { alias {{ .DOKKU_LIB_ROOT }}/data/storage/{{ .APP }}/link/; }"
    ),
    "another app's storage": Attack(
        others_files, "location /x { alias %(lib)s/data/storage/%(victim)s/file; }", shown=True
    ),
    "another app's storage by a missing slash": Attack(
        others_files, "location /x { alias {{ .DOKKU_LIB_ROOT }}/data/storage/{{ .APP }}/; }", shown=True
    ),
    "another app's storage by dots": Attack(
        others_files, "location /x/ { alias {{ .DOKKU_LIB_ROOT }}/data/storage/{{ .APP }}/../%(victim)s/; }"
    ),
    "a service of the host": Attack(
        inner_service, "location /x { proxy_pass http://127.0.0.1:%(port)s/; }", shown=True
    ),
    "a service by an upstream": Attack(
        inner_service,
        "location /x { proxy_pass http://u; }",
        top="upstream u { server 127.0.0.1:%(port)s; }",
        shown=True,
    ),
    "a service by a header": Attack(
        inner_service, "location /x { proxy_pass http://$http_x_to; }", shown=True
    ),
    "a service by an argument": Attack(
        inner_service, "location /x { proxy_pass http://{{ .APP }}-5000$arg_h; }"
    ),
    "a service by its name": Attack(inner_service, "location /x { proxy_pass http://localhost:%(port)s; }"),
    "dots below what people added": Attack(
        password_file, "location /x { rewrite ^ /added/../../../../../../../etc/passwd last; }", shown=True
    ),
    "a text that doubles": Attack(
        large_text,
        "location /x { set $a $request_uri; " + 'set $a "$a$a"; ' * 14 + 'return 200 "$a"; }',
        shown=True,
    ),
    "texts that double one another": Attack(
        large_text,
        "location /x { set $b0 $request_uri; "
        + "".join(f'set $b{n} "$b{n - 1}$b{n - 1}"; ' for n in range(1, 15))
        + 'return 200 "$b14"; }',
        shown=True,
    ),
    "a uri that doubles": Attack(
        large_text,
        "location /x { " + 'rewrite ^(.*)$ "$1$1$query_string"; ' * 16 + "return 200 $uri; }",
        shown=True,
    ),
    "arguments that double": Attack(
        large_text,
        "location /x { " + 'set $args "$args$Query_String"; ' * 14 + "return 200 $args; }",
        shown=True,
    ),
    "maps that double": Attack(
        large_text,
        "location /x { return 200 $m14; }",
        top="map $host $m0 { default $request_uri; } "
        + "".join(f'map $host $m{n} {{ default "$m{n - 1}$m{n - 1}"; }} ' for n in range(1, 15)),
        shown=True,
    ),
    "patterns that do not end": Attack(
        busy_worker,
        "location /x { "
        + "".join('if ($arg_q ~ "^(a+)+[0-8]$") { return 200; } ' for n in range(40))
        + "return 204; }",
        shown=True,
    ),
    "patterns of a map that do not end": Attack(
        busy_worker,
        "location /x { return 200 $m; }",
        top="map $arg_q $m { " + "".join(f'"~^(a+)+[0-8]$" {n}; ' for n in range(40)) + "default other; }",
        shown=True,
    ),
    "a pattern that wants more steps": Attack(
        busy_worker,
        "location /x { "
        + "".join('if ($arg_q ~ "(*LIMIT_MATCH=9999999)^(a+)+[0-8]$") { return 200; } ' for n in range(40))
        + "return 204; }",
        shown=True,
    ),
    "zones of gigabytes": Attack(
        filled_memory,
        top="".join(f"limit_req_zone $uri zone=z{n}:128m rate=1r/s; " for n in range(60)),
        shown=True,
    ),
    "caches and sessions of gigabytes": Attack(
        filled_memory,
        "".join(f"location /x{n} {{ limit_conn c{n} 1; }}" for n in range(30)),
        top="".join(
            f"proxy_cache_path c{n} keys_zone=k{n}:128m; limit_conn_zone $uri zone=c{n}:128m; "
            for n in range(30)
        ),
    ),
    "another app's passwords": Attack(
        others_password,
        "location /x { auth_basic a; auth_basic_user_file %(root)s/%(victim)s/htpasswd;"
        " try_files /none =418; }",
        shown=True,
    ),
}


@pytest.fixture(scope="module")
def inner() -> Iterator[int]:
    """The port of a service on loopback."""

    class Service(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(SECRET.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


@pytest.fixture(scope="module")
def ground(instance: Instance, inner: int) -> Iterator[Ground]:
    found = Ground(instance, inner)
    found.set_up()
    added = instance.root / found.author / "nginx.conf.d/added.conf"
    added.parent.mkdir(exist_ok=True)
    for name in ("added", "html"):  # the latter is where nginx looks for files by itself
        (instance.place / name).mkdir(mode=0o755, exist_ok=True)
    added.write_text(f"location /added/ {{ alias {instance.place}/added/; }}\n")
    storage = found.storage()
    storage.mkdir(parents=True, exist_ok=True)
    (storage / "link").symlink_to("/etc")
    (storage.parent / found.victim).mkdir(exist_ok=True)
    (storage.parent / found.victim / "file").write_text(SECRET)
    yield found
    for app in (found.author, found.victim):
        assert instance.dokku("apps:destroy", "--force", app).code == 0


@pytest.mark.parametrize(
    ("listen", "said"),
    [
        ("%(port)s", "is no port of"),
        ("[::]:%(listen)s ipv6only=off", "ipv6only=off would count for all apps"),
        ("%(listen)s default_server", "default_server would count for all apps"),
        ("%(listen)s reuseport", "reuseport would count for all apps"),
    ],
)
def test_a_listen_keeps_nobody_else_from_being_served(clean: "Ground", listen: str, said: str) -> None:
    """NGX-9: a port that a service has would fail the reload for all apps of a batch."""
    built = clean.try_(Attack(canary, f"listen {listen};"))
    assert built.code == 1
    assert said in built.err


@pytest.fixture
def clean(ground: Ground) -> Iterator[Ground]:
    """The same, with the author's template as it was and no canary, before and after."""
    yield ground
    for path in ground.place.iterdir():
        path.rmdir() if path.is_dir() else path.unlink()
    calm = ground.try_(Attack(canary))
    assert calm.code == 0, calm
    assert ground.ask("/").body == "author"


@pytest.mark.parametrize("name", ATTACKS)
def test_an_author_does_not_get_beyond_the_app(clean: Ground, name: str) -> None:
    """NGX-2"""
    attack = ATTACKS[name]
    built = clean.try_(attack)
    assert not attack.effect(clean), built
    assert "Traceback" not in built.err
    assert built.code == 0 or " is not allowed: " in built.err or " of the result: " in built.err, built
    assert clean.ask("/").body == "author"
    assert clean.ask("/", clean.victim).body == "victim"


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if attack.shown])
def test_the_attack_is_one_where_an_operator_trusts_the_template(clean: Ground, name: str) -> None:
    attack = ATTACKS[name]
    built = clean.try_(attack, trusted=True)
    assert built.code == 0, built
    assert attack.effect(clean)


@pytest.mark.parametrize(
    "body",
    [
        'location /x { return 200 "\\n server_name %s;\\n"; }',
        'add_header X-A "\\n  server_name %s;\\n# serves %s\\n" always;',
        "location /x { default_type 'server_name %s;'; }\n# leads to 1.2.3.4\n# serves %s\n"
        "# listens at 80/plain\n",
    ],
)
def test_a_text_gives_an_app_no_name(clean: Ground, body: str) -> None:
    """NGX-6"""
    name = f"free-{clean.author}.test"
    clean.try_(Attack(canary, body.replace("%s", name)))
    assert clean.instance.dokku("domains:add", clean.victim, name).code == 0
    try:
        connection = http.client.HTTPConnection("127.0.0.1", clean.instance.port, timeout=30)
        connection.request("GET", "/", headers={"Host": name})
        assert connection.getresponse().read() == b"victim"
        connection.close()
    finally:
        assert clean.instance.dokku("domains:remove", clean.victim, name).code == 0


@pytest.mark.parametrize(
    "directives",
    [
        "ssl_certificate %(root)s/%(victim)s/tls/server.crt;"
        " ssl_certificate_key %(root)s/%(victim)s/tls/server.key;",
        "ssl_certificate {{ .APP_SSL_PATH }}/../../%(victim)s/tls/server.crt;"
        " ssl_certificate_key {{ .APP_SSL_PATH }}/../../%(victim)s/tls/server.key;",
        "ssl_conf_command Certificate %(root)s/%(victim)s/tls/server.crt;"
        " ssl_conf_command PrivateKey %(root)s/%(victim)s/tls/server.key;",
    ],
)
def test_the_key_of_another_app_is_not_used(clean: Ground, directives: str, tmp_path: Path) -> None:
    """NGX-2"""
    tls = clean.instance.root / clean.victim / "tls"
    tls.mkdir(exist_ok=True)
    pair = Authority(tmp_path / "authority").leaf("victim.test")
    (tls / "server.crt").write_bytes(pair.certificate)
    (tls / "server.key").write_bytes(pair.key)
    (clean.instance.root / clean.author / "tls").mkdir(exist_ok=True)
    server = (
        "server { listen 127.0.0.1:%(secure)s ssl; server_name %(own)s; return 200 mine; " + directives + " }"
    )
    try:
        built = clean.try_(Attack(canary, top=server))
        assert built.code == 1, built
        assert not _listens(clean.secure)
        if "conf_command" not in directives:  # that needs a certificate beside it
            trusted = clean.try_(Attack(canary, top=server), trusted=True)
            assert trusted.code == 0, trusted
            assert _listens(clean.secure)
    finally:
        for name in os.listdir(tls):
            (tls / name).unlink()
        tls.rmdir()


def _listens(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_name_of_the_hosts_own_site_is_not_given_away(clean: Ground) -> None:
    """NGX-6"""
    instance = clean.instance
    config = instance.place / "nginx.conf"
    before = config.read_text()
    site = (
        f"server {{ listen {instance.port}; server_name own-site.test; return 200 'the host'; }}\n    include"
    )
    config.write_text(before.replace("include", site, 1))
    try:
        added = instance.dokku("domains:add", clean.victim, "own-site.test")
        assert "own-site.test of" in added.err
        assert "it belongs to a site of the host" in added.err
        assert "own-site.test" not in (instance.root / clean.victim / "nginx.conf").read_text()
    finally:
        instance.dokku("domains:remove", clean.victim, "own-site.test")
        config.write_text(before)
    assert instance.dokku("proxy:build-config", clean.victim).code == 0


def test_a_push_with_a_bad_template_leaves_what_is_served_and_says_what_to_do(clean: Ground) -> None:
    """NGX-3"""
    instance = clean.instance
    files = {**instance.sample("author"), "nginx.conf.sigil": "server { root /; }\n"}
    files["Dockerfile"] += "COPY nginx.conf.sigil /app/\n"
    pushed = instance.push(instance.new_repo(files), clean.author)
    assert pushed.code != 0
    assert "nginx.conf.sigil line 1 of the result: root / is not allowed: files are served from" in pushed.err
    assert f"dokku nginx:set {clean.author} trusted-template true" in pushed.err
    assert clean.ask("/").body == "author"


@pytest.mark.parametrize("change", [str, str.upper])
def test_what_another_app_defines_is_not_read(clean: Ground, change: Callable[[str], str]) -> None:
    """NGX-2: a template may have a password in a variable, which is one of all apps in nginx."""
    instance, victim = clean.instance, clean.victim
    files = {**instance.sample("victim"), "nginx.conf.sigil": TEMPLATE.replace("{{", "{").replace("}}", "}")}
    defined = f'map $uri $token {{ default "{SECRET}"; }}'
    text = files["nginx.conf.sigil"].replace("{top}", defined).replace("{body}", "add_header X-A $token;")
    files["nginx.conf.sigil"] = text
    files["Dockerfile"] += "COPY nginx.conf.sigil /app/\n"
    pushed = instance.push(instance.new_repo(files), victim)
    assert pushed.code == 0, pushed
    try:
        name = template_names.own(victim, "token")
        assert name in (instance.root / victim / "nginx.conf").read_text()
        body = f'location /x {{ return 200 "${{{{ "{{" }}}}{change(name)}}}"; }}'
        built = clean.try_(Attack(canary, body))
        assert SECRET not in clean.ask("/x").body
        assert "is a variable of another app" in built.err
    finally:
        assert instance.push(instance.new_repo(instance.sample("victim")), victim).code == 0


def test_what_was_refused_is_in_the_report(clean: Ground) -> None:
    instance = clean.instance
    assert clean.try_(Attack(canary, "root /;")).code == 1
    assert clean.ask("/").body == "author"
    reported = instance.dokku("nginx:report", clean.author, "--nginx-template-refused").out
    assert "root / is not allowed" in reported
    assert "template-refused" not in instance.dokku("nginx:report", clean.author).out
