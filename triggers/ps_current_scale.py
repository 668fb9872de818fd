"""ps-current-scale APP: how many instances of each process there are, `web=1`, a line each on stdout.

Fired by: plugins that run or show an app's processes.
"""

from lib.app import processes


def scale(app: str, *_: str) -> str:
    return "".join(f"{process}={count}\n" for process, count in sorted(processes.counts(app).items()))


HANDLERS = {"ps": scale}
