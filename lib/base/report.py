"""`:report` in its three shapes: rows for people, one bare value, JSON for programs.

A row is (flag, value) with the flag spelled as users give it: `--app-dir`. Text shows exactly the rows of
Dokku 0.24; newer ones (`Row.newer`) are in the JSON and can be asked for by flag.
Source: dokku v0.24.0 plugins/common/report.go (GO) and the shell plugins' cmd-*-report (SHELL).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from lib.base import log
from lib.base.errors import DokkuError

GO, SHELL = "go", "shell"


class Row(NamedTuple):
    flag: str
    value: str
    newer: bool = False  # later than 0.24: not in the text
    refusal: str = ""  # what a call gets that asks for this value alone while there is none
    label: str = ""  # what the text calls it, where that does not follow from the flag


def show(
    title: str,
    prefix: str,
    rows: Callable[[str], Sequence[Row]],
    apps: Sequence[str],
    flag: str = "",
    shape: str = "stdout",
    family: str = GO,
) -> None:
    """Print a report on some apps (or [GLOBAL]).

    title: the words after the app's name, `app information`. prefix: what JSON keys lose in their short form,
    `app-`. flag: the one value wanted. shape: stdout or json. Raises: DokkuError for unknown ones.
    """
    if shape not in ("stdout", "json"):
        raise DokkuError(f"Invalid output format specified, supported formats: json, stdout: {shape}")
    if flag and shape == "json":
        raise DokkuError("--format flag cannot be specified when specifying an info flag")
    if not apps:
        log.warn("You haven't deployed any applications yet")
        return
    for app in apps:
        found = rows(app)
        if shape == "json":
            log.plain(as_json(found, prefix))
        elif flag:
            log.plain(_one(found, flag, family, is_only=len(apps) == 1))
        else:
            log.info2_quiet(f"{app} {title}")
            for line in as_text(found, family):
                log.plain(line)


def as_text(rows: Sequence[Row], family: str) -> list[str]:
    shown = [row for row in rows if not row.newer]
    if family == GO:
        labels = [row.label or label(row.flag) for row in shown]
        width = max([31, *(len(text) + 1 for text in labels)])  # 0.24 has none that fills it
        return [f"       {(row.label or label(row.flag)).ljust(width)}{row.value}" for row in sorted(shown)]
    return [f"       {label(row.flag).ljust(30)} {row.value.ljust(25)}" for row in shown]


def as_json(rows: Sequence[Row], prefix: str) -> str:
    """One object; each value under its whole key and under the key without the plugin's prefix."""
    import json

    values = {row.flag.removeprefix("--"): row.value for row in rows}
    short = {key.removeprefix(prefix): value for key, value in values.items()}
    return json.dumps({**short, **values}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def label(flag: str) -> str:
    words = flag.removeprefix("--").replace("-", " ").replace(".", " ")
    return words[:1].upper() + words[1:] + ":"


def _one(rows: Sequence[Row], flag: str, family: str, is_only: bool) -> str:
    for row in rows:
        if row.flag == flag and is_only and row.refusal and not row.value:
            raise DokkuError(row.refusal)
        if row.flag == flag:
            return row.value
    flags = [row.flag for row in rows]
    known = ", ".join(sorted(flags)) if family == GO else " ".join(flags)
    raise DokkuError(f"Invalid flag passed, valid flags: {known}")
