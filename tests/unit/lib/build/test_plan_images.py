"""The images that nixpacks.toml, railpack.json and project.toml name."""

import json
import os

import pytest

from lib.base import files
from lib.base.errors import DokkuError
from lib.build import plan_images

TREE = "/source"
pytestmark = pytest.mark.usefixtures("fs")


def named(builder, **contents):
    os.makedirs(TREE, exist_ok=True)
    for name, text in contents.items():
        files.replace(os.path.join(TREE, name.replace("_", ".")), text)
    return {use.image for use in plan_images.uses(builder, TREE)}


@pytest.mark.parametrize(
    "text",
    [
        'buildImage = "dokku/victim"',
        '[start]\nrunImage = "dokku/victim"',
        '[start]\nrunImage = "dokku\\u002fvictim"',
        '[phases.build]\ncmds = ["--mount=from=dokku/victim,target=/x cp /x /y"]',
        '[phases.build]\ncmds = ["true\\nCOPY --from=dokku/victim / /x"]',
        '[phases.build]\ncmds = ["""true\nFROM dokku/victim"""]',
        '[variables]\nX = "1\\nCOPY --from=dokku/victim / /x"',
        '[variables]\n"X\\nCOPY --from=dokku/victim / /x" = "1"',
    ],
)
def test_images_of_a_nixpacks_file_are_found(text):
    assert "dokku/victim" in named("nixpacks", nixpacks_toml=text)


def test_the_other_file_that_nixpacks_reads_counts():
    assert named("nixpacks", nixpacks_toml="", nixpacks_json='{"buildImage": "a"}') == {"a"}


def test_images_of_a_railpack_file_are_found():
    steps = {"x": {"inputs": [{"image": "dokku/victim"}], "commands": ["true", {"image": "other"}]}}
    assert named("railpack", railpack_json=json.dumps({"steps": steps})) == {"dokku/victim", "other"}


def test_a_buildpack_that_is_an_image_of_an_app_is_found():
    text = '[[io.buildpacks.group]]\nuri = "docker://dokku/victim:latest"\n'
    assert named("pack", project_toml=text) == {"dokku/victim:latest"}


def test_ordinary_files_name_no_image():
    text = '[phases.build]\ncmds = ["npm ci", "echo from there"]\n[start]\ncmd = "npm start"\n'
    assert named("nixpacks", nixpacks_toml=text) == set()
    assert named("railpack", railpack_json="// comments are fine\n{}") == set()
    assert plan_images.uses("pack", TREE) == []


@pytest.mark.parametrize(("builder", "name"), [("nixpacks", "nixpacks_toml"), ("railpack", "railpack_json")])
def test_a_file_that_nobody_can_read_is_refused(builder, name):
    with pytest.raises(DokkuError, match="can't be read"):
        named(builder, **{name: "= {"})
