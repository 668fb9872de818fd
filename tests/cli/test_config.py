"""config:* as a user calls them: words, texts, status, and what is on disk after it."""

import io
import json
import os
import shlex
import shutil
import subprocess
import tarfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.conftest import TREE

DOKKU = str(TREE / "bin/dokku")
READING = [
    ("config", "blog"),
    ("config:show", "blog"),
    ("config:get", "blog", "A"),
    ("config:keys", "--merged", "blog"),
    ("config:export", "--format", "json", "blog"),
    ("config:bundle", "blog"),
    ("config:show", "--global"),
]
CHANGING = ["set A=1", "unset A", "clear", "import -"]
ALL = ["", ":bundle", ":clear", ":export", ":get", ":import", ":keys", ":set", ":show", ":unset"]
# What an argument can hold: any bytes but NUL.
ARGUMENT = st.binary(max_size=40).map(
    lambda data: data.replace(b"\0", b"").decode("utf-8", "surrogateescape")
)
few = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def blog(dokku):
    """An app that was never deployed."""
    return dokku.make_app("blog")


def refusal(text, code=1):
    return ("", f" !     {text}\n", code)


def test_a_variable_is_set_shown_and_unset(dokku, blog):
    assert dokku("config:set", "--no-restart", "blog", "aKey=true", "BKEY=two  words").code == 0
    assert dokku("config:show", "blog") == ("=====> blog env vars\nBKEY:  two  words\naKey:  true\n", "", 0)
    assert dokku("config:get", "blog", "BKEY") == ("two  words\n", "", 0)
    assert dokku("config:keys", "blog") == ("BKEY\naKey\n", "", 0)
    assert dokku("config:unset", "--no-restart", "blog", "aKey") == ("-----> Unsetting aKey\n", "", 0)
    assert dokku("config:get", "blog", "aKey") == ("", "", 1)


def test_the_file_is_that_of_release_0_24_and_private(dokku, blog):
    """PRV-8, UPG-4"""
    dokku("config:set", "blog", 'B=$x `y` "z"', "A=007")
    assert (blog / "ENV").read_text() == 'A="007"\nB="\\$x \\`y\\` \\"z\\""'
    assert (blog / "ENV").stat().st_mode & 0o777 == 0o600


def test_an_app_without_variables_shows_an_empty_line(dokku, blog):
    assert dokku("config:show", "blog") == ("=====> blog env vars\n\n", "", 0)
    assert dokku("config:keys", "blog") == ("", "", 0)


def test_quiet_drops_the_heading_wherever_it_stands(dokku, blog):
    dokku("config:set", "--no-restart", "blog", "A=1")
    for line in (["--quiet", "config:show", "blog"], ["config:show", "blog", "--quiet"]):
        assert dokku(*line) == ("A:  1\n", "", 0)
    assert dokku("--quiet", "config:set", "--no-restart", "blog", "A=2") == ("", "", 0)


def test_setting_names_the_keys(dokku, blog):
    """SEC-3"""
    said = dokku("config:set", "--no-restart", "blog", "A=hunter2", "LONG=1")
    assert said == ("-----> Setting config vars\n       A:     *****\n       LONG:  *****\n", "", 0)


def test_setting_shows_the_values_at_a_terminal(dokku, blog):
    """SEC-3"""
    said = dokku.pty("config:set", "--no-restart", "blog", "A=hunter2")
    assert said.out == "-----> Setting config vars\n       A:  hunter2\n"


@pytest.mark.parametrize("change", CHANGING)
def test_an_app_without_a_deploy_is_a_warning(dokku, blog, change):
    said = dokku(*f"config:{change}".split()[:1], "blog", *change.split()[1:], input="A=1")
    assert (said.code, said.err) == (0, " !     App blog has not been deployed\n")


def test_a_deployed_app_is_restarted_and_a_failure_is_a_warning(dokku, blog):
    deployed = dokku.lib / "config/common/blog/deployed"
    deployed.parent.mkdir(parents=True)
    deployed.write_text("true")
    dokku.plugin("00-veto", app_restart='#!/bin/sh\necho "asked for $1"; exit 9\n')
    said = dokku("config:set", "blog", "A=1")
    assert said.out.endswith("-----> Restarting app blog\nasked for blog\n")
    assert (said.err, said.code) == (" !     Failure while restarting app: exit status 9\n", 0)
    assert dokku("config:get", "blog", "A").out == "1\n"
    assert "Restarting" not in dokku("config:set", "--no-restart", "blog", "A=2").out


@pytest.mark.parametrize(
    "words",
    [
        ("blog", "--merged", "--format", "json"),
        ("--merged", "blog", "--format=json"),
        ("--format", "json", "--merged", "blog"),
        ("--format=json", "blog", "--merged"),
    ],
)
def test_flags_stand_before_or_after_the_app(dokku, blog, words):
    dokku("config:set", "--global", "G=1", "A=1")
    dokku("config:set", "blog", "--no-restart", "--encoded", "A=PDI+")
    assert dokku("config:export", *words) == ('{"A":"\\u003c2\\u003e","G":"1"}\n', "", 0)
    assert dokku("--app", "blog", "config:export", *(word for word in words if word != "blog")).code == 0


def test_shell_format_ends_with_a_blank(dokku, blog):
    dokku("config:set", "blog", "A=it's", "B=2")
    assert dokku("config:export", "blog", "--format", "shell").out == "A='it'\\''s' B='2' "


def test_the_bare_command_shows(dokku, blog):
    dokku("config:set", "blog", "A=1")
    told = " !     Deprecated: Use the 'config:show' command instead\n"
    assert dokku("config", "blog") == ("=====> blog env vars\nA:  1\n", told, 0)
    deprecated = " !     Deprecated: Use 'config:export --format {}' instead\n".format
    assert dokku("config", "--shell", "blog") == ("A='1'", deprecated("shell"), 0)
    assert dokku("config", "--export", "blog") == ("export A='1'\n", deprecated("exports"), 0)
    assert dokku("config", "--export", "--shell", "blog").code == 1


def test_global_stands_in_place_of_the_app(dokku):
    assert dokku("config:set", "--global", "A=1").err == ""
    assert dokku("config:get", "A", "--global").out == "1\n"
    assert dokku("config:show", "--global").out == "=====> global env vars\nA:  1\n"
    assert (dokku.root / "ENV").read_text() == 'A="1"'
    assert dokku("config:clear", "--global") == ("-----> Unsetting A\n", "", 0)


def test_quoted_gives_a_shell_the_value_back(dokku, blog):
    dokku("config:set", "blog", "A=it's $HOME")
    assert dokku("config:get", "--quoted", "blog", "A").out == "'it'\\''s $HOME'\n"


def test_values_of_an_ssh_line_may_be_quoted(dokku, blog):
    said = dokku.ssh("config:set --no-restart --encoded blog A=\"aGkgeW91\" B='eA=='")
    assert said.code == 0
    assert json.loads(dokku("config:export", "blog", "--format", "json").out) == {"A": "hi you", "B": "x"}


def test_a_bundle_is_a_tar_of_one_file_per_variable(dokku, blog):
    dokku("config:set", "blog", "A=1", "B=two\nlines")
    out = subprocess.run(
        [DOKKU, "config:bundle", "blog"], env=dokku.environment, capture_output=True, check=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(out)) as tar:
        assert {member.name: tar.extractfile(member).read() for member in tar} == {
            "A": b"1",
            "B": b"two\nlines",
        }


def test_import_reads_stdin_and_files(dokku, blog, tmp_path):
    said = dokku("config:import", "--no-restart", "blog", "-", input='A="x\ny"\nB=2')
    assert said.out == (
        "-----> Reading config vars from stdin\n-----> Setting config var A\n-----> Setting config var B\n"
    )
    (tmp_path / "in.json").write_text('{"C":"3"}')
    words = ("--replace", "--format", "json", "--no-restart")
    assert dokku("config:import", *words, "blog", str(tmp_path / "in.json")).code == 0
    assert dokku("config:export", "blog").out == "export C='3'\n"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("config:get", "blog"), "Expected: key"),
        (("config:get", "blog", "A", "B", "C"), "Unexpected argument(s): [B C]"),
        (("config:show", "blog", "A"), "Unexpected argument(s): [A]"),
        (("config:set", "blog"), "At least one env pair must be given"),
        (("config:set", "blog", "A"), "Invalid env pair: A"),
        (("config:set", "blog", "A-B=1"), "Invalid key name: 'A-B'"),
        (("config:set", "--encoded", "blog", "A=%"), "illegal base64 data for key 'A'"),
        (("config:unset", "blog"), "At least one key must be given"),
        (("config:unset", "blog", "A B"), "Invalid key name: 'A B'"),
        (("config:export", "--format", "yaml", "blog"), "Unknown export format: yaml"),
        (("config:import", "blog", "/nowhere"), "Unable to read /nowhere: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_refused_in_dokkus_words(dokku, blog, words, text):
    assert dokku(*words) == refusal(text)


@pytest.mark.parametrize("name", ALL)
def test_every_command_wants_an_app_that_is_there(dokku, name):
    more = {":get": ["A"], ":set": ["A=1"], ":unset": ["A"], ":import": ["-"]}.get(name, [])
    for words, text, code in (
        (("nope", *more), "App nope does not exist", 20),
        ((), "Please specify an app to run the command on", 1),
    ):
        answer = dokku(f"config{name}", *words)
        assert (answer.out, answer.err.splitlines()[-1], answer.code) == ("", f" !     {text}", code)
    assert not (dokku.root / "nope").exists()


def test_an_unknown_flag_is_a_usage_error(dokku, blog):
    assert dokku("config:set", "blog", "--nope", "A=1").code == 2
    assert not (blog / "ENV").exists()


# K...: a shell has names of its own, `_` among them.
@few
@given(
    st.dictionaries(st.from_regex(r"K[A-Za-z0-9_]{0,8}", fullmatch=True), ARGUMENT, min_size=1, max_size=4)
)
def test_any_value_makes_the_round_trip_to_a_shell_and_an_environment(dokku, values):
    """RUN-9, NAME-6"""
    (dokku.root / "blog").mkdir(exist_ok=True)
    dokku("config:clear", "--no-restart", "blog")
    assert (
        dokku("config:set", "--no-restart", "blog", *(f"{key}={text}" for key, text in values.items())).code
        == 0
    )
    key, text = next(iter(values.items()))
    assert dokku("config:get", "blog", key).out == f"{text}\n"
    exports = dokku("config:export", "blog").out
    assert shlex.split(exports) == [
        word for key in sorted(values) for word in ("export", f"{key}={values[key]}")
    ]
    assert values.items() <= environment_after(exports).items()


def environment_after(exports):
    """What a real shell exports after it has evaluated these lines."""
    script = 'eval "$1"; exec /usr/bin/env -0'
    seen = subprocess.run(
        ["/bin/bash", "-c", script, "bash", exports], env={}, capture_output=True, check=True
    ).stdout
    entries = seen.decode("utf-8", "surrogateescape").split("\0")
    return dict(entry.split("=", 1) for entry in entries if entry)


def test_changes_at_the_same_time_are_all_kept(dokku, blog):
    """LCK-7"""

    def change(number):
        return dokku("config:set", "--no-restart", "blog", f"KEY_{number}={number}").code

    with ThreadPoolExecutor(max_workers=25) as pool:
        assert set(pool.map(change, range(50))) == {0}
    found = json.loads(dokku("config:export", "--format", "json", "blog").out)
    assert found == {f"KEY_{number}": str(number) for number in range(50)}


@pytest.mark.parametrize("keep", [0, 1, 5, 8, 9, 12, -1])
def test_a_file_that_was_cut_off_is_neither_read_nor_written_back(dokku, blog, keep):
    """CRS-5"""
    dokku("config:set", "--no-restart", "blog", "A=1", "B=hunter2")
    whole = (blog / "ENV").read_text()
    (blog / "ENV").write_text(whole[:keep])
    for words in (["get", "blog", "A"], ["set", "blog", "C=1"], ["unset", "blog", "A"], ["export", "blog"]):
        said = dokku(f"config:{words[0]}", *words[1:])
        assert (said.out, said.code) == ("", 1)
        assert said.err.startswith(f" !     {blog}/ENV")
        assert "hunter2" not in said.err
    assert (blog / "ENV").read_text() == whole[:keep]
    (blog / "ENV").write_text(whole)
    assert dokku("config:get", "blog", "B").out == "hunter2\n"


def test_a_disk_without_room_leaves_the_old_config(dokku, blog):
    """ENV-1"""
    dokku("config:set", "--no-restart", "blog", "A=1")
    script = 'ulimit -f 8; exec "$@" "BIG=$(head -c 100000 /dev/zero | tr "\\0" x)"'
    done = subprocess.run(
        ["bash", "-c", script, "bash", DOKKU, "config:set", "--no-restart", "blog"],
        env=dokku.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert (blog / "ENV").read_text() == 'A="1"'
    assert [name for name in os.listdir(blog) if name.startswith(".ENV")] == []


def test_values_reach_no_programs_arguments(dokku, blog):
    """SEC-1"""
    dokku.plugin("watch", post_config_update='#!/bin/sh\necho "heard $*"\n')
    said = dokku("config:set", "--no-restart", "blog", "A=hunter2", "B=1")
    assert "heard blog set A B\n" in said.out
    assert "hunter2" not in said.out + said.err
    dokku("config:set", "--global", "A=1")
    assert "heard --global unset A\n" in dokku("config:unset", "--global", "A").out


@pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace")
@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_reading_starts_no_other_program(dokku, blog, words):
    dokku("config:set", "blog", "A=1")
    trace = dokku.log / "trace"
    tracing = ["strace", "-f", "-qq", "-e", "trace=execve,fork,vfork,clone", "-o", str(trace), DOKKU, *words]
    done = subprocess.run(tracing, env=dokku.environment, capture_output=True, check=False)
    assert done.returncode == 0, done
    calls = [
        line for line in trace.read_text().splitlines() if " = 0" in line or "fork" in line or "clone" in line
    ]
    assert len(calls) <= 2, calls  # the sh of the first line, then the interpreter
