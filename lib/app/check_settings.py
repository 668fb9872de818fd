"""Which process types are deployed without checks or with downtime, and how patient checks are.

Kept where dokku v0.24.0 keeps it: in the app's config, DOKKU_CHECKS_DISABLED and _SKIPPED (comma lists or
`_all_`) and one variable per number. Source: dokku v0.24.0 plugins/checks.
"""

from collections.abc import Sequence

from lib.app import config, processes
from lib.base import files, log, properties, settings, values
from lib.base.errors import DokkuError
from lib.base.report import Row

ALL = "_all_"
DISABLED, SKIPPED = "DOKKU_CHECKS_DISABLED", "DOKKU_CHECKS_SKIPPED"
PROPERTIES = {  # property of later releases: variable, default in seconds (attempts: a count)
    "attempts": ("DOKKU_CHECKS_ATTEMPTS", 5),
    "default-wait": ("DOKKU_DEFAULT_CHECKS_WAIT", 10),
    "timeout": ("DOKKU_CHECKS_TIMEOUT", 30),
    "wait": ("DOKKU_CHECKS_WAIT", 5),
    "wait-to-retire": ("DOKKU_WAIT_TO_RETIRE", 60),
}
URL_NETWORKS = "url-networks"
_LIMIT = 24 * 3600
_LATER = {DISABLED: "disabled", SKIPPED: "skipped"}  # where later releases keep the lists


def is_disabled(app: str, process: str) -> bool:
    """Whether the running containers of a type are stopped before new ones start."""
    return _has(listed(app, DISABLED), process)


def is_skipped(app: str, process: str) -> bool:
    """Whether new containers of a type serve at once, unchecked."""
    return _has(listed(app, SKIPPED), process)


def disable(app: str, words: Sequence[str]) -> None:
    """Ask for downtime for some types; for all when none is named."""
    _say("Disabling zero downtime for", app, types_in(app, words), "")
    _move(app, types_in(app, words), into=DISABLED, out_of=SKIPPED)


def skip(app: str, words: Sequence[str]) -> None:
    """Deploy some types unchecked; all when none is named."""
    _say("Skipping zero downtime for", app, types_in(app, words), "")
    _move(app, types_in(app, words), into=SKIPPED, out_of=DISABLED)


def enable(app: str, words: Sequence[str]) -> None:
    """Check some types again; all when none is named."""
    types = types_in(app, words)
    _say("Enabling zero downtime for", app, types, "'s")
    with files.locked(settings.data("checks", app)):
        for variable in (DISABLED, SKIPPED):
            _write(app, variable, _without(app, listed(app, variable), types) if types else [])


def types_in(app: str, words: Sequence[str]) -> list[str]:
    """The process types that arguments name, comma separated or not; none stands for all.

    Raises: DokkuError for what can't be a type.
    """
    named = [name for word in words for name in word.split(",") if name]
    for name in named:
        if name != ALL and not values.is_process(name):
            raise DokkuError(f"Invalid process type specified ({app}.{values.printable(name)})")
    return [] if ALL in named else list(dict.fromkeys(named))


def listed(app: str, variable: str) -> list[str]:
    """The types in one of the two lists."""
    text = config.get(app, variable) or properties.get("checks", app, _LATER[variable])
    return [name.strip() for name in text.split(",") if name.strip()]


def number(app: str, key: str) -> int:
    """A property's value: the app's, the global one, or the default; the default for what is no number."""
    variable, default = PROPERTIES[key]
    text = config.effective(app, variable) or _later(app, key)
    return int(text) if values.is_number(text) and 0 <= int(text) <= _LIMIT else default


def url_networks() -> list[str]:
    """The networks, besides the public ones, that an onFailure url may lead to."""
    return list(filter(None, properties.get("checks", properties.GLOBAL, URL_NETWORKS).split(",")))


def _set_url_networks(app: str, value: str) -> None:
    if app != properties.GLOBAL:
        raise DokkuError("Property can only be specified globally")
    if not value:
        log.info2_quiet(f"Unsetting {URL_NETWORKS}")
        properties.delete("checks", app, URL_NETWORKS)
        return
    import ipaddress

    try:
        found = [str(ipaddress.ip_network(word, strict=False)) for word in value.split(",")]
    except ValueError:
        raise DokkuError(
            f"Invalid value for {URL_NETWORKS}, it must be networks: 10.0.0.0/8,fd00::/8"
        ) from None
    log.info2_quiet(f"Setting {URL_NETWORKS} to {','.join(found)}")
    properties.write("checks", app, URL_NETWORKS, ",".join(found))


def set_(app: str, key: str, value: str) -> None:
    """Set or (no value) unset one property of an app or of --global. Raises: DokkuError for a bad one."""
    if not key:
        raise DokkuError("No key specified")
    if key == URL_NETWORKS:
        _set_url_networks(app, value)
        return
    if key not in PROPERTIES:
        known = ", ".join([*PROPERTIES, URL_NETWORKS])
        raise DokkuError(f"Invalid key specified, valid keys include: {known}")
    variable, _ = PROPERTIES[key]
    if not value:
        log.info2_quiet(f"Unsetting {key}")
        config.unset_values(app, [variable])
        return
    if not values.is_number(value) or not 0 <= int(value) <= _LIMIT:
        raise DokkuError(f"Invalid value for {key}, it must be a number from 0 to {_LIMIT}")
    log.info2_quiet(f"Setting {key} to {value}")
    config.set_values(app, {variable: value})


def rows(app: str) -> list[Row]:
    """What checks:report knows: the two lists first, clients read line by line."""
    return [
        Row("--checks-disabled-list", ",".join(listed(app, DISABLED)) or "none"),
        Row("--checks-skipped-list", ",".join(listed(app, SKIPPED)) or "none"),
        *(row for key in PROPERTIES for row in _number_rows(app, key)),
    ]


def global_rows() -> list[Row]:
    return [Row(f"--checks-global-{key}", _global(key), newer=False) for key in PROPERTIES]


def _number_rows(app: str, key: str) -> list[Row]:
    return [
        Row(f"--checks-{key}", config.get(app, PROPERTIES[key][0]), newer=True),
        Row(f"--checks-computed-{key}", str(number(app, key)), newer=True),
        Row(f"--checks-global-{key}", _global(key), newer=True),
    ]


def _global(key: str) -> str:
    variable, default = PROPERTIES[key]
    return config.get(config.GLOBAL, variable) or str(default)


def _later(app: str, key: str) -> str:
    """What a later release left in the property store."""
    return properties.get("checks", app, key) or properties.get("checks", config.GLOBAL, key)


def _has(names: Sequence[str], process: str) -> bool:
    return ALL in names or process in names


def _move(app: str, types: Sequence[str], into: str, out_of: str) -> None:
    with files.locked(settings.data("checks", app)):
        kept = [name for name in listed(app, into) if name not in types and name != ALL]
        left = [name for name in listed(app, out_of) if name not in types]
        _write(app, out_of, left if types else [])
        _write(app, into, [*kept, *types] if types else [ALL])


def _without(app: str, names: Sequence[str], types: Sequence[str]) -> list[str]:
    """A list that loses some types; `_all_` becomes the others that the app has."""
    known = list(processes.counts(app)) if ALL in names else names
    return [name for name in known if name not in types]


def _write(app: str, variable: str, names: Sequence[str]) -> None:
    properties.delete("checks", app, _LATER[variable])
    if names:
        config.set_values(app, {variable: ",".join(names)})
    else:
        config.unset_values(app, [variable])


def _say(what: str, app: str, types: Sequence[str], possessive: str) -> None:
    if types:
        log.info1(f"{what} app's ({app}) proctypes ({','.join(types)})")
    else:
        log.info1(f"{what} app{possessive} ({app})")
