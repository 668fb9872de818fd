"""docker-options:*: which words are an option, for which phases and process types."""

import json
import os
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.app import docker_options, options
from lib.base import files, log
from lib.base import settings as host
from lib.base.errors import DokkuError
from lib.base.report import Row

APP = "blog"
PHASES = "Phase(s) must be one of [build deploy run]"


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(host.app_dir(APP))
    with log.collected() as lines:
        yield lines


def text_of(said):
    return b"".join(data for _, data in said).decode()


def refused(work, *words):
    with pytest.raises(DokkuError) as refusal:
        work(APP, *words)
    return refusal.value.text


def test_words_of_a_call_are_one_option_for_every_phase_named(said):
    docker_options.add(APP, "build,deploy,run", ["-v", "/tmp:/tmp"])
    assert [options.lines(APP, phase) for phase in options.PHASES] == [["-v /tmp:/tmp"]] * 3
    docker_options.remove(APP, "build,run", ["-v /tmp:/tmp"])
    assert [options.lines(APP, phase) for phase in options.PHASES] == [[], ["-v /tmp:/tmp"], []]
    assert text_of(said) == ""


@pytest.mark.parametrize("phases", ["", "x", "build,", "build,x", "build deploy", "BUILD"])
def test_a_phase_that_is_none_is_refused(phases):
    assert refused(docker_options.add, phases, ["-a"]) == PHASES
    assert refused(docker_options.remove, phases, ["-a"]) == PHASES
    assert refused(docker_options.clear, [phases or "y"]) == PHASES


def test_no_option_is_refused_in_dokkus_words():
    said = refused(docker_options.add, "build", [])
    assert said == "Please specify docker options to add to the phase"
    said = refused(docker_options.remove, "build", ["", " "])
    assert said == "Please specify docker options to remove from the phase"


@pytest.mark.parametrize(
    "line",
    [
        "foo",
        "-",
        "--",
        "-e A=1\n-v /:/host",
        "-e 'A\n'\n-v /:/host",
        "-e 'A=\n\\'\\\n",
        "-e 'A=\r\n'",
        "-e A=\0",
        "-e A=\x1b[0m",
        "-e 'hunter2",
        "-e A=hunter2 -- evil",
    ],
)
def test_what_can_be_no_option_is_refused_without_showing_it(line):
    """NAME-14"""
    assert "hunter2" not in refused(docker_options.add, "deploy", [line])
    assert not os.path.exists(options.path(APP, "deploy"))


def test_a_bad_line_that_somebody_wrote_can_be_removed():
    files.replace(options.path(APP, "run"), "-e 'open\n-a\n")
    docker_options.remove(APP, "run", ["-e 'open"])
    assert options.lines(APP, "run") == ["-a"]


def test_an_option_may_be_for_some_process_types_only():
    docker_options.add(APP, "deploy", ["--cpus 1"], ["web", "worker"])
    docker_options.remove(APP, "deploy", ["--cpus 1"], ["worker"])
    assert docker_options.rows(APP)[-1] == Row("--docker-options-deploy.web", "--cpus 1", newer=True)
    assert options.lines(APP, "deploy") == []


@pytest.mark.parametrize(("phases", "process"), [("build", "web"), ("deploy,run", "web"), ("deploy", "a.b")])
def test_a_process_type_counts_for_deployed_containers_only(phases, process):
    assert refused(docker_options.add, phases, ["-a"], [process]) != ""
    assert docker_options.rows(APP) == [Row(f"--docker-options-{phase}", "") for phase in options.PHASES]


def test_clearing_says_what_it_clears(said):
    docker_options.add(APP, "build,deploy,run", ["-a"])
    docker_options.clear(APP, ["build,run"])
    assert [options.lines(APP, phase) for phase in options.PHASES] == [[], ["-a"], []]
    docker_options.clear(APP, [])
    assert options.lines(APP, "deploy") == []
    head = f"-----> Clearing docker-options for {APP} on"
    assert text_of(said) == f"{head} phase build\n{head} phase run\n{head} all phases\n"


def test_one_phase_is_listed_as_lines_or_as_an_array(said):
    docker_options.add(APP, "run", ["-e A=é"])
    docker_options.add(APP, "run", ["-b"])
    docker_options.show(APP, "run", "", "stdout")
    docker_options.show(APP, "run", "", "json")
    assert text_of(said) == '-b\n-e A=é\n["-b", "-e A=é"]\n'
    assert refused(docker_options.show, "run,build", "", "stdout")
    assert refused(docker_options.show, "run", "", "yaml")


def test_the_report_has_every_phase_in_dokkus_order():
    docker_options.add(APP, "deploy", ["-b"])
    docker_options.add(APP, "deploy", ["-a"])
    flags = [row.flag for row in docker_options.rows(APP)]
    assert flags == ["--docker-options-build", "--docker-options-deploy", "--docker-options-run"]
    assert docker_options.rows(APP)[1].value == "-a -b"


def test_a_restart_policy_is_for_deployed_containers_only():
    for line in ("--restart=always", "--restart always", "-a"):
        docker_options.add(APP, "build,run", [line])
    assert docker_options.for_run(APP) == ["-a"]
    assert docker_options.for_build(APP, "dockerfile") == ["-a"]


def test_a_build_by_buildpacks_gets_no_options_of_dockerfiles():
    for line in ("--build-arg A=1", "--build-arg=B=1", "--file=x", "-v /a:/a"):
        docker_options.add(APP, "build", [line])
    assert docker_options.for_build(APP, "herokuish") == ["-v /a:/a"]
    assert len(docker_options.for_build(APP, "dockerfile")) == 4


@settings(max_examples=60)
@given(st.lists(st.text(alphabet="a '\"\\$`;&|(){}*~#é\t\n", max_size=10), min_size=1, max_size=3))
def test_any_value_reaches_docker_as_it_is(given_values):
    options.clear(APP, "deploy")
    for value in given_values:
        docker_options.add(APP, "deploy", ["-e", shlex.quote(f"A={value}")])
    words = options.words(options.spoken(options.lines(APP, "deploy")))
    assert sorted(words[1::2]) == sorted({f"A={value}" for value in given_values})
    assert set(words[::2]) == {"-e"}


def test_an_option_of_several_lines_is_one_option_everywhere(said):
    option = "-e 'A=one\n\n  # two'"
    docker_options.add(APP, "deploy", [option], ["web"])
    docker_options.add(APP, "run", ["-a"])
    docker_options.add(APP, "run", [option])
    assert options.lines(APP, "deploy", "web") == [option]
    assert docker_options.rows(APP)[2].value == "-a -e 'A=one\\n\\n  # two'"
    docker_options.show(APP, "run", "", "json")
    assert json.loads(text_of(said)) == ["-a", option]
    docker_options.remove(APP, "run", [option])
    assert options.lines(APP, "run") == ["-a"]
