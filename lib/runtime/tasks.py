"""Deployment tasks: commands of the app's own that a deploy runs to their end, one container each.

predeploy (its changes become part of the image), release and the first deploy's postdeploy run before the
new version starts; postdeploy runs when it serves. Their output is shown while they run.
Source: dokku v0.24.0 plugins/app-json.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lib.app import app_json, apps, config, options, processes
from lib.base import log, properties, signals, triggers
from lib.base.errors import DokkuError, ToolFailed
from lib.base.values import printable
from lib.build import caches, images, manifests, predeploy_layers
from lib.runtime import commands_in_images
from lib.tools import docker, docker_images

PHASE_LABEL = "dokku_phase_script"
DONE = "executed"  # property heroku.postdeploy, once the first deploy's task has succeeded

_FIRST = "heroku.postdeploy"
_VALUED = ("--cpus", "--gpus", "--memory", "--memory-reservation", "--memory-swap", "--publish", "--restart")
_VALUED_SHORT = ("-m", "-p")
_BARE = ("--publish-all", "-P", "--rm")


class Task(NamedTuple):
    """phase: as labels have it. name: as people read it. command: empty for none."""

    phase: str
    name: str
    source: str
    command: str


def run_before(app: str, tag: str) -> None:
    """Run what comes before the new version: predeploy, release, and once in an app's life its postdeploy.

    Raises: DokkuError naming the task that failed; its output has been shown.
    """
    image = images.verify(app, tag)
    manifests.adopt(app, image)
    processes.parse_procfile(images.read_files(app, image).get("Procfile", ""))  # a bad one runs nothing
    scripts = app_json.scripts(app)
    run(app, tag, Task("predeploy", "predeploy", "app.json", scripts.predeploy))
    signals.failpoint("predeploy")
    procfile = images.read_files(app, images.verify(app, tag)).get("Procfile", "")
    release = processes.command_in(procfile, "release")
    run(app, tag, Task("release", "release", "Procfile", release))
    signals.failpoint("release-task")
    if not apps.is_deployed(app) and properties.get(app_json.PLUGIN, app, _FIRST) != DONE:
        run(app, tag, Task(_FIRST, "first deploy postdeploy", "app.json", scripts.first))
        if scripts.first:
            properties.write(app_json.PLUGIN, app, _FIRST, DONE)
    signals.failpoint("first-task")


def run_after(app: str, tag: str) -> None:
    """Run what comes when the new version serves: postdeploy. Raises: as `run_before`."""
    run(app, tag, Task("postdeploy", "postdeploy", "app.json", app_json.scripts(app).postdeploy))
    signals.failpoint("postdeploy")


def run(app: str, tag: str, task: Task) -> None:
    """Run one task in a container of its own, which is gone afterwards. Fires: post-container-create.

    Raises: DokkuError when its status is not 0, or it can't be run.
    """
    log.info1(f"Checking for {task.name} task")
    if not task.command:
        log.verbose(f"No {task.name} task found, skipping")
        return
    shown = printable(task.command)
    log.info1(f"Executing {task.name} task from {task.source}: {shown}")
    image = images.verify(app, tag)
    with (
        predeploy_layers.as_built(app, image)
        if task.phase == "predeploy"
        else contextlib.nullcontext(image.id) as id_,
        _container(app, tag, image._replace(id=id_), task) as container,
    ):
        if _attend(app, task, container):
            raise DokkuError(f"Execution of {task.name} task failed: {shown}")
        if task.phase == "predeploy":
            _commit(app, image, id_, container, shown)


@contextlib.contextmanager
def _container(app: str, tag: str, image: images.Image, task: Task) -> Iterator[str]:
    """A container that waits to be started; gone after the block, and a killed deploy's with the next one."""
    created = _create(app, tag, image, task)
    try:
        triggers.fire("post-container-create", "app", created, app, task.phase)
        yield created
    finally:
        with signals.deferred():
            docker.remove(created, has_data=False)


def _create(app: str, tag: str, image: images.Image, task: Task) -> str:
    args = triggers.ask("docker-args-deploy", app, tag)
    late = triggers.ask("docker-args-process-deploy", app, image.kind, tag)
    trace = os.environ.get("DOKKU_TRACE")
    given = [*options.words(args), *options.words(late)]
    flags = [*without_deploy_options(given), "--init", *([f"--env=DOKKU_TRACE={trace}"] if trace else [])]
    labels = {**caches.marks(app), PHASE_LABEL: task.phase}
    command = commands_in_images.as_script(app, image, task.command)
    try:
        flags.append(caches.option(app))
        return docker.create("", image.id, command, labels, flags, config.merged(app))
    except ToolFailed as error:
        raise DokkuError(f"Failed to create {task.phase} execution container: {error.text}") from error


def without_deploy_options(flags: Sequence[str]) -> list[str]:
    """Docker's options without those that are for what goes on running: restarts, limits, ports."""
    kept = []
    words = iter(flags)
    for word in words:
        if word in (*_VALUED, *_VALUED_SHORT):
            next(words, "")
        elif word not in _BARE and not _has_value(word):
            kept.append(word)
    return kept


def _has_value(word: str) -> bool:
    glued = word.startswith(_VALUED_SHORT) and not word.startswith("--")
    return glued or word.partition("=")[0] in (*_VALUED, *_BARE)


def _attend(app: str, task: Task, container: str) -> int:
    """Show what the task says as it says it; its status."""
    title = f"{app} {task.name} task ({container[:9]}) output"

    def show(line: bytes) -> None:
        log.raw(b"       " + line.rstrip(b"\r\n") + b"\n")

    log.info2_quiet(f"Start of {title}")
    status = docker_images.attend(container, (lambda _: None) if log.is_quiet() else show)
    log.info2_quiet(f"End of {title}")
    return status


def _commit(app: str, image: images.Image, base: str, container: str, shown: str) -> None:
    try:
        predeploy_layers.commit(app, image, base, container)
    except ToolFailed as error:
        reason = (error.text,) if error.text else ()
        raise DokkuError(f"Commiting of 'predeploy' to image failed: {shown}", more=reason) from error
