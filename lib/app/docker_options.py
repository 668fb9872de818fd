"""docker-options:* - options for the containers of an app's phases, as their owner gives them.

They are kept as they were written, split into words by the rules of POSIX shells when a container is made,
and never evaluated. Source: dokku v0.24.0 plugins/docker-options; clear, list and --process are 0.38's.
"""

import re
from collections.abc import Sequence

from lib.app import apps, options
from lib.base import log, values
from lib.base.errors import DokkuError
from lib.base.report import Row

_NOT_FOR_HEROKUISH = (
    "--file",
    "--build-arg",
    "--build-args",
)  # it builds in a container, without a Dockerfile
_ONLY_DEPLOYED = "--restart"


def add(app: str, phases: str, words: Sequence[str], processes: Sequence[str] = ()) -> None:
    """Put an option on phases. phases: `build,deploy,run`. words: joined by blanks, they are one option.

    processes: only for containers of these types. Raises: DokkuError for what can't be an option.
    """
    chosen, line = _meant(app, phases, words, processes, "add to")
    _verify(line)
    for process in processes or [""]:
        options.add(app, chosen, line, process)


def remove(app: str, phases: str, words: Sequence[str], processes: Sequence[str] = ()) -> None:
    """Take an option off phases: exactly this line. One that is not there is removed."""
    chosen, line = _meant(app, phases, words, processes, "remove from")
    for process in processes or [""]:
        options.remove(app, chosen, line, process)


def clear(app: str, phases: Sequence[str], processes: Sequence[str] = ()) -> None:
    """Drop all options of some phases, of all when none is named."""
    apps.verify_app_name(app)
    named = _phases(",".join(phases)) if any(phases) else []
    _verify_processes(processes, named or ["deploy"])
    if not named:
        log.info1(f"Clearing docker-options for {app} on all phases")
    for phase in named or options.PHASES:
        if named:
            log.info1(f"Clearing docker-options for {app} on phase {phase}")
        for process in processes or [""]:
            options.clear(app, phase, process)


def show(app: str, phase: str, process: str, shape: str) -> None:
    """Print the options of a phase, one per line, or as an array. process: those of a type alone."""
    apps.verify_app_name(app)
    chosen = _phases(phase)
    if len(chosen) != 1 or shape not in ("stdout", "json"):
        raise DokkuError("Specify one phase, and stdout or json as format")
    _verify_processes([process] if process else [], chosen)
    found = options.lines(app, chosen[0], process)
    if shape == "json":
        import json

        log.plain(json.dumps(found, ensure_ascii=False))
        return
    for line in found:
        log.plain(line)


def rows(app: str) -> list[Row]:
    """What docker-options:report knows of an app; options of one process type are later than 0.24."""
    everywhere = [
        Row(f"--docker-options-{phase}", _in_one_row(options.lines(app, phase))) for phase in options.PHASES
    ]
    return everywhere + [
        Row(f"--docker-options-deploy.{type_}", _in_one_row(options.lines(app, "deploy", type_)), newer=True)
        for type_ in options.process_types(app)
    ]


def for_build(app: str, builder: str) -> list[str]:
    """The options of a build, without those that make no sense for its builder."""
    unfit = (_ONLY_DEPLOYED, *(_NOT_FOR_HEROKUISH if builder == "herokuish" else ()))
    return [line for line in options.lines(app, "build") if _flag(line) not in unfit]


def for_run(app: str) -> list[str]:
    """The options of a one-off container, which is not to come back when it has ended."""
    return [line for line in options.lines(app, "run") if _flag(line) != _ONLY_DEPLOYED]


def _meant(
    app: str, phases: str, words: Sequence[str], processes: Sequence[str], what: str
) -> tuple[list[str], str]:
    """The phases and the one line that a call names."""
    apps.verify_app_name(app)
    chosen = _phases(phases)
    _verify_processes(processes, chosen)
    line = " ".join(words).strip()
    if not line:
        raise DokkuError(f"Please specify docker options to {what} the phase")
    return chosen, line


def _phases(text: str) -> list[str]:
    named = list(dict.fromkeys(text.split(",")))
    if any(phase not in options.PHASES for phase in named):
        raise DokkuError(f"Phase(s) must be one of [{' '.join(options.PHASES)}]")
    return named


def _verify_processes(processes: Sequence[str], phases: Sequence[str]) -> None:
    for process in processes:
        if not values.is_process(process):
            raise DokkuError(f"Invalid process type specified ({values.printable(process)})")
    if processes and list(phases) != ["deploy"]:
        raise DokkuError("Options of one process type are for the deploy phase only")


def _verify(line: str) -> None:
    """Raises: DokkuError for what docker can't take as options; a line may hold a secret and is not shown."""
    if options.kept(line) != [line] or values.has_control_characters(re.sub(r"[\t\n]", " ", line)):
        raise DokkuError("A docker option may hold line breaks in quotes, and no other control characters")
    found = options.words(line)
    if not found or not found[0].startswith("-") or not found[0].strip("-") or "--" in found:
        raise DokkuError("A docker option has to start with - or --, and then its name")


def _in_one_row(lines: Sequence[str]) -> str:
    return " ".join(lines).replace("\n", "\\n")


def _flag(line: str) -> str:
    """The name of an option's flag: of `--restart=no` and of `--restart no`."""
    return line.partition(" ")[0].partition("=")[0]
