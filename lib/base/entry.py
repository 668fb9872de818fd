"""How a process of ours ends: whatever happens becomes its lines on stderr and its exit status."""

import os
import sys
from collections.abc import Callable

from lib.base import log, signals
from lib.base.errors import DokkuError, Interrupted, reason


def run(work: Callable[[list[str]], int]) -> None:
    """Do an entry point's work on the words of its call; exit with the status it or its failure has."""
    log.claim_streams()
    try:
        signals.install()
        status = work(sys.argv[1:])
    except DokkuError as error:
        log.failure(error)
        status = error.exit_code
    except Interrupted as error:
        status = error.exit_code
    except Exception as error:  # a bug: one line, and the traceback for whoever asks
        _confess(error)
        status = 1
    os._exit(status or int(log.has_failed()))


def _confess(error: Exception) -> None:
    log.warn(reason(error))
    if os.environ.get("DOKKU_TRACE"):
        import traceback

        log.note("".join(traceback.format_exception(error)))
