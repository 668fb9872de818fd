"""A generation of containers: how it is created, what it is told, and that a failure leaves the old one."""

import json
import os
import signal
from unittest import mock

import hypothesis
import hypothesis.strategies as st
import pytest

from lib.app import app_json, apps, config, options, processes
from lib.base import files, log, properties, settings, signals, triggers
from lib.base.errors import DokkuError, Interrupted
from lib.build.images import Image
from lib.runtime import containers, launch, retirement
from lib.runtime.containers import Container

APP = "blog"
A, B, C = ("a" * 64, "b" * 64, "c" * 64)
IMAGE = Image("sha256:1", "dokku/blog:latest", "dockerfile", "/", [], [], "")


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


@pytest.fixture(autouse=True)
def attached(monkeypatch):
    """What was put on the app's own network; test_own_networks.py is about how."""
    found = []
    monkeypatch.setattr("lib.runtime.own_networks.attach", lambda app, ids: found.append((app, ids)))
    return found


@pytest.fixture
def proxy(monkeypatch):
    """What happens at proxy-build-config: `proxy.append(function)`. Other triggers run."""
    real, steps = triggers.fire, []

    def fire(name, *args):
        if name != "proxy-build-config":
            return real(name, *args)
        for step in steps:
            step()
        return None

    monkeypatch.setattr("lib.base.triggers.fire", fire)
    return steps


def known(id_, name="x", ip="172.17.0.9"):
    return {
        "Id": id_,
        "Name": f"/{name}",
        "Image": "sha256:1",
        "RestartCount": 0,
        "State": {"Status": "running", "Running": True, "StartedAt": ""},
        "Config": {"Labels": {"com.dokku.app-name": APP}},
        "HostConfig": {},
        "NetworkSettings": {"IPAddress": ip},
    }


def inspected(shell, *answers):
    shell.answers("docker container inspect …", out="".join(f"{json.dumps(answer)}\n" for answer in answers))


def created(shell, *ids):
    for id_ in ids:
        shell.answers("docker container create …", out=f"{id_}\n")


def generation(image=IMAGE, is_led_to=lambda _: False):
    return launch.generation(APP, image, "latest", is_led_to)


def deploying(*steps, is_led_to=lambda _: False):
    with generation(is_led_to=is_led_to) as new:
        for step in steps:
            step(new)


def web(new):
    new.start([("web", 1)])


def adopt(new):
    new.adopt(containers.registered(APP))


def settle(new):
    assert new.settle() == [C]


def fail(_):
    raise DokkuError("no luck")


def serve(*ids):
    containers.adopt(APP, [Container(APP, "web", number, id_) for number, id_ in enumerate(ids, 1)], [])
    containers.settle(APP)
    properties.write("common", APP, "deployed", "true")


def argv_of(shell, word):
    return [call.argv for call in shell.calls if word in call.argv[:3]]


def test_a_process_type_starts_all_its_containers_at_once(shell, attached):
    created(shell, A, B)
    inspected(shell, known(A, ip="172.17.0.4"), known(B, ip="172.17.0.5"))
    with generation() as new:
        assert new.start([("web", 1), ("web", 2)]) == [
            Container(APP, "web", 1, A, "172.17.0.4", "5000"),
            Container(APP, "web", 2, B, "172.17.0.5", "5000"),
        ]
        assert new.web_listener() == ("5000", "172.17.0.4")
    first, second = argv_of(shell, "create")
    labels = [f"--label={key}={value}" for key, value in containers.labels(APP, "web", 1).items()]
    name = f"--name={APP}.web.1.upcoming-{new.id}"
    more = ["--env=DYNO=web.1", "--init", "--env=PORT=5000", "--pull=never", "--", "dokku/blog:latest"]
    assert first == ["docker", "container", "create", name, *labels, *more]
    assert "--env=DYNO=web.2" in second
    assert argv_of(shell, "start") == [["docker", "container", "start", A, B]]
    assert attached == [(APP, [A, B])]


def test_a_process_type_that_is_not_wanted_starts_nothing(shell):
    with generation() as new:
        assert new.start([]) == []
        assert new.web_listener() == ("", "")
    assert shell.ran == []


def test_docker_stops_a_container_as_patiently_as_the_app_wants(shell):
    config.set_values(config.GLOBAL, {"DOKKU_DOCKER_STOP_TIMEOUT": "90"})
    created(shell, A)
    inspected(shell, known(A))
    with generation() as new:
        new.start([("worker", 1)])
    assert "--stop-timeout=90" in argv_of(shell, "create")[0]


def test_a_container_may_be_without_the_init_process_of_docker(shell):
    properties.write("scheduler-docker-local", APP, "init-process", "false")
    created(shell, A)
    inspected(shell, known(A))
    with generation() as new:
        new.start([("worker", 1)])
    assert "--init" not in argv_of(shell, "create")[0]


def test_only_web_is_told_a_port(shell):
    created(shell, A)
    inspected(shell, known(A))
    with generation() as new:
        new.start([("worker", 1)])
    assert not any(word.startswith("--env=PORT") for word in argv_of(shell, "create")[0])


@pytest.mark.parametrize(
    ("ports", "port"),
    [
        ("", "5000"),
        ("3000", "3000"),
        ("3001/udp 3003 3000/tcp", "3003"),
        ("3000/tcp", "3000"),
        ("53/udp", "5000"),
        ("nonsense 0 70000 8080", "8080"),
        ("５０００", "5000"),
        ("3000;x", "5000"),
        ("/tcp", "5000"),
    ],
)
def test_the_port_is_the_first_exposed_one_that_is_tcp(shell, ports, port):
    config.set_values(APP, {"DOKKU_DOCKERFILE_PORTS": ports})
    created(shell, A)
    inspected(shell, known(A))
    with generation() as new:
        assert new.start([("web", 1)])[0].port == port
    assert f"--env=PORT={port}" in argv_of(shell, "create")[0]


def test_an_image_of_buildpacks_listens_on_5000(shell):
    config.set_values(APP, {"DOKKU_DOCKERFILE_PORTS": "3000"})
    created(shell, A)
    inspected(shell, known(A))
    with generation(IMAGE._replace(kind="herokuish")) as new:
        assert new.start([("web", 1)])[0].port == "5000"
    assert argv_of(shell, "create")[0][-2:] == ["/start", "web"]


@pytest.mark.parametrize(
    ("process", "entrypoint", "command"),
    [("web", "/cnb/process/web", []), ("cron", "/cnb/lifecycle/launcher", ["run it 5000"])],
)
def test_an_image_of_cloud_native_buildpacks_is_entered_by_its_process(shell, process, entrypoint, command):
    marks = {"io.buildpacks.stack.id": "x", "io.buildpacks.build.metadata": '{"processes":[{"type":"web"}]}'}
    shell.answers("docker image inspect …", out=json.dumps({"Id": "sha256:1", "Config": {"Labels": marks}}))
    files.replace(processes.procfile_path(APP), "cron: run it $PORT\n")
    created(shell, A)
    inspected(shell, known(A))
    with generation(IMAGE._replace(kind="pack")) as new:
        new.start([(process, 1)])
    argv = argv_of(shell, "create")[0]
    assert argv[argv.index("--") + 2 :] == command
    assert f"--entrypoint={entrypoint}" in argv


def test_the_port_is_published_when_all_interfaces_are_wanted(shell):
    properties.write("network", APP, "bind-all-interfaces", "true")
    created(shell, A, B)
    inspected(shell, known(A), known(B))
    with generation() as new:
        new.start([("web", 1)])
        new.start([("worker", 1)])
    web, worker = argv_of(shell, "create")
    assert "--publish=5000" in web
    assert "--publish=5000" not in worker


def test_every_exposed_port_that_is_not_udp_is_published(shell):
    properties.write("network", "--global", "bind-all-interfaces", "true")
    config.set_values(APP, {"DOKKU_DOCKERFILE_PORTS": "3001/udp 3000/tcp 8080"})
    created(shell, A)
    inspected(shell, known(A))
    with generation() as new:
        new.start([("web", 1)])
    argv = argv_of(shell, "create")[0]
    assert [word for word in argv if word.startswith("--publish")] == ["--publish=3000", "--publish=8080"]


def test_a_network_that_is_not_there_fails_before_anything_starts(shell):
    properties.write("network", APP, "attach-post-create", "gone")
    created(shell, A)
    with pytest.raises(DokkuError, match="Network gone does not exist"), generation() as new:
        new.start([("web", 1)])
    assert argv_of(shell, "start") == []
    assert argv_of(shell, "rm")[0][-1] == A


@pytest.mark.parametrize(
    ("key", "words"),
    [("DOKKU_START_CMD", ["run", "two words"]), ("DOKKU_DOCKERFILE_START_CMD", ["serve", "$(id)", "`id`"])],
)
def test_a_start_command_is_split_and_nothing_in_it_is_evaluated(shell, key, words):
    """RUN-10"""
    config.set_values(APP, {key: " ".join(f"'{word}'" for word in words)})
    created(shell, A)
    inspected(shell, known(A))
    with generation() as new:
        new.start([("web", 1)])
    assert argv_of(shell, "create")[0][-len(words) :] == words


def test_a_start_command_with_an_open_quote_is_refused(shell):
    config.set_values(APP, {"DOKKU_START_CMD": "run 'x"})
    with pytest.raises(DokkuError, match="Unable to parse"):
        deploying(web)
    assert argv_of(shell, "create") == []


def test_options_are_one_word_each_and_nothing_in_them_is_evaluated(shell):
    """RUN-10"""
    options.add(APP, ["deploy"], "--volume '/a b:/c'")
    options.add(APP, ["deploy"], "--label x=$(id)")
    created(shell, A)
    inspected(shell, known(A))
    with generation() as new:
        new.start([("web", 1)])
    argv = argv_of(shell, "create")[0]
    assert argv[argv.index("--volume") + 1] == "/a b:/c"
    assert argv[argv.index("--label") + 1] == "x=$(id)"


def test_no_value_stands_among_the_words_of_a_container(shell):
    config.set_values(APP, {"SECRET": "hunter2", "DOCKER_HOST": "hunter3"})
    created(shell, A)
    inspected(shell, known(A))
    with generation() as new:
        new.start([("web", 1)])
    call = next(call for call in shell.calls if "create" in call.argv)
    assert "--env=SECRET" in call.argv
    assert not any("hunter" in word for word in call.argv)
    assert shell.handed[0]["SECRET"] == "hunter2"
    assert "hunter2" not in repr(shell.calls)


def test_a_failure_before_the_switch_removes_what_was_started(shell):
    serve(C)
    created(shell, A, B)
    inspected(shell, known(A))
    with pytest.raises(DokkuError, match="no luck"):
        deploying(web, lambda new: new.start([("worker", 1)]), fail)
    assert shell.ran[-2:] == [
        f"docker container update --restart=no {A} {B}",
        f"docker container rm --force --volumes {A} {B}",
    ]
    assert [container.id for container in containers.registered(APP)] == [C]


def test_what_was_started_is_removed_also_when_docker_lets_nothing_be_changed(shell):
    created(shell, A)
    inspected(shell, known(A))
    shell.answers("docker container update …", err="page not found\n", status=1)
    with pytest.raises(DokkuError):
        deploying(web, fail)
    assert shell.ran[-1] == f"docker container rm --force --volumes {A}"


def test_a_start_that_fails_half_way_removes_what_was_created(shell):
    created(shell, A)
    shell.answers("docker container create …", err="no space left on device\n", status=125)
    with pytest.raises(DokkuError):
        deploying(lambda new: new.start([("web", 1), ("web", 2)]))
    assert shell.ran[-1] == f"docker container rm --force --volumes {A}"


def test_a_signal_removes_what_was_started(shell):
    """RUN-8"""
    created(shell, A)
    inspected(shell, known(A))
    with pytest.raises(Interrupted):
        deploying(web, lambda _: signals._arrived(signal.SIGTERM, None))
    assert shell.ran[-1] == f"docker container rm --force --volumes {A}"


def test_a_failure_after_the_switch_puts_pointers_and_proxy_back_first(shell, proxy):
    serve(C)
    created(shell, A)
    inspected(shell, known(A))
    proxy.append(lambda: shell.ran.append(f"proxy to {containers.registered(APP)[0].id}"))
    with pytest.raises(DokkuError, match="no luck"):
        deploying(web, adopt, fail)
    turned = shell.ran.index(f"proxy to {C}")
    assert not any(A in line for line in shell.ran[turned:])
    assert retirement.ids(APP) == [A]
    assert [container.id for container in containers.registered(APP)] == [C]
    assert apps.is_deployed(APP)


def test_who_serves_again_after_a_failure_has_its_plain_name_again(shell, proxy):
    serve(C)
    created(shell, A)
    replaced = {**known(C), "Name": "/blog.web.1.1795460888"}
    inspected(shell, known(A), replaced)
    with pytest.raises(DokkuError, match="no luck"):
        deploying(web, adopt, fail)
    assert shell.ran[-1] == f"docker container rename {C} blog.web.1"


def _refuse():
    raise DokkuError("nginx is ill")


def test_what_the_proxy_cannot_be_turned_from_stays_up_with_the_old(shell, proxy):
    serve(C)
    created(shell, A)
    inspected(shell, known(A, ip="172.17.0.4"))
    proxy.append(_refuse)
    with pytest.raises(DokkuError, match="no luck"):
        deploying(web, adopt, fail, is_led_to=lambda ips: "172.17.0.4" in ips)
    assert argv_of(shell, "rm") == []
    assert [container.id for container in containers.registered(APP)] == [A]
    assert containers.replaced(APP) == [C]


def test_a_proxy_that_never_switched_and_still_fails_keeps_nothing_new(shell, proxy):
    serve(C)
    created(shell, A)
    inspected(shell, known(A))
    proxy.append(_refuse)
    with pytest.raises(DokkuError, match="no luck"):
        deploying(web, adopt, fail)
    assert retirement.ids(APP) == [A]
    assert [container.id for container in containers.registered(APP)] == [C]


def test_a_first_deploy_that_fails_at_the_switch_leaves_an_app_that_is_not_deployed(shell, proxy):
    """CRS-9"""
    created(shell, A)
    inspected(shell, known(A))
    with pytest.raises(DokkuError, match="no luck"):
        deploying(web, adopt, lambda _: properties.write("common", APP, "deployed", "true"), fail)
    assert containers.registered(APP) == []
    assert not apps.is_deployed(APP)


def test_a_switch_that_is_complete_is_not_taken_back(shell, proxy):
    serve(C)
    created(shell, A)
    inspected(shell, known(A))
    with pytest.raises(DokkuError, match="no luck"):
        deploying(web, adopt, settle, fail)
    assert [container.id for container in containers.registered(APP)] == [A]
    assert retirement.ids(APP) == [C]
    assert argv_of(shell, "rm") == []
    assert not containers.is_switching(APP)


def test_a_signal_in_the_middle_of_settling_waits_for_its_end(shell, proxy, monkeypatch):
    serve(C)
    created(shell, A)
    inspected(shell, known(A))
    real = retirement.register

    def register(*args):
        real(*args)
        signals._arrived(signal.SIGTERM, None)

    monkeypatch.setattr("lib.runtime.retirement.register", register)
    with pytest.raises(Interrupted):
        deploying(web, adopt, settle)
    assert [container.id for container in containers.registered(APP)] == [A]
    assert retirement.ids(APP) == [C]
    assert argv_of(shell, "rm") == []


def test_what_a_killed_deploy_left_is_retired_with_the_rest(shell):
    containers.adopt(APP, [Container(APP, "web", 1, C)], [B])
    created(shell, A)
    inspected(shell, known(A))
    with generation() as new:
        new.start([("web", 1)])
        new.adopt(containers.registered(APP))
        assert new.settle() == [C, B]
    assert retirement.ids(APP) == [C, B]


def test_a_process_whose_checks_are_off_stops_before_the_new_one_starts(shell, said):
    old = [Container(APP, "web", 1, A), Container(APP, "worker", 1, B)]
    launch.stop_now(APP, "web", old)
    assert shell.ran == [f"docker container update --restart=no {A}", f"docker container stop -t 30 {A}"]
    assert [data.decode() for _, data in said] == [
        f"-----> zero downtime is disabled for app ({APP}.web). stopping currently running containers\n",
        f"=====> stopping {APP}.web ({A})\n",
    ]


def test_new_containers_get_the_plain_names_and_old_ones_a_suffix(shell, monkeypatch):
    monkeypatch.setattr("time.time_ns", lambda: 1000_500_000_000)
    serve(A)
    inspected(shell, known(A, name=f"{APP}.web.1.upcoming-1234"))
    shell.answers("docker container ls …", out=f"{C}\n")
    launch.rename(APP)
    assert [call.argv[2:] for call in shell.calls[1:]] == [
        [
            *("ls", "--quiet", "--no-trunc", "--all", f"--filter=label=com.dokku.app-name={APP}"),
            r"--filter=name=^/blog\.web\.1$",
        ],
        ["rename", C, f"{APP}.web.1.1000500"],
        ["rename", A, f"{APP}.web.1"],
    ]


def test_a_container_that_has_its_name_keeps_it(shell):
    serve(A)
    inspected(shell, known(A, name=f"{APP}.web.1"))
    launch.rename(APP)
    assert len(shell.ran) == 1


def test_a_name_that_somebody_else_has_is_no_reason_to_fail(shell, said):
    """DKR-10"""
    serve(A)
    inspected(shell, known(A, name="upcoming"))
    shell.answers("docker container rename …", err="Error response from daemon: name is in use\n", status=1)
    launch.rename(APP)
    assert said[-1] == (2, b" !     Unable to rename container upcoming: docker rename: name is in use\n")


@pytest.mark.parametrize(
    ("formation", "width", "sets"),
    [
        ({}, "", ["web.1 web.2 web.3", "a.1 a.2", "b.1"]),
        ({"web": {"max_parallel": 2}}, "", ["web.1 web.2", "web.3", "a.1 a.2", "b.1"]),
        ({"a": {"max_parallel": 1}}, "2", ["web.1 web.2 web.3", "a.1 b.1", "a.2"]),
        ({}, "9", ["web.1 web.2 web.3", "a.1 a.2 b.1"]),
        ({}, "many", ["web.1 web.2 web.3", "a.1 a.2", "b.1"]),
    ],
)
def test_web_is_deployed_first_and_other_types_as_many_at_a_time_as_wanted(formation, width, sets):
    files.replace(app_json.file_path(APP), json.dumps({"formation": formation}))
    properties.write("scheduler-docker-local", APP, "parallel-schedule-count", width)
    found = launch.batches(APP, [("web", 3), ("a", 2), ("b", 1), ("c", 0)])
    assert [" ".join(f"{process}.{index}" for process, index in batch) for batch in found] == sets


@hypothesis.given(
    wanted=st.dictionaries(st.sampled_from(["web", "a", "b", "c"]), st.integers(0, 5)),
    most=st.integers(0, 3),
    width=st.integers(1, 4),
)
@hypothesis.settings(max_examples=60)
def test_every_container_that_is_wanted_is_started_once_and_in_order(wanted, most, width):
    with (
        mock.patch.object(app_json, "most_at_a_time", return_value=most),
        mock.patch.object(launch.scheduler_settings, "types_at_a_time", return_value=width),
    ):
        found = [place for batch in launch.batches(APP, list(wanted.items())) for place in batch]
    assert sorted(found) == sorted((name, n + 1) for name, count in wanted.items() for n in range(count))
    for name in wanted:
        assert [n for process, n in found if process == name] == list(range(1, wanted[name] + 1))


def test_when_one_type_is_replaced_the_others_stay_registered(shell, proxy):
    worker = Container(APP, "worker", 1, B)
    containers.adopt(APP, [Container(APP, "web", 1, C, "172.17.0.2", "5000"), worker], [])
    containers.settle(APP)
    created(shell, A)
    inspected(shell, known(A))
    with generation() as new:
        new.start([("worker", 1)])
        new.adopt(containers.registered(APP), "worker")
        assert new.web_listener() == ("5000", "172.17.0.2")
        assert new.settle() == [B]
    assert [one.id for one in containers.registered(APP)] == [C, A]


def test_when_replacing_one_type_fails_all_are_as_before(shell, proxy):
    before = [Container(APP, "web", 1, C, "172.17.0.2", "5000"), Container(APP, "worker", 1, B, "", "5000")]
    containers.adopt(APP, before, [])
    containers.settle(APP)
    created(shell, A)
    inspected(shell, known(A))
    with pytest.raises(DokkuError, match="no luck"):
        deploying(
            lambda new: new.start([("worker", 1)]),
            lambda new: new.adopt(containers.registered(APP), "worker"),
            fail,
        )
    assert containers.registered(APP) == before
    assert retirement.ids(APP) == [A]


def test_what_was_stopped_for_a_version_that_does_not_start_runs_again(shell, attached, said):
    serve(C)
    created(shell, A)
    old = {**known(C), "HostConfig": {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 10}}}
    inspected(shell, old)
    shell.answers(f"docker container start {A}", err="port is already allocated\n", status=1)

    def replace(new):
        made = new.create([("web", 1)])
        new.stop_old("web", containers.registered(APP))
        assert new.is_one_way
        new.run(made)

    with pytest.raises(DokkuError, match="already allocated"):
        deploying(replace)
    told = [line for line in shell.ran if "create" not in line and "inspect" not in line]
    assert told == [
        f"docker container update --restart=no {C}",
        f"docker container stop -t 30 {C}",
        f"docker container start {A}",
        f"docker container update --restart=no {A}",
        f"docker container rm --force --volumes {A}",
        f"docker container update --restart=on-failure:10 {C}",
        f"docker container start {C}",
    ]
    assert [container.id for container in containers.registered(APP)] == [C]


def test_several_containers_at_one_port_of_the_host_are_refused_before_any_is_made(shell):
    options.add(APP, ["deploy"], "--publish=127.0.0.1:8080:5000")
    deploying(lambda new: new.verify_ports([("web", 1)]))
    with pytest.raises(DokkuError, match="can't run 2 containers of web: all would be at host port 8080"):
        deploying(lambda new: new.verify_ports([("worker", 1), ("web", 2)]))
    assert argv_of(shell, "create") == []
