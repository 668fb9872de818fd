"""Healthchecks of app.json: four ways to ask, and what is said and done about the answer.

The container is a server in this process where it has to listen.
"""

import datetime
import http.server
import io
import json
import os
import socket
import tarfile
import threading
import time

import pytest

from lib.app import app_json, config, domains
from lib.base import files, log, properties, settings
from lib.runtime import checks, healthchecks, uptime
from lib.runtime.containers import Container

APP = "blog"
ID = "c" * 64
INSPECT = f"docker container inspect '--format={{{{json .}}}}' -- {ID}"
EXEC = f"docker container exec {ID} …"
CLOSED = 1  # a port at which nothing listens


@pytest.fixture(autouse=True)
def said(fs, shell):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(settings.app_dir(APP))
    shell.answers("docker container inspect …", state())
    shell.answers("docker image inspect …", json.dumps({"Id": "sha256:1", "Config": {}}))
    with log.collected() as lines:
        yield lines


@pytest.fixture
def page():
    """A container that listens. page.says: status and body; page.asked: path and headers of each request."""

    class Page(http.server.BaseHTTPRequestHandler):
        says = [(200, b"hello world")]  # noqa: RUF012
        asked = []  # noqa: RUF012
        sent = []  # noqa: RUF012

        def do_GET(self):
            Page.asked.append((self.path, dict(self.headers)))
            status, body = Page.says.pop(0) if len(Page.says) > 1 else Page.says[0]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            Page.sent.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.do_GET()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    Page.port = server.server_port
    yield Page
    server.shutdown()
    server.server_close()


def state(running=True, restarts=0, age=60.0):
    started = datetime.datetime.fromtimestamp(time.time() - age, datetime.UTC)
    return json.dumps(
        {
            "Id": ID,
            "Name": "/blog.web.1",
            "Image": "sha256:1",
            "RestartCount": restarts,
            "State": {
                "Status": "running" if running else "exited",
                "Running": running,
                "StartedAt": started.isoformat(),
            },
            "Config": {"Labels": {"com.dokku.app-name": APP}},
            "HostConfig": {},
            "NetworkSettings": {"IPAddress": "127.0.0.1"},
        }
    )


def text_of(said, stream=1):
    return b"".join(data for number, data in said if number == stream).decode()


def keep(**by_type):
    files.replace(app_json.file_path(APP), json.dumps({"healthchecks": by_type}))


def failures(at=5000, ip="127.0.0.1", process="web", **entry):
    """How many of one check fail that app.json has for a container; it does not wait between attempts."""
    keep(**{process: [{"wait": 0, **entry}]})
    container = Container(APP, process, 1, ID, ip, str(at))
    return healthchecks.failures(container, app_json.healthchecks(APP, process))


def test_a_page_that_holds_the_content_passes(page, said):
    assert failures(page.port, path="/health?a=b", content="lo wor", name="is up") == 0
    assert page.asked[0][0] == "/health?a=b"
    assert text_of(said).splitlines() == [
        "       Running healthcheck name='is up' type='startup' attempts=3 delay=0 timeout=5 wait=0",
        "       Healthcheck succeeded name='is up'",
    ]


def test_a_page_without_the_content_fails_after_all_attempts(page, said):
    assert failures(page.port, path="/", content="goodbye", attempts=2) == 1
    url = f"http://127.0.0.1:{page.port}/"
    problem = f"name='path /': {url}: expected to but did not find: \"goodbye\""
    assert text_of(said, 2).splitlines() == [
        f" !     Attempt 1/2 of {problem}",
        f" !     Attempt 2/2 of {problem}",
        f" !     Failure in {problem}",
    ]


def test_a_page_that_answers_late_passes(page):
    page.says = [(503, b"starting"), (503, b"starting"), (200, b"hello")]
    assert failures(page.port, path="/", content="hello", attempts=5) == 0
    assert len(page.asked) == 3


def test_headers_and_the_first_domain_are_sent(page):
    config.set_values(APP, {"NO_VHOST": "0"})
    files.replace(domains.path(APP), "blog.example.com\nother.example.com\n")
    assert failures(page.port, path="/", httpHeaders=[{"name": "x-probe", "value": "1"}, {"name": "Y"}]) == 0
    _, headers = page.asked[0]
    assert (headers["Host"], headers["X-Probe"], headers["Y"]) == ("blog.example.com", "1", "")


def test_a_page_of_an_app_with_a_certificate_is_asked_for_as_by_https(page):
    assert failures(page.port, path="/") == 0
    for name in ("crt", "key"):
        files.replace(os.path.join(settings.app_dir(APP), "tls", f"server.{name}"), "x")
    assert failures(page.port, path="/") == 0
    assert [headers.get("X-Forwarded-Proto") for _, headers in page.asked] == [None, "https"]


@pytest.mark.real_clock
def test_a_page_that_takes_too_long_fails(said):
    """RUN-7"""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert failures(silent.getsockname()[1], path="/", attempts=1, timeout=1) == 1
    assert "no answer within 1 seconds" in text_of(said, 2)


def test_a_host_among_the_headers_counts(page):
    assert failures(page.port, path="/", httpHeaders=[{"name": "Host", "value": "admin.test"}]) == 0
    assert page.asked[0][1]["Host"] == "admin.test"


def test_a_check_may_name_another_port(page):
    assert failures(CLOSED, path="/", port=page.port) == 0


def test_a_port_at_which_something_listens_passes_for_any_type(page):
    assert failures(page.port, process="worker", listening=True) == 0


def test_a_port_at_which_nothing_listens_fails(said):
    assert failures(CLOSED, listening=True, attempts=1) == 1
    assert f"name='listening on {CLOSED}': nothing listens on 127.0.0.1:{CLOSED}: " in text_of(said, 2)


@pytest.mark.parametrize("entry", [{"path": "/"}, {"listening": True}])
def test_a_container_without_an_address_is_not_the_host(page, said, entry):
    assert failures(page.port, ip="", attempts=1, **entry) == 1
    assert "the container has no address" in text_of(said, 2)


def test_a_command_is_run_in_the_container(shell):
    assert failures(command=["sh", "-c", "exit 0"], process="worker", timeout=7) == 0
    call = shell.calls[-1]
    assert call.argv == ["docker", "container", "exec", ID, "sh", "-c", "exit 0"]
    assert call.timeout == 7


def test_a_command_that_fails_is_quoted(shell, said):
    shell.answers(EXEC, "no route\n", "to the database\n", status=3)
    assert failures(command=["bin/check"], attempts=1) == 1
    assert "       no route\n       to the database\n" in text_of(said)
    assert "name='command bin/check': the command ended with status 3" in text_of(said, 2)


def test_a_container_that_stays_up_passes(said):
    assert failures(uptime=30) == 0
    assert "Healthcheck succeeded name='uptime of 30 seconds'" in text_of(said)


def test_a_container_that_was_restarted_meanwhile_does_not_stay_up(shell, said):
    shell.answers(INSPECT, state(restarts=1, age=3))
    assert failures(uptime=3, attempts=5) == 1
    assert "Attempt 1/1 of name='uptime of 3 seconds': App container failed to start!!" in text_of(said, 2)


def test_a_container_that_is_down_fails_at_once(shell, page):
    shell.answers(INSPECT, state(running=False))
    with pytest.raises(uptime.Failed, match="App container failed to start!!"):
        failures(page.port, path="/", attempts=100)
    assert page.asked == []


def test_a_delay_counts_from_the_start_of_the_container(shell, page, said, clock):
    shell.answers(INSPECT, state(age=9.5))
    assert failures(page.port, path="/", initialDelay=10) == 0
    assert clock.slept == [1]  # half of it is left, and it is looked at once a second
    assert "delay=10" in text_of(said)


def test_a_check_that_only_warns_fails_nothing(said):
    assert failures(CLOSED, listening=True, warn=True, attempts=1) == 0
    assert f"Warning in name='listening on {CLOSED}'" in text_of(said, 2)


def test_a_failure_has_a_command_run_in_the_container_and_a_url_told(shell, page):
    properties.write("checks", properties.GLOBAL, "url-networks", "127.0.0.0/8")
    reaction = {"command": ["bin/alarm"], "url": f"http://127.0.0.1:{page.port}/alarm"}
    assert failures(CLOSED, listening=True, attempts=1, name="door", onFailure=reaction) == 1
    assert f"docker container exec {ID} bin/alarm" in shell.ran
    assert page.sent[-1]["healthcheck_name"] == "door"
    assert "nothing listens" in page.sent[-1]["errors"][0]


def test_a_failure_that_nobody_can_be_told_of_is_the_same_failure(said):
    reaction = {"url": f"http://127.0.0.1:{CLOSED}/secret-of-the-url"}
    assert failures(CLOSED, listening=True, attempts=1, onFailure=reaction) == 1
    assert "onFailure: 127.0.0.1 is 127.0.0.1, which is not a public address" in text_of(said, 2)
    assert "secret-of-the-url" not in text_of(said, 2)


def check(port, process="web"):
    checks.check(APP, ID, process, str(port), "127.0.0.1", "2")


def test_a_deploy_asks_for_startup_and_then_readiness_but_not_liveness(page, said):
    keep(
        worker=[
            {"name": "ready", "type": "readiness", "listening": True},
            {"name": "alive", "type": "liveness", "path": "/alive"},
            {"name": "begun", "type": "startup", "path": "/begun"},
        ]
    )
    checks.wait_until_ready(Container(APP, "worker", 2, ID, "127.0.0.1", str(page.port)))
    lines = text_of(said).splitlines()
    assert lines[0] == "-----> Attempting pre-flight checks (worker.2)"
    assert lines[1] == "       Healthcheck name='alive' type='liveness' is not watched, checks:run asks it"
    assert [line.partition("name=")[2].partition(" ")[0] for line in lines[2:-1:2]] == ["'begun'", "'ready'"]
    assert lines[-1] == "       All checks successful (worker.2)"
    assert [path for path, _ in page.asked] == ["/begun"]


def test_failed_checks_are_counted_and_the_container_is_quoted(shell, said):
    shell.answers(f"docker container logs --tail=100 {ID}", "port 5001 is in use\n")
    keep(worker=[{"listening": True, "attempts": 1}, {"listening": True, "attempts": 1, "port": 2}])
    with pytest.raises(checks.Failed, match=r"^Could not start due to 2 failed checks \(worker\.2\)$"):
        check(CLOSED, "worker")
    assert "=====> blog worker container output:\n       port 5001 is in use\n" in text_of(said)


@pytest.fixture
def no_checks_file(shell):
    """An image without one."""
    shell.answers("docker container create …", "f" * 64 + "\n")
    shell.answers("docker container cp …", "", "Could not find the file /CHECKS in container f", status=1)


DEAF = f" !     Nothing listens on port {CLOSED} of web.2: Connection refused\n"


@pytest.mark.parametrize(
    ("process", "wait", "told"), [("web", "1", DEAF), ("web", "0", ""), ("worker", "1", "")]
)
@pytest.mark.usefixtures("no_checks_file")
def test_a_web_container_that_stayed_up_and_does_not_listen_is_told_and_passes(said, process, wait, told):
    config.set_values(APP, {"DOKKU_DEFAULT_CHECKS_WAIT": wait})
    check(CLOSED, process)
    assert text_of(said, 2) == told
    assert text_of(said).endswith("Default container check successful!\n")


@pytest.mark.usefixtures("no_checks_file")
def test_a_web_container_has_to_listen_where_the_proxy_sends_visitors(page, said):
    config.set_values(APP, {"DOKKU_DEFAULT_CHECKS_WAIT": "1"})
    check(page.port)
    config.set_values(APP, {"DOKKU_PROXY_PORT_MAP": f"http:80:{page.port}"})
    check(CLOSED)
    assert text_of(said, 2) == ""
    config.set_values(APP, {"DOKKU_PROXY_PORT_MAP": f"http:80:{CLOSED} http:81:2 http:443:{page.port}"})
    check(page.port)
    assert text_of(said, 2) == DEAF


def test_a_container_without_an_address_is_not_asked_whether_it_listens(said):
    healthchecks.warn_if_deaf(Container(APP, "web", 1, ID, "", str(CLOSED)))
    assert said == []


def test_a_type_that_has_only_liveness_checks_has_to_stay_up(shell, said):
    config.set_values(APP, {"DOKKU_DEFAULT_CHECKS_WAIT": "0"})
    keep(worker=[{"type": "liveness", "path": "/alive"}])
    check(CLOSED, "worker")
    assert text_of(said).endswith("Default container check successful!\n")


def test_running_checks_asks_for_liveness_too(page, said):
    config.set_values(APP, {"DOKKU_DEFAULT_CHECKS_WAIT": "0"})
    keep(worker=[{"type": "liveness", "path": "/alive"}])
    for kind, content in (("CONTAINER", ID), ("IP", "172.17.0.99"), ("PORT", str(page.port))):
        files.replace(os.path.join(settings.app_dir(APP), f"{kind}.worker.1"), content)
    checks.run(APP, [])
    assert [path for path, _ in page.asked] == ["/alive"]


def test_running_checks_leaves_out_liveness_of_skipped_types(page, said):
    config.set_values(APP, {"DOKKU_CHECKS_SKIPPED": "worker"})
    keep(worker=[{"type": "liveness", "path": "/alive"}])
    for kind, content in (("CONTAINER", ID), ("IP", "127.0.0.1"), ("PORT", str(page.port))):
        files.replace(os.path.join(settings.app_dir(APP), f"{kind}.worker.1"), content)
    checks.run(APP, [])
    assert (page.asked, "have been skipped" in text_of(said)) == ([], True)


def put_checks(shell, text):
    """Put a CHECKS file into the image."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo("CHECKS")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
    shell.answers("docker container create …", "f" * 64 + "\n")
    shell.answers("docker container cp …", "", "Could not find the file in container f", status=1)
    shell.answers(f"docker container cp {'f' * 64}:/app/CHECKS -", archive.getvalue())
    known = {"Id": f"sha256:{abs(hash(text)):x}", "Config": {"WorkingDir": "/app"}}
    shell.answers("docker image inspect … sha256:1", json.dumps(known))


def test_a_checks_file_says_how_often_to_ask(shell, page, said):
    put_checks(shell, "WAIT=0\nATTEMPTS=3\n/ hello\n/absent hello\n")
    page.says = [(503, b"hello"), (200, b"hello"), (404, b"hello")]
    with pytest.raises(checks.Failed, match=r"^Could not start due to 1 failed checks\.$"):
        check(page.port)
    assert [path for path, _ in page.asked] == ["/", "/", "/absent", "/absent", "/absent"]
    assert text_of(said).count("Waiting for 0 seconds ...") == 5


@pytest.mark.real_clock
def test_a_checks_file_says_how_long_to_wait_for_an_answer(shell, said):
    put_checks(shell, "WAIT=0\nATTEMPTS=1\nTIMEOUT=1\n/ hello\n")
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(checks.Failed):
        check(silent.getsockname()[1])
    assert "http://localhost/: no answer within 1 seconds\n" in text_of(said, 2)


def test_of_several_containers_each_ones_lines_stay_together(shell, said):
    config.set_values(APP, {"DOKKU_DEFAULT_CHECKS_WAIT": "0"})
    workers = [Container(APP, "worker", index, ID, "127.0.0.1", "5000") for index in (1, 2, 3)]
    checks.wait_until_all_ready(workers)
    lines = text_of(said).splitlines()
    assert lines[0] == "       Waiting for worker.1, worker.2, worker.3 to be ready ..."
    assert sorted(lines[1::2]) == [
        f"-----> Attempting pre-flight checks (worker.{index})" for index in (1, 2, 3)
    ]
    assert set(lines[2::2]) == {"       Default container check successful!"}


def test_the_first_failure_ends_the_waiting_for_the_others(shell, said):
    config.set_values(APP, {"DOKKU_DEFAULT_CHECKS_WAIT": "600"})
    one, other = "d" * 64, "e" * 64
    shell.answers(INSPECT.replace(ID, one), state(running=False).replace(ID, one))
    shell.answers(INSPECT.replace(ID, other), state(age=0).replace(ID, other))
    pair = [Container(APP, "worker", 1, one), Container(APP, "worker", 2, other)]
    with pytest.raises(checks.Failed, match="App container failed to start!!"):
        checks.wait_until_all_ready(pair)
    assert text_of(said).count("container output:") == 1
