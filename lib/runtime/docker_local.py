"""What the docker-local scheduler answers when somebody asks for a scheduler: status, stop, inspect, retire.

Source: dokku v0.24.0 plugins/scheduler-docker-local.
"""

import json
from collections.abc import Iterable, Sequence

from lib.app import apps, process_settings, processes, reports
from lib.base import log
from lib.base.errors import DokkuError
from lib.base.report import Row
from lib.runtime import containers, lifecycle, logs, retirement, schedulers
from lib.runtime.containers import Container, State
from lib.tools import docker

_SHOWN = ("CACHE_PATH=", "DOCKER_", "DOKKU_", "DYNO=", "PATH=", "PORT=", "USER=")
_ID = 11  # digits of a container's id that ps:report shows


def status(scheduler: str, app: str, *_: str) -> str:
    """`COUNT true|false|mixed`; nothing for another scheduler's app."""
    if not schedulers.is_docker_local(scheduler):
        return ""
    serving = containers.registered(app)
    return f"{len(serving)} {_running(serving, containers.states(serving))}"


def verify_deployed(scheduler: str, app: str, *_: str) -> None:
    """Raises: DokkuError without a word when the app has no containers."""
    if schedulers.is_docker_local(scheduler) and not containers.registered(app):
        raise DokkuError("")


def stop(scheduler: str, app: str, remove: str = "false", *_: str) -> None:
    """Stop every container of the app, replaced ones too; with remove=true they go."""
    if not schedulers.is_docker_local(scheduler):
        return
    serving = containers.registered(app)
    known = {container.id for container in serving}
    older = [Container(app, "", 0, id_) for id_ in retirement.ids(app) if id_ not in known]
    containers.stop([*serving, *older], schedulers.stop_timeout(app))
    if remove == "true":
        containers.remove_all(app)


def inspect(scheduler: str, app: str, *_: str) -> None:
    """Print what docker knows of the app's containers as JSON, values of its config hidden."""
    if not schedulers.is_docker_local(scheduler):
        return
    known = docker.inspect(*(container.id for container in containers.registered(app)))
    for container in known:
        settings = container.get("Config") or {}
        settings["Env"] = [_masked(entry) for entry in settings.get("Env") or []]
    log.plain(json.dumps(known, indent=4, sort_keys=True, ensure_ascii=False))


def show_logs(
    scheduler: str,
    app: str,
    process: str = "",
    follow: str = "",
    plain: str = "",
    lines: str = "100",
    *_: str,
) -> None:
    """Print the output of the app's containers."""
    if schedulers.is_docker_local(scheduler):
        logs.show(app, process, follow == "true", plain == "true", int(lines or 100))


def show_failed_logs(scheduler: str, app: str, *_: str) -> None:
    if schedulers.is_docker_local(scheduler):
        logs.show_failed(app)


def retire(scheduler: str, app: str = "", *_: str) -> None:
    """Stop and remove what is due, app by app, each with its own patience; one failure stops no other.

    Raises: DokkuError naming the apps that failed.
    """
    if not schedulers.is_docker_local(scheduler):
        return
    waiting = {entry.app for entry in retirement.entries() if app in ("", entry.app)}
    failed = []
    for name in sorted(waiting):
        try:
            retirement.work_off(name, schedulers.stop_timeout(name))
        except DokkuError as error:
            log.warn(f"Unable to retire containers of {name}: {error.text or f'status {error.exit_code}'}")
            failed.append(name)
    if failed:
        raise DokkuError(f"Unable to retire containers of {', '.join(failed)}")


def report(words: Sequence[str] | None, shape: str) -> None:
    """Print ps:report on one app or on all; docker is asked once for all of them."""
    names = [app for app in reports.asked(words).apps or apps.names() if apps.exists(app)]
    serving = {app: containers.registered(app) for app in names}
    alive = containers.states(one for found in serving.values() for one in found)
    general = process_settings.general_rows
    reports.show(
        words,
        shape,
        "ps information",
        "ps-",
        lambda app: rows(app, serving.get(app, []), alive),
        general=general,
    )


def rows(app: str, serving: Sequence[Container], alive: dict[str, State]) -> list[Row]:
    """What ps:report knows of an app."""
    if schedulers.is_docker_local(schedulers.selected(app)):
        count, running = len(serving), _running(serving, alive)
    else:
        count, running = lifecycle.status(app)
    return [
        Row("--deployed", str(apps.is_deployed(app)).lower()),
        Row("--processes", str(count)),
        Row("--ps-can-scale", str(processes.is_scalable(app)).lower()),
        *process_settings.rows(app),
        Row("--restore", str(process_settings.is_restored(app)).lower()),
        Row("--running", running),
        *(Row(f"--status-{logs.name(one)}", _status(one, alive)) for one in serving),
    ]


def _status(container: Container, alive: dict[str, State]) -> str:
    word = alive[container.id].status if container.id in alive else "missing"
    return f"{word} (CID: {container.id[:_ID]})"


def _running(serving: Iterable[Container], alive: dict[str, State]) -> str:
    found = {one.id in alive and alive[one.id].running and not alive[one.id].crashing for one in serving}
    return "mixed" if len(found) == 2 else str(found == {True}).lower()


def _masked(entry: str) -> str:
    return entry if entry.startswith(_SHOWN) else f"{entry.partition('=')[0]}=XXXXXX"
