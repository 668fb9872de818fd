"""An app's variables on their way into a program: named in its words, valued in its environment.

A key that would steer the program itself is kept out of its environment and goes by a file instead.
"""

from collections.abc import Mapping, Sequence

from lib.base import files
from lib.base.errors import DokkuError

# What docker's clients and the loader take for themselves.
_PREFIXES = (
    *("DOCKER_", "BUILDKIT_", "BUILDX_", "COMPOSE_", "LD_", "GLIBC_", "MALLOC_", "OTEL_", "XDG_"),
    *("PACK_", "CNB_"),
)
_NAMES = (
    *("PATH", "HOME", "TMPDIR", "TERM", "LANG", "NO_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
    *("GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK", "GOCOVERDIR", "SSH_AUTH_SOCK"),
)


def passed(flags: Sequence[str], variables: Mapping[str, str], path: str) -> tuple[list[str], dict[str, str]]:
    """Options and environment by which the `--env=KEY` words of docker or pack come with their values.

    Keys that would steer the program go into a file at path (0600) that the options name.
    Raises: DokkuError for such a key with a line break in its value: that file has no quoting.
    """
    wanted = [
        word.removeprefix("--env=") for word in flags if word.startswith("--env=") and "=" not in word[6:]
    ]
    risky = [key for key in wanted if key in variables and steers(key)]
    if not risky:
        return list(flags), {key: variables[key] for key in wanted if key in variables}
    for key in risky:
        if "\n" in variables[key] or "\r" in variables[key]:
            raise DokkuError(f"The value of {key} may not hold line breaks")
    files.replace(path, "".join(f"{key}={variables[key]}\n" for key in risky))
    kept = [
        word for word in flags if word.removeprefix("--env=") not in risky or not word.startswith("--env=")
    ]
    valued = {key: variables[key] for key in wanted if key in variables and key not in risky}
    return [*kept, f"--env-file={path}"], valued


def steers(key: str) -> bool:
    """Whether a variable would change what docker's clients do instead of only being handed on."""
    return key.upper() in _NAMES or key.upper().startswith(_PREFIXES)
