"""The layer of a predeploy task: what the image is without it, and which layers go before a release."""

import io
import json
import os
import tarfile

import pytest

from lib.base import settings
from lib.build import predeploy_layers
from lib.build.images import Image
from lib.build.predeploy_layers import BUILT_LAYER, LAYER

APP = "blog"
INSPECT = "docker image inspect …"


@pytest.fixture(autouse=True)
def _app(fs):
    os.makedirs(settings.app_dir(APP))


def image(shell, layers, kind="dockerfile", **labels):
    """An image of these layers. labels: by their last word."""
    names = {"layer": LAYER, "built_layer": BUILT_LAYER, "built_image": "com.dokku.built-image"}
    marks = {names[key]: value for key, value in labels.items()}
    known = {"Id": "sha256:1", "Config": {"Labels": marks, "Cmd": ["x"]}, "RootFS": {"Layers": layers}}
    shell.answers("docker image inspect … sha256:1", json.dumps(known) + "\n")
    return Image("sha256:1", "dokku/blog:latest", kind, "/app", [], [], "")


def loaded(shell):
    """What docker was told to put together: the name and the layers of each."""
    found = []
    for call in shell.calls:
        if call.argv[1:3] == ["image", "load"]:
            with tarfile.open(fileobj=io.BytesIO(call.stdin)) as tar:
                (manifest,) = json.load(tar.extractfile("manifest.json"))
                made = json.load(tar.extractfile(manifest["Config"]))
            found.append((manifest["RepoTags"][0], made["rootfs"]["diff_ids"]))
    return found


def test_an_image_that_no_task_changed_is_as_built(shell):
    with predeploy_layers.as_built(APP, image(shell, ["a", "b"])) as id_:
        assert id_ == "sha256:1"
    assert loaded(shell) == []


def test_a_layer_that_something_else_lies_on_stays(shell):
    with predeploy_layers.as_built(APP, image(shell, ["a", "b", "c"], layer="b")) as id_:
        assert id_ == "sha256:1"
    assert loaded(shell) == []


def test_the_layer_on_top_is_left_out_under_a_name_for_a_while(shell):
    latest = image(shell, ["a", "b"], layer="b")
    shell.answers("docker image inspect … dokku/blog:predeploy", json.dumps({"Id": "sha256:0"}) + "\n")
    with predeploy_layers.as_built(APP, latest) as id_:
        assert id_ == "sha256:0"
        assert loaded(shell) == [("dokku/blog:predeploy", ["a"])]
    assert shell.ran[-1] == "docker image rm -- dokku/blog:predeploy"


def test_a_store_that_puts_nothing_together_gets_another_layer(shell):
    latest = image(shell, ["a", "b"], layer="b")
    shell.answers("docker image load …", err="no such layer\n", status=1)
    with predeploy_layers.as_built(APP, latest) as id_:
        assert id_ == "sha256:1"
    assert not [line for line in shell.ran if line.startswith("docker image rm")]


def test_before_a_release_by_herokuish_both_layers_go(shell):
    latest = image(shell, ["a", "b", "release", "task"], "herokuish", layer="task", built_layer="b")
    predeploy_layers.take_off(latest)
    assert loaded(shell) == [("dokku/blog:latest", ["a", "b"])]


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("dockerfile", {"layer": "task", "built_layer": "b"}),
        ("herokuish", {}),
        ("herokuish", {"layer": "b", "built_layer": "a"}),
        ("herokuish", {"layer": "task", "built_layer": "elsewhere"}),
        ("herokuish", {"layer": "task", "built_layer": ""}),
    ],
)
def test_any_other_image_is_left_alone(shell, kind, labels):
    predeploy_layers.take_off(image(shell, ["a", "b", "task"], kind, **labels))
    assert loaded(shell) == []


def test_a_commit_notes_its_layer_and_the_last_of_the_build(shell):
    latest = image(shell, ["a", "b", "release"], "herokuish", built_image="sha256:b")
    for id_, layers in (("sha256:b", ["a", "b"]), ("sha256:left", ["a", "b", "release", "task"])):
        known = json.dumps({"Id": id_, "RootFS": {"Layers": layers}}) + "\n"
        shell.answers(f"docker image inspect … {id_}", known)
    shell.answers("docker container commit …", "sha256:left\n")
    predeploy_layers.commit(APP, latest, "sha256:1", "c1")
    assert loaded(shell) == [("dokku/blog:latest", ["a", "b", "release", "task"])]
    load = next(call for call in shell.calls if call.argv[1:3] == ["image", "load"])
    assert b'"com.dokku.predeploy-layer": "task"' in load.stdin
    assert b'"com.dokku.predeploy-built-layer": "b"' in load.stdin
    assert shell.ran[-1] == "docker image rm -- sha256:left"
