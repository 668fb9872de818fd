"""How a line that a person wrote becomes the command of a container, by the kind of its image.

What the person wrote is one word of the container's command and is read by a shell in there, if by any.
Source: dokku v0.24.0 and 0.38 plugins/app-json, constructScript.
"""

import shlex
from collections.abc import Sequence

from lib.app import config, options
from lib.base import properties
from lib.build import images, pack

_TINI = [[path, "--"] for path in ("/tini", "/bin/tini", "/usr/bin/tini", "/usr/local/bin/tini")]
_STRICT = """set -e
if (set -o pipefail) 2>/dev/null; then set -o pipefail; fi
if [ "${DOKKU_TRACE:-}" = 1 ]; then set -x; fi
command=$1
shift
case $command in
/*)
  if [ ! -x "${command%%[[:space:]]*}" ]; then
    echo specified binary is not executable
    exit 1
  fi
  ;;
esac
eval "$command"
"""
_FURNISHED = f"""if [ -d /app ]; then
  export HOME=/app
  cd /app
fi
for file in /app/.profile.d/*; do
  if [ -f "$file" ]; then . "$file"; fi
done
if [ -d /cache ]; then
  rm -rf /tmp/cache
  ln -sf /cache /tmp/cache
fi
{_STRICT}if [ -d /cache ]; then rm -f /tmp/cache; fi
"""
_ANY_SHELL = 'if [ -x /bin/bash ]; then exec /bin/bash -c "$0" bash "$@"; fi; exec /bin/sh -c "$0" sh "$@"'
_PEOPLES_SHELL = "if [ -x /bin/bash ]; then exec /bin/bash; else exec /bin/sh; fi"


def as_script(app: str, image: images.Image, line: str) -> list[str]:
    """The words that run a line in an image: by its own entrypoint, by its launcher, or by a strict shell.

    Raises: DokkuError for a line that an entrypoint is to get as words, with a quote that has no end.
    """
    if image.kind == "pack":
        return [line]
    if image.kind == "dockerfile" and image.entrypoint and not _is_tini(image.entrypoint):
        return options.words(line)
    script = _FURNISHED if image.kind == "herokuish" else _STRICT
    chosen = shell(app)
    if chosen:
        return [chosen, "-c", script, chosen, line]
    return ["/bin/sh", "-c", _ANY_SHELL, script, line]


def as_words(image: images.Image | None, words: Sequence[str]) -> list[str]:
    """The words that run words as they are, in an image's environment; for an image with an entrypoint, its.

    A single one may be a script where a launcher is, as in Heroku's own.
    """
    if image and image.kind == "herokuish":
        return ["/exec", *words]
    if image and image.kind == "pack" and len(words) > 1:
        return [shlex.join(words)]
    return list(words)


def as_process(image: images.Image, process: str, line: str, more: Sequence[str]) -> list[str]:
    """The words that run a process type of the Procfile, more words after it. Raises: as `as_script`."""
    if image.kind == "pack":
        return [" ".join([line, *map(shlex.quote, more)])]
    if image.kind == "herokuish" and not more:
        return ["/start", process]
    return as_words(image, [*options.words(line), *more])


def inside(image: images.Image | None, words: Sequence[str]) -> tuple[list[str], str]:
    """What runs words in a container that runs already, and where: empty for its own directory."""
    if image and image.kind == "pack":
        return [pack.LAUNCHER, *as_words(image, words)], image.workdir
    return as_words(image, words), ""


def looking_around(app: str) -> list[str]:
    """The words of a shell for people: the chosen one, else bash where the image has it."""
    return options.words(shell(app)) or ["/bin/sh", "-c", _PEOPLES_SHELL]


def shell(app: str) -> str:
    """The shell that was chosen for the app, or for all; empty for /bin/bash, where the image has it."""
    chosen = config.effective(app, "DOKKU_APP_SHELL").strip()
    own, general = (properties.get("scheduler", owner, "shell") for owner in (app, properties.GLOBAL))
    return chosen or own or general


def _is_tini(entrypoint: Sequence[str]) -> bool:
    return list(entrypoint) in _TINI
