"""resource:* - what containers of a process type may use at most, and what is kept for them.

Property resource/APP/PROCESS.limit.KEY or .reserve.KEY; process `_default_` is for every type that has no
value of its own. Source: dokku v0.24.0 plugins/resource; limits of builds are 0.38's.
"""

import re
import shlex
from collections.abc import Iterable, Mapping

from lib.app import apps
from lib.base import log, properties, values
from lib.base.errors import DokkuError
from lib.base.report import Row

KEYS = ("cpu", "memory", "memory-swap", "network", "network-ingress", "network-egress", "nvidia-gpu")
LIMIT, RESERVE = "limit", "reserve"
DEFAULT = "_default_"
CLEAR = "clear"  # as a value: unset

_PLUGIN = "resource"
_NOUNS = {LIMIT: "limits", RESERVE: "reservation"}
_FLAGS = {  # what docker has for it; the rest is for schedulers of plugins
    (LIMIT, "cpu"): "--cpus",
    (LIMIT, "memory"): "--memory",
    (LIMIT, "memory-swap"): "--memory-swap",
    (LIMIT, "nvidia-gpu"): "--gpus",
    (RESERVE, "memory"): "--memory-reservation",
}
_KNOWN_BY_BUILDERS = {  # it builds in a container; docker's build has flags for memory alone
    "herokuish": ("cpu", "memory", "memory-swap", "nvidia-gpu"),
    "dockerfile": ("memory", "memory-swap"),
}
_VALUE = re.compile(r"[!-~]{1,128}")
_LEAST_BYTES = 6 * 1024 * 1024  # docker's own


def change(app: str, kind: str, process: str, wanted: Mapping[str, str]) -> None:
    """Set or (value `clear`) unset some of a type's values; show all of them when none is given.

    wanted: value by key, empty for those to leave as they are. Raises: DokkuError for a bad value or type.
    """
    apps.verify_app_name(app)
    process = _verified(process) or DEFAULT
    given = {key: wanted[key] for key in KEYS if wanted.get(key)}
    if not given:
        _show(app, kind, process)
        return
    for key, text in given.items():
        if not _VALUE.fullmatch(text):
            raise DokkuError(f"Invalid value for {key}, it must be one word")
    log.info2_quiet(f"Setting resource {_NOUNS[kind]} for {app}{_of(process)}")
    for key, text in given.items():
        log.verbose(f"{key}: {'cleared' if text == CLEAR else text}")
        if text == CLEAR:
            properties.delete(_PLUGIN, app, f"{process}.{kind}.{key}")
        else:
            properties.write(_PLUGIN, app, f"{process}.{kind}.{key}", text)


def clear(app: str, kind: str, process: str) -> None:
    """Unset the values of a type; those of all types when none is named."""
    apps.verify_app_name(app)
    chosen = _verified(process)
    log.info2_quiet(f"clearing {app} {_NOUNS[kind]}{_of(chosen or DEFAULT)}")
    for name in properties.get_all(_PLUGIN, app):
        owner, its_kind, _ = _parts(name)
        if its_kind == kind and chosen in ("", owner):
            properties.delete(_PLUGIN, app, name)


def value(app: str, process: str, kind: str, key: str) -> str:
    """A type's own value, else the default one; empty for neither."""
    name = f"{kind}.{key}"
    if "/" in f"{process}{name}":
        return ""
    stored = properties.get_all(_PLUGIN, app)
    return stored.get(f"{process}.{name}", stored.get(f"{DEFAULT}.{name}", ""))


def flags(app: str, process: str, with_defaults: bool = True) -> list[str]:
    """Docker's options for a container of a type, each a string of shell words."""
    return _flags(app, process, _FLAGS, with_defaults)


def flags_of_build(app: str, builder: str) -> list[str]:
    """Docker's options for a build: the limits of type `build` that a builder knows, and no defaults."""
    known = [(LIMIT, key) for key in _KNOWN_BY_BUILDERS.get(builder, ())]
    return _flags(app, "build", known, with_defaults=False)


def rows(app: str) -> list[Row]:
    """What resource:report knows of an app: what somebody set, and only that."""
    return [
        Row(f"--resource-{name}", text, label=f"{name.replace('.', ' ').replace('-', ' ')}:")
        for name, text in properties.get_all(_PLUGIN, app).items()
    ]


def _flags(app: str, process: str, known: Iterable[tuple[str, str]], with_defaults: bool) -> list[str]:
    """known: kind and key of what counts."""
    stored = properties.get_all(_PLUGIN, app)
    found = []
    for kind, key in known:
        default = stored.get(f"{DEFAULT}.{kind}.{key}", "") if with_defaults else ""
        text = stored.get(f"{process}.{kind}.{key}", default).strip()
        if text:
            value = shlex.quote(_with_unit(text) if key == "memory" else text)
            found.append(f"{_FLAGS[kind, key]}={value}")
    return found


def _show(app: str, kind: str, process: str) -> None:
    whose = _of(process) or " [defaults]"
    log.info2_quiet(f"resource {_NOUNS[kind]} {app} information{whose}")
    for key in KEYS:
        log.verbose(f"{key}: {properties.get(_PLUGIN, app, f'{process}.{kind}.{key}')}")


def _verified(process: str) -> str:
    if process and process != DEFAULT and not values.is_process(process):
        raise DokkuError(f"Invalid process type specified ({values.printable(process)})")
    return process


def _of(process: str) -> str:
    return "" if process == DEFAULT else f" ({process})"


def _parts(name: str) -> tuple[str, str, str]:
    process, _, rest = name.partition(".")
    kind, _, key = rest.partition(".")
    return process, kind, key


def _with_unit(memory: str) -> str:
    """A number of bytes that docker would refuse as too small is one of megabytes, as Dokku documents it."""
    small = values.is_number(memory) and 0 < int(memory) < _LEAST_BYTES
    return f"{memory}m" if small else memory
