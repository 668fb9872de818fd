"""Builders that are programs of their own: what they are told, and what becomes of the image they leave.

They name an image themselves and know nothing of what ours have: one short docker build follows theirs.
"""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from lib.app import config, environments, options
from lib.base import files, log, run, scratch, signals, triggers
from lib.base.errors import DokkuError, ToolFailed
from lib.build import foreign_images, images, layers, plan_images, plans
from lib.tools import docker

Build = Callable[[str, str, Sequence[str], run.Env], None]  # image, source, options, environment
# A command comes as words, here as in any image; these two builders' own entrypoints take only one.
_ENTRYPOINT = ["/bin/bash", "-c", 'exec /bin/bash -l -c "$*"', "run"]
_RELEASE = re.compile(r"^[ \t]*release[ \t]*:.*\n?", re.MULTILINE)


def verify(program: str) -> None:
    """Raises: DokkuError when it is not installed."""
    if shutil.which(program) is None:
        raise DokkuError(f"Missing {program}, install it")


def build(program: str, app: str, tree: str, make: Build, valued: Mapping[str, str], bare: str) -> None:
    """Build dokku/APP:latest with a program that takes --name and a directory.

    make: runs it. valued, bare: which of the app's build options are for it, as `chosen_options` has them.
    It has those of the app's variables in its environment that an option `--env KEY` names for the image.
    """
    log.info1(f"Building {app} from {program}")
    verify(program)
    plans.verify(program, tree)
    foreign_images.verify(app, plan_images.uses(program, tree))
    variables = config.merged(app)
    flags = [word for word in chosen_options(app, program, valued, bare.split()) if not _steers(word)]
    env = {key: variables[key] for key in environments.named(flags, "--env") if key in variables}
    procfile = _without_release(tree)
    with layers.in_use(), name_beside(app) as built:
        run_builder(make, built, tree, flags, env)
        signals.failpoint("built")
        finish(app, program, built, {"Procfile": procfile} if procfile else {})
    signals.failpoint("tagged")


@contextlib.contextmanager
def name_beside(app: str, after: str = "") -> Iterator[str]:
    """A name to build under while dokku/APP:latest is still the last version's; gone after the block.

    after: the image that has the name at first. What a killed build has left under it goes.
    """
    name = images.name(app, "building")
    docker.remove_image(name)
    if after:
        docker.tag(after, name)
    try:
        yield name
    finally:
        with signals.deferred():
            docker.remove_image(name)


def run_builder(make: Build, image: str, tree: str, flags: Sequence[str], env: run.Env) -> None:
    """Raises: DokkuError when it fails; it has said why."""
    try:
        make(image, tree, flags, env)
    except ToolFailed:
        raise DokkuError("Failure building image") from None


def finish(app: str, builder: str, built: str, beside: Mapping[str, str]) -> None:
    """Make dokku/APP:latest of an image that the program has built, with an entrypoint that takes words.

    beside: files by name, copied into the image's working directory.
    """
    found = docker.inspect_images(built)
    if not found:
        raise DokkuError(f"{builder} left no image {built}")
    command = (found[0].get("Config") or {}).get("Cmd") or []  # a new entrypoint would drop it
    labels = " ".join(f"{key}={json.dumps(value)}" for key, value in images.labels(app, builder).items())
    lines = [
        f"FROM {found[0]['Id']}",
        f"LABEL {labels}",
        *(f"COPY {name} ./{name}" for name in beside),
        f"ENTRYPOINT {json.dumps(_ENTRYPOINT)}",
        f"CMD {json.dumps(command)}",
    ]
    with scratch.directory("image") as place:
        for name, text in {**beside, "Dockerfile": "\n".join(lines)}.items():
            files.replace(os.path.join(place, name), text, mode=0o644)
        docker.derive(place, images.name(app))


def valued(*texts: str) -> dict[str, str]:
    """Options that have a value: the long form by each form. A short one stands before its long one."""
    words = " ".join(texts).split()
    pairs = zip(words, [*words[1:], ""], strict=True)
    return {word: word if word.startswith("--") else after for word, after in pairs}


def chosen_options(app: str, builder: str, valued: Mapping[str, str], bare: Collection[str]) -> list[str]:
    """Those of an app's build options that a program knows; a warning names the others.

    valued: the long form by each form of an option that has a value. bare: options without one.
    Fires: docker-args-build, docker-args-process-build.
    """
    said = (
        triggers.ask("docker-args-build", app, builder),
        triggers.ask("docker-args-process-build", app, builder),
    )
    kept: list[str] = []
    rest = iter(options.words(" ".join(said)))
    for word in rest:
        name, has_value, value = word.partition("=")
        if name in valued:
            kept.append(f"{valued[name]}={value if has_value else next(rest, '')}")
        elif word in bare:
            kept.append(word)
        elif word.startswith("-"):
            log.warn(f"Build option {name} is not one of {builder}'s and was left out")
    return kept


def _without_release(tree: str) -> str:
    """The Procfile, which loses its release entry: a task, no step of a build. Empty when it has none."""
    text = files.read_beneath(tree, "Procfile") or ""
    if not _RELEASE.search(text):
        return ""
    files.replace(os.path.join(tree, "Procfile"), _RELEASE.sub("", text), mode=0o644)
    return text


def _steers(word: str) -> bool:
    """Whether an option would put a value of ours where one of the app's belongs."""
    key = word.removeprefix("--env=")
    wrong = word.startswith("--env=") and "=" not in key and environments.steers(key)
    if wrong:
        log.warn(f"{key} cannot be handed to a build by name and was left out")
    return wrong
