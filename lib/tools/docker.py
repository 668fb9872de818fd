"""docker, through its client: one function, one invocation. DOCKER_BIN decides which client.

Source of the flags: the ones that clients from 20.10 to 28 share.
"""

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from lib.base import outputs, run, settings, signals
from lib.tools import docker_complaints, docker_relay

QUICK = 30  # seconds for a question to the daemon
STALL = 60  # seconds
TRANSFER = 3600  # seconds for an image to come over a network
ATTEMPTS = 3  # at a build that stumbles over what others remove
Json = dict[str, Any]


def inspect(*ids: str) -> list[Json]:
    """What docker knows of some containers, in one call; those that are gone are absent."""
    return _inspect("container", ids)


def inspect_images(*names: str) -> list[Json]:
    """What docker knows of some images; those that do not exist are absent."""
    return _inspect("image", names)


def containers(*filters: str, all_: bool = True) -> list[str]:
    """The full ids of the containers that match all filters (`label=dokku`, `name=web`)."""
    flags = ["--all"] if all_ else []
    return _ask("container", "ls", "--quiet", "--no-trunc", *flags, *_filters(filters)).split()


def labelled(label: str, *filters: str) -> dict[str, str]:
    """The value of a label by full id, for all containers that match the filters."""
    shape = f'--format={{{{.ID}}}} {{{{.Label "{label}"}}}}'
    lines = _ask("container", "ls", "--no-trunc", "--all", shape, *_filters(filters)).splitlines()
    return {id_: value for id_, _, value in (line.partition(" ") for line in lines)}


def images(*filters: str) -> list[str]:
    """The full ids of the images that match all filters, each once."""
    return sorted(set(_ask("image", "ls", "--quiet", "--no-trunc", *_filters(filters)).split()))


def label(image: str, name: str, labels: Mapping[str, str]) -> None:
    """Give an image labels, in one layer on top of it, and then a name. Its command stays what it was.

    By the classic builder: it starts from an id, and remembers the layer if it made it before.
    """
    text = "".join(f" {key}={_quoted(value)}" for key, value in labels.items())
    _build_by_the_classic(f"--tag={name}", "-", stdin=f"FROM {image}\nLABEL{text}\n".encode())


def derive(context: str, name: str) -> None:
    """Build an image from a directory and name it; what docker says is told only when it fails.

    By the classic builder, which starts from an id.
    """
    _build_by_the_classic(f"--tag={name}", "--", context)


def _build_by_the_classic(*words: str, stdin: run.Stdin = None) -> None:
    argv = [settings.docker(), "image", "build", "--force-rm", *words]
    for _ in range(ATTEMPTS):
        done = run.result(*argv, stdin=stdin, env={"DOCKER_BUILDKIT": "0"}, timeout=QUICK * 10)
        if not done.status:
            return
        if not docker_complaints.has_lost_a_layer(done.errors):
            break
    raise docker_complaints.failure(done, "build")


def pull(image: str, stall: float = STALL) -> None:
    """Fetch an image from its registry; docker shows how far it is. stall: seconds without news of it."""
    run.run(settings.docker(), "image", "pull", "--", image, timeout=TRANSFER, stall=stall)


def load(stdin: int) -> None:
    """Take in the images of an archive that docker reads from an open file by itself."""
    run.run(settings.docker(), "image", "load", stdin=stdin, timeout=TRANSFER)


def tag(image: str, name: str) -> None:
    _ask("image", "tag", "--", image, name)


def remove_image(name: str) -> bool:
    """Remove an image or a name of it; False when something still needs it."""
    return run.succeeds(settings.docker(), "image", "rm", "--", name, timeout=QUICK * 4)


def prune_images(*filters: str) -> str:
    """Remove images without a name that no container needs; the space that this gave, `12.3MB`, if any.

    Left to the next time while docker is at it.
    """
    done = run.result(settings.docker(), "image", "prune", "--force", *_filters(filters), timeout=QUICK * 10)
    docker_complaints.verify(done, "prune")
    space = done.output.decode("utf-8", "replace").rpartition("reclaimed space: ")[2].strip()
    return "" if space == "0B" else space


def create_argv(
    name: str, image: str, command: Sequence[str], labels: Mapping[str, str], options: Sequence[str]
) -> list[str]:
    """The words that create a container; an empty name lets docker choose one."""
    named = [f"--name={name}"] if name else []
    return [
        settings.docker(),
        "container",
        "create",
        *named,
        *labels_argv(labels),
        *options,
        "--",
        image,
        *command,
    ]


def create(
    name: str,
    image: str,
    command: Sequence[str],
    labels: Mapping[str, str],
    options: Sequence[str],
    variables: Mapping[str, str] | None = None,
) -> str:
    """Create a container; return its id (64 hex digits). variables: the values of `--env=KEY` options.

    A signal waits: docker goes on without its client, and nobody would know of the container.
    """
    argv = create_argv(name, image, command, labels, options)
    created = ""
    try:
        filling = docker_relay.filling(variables) if variables else contextlib.nullcontext()
        with signals.deferred(), filling as env:
            created = run.capture(*argv, env=env, timeout=QUICK * 4).split()[-1]
    except BaseException:
        if created:
            with signals.deferred():
                remove(created)
        raise
    return created


def start(*ids: str) -> None:
    _ask("container", "start", *ids, timeout=QUICK * 4)


def stop(*ids: str, patience: int) -> None:
    """Stop containers: SIGTERM, and SIGKILL after patience (seconds). Those that are gone are stopped."""
    _ask_loosely("container", "stop", "-t", str(patience), *ids, timeout=patience + 10 + QUICK)


def never_restart(*ids: str) -> None:
    restart_by("no", *ids)


def restart_by(policy: str, *ids: str) -> None:
    """Give containers a restart policy: `no`, `always`, `on-failure:10`."""
    _ask_loosely("container", "update", f"--restart={policy}", *ids)


def remove(*ids: str, has_data: bool = True) -> None:
    """Remove containers, running or not. Those that are gone are removed.

    has_data: the volumes without a name, which docker made as their image says, may hold what people miss.
    Else they go, too.
    """
    flags = ["--force", *([] if has_data else ["--volumes"])]
    _ask_loosely("container", "rm", *flags, *ids, timeout=QUICK * 4)


def rename(container: str, name: str) -> None:
    _ask("container", "rename", container, name)


def copy_out(container: str, path: str, most: int = outputs.MOST) -> bytes | None:
    """A file or directory of a container as a tar archive of so many bytes; None when there is none.

    Raises: OutputTooLarge: docker sends a sparse file with all its zeros.
    """
    words = ["container", "cp", f"{container}:{path}", "-"]
    done = run.result(settings.docker(), *words, timeout=QUICK, most=most)
    if done.status:
        docker_complaints.verify_copy(done, container, lambda: bool(inspect(container)))
    return done.output if done.status == 0 else None


def logs_argv(container: str, lines: int, follow: bool, timestamps: bool) -> list[str]:
    flags = [*(["--follow"] if follow else []), *(["--timestamps"] if timestamps else [])]
    return [settings.docker(), "container", "logs", f"--tail={lines}", *flags, container]


def _inspect(kind: str, names: Sequence[str]) -> list[Json]:
    if not names:
        return []
    done = run.result(settings.docker(), kind, "inspect", "--format={{json .}}", "--", *names, timeout=QUICK)
    docker_complaints.verify(done, "inspect")
    return [json.loads(line) for line in done.output.decode("utf-8", "replace").split("\n") if line.strip()]


def _ask(*words: str, timeout: float = QUICK) -> str:
    done = run.result(settings.docker(), *words, timeout=timeout)
    if done.status:
        raise docker_complaints.failure(done, words[1])
    return done.output.decode("utf-8", "replace")


def _ask_loosely(*words: str, timeout: float = QUICK) -> None:
    docker_complaints.verify(run.result(settings.docker(), *words, timeout=timeout), words[1])


def _filters(filters: Sequence[str]) -> list[str]:
    return [f"--filter={text}" for text in filters]


def _quoted(value: str) -> str:
    """A value for a line of a Dockerfile."""
    return '"' + "".join(f"\\{letter}" if letter in '"\\$' else letter for letter in value) + '"'


def labels_argv(labels: Mapping[str, str]) -> list[str]:
    return [f"--label={key}={value}" for key, value in labels.items()]
