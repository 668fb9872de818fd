"""prlimit: what a program may not exceed, whatever it is made to do."""

_FLOOR = 1024 * 1024  # what a program says may go to a file, too


def argv(largest: int, *words: str) -> list[str]:
    """The words of a program that cannot write a file of more than so many bytes (or 1 MiB)."""
    return ["prlimit", f"--fsize={max(largest, _FLOOR)}", "--", *words]
