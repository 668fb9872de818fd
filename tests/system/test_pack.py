"""Apps built by pack and nixpacks: deployed, served, built again, and failing with a reason.

pack is not to be had everywhere, so most tests put a stand-in before it: a script that takes pack's words and
leaves an image of the same shape (a link per process type, a launcher, labels). It shows what dokku does with
pack and with such images, not what pack does. One test for each of the two runs the real program.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.conftest import BASE_IMAGE, PATH, Instance, wait_for

BUILDER = "dokku-test/cnb-builder"
_PACK = """#!/bin/sh
set -e
[ "$1" = build ]
image=$2
shift 2
for word; do
    case $word in
    --builder=*) builder=${word#*=} ;;
    --path=*) source=${word#*=} ;;
    --env-file=*) variables=${word#*=} ;;
    --volume=*:/platform/env/*:ro) mounts="$mounts ${word#*=}" ;;
    esac
done
printf '%s\\n' "$image" "$@" >"$(dirname "$0")/pack.words"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/app" "$work/env" "$work/layers" "$work/process"
cp -R "$source/." "$work/app"
while IFS= read -r line; do
    printf '%s\\n' "${line#*=}" >"$work/env/${line%%=*}"
done <"${variables:-/dev/null}"
for mount in $mounts; do
    mount=${mount%:ro}
    cp "${mount%%:*}" "$work/env/${mount##*/}"
done
types=
while IFS=: read -r type command; do
    case $type in only-*) continue ;; esac
    printf '%s' "$command" >"$work/layers/$type"
    ln -s /cnb/lifecycle/launcher "$work/process/$type"
    types="$types,{\\"type\\":\\"$type\\"}"
done <"$source/Procfile"
if docker image inspect --format '{{json .Config.Labels}}' "$image" 2>/dev/null |
    grep -q io.buildpacks.lifecycle.metadata; then
    echo "Restoring what $image has"
fi
cat >"$work/Dockerfile" <<END
FROM $builder
COPY process /cnb/process
COPY layers /layers
COPY env /platform/env
COPY app /workspace
WORKDIR /workspace
RUN ! [ -x ./compile ] || ./compile
LABEL io.buildpacks.stack.id=test io.buildpacks.lifecycle.metadata={} \
io.buildpacks.build.metadata='{"processes":[${types#,}]}'
ENTRYPOINT ["/cnb/process/web"]
END
DOCKER_BUILDKIT=0 docker build --force-rm --tag "$image" "$work" >"$work/said" 2>&1 || {
    cat "$work/said" >&2
    exit 51
}
"""
_LAUNCHER = """#!/bin/sh
type=${0##*/}
[ "$type" != launcher ] || [ $# -gt 0 ] || exit 82
if [ "$type" = launcher ]; then
    script=$1
    shift
    exec /bin/sh -c "$script" launcher "$@"
fi
exec /bin/sh -c "exec $(cat "/layers/$type") $*"
"""
_COMPILE = """#!/bin/sh
mkdir -p www
[ ! -e /platform/env/GREETING ] || cat /platform/env/GREETING >www/greeting.html
"""
_WORK = """#!/bin/sh
trap 'exit 0' TERM
echo "$1" >/tmp/working
sleep 600 &
wait
"""
_FILES = {
    "project.toml": '[_]\nschema-version = "0.2"\n',
    "Procfile": "web: ./serve\nworker: ./work by-type\nonly-cron: ./work by-procfile-$PORT\n",
    "DOKKU_SCALE": "web=1\nworker=1\nonly-cron=1\n",
    "compile": _COMPILE,
    "work": _WORK,
}


@pytest.fixture
def builder(instance: Instance, tmp_path: Path) -> Iterator[str]:
    """The image that the stand-in builds with and on; made of the base image, for one test."""
    launcher = tmp_path / "launcher"
    launcher.write_text(_LAUNCHER)
    launcher.chmod(0o755)
    lines = [f"FROM {BASE_IMAGE}", f"LABEL {mark(instance)}", "COPY launcher /cnb/lifecycle/launcher"]
    (tmp_path / "Dockerfile").write_text("\n".join([*lines, "RUN ln -s /workspace/www /www", ""]))
    name = f"{BUILDER}:{instance.prefix}"
    instance.build(name, tmp_path)
    instance.set_environment(DOKKU_CNB_BUILDER=name)
    yield name
    instance.set_environment()
    remove(instance, name)


@pytest.fixture
def pack(instance: Instance) -> Iterator[Callable[[], list[str]]]:
    """The stand-in, before any other pack; the words that it was called with last."""
    program = instance.place / "bin/pack"
    program.write_text(_PACK)
    program.chmod(0o755)
    yield lambda: (instance.place / "bin/pack.words").read_text().splitlines()
    program.unlink()


def mark(instance: Instance) -> str:
    """A label that all layers on top of a base image have, those of failed builds, too."""
    return f"dokku-test.pack={instance.prefix}"


def remove(instance: Instance, base: str) -> None:
    instance.docker("image", "rm", "--force", base, check=False)
    for kind in ("container", "image"):
        instance.docker(kind, "prune", "--force", f"--filter=label={mark(instance)}", check=False)


def sample(instance: Instance, page: str, **more: str) -> dict[str, str]:
    files = {**instance.sample(page), **_FILES, **more}
    del files["Dockerfile"]
    return files


def labels(instance: Instance, app: str) -> dict[str, str]:
    found = json.loads(instance.docker("image", "inspect", f"dokku/{app}:latest"))
    return dict(found[0]["Config"]["Labels"])


def image_id(instance: Instance, app: str) -> str:
    return instance.docker("image", "inspect", "--format={{.Id}}", f"dokku/{app}:latest").strip()


def test_an_app_is_built_served_and_built_again(instance, builder, pack):
    app = instance.name("cnb")
    assert instance.dokku("apps:create", app).code == 0
    assert instance.dokku("config:set", "--no-restart", app, "GREETING=hunter2 and more").code == 0
    repo = instance.new_repo(sample(instance, "first"))

    pushed = instance.push(repo, app)

    assert pushed.code == 0, pushed
    assert f"-----> Building {app} from cnb stack {builder}..." in pushed.err
    assert instance.get(app) == (200, "first")
    assert instance.get(app, "/greeting.html") == (200, "hunter2 and more\n")
    words = pack()
    assert words[0] == f"dokku/{app}:building"
    assert {f"--builder={builder}", "--default-process=web"} < set(words)
    assert any(word.startswith("--env-file=") for word in words)
    assert not any("hunter2" in word for word in words)
    marks = labels(instance, app)
    assert (marks["com.dokku.app-name"], marks["com.dokku.builder-type"]) == (app, "pack")
    assert marks["io.buildpacks.stack.id"] == "test"
    for process, said in (("worker", "by-type"), ("only-cron", "by-procfile-5000")):
        (container,) = instance.containers(app, f"label=com.dokku.process-type={process}")
        assert instance.docker("exec", container, "cat", "/tmp/working").strip() == said

    rebuilt = instance.dokku("ps:rebuild", app)

    assert rebuilt.code == 0, rebuilt
    assert f"Restoring what dokku/{app}:building has" in rebuilt.out + rebuilt.err
    assert instance.get(app) == (200, "first")
    instance.commit(repo, {"www/index.html": "second", "CHECKS": "WAIT=0\n/ second\n"})
    assert instance.push(repo, app).code == 0
    assert instance.get(app) == (200, "second")
    assert labels(instance, app)["com.dokku.builder-type"] == "pack"


def test_a_build_that_fails_says_why_and_changes_nothing(instance, builder, pack):
    app = instance.name("cnb-broken")
    repo = instance.new_repo(sample(instance, "good"))
    assert instance.push(repo, app).code == 0
    before = image_id(instance, app)
    instance.commit(repo, {"compile": "#!/bin/sh\necho there is no such package >&2\nexit 3\n"})

    failed = instance.push(repo, app)

    assert failed.code != 0
    assert "there is no such package" in failed.err
    assert " !     Failure building image" in failed.err
    assert instance.get(app) == (200, "good")
    assert image_id(instance, app) == before


def test_a_killed_build_leaves_the_last_version_and_the_next_one_clears_up(instance, builder, pack):
    app = instance.name("cnb-killed")
    repo = instance.new_repo(sample(instance, "before"))
    assert instance.push(repo, app).code == 0
    before = image_id(instance, app)
    instance.commit(repo, {"www/index.html": "after", "CHECKS": "WAIT=0\n/ after\n"})
    instance.set_environment(DOKKU_CNB_BUILDER=builder, DOKKU_TEST_FAILPOINT="built:kill9")

    assert instance.push(repo, app).code != 0

    instance.set_environment(DOKKU_CNB_BUILDER=builder)
    left = instance.docker("image", "inspect", "--format={{.Id}}", f"dokku/{app}:building").strip()
    assert image_id(instance, app) == before
    assert instance.get(app) == (200, "before")
    assert instance.push(repo, app).code == 0
    assert instance.get(app) == (200, "after")
    names = instance.docker("image", "ls", "--all", "--no-trunc", "--format={{.ID}} {{.Repository}}:{{.Tag}}")
    assert f"dokku/{app}:building" not in names
    assert left not in names


def test_a_start_command_goes_through_the_launcher(instance, builder, pack):
    app = instance.name("cnb-start")
    assert instance.dokku("apps:create", app).code == 0
    assert instance.dokku("config:set", "--no-restart", app, "DOKKU_START_CMD=./other").code == 0
    files = sample(instance, "x", Procfile="web: ./serve\n", DOKKU_SCALE="web=1\n")
    files |= {"pages/index.html": "by command", "CHECKS": "WAIT=0\n/ by command\n"}
    files["other"] = files["serve"].replace("-h /www", "-h /workspace/pages")
    repo = instance.new_repo(files)

    pushed = instance.push(repo, app)

    assert pushed.code == 0, pushed
    assert instance.get(app) == (200, "by command")


def test_a_project_file_elsewhere_chooses_pack(instance, builder, pack):
    app = instance.name("cnb-elsewhere")
    assert instance.dokku("apps:create", app).code == 0
    assert instance.dokku("builder-pack:set", app, "projecttoml-path", "ops/project.toml").code == 0
    files = sample(instance, "found")
    repo = instance.new_repo({**files, "ops/project.toml": files.pop("project.toml")})

    pushed = instance.push(repo, app)

    assert pushed.code == 0, pushed
    assert instance.get(app) == (200, "found")
    assert labels(instance, app)["com.dokku.builder-type"] == "pack"


def test_an_app_that_goes_takes_packs_cache_along(instance, builder, pack):
    app = instance.name("cnb-gone")
    assert instance.push(instance.new_repo(sample(instance, "gone soon")), app).code == 0
    ours, other = (f"pack-cache-dokku_{name}_building-0123456789ab.build" for name in (app, f"{app}-2"))
    for volume in (ours, other):
        instance.docker("volume", "create", volume)

    destroyed = instance.dokku("--force", "apps:destroy", app)

    left = instance.docker("volume", "ls", "--quiet").split()
    instance.docker("volume", "rm", other)
    assert destroyed.code == 0, destroyed
    assert other in left
    assert ours not in left


@pytest.mark.parametrize(
    ("program", "files"),
    [
        ("pack", {"project.toml": ""}),
        ("nixpacks", {"nixpacks.toml": ""}),
        ("railpack", {"railpack.json": "{}"}),
    ],
)
def test_a_missing_program_is_named_and_the_app_serves_on(instance, program, files):
    if shutil.which(program, path=PATH):
        pytest.skip(f"{program} is installed here")
    app = instance.name(f"no-{program}")
    repo = instance.new_repo(instance.sample("still here"))
    assert instance.push(repo, app).code == 0
    before = image_id(instance, app)
    instance.git(repo, "rm", "--quiet", "Dockerfile")
    instance.commit(repo, files)

    failed = instance.push(repo, app)

    assert failed.code != 0
    assert f" !     Missing {program}, install it" in failed.err
    assert instance.get(app) == (200, "still here")
    assert image_id(instance, app) == before


def test_the_real_pack_builds_an_app(instance):
    """DOKKU_TEST_CNB_BUILDER: a builder image on this host. DOKKU_TEST_CNB_APP: source that it can build."""
    program = shutil.which("pack")
    image, source = (os.environ.get(f"DOKKU_TEST_CNB_{name}", "") for name in ("BUILDER", "APP"))
    if not (program and image and source):
        pytest.skip("needs pack, and DOKKU_TEST_CNB_BUILDER and DOKKU_TEST_CNB_APP: pack is not tested")
    app = instance.name("cnb-real")
    link = instance.place / "bin/pack"
    link.symlink_to(program)
    try:
        instance.set_environment(DOKKU_CNB_BUILDER=image)
        assert instance.dokku("apps:create", app).code == 0
        for option in ("--pull-policy=if-not-present", "--trust-builder"):
            assert instance.dokku("docker-options:add", app, "build", option).code == 0
        repo = instance.new_repo({"project.toml": _FILES["project.toml"]})
        shutil.copytree(source, repo, dirs_exist_ok=True)
        instance.commit(repo, {})
        pushed = instance.push(repo, app, timeout=1200)
        assert pushed.code == 0, pushed
        assert instance.get(app).status == 200
        assert labels(instance, app)["com.dokku.builder-type"] == "pack"
        rebuilt = instance.dokku("ps:rebuild", app, timeout=1200)
        assert rebuilt.code == 0, rebuilt
        assert instance.get(app).status == 200
    finally:
        instance.set_environment()
        link.unlink()


@pytest.fixture
def nixpacks(instance: Instance, tmp_path: Path) -> Iterator[None]:
    """The real nixpacks, with a base image of ours under the name of its own, which no registry here has."""
    program = shutil.which("nixpacks", path=f"{os.environ['PATH']}:{Path.home()}/.cargo/bin")
    if program is None:
        pytest.skip("needs nixpacks (cargo install nixpacks): nixpacks is not tested")
    base = base_name(program, tmp_path)
    if subprocess.run(["docker", "image", "inspect", base], capture_output=True, check=False).returncode == 0:
        pytest.skip(f"{base} is here and may be somebody's: nixpacks is not tested")
    top = tmp_path / "base"
    copy_with_libraries("/bin/bash", top)
    (top / "Dockerfile").write_text(f"FROM {BASE_IMAGE}\nLABEL {mark(instance)}\nCOPY . /\n")
    instance.build(base, top)
    shim = instance.place / "bin/docker"  # nixpacks asks for BuildKit, whose client is not everywhere
    shim.write_text(f'#!/bin/sh\nDOCKER_BUILDKIT=0 exec {shutil.which("docker", path=PATH)} "$@"\n')
    shim.chmod(0o755)
    link = instance.place / "bin/nixpacks"
    link.symlink_to(program)
    yield
    for path in (shim, link):
        path.unlink()
    remove(instance, base)


def base_name(program: str, place: Path) -> str:
    """The image that this nixpacks builds on."""
    (place / "app").mkdir()
    (place / "app/nixpacks.toml").write_text(nixpacks_plan("true"))
    argv = [program, "build", "--out", str(place / "out"), str(place / "app")]
    subprocess.run(argv, check=True, capture_output=True, env={"PATH": PATH})
    first, *_ = (place / "out/.nixpacks/Dockerfile").read_text().splitlines()
    return first.removeprefix("FROM ")


def copy_with_libraries(program: str, top: Path) -> None:
    listed = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout.split()
    for name in (program, *(word for word in listed if word.startswith("/"))):
        target = top / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(name).resolve(), target)


def nixpacks_plan(command: str) -> str:
    """A plan without packages, which would come from elsewhere."""
    build = '[phases.build]\ncmds = ["if [ -e compile ]; then ./compile; fi"]\n'
    return f'providers = []\n[phases.setup]\nnixPkgs = []\nnixLibs = []\n{build}[start]\ncmd = "{command}"\n'


def test_the_real_nixpacks_builds_an_app(instance, nixpacks):
    app = instance.name("nix")
    assert instance.dokku("apps:create", app).code == 0
    assert instance.dokku("config:set", "--no-restart", app, "TOKEN=hunter2").code == 0
    files = {**instance.sample("by nixpacks"), "nixpacks.toml": nixpacks_plan("./serve")}
    files["serve"] = files["serve"].replace("-h /www", "-h /app/www")
    files["Procfile"] = "worker: ./work 'by words'\nrelease: true\n"
    del files["Dockerfile"]
    repo = instance.new_repo({**files, "work": _WORK, "DOKKU_SCALE": "web=1\nworker=1\n"})

    pushed = instance.push(repo, app)

    assert pushed.code == 0, pushed
    assert f"-----> Building {app} from nixpacks" in pushed.err
    assert instance.get(app) == (200, "by nixpacks")
    assert labels(instance, app)["com.dokku.builder-type"] == "nixpacks"
    assert "hunter2" not in instance.docker("image", "inspect", f"dokku/{app}:latest")
    (worker,) = instance.containers(app, "label=com.dokku.process-type=worker")
    wait_for(lambda: instance.docker("exec", worker, "cat", "/tmp/working", check=False).strip(), 10)
    assert instance.docker("exec", worker, "cat", "/app/Procfile") == files["Procfile"]
    assert instance.dokku("ps:rebuild", app).code == 0
    before = image_id(instance, app)
    instance.commit(repo, {"compile": "#!/bin/sh\necho there is no such package >&2\nexit 3\n"})

    failed = instance.push(repo, app)

    assert failed.code != 0
    assert "there is no such package" in failed.err
    assert " !     Failure building image" in failed.err
    assert instance.get(app) == (200, "by nixpacks")
    assert image_id(instance, app) == before
    assert f"dokku/{app}:building" not in instance.docker("image", "ls", "--format={{.Repository}}:{{.Tag}}")
