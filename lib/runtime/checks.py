"""Checks: whether a new container is fit to serve.

web answers the requests of the image's CHECKS file. Everything else, and web without one, must run for some
seconds without a restart; they count from the container's start, so containers started together wait once.
Source: dokku v0.24.0 plugins/scheduler-docker-local/check-deploy and plugins/checks.
"""

import math
import time
from collections.abc import Sequence

from lib.app import apps, certs, check_settings, config, processes
from lib.base import log, retry, triggers, values
from lib.base.errors import DokkuError
from lib.build import images
from lib.runtime import check_files, containers, logs, schedulers
from lib.runtime.containers import Container

SHOWN = 100  # lines of a failed container's output

is_disabled = check_settings.is_disabled
is_skipped = check_settings.is_skipped


class Failed(DokkuError):
    """A container did not become ready; what it said has been shown."""


def wait_until_ready(container: Container) -> None:
    """Return when a new container may serve. Fires: check-deploy, unless checks are disabled for its type.

    Raises: Failed; whatever else a plugin that guards deploys raises.
    """
    app, process, index, id_, ip, port = container
    if is_disabled(app, process):
        return
    log.info1(f"Attempting pre-flight checks ({process}.{index})")
    triggers.fire("check-deploy", app, id_, process, port, ip)


def check(app: str, id_: str, process: str, port: str, ip: str, *_: str) -> None:
    """Our answer to check-deploy, for the docker-local scheduler. Raises: Failed."""
    if not schedulers.is_docker_local(schedulers.selected(app)):
        return
    if is_skipped(app, process):
        log.info2_quiet(f"Zero downtime checks for app ({app}) have been skipped. moving on...")
        return
    container = Container(app, process, 0, id_, ip, port)
    try:
        plan = _plan(container)
        if plan.checks:
            _ask_all(container, plan)
        else:
            _stay_up(container)
    except Failed:
        show_output(container)
        raise


def run(app: str, words: Sequence[str]) -> None:
    """Check the serving containers: all, or those of the types (`web`) and containers (`web.1`) named.

    Raises: DokkuError for a name the app does not have; Failed.
    """
    serving = containers.registered(app)
    if not serving and not apps.is_deployed(app):
        raise DokkuError(f"App {app} has not been deployed")
    log.info1("Running pre-flight checks")
    named = [name for word in words for name in word.split(",") if name]
    wanted = [_named(app, name, serving) for name in named] if named else [serving]
    alive = containers.states(serving)
    for process in dict.fromkeys(container.process for chosen in wanted for container in chosen):
        if is_disabled(app, process):
            log.info1(f"Zero downtime is disabled for app ({app}.{process}). Skipping checks")
    for container in dict.fromkeys(container for chosen in wanted for container in chosen):
        if is_disabled(app, container.process):
            continue
        _, process, index, id_, ip, port = container
        ip = alive[id_].ip if id_ in alive else ip
        log.info1(f"Running checks for app ({app}.{process}.{index})")
        triggers.fire("check-deploy", app, id_, process, port, ip)


def show_output(container: Container) -> None:
    """Print the last lines a container wrote, between Dokku's marker lines."""
    title = f"{container.app} {container.process} container output"
    log.info2_quiet(f"{title}:")
    for line in logs.last_lines(container.id, SHOWN):
        log.verbose_quiet(line)
    log.info2_quiet(f"end {title}")


def _named(app: str, name: str, serving: Sequence[Container]) -> list[Container]:
    process, has_index, index = name.partition(".")
    known = {*processes.counts(app), *(container.process for container in serving)}
    if process not in known:
        raise DokkuError(f"Invalid process type specified ({app}.{values.printable(process)})")
    found = [one for one in serving if one.process == process and index in ("", str(one.index))]
    if has_index and not (index and found):
        raise DokkuError(f"Invalid container index specified ({app}.{values.printable(name)})")
    return found


def _plan(container: Container) -> check_files.Plan:
    """What the image's CHECKS file asks of a web container; a plan without checks where there is none."""
    numbers = [check_settings.number(container.app, key) for key in ("wait", "timeout", "attempts")]
    text = ""
    if container.process == "web":
        state = containers.states([container]).get(container.id)
        image = images.find(state.image) if state else None
        text = images.read_files(container.app, image).get("CHECKS", "") if image else ""
    return check_files.parse(text, config.merged(container.app) if text else {}, *numbers)


def _stay_up(container: Container) -> None:
    wait = check_settings.number(container.app, "default-wait")
    state = containers.states([container]).get(container.id)
    left = min(wait, _epoch(state.started_at) + wait - time.time()) if state else 0
    if left > 0:
        log.verbose(f"Waiting for {math.ceil(left)} seconds ...")
    if retry.until(lambda: _has_crashed(container, wait), timeout=max(0, left), every=1):
        raise Failed("App container failed to start!!")
    log.verbose("Default container check successful!")


def _has_crashed(container: Container, wait: int = 0) -> bool:
    """Whether it is down, or up again after a crash for less than the time it has to stay up."""
    state = containers.states([container]).get(container.id)
    if state is None or not state.running:
        return True
    return state.restarts > 0 and time.time() - _epoch(state.started_at) < wait + 1


def _ask_all(container: Container, plan: check_files.Plan) -> None:
    failures = sum(not _passes(container, plan, check) for check in plan.checks)
    if failures:
        raise Failed(f"Could not start due to {failures} failed checks.")
    log.verbose("All checks successful!")


def _passes(container: Container, plan: check_files.Plan, check: check_files.Check) -> bool:
    log.verbose("CHECKS expected result:")
    log.verbose(f'{check.url} => "{check.expected}"')
    secure = certs.exists(container.app)
    for attempt in range(1, plan.attempts + 1):
        log.verbose(f"Attempt {attempt}/{plan.attempts}. Waiting for {plan.wait} seconds ...")
        if retry.until(lambda: _has_crashed(container), timeout=plan.wait, every=1):
            raise Failed("App container failed to start!!")
        try:
            check_files.ask(check, container.ip, container.port, plan.timeout, secure)
        except check_files.Refused as refusal:
            log.warn(refusal.text)
            log.warn(f"Check attempt {attempt}/{plan.attempts} failed.")
        else:
            return True
    return False


def _epoch(moment: str) -> float:
    """Seconds since 1970 of docker's ISO time."""
    from datetime import datetime

    return datetime.fromisoformat(moment).timestamp()
