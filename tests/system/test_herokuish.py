"""Apps built with buildpacks: on real docker, by an image that keeps herokuish's contract."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import git_servers
from tests.system import herokuish
from tests.system.conftest import BASE_IMAGE, PATH, Instance, wait_for

LISTED = {
    "bin/detect": "#!/bin/sh\necho Listed\n",
    "bin/compile": "#!/bin/sh\necho 'Listed at work'\necho 'built by url' >\"$1/www/index.html\"\n",
}


@pytest.fixture(scope="module")
def stack(instance: Instance) -> str:
    """The image to build on. The instance starts first: the busybox image below it is there then."""
    return herokuish.image(BASE_IMAGE)


@pytest.fixture(scope="module")
def deployed(instance: Instance, stack: str) -> Iterator[tuple[str, Path]]:
    """An app that was built once, and its source."""
    app, repo = make(instance, stack, "site", COLOUR="red")
    pushed = instance.push(repo, app)
    assert pushed.code == 0, pushed
    assert f"-----> Building {app} from {stack}" in pushed.err
    assert "-----> Adding BUILD_ENV to build environment..." in pushed.err
    assert "-----> Static app detected" in pushed.err
    assert "       Installing everything anew" in pushed.err
    yield app, repo
    assert instance.dokku("apps:destroy", "--force", app).code == 0
    assert not (instance.root / app).exists()


def make(
    instance: Instance, stack: str, name: str, files: dict[str, str] | None = None, **config: str
) -> tuple[str, Path]:
    """An app on the test's stack with some config, and a repository for it."""
    app = instance.name(name)
    assert instance.dokku("apps:create", app).code == 0
    assert instance.dokku("buildpacks:set-property", app, "stack", stack).code == 0
    pairs = [f"{key}={value}" for key, value in {"DOKKU_DEFAULT_CHECKS_WAIT": "1", **config}.items()]
    assert instance.dokku("config:set", app, *pairs).code == 0
    return app, instance.new_repo({"www/index.html": "static", **(files or {})})


def known(instance: Instance, name: str) -> dict:
    return json.loads(instance.docker("image", "inspect", "--format={{json .}}", name))


def serving(instance: Instance, app: str) -> str:
    return (instance.root / app / "CONTAINER.web.1").read_text().strip()


def test_an_app_without_any_hint_is_built_with_buildpacks_and_serves(instance, deployed) -> None:
    app, _ = deployed
    assert instance.get(app) == (200, "static")
    assert instance.get(app, "/built-with").body == "red"
    assert instance.get(app, "/colour").body == "red\n"


def test_the_image_says_what_it_is(instance, deployed) -> None:
    app, _ = deployed
    settings = known(instance, f"dokku/{app}")["Config"]
    assert "USER=herokuishuser" in settings["Env"]
    assert settings["Cmd"] == ["/start", "web"]
    labels = settings["Labels"]
    assert labels["com.dokku.app-name"] == app
    assert labels["com.dokku.builder-type"] == "herokuish"
    assert labels["com.dokku.image-stage"] == "release"
    assert labels["dokku"] == ""


def test_processes_of_the_app_run_as_the_builders_user(instance, deployed) -> None:
    app, _ = deployed
    top = instance.docker("container", "top", serving(instance, app), "-eo", "pid,uid,args")
    assert [line.split()[1] for line in top.splitlines() if "httpd" in line] == ["32767"]


def test_nothing_of_a_build_is_left_over(instance, deployed) -> None:
    app, _ = deployed
    everything = instance.docker(
        "container", "ls", "--all", "--quiet", "--no-trunc", f"--filter=label=com.dokku.app-name={app}"
    )
    types = instance.docker(
        "container",
        "inspect",
        '--format={{index .Config.Labels "com.dokku.container-type"}}',
        *everything.split(),
    )
    assert set(types.split()) == {"deploy"}


def test_a_rebuild_has_what_the_last_one_left_in_its_cache(instance, deployed) -> None:
    app, _ = deployed
    before = int(instance.get(app, "/builds").body)
    rebuilt = instance.dokku("ps:rebuild", app)
    assert rebuilt.code == 0, rebuilt
    assert f"       Using what {before} builds left" in rebuilt.out
    assert instance.get(app, "/builds").body == f"{before + 1}\n"


def test_a_change_of_the_config_needs_no_build(instance, deployed) -> None:
    app, _ = deployed
    builds, layers = instance.get(app, "/builds").body, known(instance, f"dokku/{app}")["RootFS"]["Layers"]
    for colour in ("blue", 'it\'s "$green"'):
        done = instance.dokku("config:set", app, f"COLOUR={colour}")
        assert done.code == 0, done
        assert "detected" not in done.out
        wait_for(lambda: instance.get(app, "/colour").status == 200, 10)
        assert instance.get(app, "/colour").body == f"{colour}\n"
    assert instance.get(app, "/built-with").body == "red"
    assert instance.get(app, "/builds").body == builds
    assert len(known(instance, f"dokku/{app}")["RootFS"]["Layers"]) == len(layers), "no layer per release"


def test_what_is_unset_is_gone_though_the_build_had_it(instance, deployed) -> None:
    app, _ = deployed
    assert instance.dokku("config:unset", app, "COLOUR").code == 0
    said = instance.docker("container", "exec", serving(instance, app), "/exec", "env")
    assert "COLOUR" not in said
    assert "PORT=5000" in said
    assert "CURL_TIMEOUT=600" in said
    assert instance.dokku("config:set", app, "COLOUR=red").code == 0


def test_a_failed_build_says_why_and_changes_nothing(instance, deployed) -> None:
    app, repo = deployed
    container, image = serving(instance, app), known(instance, f"dokku/{app}")["Id"]
    instance.commit(repo, {"broken": "left-pad", "www/index.html": "never"})

    pushed = instance.push(repo, app)

    assert pushed.code != 0
    assert "no such gem: left-pad" in pushed.err
    assert " !     Failure during app build" in pushed.err
    assert " !     /build ended with status 3" in pushed.err
    assert serving(instance, app) == container
    assert known(instance, f"dokku/{app}")["Id"] == image
    assert instance.get(app) == (200, "static")
    (repo / "broken").unlink()
    instance.commit(repo, {"www/index.html": "static"})
    assert instance.push(repo, app).code == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_cancelled_build_ends_its_container(instance, deployed, number) -> None:
    """LEAK-6"""
    app, _ = deployed
    container = serving(instance, app)
    rebuild, _ = rebuilding_slowly(instance, app)

    rebuild.send_signal(number)

    assert rebuild.wait(60) == 128 + number
    assert building(instance, app) == []
    assert serving(instance, app) == container
    assert instance.get(app) == (200, "static")


def test_what_a_killed_build_leaves_goes_with_the_next_deploy(instance, deployed) -> None:
    """CRS-2"""
    app, _ = deployed
    rebuild, left = rebuilding_slowly(instance, app)
    os.killpg(rebuild.pid, signal.SIGKILL)
    rebuild.wait(30)
    assert building(instance, app) == [left], "nobody was there to remove it"
    assert instance.get(app) == (200, "static")

    again = instance.dokku("ps:rebuild", app)

    assert again.code == 0, again
    assert building(instance, app) == []


def rebuilding_slowly(instance: Instance, app: str) -> tuple[subprocess.Popen[bytes], str]:
    """A rebuild that would take ten minutes, at work, and its container."""
    assert instance.dokku("config:set", "--no-restart", app, "TAKE=600").code == 0
    argv = [str(instance.place / "bin/dokku"), "ps:rebuild", app]
    with open(os.devnull, "r+b") as nothing:
        streams = {"stdin": nothing, "stdout": nothing, "stderr": nothing}
        rebuild = subprocess.Popen(argv, **streams, env={"PATH": PATH}, start_new_session=True)
    wait_for(lambda: any("Taking its time" in said(instance, one) for one in building(instance, app)), 60)
    assert instance.dokku("config:unset", "--no-restart", app, "TAKE").code == 0
    (container,) = building(instance, app)
    return rebuild, container


def said(instance: Instance, container: str) -> str:
    return instance.docker("container", "logs", container, check=False)


def building(instance: Instance, app: str) -> list[str]:
    return instance.containers(app, "label=com.dokku.container-type=peek")


def test_the_cache_moves_with_a_new_name_and_goes_with_the_app(instance, stack) -> None:
    app, repo = make(instance, stack, "old-name")
    assert instance.push(repo, app).code == 0
    new = instance.name("new-name")

    renamed = instance.dokku("apps:rename", app, new, env={"DOKKU_WAIT_TO_RETIRE": "0"})

    assert renamed.code == 0, renamed
    assert "Using what 1 builds left" in instance.dokku("ps:rebuild", new).out
    assert instance.get(new, "/builds").body == "2\n"
    assert not (instance.root / app).exists()
    cloned = instance.dokku("apps:clone", new, app)
    assert "Installing everything anew" in cloned.out, "a clone has a cache of its own"
    for name in (app, new):
        assert instance.dokku("apps:destroy", "--force", name).code == 0
        assert not (instance.root / name).exists()


def test_another_stack_starts_with_an_empty_cache(instance, stack) -> None:
    app, repo = make(instance, stack, "stacked")
    assert instance.push(repo, app).code == 0
    instance.docker("image", "tag", stack, f"{herokuish.NAME}:{app}")
    assert instance.dokku("buildpacks:set-property", app, "stack", f"{herokuish.NAME}:{app}").code == 0
    rebuilt = instance.dokku("ps:rebuild", app)
    instance.docker("image", "rm", f"{herokuish.NAME}:{app}")
    assert "Installing everything anew" in rebuilt.out
    assert instance.dokku("apps:destroy", "--force", app).code == 0


@pytest.fixture(scope="module")
def url(instance: Instance) -> Iterator[str]:
    """A buildpack on a web server of ours."""
    place = instance.place / "buildpacks"
    upstream = git_servers.Upstream(place / "served" / "packs", "listed.git")
    upstream.commit_files(LISTED)
    with git_servers.serving(place / "served") as server:
        yield server.url("packs/listed.git")


@pytest.mark.parametrize("how", ["set", "file", "dotenv", "config"])
def test_buildpacks_named_by_url_are_used(instance, stack, url, how) -> None:
    files = {"Dockerfile": "FROM scratch\n"}
    files |= {"file": {".buildpacks": f"{url}\n"}, "dotenv": {".env": f"BUILDPACK_URL={url}\n"}}.get(how, {})
    app, repo = make(instance, stack, f"by-{how}", files)
    (instance.root / app / "DOCKER_OPTIONS_BUILD").write_text("--network=host\n")  # the server is on loopback
    if how == "set":
        assert instance.dokku("buildpacks:set", app, url).code == 0
    if how == "config":
        assert instance.dokku("config:set", "--no-restart", app, f"BUILDPACK_URL={url}").code == 0
    instance.commit(repo, {"Procfile": "web: exec httpd -f -p $PORT -h /app/www\n"})

    pushed = instance.push(repo, app)

    assert pushed.code == 0, pushed
    assert "-----> Listed app detected" in pushed.err
    assert "       Listed at work" in pushed.err
    assert instance.get(app) == (200, "built by url\n")
    assert instance.dokku("apps:destroy", "--force", app).code == 0


def test_plugins_may_change_the_image_before_and_after_the_build(instance, stack) -> None:
    app, repo = make(instance, stack, "plugged")
    place = instance.lib / "plugins/enabled/additions"
    place.mkdir(parents=True)
    script = """#!/bin/sh
set -e
[ "$1" = {app} ] || exit 0
[ -f www/index.html ]
id=$(docker container create dokku/{app} sh -c 'echo {text} >>/app/www/index.html')
docker container start --attach "$id"
docker container commit "$id" dokku/{app} >/dev/null
docker container rm "$id" >/dev/null
"""
    for hook in ("pre", "post"):
        (place / f"{hook}-build-buildpack").write_text(script.format(app=app, text=hook))
        (place / f"{hook}-build-buildpack").chmod(0o755)
    try:
        pushed = instance.push(repo, app)
    finally:
        for hook in ("pre", "post"):
            (place / f"{hook}-build-buildpack").unlink()
        place.rmdir()
    assert pushed.code == 0, pushed
    assert instance.get(app).body == "staticpre\npost\n"
    assert instance.dokku("config:set", app, "A=b").code == 0
    assert instance.get(app).body == "staticpre\npost\n"
    assert instance.dokku("apps:destroy", "--force", app).code == 0


def test_a_plugin_may_build_on_an_image_of_its_own(instance, stack) -> None:
    app, repo = make(instance, stack, "extended")
    place = instance.lib / "plugins/enabled/packages"
    place.mkdir(parents=True)
    hooks = {
        "builder-create-dokku-image": f'id=$(docker container create "$4" sh -c "echo $1 >/from-a-plugin")\n'
        'docker container start --attach "$id"\n'
        f'docker container commit "$id" {herokuish.NAME}:{app} >/dev/null\n'
        'docker container rm "$id" >/dev/null\n',
        "builder-dokku-image": f"echo {herokuish.NAME}:{app}\n",
    }
    for name, script in hooks.items():
        (place / name).write_text(f'#!/bin/sh\nset -e\n[ "$2" = {app} ] || exit 0\n{script}')
        (place / name).chmod(0o755)
    try:
        pushed = instance.push(repo, app)
    finally:
        shutil.rmtree(place)
        instance.docker("image", "rm", f"{herokuish.NAME}:{app}", check=False)
    assert pushed.code == 0, pushed
    read = instance.docker("container", "exec", serving(instance, app), "cat", "/from-a-plugin")
    assert read == "herokuish\n"
    assert instance.dokku("apps:destroy", "--force", app).code == 0


def test_no_value_of_the_config_stands_in_a_program_s_arguments(instance, stack) -> None:
    """DKR-3"""
    app, repo = make(instance, stack, "secretive", COLOUR="s3cr3t-colour")
    spy = instance.place / "spy"
    spy.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{instance.place}/said\nexec docker "$@"\n')
    spy.chmod(0o755)
    instance.set_environment(DOCKER_BIN=str(spy))
    pushed = instance.push(repo, app)
    instance.set_environment()
    assert pushed.code == 0, pushed
    said = (instance.place / "said").read_text()
    assert "container commit" in said
    assert "s3cr3t" not in said
    assert "s3cr3t" not in pushed.err
    assert instance.dokku("apps:destroy", "--force", app).code == 0


def test_a_stack_that_cannot_be_had_is_named(instance, stack) -> None:
    app, repo = make(instance, "127.0.0.1:9/no/such:stack", "stackless")
    pushed = instance.push(repo, app)
    assert pushed.code != 0
    assert " !     Failed to pull image: 127.0.0.1:9/no/such:stack" in pushed.err
    assert instance.dokku("apps:destroy", "--force", app).code == 0
