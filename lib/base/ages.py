"""Lengths of time in words, for people."""

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def ago(seconds: float) -> str:
    """Say how long ago something was, in its largest unit: `3 days ago`; `just now` below a second."""
    for name, length in _UNITS:
        count = int(seconds // length)
        if count > 0:
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "just now"
