"""What became of archives, one line each on stderr for whoever collects them. A person gets plain sentences.

Source: dokku 0.38 plugins/git; its tools look for `[archive-security]`.
"""

import os
import re
import time

from lib.base import log, settings, values


def record(event: str, type_: str, source: str, details: str) -> None:
    """Write the line, unless stderr is a terminal. source: without credentials; details: any text."""
    if os.isatty(2):
        return
    fields = {
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "user": _user(),
        "event": event,
        "archive_type": type_,
        "source": re.sub(r"[?#].*", "", source, flags=re.DOTALL),  # a token may be part of a query
    }
    words = [f"{key}={'_'.join(value.split())}" for key, value in fields.items()]
    log.note(values.printable(" ".join(["[archive-security]", *words, f"details={details}"])))


def _user() -> str:
    """The name of the key that a caller from afar came with; who calls, for one on this machine."""
    name = os.environ.get("SSH_NAME", "default")
    return name if name != "default" else os.environ.get("SSH_USER") or settings.user()
