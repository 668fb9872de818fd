"""Layers that builds leave in docker's cache: kept while they may be of use, and not longer."""

import pytest

from lib.base import files, log
from lib.build import layers

APP = "blog"


@pytest.fixture(autouse=True)
def said():
    with log.collected() as lines:
        yield lines


def test_a_builds_output_is_shown_as_it_comes(said):
    layers.recorder(APP)(b" ---> 0123456789ab\n")

    assert said == [(1, b" ---> 0123456789ab\n")]


def test_what_a_builds_programs_print_fills_no_disk():
    record = layers.recorder(APP)
    for number in [7, 7, 7, *range(2000)]:
        record(b" ---> %012d\n" % number)

    assert len(files.read_lines(layers._path(APP))) == 1000


def test_layers_that_a_build_printed_go_when_nothing_was_built_on_them(shell):
    record = layers.recorder(APP)
    for line in (b"Step 1/2 : FROM x\n", b" ---> 0123456789ab\n", b" ---> ba9876543210\n"):
        record(line)
    layer = f"sha256:0123456789ab{'0' * 52}"
    shell.answers("docker image ls …", out=f"{layer}\nsha256:{'f' * 64}\n")
    shell.answers(f"docker image inspect … {layer}", out=f'{{"Id": "{layer}", "RepoDigests": []}}\n')

    layers.remove_abandoned(APP)

    assert [line for line in shell.ran if " rm " in line] == [
        f"docker image rm -- sha256:0123456789ab{'0' * 52}"
    ]
    shell.ran.clear()
    layers.remove_abandoned(APP)
    assert shell.ran == []


def test_an_image_that_was_pulled_by_its_digest_is_no_layer(shell):
    layers.recorder(APP)(b" ---> 0123456789ab\n")
    image = f"sha256:0123456789ab{'0' * 52}"
    shell.answers("docker image ls …", out=f"{image}\n")
    shell.answers("docker image inspect …", out=f'{{"Id": "{image}", "RepoDigests": ["bb@{image}"]}}\n')

    layers.remove_abandoned(APP)

    assert not any(" rm " in line for line in shell.ran)


def test_layers_stay_while_anything_is_built_and_go_at_the_next_deploy(shell):
    layers.recorder(APP)(b" ---> 0123456789ab\n")

    with layers.in_use():
        layers.remove_abandoned(APP)
    assert shell.ran == []

    layers.remove_abandoned(APP)
    assert len(shell.ran) == 1
