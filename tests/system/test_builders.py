"""Who builds, by real deploys: detected, chosen, or a plugin; and builds that come to nothing."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.conftest import BASE_IMAGE, TREE, Instance, Result

EXAMPLE = TREE / "examples/custom-builder"
NAME = "infrastructure"
BUILDX = (
    os.environ.get("DOKKU_TEST_BUILDX", ""),
    "/usr/libexec/docker/cli-plugins/docker-buildx",
    "/usr/lib/docker/cli-plugins/docker-buildx",
)
# A builder NAME that serves a page saying so, in place of whatever the source has.
BUILDS = """#!/bin/sh
[ "$1" = {name} ] || exit 0
printf 'FROM {base}\\nRUN mkdir /www && echo by {name} >/www/index.html\\nCMD httpd -f -p $PORT -h /www\\n' |
    docker image build --tag "dokku/$2:latest" - >/dev/null
"""


class Plugins:
    """Plugins of one test. add: drops one in, executables by name (`_` for `-`); its directory."""

    def __init__(self, instance: Instance) -> None:
        self.enabled = instance.lib / "plugins/enabled"
        self.added: list[Path] = []

    def add(self, name: str, **scripts: str) -> Path:
        directory = self.enabled / name
        directory.mkdir(parents=True)
        self.added.append(directory)
        for file, script in scripts.items():
            path = directory / file.replace("_", "-")
            path.write_text(script)
            path.chmod(0o755)
        return directory

    def add_builder(self, name: str) -> Path:
        return self.add(f"builder-{name}", builder_build=BUILDS.format(name=name, base=BASE_IMAGE))


@pytest.fixture
def plugins(instance: Instance) -> Iterator[Plugins]:
    """`plugn` is on the PATH of their scripts."""
    plugn = instance.place / "bin/plugn"
    if not plugn.exists():
        plugn.symlink_to(TREE / "bin/plugn")
    found = Plugins(instance)
    yield found
    for directory in found.added:
        shutil.rmtree(directory)


@pytest.fixture
def custom(plugins: Plugins) -> Path:
    """The example's plugin, enabled."""
    directory = plugins.enabled / f"builder-{NAME}"
    shutil.copytree(EXAMPLE / f"builder-{NAME}", directory)
    plugins.added.append(directory)
    return directory


def example_app(**more: str) -> dict[str, str]:
    """The example's app, on the tests' own busybox image."""
    app = EXAMPLE / "app"
    found = {str(path.relative_to(app)): path.read_text() for path in app.rglob("*") if path.is_file()}
    name = "_infrastructure/Dockerfile"
    return {**found, name: found[name].replace("BASE=busybox", f"BASE={BASE_IMAGE}"), **more}


def label(instance: Instance, app: str) -> str:
    mark = '{{index .Config.Labels "com.dokku.builder-type"}}'
    return instance.docker("image", "inspect", f"--format={mark}", f"dokku/{app}:latest").strip()


def served(instance: Instance, name: str) -> tuple[str, Path, list[str]]:
    """An app that serves `before`, its work tree and its containers."""
    app = instance.name(name)
    repo = instance.new_repo(instance.sample("before"))
    assert instance.push(repo, app).code == 0
    return app, repo, instance.containers(app)


def assert_nothing_changed(instance: Instance, app: str, before: list[str], failed: Result) -> None:
    assert failed.code != 0, failed
    assert instance.get(app) == (200, "before")
    assert instance.containers(app) == before
    assert label(instance, app) == "dockerfile"
    assert instance.dokku("config:get", app, "DOKKU_APP_TYPE").out == "dockerfile\n"
    assert not list((instance.lib / "tmp").glob("checkout.*"))


@pytest.mark.usefixtures("custom")
def test_an_app_is_built_by_a_plugin_that_detects_it(instance: Instance) -> None:
    app = instance.name("custom")

    pushed = instance.push(instance.new_repo(example_app()), app)

    assert pushed.code == 0, pushed
    assert f"Building {app} from _infrastructure/Dockerfile" in pushed.err
    assert f"dokku/{app}:latest was built from _infrastructure/Dockerfile" in pushed.err
    assert "by a builder that a plugin brought along" in instance.get(app).body
    assert label(instance, app) == NAME
    assert instance.dokku("config:get", app, "DOKKU_APP_TYPE").out == f"{NAME}\n"

    restarted = instance.dokku("ps:restart", app)  # the release goes by the image, without a source
    assert restarted.code == 0
    assert f"dokku/{app}:latest was built from _infrastructure/Dockerfile" in restarted.out


@pytest.mark.usefixtures("custom")
def test_a_choice_by_name_comes_before_what_is_detected(instance: Instance, plugins: Plugins) -> None:
    notes = instance.place / "notes"
    script = f'#!/bin/sh\necho "${{0##*/}} $*" >>{notes}\n'
    names = ("pre_build", "post_build", "pre_release_builder", "post_release_builder")
    plugins.add("zz-watch", **dict.fromkeys(names, script), docker_args_process_deploy=script)
    app = instance.name("chosen")
    both = {**instance.sample("from the Dockerfile"), **example_app()}
    both["CHECKS"] = "WAIT=0\n"
    repo = instance.new_repo(both)
    assert instance.push(repo, app).code == 0
    assert "from the Dockerfile" in instance.get(app).body
    assert [
        line.split()[:2] for line in notes.read_text().splitlines() if "docker" not in line.split()[0]
    ] == [[name, "dockerfile"] for name in (n.replace("_", "-") for n in names)]

    assert instance.dokku("builder:set", app, "selected", NAME).code == 0
    notes.write_text("")
    assert instance.dokku("ps:rebuild", app).code == 0

    assert "by a builder that a plugin brought along" in instance.get(app).body
    lines = notes.read_text().splitlines()
    assert lines[0].split()[:3] == ["pre-build", NAME, app]
    assert f"post-release-builder {NAME} {app} dokku/{app}:latest" in lines
    assert f"docker-args-process-deploy {app} dockerfile latest web 1" in lines  # runs as what it looks like


def test_of_app_host_and_source_the_nearest_decides(instance: Instance, plugins: Plugins) -> None:
    app = instance.name("precedence")
    repo = instance.new_repo(instance.sample("by the Dockerfile", CHECKS="WAIT=0\n"))
    for name in ("one", "two"):
        plugins.add_builder(name)
    assert instance.push(repo, app).code == 0
    assert instance.get(app).body == "by the Dockerfile"
    try:
        assert instance.dokku("builder:set", "--global", "selected", "one").code == 0
        assert instance.dokku("ps:rebuild", app).code == 0
        assert instance.get(app).body == "by one\n"
        assert label(instance, app) == "one"  # its plugin gives no labels, dokku does

        assert instance.dokku("builder:set", app, "selected", "two").code == 0
        assert instance.dokku("ps:rebuild", app).code == 0
        assert instance.get(app).body == "by two\n"
    finally:
        instance.dokku("builder:set", "--global", "selected")
    assert instance.dokku("builder:set", app, "selected").code == 0
    plugins.add("a-builder", builder_detect="#!/bin/sh\necho one\n")
    assert instance.dokku("ps:rebuild", app).code == 0
    assert instance.get(app).body == "by one\n"


@pytest.mark.parametrize(
    ("chosen", "scripts", "mode", "text", "code"),
    [
        ("nix", {}, 0o755, "Nobody builds {app} with nix: is the plugin builder-nix installed", 1),
        ("nix", {"builder_build": "#!/bin/sh\n"}, 0o755, "Builder nix left no image for {app}", 1),
        ("nix", {"builder_build": "#!/bin/sh\n"}, 0o644, "script builder-build is not executable", 1),
        ("nix", {"builder_build": "#!/bin/sh\necho no nix >&2\nexit 9\n"}, 0o755, "no nix", 9),
        ("null", {}, 0o755, "The builder of {app} is null and builds nothing", 1),
    ],
    ids=["nobody", "no image", "not executable", "fails", "null"],
)
def test_a_build_that_comes_to_nothing_says_why_and_changes_nothing(
    instance: Instance,
    plugins: Plugins,
    chosen: str,
    scripts: dict[str, str],
    mode: int,
    text: str,
    code: int,
    request: pytest.FixtureRequest,
) -> None:
    app, repo, before = served(instance, f"vain-{request.node.callspec.id.replace(' ', '-')}")
    plugin = plugins.add("builder-nix", **scripts)
    for script in plugin.iterdir():
        script.chmod(mode)
    assert instance.dokku("builder:set", app, "selected", chosen).code == 0

    failed = instance.dokku("ps:rebuild", app)

    assert text.format(app=app) in failed.err
    assert failed.code == code
    assert_nothing_changed(instance, app, before, failed)
    instance.commit(repo, instance.sample("after"))
    assert instance.push(repo, app).code != 0
    assert instance.get(app) == (200, "before")


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore"])
def test_a_link_out_of_the_source_is_refused(instance: Instance, name: str) -> None:
    """GIT-9"""
    app, repo, before = served(instance, f"linked-{name.strip('.').lower()}")
    (repo / name).unlink(missing_ok=True)
    os.symlink("/etc/shadow", repo / name)
    instance.git(repo, "add", "--all")
    instance.git(repo, "commit", "--quiet", "--message=link")

    refused = instance.push(repo, app)

    assert f"{name} is no file of the source" in refused.err
    assert_nothing_changed(instance, app, before, refused)


def test_a_directory_of_the_source_and_a_dockerfile_of_another_name_are_built(instance: Instance) -> None:
    app = instance.name("elsewhere")
    assert instance.dokku("apps:create", app).code == 0
    sample = {f"services/web/{name}": text for name, text in instance.sample("from below").items()}
    dockerfile = sample.pop("services/web/Dockerfile")
    repo = instance.new_repo({**sample, "services/web/deploy/Web.dockerfile": dockerfile, "README": "x"})
    assert instance.dokku("builder:set", app, "build-dir", "/services/web/").code == 0
    assert instance.dokku("builder-dockerfile:set", app, "dockerfile-path", "deploy/None").code == 0

    refused = instance.push(repo, app)
    assert refused.code != 0
    assert "Invalid dockerfile-path specified: deploy/None" in refused.err

    assert instance.dokku("builder-dockerfile:set", app, "dockerfile-path", "deploy/Web.dockerfile").code == 0
    pushed = instance.push(repo, app)
    assert pushed.code == 0, pushed
    assert instance.get(app) == (200, "from below")


def test_a_bare_build_argument_takes_its_value_from_the_config(instance: Instance) -> None:
    """DKR-3"""
    app = instance.name("argument")
    assert instance.dokku("apps:create", app).code == 0
    assert instance.dokku("config:set", "--no-restart", app, "GREETING=hello from the config").code == 0
    (instance.root / app / "DOCKER_OPTIONS_BUILD").write_text("--build-arg GREETING\n")
    lines = [f"FROM {BASE_IMAGE}", "ARG GREETING", 'RUN mkdir /www && echo "$GREETING" >/www/index.html']
    repo = instance.new_repo({"Dockerfile": "\n".join([*lines, "CMD httpd -f -p $PORT -h /www", ""])})
    assert instance.dokku("checks:skip", app).code == 0

    pushed = instance.push(repo, app)

    assert pushed.code == 0, pushed
    assert instance.get(app) == (200, "hello from the config\n")


def test_labels_cost_one_layer_and_the_dockerfiles_command_stays(instance: Instance) -> None:
    app, _, _ = served(instance, "labels")
    history = instance.docker(
        "image", "history", "--no-trunc", "--format={{.CreatedBy}}", f"dokku/{app}:latest"
    )
    assert len([line for line in history.splitlines() if "LABEL" in line]) <= 1
    config = instance.docker("image", "inspect", "--format={{json .Config.Cmd}}", f"dokku/{app}:latest")
    assert config.strip() == '["/app/serve"]'
    assert len(instance.images(app)) == 1


@pytest.fixture
def buildkit(instance: Instance) -> Iterator[None]:
    """Builds of this instance go to BuildKit, through a buildx that is here."""
    program = next((path for path in BUILDX if path and os.access(path, os.X_OK)), "")
    if not program:
        pytest.skip("no buildx here: DOKKU_TEST_BUILDX may name one")
    plugin = instance.place / "docker-client/cli-plugins/docker-buildx"
    plugin.parent.mkdir(parents=True)
    plugin.symlink_to(program)
    instance.set_environment(DOCKER_CONFIG=str(instance.place / "docker-client"))
    yield
    instance.set_environment()
    shutil.rmtree(instance.place / "docker-client")


@pytest.mark.usefixtures("buildkit")
def test_buildkit_builds_as_the_classic_builder_does(instance: Instance) -> None:
    app = instance.name("buildkit")
    assert instance.dokku("apps:create", app).code == 0
    assert instance.dokku("config:set", "--no-restart", app, "GREETING=before").code == 0
    (instance.root / app / "DOCKER_OPTIONS_BUILD").write_text("--build-arg GREETING\n")
    lines = [f"FROM {BASE_IMAGE}", "ARG GREETING", 'RUN mkdir /www && printf "$GREETING" >/www/index.html']
    repo = instance.new_repo({"Dockerfile": "\n".join([*lines, "CMD httpd -f -p $PORT -h /www", ""])})
    assert instance.dokku("checks:skip", app).code == 0

    pushed = instance.push(repo, app)
    assert pushed.code == 0, pushed
    assert "[internal] load build definition from Dockerfile" in pushed.err
    assert "legacy builder" not in pushed.err
    before = instance.containers(app)
    assert instance.get(app) == (200, "before")
    assert label(instance, app) == "dockerfile"

    instance.commit(repo, {"Dockerfile": f"FROM {BASE_IMAGE}\nRUN echo no such luck >&2; exit 7\n"})
    failed = instance.push(repo, app)
    assert "no such luck" in failed.err
    assert_nothing_changed(instance, app, before, failed)

    assert instance.dokku("config:set", "--no-restart", app, "GREETING=after").code == 0
    assert instance.dokku("ps:rebuild", app).code == 0
    assert instance.get(app) == (200, "after")
    assert instance.dokku("ps:rebuild", app).code == 0
    assert instance.get(app) == (200, "after")
    assert len(instance.images(app)) <= 2  # one that serves, and one whose container is still to be stopped
