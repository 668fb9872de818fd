"""Docker options of an app: kept line by line, split into words and never evaluated."""

import os
import shlex

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from pyfakefs.fake_filesystem_unittest import Patcher

from lib.app import options
from lib.base import files, properties, settings
from lib.base.errors import DokkuError

APP = "blog"


@pytest.fixture
def app(fs):
    os.makedirs(settings.app_dir(APP))


def test_an_option_is_kept_for_its_phases(app):
    options.add(APP, ["build", "deploy"], "--cpus 1")
    assert [options.lines(APP, phase) for phase in options.PHASES] == [["--cpus 1"], ["--cpus 1"], []]
    assert files.read(os.path.join(settings.app_dir(APP), "DOCKER_OPTIONS_BUILD")) == "--cpus 1\n"


def test_options_are_sorted_and_stand_once(app):
    for line in ("-b", "-a", "-b"):
        options.add(APP, ["run"], line)
    assert options.lines(APP, "run") == ["-a", "-b"]


def test_exactly_the_option_that_is_named_is_removed(app):
    options.add(APP, ["run"], "-v /a:/a")
    options.add(APP, ["run"], "-v /a:/ab")
    options.remove(APP, ["run", "build"], "-v /a:/a")
    options.remove(APP, ["run"], "-v /a")
    assert options.lines(APP, "run") == ["-v /a:/ab"]


def test_one_option_takes_the_place_of_those_with_its_start(app):
    for line in ("--restart=no", "--restart=always", "--cpus 1"):
        options.add(APP, ["deploy"], line)
    options.replace_matching(APP, "deploy", "--restart=", "--restart=on-failure:5")
    assert options.lines(APP, "deploy") == ["--cpus 1", "--restart=on-failure:5"]


def test_comments_and_empty_lines_of_a_person_are_skipped_and_comments_stay(app):
    files.replace(options.path(APP, "run"), "# mine\n\n  -a  \n")
    assert options.lines(APP, "run") == ["-a"]
    options.add(APP, ["run"], "-b")
    assert "# mine\n" in files.read(options.path(APP, "run"))


def test_options_of_one_process_type_are_kept_apart(app):
    options.add(APP, ["deploy"], "--cpus 1")
    options.add(APP, ["deploy"], "--cpus 2", "worker")
    assert options.lines(APP, "deploy") == ["--cpus 1"]
    assert options.lines(APP, "deploy", "worker") == ["--cpus 2"]
    assert options.process_types(APP) == ["worker"]
    options.remove(APP, ["deploy"], "--cpus 2", "worker")
    assert options.process_types(APP) == []
    assert not properties.is_set("docker-options", APP, "worker.deploy")


def test_what_a_later_release_left_counts_until_there_is_a_file(app):
    properties.write_list("docker-options", APP, "_default_.run", ["--later"])
    assert options.lines(APP, "run") == ["--later"]
    options.add(APP, ["run"], "--new")
    assert files.read(options.path(APP, "run")) == "--later\n--new\n"
    assert not properties.is_set("docker-options", APP, "_default_.run")
    assert options.process_types(APP) == []


def test_a_cleared_phase_has_nothing_left_and_the_others_stay(app):
    options.add(APP, ["run", "deploy"], "-a")
    options.add(APP, ["deploy"], "-b", "web")
    options.clear(APP, "deploy")
    assert (options.lines(APP, "deploy"), options.lines(APP, "run")) == ([], ["-a"])
    assert options.lines(APP, "deploy", "web") == ["-b"]
    options.clear(APP, "deploy", "web")
    assert options.lines(APP, "deploy", "web") == []


@effort(max_examples=30)
@given(st.text(alphabet="ab \u2028\u0085\x0b\xa0'\"$`", min_size=1, max_size=12))
def test_only_a_line_feed_ends_a_line(text):
    line = f"-e={text}x"
    with Patcher() as patcher:
        patcher.fs.create_dir(settings.app_dir(APP))
        options.add(APP, ["run"], line)
        assert options.lines(APP, "run") == [line]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("-e 'A=1\n 2 '\n-b\n", ["-e 'A=1\n 2 '", "-b"]),
        ("-e 'open\n-b\n-c\n", ["-e 'open", "-b", "-c"]),
        ("-v /a:/b \\\n-c\n", ["-v /a:/b \\", "-c"]),
        ("# it's mine\n-b\n# it's too\n", ["-b"]),
        ("-e \"A='\n'\"\r\n\n-b", ["-e \"A='\n'\"", "-b"]),
    ],
)
def test_a_quote_goes_on_until_it_ends_if_it_does(app, text, lines):
    files.replace(options.path(APP, "run"), text)
    assert options.lines(APP, "run") == lines


def test_a_change_that_changes_nothing_writes_nothing(app):
    options.remove(APP, ["run"], "-x")
    assert not os.path.exists(options.path(APP, "run"))


def test_an_app_without_options_has_none(app):
    assert options.lines(APP, "deploy") == []


@given(st.lists(st.text(alphabet="ab \t\n'\"\\$`;&|*äé", max_size=6)))
def test_quoted_words_come_back_as_they_were(words):
    assert options.words(shlex.join(words)) == words


@pytest.mark.parametrize("text", ["'hunter2", '"hunter2', "hunter2\\"])
def test_an_open_quote_is_refused_without_the_text(text):
    with pytest.raises(DokkuError) as refused:
        options.words(text)
    assert "hunter2" not in refused.value.text


@pytest.mark.parametrize(
    ("flags", "port"),
    [
        (["-p", "8080:80"], "8080"),
        (["-p8080:80"], "8080"),
        (["--publish=127.0.0.1:8080:80/tcp"], "8080"),
        (["--publish", "[::1]:53:53/udp"], "53"),
        (["--publish=80"], ""),
        (["--publish=127.0.0.1::80"], ""),
        (["--publish=8000-8009:80"], ""),
        (["--path=8080:80", "-p"], ""),
        ([], ""),
    ],
)
def test_the_port_of_the_host_that_flags_name_is_found(flags, port):
    assert options.fixed_port(flags) == port
