"""One generation of an app's containers: created, started, and in the end either serving or removed.

Source of the options' order and of the labels: dokku v0.24.0 plugins/scheduler-docker-local/scheduler-deploy.
"""

import contextlib
import itertools
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from lib.app import app_json, apps, config, network_settings, options, ports, processes
from lib.base import log, properties, signals, triggers, values
from lib.base.errors import DokkuError, ToolFailed
from lib.build import images, pack
from lib.runtime import containers, own_networks, retirement, scheduler_settings, schedulers
from lib.runtime.containers import Container
from lib.tools import docker

HEROKUISH_PORT = "5000"
Place = tuple[str, int]  # of a container: ("web", 1) is web.1
IsLedTo = Callable[[Sequence[str]], bool]  # whether the proxy sends visitors to some of these addresses


class Generation:
    """The containers of one deploy, from `start` to `settle`. Not for use outside `generation`."""

    def __init__(self, app: str, image: images.Image, tag: str, is_led_to: IsLedTo) -> None:
        self.app, self.image, self.tag, self.is_led_to = app, image, tag, is_led_to
        self.id = os.urandom(4).hex()
        self.started: list[Container] = []
        self.created: list[str] = []
        self.before: Sequence[Container] = []
        self.kept: list[Container] = []
        self.left_over: list[str] = []
        self.was_deployed = False
        self.adopted = False
        self.settled = False
        self.stopped: dict[str, str] = {}  # of the old set, to let this one start: restart policy by id

    @property
    def is_one_way(self) -> bool:
        """Whether something of the old set was stopped before this one started."""
        return bool(self.stopped)

    def start(self, places: Sequence[Place]) -> list[Container]:
        """Create and start some containers, all at once; the containers with their addresses."""
        return self.run(self.create(places))

    def verify_ports(self, wanted: Sequence[tuple[str, int]]) -> None:
        """Raises: DokkuError for several containers of a type that would all be at one port of the host.

        wanted: pairs of process and count.
        """
        for process, count in wanted:
            taken = options.fixed_port(self._options(process, 1)) if count > 1 else ""
            if taken:
                what = f"{self.app} can't run {count} containers of {process}"
                hint = f"See the --publish of docker-options:report {self.app}"
                raise DokkuError(f"{what}: all would be at host port {taken}", more=(hint,))

    def create(self, places: Sequence[Place]) -> list[Container]:
        """Create some containers: what docker refuses, it refuses before anything else is stopped."""
        return [self._create(process, index) for process, index in places]

    def stop_old(self, process: str, old: Iterable[Container]) -> None:
        """Stop a process type's running containers: its checks are disabled. On failure they run again."""
        leaving = [container for container in old if container.process == process]
        self.stopped |= containers.restart_policies(container.id for container in leaving)
        stop_now(self.app, process, leaving)

    def run(self, made: Sequence[Container]) -> list[Container]:
        """Start some created containers; the containers with their addresses."""
        if not made:
            return []
        own_networks.attach(self.app, [container.id for container in made])
        docker.start(*(container.id for container in made))
        signals.failpoint("started")
        known = containers.states(made)
        port = _port(self.app, self.image)
        addressed = [c._replace(ip=known[c.id].ip if c.id in known else "", port=port) for c in made]
        self.started += addressed
        return addressed

    def adopt(self, before: Sequence[Container], process: str = "") -> None:
        """Make these containers the registered ones. before: what was registered so far.

        process: the only type that they replace, empty for all; containers of other types stay registered.
        """
        self.before = before
        self.kept = [container for container in before if process not in ("", container.process)]
        self.left_over = containers.replaced(self.app)
        self.was_deployed = apps.is_deployed(self.app)
        self.adopted = True
        self._adopt()

    def settle(self) -> list[str]:
        """Hand the replaced containers over to retirement; their ids. A signal waits until that is done."""
        with signals.deferred():
            old = containers.replaced(self.app)
            retirement.register(self.app, old, schedulers.wait_to_retire(self.app))
            containers.settle(self.app)
            self.settled = True
        return old

    def web_listener(self) -> tuple[str, str]:
        """Port and address of the first web container; empty texts without one."""
        web = [container for container in (*self.kept, *self.started) if container.process == "web"]
        return (web[0].port, web[0].ip) if web else ("", "")

    def abandon(self) -> None:
        """Take everything back: the pointers, the proxy if it may have switched, the containers.

        After a switch there and back they retire like any others: visitors may be waiting for their answers.
        """
        if self.settled:
            return
        if self.adopted and not self._switched_back():
            log.warn("The proxy still leads to the new containers: old and new ones stay up")
            self._adopt()
            return
        if self.adopted and self.before and not self.stopped:
            retirement.register(self.app, self.created, schedulers.wait_to_retire(self.app))
            with contextlib.suppress(DokkuError):
                rename(self.app)
        elif self.created:
            try:
                docker.never_restart(*self.created)
            finally:
                docker.remove(*self.created, has_data=self.adopted)
        if self.stopped:
            self._start_again()

    def _start_again(self) -> None:
        """Have what was stopped for this generation serve again, and the proxy lead there."""
        log.info1("Starting the old containers again")
        with log.only_warned():
            containers.start_again(self.stopped)
            if self.adopted:
                triggers.fire("proxy-build-config", self.app)

    def _adopt(self) -> None:
        leaving = [container.id for container in self.before if container not in self.kept]
        containers.adopt(self.app, [*self.kept, *self.started], [*leaving, *self.left_over])

    def _switched_back(self) -> bool:
        """Put pointers and proxy back; False when the proxy would not be put back and leads here."""
        containers.withdraw(self.app, self.before, self.left_over)
        if not self.was_deployed:
            with contextlib.suppress(OSError):
                properties.write("common", self.app, "deployed", "false")
        try:
            triggers.fire("proxy-build-config", self.app)
        except (DokkuError, OSError):
            return not self.is_led_to([container.ip for container in self.started])
        return True

    def _create(self, process: str, index: int) -> Container:
        flags = self._options(process, index)
        name = f"{self.app}.{process}.{index}.upcoming-{self.id}"
        labels = containers.labels(self.app, process, index)
        variables = config.merged(self.app)
        id_ = docker.create(name, self.image.name, self._command(process), labels, flags, variables)
        self.created.append(id_)
        signals.failpoint("created")
        triggers.fire("post-container-create", "app", id_, self.app, "deploy", process)
        return Container(self.app, process, index, id_)

    def _options(self, process: str, index: int) -> list[str]:
        place = (process, str(index))
        args = triggers.ask("docker-args-deploy", self.app, self.tag, *place)
        late = triggers.ask("docker-args-process-deploy", self.app, self.image.kind, self.tag, *place)
        port = _port(self.app, self.image)
        patience = config.effective(self.app, "DOKKU_DOCKER_STOP_TIMEOUT")  # docker's own stops know it too
        return [
            *([f"--stop-timeout={schedulers.stop_timeout(self.app)}"] if patience else []),
            *options.words(args),
            f"--env=DYNO={process}.{index}",
            *(["--init"] if scheduler_settings.has_init(self.app) else []),
            *options.words(late),
            *self._published(process, index),
            *([f"--env=PORT={port}"] if process == "web" else []),
            "--pull=never",  # a name that was removed meanwhile is no stranger's image
        ]

    def _published(self, process: str, index: int) -> list[str]:
        """Every port of a web container at one of the host's own choice, if the app is to have that."""
        if process != "web":
            return []
        if triggers.ask("network-get-property", self.app, network_settings.BIND).strip() != "true":
            return []
        is_herokuish = str(self.image.kind != "dockerfile").lower()
        said = triggers.ask("network-compute-ports", self.app, process, is_herokuish, str(index))
        return [f"--publish={port}" for port in said.split() if values.is_port(port)]

    def _command(self, process: str) -> list[str]:
        chosen = config.get(self.app, "DOKKU_START_CMD")
        if chosen:
            return options.words(chosen)
        if self.image.kind == "herokuish":
            return ["/start", process]
        if self.image.kind == "pack":
            return pack.start(self.app, self.image, process, _port(self.app, self.image)).command
        own = config.get(self.app, "DOKKU_DOCKERFILE_START_CMD")
        return options.words(own or processes.command(self.app, process, _port(self.app, self.image)))


@contextlib.contextmanager
def generation(app: str, image: images.Image, tag: str, is_led_to: IsLedTo) -> Iterator[Generation]:
    """A new set of containers; when the block fails, nothing of it is left and the old set serves.

    is_led_to: asked when the proxy can't be put back; what it leads to stays up.
    """
    new = Generation(app, image, tag, is_led_to)
    try:
        yield new
    except BaseException:
        with signals.deferred():
            new.abandon()
        raise


def batches(app: str, wanted: Sequence[tuple[str, int]]) -> list[list[Place]]:
    """What of a deploy starts and gets ready at a time, set by set: web first, then the other types.

    wanted: pairs of process and count. Side by side start as many other types as the scheduler's
    parallel-schedule-count says, and of a type as many containers as app.json's max_parallel says, else all.
    """
    web = [pair for pair in wanted if pair[0] == "web"]
    others = [pair for pair in wanted if pair[0] != "web"]
    width = scheduler_settings.types_at_a_time(app)
    groups = [web, *(others[first : first + width] for first in range(0, len(others), width))]
    found = []
    for group in groups:
        rounds = itertools.zip_longest(*(_rounds(app, *pair) for pair in group), fillvalue=())
        found += [[place for part in parts for place in part] for parts in rounds]
    return found


def _rounds(app: str, process: str, count: int) -> list[list[Place]]:
    places = [(process, index) for index in range(1, count + 1)]
    most = app_json.most_at_a_time(app, process) or max(1, count)
    return [places[first : first + most] for first in range(0, count, most)]


def stop_now(app: str, process: str, old: Iterable[Container]) -> None:
    """Stop a process type's running containers before the new ones start: its checks are disabled."""
    log.info1(f"zero downtime is disabled for app ({app}.{process}). stopping currently running containers")
    leaving = [container for container in old if container.process == process]
    for container in leaving:
        log.info2(f"stopping {app}.{process} ({container.id})")
    containers.stop(leaving, schedulers.stop_timeout(app))


def rename(app: str) -> None:
    """Give the registered containers their plain names, APP.PROCESS.INDEX; older holders get a suffix."""
    log.info1("Renaming containers")
    known = containers.states(containers.registered(app))
    now = time.time_ns() // 1_000_000  # finer than 0.24's seconds: names may go there and back within one
    for state in known.values():
        name = f"{app}.{state.process}.{state.index}"
        if state.name == name:
            continue
        for holder in docker.containers(f"label=com.dokku.app-name={app}", f"name=^/{re.escape(name)}$"):
            _rename(holder, name, f"{name}.{now}")
        _rename(state.id, state.name, name)


def _rename(id_: str, old: str, new: str) -> None:
    """Only people read the names: one that somebody else has is no reason to fail."""
    log.verbose(f"Renaming container ({id_[:12]}) {old} to {new}")
    try:
        docker.rename(id_, new)
    except ToolFailed as error:
        log.warn(f"Unable to rename container {old}: {error.text}")


def _port(app: str, image: images.Image) -> str:
    """The port a container is told to listen on: the first exposed one that is not udp, else 5000."""
    exposed = ports.exposed_ports(app) if image.kind == "dockerfile" else []
    return str(exposed[0]) if exposed else HEROKUISH_PORT
