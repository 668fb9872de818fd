"""The dockerfile builder: when it is meant, what it passes to docker, and what a failure leaves."""

import os
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.app import config, options, resources
from lib.base import files, log, properties, settings
from lib.base.errors import DokkuError, ToolFailed
from lib.build import dockerfile

APP = "blog"
TREE = "/source"


@pytest.fixture(autouse=True)
def said(fs):
    os.makedirs(settings.app_dir(APP))
    os.makedirs(TREE)
    with log.collected() as lines:
        yield lines


def source(**contents: str) -> None:
    for name, content in contents.items():
        files.replace(os.path.join(TREE, name.replace("dot_", ".").replace("__", ".")), content)


def builds(shell, image: str = "sha256:abc") -> None:
    def write_id(argv):
        (id_file,) = [word.removeprefix("--iidfile=") for word in argv if word.startswith("--iidfile=")]
        with open(id_file, "w", encoding="utf-8") as file:
            file.write(image)

    shell.answers(
        "…docker image build …--iidfile=…", out="Step 1/1 : FROM scratch\n ---> 0123456789ab\n", does=write_id
    )


@pytest.mark.parametrize(
    ("others", "answer"),
    [
        ({}, "dockerfile\n"),
        ({"dot_buildpacks": "https://example.com/b.git"}, ""),
        ({"dot_env": "export BUILDPACK_URL=x"}, ""),
        ({"project__toml": ""}, ""),
    ],
)
def test_a_dockerfile_counts_unless_the_source_asks_for_another_builder(others, answer):
    source(Dockerfile="FROM scratch\n", **others)

    assert dockerfile.detected(APP, TREE) == answer


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore"])
def test_a_link_out_of_the_source_is_refused_and_nothing_starts(shell, name):
    """GIT-9"""
    source(Dockerfile="FROM scratch\n")
    files.replace("/etc/secret", "FROM scratch\n")
    files.remove(f"{TREE}/{name}")
    os.symlink("/etc/secret", f"{TREE}/{name}")

    assert dockerfile.detected(APP, TREE) == "dockerfile\n"
    with pytest.raises(DokkuError, match=f"{name} is no file of the source"):
        dockerfile.build("dockerfile", APP, TREE)
    assert shell.ran == []


def test_another_builders_turn_does_nothing(shell):
    dockerfile.build("herokuish", APP, TREE)

    assert shell.ran == []


def test_the_image_gets_its_name_only_after_it_is_built(shell):
    source(Dockerfile="FROM scratch\nEXPOSE 3000 3001/udp\n")
    builds(shell)

    dockerfile.build("dockerfile", APP, TREE)

    build, label = shell.calls
    assert build.cwd == TREE
    assert build.argv[-2:] == ["--", TREE]
    assert not any(word.startswith(("--tag", "-t", "--label")) for word in build.argv)
    assert "--tag=dokku/blog:latest" in label.argv
    assert label.stdin.startswith(b"FROM sha256:abc\nLABEL ")
    assert b'com.dokku.app-name="blog"' in label.stdin
    assert config.get(APP, "DOKKU_DOCKERFILE_PORTS") == "3000 3001/udp"


def test_a_layer_that_goes_with_the_last_image_on_it_is_built_again(shell):
    source(Dockerfile="FROM scratch\n")
    builds(shell)
    shell.answers("docker image build … -", err="pull access denied", status=1)
    shell.answers("docker image build … -")
    shell.answers("docker image inspect …", err="Error: No such image: sha256:abc", status=1)

    dockerfile.build("dockerfile", APP, TREE)

    assert [call.argv[-1] for call in shell.calls if call.argv[2] == "build"] == [TREE, "-", TREE, "-"]


def test_a_build_that_stumbled_over_a_removed_image_is_tried_again(shell, said):
    source(Dockerfile="FROM scratch\n")
    stumbled = 'unable to find image "sha256:0cc0"\n'
    shell.answers("…docker image build …--iidfile=…", err=stumbled, status=1)
    builds(shell)

    dockerfile.build("dockerfile", APP, TREE)

    assert [call.argv[-1] for call in shell.calls if call.argv[2] == "build"] == [TREE, TREE, "-"]
    assert (2, stumbled.encode()) in said


@pytest.mark.parametrize(
    ("text", "attempts"), [("no such luck\n", 1), ('unable to find image "sha256:0cc0"\n', 3)]
)
def test_a_build_that_fails_is_tried_again_for_no_other_reason_nor_for_ever(shell, said, text, attempts):
    source(Dockerfile="FROM scratch\n")
    shell.answers("…docker image build …--iidfile=…", err=text, status=7)

    with pytest.raises(ToolFailed):
        dockerfile.build("dockerfile", APP, TREE)

    assert len(shell.calls) == attempts
    assert said.count((2, text.encode())) == attempts


def test_an_image_that_cannot_be_labelled_is_not_built_again(shell):
    source(Dockerfile="FROM scratch\n")
    builds(shell)
    shell.answers("docker image build … -", err="no space left on device", status=1)
    shell.answers("docker image inspect …", out='[{"Id": "sha256:abc"}]')

    with pytest.raises(ToolFailed, match="no space left"):
        dockerfile.build("dockerfile", APP, TREE)

    assert [call.argv[-1] for call in shell.calls if call.argv[2] == "build"] == [TREE, "-"]


def test_buildkit_gives_the_labels_itself(shell, monkeypatch):
    monkeypatch.setenv("DOCKER_BUILDKIT", "1")
    source(Dockerfile="FROM scratch\n")
    builds(shell)

    dockerfile.build("dockerfile", APP, TREE)

    build, tag = shell.calls
    assert f"--label=com.dokku.app-name={APP}" in build.argv
    assert f"--build-arg=BUILDKIT_CACHE_MOUNT_NS={APP}" in build.argv  # no cache is another app's
    assert tag.argv == ["docker", "image", "tag", "--", "sha256:abc", "dokku/blog:latest"]


def test_a_bare_build_argument_gets_its_value_from_the_config(shell, said):
    source(Dockerfile="FROM scratch\n")
    config.set_values("--global", {"TOKEN": "global", "REGION": "eu"})
    config.set_values(APP, {"TOKEN": "hunter2", "HTTP_PROXY": "http://me:hunter2@proxy", "DOCKER_HOST": "x"})
    options.add(APP, ["build"], "--build-arg TOKEN --build-arg=HTTP_PROXY")
    builds(shell)

    dockerfile.build("dockerfile", APP, TREE)

    build = shell.calls[0]
    assert build.argv[build.argv.index("--build-arg") + 1] == "TOKEN"
    assert shell.handed == [{"TOKEN": "hunter2", "HTTP_PROXY": "http://me:hunter2@proxy"}]
    assert "hunter2" not in repr(shell.calls)
    assert b"left out" not in b"".join(text for _, text in said)


def test_buildkit_gets_what_is_named_and_nothing_that_its_client_reads_for_itself(shell, said, monkeypatch):
    monkeypatch.setenv("DOCKER_BUILDKIT", "1")
    source(Dockerfile="FROM scratch\n")
    hostile = {"GIT_CONFIG_GLOBAL": "/evil", "HTTP_PROXY": "hunter3", "DOCKER_HOST": "tcp://evil"}
    config.set_values(APP, {"TOKEN": "hunter2", "REGION": "eu", **hostile})
    options.add(APP, ["build"], "--build-arg TOKEN --build-arg=HTTP_PROXY --build-arg GIT_CONFIG_GLOBAL")
    builds(shell)

    dockerfile.build("dockerfile", APP, TREE)

    build = next(call for call in shell.calls if "build" in call.argv)
    assert build.env["TOKEN"] == "hunter2"
    assert not {*hostile, "REGION"} & build.env.keys()
    assert b"GIT_CONFIG_GLOBAL cannot be handed to BuildKit by name" in b"".join(text for _, text in said)
    assert b"DOCKER_HOST" not in b"".join(text for _, text in said)


@pytest.mark.parametrize("owner", [APP, "--global"])
def test_a_dockerfile_kept_elsewhere_is_put_where_docker_looks(owner):
    source(Dockerfile="old", _infrastructure="")
    files.remove(f"{TREE}/_infrastructure")
    files.replace(f"{TREE}/_infrastructure/Dockerfile", "FROM scratch\n")
    properties.write("builder-dockerfile", owner, "dockerfile-path", "_infrastructure/Dockerfile")

    dockerfile.place(APP, TREE, "abc")

    assert files.read(f"{TREE}/Dockerfile") == "FROM scratch\n"


def test_a_dockerfile_that_is_not_where_it_should_be_ends_the_deploy_unless_another_builder_was_chosen():
    source(Dockerfile="old")
    properties.write("builder-dockerfile", APP, "dockerfile-path", "deploy/Dockerfile")

    with pytest.raises(DokkuError, match="Invalid dockerfile-path specified: deploy/Dockerfile"):
        dockerfile.place(APP, TREE)

    properties.write("builder", APP, "selected", "herokuish")
    dockerfile.place(APP, TREE)
    assert files.read(f"{TREE}/Dockerfile") == "old"


def test_a_dockerfile_path_that_links_out_of_the_source_is_none():
    """GIT-9"""
    files.replace("/etc/secret", "FROM scratch\n")
    os.symlink("/etc/secret", f"{TREE}/Other")
    properties.write("builder-dockerfile", APP, "dockerfile-path", "Other")

    with pytest.raises(DokkuError, match="Invalid dockerfile-path"):
        dockerfile.place(APP, TREE)


def test_a_failed_build_names_no_image_and_changes_no_config(shell):
    source(Dockerfile="FROM scratch\nEXPOSE 3000\n")
    shell.answers("docker image build …", status=1)

    with pytest.raises(ToolFailed):
        dockerfile.build("dockerfile", APP, TREE)

    assert len(shell.ran) == 1
    assert config.values(APP) == {}


def test_options_of_the_owner_arrive_word_by_word_and_are_never_evaluated(shell):
    """RUN-10"""
    source(Dockerfile="FROM scratch\n")
    options.add(APP, ["build"], "--build-arg 'WORD=a b $(id)' -v /etc:/etc --link other")
    builds(shell)

    dockerfile.build("dockerfile", APP, TREE)

    argv = shell.calls[0].argv
    assert argv[argv.index("--build-arg") + 1] == "WORD=a b $(id)"
    assert not {"-v", "/etc:/etc", "--link", "other"} & set(argv)


def test_the_limits_of_a_build_are_dockers(shell):
    source(Dockerfile="FROM scratch\n")
    resources.change(APP, resources.LIMIT, "build", {"memory": "300m", "cpu": "1"})
    builds(shell)

    dockerfile.build("dockerfile", APP, TREE)

    argv = shell.calls[0].argv
    assert "--memory=300m" in argv
    assert "--cpus=1" not in argv


def test_a_source_without_dockerfile_is_refused(shell):
    with pytest.raises(DokkuError, match="No Dockerfile found in source code directory"):
        dockerfile.build("dockerfile", APP, TREE)
    assert shell.ran == []


@given(st.lists(st.sampled_from(["--no-cache", "-v", "--volume=/a:/b", "--link", "x", "--build-arg", "A=1"])))
def test_no_mount_or_link_reaches_a_build(words):
    kept = dockerfile.build_options(words)

    assert not {"-v", "--link", "--volume"} & set(kept)
    assert not any(word.startswith(("--volume=", "--link=")) for word in kept)
    assert shlex.split(shlex.join(kept)) == kept


@pytest.mark.parametrize("variable", [True, False])
def test_options_with_an_open_quote_are_refused_and_nothing_is_built(shell, monkeypatch, variable):
    source(Dockerfile="FROM scratch\n")
    if variable:
        monkeypatch.setenv("DOKKU_DOCKER_BUILD_OPTS", "--label 'x")
    else:
        options.add(APP, ["build"], "--label 'x")
    with pytest.raises(DokkuError, match="No closing quotation"):
        dockerfile.build("dockerfile", APP, TREE)
    assert shell.ran == []
