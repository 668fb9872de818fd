"""Values of an app reach its containers and builds to the byte, and no program of the host."""

import hashlib
import json
import os
import stat
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.system.conftest import BASE_IMAGE, Instance

CLIENT_WITH_BUILDKIT = "/usr/bin/docker"  # of 20.10, which needs no plugin for it
NAMES = (
    *(
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_SYSTEM",
        "GIT_SSH_COMMAND",
        "GIT_EXEC_PATH",
        "BASH_ENV",
        "ENV",
        "PATH",
    ),
    *("DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "HOME"),
    *("BUILDX_CONFIG", "BUILDX_BUILDER", "BUILDKIT_HOST", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT"),
    *(
        "PYTHONPATH",
        "PERL5OPT",
        "NODE_OPTIONS",
        "GODEBUG",
        "TMPDIR",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "XDG_CONFIG_HOME",
    ),
    *("SSL_CERT_FILE", "CURL_HOME", "TAR_OPTIONS", "OPENSSL_CONF", "GCONV_PATH", "SSH_AUTH_SOCK"),
)
PROGRAMS = ("git", "docker", "tar", "curl", "nginx", "ssh", "bash", "sh", "setpriv", "prlimit", "openssl")
RECORDER = """#!/bin/sh
# keeps the environment it has got, and is the program it stands for
tr '\\0' '\\n' < /proc/$$/environ >> {record}
tr '\\0' '\\n' < /proc/$$/cmdline >> {record}
exec {program} "$@"
"""


@pytest.fixture
def record(instance: Instance) -> Iterator[str]:
    """A file with the environment and the words of each program that dokku starts meanwhile."""
    place = instance.place / "recorders"
    place.mkdir(exist_ok=True)
    path = instance.place / "record"
    path.write_text("")
    for name in PROGRAMS:
        found = [f"{directory}/{name}" for directory in ("/usr/local/bin", "/usr/bin", "/usr/sbin", "/bin")]
        real = next((one for one in found if os.path.exists(one)), "")
        if real and name not in ("sh", "bash"):  # these would record themselves
            recorder = place / name
            recorder.write_text(RECORDER.format(record=path, program=real))
            recorder.chmod(recorder.stat().st_mode | stat.S_IXUSR)
    instance.set_environment(PATH=f"{place}:{instance.environment['PATH']}")
    yield str(path)
    instance.set_environment()


@pytest.fixture
def trap(instance: Instance) -> dict[str, str]:
    """Values that would run a program or change the daemon, one for each name; each leaves the canary."""
    place = instance.place / "trap"
    place.mkdir(exist_ok=True)
    script = place / "script"
    script.write_text(f"#!/bin/sh\ntouch {place}/canary\n")
    script.chmod(0o755)
    config = place / "gitconfig"
    config.write_text(
        f"[core]\n\tfsmonitor = {script}\n\tsshCommand = {script}\n[alias]\n\trev-parse = !{script}\n"
    )
    values = dict.fromkeys(NAMES, str(place))
    values |= {
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_CONFIG_SYSTEM": str(config),
        "GIT_SSH_COMMAND": str(script),
    }
    values |= {"BASH_ENV": str(script), "ENV": str(script), "DOCKER_HOST": f"unix://{place}/daemon"}
    values |= {"PATH": f"{place}:/bin:/usr/bin", "BUILDKIT_HOST": f"unix://{place}/daemon"}
    for name in ("git", "docker", "docker-buildx", "tar"):
        (place / name).write_text(script.read_text())
        (place / name).chmod(0o755)
    return {name: f"{value}" for name, value in values.items()}


def app_json(values: dict[str, str]) -> str:
    tasks = {"dokku": {"predeploy": "env > /predeploy", "postdeploy": "true"}}
    return json.dumps({"env": values, "scripts": tasks})


@pytest.mark.parametrize("builder", ["classic", "buildkit"])
def test_variables_of_app_json_act_on_no_program_of_the_host(
    instance: Instance, record: str, trap: dict[str, str], builder: str
) -> None:
    """RUN-5, DKR-2, SEC-1"""
    app, marker = instance.name(f"env-{builder}"), f"marker-of-{builder}"
    values = {**trap, "MARKER": marker}
    if builder == "buildkit":
        place = instance.place / "recorders/docker"
        place.write_text(RECORDER.format(record=record, program=CLIENT_WITH_BUILDKIT))
        path = f"{instance.place}/recorders:{instance.environment['PATH']}"
        instance.set_environment(PATH=path, DOCKER_BUILDKIT="1")
    repo = instance.new_repo(instance.sample("one", **{"app.json": app_json(values)}))

    for page in ("one", "two"):  # the second one has them in its config from the start
        instance.commit(repo, {"www/index.html": page, "CHECKS": f"WAIT=0\nATTEMPTS=300\n/ {page}\n"})
        done = instance.push(repo, app)
        assert done.code == 0, done
        assert instance.get(app) == (200, page)
    assert instance.dokku("run", app, "env").code == 0
    assert instance.dokku("ps:rebuild", app).code == 0

    assert not (instance.place / "trap/canary").exists()
    with open(record, encoding="utf-8", errors="replace") as file:
        seen = file.read()
    assert "docker" in seen
    assert marker not in seen
    assert str(instance.place / "trap") not in seen


def test_settings_of_dokkus_own_are_not_changed_by_app_json(instance: Instance) -> None:
    app = instance.name("switches")
    wanted = {
        "DOKKU_SKIP_DEPLOY": "true",
        "NO_VHOST": "1",
        "DOKKU_DOCKERFILE_START_CMD": "false",
        "PLAIN": "x",
    }
    done = instance.push(
        instance.new_repo(instance.sample("own", **{"app.json": json.dumps({"env": wanted})})), app
    )
    assert done.code == 0, done
    assert "env.DOKKU_SKIP_DEPLOY is a setting of dokku's and was ignored" in done.err
    assert instance.get(app) == (200, "own")
    keys = instance.dokku("config:keys", app).out.split()
    assert "PLAIN" in keys
    assert not {"DOKKU_SKIP_DEPLOY", "NO_VHOST", "DOKKU_DOCKERFILE_START_CMD"} & {*keys}


TEXTS = st.one_of(
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=60),
    st.text(alphabet="\"'\\\n\r\t $`=#{}!é", max_size=60),
)
BIG = "\n".join(["0123456789'\"\\ $(id) `id`\té"] * 4000)[:100_000]


@pytest.fixture(scope="module")
def shown(instance: Instance) -> str:
    """An app whose build and containers say what a variable is, in hex; its build is never cached."""
    app = instance.name("values")
    repo = instance.new_repo(instance.sample("values"))
    assert instance.push(repo, app).code == 0
    return app


def set_(instance: Instance, app: str, values: dict[str, str]) -> None:
    done = instance.dokku(
        "config:import", "--no-restart", "--format", "json", app, "-", input=json.dumps(values)
    )
    assert done.code == 0, done


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_any_text_reaches_a_one_off_container_to_the_byte(
    instance: Instance, shown: str, texts: list[str]
) -> None:
    values = {f"V{number}": text for number, text in enumerate(texts)}
    set_(instance, shown, values)
    script = "; ".join(f'printf "%s" "${key}" | hexdump -v -e \'1/1 "%02x"\'; echo' for key in values)
    done = instance.dokku("run", shown, "sh", "-c", script)
    assert done.code == 0, done
    assert done.out.split("\n")[:-1] == [text.encode().hex() for text in texts]


@pytest.mark.parametrize(
    "text", [BIG, "", " ", "\n", "a\r\n", "'\"\\`$(id)", "-----BEGIN-----\nx=\n-----END-----\n"]
)
def test_odd_texts_reach_containers_tasks_and_builds(instance: Instance, text: str) -> None:
    """DKR-2, DKR-3, NAME-6"""
    app = instance.name(f"odd-{hashlib.sha256(text.encode()).hexdigest()[:6]}")
    assert instance.dokku("apps:create", app).code == 0
    set_(instance, app, {"VALUE": text, "LD_PRELOAD": ""})
    for option in ("VALUE", "DOCKER_HOST"):
        assert instance.dokku("docker-options:add", app, "build", f"--build-arg {option}").code == 0
    show = 'printf "%s" "$VALUE" | sha256sum | cut -d " " -f 1'
    files = instance.sample(
        "x",
        **{
            "Dockerfile": f"FROM {BASE_IMAGE}\nARG VALUE\nRUN {show} > /built\nCOPY . /app\n"
            'RUN ln -s /app/www /www\nCMD ["/app/serve"]\n',
            "app.json": json.dumps({"scripts": {"dokku": {"postdeploy": f"echo task $({show})"}}}),
        },
    )
    done = instance.push(instance.new_repo(files), app)
    assert done.code == 0, done
    wanted = hashlib.sha256(text.encode()).hexdigest()
    assert f"task {wanted}" in done.err
    (container,) = instance.containers(app)
    assert instance.docker("exec", container, "cat", "/built").strip() == wanted
    assert instance.docker("exec", container, "sh", "-c", show).strip() == wanted
    entered = instance.dokku("enter", app, "web", "sh", "-c", show)
    assert entered.out.strip() == wanted
