"""pre-deploy APP TAG: the Procfile and the scale file of the image become the app's."""

import io
import json
import os
import tarfile

import pytest

from lib.app import app_json, processes
from lib.base import files, settings
from lib.base.errors import DokkuError
from triggers import pre_deploy

HANDLER = pre_deploy.HANDLERS["ps"]


@pytest.fixture(autouse=True)
def _app(fs):
    os.makedirs(settings.app_dir("blog"))


def image(shell, id_, **files):
    """An image with files in its working directory."""
    shell.answers("docker image inspect …", json.dumps({"Id": id_, "Config": {"WorkingDir": "/app"}}))
    shell.answers("docker container create …", "c" * 64)
    shell.answers(
        "docker container cp …", "", "Error: Could not find the file /app/x in container c", status=1
    )
    for name, text in files.items():
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
        shell.answers(f"docker container cp {'c' * 64}:/app/{name} -", archive.getvalue())


def test_the_files_of_the_image_are_taken_over(shell):
    image(shell, "sha256:one", Procfile="web: serve\nworker: work\n", DOKKU_SCALE="web=1\nworker=2\n")
    HANDLER("blog", "latest")
    assert processes.wanted("blog") == [("web", 1), ("worker", 2)]
    assert processes.command("blog", "worker") == "work"
    assert not processes.is_scalable("blog")


def test_an_image_without_the_files_leaves_one_web_process(shell):
    image(shell, "sha256:two")
    HANDLER("blog", "")
    assert processes.wanted("blog") == [("web", 1)]
    assert "dokku/blog:latest" in shell.ran[0]


def test_a_bad_procfile_stops_the_deploy(shell):
    image(shell, "sha256:three", Procfile="web\n")
    with pytest.raises(DokkuError, match="line 1"):
        HANDLER("blog", "latest")


def test_a_missing_image_stops_the_deploy(shell):
    shell.answers("docker image inspect …", "", "Error: No such image", status=1)
    with pytest.raises(DokkuError, match=r"App image \(dokku/blog:latest\) not found"):
        HANDLER("blog", "latest")


def test_a_bad_schedule_in_the_app_json_of_an_image_stops_the_deploy_before_its_tasks(shell):
    files.replace(app_json.file_path("blog"), '{"cron": [{"schedule": "@never", "command": "a"}]}')
    with pytest.raises(DokkuError, match=r"cron\[0\]: invalid schedule @never"):
        pre_deploy.HANDLERS["app-json"]("blog", "latest")
    assert shell.ran == []
