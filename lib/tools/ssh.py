"""ssh: the keys that a server shows (ssh-keyscan), and what ssh-keygen makes and knows of keys."""

import os
import pwd
import re

from lib.base import run, settings

_HOST_KEY = re.compile(r"\S+ (?:ssh-[a-z0-9]+|ecdsa-sha2-[a-z0-9-]+) [A-Za-z0-9+/]+=*")


def fingerprints(keys: str) -> list[str]:
    """The fingerprint (SHA256:…) of each public key, in order. keys: lines, as in an authorized_keys file.

    Lines that hold no key are passed over.
    """
    text = keys.encode("utf-8", "surrogateescape")
    done = run.result("ssh-keygen", "-l", "-E", "sha256", "-f", "-", stdin=text, timeout=30)
    if done.status:  # none of the lines is a key
        return []
    return [line.split(" ")[1] for line in done.output.decode("utf-8", "replace").splitlines()]


def host_keys(host: str, port: str, types: str) -> list[str]:
    """The keys that a server shows, as lines of a known_hosts file. port: 22 if empty. types: rsa,ecdsa."""
    where = ["-p", port] if port else []
    done = run.result("ssh-keyscan", "-T", "10", *where, "-t", types, host, timeout=120)
    lines = done.output.decode("utf-8", "replace").splitlines()
    return [line for line in lines if _HOST_KEY.fullmatch(line)]


def generate_key(path: str, comment: str) -> None:
    """Make a key pair without a passphrase, path and path.pub; ssh-keygen tells about it on our stdout."""
    run.run("ssh-keygen", "-t", "ed25519", "-N", "", "-C", comment, "-f", path)


def public_half(path: str) -> str:
    """The public key, one line, of a private one without a passphrase. Raises: ToolFailed for any other."""
    return run.capture("ssh-keygen", "-y", "-P", "", "-f", path, timeout=30, show_errors=False)


def batch_argv() -> list[str]:
    """ssh that never asks; with the files of DOKKU_ROOT, where ssh itself would look elsewhere for them."""
    patience = ["ConnectTimeout=15", "ServerAliveInterval=15", "ServerAliveCountMax=4"]
    options = ["BatchMode=yes", *patience]
    ours, config = os.path.join(settings.root(), ".ssh"), []
    if ours != os.path.join(pwd.getpwuid(os.geteuid()).pw_dir, ".ssh"):
        options.append(f"UserKnownHostsFile={ours}/known_hosts")
        options += [f"IdentityFile={ours}/{name}" for name in ("id_ed25519", "id_rsa")]
        named = os.path.join(ours, "config")
        config = ["-F", named if os.path.isfile(named) else "none"]
    return ["ssh", *config, *(word for option in options for word in ("-o", option))]
