"""The herokuish builder: Heroku's buildpacks (API v2a), run by the stack image's own /build.

The source becomes /app of a container, which builds it with the app's cache and config at hand. A release
puts the config into /app/.profile.d, so that a change of it needs no build.
Source: dokku v0.24.0 plugins/builder-herokuish; what it does in five containers and four images is two here.
"""

import contextlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence

from lib.app import config, env_text, options
from lib.base import files, log, properties, signals, triggers
from lib.base.errors import DokkuError
from lib.base.report import Row
from lib.build import buildpacks, caches, images
from lib.tools import docker, docker_commit

NAME = "herokuish"
USER = "herokuishuser"
KEYS = ("allowed",)
BUILT = "com.dokku.built-image"  # of a release: the image that the build left
STAGE = "com.dokku.image-stage"
SOURCE = "source"  # stage of an image with nothing but the source in it
MOST_LAYERS = 100  # docker allows some more; hooks may add one at each release

_PLUGIN = "builder-herokuish"
_START = ("/start", "web")
_PATIENCE = {"CURL_CONNECT_TIMEOUT": "90", "CURL_TIMEOUT": "600"}  # seconds
_KEPT = "PORT|DYNO|USER|HOME|PATH"
# Images bring their build's /tmp/env along, which /start reads: what was unset since must not come back.
_FORGET = f"""for kept in /tmp/env/*; do
  case "${{kept##*/}}" in {_KEPT}|\\*) ;; *) unset "${{kept##*/}}" ;; esac
done
unset kept
"""


def is_allowed(app: str) -> bool:
    """Whether this host builds the app with herokuish: not on arm64, unless somebody allows it."""
    return _allowed(app) == "true"


def build(builder: str, app: str, tree: str) -> None:
    """Build dokku/APP:latest from a source tree.

    Fires: buildpack-stack-name, builder-create-dokku-image, builder-dokku-image, pre-build-buildpack,
    docker-args-build, docker-args-process-build, post-container-create, post-build-buildpack.
    """
    if builder != NAME:
        return
    image = _base_image(app, tree)
    is_hooked = triggers.has_plugins("pre-build-buildpack")
    if is_hooked:
        with _workshop(app, image, _START, []) as container:
            _put_source(container, tree)
            _commit(container, app, images.name(app), SOURCE)
        image = images.name(app)
    triggers.fire("pre-build-buildpack", app, tree, cwd=tree)
    with _workshop(app, image, ["/build"], _build_options(app)) as container:
        if not is_hooked:
            _put_source(container, tree)
        docker_commit.extract(_archive(_build_files(app, tree), "tmp/env"), container)
        triggers.fire("post-container-create", "app", container, app, "build")
        status = docker_commit.run_attached(container)
        if status:
            raise DokkuError("Failure during app build", more=(f"/build ended with status {status}",))
        signals.failpoint("built")
        _commit(container, app, images.name(app), "build")
    signals.failpoint("tagged")
    triggers.fire("post-build-buildpack", app, tree, cwd=tree)


def release(builder: str, app: str, tag: str) -> None:
    """Put the config into the image. Fires: pre-release-buildpack, post-release-buildpack."""
    if builder != NAME:
        return
    name = images.deploying_name(app, tag)
    built = _back_to_built(app, name)
    triggers.fire("pre-release-buildpack", app, tag)
    with _workshop(app, name, _START, []) as container:
        try:
            docker_commit.extract(_archive(_release_files(app)), container)
        except DokkuError as error:
            raise DokkuError("Failure injecting app environment variables", more=(error.text,)) from error
        _commit(container, app, name, "release", built)
    triggers.fire("post-release-buildpack", app, tag)


def prepare_environment(app: str, *_: str) -> None:
    """See to it that downloads of a build give up some time."""
    held = config.values(config.GLOBAL)
    config.set_values(config.GLOBAL, {key: value for key, value in _PATIENCE.items() if key not in held})
    log.info1("Adding BUILD_ENV to build environment...")


def set_(app: str, key: str, value: str) -> None:
    """Set a property of an app or of --global; without a value, take it away."""
    if not key:
        raise DokkuError("No key specified")
    if key not in KEYS:
        raise DokkuError(f"Invalid key specified, valid keys include: {', '.join(KEYS)}")
    if value not in ("", "true", "false"):
        raise DokkuError(f"Invalid value for {key}, it must be true or false")
    log.info2_quiet(f"Setting {key} to {value}" if value else f"Unsetting {key}")
    if value:
        properties.write(_PLUGIN, app, key, value)
    else:
        properties.delete(_PLUGIN, app, key)


def rows(app: str) -> list[Row]:
    """What builder-herokuish:report knows of an app."""
    return [
        Row("--builder-herokuish-allowed", properties.get(_PLUGIN, app, "allowed")),
        Row("--builder-herokuish-computed-allowed", _allowed(app)),
        *general_rows()[:1],
    ]


def general_rows() -> list[Row]:
    """What it knows of the host."""
    return [
        Row("--builder-herokuish-global-allowed", properties.get(_PLUGIN, properties.GLOBAL, "allowed")),
        Row("--builder-herokuish-computed-allowed", _allowed(properties.GLOBAL)),
    ]


def _allowed(app: str) -> str:
    own = properties.get(_PLUGIN, app, "allowed") or properties.get(_PLUGIN, properties.GLOBAL, "allowed")
    return own or str(os.uname().machine not in ("aarch64", "arm64")).lower()


def _base_image(app: str, tree: str) -> str:
    """The image to build on, and on this host. Raises: DokkuError when it can't be had."""
    stack = triggers.ask("buildpack-stack-name", app).strip()
    log.info1(f"Building {app} from {stack or NAME}")
    image = stack or buildpacks.default_stack()
    triggers.fire("builder-create-dokku-image", NAME, app, tree, image)
    image = triggers.ask("builder-dokku-image", NAME, app, tree, image).strip() or image
    if not docker.inspect_images(image):
        log.verbose(f"Pulling {image}")
        try:
            docker.pull(image)
        except DokkuError as error:
            raise DokkuError(f"Failed to pull image: {image}") from error
    return image


def _build_options(app: str) -> list[str]:
    said = triggers.ask("docker-args-build", app, NAME)
    late = triggers.ask("docker-args-process-build", app, NAME)
    trace = ["--env=TRACE=true"] if os.environ.get("DOKKU_TRACE") else []
    user = config.get(app, "DOKKU_APP_USER") or USER
    own = ["--init", caches.option(app), "--env=CACHE_PATH=/cache", f"--env=USER={user}"]
    return [*own, *options.words(said), *trace, *options.words(late)]


def _put_source(container: str, tree: str) -> None:
    try:
        docker_commit.copy_tree(tree, container, "/app")
    except DokkuError as error:
        raise DokkuError("Failure extracting app code", more=(error.text,)) from error


def _build_files(app: str, tree: str) -> dict[str, str]:
    """The config as /build wants it: a file for each variable, and lines at the end of the app's own .env."""
    variables = config.merged(app)
    found = {f"tmp/env/{key}": value for key, value in variables.items()}
    own = files.read_beneath(tree, ".env")
    if own is not None or not os.path.lexists(os.path.join(tree, ".env")):
        lines = [f"{key}={env_text.quoted(value)}" for key, value in variables.items()]
        found["app/.env"] = "\n".join([*([own] if own else []), *lines, ""])
    return found


def _release_files(app: str) -> dict[str, str]:
    """What /start and /exec read, the global config first."""
    return {
        "app/.profile.d/00-global-env.sh": _FORGET + env_text.export(config.values(config.GLOBAL), "exports"),
        "app/.profile.d/01-app-env.sh": env_text.export(config.values(app), "exports"),
    }


def _back_to_built(app: str, name: str) -> str:
    """Let an image's name mean what its build left, where only our release came after it; the built image.

    Else each change of the config would add a layer, and docker allows 125.
    """
    known = docker.inspect_images(name)[0]
    marks = known["Config"].get("Labels") or {}
    if marks.get(STAGE) == SOURCE:
        raise DokkuError(f"The last build of {app} was cut off", more=(f"Run ps:rebuild {app}",))
    built = str(marks.get(BUILT) or "")
    is_ours = known.get("Parent") == built
    is_deep = len((known.get("RootFS") or {}).get("Layers") or []) > MOST_LAYERS
    if built and (is_ours or is_deep) and docker.inspect_images(built):
        docker.tag(built, name)
        return built
    return built or str(known["Id"])


@contextlib.contextmanager
def _workshop(app: str, image: str, command: Sequence[str], flags: Sequence[str]) -> Iterator[str]:
    """A container that waits to be started; gone after the block, whatever happens inside.

    What a killed build leaves has the labels by which the next deploy removes what nobody needs any more.
    """
    container = docker.create("", image, command, caches.marks(app), flags)
    try:
        yield container
    finally:
        with signals.deferred():
            docker.remove(container)


def _commit(container: str, app: str, name: str, stage: str, built: str = "") -> None:
    marks = {**images.labels(app, NAME), STAGE: stage, BUILT: built, "com.dokku.container-type": ""}
    docker_commit.commit(container, name, marks, _START)


def _archive(contents: Mapping[str, str], directory: str = "") -> bytes:
    """A tar archive of files that everybody may read, text by path, and of one directory for them."""
    import tarfile  # 22 ms

    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        if directory:
            place = tarfile.TarInfo(directory)
            place.type, place.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(place)
        for path, text in contents.items():
            content = text.encode("utf-8", "surrogateescape")
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()
