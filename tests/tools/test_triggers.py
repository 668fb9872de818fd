"""Plugins' scripts that really run, called from our code and through bin/plugn."""

import subprocess
import sys
from pathlib import Path

import pytest

from lib.base import log, settings, triggers
from lib.base.errors import TriggerFailed
from tests.conftest import instance_variables

TREE = Path(__file__).resolve().parents[2]
Capture = pytest.CaptureFixture[str]


def plugin(name: str, script: str, hook: str = "some-hook") -> Path:
    directory = Path(settings.plugins_enabled()) / name
    directory.mkdir(parents=True, exist_ok=True)
    (directory / hook).write_text(script)
    (directory / hook).chmod(0o755)
    return directory


def plugn(tmp_path: Path, *words: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    env = {**instance_variables(tmp_path), "PATH": "/usr/bin:/bin", "DOKKU_PYTHON": sys.executable}
    return subprocess.run(
        [str(TREE / "bin/plugn"), *words], input=stdin, env=env, capture_output=True, check=False, timeout=60
    )


def test_scripts_share_stdin_and_stdout_and_get_the_arguments(tmp_path: Path) -> None:
    plugin("a", '#!/bin/sh\nread -r line; echo "a $line $*"\n')
    plugin("b", '#!/bin/bash\necho "b $(cat) $#"\n')
    done = plugn(tmp_path, "trigger", "some-hook", "blog", "x y", stdin=b"one\ntwo\n")
    assert (done.stdout, done.returncode) == (b"a one blog x y\nb two 2\n", 0)


def test_a_script_that_fails_ends_the_chain_with_its_status(tmp_path: Path) -> None:
    plugin("a", "#!/bin/sh\necho before\n")
    plugin("b", "#!/bin/sh\necho broken >&2\nexit 7\n")
    plugin("c", "#!/bin/sh\necho never\n")
    done = plugn(tmp_path, "trigger", "some-hook")
    assert (done.stdout, done.stderr, done.returncode) == (b"before\n", b"broken\n", 7)
    with pytest.raises(TriggerFailed) as failure:
        triggers.fire("some-hook")
    assert failure.value.exit_code == 7


def test_a_script_without_an_interpreter_line_is_run_by_bash(tmp_path: Path) -> None:
    plugin("a", '[[ $1 == blog ]] && echo "bash $BASH_VERSION"\n')
    assert plugn(tmp_path, "trigger", "some-hook", "blog").stdout.startswith(b"bash 5")


def test_scripts_find_the_instance_in_their_environment(tmp_path: Path) -> None:
    plugin("a", '#!/bin/sh\necho "$DOKKU_ROOT $DOKKU_LIB_ROOT $PLUGIN_ENABLED_PATH $DOKKU_API_VERSION"\n')
    said = plugn(tmp_path, "trigger", "some-hook").stdout.decode().split()
    assert said == [settings.root(), settings.lib(), settings.plugins_enabled(), "1"]


def test_a_question_has_an_empty_stdin_and_hides_the_answer(capfd: Capture) -> None:
    plugin("a", "#!/bin/sh\ncat\nprintf ' a=1'\n")
    plugin("b", "#!/bin/sh\nprintf ' b=2'\necho loud >&2\n")
    assert triggers.ask("some-hook", "blog") == " a=1 b=2"
    assert capfd.readouterr() == ("", "loud\n")


def test_output_of_scripts_is_kept_with_the_rest_of_a_collected_app() -> None:
    plugin("a", "#!/bin/sh\necho theirs\n")
    with log.collected() as said:
        log.plain("before")
        triggers.fire("some-hook")
        log.plain("after")
    assert b"".join(data for _, data in said) == b"before\ntheirs\nafter\n"


def test_a_trigger_that_nobody_knows_is_success(tmp_path: Path) -> None:
    done = plugn(tmp_path, "trigger", "no-such-hook", "x")
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"", 0)


@pytest.mark.parametrize("words", [(), ("trigger",), ("nope",)])
def test_words_that_are_no_command_of_plugn_are_a_usage_error(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = plugn(tmp_path, *words)
    assert done.returncode == 2
    assert b"Usage: plugn trigger" in done.stderr


def test_a_script_can_fire_the_next_trigger_through_plugn(tmp_path: Path) -> None:
    """Plugins do: `plugn trigger` in a hook runs with the same environment and the same plugins."""
    plugin("a", f"#!/bin/sh\nexec '{TREE}/bin/plugn' trigger inner \"$1\"\n")
    plugin("b", '#!/bin/sh\necho "inner $1"\n', hook="inner")
    assert plugn(tmp_path, "trigger", "some-hook", "blog").stdout == b"inner blog\n"
