"""The herokuish builder: which containers and images it makes, in which order, and what is put into them."""

import io
import json
import os
import re
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.app import config
from lib.base import files, log, properties, settings, triggers
from lib.base.errors import DokkuError, ToolFailed
from lib.build import herokuish, images

APP, TREE = "blog", "/source"
NAME = herokuish.NAME
ID, IMAGE = "c" * 64, "sha256:" + "1" * 64
TEXT = st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@pytest.fixture(autouse=True)
def said(fs):
    os.makedirs(settings.app_dir(APP))
    os.makedirs(TREE)
    with log.collected() as lines:
        yield lines


@pytest.fixture
def docker(shell):
    """docker with the stack's image and containers that all do well."""
    shell.answers("docker image inspect …", out=json.dumps({"Id": IMAGE, "Config": {}}) + "\n")
    shell.answers("docker container create …", out=f"{ID}\n")
    return shell


def words(shell):
    return [" ".join(call.argv[1:3]) for call in shell.calls]


def note_triggers(monkeypatch, shell):
    """Note when a trigger is fired, among the programs that run."""
    real = triggers.fire

    def note(fired, *arguments, **how):
        shell.ran.append(fired)
        real(fired, *arguments, **how)

    monkeypatch.setattr(triggers, "fire", note)


def content(shell, number=0):
    """What was put into a container by tar: text by path."""
    archives = [call.stdin for call in shell.calls if call.argv[2:4] == ["cp", "-"]]
    with tarfile.open(fileobj=io.BytesIO(archives[number])) as tar:
        return {
            member.name: tar.extractfile(member).read().decode() if member.isfile() else None
            for member in tar.getmembers()
        }


def test_another_builders_app_is_left_alone(shell):
    herokuish.build("dockerfile", APP, TREE)
    herokuish.release("pack", APP, "latest")
    assert shell.ran == []


def test_a_build_is_one_container_and_one_image(docker, said, monkeypatch):
    note_triggers(monkeypatch, docker)
    properties.write("buildpacks", APP, "stack", "stack:1")

    herokuish.build("herokuish", APP, TREE)

    assert [re.split(" ['-]-", line)[0] for line in docker.ran] == [
        "builder-create-dokku-image",
        "docker image inspect",
        "pre-build-buildpack",
        "post-config-update",
        "docker container create",
        f"docker container cp /source/. {ID}:/app",
        f"docker container cp - {ID}:/",
        "post-container-create",
        "docker container start",
        "docker container commit",
        "docker container rm",
        "post-build-buildpack",
    ]
    assert (1, b"-----> Building blog from stack:1\n") in said
    assert (1, b"-----> Adding BUILD_ENV to build environment...\n") in said


def test_the_container_has_the_cache_the_user_and_the_build_options(docker, monkeypatch):
    files.replace(f"{settings.app_dir(APP)}/DOCKER_OPTIONS_BUILD", "-v /a:/b\n--env='X=y z'\n")
    herokuish.build("herokuish", APP, TREE)
    (create,) = [call.argv for call in docker.calls if call.argv[2] == "create"]
    flags = create[create.index("--init") : create.index("--")]
    assert flags == [
        "--init",
        f"--volume={settings.root()}/blog/cache:/cache",
        "--env=CACHE_PATH=/cache",
        "--env=USER=herokuishuser",
        *("-v", "/a:/b", "--env=X=y z"),
    ]
    assert create[-2:] == ["gliderlabs/herokuish:latest", "/build"]
    assert "--label=com.dokku.container-type=peek" in create


def test_the_image_is_labelled_as_the_apps_and_not_as_a_leftover(docker):
    herokuish.build("herokuish", APP, TREE)
    (commit,) = [call.argv for call in docker.calls if call.argv[2] == "commit"]
    assert commit[-2:] == [ID, "dokku/blog:latest"]
    for mark in (
        ("app-name", "blog"),
        ("image-stage", "build"),
        ("builder-type", NAME),
        ("container-type", ""),
    ):
        assert f'com.dokku.{mark[0]}="{mark[1]}"' in commit[3]
    assert commit[4] == '--change=CMD ["/start", "web"]'


def test_the_config_goes_by_files_and_never_by_words(docker):
    files.replace(f"{TREE}/.env", "OWN=1\n# end")
    config.set_values(APP, {"SECRET": "it's $HOME\nand more"})
    herokuish.build("herokuish", APP, TREE)
    found = content(docker)
    assert found["tmp/env"] is None
    assert found["tmp/env/SECRET"] == "it's $HOME\nand more"
    assert found["tmp/env/CURL_TIMEOUT"] == "600"
    assert found["app/.env"].startswith("OWN=1\n# end\nCURL_CONNECT_TIMEOUT='90'\n")
    assert "SECRET='it'\\''s $HOME\nand more'\n" in found["app/.env"]
    assert not any("more" in line for line in docker.ran)


def test_an_env_file_that_leads_out_of_the_tree_is_neither_read_nor_replaced(docker):
    """GIT-9"""
    os.symlink("/etc/passwd", f"{TREE}/.env")
    herokuish.build("herokuish", APP, TREE)
    assert "app/.env" not in content(docker)


@given(variables=st.dictionaries(st.from_regex(r"[A-Z_]{1,9}", fullmatch=True), TEXT, max_size=4))
def test_archives_hold_what_was_given(variables):
    archive = herokuish._archive({f"tmp/env/{key}": value for key, value in variables.items()}, "tmp/env")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        found = {m.name: tar.extractfile(m).read().decode() for m in tar.getmembers() if m.isfile()}
        assert {member.mode for member in tar.getmembers()} <= {0o644, 0o755}
    assert found == {f"tmp/env/{key}": value for key, value in variables.items()}


def test_chosen_limits_of_downloads_stay(docker):
    config.set_values(config.GLOBAL, {"CURL_TIMEOUT": "5"})
    herokuish.prepare_environment(APP, TREE)
    assert config.values(config.GLOBAL) == {"CURL_CONNECT_TIMEOUT": "90", "CURL_TIMEOUT": "5"}


def test_a_plugin_before_the_build_gets_an_image_and_its_changes_are_built(docker, monkeypatch):
    monkeypatch.setattr(triggers, "has_plugins", lambda name: name == "pre-build-buildpack")
    herokuish.build("herokuish", APP, TREE)
    creates = [call.argv[-2:] for call in docker.calls if call.argv[2] == "create"]
    assert creates[0][0] == "/start"
    assert creates[1] == ["dokku/blog:latest", "/build"]
    first, second = [call.argv for call in docker.calls if call.argv[2] == "commit"]
    assert 'com.dokku.image-stage="source"' in first[3]
    assert 'com.dokku.image-stage="build"' in second[3]
    assert [line for line in docker.ran if "/source/." in line] == [
        f"docker container cp /source/. {ID}:/app"
    ]


def test_a_plugin_may_name_another_image_to_build_on(docker, monkeypatch):
    real = triggers.ask
    answers = {"builder-dokku-image": "other:2\n"}
    monkeypatch.setattr(triggers, "ask", lambda name, *rest: answers.get(name) or real(name, *rest))
    herokuish.build("herokuish", APP, TREE)
    assert [call.argv[-2] for call in docker.calls if call.argv[2] == "create"] == ["other:2"]


def test_a_failed_build_says_so_and_leaves_no_container(docker):
    docker.answers("docker container start …", status=3)
    with pytest.raises(DokkuError) as failed:
        herokuish.build("herokuish", APP, TREE)
    assert failed.value.text == "Failure during app build"
    assert failed.value.more == ("/build ended with status 3",)
    assert docker.ran[-1] == f"docker container rm --force {ID}"
    assert not any("commit" in line for line in docker.ran)


def test_source_that_cannot_be_copied_is_told(docker):
    docker.answers("docker container cp /source…", err="no space left on device\n", status=1)
    with pytest.raises(DokkuError) as failed:
        herokuish.build("herokuish", APP, TREE)
    assert failed.value.text == "Failure extracting app code"
    assert "no space left on device" in failed.value.more[0]
    assert docker.ran[-1] == f"docker container rm --force {ID}"


def test_a_stack_that_is_not_here_is_pulled(shell):
    shell.answers("docker container create …", out=f"{ID}\n")
    herokuish.build("herokuish", APP, TREE)
    assert "docker image pull -- gliderlabs/herokuish:latest" in shell.ran


def test_a_stack_that_cannot_be_had_is_named(shell):
    shell.answers("docker image pull …", status=1)
    with pytest.raises(DokkuError, match="Failed to pull image: gliderlabs/herokuish:latest"):
        herokuish.build("herokuish", APP, TREE)


def image(labels=None, parent="", layers=3, id_=IMAGE):
    rootfs = {"Layers": ["x"] * layers}
    return (
        json.dumps({"Id": id_, "Config": {"Labels": labels or {}}, "Parent": parent, "RootFS": rootfs}) + "\n"
    )


def release(shell, **known):
    shell.answers("docker image inspect …", out=image(**known))
    shell.answers("docker container create …", out=f"{ID}\n")
    herokuish.release("herokuish", APP, "latest")


def test_a_release_puts_the_config_into_the_profile(shell):
    config.set_values(config.GLOBAL, {"A": "global"})
    config.set_values(APP, {"B": "it's"})
    release(shell)
    found = content(shell)
    assert list(found) == ["app/.profile.d/00-global-env.sh", "app/.profile.d/01-app-env.sh"]
    assert found["app/.profile.d/00-global-env.sh"].endswith("unset kept\nexport A='global'\n")
    assert found["app/.profile.d/01-app-env.sh"] == "export B='it'\\''s'\n"
    (commit,) = [call.argv for call in shell.calls if call.argv[2] == "commit"]
    assert f'com.dokku.built-image="{IMAGE}"' in commit[3]
    assert 'com.dokku.image-stage="release"' in commit[3]
    assert words(shell) == [
        "image inspect",
        "container create",
        "container cp",
        "container commit",
        "container rm",
    ]


@pytest.mark.parametrize(
    ("parent", "layers", "back"), [("sha256:b", 3, True), ("sha256:x", 3, False), ("sha256:x", 101, True)]
)
def test_a_release_starts_from_what_the_build_left(shell, parent, layers, back):
    release(shell, labels={herokuish.BUILT: "sha256:b"}, parent=parent, layers=layers)
    assert ("docker image tag -- sha256:b dokku/blog:latest" in shell.ran) == back
    (commit,) = [call.argv for call in shell.calls if call.argv[2] == "commit"]
    assert 'com.dokku.built-image="sha256:b"' in commit[3]


def test_a_source_that_was_never_built_is_not_released(shell):
    with pytest.raises(DokkuError) as refused:
        release(shell, labels={herokuish.STAGE: herokuish.SOURCE})
    assert refused.value.text == "The last build of blog was cut off"
    assert refused.value.more == ("Run ps:rebuild blog",)


def test_a_release_without_room_says_what_it_was_about(shell):
    shell.answers("docker container cp …", err="no space left\n", status=1)
    with pytest.raises(DokkuError) as failed:
        release(shell)
    assert failed.value.text == "Failure injecting app environment variables"
    assert not isinstance(failed.value, ToolFailed)


@pytest.mark.parametrize(
    ("machine", "host", "own", "allowed"),
    [
        ("x86_64", "", "", True),
        ("aarch64", "", "", False),
        ("arm64", "true", "", True),
        ("arm64", "true", "false", False),
        ("x86_64", "false", "", False),
    ],
)
def test_it_is_for_machines_that_it_has_images_for(monkeypatch, machine, host, own, allowed):
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "x", "6", "1", machine)))
    for owner, value in (("--global", host), (APP, own)):
        herokuish.set_(owner, "allowed", value)
    assert herokuish.is_allowed(APP) is allowed
    rows = {row.flag: row.value for row in herokuish.rows(APP)}
    assert rows["--builder-herokuish-computed-allowed"] == str(allowed).lower()
    assert rows["--builder-herokuish-global-allowed"] == host


@pytest.mark.parametrize(
    ("key", "value", "refusal"),
    [
        ("", "", "No key specified"),
        ("x", "", "Invalid key specified, valid keys include: allowed"),
        ("allowed", "maybe", "Invalid value for allowed, it must be true or false"),
    ],
)
def test_a_bad_property_is_refused(key, value, refusal):
    with pytest.raises(DokkuError) as refused:
        herokuish.set_(APP, key, value)
    assert refused.value.text == refusal


def test_what_is_built_is_known_as_herokuish():
    assert images.labels(APP, NAME)["com.dokku.builder-type"] == "herokuish"
