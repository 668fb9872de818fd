"""The keys that may log in: $DOKKU_ROOT/.ssh/authorized_keys, one line per key, each with our forced command.

Source: sshcommand's `acl-add` and `list`, and dokku v0.24.0 plugins/ssh-keys. The form of a line is public:
sshcommand and other scripts read the same file, so lines that are not ours are kept as they are.
"""

import os
import re
import sys
from typing import NamedTuple

from lib.base import files, identity, log, settings, values
from lib.base.errors import DokkuError
from lib.tools import ssh

_OPTIONS = "no-agent-forwarding,no-user-rc,no-X11-forwarding,no-port-forwarding"
_KEY = re.compile(r"(?P<type>(sk-)?(ssh|ecdsa)-[a-z0-9@.-]+) (?P<blob>[A-Za-z0-9+/]+=*)( [^\x00-\x1f\x7f]*)?")
_LINE = re.compile(r'((?P<options>(?:"(?:[^"\\]|\\.)*"|[^\s"])+)\s+)?(?P<key>(sk-)?(ssh|ecdsa)-\S+\s+\S+.*)')
_COMMAND = re.compile(
    r'command="FINGERPRINT=(?P<fp>\S+) NAME=(\\"(?P<name>[^"\\]*)\\"|(?P<bare>\S+)) [^"]*",?'
)
_HOW_TO_REMOVE = "A {0} is required to remove a key, ie: dokku ssh-keys:remove {1}"


class Key(NamedTuple):
    """One line of the file. name: empty in a line that is not ours. options: without the forced command."""

    name: str
    fingerprint: str
    options: str
    public: str


def add(name: str, file: str) -> None:
    """Let a key in under a name, and print its fingerprint. file: where the key is, stdin if empty.

    Raises: DokkuError when the file then holds a line that is no key; the new key is kept nevertheless.
    """
    if not values.is_identifier(name):
        raise DokkuError(f"Invalid ssh key name: '{values.printable(name)}'")
    public, fingerprint = _verified(_given(file))
    with files.locked(path()):
        lines = files.read(path()).splitlines()
        _refuse_duplicates(lines, name, fingerprint)
        files.make_directory(os.path.dirname(path()), 0o700)
        files.replace_lines(path(), [*lines, _line(name, fingerprint, public)])
    log.plain(fingerprint)
    keys()


def remove(name: str, by_fingerprint: bool) -> None:
    """Shut a key out, by its name or its fingerprint; one that is not there is success."""
    if not name:
        words = ("fingerprint", "--fingerprint FINGERPRINT") if by_fingerprint else ("name", "<name>")
        raise DokkuError(_HOW_TO_REMOVE.format(*words))
    with files.locked(path()):
        lines = files.read(path()).splitlines()
        kept = [line for line in lines if _identity(line)[by_fingerprint] != name]
        if kept != lines:
            files.replace_lines(path(), kept)


def renewed(text: str) -> str:
    """A file of keys in which none of our forced commands hands over the client's words as arguments."""
    return text.replace(f'{_program()} $SSH_ORIGINAL_COMMAND"', f'{_program()}"')


def show(name: str, shape: str) -> None:
    """Print all keys, or those of one name. shape: text or json.

    Raises: DokkuError without a text for a name that is not there; in JSON that is an empty array.
    """
    if shape not in ("text", "json"):
        raise DokkuError("Invalid output format specified, supported formats: json, text")
    found = [key for key in keys() if name in ("", key.name)]
    if shape == "json":
        log.plain(_as_json(found))
        return
    if not found:
        raise DokkuError()
    for key in found:
        log.plain(f'{key.fingerprint} NAME="{key.name}" SSHCOMMAND_ALLOWED_KEYS="{key.options}"')


def keys() -> list[Key]:
    """Every key that may log in. Raises: DokkuError when there is none, or a line holds something else."""
    lines = files.read(path()).splitlines()
    numbers = [number for number, line in enumerate(lines) if line.strip() and not line.startswith("#")]
    if not numbers:
        raise DokkuError("No public keys found.")
    fingerprints = ssh.fingerprints("".join(f"{lines[number]}\n" for number in numbers))
    if len(fingerprints) != len(numbers):
        bad = next(number for number in numbers if not ssh.fingerprints(f"{lines[number]}\n"))
        raise DokkuError(f"{path()} line {bad + 1} failed ssh-keygen check.")
    return [
        _key(lines[number], fingerprint) for number, fingerprint in zip(numbers, fingerprints, strict=True)
    ]


def path() -> str:
    return os.path.join(settings.root(), ".ssh", "authorized_keys")


def _given(file: str) -> str:
    """The text a key is in."""
    if file:
        text = identity.content(file)
        if text is None:
            raise DokkuError(f"Key file does not exist: {values.printable(file)}")
        return text.decode("utf-8", "surrogateescape")
    if os.isatty(0):
        raise DokkuError("No key specified via file or pipe")
    return sys.stdin.buffer.read(65536).decode("utf-8", "surrogateescape") if sys.stdin else ""


def _verified(text: str) -> tuple[str, str]:
    """The one public key in a text, and its fingerprint."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise DokkuError("Empty key was specified")
    if re.search("PRIVATE KEY-----", text):
        raise DokkuError(
            "This is a private key: keep it, and give the public one (the file that ends in .pub)"
        )
    if len(lines) > 1:
        raise DokkuError(
            "Too many keys provided, set one per invocation of dokku ssh-keys:add <NAME> <KEY_FILE>"
        )
    fingerprints = ssh.fingerprints(f"{lines[0]}\n") if _KEY.fullmatch(lines[0]) else []
    if not fingerprints:
        raise DokkuError("Key specified in is not a valid ssh public key")
    return lines[0], fingerprints[0]


def _refuse_duplicates(lines: list[str], name: str, fingerprint: str) -> None:
    """Source of the texts and of both switches: sshcommand."""
    taken = [_identity(line) for line in lines]
    for what, index, value in (("name", 0, name), ("fingerprint", 1, fingerprint)):
        checked = os.environ.get(f"SSHCOMMAND_CHECK_DUPLICATE_{what.upper()}") != "false"
        if checked and value in (entry[index] for entry in taken):
            log.note(f"Duplicate ssh {'key name' if what == 'name' else 'public key specified'}")
            raise DokkuError("sshcommand returned an error: 1")


def _line(name: str, fingerprint: str, public: str) -> str:
    options = os.environ.get("SSHCOMMAND_ALLOWED_KEYS") or _OPTIONS
    return f'command="FINGERPRINT={fingerprint} NAME=\\"{name}\\" {_program()}",{options} {public}'


def _program() -> str:
    """What sshd starts for us. The client's words stay in its environment: everybody can read arguments."""
    return f"`cat {settings.root()}/.sshcommand`"


def _identity(line: str) -> tuple[str, str]:
    """The name and the fingerprint that the forced command of a line tells us; empty for a foreign line."""
    match = _COMMAND.match(line)
    return (match["name"] or match["bare"] or "", match["fp"]) if match else ("", "")


def _key(line: str, fingerprint: str) -> Key:
    match = _LINE.fullmatch(line.strip())
    options, public = (match["options"] or "", match["key"]) if match else ("", line.strip())
    return Key(_identity(line)[0], fingerprint, _COMMAND.sub("", options, count=1), public)


def _as_json(found: list[Key]) -> str:
    import json

    rows = [
        {
            "fingerprint": key.fingerprint,
            "name": key.name,
            "SSHCOMMAND_ALLOWED_KEYS": key.options,
            "public-key": key.public,
        }
        for key in found
    ]
    return json.dumps(rows, separators=(",", ":"))
