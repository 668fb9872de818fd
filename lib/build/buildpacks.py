"""Which buildpacks and which stack an app is built with: buildpacks:* and the source's `.buildpacks`.

Source: dokku v0.24.0 plugins/buildpacks; the short names in files and app.json from 0.38.
"""

import contextlib
import os
import re
from collections.abc import Iterator, Sequence

from lib.app import app_json, apps, config
from lib.base import files, log, properties, settings, triggers, values
from lib.base.errors import DokkuError
from lib.base.report import Row

FILE = ".buildpacks"
PROPERTIES = ("stack",)

_PLUGIN, _LIST, _STACK = "buildpacks", "buildpacks", "stack"
_SHORT = re.compile(r"([\w-]+)/([\w-]+)", re.ASCII)
_URL = re.compile(r"(?:https?|git)(?:://|@)[^/:\s]+[/:][^/:\s]+/[^\s]+")
_NAMED = re.compile(r'"buildpacks"')


def listed(app: str) -> list[str]:
    """The urls that the app was given, in the order in which they run."""
    return properties.get_list(_PLUGIN, app, _LIST)


def add(app: str, buildpack: str, position: int) -> None:
    """Put a buildpack at a position (from 1), or at the end: 0, or one past it. Raises: as `url`."""
    new = url(buildpack)
    _verify_position(position)
    with _changing(app) as urls:
        urls.insert(position - 1 if position else len(urls), new)


def set_(app: str, buildpack: str, position: int) -> None:
    """Put a buildpack in place of the one at a position (0: the first), or at the end. Raises: as `url`."""
    new = url(buildpack)
    _verify_position(position)
    start = max(position, 1) - 1
    with _changing(app) as urls:
        urls[start : start + 1] = [new]


def remove(app: str, buildpack: str, position: int) -> None:
    """Take a buildpack away, named by its url or its position. Raises: DokkuError when there is none."""
    _verify_position(position)
    if position and buildpack:
        raise DokkuError("Please choose either index or Buildpack, but not both")
    if not position and not buildpack:
        raise DokkuError("Must specify a buildpack to remove, either by index or URL")
    with _changing(app) as urls:
        if not urls:
            raise DokkuError(
                f"No buildpacks were found, next release on {app} will detect buildpack normally"
            )
        gone = _positions(urls, buildpack, position)
        log.info1_quiet(f"Removing {values.without_credentials(urls[gone[0]])}")
        urls[:] = [held for index, held in enumerate(urls) if index not in gone]


def clear(app: str) -> None:
    """Take all away: the next build detects what the source needs."""
    with _changing(app) as urls:
        urls.clear()


def show(app: str) -> None:
    log.info1_quiet(f"{app} buildpack urls")
    for held in listed(app):
        log.verbose(values.without_credentials(held))


def url(buildpack: str) -> str:
    """The url of a buildpack: heroku/ruby is short for one. Raises: DokkuError for what names none."""
    if not buildpack:
        raise DokkuError("Must specify a buildpack to add")
    whole = _whole(buildpack)
    if not _URL.fullmatch(whole) or values.has_control_characters(whole):
        raise DokkuError(f"Invalid buildpack specified: {values.printable(buildpack)}")
    return whole


def set_property(app: str, key: str, value: str) -> None:
    """Set a property of an app or of --global; without a value, take it away.

    Fires: post-stack-set, for every app whose stack is another one now.
    """
    if app != properties.GLOBAL:
        apps.verify_app_name(app)
    elif key not in PROPERTIES:
        raise DokkuError("Property cannot be specified globally")
    if not key:
        raise DokkuError("No property specified")
    if key not in PROPERTIES:
        raise DokkuError(f"Invalid property specified, valid properties include: {', '.join(PROPERTIES)}")
    if value and not values.is_image(value):
        raise DokkuError(
            f"Invalid stack specified, it must be the name of an image: {values.printable(value)}"
        )
    log.info2_quiet(f"Setting {key} to {value}" if value else f"Unsetting {key}")
    concerned = apps.names() if app == properties.GLOBAL else [app]
    before = {name: _chosen(name) for name in concerned}
    if value:
        properties.write(_PLUGIN, app, key, value)
    else:
        properties.delete(_PLUGIN, app, key)
    for name in concerned:
        if _chosen(name) != before[name]:
            triggers.fire("post-stack-set", name, _chosen(name))


def stack(app: str) -> str:
    """The image that was chosen to build the app on; empty when none was."""
    chosen = _chosen(app)
    if chosen:
        return chosen
    old = config.get(app, "DOKKU_IMAGE")
    if old:
        log.warn("Deprecated: use buildpacks:set-property stack instead of the config variable DOKKU_IMAGE")
    return old


def default_stack() -> str:
    """The host's image for apps that have not chosen one."""
    return os.environ.get("DOKKU_IMAGE") or "gliderlabs/herokuish:latest"


def rows(app: str) -> list[Row]:
    """What buildpacks:report knows of an app."""
    urls = [values.without_credentials(held) for held in listed(app)]
    return [
        Row("--buildpacks-list", ",".join(urls)),
        Row("--buildpacks-stack", properties.get(_PLUGIN, app, _STACK)),
        *_stack_rows(_chosen(app) or config.get(app, "DOKKU_IMAGE") or default_stack()),
    ]


def general_rows() -> list[Row]:
    """What buildpacks:report knows of the host."""
    return _stack_rows(properties.get(_PLUGIN, properties.GLOBAL, _STACK) or default_stack())


def write_file(app: str, tree: str) -> None:
    """Make `.buildpacks` in a source tree say what the app is built with.

    The app's own list comes first, then the file that is there, then app.json's list where no Dockerfile is.
    """
    found = files.read_beneath(tree, FILE)
    urls = listed(app)
    if not urls and found is not None:
        urls = [_whole(line.strip()) for line in found.splitlines()]
        if urls == found.splitlines():
            return
    elif not urls and files.read_beneath(tree, "Dockerfile") is None:
        urls = _from_app_json(files.read_beneath(tree, "app.json") or "")
    if urls:
        path = os.path.join(tree, FILE)
        files.remove(path)
        files.replace_lines(path, urls)


def _from_app_json(text: str) -> list[str]:
    """The list in app.json. What is no JSON, or not as Heroku has it, is left to those who read all of it."""
    if not _NAMED.search(text):
        return []
    try:
        found = app_json.parse(text).get("buildpacks") or []
    except DokkuError:
        return []
    return [url(entry["url"]) for entry in found if entry]


def _whole(name: str) -> str:
    match = _SHORT.fullmatch(name)
    if match is None:
        return name
    owner = "heroku" if match[1] == "heroku-community" else match[1]
    return f"https://github.com/{owner}/heroku-buildpack-{match[2]}.git"


def _positions(urls: Sequence[str], buildpack: str, position: int) -> list[int]:
    if position > len(urls):
        raise DokkuError("Index not found")
    if position:
        return [position - 1]
    wanted = (buildpack, _whole(buildpack))
    found = [n for n, held in enumerate(urls) if held in wanted or values.without_credentials(held) in wanted]
    if not found:
        raise DokkuError("Value not found")
    return found


def _verify_position(position: int) -> None:
    if position < 0:
        raise DokkuError(f"Invalid index specified, the first buildpack is 1: {position}")


def _chosen(app: str) -> str:
    own = properties.get(_PLUGIN, app, _STACK)
    return own or properties.get(_PLUGIN, properties.GLOBAL, _STACK)


def _stack_rows(computed: str) -> list[Row]:
    return [
        Row("--buildpacks-computed-stack", computed),
        Row("--buildpacks-global-stack", properties.get(_PLUGIN, properties.GLOBAL, _STACK)),
    ]


@contextlib.contextmanager
def _changing(app: str) -> Iterator[list[str]]:
    """The list, written again after the block unless that fails; nobody else changes it meanwhile."""
    with files.locked(settings.data(_PLUGIN, app)):
        urls = listed(app)
        yield urls
        if urls:
            properties.write_list(_PLUGIN, app, _LIST, urls)
        else:
            properties.delete(_PLUGIN, app, _LIST)
