"""Builders: who is chosen, and that an image came of it."""

import json
import os

import pytest

from lib.app import config
from lib.base import files, log, properties, settings
from lib.base.errors import DokkuError
from lib.build import builders, images

APP, TREE = "blog", "/source"


@pytest.fixture(autouse=True)
def said(fs):
    os.makedirs(settings.app_dir(APP))
    os.makedirs(TREE)
    with log.collected() as lines:
        yield lines


def image(id_: str, named_at: str) -> str:
    return json.dumps({"Id": id_, "Config": {}, "Metadata": {"LastTagTime": named_at}}) + "\n"


@pytest.mark.parametrize(
    ("present", "app", "host", "chosen"),
    [
        ([], "", "", "herokuish"),
        (["Dockerfile"], "", "", "dockerfile"),
        (["Dockerfile", ".buildpacks"], "", "", "herokuish"),
        (["Dockerfile", "project.toml"], "", "", "pack"),
        (["Dockerfile"], "", "pack", "pack"),
        (["Dockerfile"], "nix", "pack", "nix"),
    ],
)
def test_the_apps_choice_comes_before_the_hosts_and_that_before_detection(present, app, host, chosen):
    for name in present:
        files.replace(os.path.join(TREE, name), "x")
    for owner, choice in ((APP, app), ("--global", host)):
        if choice:
            properties.write("builder", owner, "selected", choice)

    assert builders.detect(APP, TREE) == chosen


def build(builder: str) -> None:
    builders.build(APP, builder, TREE, images.find(images.name(APP)))


def plugin(*scripts: str, name: str = "builder-nix", mode: int = 0o755) -> str:
    directory = os.path.join(settings.plugins_enabled(), name)
    for script in scripts:
        files.replace(os.path.join(directory, script), "#!/bin/sh\n", mode=mode)
    return directory


def builds(shell, before: str, after: str) -> None:
    shell.answers("docker image inspect …", out=before)
    shell.answers("docker image inspect …", out=after)


@pytest.mark.parametrize(
    ("present", "allowed", "chosen", "warned"),
    [
        ([], "", "pack", True),
        ([".buildpacks", "Dockerfile"], "", "dockerfile", False),
        ([], "true", "herokuish", False),
    ],
)
def test_where_herokuish_has_no_images_it_builds_only_when_it_is_allowed_to(
    monkeypatch, said, present, allowed, chosen, warned
):
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "x", "6.1", "1", "aarch64")))
    for name in present:
        files.replace(os.path.join(TREE, name), "x")
    properties.write("builder-herokuish", APP, "allowed", allowed)

    assert builders.detect(APP, TREE) == chosen
    assert (b" !     Switching to pack builder.\n" in [line for _, line in said]) == warned


def test_the_builders_name_is_in_the_config_for_hooks(shell):
    seen = []
    directory = plugin("builder-build")
    shell.answers(
        f"{directory}/builder-build …", does=lambda _: seen.append(config.get(APP, "DOKKU_APP_TYPE"))
    )
    builds(shell, image("sha256:1", "then"), image("sha256:2", "now"))

    build("nix")

    assert seen == ["nix"]
    assert config.get(APP, "DOKKU_APP_TYPE") == "nix"


@pytest.mark.parametrize("last", ["", "dockerfile"])
def test_a_failed_build_leaves_the_last_builders_name(shell, last):
    if last:
        config.set_values(APP, {"DOKKU_APP_TYPE": last})
    directory = plugin("builder-build")
    shell.answers(f"{directory}/builder-build …", status=7)

    with pytest.raises(DokkuError) as failed:
        build("nix")

    assert failed.value.exit_code == 7
    assert config.get(APP, "DOKKU_APP_TYPE") == last


def test_the_same_image_named_again_counts_as_built(shell):
    plugin("builder-build")
    builds(shell, image("sha256:1", "then"), image("sha256:1", "now"))

    build("nix")


@pytest.mark.parametrize("left", ["", image("sha256:1", "then")])
def test_a_builder_that_leaves_no_new_image_fails_the_build(shell, left):
    plugin("builder-build")
    shell.answers("docker image inspect …", out=left)

    with pytest.raises(DokkuError, match="Builder nix left no image for blog"):
        build("nix")


def test_a_builder_that_nobody_is_fails_before_anything_is_asked(shell):
    with pytest.raises(DokkuError, match="Nobody builds blog with nix") as refused:
        builders.build(APP, "nix", TREE, None)

    assert "dockerfile" in refused.value.more[0]
    assert shell.ran == []
    assert config.values(APP) == {}


def test_a_builder_whose_script_may_not_run_is_named(shell):
    plugin("builder-build", mode=0o644)

    with pytest.raises(DokkuError, match="script builder-build is not executable"):
        build("nix")


def test_null_builds_nothing(shell):
    builds(shell, image("sha256:1", "then"), image("sha256:1", "then"))

    with pytest.raises(DokkuError, match="null and builds nothing"):
        build("null")


def test_with_null_an_image_of_any_plugin_will_do(shell):
    builds(shell, image("sha256:1", "then"), image("sha256:2", "now"))
    plugin("builder-build", name="mine")
    build("null")


def test_an_image_of_a_plugin_gets_our_labels(shell):
    plugin("builder-build")
    builds(shell, "", image("sha256:2", "now"))
    build("nix")
    (labelled,) = [call for call in shell.calls if call.argv[1:3] == ["image", "build"]]
    assert "--tag=dokku/blog:latest" in labelled.argv
    assert b'com.dokku.builder-type="nix"' in labelled.stdin


def test_an_image_of_a_plugin_with_our_labels_stays_as_it_is(shell):
    plugin("builder-build")
    marked = {"Id": "sha256:3", "Config": {"Labels": images.labels(APP, "nix")}}
    builds(shell, "", json.dumps(marked) + "\n")
    build("nix")
    assert not any(call.argv[1:3] == ["image", "build"] for call in shell.calls)


def test_hooks_around_a_build_start_in_the_source(shell):
    directory = plugin("pre-build", "post-build", "pre-build-dockerfile", "post-build-dockerfile", name="acl")
    files.replace(os.path.join(TREE, "Dockerfile"), "FROM scratch\n")
    builds(shell, "", image("sha256:2", "now"))
    shell.answers("docker image build …--iidfile=…", does=write_id)

    build("dockerfile")

    hooks = [call for call in shell.calls if call.argv[0].startswith(directory)]
    assert [os.path.basename(call.argv[0]) for call in hooks] == [
        *("pre-build", "pre-build-dockerfile", "post-build-dockerfile", "post-build"),
    ]
    assert {call.cwd for call in hooks} == {TREE}
    assert hooks[0].argv[1:] == ["dockerfile", APP, TREE]
    assert hooks[1].argv[1:] == [APP]


def test_a_builder_of_a_plugin_fires_its_own_hooks(shell):
    directory = plugin("pre-build", "post-build", "post-release-builder", name="acl")
    plugin("builder-build", "builder-release")
    builds(shell, "", image("sha256:2", "now"))
    build("nix")
    builders.release(APP, "latest")

    assert not any(line.startswith(directory) for line in shell.ran)


def test_a_release_is_announced_by_both_names(shell):
    names = ["pre-release-builder", "pre-release-dockerfile", "post-release-dockerfile"]
    directory = plugin(*names, "post-release-builder", name="acl")
    shell.answers("docker image inspect …", out=image("sha256:2", "now"))

    builders.release(APP, "latest")

    assert [line for line in shell.ran if line.startswith(directory)] == [
        f"{directory}/pre-release-builder dockerfile {APP} dokku/blog:latest",
        f"{directory}/pre-release-dockerfile {APP} latest",
        f"{directory}/post-release-dockerfile {APP} latest",
        f"{directory}/post-release-builder dockerfile {APP} dokku/blog:latest",
    ]


@pytest.mark.parametrize(
    ("label", "last", "has_plugin", "releases"),
    [
        ("nix", "dockerfile", True, "nix"),
        ("nix", "", False, "nix"),
        ("", "nix", True, "nix"),
        ("", "nix", False, "dockerfile"),
        ("", "herokuish", True, "dockerfile"),
        ("", "", True, "dockerfile"),
    ],
)
def test_an_image_is_released_by_who_built_it(shell, label, last, has_plugin, releases):
    marks = {"com.dokku.builder-type": label} if label else {}
    shell.answers("docker image inspect …", out=json.dumps({"Id": "1", "Config": {"Labels": marks}}) + "\n")
    if last:
        config.set_values(APP, {"DOKKU_APP_TYPE": last})
    if has_plugin:
        plugin("builder-release")

    assert builders.built_by(APP, images.verify(APP)) == releases


def test_a_script_that_fails_ends_the_asking_and_counts_with_what_it_said(shell, said):
    hook = plugin("builder-detect", name="a-builder") + "/builder-detect"
    shell.answers(f"{hook} …", out="nix\nmore\n", status=3)
    files.replace(os.path.join(TREE, "Dockerfile"), "x")

    assert builders.answers(APP, TREE) == [("a-builder", "nix", 3)]
    assert b"a-builder failed with 3" in b"".join(text for _, text in said)


@pytest.mark.parametrize("answer", ["", "\n", "  \n\n"])
def test_an_answer_of_nothing_is_none(shell, answer):
    shell.answers(f"{plugin('builder-detect', name='a-builder')}/builder-detect …", out=answer)
    files.replace(os.path.join(TREE, "Dockerfile"), "x")

    assert builders.detect(APP, TREE) == "dockerfile"


@pytest.mark.parametrize("answer", ["-----> Detecting\nnix\n", "--help\n", "a/b\n"])
def test_what_can_be_no_name_of_a_builder_is_refused(shell, answer):
    """NAME-15"""
    shell.answers(f"{plugin('builder-detect', name='a-builder')}/builder-detect …", out=answer)

    with pytest.raises(DokkuError, match="Invalid builder name"):
        builders.detect(APP, TREE)


@pytest.mark.parametrize(("key", "app", "value"), [("property", APP, "true"), ("variable", "--global", "1")])
def test_what_earlier_builds_left_may_be_kept(shell, said, key, app, value):
    builders.clean(APP)
    assert any("image prune" in line for line in shell.ran)
    shell.ran.clear()
    if key == "property":
        properties.write("builder", app, "skip-cleanup", value)
    else:
        config.set_values(app, {"DOKKU_SKIP_CLEANUP": value})

    builders.clean(APP)

    assert shell.ran == []
    assert (1, b"-----> DOKKU_SKIP_CLEANUP set. Skipping dokku cleanup\n") in said


def write_id(argv):
    (id_file,) = [word.removeprefix("--iidfile=") for word in argv if word.startswith("--iidfile=")]
    with open(id_file, "w", encoding="utf-8") as file:
        file.write("sha256:2")


def test_exposed_ports_of_the_image_become_the_apps_unless_it_has_some(shell):
    known = {"Id": "sha256:1", "Config": {"ExposedPorts": {"8080/tcp": {}}}}
    shell.answers("docker image inspect …", out=json.dumps(known) + "\n")

    builders.release(APP, "latest")
    assert config.get(APP, "DOKKU_DOCKERFILE_PORTS") == "8080/tcp"

    config.set_values(APP, {"DOKKU_DOCKERFILE_PORTS": "3000"})
    builders.release(APP, "latest")
    assert config.get(APP, "DOKKU_DOCKERFILE_PORTS") == "3000"
