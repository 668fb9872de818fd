"""ssh: what ssh-keygen says about keys."""

from lib.base import run


def fingerprints(keys: str) -> list[str]:
    """The fingerprint (SHA256:…) of each public key, in order. keys: lines, as in an authorized_keys file.

    Lines that hold no key are passed over.
    """
    text = keys.encode("utf-8", "surrogateescape")
    done = run.result("ssh-keygen", "-l", "-E", "sha256", "-f", "-", stdin=text, timeout=30)
    if done.status:  # none of the lines is a key
        return []
    return [line.split(" ")[1] for line in done.output.decode("utf-8", "replace").splitlines()]
