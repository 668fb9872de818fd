"""Builders that are programs: nixpacks and railpack. What they are told and what becomes of their images."""

import json
import os

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lib.app import config, options
from lib.base import files, log, settings
from lib.base.errors import DokkuError
from lib.build import images, nixpacks, programs, railpack

APP, TREE = "blog", "/source"
BUILT = "dokku/blog:building"
BUILDERS = {"nixpacks": nixpacks, "railpack": railpack}
each_builder = pytest.mark.parametrize("name", sorted(BUILDERS))


@pytest.fixture(autouse=True)
def said(fs, monkeypatch):
    os.makedirs(settings.app_dir(APP))
    os.makedirs(TREE)
    for program in ("docker", *BUILDERS):
        files.replace(f"/usr/bin/{program}", "", mode=0o755)
    monkeypatch.setenv("PATH", "/usr/bin")
    with log.collected() as lines:
        yield lines


@pytest.fixture
def derived(shell):
    """What stood beside the Dockerfiles of docker's builds, by name."""
    seen: dict[str, str] = {}

    def look(argv):
        for name in os.listdir(argv[-1]):
            seen[name] = files.read(os.path.join(argv[-1], name))

    known = {"Id": "sha256:1", "Config": {"Cmd": ["npm start"]}}
    shell.answers("docker image inspect …", out=json.dumps(known) + "\n")
    shell.answers("docker image build …", does=look)
    return seen


def build(name: str) -> None:
    BUILDERS[name].build(name, APP, TREE)


def call_of(shell, name: str):
    (call,) = [call for call in shell.calls if call.argv[0] == name]
    return call


@each_builder
def test_another_builders_turn_does_nothing(shell, name):
    BUILDERS[name].build("pack", APP, TREE)
    assert shell.ran == []


@pytest.mark.parametrize(("name", "file"), [("nixpacks", "nixpacks.toml"), ("railpack", "railpack.json")])
def test_a_file_in_the_source_means_the_builder(name, file):
    assert BUILDERS[name].detected(APP, TREE) == ""
    files.replace(f"{TREE}/{file}", "")
    assert BUILDERS[name].detected(APP, TREE) == f"{name}\n"


def test_nixpacks_is_told_name_labels_and_cache(shell, derived, said):
    build("nixpacks")
    labels = [f"--label={key}={value}" for key, value in images.labels(APP, "nixpacks").items()]
    argv = ["nixpacks", "build", f"--name={BUILT}", f"--cache-key={APP}", *labels, TREE]
    assert call_of(shell, "nixpacks").argv == argv
    assert said[0][1] == b"-----> Building blog from nixpacks\n"


def test_railpack_is_told_name_and_cache(shell, derived, said):
    build("railpack")
    argv = ["railpack", "build", f"--name={BUILT}", f"--cache-key={APP}", TREE]
    assert call_of(shell, "railpack").argv == argv
    assert said[0][1] == b"-----> Building blog from railpack\n"


@each_builder
def test_the_app_gets_its_image_with_labels_entrypoint_and_command_in_one_build(shell, derived, name):
    build(name)
    lines = derived["Dockerfile"].splitlines()
    assert lines[0] == "FROM sha256:1"
    assert f'com.dokku.builder-type="{name}"' in lines[1]
    assert 'com.dokku.app-name="blog"' in lines[1]
    assert json.loads(lines[2].removeprefix("ENTRYPOINT "))[0] == "/bin/bash"
    assert lines[3] == 'CMD ["npm start"]'
    assert [line.split()[:3] for line in shell.ran[-2:]] == [
        ["docker", "image", "build"],
        ["docker", "image", "rm"],
    ]
    assert "--tag=dokku/blog:latest" in shell.ran[-2]
    assert shell.ran[-1].endswith(BUILT)


@each_builder
def test_variables_are_in_the_programs_environment_alone(shell, derived, name):
    hostile = {"PATH": "/theirs", "DOCKER_HOST": "tcp://elsewhere", "GIT_CONFIG_GLOBAL": "/evil"}
    config.set_values(APP, {"TOKEN": "hunter2", "UNNAMED": "x", **hostile})
    options.add(APP, ["build"], "--env TOKEN --env PATH --env GIT_CONFIG_GLOBAL")
    build(name)
    call = call_of(shell, name)
    assert call.env["TOKEN"] == "hunter2"
    assert not {"UNNAMED", "GIT_CONFIG_GLOBAL"} & call.env.keys()
    assert call.env["PATH"] == "/usr/bin"
    assert "DOCKER_HOST" not in call.env
    assert "hunter2" not in "".join(shell.ran) + "".join(derived.values())


@each_builder
def test_a_variable_is_named_to_the_build_by_an_option(shell, derived, name, said):
    for line in ("-e TOKEN", "--env=DEBUG=1", "--env PATH"):
        options.add(APP, ["build"], line)
    build(name)
    named = [word for word in call_of(shell, name).argv if word.startswith("--env")]
    assert sorted(named) == ["--env=DEBUG=1", "--env=TOKEN"]
    assert (2, b" !     PATH cannot be handed to a build by name and was left out\n") in said


@each_builder
def test_a_release_task_is_no_step_of_the_build_and_stays_in_the_image(shell, derived, name):
    text = "web: serve\nrelease: migrate\nworker: work\n"
    files.replace(f"{TREE}/Procfile", text)
    there = []
    shell.answers(f"{name} …", does=lambda _: there.append(files.read(f"{TREE}/Procfile")))
    build(name)
    assert there == ["web: serve\nworker: work\n"]
    assert derived["Procfile"] == text
    assert "COPY Procfile ./Procfile" in derived["Dockerfile"].splitlines()


@each_builder
def test_a_procfile_without_one_is_left_alone(shell, derived, name):
    files.replace(f"{TREE}/Procfile", "web: serve\n")
    build(name)
    assert files.read(f"{TREE}/Procfile") == "web: serve\n"
    assert list(derived) == ["Dockerfile"]


@each_builder
def test_a_missing_program_is_named_and_nothing_runs(shell, name):
    files.remove(f"/usr/bin/{name}")
    with pytest.raises(DokkuError) as refused:
        build(name)
    assert (refused.value.text, refused.value.exit_code) == (f"Missing {name}, install it", 1)
    assert shell.ran == []


@each_builder
def test_a_build_that_fails_names_no_image(shell, derived, name):
    shell.answers(f"{name} …", status=101)
    with pytest.raises(DokkuError) as failed:
        build(name)
    assert (failed.value.text, failed.value.exit_code) == ("Failure building image", 1)
    assert not derived


@each_builder
def test_a_build_that_leaves_no_image_is_a_failure(shell, name):
    with pytest.raises(DokkuError, match=f"{name} left no image {BUILT}"):
        build(name)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(
        st.sampled_from(["--one", "-o", "--two=2", "--bare", "--other", "--other=x", "word", "a=b", "-o=1"]),
        max_size=6,
    )
)
def test_only_known_options_are_handed_on_and_each_with_its_value(said, words):
    files.remove(options.path(APP, "build"))
    options.add(APP, ["build"], " ".join(["--bare", *words]))
    known = programs.valued("-o --one --two")
    kept = programs.chosen_options(APP, "x", known, ["--bare"])
    assert all(word == "--bare" or word.startswith(("--one=", "--two=")) for word in kept)
    assert kept[0] == "--bare"


def test_a_short_option_is_written_out():
    assert programs.valued("-e --env --tag") == {"-e": "--env", "--env": "--env", "--tag": "--tag"}
