"""`status`: which apps run, where they answer, when they were deployed and what is wrong with them."""

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from lib.app import apps, certs, network_settings, process_settings, processes
from lib.base import ages, locks, log, tee
from lib.base.errors import DokkuError
from lib.proxy import urls
from lib.runtime import containers, last_deploys, lifecycle, logs, release_records, schedulers
from lib.runtime.containers import Container, State
from lib.runtime.last_deploys import Deploy

RUNNING, DEGRADED, DOWN, CRASHING = "running", "degraded", "down", "crash loop"
STOPPED, DEPLOYING, NEW = "stopped", "deploying", "not deployed"

_CLEARED = b"\x1b[H\x1b[2J"
PAUSE = 2  # seconds between two screens of --watch

_HEADINGS = ("APP", "STATE", "UP", "RESTARTS", "LAST DEPLOY", "CERT", "URL")


class Process(NamedTuple):
    """A container that serves. state: docker's word, `crash loop` or `missing`. started: an ISO time."""

    name: str
    state: str
    restarts: int
    started: str


class Status(NamedTuple):
    """wanted: containers by the scale; -1 where another scheduler does not say. certificate_days: left."""

    app: str
    state: str
    running: int
    wanted: int
    restarts: int
    url: str
    deploy: Deploy | None
    certificate_days: int | None
    processes: Sequence[Process]


def show(app: str, shape: str) -> None:
    """Print the status of one app, or of all in a table. shape: stdout or json (always an array)."""
    if shape not in ("stdout", "json"):
        raise DokkuError(f"Invalid output format specified, supported formats: json, stdout: {shape}")
    found = gather([apps.verify_app_name(app)] if app else apps.names())
    if shape == "json":
        import json

        log.plain(json.dumps([_as_json(status) for status in found], ensure_ascii=False))
    elif app:
        _print_one(found[0])
    elif found:
        log.columns([_HEADINGS, *map(_cells, found)])
    else:
        log.warn(apps.NONE_YET)


def watch(app: str, shape: str) -> None:
    """Show the status every 2 seconds, at a terminal on a cleared screen, until Ctrl-C or nobody reads it."""
    with tee.watched(1) as is_read:
        while is_read():
            with log.collected() as said:
                show(app, shape)
            if os.isatty(1):
                log.raw(_CLEARED)
            for stream, data in said:
                log.raw(data, stream)
            time.sleep(PAUSE)


def gather(names: Sequence[str]) -> list[Status]:
    """The status of each app; docker is asked once for all of them."""
    serving = {app: containers.registered(app) for app in names}
    alive = containers.states(one for found in serving.values() for one in found)
    return [_status(app, serving[app], alive) for app in names]


def _status(app: str, serving: Sequence[Container], alive: dict[str, State]) -> Status:
    up = sum(one.id in alive and alive[one.id].running and not alive[one.id].crashing for one in serving)
    wanted = sum(count for _, count in processes.wanted(app))
    if not schedulers.is_docker_local(schedulers.selected(app)):
        wanted, word = lifecycle.status(app)
        up = wanted if word == "true" else 0
    is_crashing = any(one.id in alive and alive[one.id].crashing for one in serving)
    certificate = certs.details(app)
    return Status(
        app=app,
        state=_state(app, up, wanted, is_crashing),
        running=up,
        wanted=wanted,
        restarts=sum(alive[one.id].restarts for one in serving if one.id in alive),
        url=urls.preferred(app) if up or network_settings.listeners(app) else "",
        deploy=last_deploys.of(app),
        certificate_days=int(certificate.seconds_left // 86400) if certificate else None,
        processes=[_process(one, alive.get(one.id)) for one in serving],
    )


def _state(app: str, up: int, wanted: int, is_crashing: bool) -> str:
    if locks.is_running(app):
        return DEPLOYING
    if not apps.is_deployed(app):
        return NEW
    if is_crashing:
        return CRASHING
    if up >= wanted > 0:
        return RUNNING
    if up:
        return DEGRADED
    return STOPPED if wanted == 0 or not process_settings.is_restored(app) else DOWN


def _process(container: Container, state: State | None) -> Process:
    if state is None:
        return Process(logs.name(container), "missing", 0, "")
    word = CRASHING if state.crashing else state.status
    return Process(logs.name(container), word, state.restarts, state.started_at)


def _as_json(status: Status) -> dict[str, object]:
    deploy = status.deploy
    return {
        **status._asdict(),
        "deploy": {**deploy._asdict(), "ended": _iso(deploy.ended)} if deploy else None,
        "processes": [process._asdict() for process in status.processes],
    }


def _cells(status: Status) -> tuple[str, ...]:
    days = status.certificate_days
    return (
        status.app,
        status.state,
        f"{status.running}/{status.wanted}",
        str(status.restarts),
        _said(status.deploy),
        "-" if days is None else f"{days}d",
        status.url or "-",
    )


def _print_one(status: Status) -> None:
    days = status.certificate_days
    log.info2_quiet(f"{status.app} status")
    rows = [
        ("State:", status.state),
        ("URL:", status.url or "-"),
        ("Last deploy:", f"{_said(status.deploy)}{_by(status.deploy)}"),
        ("Certificate:", "none" if days is None else f"{days} days left"),
    ]
    for process in status.processes:
        rows.append((f"{process.name}:", _course(process)))
    log.columns(rows, indent="       ")


def _course(process: Process) -> str:
    if not process.started:
        return process.state
    import datetime

    started = datetime.datetime.fromisoformat(process.started).timestamp()
    times = "once" if process.restarts == 1 else f"{process.restarts} times"
    restarted = f", restarted {times}" if process.restarts else ""
    return f"{process.state}, started {ages.ago(time.time() - started)}{restarted}"


def _said(deploy: Deploy | None) -> str:
    if deploy is None:
        return "never"
    words = deploy.release if deploy.outcome == release_records.SUCCEEDED else deploy.outcome
    return f"{words} {ages.ago(time.time() - deploy.ended)}"


def _by(deploy: Deploy | None) -> str:
    return f" by {deploy.user}" if deploy and deploy.user else ""


def _iso(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
