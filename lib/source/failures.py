"""Whether a failure of the network may pass by itself: judged by what git says, or by a status of HTTP.

git ends with 128 for everything, so its text (under LC_ALL=C) is all there is to tell a wrong password from a
cable that was pulled. The patterns were met with git 2.39 to 2.47, libcurl 7.88 and OpenSSH 9.2; a text that
none of them fits is "unknown" and never tried again: an account must not get locked by our persistence.
"""

import re

AUTH, PERMANENT, TRANSIENT, UNKNOWN = "auth", "permanent", "transient", "unknown"
_PASSING = (408, 425, 429)
_STATUS = re.compile(r"(?:\bHTTP(?:/[0-9.]+)?|returned error:) ([1-5][0-9]{2})\b")
_AUTH = re.compile(
    r"could not read (Username|Password)\b.*terminal prompts disabled"
    r"|Authentication failed for"
    r"|Permission denied \(.*publickey"
    r"|Host key verification failed"
    r"|repository '.*' not found",
    re.IGNORECASE,
)
_PERMANENT = re.compile(
    r"Remote branch .* not found"
    r"|not a git repository"
    r"|transport '.*' not allowed"
    r"|strange (hostname|pathname|port)"
    r"|certificate (verification failed|problem|subject name|has expired)|no alternative certificate subject"
    r"|Protocol .* (not supported|disabled)",
    re.IGNORECASE,
)
_TRANSIENT = re.compile(
    r"Could not resolve host|Temporary failure in name resolution"
    r"|Failed to connect|Couldn't connect to server"
    r"|Connection (to .* )?(refused|reset|timed out)"
    r"|Recv failure"
    r"|transfer closed with .* remaining"
    r"|early EOF"
    r"|RPC failed"
    r"|Operation too slow"
    r"|unexpected disconnect",
    re.IGNORECASE,
)


def judged(text: str) -> str:
    """AUTH, PERMANENT, TRANSIENT or UNKNOWN, from what git wrote to stderr; the first that fits."""
    by_status = {judged_status(int(status)) for status in _STATUS.findall(text)}
    for answer, pattern in ((AUTH, _AUTH), (PERMANENT, _PERMANENT), (TRANSIENT, _TRANSIENT)):
        if answer in by_status or pattern.search(text):
            return answer
    return UNKNOWN


def judged_status(status: int) -> str:
    """The same for a status of HTTP; UNKNOWN for one that is no failure."""
    if status in (401, 403):
        return AUTH
    if status in _PASSING or 500 <= status < 600:
        return TRANSIENT
    return PERMANENT if 400 <= status < 500 else UNKNOWN
