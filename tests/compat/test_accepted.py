"""What Dokku 0.24 accepted is accepted by each way in: a shell, a key's command, the official client."""

from pathlib import Path

import pytest

from tests.cli.conftest import Dokku, Result
from tests.compat.accepted import ACCEPTED


def from_a_shell(dokku: Dokku, line: str) -> Result:
    return dokku(*line.split())


def over_ssh(dokku: Dokku, line: str) -> Result:
    return dokku.ssh(line)


def by_the_client(dokku: Dokku, line: str) -> Result:
    return dokku.ssh(f"--app blog {line}")


@pytest.fixture
def dokku(tmp_path: Path) -> Dokku:
    dokku = Dokku(tmp_path)
    dokku.make_app("blog")
    return dokku


@pytest.mark.parametrize("way", [from_a_shell, over_ssh, by_the_client])
@pytest.mark.parametrize(("line", "code", "said"), ACCEPTED)
def test_a_line_is_answered_as_by_0_24(dokku: Dokku, line: str, code: int, said: str, way) -> None:
    if way is by_the_client and " nope" in line:
        pytest.skip("the client names one app")
    answer = way(dokku, line)
    assert said in answer.out + answer.err
    assert answer.code == code
