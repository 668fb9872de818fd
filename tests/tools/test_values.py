"""Our idea of a name, and git's and docker's."""

import subprocess

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
    if values.is_ref(name):
        subprocess.run(["git", "check-ref-format", "--branch", name], check=True, capture_output=True)


@settings(max_examples=150)
@given(st.lists(PARTS, min_size=1, max_size=6).map("".join).filter(lambda name: name.isascii()))
def test_we_take_every_branch_git_takes(name: str) -> None:
    done = subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=False, capture_output=True)
    if done.returncode == 0 and not name.startswith("-") and name not in ("HEAD", "@"):
        assert values.is_ref(name)
