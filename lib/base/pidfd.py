"""Learning of the end of a process from the kernel, at once, instead of asking ten times a second."""

import os
import select


def left_to_wait(pid: int, timeout: float) -> float | None:
    """Wait for the end of a process of ours; what is left of the timeout (seconds, 0 for none) after that.

    None: its end may be waited for without one. Else as for any other wait with a timeout.
    """
    if not timeout:
        return None
    try:
        ended = os.pidfd_open(pid)
    except OSError:  # gone already, or an old kernel
        return timeout
    try:
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        return None if poll.poll(timeout * 1000) else 0
    finally:
        os.close(ended)
