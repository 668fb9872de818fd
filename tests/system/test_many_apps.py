"""Two hundred apps behind one nginx: what `--all` does to them, and what becomes of those that are broken.

They are light ones (see light.py), made once for the file in an instance of its own, so that no other test's
nginx has to carry them.
"""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from lib.base import procfs
from tests.system import light
from tests.system.conftest import BASE_IMAGE, Instance, Result, missing, wait_for
from tests.system.load import Load

COUNT = 200
WORKERS = 2  # of the instance's nginx
TEMPLATE = """
{{ $words := split ":" (index (split " " .PROXY_PORT_MAP) 0) }}
server {
  listen {{ index $words 1 }};
  server_name {{ .NOSSL_SERVER_NAME }};
  {{ if var "CERTIFICATE" }}ssl_certificate {{ var "CERTIFICATE" }};{{ end }}
  # {{ index (split ":" (var "WORDS")) 1 }}
  location / { return 200 "this is $host\\n"; }
}
"""
DOCKERFILE = f"""FROM {BASE_IMAGE}
RUN mkdir -p /www && echo page >/www/index.html
COPY serve nginx.conf.sigil /app/
WORKDIR /app
CMD ["/app/serve"]
"""


class Many(NamedTuple):
    """The instance, its apps, and what nginx was called with since `clear`."""

    instance: Instance
    apps: list[str]
    notes: Path

    def build(self, *words: str, env: dict[str, str] | None = None) -> Result:
        self.notes.write_text("")
        return self.instance.dokku("proxy:build-config", "--all", *words, env=env)

    def calls(self) -> tuple[int, int]:
        """How often nginx was told to test and to reload."""
        lines = self.notes.read_text().splitlines()
        return sum(line.endswith("-t") for line in lines), sum(line.endswith("reload") for line in lines)

    def domains(self, app: str, *names: str) -> None:
        (self.instance.root / app / "VHOST").write_text("".join(f"{name}\n" for name in names))

    def change(self, word: str) -> None:
        """Give every app one more domain of its own."""
        for app in self.apps:
            self.domains(app, self.instance.host(app), f"{word}.{self.instance.host(app)}")

    def texts(self) -> dict[str, str]:
        return {app: (self.instance.root / app / "nginx.conf").read_text() for app in self.apps}

    def strangers(self, prefix: str = "") -> list[str]:
        """The apps that do not answer as themselves, under a domain with this before it."""
        wrong = []
        for app in self.apps:
            host = f"{prefix}{self.instance.host(app)}"
            if self.instance.get(app, host=host).body != f"this is {host}\n":
                wrong.append(app)
        return wrong

    def reload(self) -> None:
        """What an administrator does."""
        reload = shlex.split(self.instance.environment["DOKKU_NGINX_RELOAD_COMMAND"])
        subprocess.run(reload, check=True, capture_output=True)

    def nginx_processes(self) -> list[int]:
        """The workers, of whatever generation."""
        assert self.instance.nginx is not None
        return procfs.children(self.instance.nginx.pid)

    def verify_nginx(self) -> None:
        """Its configuration holds, and it starts with it."""
        test = subprocess.run(
            shlex.split(self.instance.environment["DOKKU_NGINX_TEST_COMMAND"]),
            capture_output=True,
            check=False,
        )
        assert test.returncode == 0, test.stderr
        self.instance.stop_nginx()
        self.instance.start_nginx()


@pytest.fixture(scope="module")
def many() -> Iterator[Many]:
    if missing():
        pytest.skip(f"no whole system can be had here: {missing()}")
    instance = Instance()
    try:
        instance.start()
        notes = light.noted_nginx(instance)
        names = light.names(instance, COUNT)
        with light.backend() as port:
            light.make(instance, names, port)
            whole = Many(instance, names, notes)
            done = whole.build()
            assert done.code == 0, done
            yield whole
    finally:
        instance.close()


@pytest.mark.parametrize("words", [(), ("--parallel", "4")])
def test_all_apps_are_one_test_and_one_reload_however_many_work_on_them(
    many: Many, words: tuple[str, ...]
) -> None:
    """NGX-9, PAR-7"""
    word = f"built-{len(words)}"
    many.change(word)
    done = many.build(*words)
    assert done.code == 0, done.err
    assert many.calls() == (1, 1)
    assert many.strangers(f"{word}.") == []
    built = many.texts()
    assert many.build().code == 0
    assert many.calls() == (0, 0)
    assert many.texts() == built


def test_three_broken_apps_stay_as_they_were_and_are_named_while_the_others_go_live(many: Many) -> None:
    """NGX-3, NGX-5, PAR-1.

    A template that fails, one that names a certificate that is not there, and another app's domain.
    """
    instance = many.instance
    bad, bare = instance.name("bad-template"), instance.name("no-certificate")
    greedy, rich = many.apps[150], many.apps[42]
    repo = instance.new_repo({**instance.sample(), "Dockerfile": DOCKERFILE, "nginx.conf.sigil": TEMPLATE})
    for app in (bad, bare):
        assert instance.dokku("apps:create", app).code == 0
        assert instance.dokku("config:set", "--no-restart", app, "WORDS=one:two").code == 0
        pushed = instance.push(repo, app)
        assert pushed.code == 0, pushed
    whole = many._replace(apps=sorted([*many.apps, bad, bare]))
    whole.change("before")
    assert whole.build().code == 0
    assert whole.strangers("before.") == []
    before = whole.texts()

    whole.change("after")
    whole.domains(greedy, instance.host(rich))
    assert instance.dokku("config:set", "--no-restart", bad, "WORDS=one").code == 0
    assert instance.dokku("config:set", "--no-restart", bare, "CERTIFICATE=/none.crt").code == 0
    done = whole.build("--parallel", "4")

    assert done.code == 1
    broken = sorted([bad, bare, greedy])
    assert done.err.splitlines()[-2:] == [
        " !     Encountered 3 errors during parallel run",
        f" !     Failed apps: {', '.join(broken)}",
    ]
    assert f"{bad}: nginx.conf.sigil line 7: index: " in done.err
    assert "/none.crt" in done.err
    assert f"{instance.host(rich)} belongs to {rich}" in done.err
    after = whole.texts()
    assert [app for app in whole.apps if after[app] == before[app]] == broken
    whole.verify_nginx()
    assert whole.strangers("after.") == broken
    assert set(whole.strangers("before.")).isdisjoint(broken)

    for app in (bad, bare):
        assert instance.dokku("apps:destroy", "--force", app).code == 0
    many.change("mended")
    assert many.build().code == 0
    assert many.strangers("mended.") == []


@pytest.mark.parametrize("stage", ["vhost-written", "vhost-reloaded"])
def test_a_batch_that_is_killed_is_made_good_by_the_next_command(many: Many, stage: str) -> None:
    """CRS-7"""
    many.change(stage)
    killed = many.build("--parallel", "2", env={"DOKKU_TEST_FAILPOINT": f"{stage}:kill9"})
    assert killed.code == -9
    assert many.strangers() == []
    many.verify_nginx()
    assert many.build().code == 0
    assert many.strangers(f"{stage}.") == []
    left = [name for app in many.apps for name in os.listdir(many.instance.root / app) if name[0] == "."]
    assert [name for name in left if name.startswith(".nginx.conf.")] == []


def test_two_batches_at_once_both_succeed(many: Many) -> None:
    """PAR-7"""
    many.change("together")
    program = [str(many.instance.place / "bin/dokku"), "proxy:build-config", "--all", "--parallel", "2"]
    both = [subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert many.strangers("together.") == []


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_switching_all_proxies_off_and_on_drops_no_request_of_what_stays(many: Many) -> None:
    """ZDT-6: What stays are two servers of the administrator, beside the apps in the same nginx."""
    instance = many.instance
    own = instance.lib / "data/nginx-vhosts/stay.conf"
    port = re.findall(r"server 127\.0\.0\.1:(\d+)", many.texts()[many.apps[0]])[0]
    staying = [instance.name("stay-1"), instance.name("stay-2")]
    own.write_text(
        "".join(
            f"server {{ listen {instance.port}; server_name {instance.host(name)};"
            f" location / {{ proxy_pass http://127.0.0.1:{port}; proxy_set_header Host $host; }} }}\n"
            for name in staying
        )
    )
    assert many.build().code == 0
    many.reload()
    wait_for(lambda: all(instance.get(name).status == 200 for name in staying), 30)
    loads = [Load(instance, name, f"this is {instance.host(name)}", connections=4) for name in staying]
    with loads[0], loads[1]:
        for word, statuses in (("disable", {0}), ("enable", {200})):
            many.notes.write_text("")
            done = instance.dokku(f"proxy:{word}", "--all", "--parallel", "4")
            assert done.code == 0, done.err
            tests, reloads = many.calls()
            assert tests < 5  # with its apps a port comes and goes, and who is its default server
            assert reloads == 1
            assert {instance.get(app).status for app in many.apps[::20]} == statuses
    assert all(load.outcome.requests > 20 for load in loads)
    assert [(load.outcome.failed, load.outcome.wrong) for load in loads] == [(0, 0)] * 2
    wait_for(lambda: len(many.nginx_processes()) <= 3 * WORKERS, 60)


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_apps_that_stay_lose_no_request_while_many_switch_others_off_and_on_at_once(many: Many) -> None:
    instance = many.instance
    assert many.build().code == 0
    staying, switched = many.apps[:2], many.apps[2:26]
    loads = [Load(instance, app, f"this is {instance.host(app)}", connections=4) for app in staying]
    with loads[0], loads[1], ThreadPoolExecutor(4) as pool:
        for word, status in (("disable", 0), ("enable", 200)):
            done = list(pool.map(lambda app, word=word: instance.dokku(f"proxy:{word}", app), switched))
            assert [one for one in done if one.code] == []
            assert {instance.get(app).status for app in switched} == {status}
    assert all(load.outcome.requests > 20 for load in loads)
    assert [(load.outcome.failed, load.outcome.wrong) for load in loads] == [(0, 0)] * 2
