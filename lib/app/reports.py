"""`NS:report [APP] [--flag] [--format json]`: which apps and which value a call means."""

from collections.abc import Callable, Sequence

from lib.app import apps
from lib.base import report
from lib.base.errors import DokkuError

GLOBAL = "--global"


def show(
    words: Sequence[str] | None,
    shape: str,
    title: str,
    prefix: str,
    rows: Callable[[str], Sequence[report.Row]],
    family: str = report.GO,
    general: Callable[[], Sequence[report.Row]] | None = None,
) -> None:
    """Print a report on one app, on all, or (general) on the host as a whole.

    words: what the user gave: an app, a flag, both in any order, or neither. The rest: lib.base.report.show.
    """
    given = list(words or [])
    flags = [word for word in given if word.startswith("--") and word != GLOBAL]
    named = [word for word in given if not word.startswith("--")]
    if len(flags) > 1 or len(named) > 1:
        raise DokkuError(f"{prefix.removesuffix('-')}:report command allows only a single flag")
    flag = flags[0] if flags else ""
    if GLOBAL in given and general is not None:
        found = general()
        report.show(title, prefix, lambda _: found, [GLOBAL], flag, shape, family)
        return
    chosen = [apps.verify_app_name(named[0])] if named else apps.names()
    report.show(title, prefix, rows, chosen, flag, shape, family)
