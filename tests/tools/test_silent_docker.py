"""A docker that takes connections and never answers: every wait ends, and says for what it was."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.base.errors import DokkuError
from lib.tools import docker
from tests.cli.conftest import Dokku

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("docker") is None, reason="there is no docker"),
]


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[str]:
    """The address of a daemon of which nothing is ever heard."""
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(64)
        yield f"unix://{path}"


def test_a_docker_that_never_answers_is_given_up_by_every_question(silent: str, tmp_path: Path) -> None:
    """DKR-7, RUN-7: all at once, as each takes half a minute."""
    place = tmp_path / "instance"
    place.mkdir()
    dokku = Dokku(place)
    for app in ("ant", "bee", "cat"):
        dokku.make_app(app)
        (dokku.root / app / "CONTAINER.web.1").write_text("0" * 64)
    (dokku.bin / "docker").unlink()
    dokku.environment["DOCKER_HOST"] = silent
    said: dict[str, str] = {}

    def call(*words: str) -> None:
        done = dokku(*words, timeout=100)
        assert done.code != 0
        said[" ".join(words)] = done.err

    def ask() -> None:
        os.environ["DOCKER_HOST"] = silent
        with pytest.raises(DokkuError) as refused:
            docker.inspect("0" * 64)
        said["inspect"] = refused.value.text

    calls = [("ps:report", "--all"), ("ps:report", "--all", "--parallel", "3"), ("ps:report", "ant")]
    threads = [threading.Thread(target=call, args=words) for words in calls]
    threads.append(threading.Thread(target=ask))
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < 60
    assert len(said) == 4
    assert said["inspect"] == "docker did not finish within 30 seconds"
    assert all("docker did not finish within" in text for text in said.values()), said
    assert all("Traceback" not in text for text in said.values())
