"""A program beside the others in a container that serves: `enter`.

Source: dokku v0.24.0 plugins/enter and plugins/scheduler-docker-local/scheduler-enter.
"""

from collections.abc import Sequence

from lib.app import apps
from lib.base import triggers
from lib.base.errors import DokkuError
from lib.base.values import printable
from lib.build import images
from lib.runtime import commands_in_images, containers, logs, one_off, schedulers
from lib.runtime.containers import Container
from lib.tools import docker_attached

BY_ID = "--container-id"


def request(app: str, words: Sequence[str]) -> None:
    """Have the app's scheduler run a command in one of its containers. Fires: scheduler-enter.

    words: a process type, `web`, or a container, `web.2`, or --container-id and an id; then the command, a
    shell without one. Raises: DokkuError, without a word for the program's status.
    """
    apps.verify_app_name(app)
    triggers.fire("scheduler-enter", schedulers.selected(app), app, *words)


def enter(scheduler: str, app: str, *words: str) -> None:
    """Run a command in a container of the app, with our streams; as scheduler-enter has it."""
    if not schedulers.is_docker_local(scheduler):
        return
    serving = containers.registered(app)
    if not serving:
        raise DokkuError(f"App {app} has not been deployed")
    by_id = words[:1] == (BY_ID,)
    if by_id:
        chosen, command = _by_id(app, serving, words[1:2]), words[2:]
    else:
        chosen, command = _by_place(app, serving, words[:1]), words[1:]
    state = containers.states([chosen]).get(chosen.id)
    if state is None or not state.running:
        raise DokkuError("Container is not running")
    image = images.find(state.image)
    argv, directory = commands_in_images.inside(image, command or commands_in_images.looking_around(app))
    ended = docker_attached.execute(chosen.id, argv, one_off.has_terminal(), directory)
    if ended:
        raise DokkuError("", exit_code=ended if 0 < ended < 256 else 128 + abs(ended))


def _by_id(app: str, serving: Sequence[Container], given: Sequence[str]) -> Container:
    """The container whose id starts so."""
    if not given or not given[0]:
        raise DokkuError("No container id specified", more=(_ids(app, serving),))
    found = [one for one in serving if one.id.startswith(given[0])]
    if len(found) != 1:
        raise DokkuError("Invalid container id for app", more=(_ids(app, serving),))
    return found[0]


def _by_place(app: str, serving: Sequence[Container], given: Sequence[str]) -> Container:
    """The first container of a process type, or the one of a name; of the only type when none is given."""
    types = list(dict.fromkeys(one.process for one in serving))
    known = f"Available types for app ({app}): {' '.join(types)}"
    if not given and len(types) > 1:
        raise DokkuError("No container type specified.", more=(known,))
    place = given[0] if given else types[0]
    found = [one for one in serving if place in (one.process, logs.name(one))]
    if not found:
        raise DokkuError(f"No containers found for type '{printable(place)}'", more=(known,))
    return found[0]


def _ids(app: str, serving: Sequence[Container]) -> str:
    return f"Available ids for app ({app}): {' '.join(one.id for one in serving)}"
