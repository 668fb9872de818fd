"""Variables of an app that options name for a builder: `--build-arg KEY` or `--env=KEY`, without a value.

docker's classic builder gets the values through a relay. Other builders read them from their own environment:
they get those that are named, and of these none that the builder or what it starts would read for itself.
"""

from collections.abc import Mapping, Sequence

from lib.base import files

# What docker's clients, Go, the loader, git and interpreters take for themselves.
_PREFIXES = (
    *("DOCKER_", "BUILDKIT_", "BUILDX_", "COMPOSE_", "LD_", "GLIBC_", "MALLOC_", "OTEL_", "XDG_"),
    *("PACK_", "CNB_", "MISE_", "BASH_ENV", "BASH_FUNC", "GIT_CONFIG", "GIT_SSH", "GIT_TRACE", "GIT_EXEC"),
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX", "GIT_OBJECT", "GIT_ALTERNATE", "GIT_COMMON", "GIT_ASKPASS"),
    *("GIT_EXTERNAL", "GIT_TEMPLATE", "GIT_EDITOR", "GIT_PAGER", "GIT_PROXY", "GIT_SEQUENCE", "GIT_ALLOW"),
)
_NAMES = (
    *("PATH", "HOME", "TMPDIR", "TMP", "TEMP", "SSH_AUTH_SOCK", "SSH_ASKPASS", "SSH_AGENT_PID"),
    *("NO_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "GCONV_PATH", "LOCPATH", "NLSPATH"),
    *("GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK", "GOCOVERDIR", "GNUPGHOME", "PERL5OPT"),
    *("HOSTALIASES", "LOCALDOMAIN", "RES_OPTIONS", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("SSLKEYLOGFILE", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE", "PERL5LIB"),
)


def named(words: Sequence[str], flag: str) -> list[str]:
    """The names that options give without a value: of `--build-arg KEY` and `--build-arg=KEY`."""
    return [text for text in given(words, flag) if text and "=" not in text]


def given(words: Sequence[str], *flags: str) -> list[str]:
    """What stands after some flags, in order: of `--file X`, `--file=X` and `-fX`."""
    found, rest = [], iter(words)
    for word in rest:
        for flag in flags:
            if word == flag:
                found.append(next(rest, ""))
            elif word.startswith(f"{flag}=") or (len(flag) == 2 and word.startswith(flag)):
                found.append(word.removeprefix(flag).removeprefix("="))
    return found


def steers(key: str) -> bool:
    """Whether a variable may change what a builder does instead of only being handed on."""
    return key.upper() in _NAMES or key.upper().startswith(_PREFIXES)


def secrets_in_files(words: Sequence[str], variables: Mapping[str, str], place: str) -> list[str]:
    """The options of a build, with `--secret id=KEY,env=KEY` reading a file in a directory of ours instead.

    Without `env` and a source, `id` is the name, as BuildKit has it. What names no variable of the app stays.
    """
    found, rest = [], iter(words)
    for word in rest:
        flag, equals, text = word.partition("=")
        if flag == "--secret" and not equals:
            text = next(rest, "")
        found.append(f"--secret={_from_file(text, variables, place)}" if flag == "--secret" else word)
    return found


def _from_file(text: str, variables: Mapping[str, str], place: str) -> str:
    fields = dict(part.partition("=")[::2] for part in text.split(","))
    key = fields.get("env") or ("" if fields.keys() & {"src", "source"} else fields.get("id", ""))
    if key not in variables or '"' in text:
        return text
    path = f"{place}/{key}.value"
    files.replace(path, variables[key])
    return f"id={fields.get('id') or key},src={path}"


def in_files(variables: Mapping[str, str], place: str) -> list[str]:
    """Options of pack that hand over variables, each value to the byte; a directory of ours holds the files.

    pack reads lines and cuts blanks off them. What would suffer goes where its lifecycle reads variables.
    """
    lines = {key: value for key, value in variables.items() if "\n" not in value and value.rstrip() == value}
    if lines:
        files.replace(f"{place}/environment", "".join(f"{key}={value}\n" for key, value in lines.items()))
    for key in variables.keys() - lines.keys():
        files.replace(f"{place}/{key}.value", variables[key], mode=0o644)  # the container's user reads it
    mounts = [f"--volume={place}/{key}.value:/platform/env/{key}:ro" for key in variables if key not in lines]
    return [*([f"--env-file={place}/environment"] if lines else []), *mounts]
