"""The dockerfile builder: `docker build` of a Dockerfile in the source.

Source: dokku v0.24.0 plugins/builder-dockerfile.
"""

import os

from lib.app import config, options
from lib.base import files, log, scratch, signals, triggers, values
from lib.base.errors import DokkuError
from lib.build import builders, images, layers
from lib.tools import docker

NAME = "dockerfile"
_NOT_FOR_BUILDS = ("-v", "--volume", "--link")


def detected(app: str, tree: str) -> str:
    """The builder's name when the source has a Dockerfile and asks for no other builder."""
    others = builders.wants_herokuish(app, tree) or builders.wants_pack(app, tree)
    return f"{NAME}\n" if builders.has_dockerfile(tree) and not others else ""


def build(builder: str, app: str, tree: str) -> None:
    """Build dokku/APP:latest from a source tree; its name is set only when all of it is there.

    Fires: pre-build-dockerfile, docker-args-build, docker-args-process-build, post-build-dockerfile.
    """
    if builder != NAME:
        return
    log.info1(f"Building {app} from Dockerfile")
    dockerfile = files.read_beneath(tree, "Dockerfile")
    if dockerfile is None:
        raise DokkuError("No Dockerfile found in source code directory")
    ports = exposed_ports(dockerfile)
    triggers.fire("pre-build-dockerfile", app)
    said = triggers.ask("docker-args-build", app, NAME) + triggers.ask("docker-args-process-build", app, NAME)
    more = os.environ.get("DOKKU_DOCKER_BUILD_OPTS", "")
    flags = build_options(options.words(said) + options.words(more))
    with scratch.directory("build") as place, layers.in_use():
        id_file = os.path.join(place, "image")
        docker.build(tree, "", id_file, images.labels(app, NAME), flags, layers.recorder(app))
        signals.failpoint("built")
        docker.tag(files.read(id_file).strip(), images.name(app))
    signals.failpoint("tagged")
    if ports:
        config.set_values(app, {"DOKKU_DOCKERFILE_PORTS": " ".join(ports)})
    triggers.fire("post-build-dockerfile", app)


def release(builder: str, app: str, tag: str) -> None:
    """Fires: pre-release-dockerfile, post-release-dockerfile. The labels are on the image since its build."""
    if builder != NAME:
        return
    triggers.fire("pre-release-dockerfile", app, tag)
    triggers.fire("post-release-dockerfile", app, tag)


def exposed_ports(dockerfile: str) -> list[str]:
    """The ports of the EXPOSE lines, in their order: `3000`, `3001/udp`."""
    words = [line.split() for line in dockerfile.splitlines() if line.startswith("EXPOSE ")]
    return [port for line in words for port in line[1:] if _is_port(port)]


def _is_port(word: str) -> bool:
    number, slash, protocol = word.partition("/")
    return values.is_port(number) and (not slash or protocol in ("tcp", "udp", "sctp"))


def build_options(words: list[str]) -> list[str]:
    """The docker options that a build takes: those for mounts and links, which it has not, are dropped."""
    kept: list[str] = ["--no-cache"] if os.environ.get("DOKKU_DOCKERFILE_CACHE_BUILD") == "false" else []
    rest = iter(words)
    for word in rest:
        if word in _NOT_FOR_BUILDS:
            next(rest, None)
        elif not word.startswith(tuple(f"{flag}=" for flag in _NOT_FOR_BUILDS)):
            kept.append(word)
    return kept
