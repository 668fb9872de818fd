"""What programs that really start write to us, up to the limit and beyond it."""

import resource
import time
from pathlib import Path

import pytest

from lib.base import log, outputs, run
from lib.base.errors import OutputTooLarge

FLOOD = "yes | tr -d '\\n'"  # without an end, and without a line's
LIMIT = 256 * 1024


def test_a_program_that_writes_too_much_is_killed_and_all_below_it(tmp_path: Path) -> None:
    """RUN-7"""
    script = f"trap '' TERM; echo $$ >{tmp_path}/pid; ({FLOOD}) & wait"
    began = time.monotonic()
    with pytest.raises(OutputTooLarge, match=r"^sh wrote more than 256 KiB; it was stopped$"):
        run.result("sh", "-c", script, most=LIMIT)
    assert time.monotonic() - began < 9  # KILL, not TERM and patience
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()


def test_the_default_limit_holds_our_memory_down() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(OutputTooLarge, match="wrote more than 64 MiB"):
        run.capture_bytes("cat", "/dev/zero")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024  # KiB


def test_complaints_are_limited_too_and_only_their_end_is_kept() -> None:
    with pytest.raises(OutputTooLarge):
        run.result("sh", "-c", f"{FLOOD} >&2", most=LIMIT)
    size = 3 * outputs.TAIL
    done = run.result("sh", "-c", f"head -c {size} /dev/zero >&2; echo the end >&2")
    assert done.errors.endswith(b"\0the end\n")
    assert outputs.TAIL <= len(done.errors) <= 2 * outputs.TAIL


@pytest.mark.parametrize("most", [LIMIT, LIMIT + 1])
def test_up_to_the_limit_everything_is_handed_over(most: int) -> None:
    assert len(run.capture_bytes("head", "-c", str(LIMIT), "/dev/zero", most=most)) == LIMIT


def test_a_sparse_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(OutputTooLarge):
        run.capture_bytes("cat", str(tmp_path / "sparse"))


def test_a_line_without_an_end_comes_in_parts_and_is_limited() -> None:
    parts: list[bytes] = []
    with pytest.raises(OutputTooLarge):
        run.stream("sh", "-c", FLOOD, each=parts.append, most=8 * LIMIT)
    assert max(map(len, parts)) < 2 * outputs.LONGEST


def test_output_that_nobody_keeps_has_no_limit() -> None:
    size = 0

    def count(line: bytes) -> None:
        nonlocal size
        size += len(line)

    run.stream("head", "-c", str(outputs.MOST + 1), "/dev/zero", each=count)
    assert size == outputs.MOST + 1


@pytest.mark.parametrize("redirected", ["", ">&2"])
def test_what_is_collected_for_later_is_limited(redirected: str) -> None:
    """--parallel keeps what each app's programs say until the app is done."""
    with log.collected(), pytest.raises(OutputTooLarge):
        run.run("sh", "-c", f"{FLOOD} {redirected}")
    with log.collected(), pytest.raises(OutputTooLarge):
        run.stream("sh", "-c", f"{FLOOD} {redirected}", each=log.raw)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/stderr", "/proc/self/fd/2"])
def test_a_script_may_open_its_streams_by_name(name: str) -> None:
    done = run.result("sh", "-c", f"echo a >{name}; echo b >>{name}; echo c >{name}")
    assert done.output + done.errors == b"a\nb\nc\n"


def test_what_does_not_read_or_write_as_told_ends_all_the_same() -> None:
    """The taker's own failure: the program is ended, and the failure is the caller's."""

    def refuse(line: bytes) -> None:
        raise ValueError(line)

    with pytest.raises(ValueError, match="first"):
        run.stream("sh", "-c", "echo first; exec sleep 60", each=refuse)
