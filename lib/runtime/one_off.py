"""One-off containers: a command of its own in the app's image, beside the containers that serve.

Docker removes each when its program ends, whatever has become of us by then; `retire` ends those that outlive
their time. Source: dokku v0.24.0 plugins/scheduler-docker-local/scheduler-run; the rest of run:* is 0.38's.
"""

import contextlib
import json
import os
import re
import shlex
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from lib.app import apps, config, options, processes
from lib.base import log, procfs, signals, triggers, values
from lib.base.errors import DokkuError
from lib.build import images
from lib.runtime import commands_in_images, concurrency, containers, logs, release_images, schedulers
from lib.runtime.containers import Container
from lib.tools import docker, docker_attached

LONGEST = 10**9  # seconds
ABANDONED = 3600  # seconds after which a container that was never started has lost its maker
PATIENCE = 10  # seconds that a program has when its caller has gone

_CRON, _DETACH, _TTL = "DOKKU_CRON_ID", "DOKKU_DETACH_CONTAINER", "DOKKU_RUN_TTL_SECONDS"
_POLICY = "DOKKU_CONCURRENCY_POLICY"
_TERMINAL = "DOKKU_RUN_TTY"  # true or false; else it is one where we have one
_MARK, _DEADLINE = "com.dokku.container-type", "com.dokku.active-deadline-seconds"
_TERMINAL_OF = "com.dokku.terminal-of"  # PID:START of the process whose terminal the container has
_NAME = re.compile(r"(?P<app>.+)\.(?P<process>[^.]+)\.(?P<index>[0-9]{1,9})", re.ASCII)


class Running(NamedTuple):
    """A one-off container, in docker's words. created: its ISO time."""

    container: Container
    name: str
    state: str
    command: str
    created: str


def request(
    app: str,
    words: Sequence[str],
    env: Sequence[str] = (),
    detach: bool = False,
    cron_id: str = "",
    ttl: str = "",
    no_terminal: bool = False,
    terminal: bool = False,
    policy: str = "",
) -> None:
    """Have the app's scheduler run words in a container of their own. Fires: scheduler-run.

    env: KEY=VALUE each. ttl: seconds, empty for no end. policy: for when another of that cron_id runs.
    Raises: DokkuError for what makes no sense; without a word, and with its status, when the program failed.
    """
    apps.verify_app_name(app)
    if words[:1] == ["--no-tty"]:  # the GitHub client's place for it
        words, no_terminal = words[1:], True
    if no_terminal and terminal:
        raise DokkuError("Cannot specify both --force-tty and --no-tty")
    if ttl and not (values.is_number(ttl) and 0 < int(ttl) <= LONGEST):
        raise DokkuError("--ttl-seconds must be a positive integer")
    concurrency.verify(policy, cron_id)
    given = [word.removeprefix("=") for word in env]
    _variables(given)
    os.environ[_TERMINAL] = "true" if terminal else "false" if no_terminal else ""
    os.environ |= {_CRON: cron_id, _TTL: ttl, _POLICY: policy}
    if detach:
        os.environ[_DETACH] = "1"
    triggers.fire("scheduler-run", schedulers.selected(app), app, str(len(given)), *given, *words)


def run(scheduler: str, app: str, count: str = "0", *words: str) -> None:
    """Run a command in a container of its own, with our streams or (detached) without; as scheduler-run.

    count: how many of the words are KEY=VALUE. Fires: docker-args-run, docker-args-process-run,
    post-container-create, scheduler-post-run. Raises: DokkuError without a word for a status that is not 0;
    when another of its id runs and must not have company, with a word unless cron would mail it.
    """
    if not schedulers.is_docker_local(scheduler):
        return
    given, command = _variables(words[: int(count)]), words[int(count) :]
    id_ = os.environ.get(_CRON, "")
    with concurrency.turn(app, id_, os.environ.get(_POLICY, "")) as is_ours:
        if is_ours:
            _start(scheduler, app, given, command)
        elif not log.is_mail():
            raise DokkuError(f"Cron task {id_} of {app} is running, and its concurrency policy is forbid")


def show(app: str, shape: str) -> None:
    """Print the app's one-off containers as a table, or as an array of objects."""
    apps.verify_app_name(app)
    if shape not in ("stdout", "json"):
        raise DokkuError("Invalid output format specified, supported formats: json, stdout")
    found = running(app)
    if shape == "json":
        names = ("name", "state", "command", "created_at")
        log.plain(json.dumps([dict(zip(names, one[1:], strict=True)) for one in found], ensure_ascii=False))
        return
    log.info2_quiet(f"{app} run containers")
    rows = [(one.name, values.printable(one.command), one.created) for one in found]
    log.columns([("NAMES", "COMMAND", "CREATED"), *rows])


def show_logs(app: str, name: str, follow: bool, plain: bool, lines: str) -> None:
    """Print the output of the app's one-off containers, or of the one of that name."""
    count = logs.verify_count(lines)
    logs.show_all([one.container for one in _chosen(app, name)], follow, plain, count)


def stop(app: str, name: str) -> None:
    """End the app's one-off containers, or the one of that name."""
    found = _chosen(app, name)
    for one in found:
        log.info1_quiet(f"Stopping {one.name}")
    if found:
        docker.stop(
            *(one.container.id for one in found), patience=schedulers.stop_timeout(found[0].container.app)
        )


def request_retirement(app: str) -> None:
    """End what is over its time, of one app or of all."""
    retire(schedulers.DOCKER_LOCAL, apps.verify_app_name(app) if app else "")


def retire(scheduler: str, app: str = "", *_: str) -> None:
    """End what is over its time or has lost its terminal, as nobody else would; as scheduler-retire."""
    if not schedulers.is_docker_local(scheduler):
        return
    mine = [f"label=com.dokku.app-name={app}"] if app else []
    for known in docker.inspect(*docker.containers(f"label={_MARK}=run", *mine)):
        owner = known["Config"]["Labels"].get("com.dokku.app-name", "")
        if not apps.exists(owner):
            continue
        if known["State"]["Running"] and _has_lost_terminal(known):
            docker.stop(known["Id"], patience=PATIENCE)
        elif known["State"]["Running"] and _is_over(known):
            docker.stop(known["Id"], patience=schedulers.stop_timeout(owner))
        elif known["State"]["Status"] == "created" and _age(known["Created"]) > ABANDONED:
            docker.remove(known["Id"])


def running(app: str) -> list[Running]:
    """The app's one-off containers, oldest first."""
    ids = docker.containers(f"label=com.dokku.app-name={app}", f"label={_MARK}=run")
    found = []
    for known in docker.inspect(*ids):
        name = known["Name"].removeprefix("/")
        index = name.rpartition(".")[2]
        container = Container(app, "run", int(index) if values.is_number(index) else 0, known["Id"])
        words = [*(known["Config"].get("Entrypoint") or []), *(known["Config"].get("Cmd") or [])]
        found.append(Running(container, name, known["State"]["Status"], shlex.join(words), known["Created"]))
    return sorted(found, key=lambda one: one.created)


def has_terminal() -> bool:
    """Whether somebody sits at both ends: with one end in a pipe or a file, every byte counts."""
    return os.isatty(0) and os.isatty(1)


def _chosen(app: str, name: str) -> list[Running]:
    """Those of the app, or the one of a name. Raises: DokkuError for a name that is none of a one-off."""
    if not app and not name:
        raise DokkuError("No container or app specified")
    if not name:
        return running(apps.verify_app_name(app))
    parts = _NAME.fullmatch(name)
    if parts is None or app not in ("", parts["app"]):
        raise DokkuError(f"Invalid container name specified: {values.printable(name)}")
    if parts["process"] != "run":
        raise DokkuError("Specified container must be a run container")
    found = [one for one in running(apps.verify_app_name(parts["app"])) if one.name == name]
    if not found:
        raise DokkuError(f"No run container {name}")
    return found


def _variables(given: Sequence[str]) -> dict[str, str]:
    """Raises: DokkuError for what is no KEY=VALUE. The text may hold a secret and is not shown."""
    pairs = [word.partition("=") for word in given]
    for key, equals, _ in pairs:
        if not equals or not values.is_config_key(key):
            raise DokkuError("Expected KEY=VALUE as the argument of --env")
    return {key: value for key, _, value in pairs}


def _command(app: str, image: images.Image, words: Sequence[str]) -> list[str]:
    if not words:
        return commands_in_images.as_words(image, commands_in_images.looking_around(app))
    line = processes.command(app, words[0])
    if not line:
        return commands_in_images.as_words(image, words)
    log.info1_quiet(f"Found '{words[0]}' in Procfile, running that command")
    return commands_in_images.as_process(image, words[0], line, words[1:])


def _start(scheduler: str, app: str, given: Mapping[str, str], command: Sequence[str]) -> None:
    """given: variables that count for this container only."""
    image = release_images.verify(app)
    detached = bool(os.environ.get(_DETACH))
    made = _create(app, image, _command(app, image, command), given, detached)
    with _removed_on_failure(made):
        triggers.fire("post-container-create", "app", made.id, app, "run")
        if detached:
            docker.start(made.id)
        else:
            ended = _attend(made)
    if detached:
        by_flag = os.environ.get("DOKKU_COMMAND") == "run"  # of 0.24; run:detached is later
        log.plain(made.id if by_flag else _name(made))
        return
    triggers.fire("scheduler-post-run", scheduler, app, made.id, str(ended))
    if ended:
        raise DokkuError("", exit_code=ended)


def _create(
    app: str, image: images.Image, command: Sequence[str], given: Mapping[str, str], detached: bool
) -> Container:
    """given: variables that count for this container only."""
    index = int.from_bytes(os.urandom(4), "big") % 10**9
    terminal = not detached and (os.environ.get(_TERMINAL) or str(has_terminal()).lower()) == "true"
    flags = [*_options(app, image, index, terminal, detached), *(f"--env={key}" for key in given)]
    flags.append("--pull=never")
    labels = _labels(app, index, terminal)
    variables = {**config.merged(app), **given}
    id_ = docker.create(f"{app}.run.{index}", image.name, command, labels, flags, variables)
    signals.failpoint("created")
    return Container(app, "run", index, id_)


def _options(app: str, image: images.Image, index: int, terminal: bool, detached: bool) -> list[str]:
    args = triggers.ask("docker-args-run", app, "latest")
    late = triggers.ask("docker-args-process-run", app, image.kind, "latest")
    return [
        "--init",  # else Ctrl-C means nothing to the program: it would be the container's process 1
        *options.words(args),
        f"--env=DYNO=run.{index}",
        *options.words(late),
        "--rm",
        *([] if detached else ["--interactive"]),
        *(["--tty"] if terminal else []),
    ]


def _labels(app: str, index: int, terminal: bool) -> dict[str, str]:
    """The labels that make it ours, before them those of `dokku --label=KEY=VALUE run`."""
    flags = os.environ.get("DOKKU_GLOBAL_FLAGS", "").split()
    asked = [flag.removeprefix("--label=") for flag in flags if flag.startswith("--label=")]
    cron, limit = os.environ.get(_CRON, ""), os.environ.get(_TTL, "")
    return {
        **{key: value for key, _, value in (label.partition("=") for label in asked) if key},
        **containers.labels(app, "run", index),
        _MARK: "run",
        "com.dokku.cron-id": cron,  # empty, too: an image brings labels of its author's
        _DEADLINE: limit,
        _TERMINAL_OF: f"{os.getpid()}:{procfs.started(os.getpid())}" if terminal else "",
    }


def _attend(container: Container) -> int:
    """Start a container and wait for its end; the status of its program."""
    with _limited(container, int(os.environ.get(_TTL) or 0)):
        ended = docker_attached.start(container.id)
    if ended:  # docker's client gives up when nobody reads, and the program would run on
        docker.stop(container.id, patience=PATIENCE)
    return ended if 0 <= ended < 256 else 128 + abs(ended)


@contextlib.contextmanager
def _limited(container: Container, seconds: int) -> Iterator[None]:
    """End a container that runs longer. seconds: 0 for no limit."""
    if not seconds:
        yield
        return
    timer = threading.Timer(seconds, _end, (container, seconds))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(container: Container, seconds: int) -> None:
    log.warn(f"Stopping {_name(container)} after {seconds} seconds")
    docker.stop(container.id, patience=schedulers.stop_timeout(container.app))


@contextlib.contextmanager
def _removed_on_failure(container: Container) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with signals.deferred():
            docker.stop(container.id, patience=PATIENCE)
            docker.remove(container.id)
        raise


def _name(container: Container) -> str:
    return f"{container.app}.run.{container.index}"


def _is_over(known: docker.Json) -> bool:
    limit = known["Config"]["Labels"].get(_DEADLINE, "")
    return values.is_number(limit) and _age(known["State"]["StartedAt"]) >= int(limit)


def _has_lost_terminal(known: docker.Json) -> bool:
    pid, _, start = known["Config"]["Labels"].get(_TERMINAL_OF, "").partition(":")
    return bool(values.is_number(pid) and procfs.started(int(pid)) != start)


def _age(moment: str) -> float:
    """Seconds since docker's ISO time."""
    import datetime

    then = datetime.datetime.fromisoformat(moment)
    return (datetime.datetime.now(datetime.UTC) - then).total_seconds()
