"""Releases: each change of what an app runs has a number, and can be gone back to.

A release is an image with a config. Its image has a name of ours, dokku/APP:release-vN, for as long as it is
kept: docker removes images without a name only. A restart with the same image and the same config is no new
release; its containers count as those of the one that serves.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from lib.app import app_json, config, processes, source_files
from lib.base import files, log, procfs, properties, scratch, signals, values
from lib.base.errors import DokkuError
from lib.build import exposed_ports, images, records
from lib.runtime import containers, release_images, release_records
from lib.runtime.release_records import Release
from lib.tools import docker

ROLLBACK = "rollback"  # a release's source
_BUILDER = "DOKKU_APP_TYPE"
_NOT_OF_A_RELEASE = ("DOKKU_APP_RESTORE", "DOKKU_PROXY_PORT", "DOKKU_PROXY_SSL_PORT")
_EXPOSED = ("builder", "exposed-ports")

_under_way: dict[str, int] = {}  # by app, in this process: the release whose containers are being made
_made: dict[str, int] = {}  # the last that this process made
_going_back_to: dict[str, Release] = {}


@contextlib.contextmanager
def recorded(app: str, tag: str = "latest") -> Iterator[None]:
    """Make what the block does a release of the app, with its outcome. To be entered under the deploy lock.

    What can't be recorded is no reason not to deploy. A part of another release's deploy belongs to that one.
    """
    if app in _under_way:
        yield
        return
    with signals.deferred():
        number, is_new = _begun(app, tag)
        _under_way[app] = number
    outcome = release_records.SUCCEEDED
    try:
        signals.failpoint("release-begun")
        yield
    except BaseException as error:
        is_cancelled = isinstance(error, KeyboardInterrupt)
        outcome = release_records.CANCELLED if is_cancelled else release_records.FAILED
        raise
    finally:
        with signals.deferred():
            del _under_way[app]
            if is_new:
                _made[app] = number
                _end(app, number, outcome)
    if is_new:
        with release_records.only_warned(app):
            release_images.drop_old(app)


def note_image(app: str, image: images.Image) -> None:
    """Write down what is about to run: an image, which is kept from now on, and the config of the moment."""
    with release_records.only_warned(app):
        release = release_records.read(app, _under_way.get(app, 0))
        if release:
            docker.tag(image.id, release_images.name(app, release.number))
            release_records.write(app, _with_content(app, release, image.id))
            signals.failpoint("release-held")


def note_containers(app: str, started: Sequence[containers.Container]) -> None:
    """Write down which containers are about to serve: by them it is known which release does."""
    with release_records.only_warned(app):
        release = release_records.read(app, _under_way.get(app, 0))
        if release:
            serving = {container.id for container in containers.registered(app)}
            before = [id_ for id_ in release.containers if id_ in serving]
            ids = [*before, *(container.id for container in started)]
            release_records.write(app, release._replace(containers=ids))
    signals.failpoint("containers-noted")


def note_source(app: str, type_: str, metadata: str) -> None:
    """Write down where the release that this process has just made came from."""
    with release_records.only_warned(app):
        release = release_records.read(app, _made.get(app, 0))
        if release:
            shown = values.without_credentials(metadata)
            release_records.write(app, release._replace(source=type_, metadata=shown))


def chosen(app: str, word: str = "") -> Release:
    """The release to go back to: `v2` or `2`, else the last that served before the one that does.

    Raises: DokkuError when there is none, or when it can't be served; nothing has been changed then.
    """
    release = release_records.find(app, word) if word else _previous(app)
    what = f"release v{release.number} of {app}"
    if not release.is_good:
        raise DokkuError(f"There is nothing to go back to: {what} has the outcome {release.outcome}")
    if not release.image:
        raise DokkuError(f"The image of {what} is no longer kept, see releases:set")
    if config.is_true(app, "DOKKU_SKIP_DEPLOY"):
        raise DokkuError(f"App {app} is not to be deployed: DOKKU_SKIP_DEPLOY is set")
    if images.deploying_name(app) != images.name(app):
        raise DokkuError(f"The image that {app} runs is chosen by a plugin: {images.deploying_name(app)}")
    if images.find(release.image) is None:
        hint = "Somebody has removed it from docker; deploy that version again"
        raise DokkuError(f"The image of {what} is gone", more=(hint,))
    return release


@contextlib.contextmanager
def put_back(
    app: str, release: Release, rev_variable: str, with_config: bool, unless: Callable[[], bool]
) -> Iterator[None]:
    """Let the app's image and what belongs to it be those of a release; when the block fails, they are not.

    with_config: its variables too. unless: whether the release serves all the same.
    """
    now = config.values(app)
    wanted = _variables(app, release, rev_variable, with_config)
    keys = {*now, *wanted} - {key for key in now if now[key] == wanted.get(key)}
    _going_back_to[app] = release
    try:
        with (
            config.restored_on_failure(app, *keys, unless=unless),
            exposed_ports.restored_on_failure(app, unless),
            processes.restored_on_failure(app, unless),
            scratch.directory("release") as tree,
        ):
            docker.tag(release.image, images.name(app))
            config.set_values(app, {key: wanted[key] for key in keys if key in wanted})
            config.unset_values(app, [key for key in keys if key not in wanted])
            if exposed_ports.VARIABLE in keys:
                properties.write(*_exposed(app), release.exposed)
            _put_back_files(app, release, tree)
            signals.failpoint("put-back")
            yield
    finally:
        del _going_back_to[app]


def mend(app: str, rev_variable: str) -> None:
    """Let image, ports and counts be those of what serves, if a new version was killed before its switch.

    To be called under the deploy lock, before a restart; a build and a rollback bring what they need.
    """
    last = release_records.read(app, max(release_records.numbers(app), default=0))
    is_ours = app in _under_way or app in _going_back_to or records.under_way(app)
    if is_ours or last is None or last.outcome != release_records.DEPLOYING or release_records.is_alive(last):
        return
    now = release_records.serving(app)
    if now is None or now.number == last.number or not (last.build or last.source == ROLLBACK):
        return
    if images.find(now.image) and images.deploying_name(app) == images.name(app):
        log.info1(f"v{last.number} of {app} was killed before it served, putting v{now.number} back")
        with put_back(app, now, rev_variable, with_config=False, unless=lambda: True):
            release_records.settle(app)


def _begun(app: str, tag: str) -> tuple[int, bool]:
    """The number of the release that is about to be made, and whether it is a new one; 0 for no record."""
    image = images.find(images.deploying_name(app, tag))  # a docker that is down stops a deploy, too
    with release_records.only_warned(app):
        release_records.settle(app)
        known = release_records.all_(app)
        if known and release_records.is_alive(known[-1]):  # of a process above us: we have the lock
            return known[-1].number, False
        serving = release_records.serving(app, known)
        if serving and not _is_change(app, serving, image.id if image else ""):
            return serving.number, False
        release = _new(app, serving)
        release_records.write(app, release)
        return release.number, True
    return 0, False


def _is_change(app: str, serving: Release, image: str) -> bool:
    if app in _going_back_to or records.under_way(app):
        return True
    return image != serving.image or _of_a_release(config.values(app)) != _of_a_release(serving.config)


def _new(app: str, serving: Release | None) -> Release:
    number = max(release_records.numbers(app), default=0) + 1
    pid, build, back = os.getpid(), records.under_way(app), _going_back_to.get(app)
    release = Release(
        number,
        os.environ.get("SSH_NAME") or "default",
        pid,
        procfs.started(pid),
        int(time.time()),
        source=os.environ.get("DOKKU_COMMAND", ""),
        revision=serving.revision if serving else config.get(app, "GIT_REV"),
    )
    if build:
        return release._replace(revision=build.revision, build=build.number, started=build.started)
    if back:
        return release._replace(source=ROLLBACK, metadata=f"v{back.number}", revision=back.revision)
    return release


def _end(app: str, number: int, outcome: str) -> None:
    """Write down how it ended. What failed and does not serve keeps no image."""
    with release_records.only_warned(app):
        release = release_records.read(app, number)
        if release is None:
            return
        ids = {container.id for container in containers.registered(app)}
        if outcome != release_records.SUCCEEDED and ids & set(release.containers):
            outcome = release_records.INCOMPLETE
        elif outcome == release_records.SUCCEEDED and config.is_true(app, "DOKKU_SKIP_DEPLOY"):
            outcome = release_records.SKIPPED
        elif outcome == release_records.SUCCEEDED and not release.image:  # another scheduler's
            image = images.verify(app)
            docker.tag(image.id, release_images.name(app, number))
            release = _with_content(app, release, image.id)
        signals.failpoint("release-ending")
        release = release._replace(outcome=outcome, ended=int(time.time()))
        if release.is_good:
            release_records.write(app, release)
            return
        release_records.write(app, release_records.without_content(release))
        if release.image:
            docker.remove_image(release_images.name(app, number))


def _with_content(app: str, release: Release, image: str) -> Release:
    held = config.values(app)
    from_source = properties.get(app_json.PLUGIN, app, "found-in") == app_json.SOURCE
    return release._replace(
        image=image,
        names=list(held),
        config=held,
        exposed=properties.get(*_exposed(app)),
        app_json=files.read(app_json.file_path(app)) if from_source else None,
        scale=files.read(processes.scale_path(app)),
        is_frozen=os.path.exists(processes.frozen_path(app)),
    )


def _previous(app: str) -> Release:
    now = release_records.serving(app)
    before = [
        release
        for release in release_records.all_(app)
        if now and release.number < now.number and release.is_good
    ]
    if not before:
        raise DokkuError(f"App {app} has no earlier release to go back to")
    return before[-1]


def _variables(app: str, release: Release, rev_variable: str, with_config: bool) -> dict[str, str]:
    """What the app's variables are to be. Ports that somebody named by hand stay, unless with_config."""
    now = config.values(app)
    if with_config:
        return {**_of_a_release(release.config), **{key: now[key] for key in _NOT_OF_A_RELEASE if key in now}}
    found = now.get(exposed_ports.VARIABLE, "")
    keys = [_BUILDER, *([exposed_ports.VARIABLE] if found == properties.get(*_exposed(app)) else [])]
    kept = {key: value for key, value in now.items() if key not in keys}
    then = {key: release.config[key] for key in keys if key in release.config}
    own = {rev_variable: release.revision} if rev_variable and release.revision else {}
    return {**kept, **then, **own}


def _put_back_files(app: str, release: Release, tree: str) -> None:
    """An app.json that the image does not hold, and counts instead of those that another source ruled."""
    if release.app_json is not None:
        place = os.path.join(tree, source_files.path(source_files.APP_JSON, app))
        files.replace(place, release.app_json)
    app_json.take_from_source(app, tree)
    if os.path.exists(processes.frozen_path(app)) and not release.is_frozen and release.scale:
        files.replace(processes.scale_path(app), release.scale)
        files.remove(processes.frozen_path(app))


def _of_a_release(variables: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in variables.items() if key not in _NOT_OF_A_RELEASE}


def _exposed(app: str) -> tuple[str, str, str]:
    return _EXPOSED[0], app, _EXPOSED[1]
