"""A host without systemd, for what installs and removes."""

import os
from typing import Any

import pytest

from tests.conftest import Shell


@pytest.fixture
def debian(fs: Any, shell: Shell) -> Shell:
    """Debian without systemd, with all packages and nothing of ours; docker answers, the rest runs."""
    for number, name in ((50, "sshd"), (51, "crond")):
        fs.create_file(f"/run/{name}.pid", contents=f"{number}\n")
        fs.create_dir(f"/proc/{number}")
    fs.create_file("/opt/dokku/tree-1/bin/dokku", contents="#!/opt/dokku/venv-1/bin/python -I\n")
    fs.create_dir("/opt/dokku/venv-1")
    fs.create_file("/etc/nginx/nginx.conf", contents="user www-data;\n")
    shell.answers("getent passwd …", out="root:x:0:0::/root:/bin/bash\n")
    shell.answers("getent group …", out="docker:x:107:root\n")
    os.environ.update(DOKKU_NGINX_TEST_COMMAND="/usr/sbin/nginx -t", DOKKU_NGINX_PID_FILE="/run/nginx.pid")
    fs.create_file("/proc/70/cmdline", contents="nginx: master process")
    start_nginx = lambda _: fs.create_file("/run/nginx.pid", contents="70\n")  # noqa: E731
    shell.answers("service nginx start", does=start_nginx)
    return shell
