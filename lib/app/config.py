"""An app's environment variables, and the global ones: $DOKKU_ROOT/APP/ENV and $DOKKU_ROOT/ENV.

The names last written are kept beside them (property config/APP/keys). A file that was cut off later, down to
nothing at worst, holds the first of those names only, or ends inside a line: it is refused by name instead of
being taken for the app's config. A person who edits it ends it with a line end, or removes it: that counts.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os.path import isdir, join

from lib.app.env_text import parse as parse
from lib.app.env_text import render as render
from lib.base import files, log, properties, settings, triggers
from lib.base.errors import AppNotFound, DokkuError
from lib.base.values import is_config_key, printable

GLOBAL = properties.GLOBAL
LIMIT = 128 * 1024  # of KEY=VALUE and its NUL: what the kernel hands to a program as one string

_STORE, _KEYS = "config", "keys"
_SETTINGS, _SETTINGS_PREFIXES = ("NO_VHOST", "NO_SSL_VHOST"), ("DOKKU_", "PLUGIN_")


def get(owner: str, key: str, default: str = "") -> str:
    """One variable of an app or of GLOBAL, or default when it is not set."""
    return values(owner).get(key, default)


def effective(app: str, key: str, default: str = "") -> str:
    """The app's own value, else the global one, else default."""
    own = values(app)
    return own[key] if key in own else get(GLOBAL, key, default)


def is_true(app: str, key: str) -> bool:
    return effective(app, key) == "true"


def is_setting(key: str) -> bool:
    """Whether a variable is a setting of dokku or of a plugin, which is the operator's to change."""
    return key in _SETTINGS or key.startswith(_SETTINGS_PREFIXES)


def values(owner: str) -> dict[str, str]:
    """All variables of an app or of GLOBAL, in byte order. Names that are no valid keys are left out.

    Raises: DokkuError naming the file, when it can't be read as a whole.
    """
    return {key: value for key, value in sorted(_held(owner).items()) if is_config_key(key)}


def merged(app: str) -> dict[str, str]:
    """The global variables, overlaid by the app's own: what its containers get."""
    own = {} if app == GLOBAL else values(app)
    return dict(sorted({**values(GLOBAL), **own}.items()))


def set_values(owner: str, new: Mapping[str, str]) -> None:
    """Set variables of an app or of GLOBAL, without a word or a restart. Fires post-config-update.

    Raises: DokkuError before anything is written, when one of them can't be an environment variable.
    """
    if not new:
        return
    for key, value in new.items():
        _verify(key, value)
    _change(owner, lambda held: {**held, **new})
    _announce(owner, "set", *new)


def unset_values(owner: str, keys: Iterable[str]) -> list[str]:
    """Drop variables without a word or a restart; the keys that were set.

    Fires post-config-update if any were. Raises: DokkuError before anything is written, for an invalid key.
    """
    wanted = list(dict.fromkeys(keys))
    for key in wanted:
        _verify(key)
    held = _change(owner, lambda held: {key: held[key] for key in held if key not in wanted})
    dropped = [key for key in wanted if key in held]
    if dropped:
        _announce(owner, "unset", *dropped)
    return dropped


@contextmanager
def restored_on_failure(app: str, *keys: str, unless: Callable[[], bool]) -> Iterator[None]:
    """When the block fails, these variables are again what they were before.

    unless: whether the new version serves all the same.
    """
    before = values(app)
    try:
        yield
    except BaseException:
        if not unless():
            restore(app, before, keys)
        raise


def restore(app: str, before: Mapping[str, str], keys: Iterable[str]) -> None:
    """Give some variables the values, or the absence, that they have in `before`."""
    now = values(app)
    changed = [key for key in keys if key and now.get(key) != before.get(key)]
    set_values(app, {key: before[key] for key in changed if key in before})
    if any(key not in before for key in changed):
        unset_values(app, [key for key in changed if key not in before])


def clear_values(owner: str) -> list[str]:
    """Drop all variables, also those of a file that was cut off; the keys known to have been set."""
    with files.locked(path(owner)):
        try:
            held = values(owner)
        except DokkuError:
            held = dict.fromkeys(properties.get_list(_STORE, owner, _KEYS), "")
        _write(owner, {})
    _announce(owner, "clear")
    return list(held)


def replace_values(owner: str, new: Mapping[str, str]) -> None:
    """Put these variables in place of all others. Fires post-config-update. Raises: as `set_values`."""
    for key, value in new.items():
        _verify(key, value)
    with files.locked(path(owner)):
        _write(owner, new)
    _announce(owner, "set", *new)


def path(owner: str) -> str:
    """The ENV file of an app or of GLOBAL."""
    return join(settings.root(), "ENV") if owner == GLOBAL else join(settings.app_dir(owner), "ENV")


def _held(owner: str) -> dict[str, str]:
    """What the file says, invalid keys included. Where there is none, what a later release left elsewhere."""
    name = path(owner)
    text = files.read(name, "\0")
    if text == "\0":
        name = join(settings.lib(), "config", owner, "ENV")
        return parse(files.read(name), name)
    found = _parsed(text, name)
    if not text.endswith("\n"):
        _refuse_torn(name, text, list(found), properties.get_list(_STORE, owner, _KEYS))
    return found


@functools.lru_cache(maxsize=512)
def _parsed(text: str, name: str) -> dict[str, str]:
    """One file is asked for some thirty variables while a vhost is made. The callers change nothing."""
    return parse(text, name)


def _refuse_torn(name: str, text: str, found: list[str], written: list[str]) -> None:
    """`written`: the keys of the last whole write; the form of `render` makes every other cut show."""
    if not _is_start_of(found, written) and not (written and text.rpartition("\n")[2] == f"{written[-1]}="):
        return
    raise DokkuError(
        f"{name} is cut off: it held {', '.join(written)}",
        more=("Put it back from a backup, or edit it, or start anew with config:clear",),
    )


def _is_start_of(some: Sequence[str], whole: Sequence[str]) -> bool:
    return len(some) < len(whole) and list(whole[: len(some)]) == list(some)


def _change(owner: str, edit: Callable[[dict[str, str]], dict[str, str]]) -> dict[str, str]:
    """Rewrite the file under its lock; what it held before."""
    with files.locked(path(owner)):
        found = _held(owner)
        held = {key: value for key, value in found.items() if is_config_key(key)}
        new = edit(held)
        if new != found:
            for key in found.keys() - held.keys():
                log.info1(f"Deleting invalid key {printable(key)} from config for {owner}")
            _write(owner, new)
    return held


def _write(owner: str, new: Mapping[str, str]) -> None:
    """The file, and its names beside it, in the order in which a crash leaves a readable pair."""
    if owner != GLOBAL and not isdir(settings.app_dir(owner)):
        raise AppNotFound(owner)
    keys, before = sorted(new), properties.get_list(_STORE, owner, _KEYS)
    shrinks = _is_start_of(keys, before)
    if shrinks:
        properties.write_list(_STORE, owner, _KEYS, keys)
    files.replace(path(owner), render(new))
    if not shrinks and keys != before:
        properties.write_list(_STORE, owner, _KEYS, keys)


def _verify(key: str, value: str = "") -> None:
    if not is_config_key(key):
        raise DokkuError(f"Invalid key name: '{key}'")
    if "\0" in value:
        raise DokkuError(f"Invalid value for {key}: it holds a NUL byte")
    size = len(f"{key}={value}".encode("utf-8", "surrogateescape"))
    if size >= LIMIT:
        raise DokkuError(f"Invalid value for {key}: {size} bytes with its name, the limit is {LIMIT - 1}")


def _announce(owner: str, operation: str, *keys: str) -> None:
    """Names only: values must not stand in a program's arguments. Nobody may stop a change already made."""
    try:
        triggers.fire("post-config-update", owner, operation, *keys)
    except DokkuError as error:
        reason = error.text or f"exit status {error.exit_code}"
        log.warn(f"Failure while triggering post-config-update: {reason}")
