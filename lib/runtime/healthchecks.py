"""Healthchecks of an app.json: is a container fit, asked in one of four ways, as often as it says.

A path is requested, a command is run inside, a port is connected to, or the container has to stay up.
Source of the lines: dokku 0.38, docker-container-healthchecker. Unlike there, what is to happen on a failure
happens in the container: a source does not run commands on the host.
"""

import shlex
from collections.abc import Sequence

from lib.app import certs, domains, ports
from lib.app.app_json import Healthcheck
from lib.base import log, values
from lib.base.errors import DokkuError, OutputTooLarge
from lib.build import images
from lib.runtime import check_files, commands_in_images, containers, uptime, webhooks
from lib.runtime.containers import Container
from lib.tools import docker_exec

SHOWN = 20  # lines of what a command said
LONGEST = 2000  # characters of such a line
PATIENCE = 10  # seconds for what is to happen on a failure
GLANCE = 1  # seconds for a port that only a warning depends on


def failures(container: Container, wanted: Sequence[Healthcheck]) -> int:
    """How many checks a container does not pass, each told; those that only warn are not counted.

    Raises: uptime.Failed when the container goes down meanwhile.
    """
    return sum(not _passes(container, one) and not one.only_warns for one in wanted)


def name(container: Container, wanted: Healthcheck) -> str:
    """What a check is called; one without a name, by what it asks for."""
    if wanted.name:
        return values.printable(wanted.name)
    if wanted.command:
        return f"command {values.printable(shlex.join(wanted.command))}"
    if wanted.is_listening:
        return f"listening on {_port(container, wanted)}"
    return f"path {wanted.path}" if wanted.path else f"uptime of {wanted.uptime} seconds"


def warn_if_deaf(container: Container) -> None:
    """Tell when nobody listens where the proxy will send visitors; once, and it fails nothing."""
    chosen = sorted({entry.container for entry in ports.stored(container.app)})
    for port in chosen or [int(container.port or 5000)]:
        problem = _refusal(container.ip, port, GLANCE) if container.ip else ""
        if problem:
            log.warn(f"Nothing listens on port {port} of {container.process}.{container.index}: {problem}")
            log.verbose("Visitors get an error until it listens there, at 0.0.0.0 and not at localhost only")
            return


def _passes(container: Container, wanted: Healthcheck) -> bool:
    title = name(container, wanted)
    is_once = not (wanted.command or wanted.is_listening or wanted.path)
    attempts = 1 if is_once else wanted.attempts
    numbers = f"attempts={attempts} delay={wanted.initial_delay} timeout={wanted.timeout} wait={wanted.wait}"
    log.verbose(f"Running healthcheck name='{title}' type='{wanted.type}' {numbers}")
    problem = ""
    for attempt in range(1, attempts + 1):
        rest = uptime.remaining(container, wanted.initial_delay) if attempt == 1 else wanted.wait
        if rest > 0:
            log.verbose(f"Waiting for {rest:.0f} seconds ...")
        uptime.pause(container, rest)
        problem = _problem(container, wanted)
        if not problem:
            log.verbose(f"Healthcheck succeeded name='{title}'")
            return True
        log.warn(f"Attempt {attempt}/{attempts} of name='{title}': {problem}")
    log.warn(f"{'Warning' if wanted.only_warns else 'Failure'} in name='{title}': {problem}")
    _react(container, wanted, problem)
    return False


def _problem(container: Container, wanted: Healthcheck) -> str:
    """Why a container does not pass now; empty when it does."""
    if wanted.command:
        return _problem_of_command(container, wanted.command, wanted.timeout)
    if not wanted.is_listening and not wanted.path:
        return _problem_of_uptime(container, wanted.uptime)
    if not container.ip:
        return "the container has no address"
    return (
        _problem_of_port(container, wanted) if wanted.is_listening else _problem_of_answer(container, wanted)
    )


def _problem_of_command(container: Container, command: Sequence[str], timeout: int) -> str:
    state = containers.states([container]).get(container.id)
    image = images.find(state.image) if state else None
    words, directory = commands_in_images.inside(image, command)
    try:
        done = docker_exec.execute(container.id, words, timeout, directory)
    except OutputTooLarge:
        return f"the command wrote more than {docker_exec.MOST // 1024**2} MiB"
    except DokkuError:
        return f"the command did not end within {timeout} seconds"
    if done.status:
        said = (done.output + done.errors).decode("utf-8", "replace").splitlines()
        for line in said[-SHOWN:]:
            log.output(line[:LONGEST])
    return f"the command ended with status {done.status}" if done.status else ""


def _problem_of_uptime(container: Container, seconds: int) -> str:
    try:
        uptime.stay(container, seconds)
    except uptime.GivenUp:
        raise
    except uptime.Failed as failure:
        return failure.text
    return ""


def _problem_of_port(container: Container, wanted: Healthcheck) -> str:
    port = _port(container, wanted)
    refusal = _refusal(container.ip, port, wanted.timeout)
    return f"nothing listens on {container.ip}:{port}: {refusal}" if refusal else ""


def _refusal(ip: str, port: int, timeout: float) -> str:
    """Why no connection can be made; empty when it can."""
    import socket

    try:
        socket.create_connection((ip, port), timeout=timeout).close()
    except OSError as error:
        return error.strerror or "no answer"
    return ""


def _problem_of_answer(container: Container, wanted: Healthcheck) -> str:
    port = _port(container, wanted)
    headers = [(key, value) for key, value in wanted.headers if key.lower() != "host"]
    hosts = [value for key, value in wanted.headers if key.lower() == "host"] or domains.listed(container.app)
    url = f"{wanted.scheme}://{container.ip}:{port}{wanted.path}"
    host = hosts[0] if hosts else ""
    request = check_files.Check(url, wanted.scheme, host, wanted.path, wanted.content, tuple(headers))
    try:
        secure = certs.exists(container.app)
        check_files.ask(request, container.ip, str(port), wanted.timeout, secure)
    except check_files.Refused as refusal:
        return refusal.text
    return ""


def _react(container: Container, wanted: Healthcheck, problem: str) -> None:
    """Do what the check wants to have done when it fails; that it can't be done is only told."""
    if wanted.on_failure_command:
        unable = _problem_of_command(container, wanted.on_failure_command, PATIENCE)
        if unable:
            log.warn(f"onFailure: {unable}")
    if wanted.on_failure_url:
        content = {"healthcheck_name": name(container, wanted), "errors": [problem]}
        try:
            webhooks.post(wanted.on_failure_url, content, own=container.ip)
        except DokkuError as error:
            log.warn(f"onFailure: {error.text}")


def _port(container: Container, wanted: Healthcheck) -> int:
    return wanted.port or int(container.port or 5000)
