"""Our idea of a name, and git's and docker's."""

import shutil
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.base import values

PARTS = st.sampled_from(
    [*"ab-./~^:?*[\\@{} \t", "..", ".lock", "@{", "//", "HEAD", "refs/heads/", "é", "\x7f"]
)


@settings(max_examples=150)
@given(st.lists(PARTS, min_size=1, max_size=6).map("".join))
@example("-a")
@example("@")
@example("a.lock")
@example("a/.b")
def test_git_takes_every_ref_we_take(name: str) -> None:
    """NAME-10"""
    if values.is_ref(name):
        subprocess.run(["git", "check-ref-format", "--branch", name], check=True, capture_output=True)


@settings(max_examples=150)
@given(st.lists(PARTS, min_size=1, max_size=6).map("".join).filter(lambda name: name.isascii()))
def test_we_take_every_branch_git_takes(name: str) -> None:
    """NAME-10"""
    done = subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=False, capture_output=True)
    if done.returncode == 0 and not name.startswith("-") and name not in ("HEAD", "@"):
        assert values.is_ref(name)


IMAGE_PARTS = st.sampled_from(
    [*"abA1.-_:/@$ ", "__", "localhost", "x.y", ":5000/", "a/", ":1", f"@sha256:{'a' * 64}", "\n", "é"]
)


@pytest.mark.skipif(
    shutil.which("docker") is None
    or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0,
    reason="there is no docker",
)
@settings(max_examples=150)
@given(st.lists(IMAGE_PARTS, min_size=1, max_size=6).map("".join))
@example("a_b.c/x")
@example(f"a:1@sha256:{'a' * 64}")
@example("a" * 64)
@example("b" * 237)
def test_docker_takes_every_image_we_take(name: str) -> None:
    """NAME-11"""
    if values.is_image(name):
        argv = ["docker", "image", "inspect", "--format={{.Id}}", "--", name]
        done = subprocess.run(argv, check=False, capture_output=True)
        assert done.returncode == 0 or b"No such image" in done.stderr
