import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from lib.base.errors import DokkuError
from lib.host import front
from tests.conftest import Shell

NGINX = "/usr/sbin/nginx -T -q"
PAGE = "server { listen 80 default_server; }\n"
DUMP = """# configuration file /etc/nginx/nginx.conf:
user www-data;
http {
    # server_tokens off;
    sendfile on;
    log_format json '{"a": "b"}';
    include /etc/nginx/conf.d/*.conf;
}
# configuration file /etc/nginx/mime.types:
types { text/html html; }
"""


@pytest.fixture(autouse=True)
def _installed(environment: None) -> None:
    os.environ.update(DOKKU_ROOT="/home/dokku", DOKKU_NGINX_PID_FILE="/run/nginx.pid")


@pytest.fixture
def distribution(fs: Any, shell: Shell) -> Shell:
    """nginx as Debian installs it."""
    fs.create_file(front.AVAILABLE_SITE, contents=PAGE)
    fs.create_symlink(front.DEFAULT_SITE, front.AVAILABLE_SITE)
    fs.create_dir("/etc/nginx/conf.d")
    digest = hashlib.md5(PAGE.encode()).hexdigest()
    shell.answers("dpkg-query …", out=f" /etc/nginx/sites-available/default {digest}\n")
    shell.answers(NGINX, out=DUMP)
    return shell


def test_a_fresh_nginx_serves_the_apps_and_hangs_up_on_unknown_hosts(distribution: Shell) -> None:
    front.set_up()
    include = Path(front.INCLUDE).read_text()
    assert "include /home/dokku/*/nginx.conf;\n" in include
    assert "server_tokens off;\n" in include
    assert "server_names_hash_bucket_size 512;\n" in Path(front.HASH_SIZE).read_text()
    assert "return 444;" in Path(front.CATCH_ALL).read_text()
    assert not Path(front.DEFAULT_SITE).is_symlink()
    assert Path(front.AVAILABLE_SITE).exists()


def test_an_edited_default_site_stays_and_keeps_answering(distribution: Shell) -> None:
    Path(front.AVAILABLE_SITE).write_text(PAGE + "# mine\n")
    distribution.answers("/usr/sbin/nginx …", out=f"{DUMP}# configuration file {front.DEFAULT_SITE}:\n{PAGE}")
    front.set_up()
    assert Path(front.DEFAULT_SITE).is_symlink()
    assert Path(front.INCLUDE).exists()
    ours = Path(front.CATCH_ALL).read_text()
    assert "listen 443 ssl default_server;" in ours
    assert "listen 80" not in ours


def test_default_servers_at_both_ports_are_enough(distribution: Shell) -> None:
    servers = "server { listen 0.0.0.0:80 default_server; listen [::]:443 ssl default_server; }\n"
    distribution.answers("/usr/sbin/nginx …", out=f"{DUMP}# configuration file /etc/nginx/a.conf:\n{servers}")
    front.set_up()
    assert not Path(front.CATCH_ALL).exists()


def test_an_older_installation_keeps_its_default_server(distribution: Shell, fs: Any) -> None:
    fs.create_file(front.INCLUDE, contents="include /home/dokku/*/nginx.conf;\n")
    front.set_up()
    assert not Path(front.CATCH_ALL).exists()
    assert Path(front.DEFAULT_SITE).is_symlink()


def test_what_nginx_refuses_is_taken_back_whole(distribution: Shell, fs: Any) -> None:
    distribution.answers(NGINX, status=1, err="nginx: [emerg] duplicate listen options\n")
    with pytest.raises(DokkuError) as refused:
        front.set_up()
    assert refused.value.more == ("nginx: [emerg] duplicate listen options",)
    assert list(Path("/etc/nginx/conf.d").iterdir()) == []
    assert Path(front.DEFAULT_SITE).is_symlink()


def test_a_directive_of_the_administrator_is_not_set_twice(distribution: Shell) -> None:
    mine = "server_tokens on;\nserver_names_hash_bucket_size 64;\n"
    dump = f"{DUMP}# configuration file /etc/nginx/conf.d/mine.conf:\n{mine}"
    distribution.answers("/usr/sbin/nginx …", out=dump)
    front.set_up()
    assert "server_tokens" not in Path(front.INCLUDE).read_text()
    assert not Path(front.HASH_SIZE).exists()


def test_only_the_http_block_itself_counts_as_set() -> None:
    dump = (
        "# configuration file /etc/nginx/nginx.conf:\n"
        "pid /run/nginx.pid;\nevents { worker_connections 9; }\nhttp { gzip on; server { root /a; } }\n"
        "# configuration file /etc/nginx/sites-enabled/a:\n"
        "server {\n    server_tokens off; # gzip_vary on;\n    location / { etag off; }\n}\ncharset utf-8;\n"
        "# configuration file /home/dokku/app/nginx.conf:\nssl_ciphers x;\n"
        "# configuration file /etc/nginx/conf.d/dokku.conf:\nssl_session_tickets off;\n"
    )
    assert front.set_at_top(dump, (front.INCLUDE,)) == {"gzip", "charset"}


def test_the_catch_all_listens_on_ipv6_only_where_there_is_some() -> None:
    assert "[::]:80 default_server" in front.catch_all(ipv6=True)
    assert "[::]:443 ssl default_server" in front.catch_all(ipv6=True)
    assert "[::]" not in front.catch_all(ipv6=False)


def test_removing_puts_the_distributions_page_back(distribution: Shell) -> None:
    front.set_up()
    front.remove()
    assert list(Path("/etc/nginx/conf.d").iterdir()) == []
    assert Path(front.DEFAULT_SITE).readlink() == Path(front.AVAILABLE_SITE)


def test_removing_gives_back_no_site_that_was_not_taken(distribution: Shell) -> None:
    Path(front.DEFAULT_SITE).unlink()
    front.set_up()
    front.remove()
    assert not Path(front.DEFAULT_SITE).exists()


def test_an_nginx_that_refuses_its_configuration_is_not_reloaded(
    distribution: Shell, fs: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    front.set_up()
    fs.create_file("/run/nginx.pid", contents="70\n")
    fs.create_file("/proc/70/cmdline", contents="nginx: master process")
    distribution.answers(NGINX, err="unknown directive\n", status=1)
    front.set_up()  # gets the answer of before
    front.remove()
    assert "nginx is not reloaded" in capfd.readouterr().err
    assert "reload" not in " ".join(distribution.ran)


def test_a_second_run_starts_nothing_but_the_look(distribution: Shell) -> None:
    front.set_up()
    distribution.ran.clear()
    front.set_up()
    assert distribution.ran == [NGINX]
