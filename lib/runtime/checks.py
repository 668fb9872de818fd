"""Checks: whether a new container is fit to serve.

A type passes the healthchecks of its app.json, those of startup first and then those of readiness; liveness
is asked by `checks:run` only, as nobody watches. Without any, web answers the requests of the image's CHECKS
file. Everything else must run for some seconds without a restart; one of web that does not listen is told.
Source: dokku v0.24.0 plugins/scheduler-docker-local/check-deploy and plugins/checks; 0.38's healthchecks.
"""

import contextlib
from collections.abc import Iterator, Sequence

from lib.app import app_json, apps, certs, check_settings, config, processes
from lib.app.app_json import Healthcheck
from lib.base import log, triggers, values
from lib.base.errors import DokkuError
from lib.build import images
from lib.runtime import check_files, containers, healthchecks, logs, schedulers, uptime
from lib.runtime.containers import Container

SHOWN = 100  # lines of a failed container's output
AT_A_TIME = 16  # containers that are asked side by side
STARTUP, READINESS, LIVENESS = "startup", "readiness", "liveness"

Failed = uptime.Failed
is_disabled = check_settings.is_disabled
is_skipped = check_settings.is_skipped


def wait_until_all_ready(started: Sequence[Container]) -> None:
    """Return when all of some new containers may serve.

    Several are asked side by side, and each one's lines come together when it is done. When one fails, the
    others are given up. Raises: as wait_until_ready.
    """
    asked = [container for container in started if not is_disabled(container.app, container.process)]
    if len(asked) < 2:
        for container in asked:
            wait_until_ready(container)
        return
    from concurrent.futures import ThreadPoolExecutor, as_completed  # 17 ms

    log.verbose(f"Waiting for {', '.join(map(logs.name, asked))} to be ready ...")
    with ThreadPoolExecutor(max_workers=min(AT_A_TIME, len(asked))) as pool:
        try:
            runs = [pool.submit(_collected, container) for container in asked]
            failures = [failure for done in as_completed(runs) for failure in _told(done.result(), asked)]
        except BaseException:
            uptime.give_up(container.id for container in asked)
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    if failures:
        raise failures[0]


def wait_until_ready(container: Container) -> None:
    """Return when a new container may serve. Fires: check-deploy, unless checks are disabled for its type.

    Raises: Failed; whatever else a plugin that guards deploys raises.
    """
    app, process, index, id_, ip, port = container
    if is_disabled(app, process):
        return
    log.info1(f"Attempting pre-flight checks ({process}.{index})")
    for unwatched in _healthchecks(container, LIVENESS):
        title = healthchecks.name(container, unwatched)
        log.verbose(f"Healthcheck name='{title}' type='liveness' is not watched, checks:run asks it")
    triggers.fire("check-deploy", app, id_, process, port, ip, str(index))


def check(app: str, id_: str, process: str, port: str, ip: str, index: str = "1", *_: str) -> None:
    """Our answer to check-deploy, for the docker-local scheduler. Raises: Failed."""
    if not schedulers.is_docker_local(schedulers.selected(app)):
        return
    if is_skipped(app, process):
        log.info2_quiet(f"Zero downtime checks for app ({app}) have been skipped. moving on...")
        return
    container = Container(app, process, int(index) if values.is_number(index) else 1, id_, ip, port)
    with _explained(container):
        wanted = _healthchecks(container, STARTUP, READINESS)
        text = _checks_file(container)
        plan = _plan(container, "" if wanted else text)
        if wanted:
            if text.strip():
                log.verbose(f"app.json has healthchecks for {process}, CHECKS is not used")
            _pass_all(container, wanted)
        elif plan.checks:
            _ask_all(container, plan)
        else:
            wait = check_settings.number(app, "default-wait")
            uptime.stay(container, wait)
            if process == "web" and wait > 0:
                healthchecks.warn_if_deaf(container)
            log.verbose("Default container check successful!")


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
        triggers.fire("check-deploy", app, id_, process, port, ip, str(index))
        lively = _healthchecks(container, LIVENESS)
        if lively and not is_skipped(app, process):
            with _explained(container):
                _pass_all(container._replace(ip=ip), lively)


def run_if_deployed(app: str) -> None:
    """Check all of the app's serving containers; an app without any gets a warning. Raises: Failed."""
    if apps.is_deployed(app):
        run(app, [])
    else:
        log.warn(f"App {app} has not been deployed")


def show_output(container: Container) -> None:
    """Print the last lines a container wrote, between Dokku's marker lines."""
    title = f"{container.app} {container.process} container output"
    log.info2_quiet(f"{title}:")
    for line in [] if log.is_quiet() else logs.last_lines(container.id, SHOWN):
        log.output(line)
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


def _checks_file(container: Container) -> str:
    """The CHECKS file of a web container's image; empty where there is none."""
    if container.process != "web":
        return ""
    state = containers.states([container]).get(container.id)
    image = images.find(state.image) if state else None
    return images.read_files(container.app, image).get("CHECKS", "") if image else ""


def _plan(container: Container, text: str) -> check_files.Plan:
    """What a CHECKS file asks of a container; a plan without checks for an empty one.

    Raises: Failed, when it can't be understood.
    """
    numbers = [check_settings.number(container.app, key) for key in ("wait", "timeout", "attempts")]
    try:
        plan = check_files.parse(text, config.merged(container.app) if text else {}, *numbers)
    except DokkuError as error:
        raise Failed(error.text) from error
    for note in plan.notes:
        log.warn(note)
    return plan


def _healthchecks(container: Container, *types: str) -> list[Healthcheck]:
    """The healthchecks of some types that app.json has for a container, type by type."""
    known = app_json.healthchecks(container.app, container.process)
    return [one for type_ in types for one in known if one.type == type_]


@contextlib.contextmanager
def _explained(container: Container) -> Iterator[None]:
    """When the block fails, what the container has said is shown first."""
    try:
        yield
    except uptime.GivenUp:
        raise
    except Failed:
        show_output(container)
        raise


def _collected(container: Container) -> tuple[list[tuple[int, bytes]], DokkuError | None]:
    """What is said while one waits for a container, and why it can't serve."""
    with log.collected() as said:
        try:
            wait_until_ready(container)
        except DokkuError as failure:
            return said, failure
    return said, None


def _told(
    outcome: tuple[list[tuple[int, bytes]], DokkuError | None], asked: Sequence[Container]
) -> list[DokkuError]:
    """Say what was said; the failure, if there is one: the others are given up then."""
    said, failure = outcome
    if isinstance(failure, uptime.GivenUp):
        return []
    for stream, data in said:
        log.raw(data, stream)
    if failure is None:
        return []
    uptime.give_up(container.id for container in asked)
    return [failure]


def _pass_all(container: Container, wanted: Sequence[Healthcheck]) -> None:
    failures = healthchecks.failures(container, wanted)
    if failures:
        raise Failed(f"Could not start due to {failures} failed checks ({logs.name(container)})")
    log.verbose(f"All checks successful ({logs.name(container)})")


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
        uptime.pause(container, plan.wait)
        try:
            check_files.ask(check, container.ip, container.port, plan.timeout, secure)
        except check_files.Refused as refusal:
            log.warn(refusal.text)
            log.warn(f"Check attempt {attempt}/{plan.attempts} failed.")
        else:
            return True
    return False
