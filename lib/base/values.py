"""Typed values: what may be an app name, a domain, a port map. One validator each, used by every way in.

Also for values read back from disk, which people edit. Matches are of the whole value: "a\\n" is no name.
"""

import re

from lib.base.errors import DokkuError

NO_APP = "Please specify an app to run the command on"
_BEGIN = "App name must begin with lowercase alphanumeric character, and "
BAD_NAME = _BEGIN + "cannot include uppercase characters, colons, or underscores"
BAD_NAME_STRICT = _BEGIN + "may only contain lowercase alphanumerics, dots, and hyphens"

_NEW_APP = re.compile(r"[a-z0-9][a-z0-9.-]*")
_APP = re.compile(r"[a-z0-9][a-z0-9._-]*")
_KEY = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_PROCESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_HOST_AND_PORT = re.compile(r"(?P<host>[^:\[\]]+|\[[^\[\]]+\])(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BAD_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|\Z)|\.\Z|/\Z|\A/|\A\.|\A-|\A@\Z")

_HOST_LABEL = r"[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*"
_PATH_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?P<name>(?:{_HOST_LABEL}(?:(?:\.{_HOST_LABEL})+(?::[0-9]{{1,5}})?|:[0-9]{{1,5}})/)?"
    rf"{_PATH_PART}(?:/{_PATH_PART})*)"
    r"(?::[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127})?"
    r"(?:@sha256:[0-9a-f]{64}|@sha384:[0-9a-f]{96}|@sha512:[0-9a-f]{128})?"
)


def is_new_app_name(name: str) -> bool:
    """Whether an app may be created under this name: it becomes a directory, an image and an upstream."""
    return (
        _NEW_APP.fullmatch(name) is not None
        and len(name) <= 128
        and not name.endswith((".", "-"))
        and not any(pair in name for pair in ("..", ".-", "-."))
        and name not in ("dokkurc", "tls")
    )


def is_app_name(name: str) -> bool:
    """Whether an existing app may have this name: also underscores, as old releases allowed."""
    return _APP.fullmatch(name) is not None and len(name) <= 128


def bad_app_name(name: str) -> DokkuError:
    """The refusal of a name: Dokku 0.24's text where its rule applies, the stricter one elsewhere."""
    if not name:
        return DokkuError(NO_APP)
    old_rule = re.search(r"[A-Z:_]|\A[^a-z0-9]", name) is not None
    return DokkuError(BAD_NAME if old_rule else BAD_NAME_STRICT)


def is_config_key(key: str) -> bool:
    return _KEY.fullmatch(key) is not None


def is_process(name: str) -> bool:
    """Whether this may name a process type: web, worker."""
    return _PROCESS.fullmatch(name) is not None


def is_identifier(name: str) -> bool:
    """Whether this may name a key, a property, a plugin."""
    return _IDENTIFIER.fullmatch(name) is not None


def is_domain(domain: str) -> bool:
    """Whether this is a lower-case host name: labels of at most 63, one leading `*.` at most."""
    labels = domain.removeprefix("*.").split(".")
    return len(domain) <= 253 and all(_LABEL.fullmatch(label) for label in labels)


def is_host(name: str) -> bool:
    """Whether this is a host name in any letter case, or an IP address; one of IPv6 may stand in []."""
    address = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    if ":" in address:
        import ipaddress  # 3 ms

        try:
            return ipaddress.IPv6Address(address).scope_id is None
        except ValueError:
            return False
    return name == address and is_domain(name.lower()) and not name.startswith("*")


def split_host(text: str) -> tuple[str, str]:
    """The host and the port of HOST[:PORT], without []; the port may be empty, both are for anything else."""
    match = _HOST_AND_PORT.fullmatch(text)
    host, port = (text, "") if match is None else (match["host"], match["port"] or "")
    if not is_host(host) or (port and not is_port(port)):
        return "", ""
    return host.strip("[]"), port


def joined_host(ip: str, port: int | str) -> str:
    """IP:PORT, with [] where an address has colons of its own."""
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def is_ref(name: str) -> bool:
    """Whether git takes this as a branch or tag name. Source: git-check-ref-format(1)."""
    return bool(name) and len(name) <= 255 and _BAD_REF.search(name) is None and name != "HEAD"


def is_git_directory(name: str) -> bool:
    """Whether some file system takes this for `.git`."""
    return name.casefold().rstrip(". ") in (".git", "git~1")


def is_image(name: str) -> bool:
    """Whether this names a docker image: [HOST[:PORT]/]PATH[:TAG][@DIGEST], or an id of one.

    Source: github.com/distribution/reference, the grammar in its documentation. Its limit of 255 counts the
    docker.io/library/ that a short name stands for.
    """
    match = _IMAGE.fullmatch(name)
    return match is not None and len(match["name"]) <= 237


def is_port(text: str) -> bool:
    return is_number(text) and 1 <= int(text) <= 65535


def is_number(text: str) -> bool:
    """Whether these are ASCII digits, with at most a minus before them."""
    return _NUMBER.fullmatch(text) is not None


def number(text: str, least: int, refusal: str) -> int:
    """The integer that text spells. Raises: DokkuError(refusal) when it is none, or below least."""
    if not is_number(text) or int(text) < least:
        raise DokkuError(refusal)
    return int(text)


def has_control_characters(text: str) -> bool:
    return _CONTROL.search(text) is not None


def without_credentials(url: str) -> str:
    """A url as it may be shown: https://user:password@host/path is https://host/path."""
    return re.sub(r"(//)[^/?#\\]*@", r"\1", url, count=1) if url.lower().startswith("http") else url


def printable(text: str) -> str:
    """Text of unknown origin for a message: control characters escaped."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
