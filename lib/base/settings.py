"""Every path and program of the host, and the environment that triggers and commands see.

Values come from the environment, /etc/default/dokku, $DOKKU_ROOT/dokkurc and $DOKKU_ROOT/.dokkurc/*; the
entry points call `load_host` (root-owned files), change user, then `load_user`. Everything here reads
os.environ at each call, so a second instance is a second set of variables.
Source: dokku v0.24.0 `dokku`; names and defaults are public, plugins read them.
"""

import os
import pwd
import re

from lib.base.errors import DokkuError

VERSION = "0.24.1"
NOT_IMPLEMENTED = 10  # a plugin's `commands` file: not mine
LABELS = {
    "org.label-schema.schema-version": "1.0",
    "org.label-schema.vendor": "dokku",
    "dokku": "",
}
NGINX_CONF = "/etc/nginx/nginx.conf"  # what nginx reads where its command names no other
SYSTEMD = "/run/systemd/system"  # is there where systemd is process 1
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_CONSTANTS = {
    "DOKKU_API_VERSION": "1",
    "DOKKU_NOT_IMPLEMENTED_EXIT": str(NOT_IMPLEMENTED),
    "DOKKU_VALID_EXIT": "0",
    "DOKKU_IMAGE": "gliderlabs/herokuish:latest",
    "DOKKU_CNB_BUILDER": "heroku/buildpacks",
    "DOKKU_CONTAINER_LABEL": "dokku",
}
_ASSIGNMENT = re.compile(
    r"""(?:export[ \t]+)?([A-Za-z_]\w*)="""
    r"""(?:'([^']*)'|"([^"$`\\]*)"|([^\s'"$`\\;&|()<>#*?\[~]*))[ \t]*(?:#.*)?"""
)
_HOSTILE = ("LD_", "PYTHON", "DYLD_")
_HOSTILE_NAMES = (
    *("BASH_ENV", "ENV", "IFS", "CDPATH", "POSIXLY_CORRECT", "TMP", "TMPDIR", "TEMP", "TEMPDIR"),
    *("TAR_OPTIONS", "UNZIP", "UNZIPOPT", "ZIPINFO", "GZIP"),
)


def load_host() -> None:
    """Take the host's settings from /etc/default/dokku. Missing or unreadable: nothing."""
    path = os.environ.get("DOKKU_DEFAULTS_FILE", "/etc/default/dokku")
    if os.access(path, os.R_OK):
        _source(path)


def load_user() -> None:
    """Take dokkurc and .dokkurc/*, then export everything plugins rely on.

    Root takes none of them on another user's behalf: that user can write what stands there.
    Raises: DokkuError when one of the files can't be read.
    """
    for path in _user_files() if os.geteuid() != 0 or user() == "root" else ():
        if not os.access(path, os.R_OK):
            raise DokkuError(f"Unable to read {path} for sourcing")
        _source(path)
    _export()


def is_forced() -> bool:
    """Whether --force stood anywhere among the words of this call, or of the one that called us."""
    return bool(os.environ.get("DOKKU_APPS_FORCE_DELETE"))


def clean_environment() -> None:
    """Drop what could change the programs we start: loader, interpreter and archiver variables, an umask."""
    os.umask(0o022)
    for name in list(os.environ):
        if name.startswith(_HOSTILE) or name in _HOSTILE_NAMES:
            del os.environ[name]
    known = os.environ.get("PATH", "").split(":")
    os.environ["PATH"] = ":".join([p for p in known if p] + [p for p in PATH.split(":") if p not in known])
    os.environ["LC_ALL"] = "C.UTF-8"
    os.environ.setdefault("HOME", root())


def user() -> str:
    return os.environ.get("DOKKU_SYSTEM_USER") or "dokku"


def group() -> str:
    return os.environ.get("DOKKU_SYSTEM_GROUP") or user()


def root() -> str:
    """DOKKU_ROOT: one directory per app, which is its bare git repository too."""
    found = os.environ.get("DOKKU_ROOT")
    if found:
        return found
    try:
        return pwd.getpwnam(user()).pw_dir
    except KeyError:
        return "/home/dokku"


def lib() -> str:
    """DOKKU_LIB_ROOT: properties, data, plugins. Set through DOKKU_LIB_PATH."""
    return os.environ.get("DOKKU_LIB_PATH") or os.environ.get("DOKKU_LIB_ROOT") or "/var/lib/dokku"


def logs() -> str:
    return os.environ.get("DOKKU_LOGS_DIR") or "/var/log/dokku"


def app_dir(app: str) -> str:
    return os.path.join(root(), app)


def data(plugin: str, app: str = "") -> str:
    """Where a core plugin keeps files that are not properties."""
    return os.path.join(lib(), "data", plugin, app) if app else os.path.join(lib(), "data", plugin)


def kept_for(app: str) -> list[str]:
    """Where plugins keep data and properties of an app, whether there is any or not."""
    tops = [os.path.join(lib(), kind) for kind in ("config", "data")]
    plugins = [os.path.join(top, name) for top in tops if os.path.isdir(top) for name in os.listdir(top)]
    return [os.path.join(plugin, app) for plugin in sorted(plugins)]


def temporary() -> str:
    """Private directory for everything short-lived; mode 0700."""
    return os.path.join(lib(), "tmp")


def plugins_enabled() -> str:
    return os.path.join(os.environ.get("PLUGIN_PATH") or os.path.join(lib(), "plugins"), "enabled")


def core_plugins() -> str:
    return os.environ.get("PLUGIN_CORE_PATH") or os.path.join(lib(), "core-plugins")


def docker() -> str:
    return os.environ.get("DOCKER_BIN") or "docker"


def app_networks() -> list[str]:
    """The ranges that apps' own networks are made of, in order of preference; DOKKU_APP_NETWORKS.

    Private ones, as apps trust proxies by those. docker's own networks start at 172.17.0.0.
    """
    return os.environ.get("DOKKU_APP_NETWORKS", "").replace(",", " ").split() or [
        "172.16.0.0/16",
        "10.213.0.0/16",
    ]


def nginx_logs() -> str:
    return os.environ.get("DOKKU_NGINX_LOG_DIR") or "/var/log/nginx"


def nginx_caches() -> str:
    """A directory of root's where nginx makes those of its caches."""
    usual = "/var/cache/nginx"  # nginx.org's packages; Debian's have the other
    return os.environ.get("DOKKU_NGINX_CACHE_DIR") or (usual if os.path.isdir(usual) else "/var/lib/nginx")


def nginx_pid_file() -> str:
    return os.environ.get("DOKKU_NGINX_PID_FILE") or "/run/nginx.pid"


def nginx_test() -> list[str]:
    """The words that test the whole nginx configuration; sudoers allows exactly these, and the next ones."""
    return _words("DOKKU_NGINX_TEST_COMMAND", "/usr/sbin/nginx -t")


def nginx_reload() -> list[str]:
    return _words("DOKKU_NGINX_RELOAD_COMMAND", _service("reload", "/usr/sbin/nginx -s reload"))


def nginx_start() -> list[str]:
    return _words("DOKKU_NGINX_START_COMMAND", _service("start", "/usr/sbin/service nginx start"))


def nginx_stop() -> list[str]:
    return _words("DOKKU_NGINX_STOP_COMMAND", _service("stop", "/usr/sbin/service nginx stop"))


def has_systemd() -> bool:
    """Return whether systemd runs this machine. Source: sd_booted(3)."""
    return os.path.isdir(SYSTEMD)


def _service(word: str, without_systemd: str) -> str:
    return f"/usr/bin/systemctl {word} nginx" if has_systemd() else without_systemd


def _words(name: str, default: str) -> list[str]:
    words = os.environ.get(name, "").split()
    if words:
        return words
    return ([] if os.geteuid() == 0 else ["sudo", "-n"]) + default.split()


def _user_files() -> list[str]:
    directory = os.path.join(root(), ".dokkurc")
    names = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    files = [os.path.join(root(), "dokkurc"), *(os.path.join(directory, name) for name in names)]
    return [path for path in files if os.path.isfile(path)]


def _export() -> None:
    """What every trigger and subcommand may count on. Source: dokku v0.24.0 `dokku`."""
    labels = " ".join(
        f"--label={key}={value}" if value else f"--label={key}" for key, value in LABELS.items()
    )
    defaults = {
        **_CONSTANTS,
        "DOKKU_ROOT": root(),
        "DOKKU_HOST_ROOT": root(),
        **_plugin_paths("PLUGIN", os.environ.get("PLUGIN_PATH") or os.path.join(lib(), "plugins")),
        **_plugin_paths("PLUGIN_CORE", core_plugins()),
        "DOKKU_SYSTEM_USER": user(),
        "DOKKU_SYSTEM_GROUP": group(),
        "DOKKU_PID": str(os.getpid()),
        "DOCKER_BIN": docker(),
        "DOKKU_LOGS_DIR": logs(),
        "DOKKU_LOGS_HOST_DIR": logs(),
        "DOKKU_EVENTS_LOGFILE": os.path.join(logs(), "events.log"),
        "DOKKU_GLOBAL_BUILD_ARGS": labels,
        "DOKKU_GLOBAL_RUN_ARGS": labels,
        "SSH_USER": os.environ.get("USER") or "root",
        "SSH_NAME": "default",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    os.environ["DOKKU_LIB_ROOT"] = lib()
    if os.environ.get("NAME"):  # from the forced command of a key; what a client sent along does not count
        os.environ["SSH_NAME"] = os.environ["NAME"]
    if "DOKKU_DISTRO" not in os.environ:
        os.environ["DOKKU_DISTRO"] = _distribution()


def _plugin_paths(prefix: str, top: str) -> dict[str, str]:
    below = {f"{prefix}_{name.upper()}_PATH": os.path.join(top, name) for name in ("available", "enabled")}
    return {f"{prefix}_PATH": top, **below}


def _distribution() -> str:
    try:
        with open("/etc/os-release", encoding="utf-8") as file:
            lines = [line for line in file if line.startswith("ID=")]
    except OSError:
        return ""
    return lines[0].partition("=")[2].strip().strip('"') if lines else ""


def _source(path: str) -> None:
    """Set what a shell file assigns: plain assignments here, anything cleverer by bash itself."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        lines = [line.strip() for line in file]
    found: dict[str, str] = {}
    for line in lines:
        if not line or line.startswith("#"):
            continue
        match = _ASSIGNMENT.fullmatch(line)
        if match is None:
            found = _sourced_by_bash(path)
            break
        found[match[1]] = next((text for text in match.group(2, 3, 4) if text is not None), "")
    os.environ.update(found)


def _sourced_by_bash(path: str) -> dict[str, str]:
    from lib.base import environment, run

    script = 'set -a; . "$1" >/dev/null || exit 1; exec env -0'
    listing = run.capture("bash", "-c", script, "dokku", os.path.abspath(path), env=environment.whole())
    pairs = (entry.partition("=") for entry in listing.split("\0") if "=" in entry)
    return {name: value for name, _, value in pairs if name not in ("_", "SHLVL", "PWD", "OLDPWD")}
