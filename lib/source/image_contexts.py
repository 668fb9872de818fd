"""Directories to commit, made from an image's name and a directory beside it: git:from-image, git:load-image.

The name becomes a line of a Dockerfile, so it is judged before anything else happens.
"""

import contextlib
import fcntl
import os
import select
import shutil
import stat
import sys
import termios
import threading
from collections.abc import Iterator

from lib.app import image_names
from lib.base import files, log, run, scratch, settings, values
from lib.base.errors import DokkuError, ToolFailed
from lib.source import image_archives
from lib.tools import docker

ALTERNATE_TAGS = "com.dokku.docker-image-labeler/alternate-tags"
PATIENCE = 300  # seconds for the first byte of an image
MAX_DEPTH = 100
_DOCKERFILE = "Dockerfile"
_EXPECTING = "Expecting tar archive containing docker image on STDIN"


@contextlib.contextmanager
def pulled(image: str, build_dir: str = "", is_forced: bool = False) -> Iterator[str]:
    """A directory with a Dockerfile for an image, which comes from its registry where this host lacks it.

    is_forced: ask the registry all the same; so does --force before the command.
    """
    _judge(image, build_dir)
    with _generated(image, build_dir) as tree:
        _pull(image, is_forced or settings.is_forced())
        yield tree


@contextlib.contextmanager
def loaded(image: str, build_dir: str = "", stdin: int = run.INHERIT, app: str = "") -> Iterator[str]:
    """A directory with a Dockerfile for an image that arrives on stdin, as `docker save` wrote it.

    app: whose it is. Raises: DokkuError for a name under which another app's image is deployed.
    """
    _judge(image, build_dir)
    owner = image_names.app_of(image)
    if owner not in ("", app):
        raise DokkuError(f"Invalid docker image: {image} is a name of the app {owner}")
    if os.isatty(stdin):
        raise DokkuError(_EXPECTING)
    if not _is_anything_on(stdin):
        raise DokkuError(f"{_EXPECTING}, nothing arrived")
    with _generated(image, build_dir) as tree:
        _load(image, stdin)
        yield tree


def _judge(image: str, build_dir: str) -> None:
    if not image:
        raise DokkuError("Please specify a docker image")
    if not values.is_image(image):
        raise DokkuError(f"Invalid docker image: {values.printable(image)[:300]}")
    if build_dir and not os.path.isdir(build_dir):
        raise DokkuError("Invalid BUILD_DIR specified for docker build context")


@contextlib.contextmanager
def _generated(image: str, build_dir: str) -> Iterator[str]:
    """The directory to commit. A Dockerfile of the build directory gives way to ours."""
    log.info1("Generating build context")
    with scratch.directory("image") as tree:
        if build_dir:
            log.verbose("Syncing build directory context")
            _copy(os.path.realpath(build_dir), tree)
        log.verbose("Setting Dockerfile")
        lines = [f"FROM {image}", f'LABEL {ALTERNATE_TAGS}=[\\"{image}\\"]']
        files.replace_lines(os.path.join(tree, _DOCKERFILE), lines, mode=0o644)
        yield tree


def _pull(image: str, is_forced: bool) -> None:
    """Have the image on this host.

    Clients send --force before any command, so a forced pull that fails is no reason to refuse what is here.
    """
    is_here = bool(docker.inspect_images(image))
    if is_here and not is_forced:
        log.info1("Image exists on host, skipping pull")
        return
    log.info1("Force pulling image" if is_forced else "Pulling image")
    try:
        docker.pull(image)
    except DokkuError as error:
        if error.text:
            log.warn(error.text)
        if not is_here:
            raise DokkuError(f"Failed to pull image: {image}") from error
        log.warn(f"Failed to pull image: {image}")
        log.warn("Continuing with the image that exists on host")


def _load(image: str, stdin: int) -> None:
    """Let docker load the image of that name out of the archive, and nothing else."""
    log.info1("Loading image")
    reading, writing = os.pipe()
    refused: list[DokkuError] = []

    def copy() -> None:
        with (
            contextlib.suppress(BrokenPipeError),  # docker has gone, and has said why
            os.fdopen(os.dup(stdin), "rb") as source,
            os.fdopen(writing, "xb") as target,
        ):
            try:
                image_archives.copy(source, target, image)
            except DokkuError as error:
                refused.append(error)

    copying = threading.Thread(target=copy, daemon=True)
    copying.start()
    try:
        docker.load(reading)
    except ToolFailed as error:
        more = (refused[0].text, *refused[0].more) if refused else ()
        raise DokkuError(f"Failed to load image: {image}", more=more) from error
    finally:
        os.close(reading)
    copying.join()
    if refused:
        raise refused[0]
    if not docker.inspect_images(image):
        raise DokkuError(f"Loaded image tarball but the specified docker image was not found: {image}")


def _is_anything_on(stdin: int) -> bool:
    """Whether a file, pipe or socket has something to read. Waits for its first byte, and leaves it there."""
    known = os.fstat(stdin)
    if stat.S_ISREG(known.st_mode):
        return os.lseek(stdin, 0, os.SEEK_CUR) < known.st_size
    if stat.S_ISCHR(known.st_mode):  # /dev/null
        return False
    ready, _, _ = select.select([stdin], [], [], PATIENCE)
    return bool(ready) and int.from_bytes(fcntl.ioctl(stdin, termios.FIONREAD, bytes(4)), sys.byteorder) > 0


def _copy(top: str, tree: str) -> None:
    """Copy what a directory holds; links stay links, .git and the Dockerfile at the top stay behind.

    Each entry is opened in the directory that was listed, so that nobody can put a link in its place.
    Raises: DokkuError for a device, a pipe or a socket, and for what cannot be read.
    """
    if os.path.commonpath([top, os.path.realpath(tree)]) == top:
        raise DokkuError(f"BUILD_DIR holds our own temporary files: {values.printable(top)}")
    entry = ""
    try:
        for parent, directories, names, descriptor in os.fwalk(top, onerror=_raise):
            left = [name for name in (*directories, *names) if values.is_git_directory(name)]
            left += [_DOCKERFILE] if parent == top else []
            directories[:] = [name for name in directories if name not in left]
            for name in (name for name in (*directories, *names) if name not in left):
                entry = os.path.relpath(os.path.join(parent, name), top)
                _copy_entry(name, descriptor, os.path.join(tree, entry), entry)
    except OSError as error:
        name = values.printable(entry or top)[:300]
        raise DokkuError(f"Unable to copy {name} of BUILD_DIR: {error.strerror}") from error


def _copy_entry(name: str, parent: int, target: str, entry: str) -> None:
    known = os.lstat(name, dir_fd=parent)
    if stat.S_ISLNK(known.st_mode):
        os.symlink(os.readlink(name, dir_fd=parent), target)
    elif stat.S_ISDIR(known.st_mode) and entry.count("/") < MAX_DEPTH:
        os.mkdir(target, 0o755)
    elif stat.S_ISREG(known.st_mode):
        _copy_file(name, parent, target)
    else:
        what = "directories nested too deeply" if stat.S_ISDIR(known.st_mode) else "an unsupported file"
        raise DokkuError(f"BUILD_DIR contains {what}: {values.printable(entry)[:300]}")


def _copy_file(name: str, parent: int, target: str) -> None:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
    with open(descriptor, "rb") as source, open(target, "xb") as copy:
        shutil.copyfileobj(source, copy)
        if os.fstat(descriptor).st_mode & 0o100:
            os.fchmod(copy.fileno(), 0o755)


def _raise(error: OSError) -> None:
    name = values.printable(str(error.filename))
    raise DokkuError(f"Unable to copy {name} of BUILD_DIR: {error.strerror}") from error
