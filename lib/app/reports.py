"""`NS:report [APP|--all] [--flag] [--format json] [--parallel N]`: which apps and value a call means."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from lib.app import apps
from lib.base import parallel, report, values
from lib.base.errors import DokkuError, UsageError

GLOBAL = "--global"


class Asked(NamedTuple):
    """What the words of a call ask for. workers: how many apps at a time."""

    apps: list[str]
    flags: list[str]
    is_global: bool
    workers: int


def asked(words: Sequence[str] | None) -> Asked:
    """Sort out an app, a flag, --global, --all and --parallel N, in any order.

    apps: the words that are no flags, none with --all. Raises: DokkuError for a bad number of workers.
    """
    given, rest, workers = list(words or []), [], "0"
    while given:
        word = given.pop(0)
        if word == "--parallel" and not given:
            raise UsageError("flag needs an argument: --parallel")
        if word == "--parallel":
            workers = given.pop(0)
        elif word.startswith("--parallel="):
            workers = word.partition("=")[2]
        else:
            rest.append(word)
    flags = [word for word in rest if word.startswith("--") and word not in (GLOBAL, "--all")]
    named = [word for word in rest if not word.startswith("--") and "--all" not in rest]
    return Asked(named, flags, GLOBAL in rest, _number(workers))


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
    named, flags, is_global, workers = asked(words)
    if len(flags) > 1:
        raise DokkuError(f"{prefix.removesuffix('-')}:report command allows only a single flag")
    flag = flags[0] if flags else ""
    if is_global:
        if general is None:
            raise DokkuError("This report says nothing of the host as a whole")
        found = general()
        general_flag = f"--{prefix}global-{flag.removeprefix(f'--{prefix}')}"
        if flag not in (row.flag for row in found) and general_flag in (row.flag for row in found):
            flag = general_flag  # `nginx:report --global --nginx-hsts`
        report.show(title, prefix, lambda _: found, [GLOBAL], flag, shape, family)
        return
    chosen = [apps.verify_app_name(named[0])] if named else apps.names()
    known = parallel.answers(rows, chosen, workers)
    report.show(title, prefix, known.__getitem__ if known else rows, chosen, flag, shape, family)


def _number(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", text, re.ASCII):
        raise UsageError(f'invalid argument "{values.printable(text)}" for "--parallel" flag')
    return parallel.counted(int(text))
