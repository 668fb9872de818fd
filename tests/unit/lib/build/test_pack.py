"""The pack builder: what pack is told, what its image is given, and how what is in there starts."""

import json
import os

import pytest

from lib.app import config, options
from lib.base import files, log, properties, settings, triggers
from lib.base.errors import DokkuError
from lib.build import images, pack

APP, TREE = "blog", "/source"
BUILDER = "heroku/buildpacks"
IMAGE = images.Image("sha256:1", "dokku/blog:latest", "pack", "/workspace", [], [], "")


@pytest.fixture(autouse=True)
def said(fs, monkeypatch):
    os.makedirs(settings.app_dir(APP))
    os.makedirs(TREE)
    for program in ("docker", "pack"):
        files.replace(f"/usr/bin/{program}", "", mode=0o755)
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setenv("DOKKU_CNB_BUILDER", BUILDER)
    pack._types.cache_clear()
    with log.collected() as lines:
        yield lines


@pytest.fixture
def fired(monkeypatch):
    """The triggers that are fired, with what programs had been started before."""
    names: list[str] = []
    monkeypatch.setattr("lib.base.triggers.fire", lambda name, *_: names.append(name))
    return names


def source(**contents: str) -> None:
    for name, content in contents.items():
        files.replace(os.path.join(TREE, name.replace("dot_", ".").replace("__", ".")), content)


def known(*types: str) -> str:
    metadata = json.dumps({"processes": [{"type": type_, "command": "x"} for type_ in types]})
    marks = {"io.buildpacks.stack.id": "x", "io.buildpacks.build.metadata": metadata}
    return json.dumps({"Id": "sha256:1", "Config": {"Labels": marks, "Entrypoint": ["/cnb/process/web"]}})


def builds(shell, *types: str) -> None:
    shell.answers("docker image inspect …", out=known(*types) + "\n")


def words_of(shell) -> list[str]:
    (call,) = [call for call in shell.calls if call.argv[0] == "pack"]
    return call.argv


def test_another_builders_turn_does_nothing(shell):
    pack.build("dockerfile", APP, TREE)
    pack.release("dockerfile", APP, "latest")
    assert shell.ran == []


def test_pack_gets_the_source_and_the_builder_and_makes_web_the_default(shell, said):
    builds(shell, "web")

    pack.build("pack", APP, TREE)

    image = "dokku/blog:building"
    flags = [f"--builder={BUILDER}", f"--path={TREE}", "--default-process=web"]
    assert words_of(shell) == ["pack", "build", image, *flags]
    assert said[0][1] == f"-----> Building blog from cnb stack {BUILDER}...\n".encode()


def test_the_stack_that_an_app_has_chosen_is_the_builder(shell, monkeypatch):
    monkeypatch.setattr(
        "lib.base.triggers.ask",
        lambda name, *_: "paketo/builder\n" if name == "buildpack-stack-name" else "",
    )
    builds(shell)
    pack.build("pack", APP, TREE)
    assert "--builder=paketo/builder" in words_of(shell)


def test_variables_are_in_files_that_the_words_name(shell):
    config.set_values(config.GLOBAL, {"EVERYWHERE": "g"})
    config.set_values(APP, {"TOKEN": "hunter2 two\nlines"})
    told = {}

    def read(argv):
        (file,) = [word.removeprefix("--env-file=") for word in argv if word.startswith("--env-file=")]
        told["file"] = files.read(file)
        (mount,) = [word for word in argv if word.endswith(":/platform/env/TOKEN:ro")]
        told["TOKEN"] = files.read(mount.removeprefix("--volume=").split(":")[0])

    shell.answers("pack …", does=read)
    builds(shell)

    pack.build("pack", APP, TREE)

    assert told == {"file": "EVERYWHERE=g\n", "TOKEN": "hunter2 two\nlines"}
    assert "hunter2" not in repr(shell.calls)


@pytest.mark.parametrize("key", ["DOCKER_HOST", "PACK_HOME", "PATH"])
def test_a_variable_that_would_steer_pack_reaches_the_build_and_not_pack(shell, key):
    config.set_values(APP, {key: "theirs"})
    told = {}

    def read(argv):
        (file,) = [word.removeprefix("--env-file=") for word in argv if word.startswith("--env-file=")]
        told[file] = files.read(file)

    shell.answers("pack …", does=read)
    builds(shell)

    pack.build("pack", APP, TREE)

    (call,) = [call for call in shell.calls if call.argv[0] == "pack"]
    assert call.env.get(key) != "theirs"
    assert list(told.values()) == [f"{key}=theirs\n"]
    assert not any(os.path.exists(file) for file in told)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("--trust-builder", "--trust-builder"),
        ("-b heroku/nodejs", "--buildpack=heroku/nodejs"),
        ("--buildpack heroku/nodejs", "--buildpack=heroku/nodejs"),
        ("--pull-policy=never", "--pull-policy=never"),
        ("-e BP_NODE_VERSION=20", "--env=BP_NODE_VERSION=20"),
        ("--volume '/a b:/platform/x'", "--volume=/a b:/platform/x"),
    ],
)
def test_a_build_option_that_is_packs_is_handed_on(shell, line, word):
    options.add(APP, ["build"], line)
    builds(shell)
    pack.build("pack", APP, TREE)
    assert word in words_of(shell)


def test_a_build_option_that_is_not_packs_is_left_out_with_a_warning(shell, said):
    options.add(APP, ["build"], "--build-arg A=1")
    builds(shell)
    pack.build("pack", APP, TREE)
    assert words_of(shell)[-1] == "--default-process=web"
    assert (2, b" !     Build option --build-arg is not one of pack's and was left out\n") in said


def test_the_buildpacks_of_the_source_are_used_in_their_order(shell):
    source(dot_buildpacks="heroku/nodejs\n\n# not this\n  heroku/python  \n")
    builds(shell)
    pack.build("pack", APP, TREE)
    assert words_of(shell)[-2:] == ["--buildpack=heroku/nodejs", "--buildpack=heroku/python"]


def test_a_buildpack_in_the_config_goes_before_those_of_the_source(shell):
    source(dot_buildpacks="heroku/nodejs\n")
    config.set_values(APP, {"BUILDPACK_URL": "https://example.com/b.tgz"})
    builds(shell)
    pack.build("pack", APP, TREE)
    given = [word for word in words_of(shell) if word.startswith("--buildpack=")]
    assert given == ["--buildpack=https://example.com/b.tgz"]


def test_the_image_gets_all_its_labels_in_one_step(shell):
    builds(shell)
    pack.build("pack", APP, TREE)
    (label,) = [call for call in shell.calls if call.argv[:3] == ["docker", "image", "build"]]
    text = label.stdin.decode()
    assert text.startswith("FROM sha256:1\nLABEL ")
    assert text.count("\n") == 2
    for key, value in images.labels(APP, "pack").items():
        assert f'{key}="{value}"' in text
    assert "--tag=dokku/blog:latest" in label.argv


def test_plugins_are_asked_around_the_build_and_the_release(shell, fired):
    builds(shell)
    pack.build("pack", APP, TREE)
    pack.release("pack", APP, "latest")
    assert fired == ["pre-build-pack", "post-build-pack", "pre-release-pack", "post-release-pack"]


def test_without_pack_nothing_is_asked_of_docker(shell, fired):
    files.remove("/usr/bin/pack")
    with pytest.raises(DokkuError) as refused:
        pack.build("pack", APP, TREE)
    assert (refused.value.text, refused.value.exit_code) == ("Missing pack, install it", 1)
    assert (shell.ran, fired) == ([], [])


def test_a_build_that_fails_labels_nothing(shell, fired):
    shell.answers("pack …", status=7)
    with pytest.raises(DokkuError) as failed:
        pack.build("pack", APP, TREE)
    assert (failed.value.text, failed.value.exit_code) == ("Failure building image", 1)
    assert not any(line.startswith("docker image build") for line in shell.ran)
    assert fired == ["pre-build-pack"]


def test_pack_builds_on_the_last_image_under_a_name_that_is_gone_afterwards(shell):
    builds(shell)
    pack.build("pack", APP, TREE)
    others = [line for line in shell.ran if " inspect " not in line]
    name = "dokku/blog:building"
    assert others[:2] == [f"docker image rm -- {name}", f"docker image tag -- sha256:1 {name}"]
    assert [line.split()[0:3] for line in others[2:4]] == [
        ["pack", "build", name],
        ["docker", "image", "build"],
    ]
    assert others[4:] == [f"docker image rm -- {name}"]


def test_a_first_build_builds_on_nothing(shell):
    with pytest.raises(DokkuError, match="pack left no image"):
        pack.build("pack", APP, TREE)
    assert not any(line.startswith("docker image tag") for line in shell.ran)


def test_a_build_that_leaves_no_image_is_a_failure(shell):
    with pytest.raises(DokkuError, match="pack left no image dokku/blog:building"):
        pack.build("pack", APP, TREE)


def test_a_descriptor_elsewhere_on_the_host_is_not_read(shell):
    files.replace("/etc/secret", "x = 1\n")
    os.symlink("/etc/secret", f"{TREE}/project.toml")
    with pytest.raises(DokkuError, match=r"project\.toml is no file of the source"):
        pack.build("pack", APP, TREE)
    assert shell.ran == []


def test_a_process_that_the_image_knows_is_its_entrypoint(shell):
    builds(shell, "web", "worker")
    assert pack.start(APP, IMAGE, "web", "5000") == ("/cnb/process/web", [])
    assert pack.start(APP, IMAGE, "worker", "5000") == ("/cnb/process/worker", [])
    assert len(shell.ran) == 1  # docker is asked once for an image


def test_a_process_that_only_the_procfile_knows_goes_through_the_launcher_in_one_word(shell):
    builds(shell, "web")
    files.replace(f"{settings.data('ps', APP)}/Procfile", "cron: run 'a b' $PORT $HOME\n")
    assert pack.start(APP, IMAGE, "cron", "5000") == (pack.LAUNCHER, ["run 'a b' 5000 $HOME"])


def test_a_start_command_beats_both(shell):
    builds(shell, "web")
    config.set_values(APP, {"DOKKU_START_CMD": "serve 'a b'"})
    assert pack.start(APP, IMAGE, "web", "5000") == (pack.LAUNCHER, ["serve", "a b"])


def test_an_image_that_names_no_processes_starts_its_own_way_for_web_alone(shell):
    builds(shell)
    assert pack.start(APP, IMAGE, "web", "5000") == ("", [])
    with pytest.raises(DokkuError, match="Neither the image dokku/blog:latest nor the Procfile"):
        pack.start(APP, IMAGE, "worker", "5000")


@pytest.mark.parametrize("metadata", ["", "[]", "{", '{"processes": 7}', '{"processes": [{}]}', "null"])
def test_a_label_that_makes_no_sense_names_no_processes(shell, metadata):
    marks = {"io.buildpacks.build.metadata": metadata}
    shell.answers("docker image inspect …", out=json.dumps({"Id": "sha256:1", "Config": {"Labels": marks}}))
    assert pack.start(APP, IMAGE, "web", "5000") == ("", [])


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("dockerfile", "latest", "web", "1"), ""),
        (("herokuish", "latest"), ""),
        (("pack", "latest"), " --entrypoint=/cnb/lifecycle/launcher"),
        (("pack",), " --entrypoint=/cnb/lifecycle/launcher"),
        (("pack", "latest", "_all_"), " --entrypoint=/cnb/lifecycle/launcher"),
        (("pack", "latest", "web", "1"), " --entrypoint=/cnb/process/web"),
    ],
)
@pytest.mark.parametrize("trigger", ["docker-args-process-deploy", "docker-args-process-run"])
def test_containers_of_packs_images_are_told_what_to_enter_by(shell, arguments, option, trigger):
    builds(shell, "web")
    properties.write("common", APP, "deployed", "true")
    assert triggers.ask(trigger, APP, *arguments) == option


def test_the_cache_of_an_app_that_goes_is_removed_and_no_others(shell, said):
    ours = [f"pack-cache-dokku_blog_building-0123456789ab.{kind}" for kind in ("build", "launch")]
    others = ["x-pack-cache-dokku_blog_building-0123456789ab.build"]
    shell.answers("docker volume ls …", out="\n".join([*ours, *others, ""]))
    config.set_values(APP, {"DOKKU_APP_TYPE": "pack"})

    pack.forget(APP)

    assert shell.ran[-1].split() == ["docker", "volume", "rm", "--", *ours]
    assert not said


def test_a_cache_in_use_is_named(shell, said):
    shell.answers("docker volume ls …", out="pack-cache-dokku_blog_building-0123456789ab.build\n")
    shell.answers("docker volume rm …", status=1)
    config.set_values(APP, {"DOKKU_APP_TYPE": "pack"})
    pack.forget(APP)
    assert said[-1][1].startswith(b" !     Unable to remove the build cache of blog: pack-cache-dokku_blog")


@pytest.mark.parametrize("builder", ["", "dockerfile"])
def test_docker_is_not_asked_for_the_cache_of_another_builder(shell, builder):
    config.set_values(APP, {"DOKKU_APP_TYPE": builder})
    pack.forget(APP)
    assert shell.ran == []
