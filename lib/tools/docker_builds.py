"""docker, building images out of directories with a Dockerfile; no build outlives the process that wants it.

The classic builder's container ends when the client's connection does, which is ours: a relay. BuildKit's
client is asked to end by the kernel, and takes its build along.
"""

from collections.abc import Callable, Mapping, Sequence

from lib.base import run, settings
from lib.tools import docker, docker_relay, setpriv

_BUILDKIT = {"BUILDX_GIT_INFO": "false"}  # else it runs git in the source


def build_argv(
    context: str, dockerfile: str, id_file: str, labels: Mapping[str, str], options: Sequence[str]
) -> list[str]:
    """options: flags already split, in the order they were given."""
    flags = ["--force-rm", f"--iidfile={id_file}", *docker.labels_argv(labels), *options]
    return [
        settings.docker(),
        "image",
        "build",
        *flags,
        *([f"--file={dockerfile}"] if dockerfile else []),
        "--",
        context,
    ]


def build(
    context: str,
    dockerfile: str,
    id_file: str,
    labels: Mapping[str, str],
    options: Sequence[str],
    each: Callable[[bytes], None],
    arguments: Mapping[str, str],
    with_buildkit: bool,
    complaints: Callable[[bytes], None] | None = None,
) -> None:
    """Build an image from a directory; its id lands in id_file. No tag is set. Ends when this process does.

    each: gets every line of output. complaints: every line of its stderr, which is ours without.
    arguments: the values of `--build-arg KEY` options; BuildKit's client has them in its environment.
    """
    argv = build_argv(context, dockerfile, id_file, labels, options)
    if with_buildkit:
        env = {**arguments, **_BUILDKIT}
        run.stream(*setpriv.argv(*argv), each=each, cwd=context, env=env, complaints=complaints)
        return
    with docker_relay.filling(arguments) as relayed:
        run.stream(*argv, each=each, cwd=context, env=relayed, complaints=complaints)
