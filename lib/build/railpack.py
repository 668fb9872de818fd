"""The railpack builder, which needs BUILDKIT_HOST in dokku's own settings.

Source: dokku 0.38 plugins/builder-railpack.
"""

from lib.build import plans, programs
from lib.tools import railpack

NAME = "railpack"
_VALUED = programs.valued(
    "--build-cmd --cache-from --cache-key --cache-to -e --env --platform --previous --progress --start-cmd"
)
_BARE = "--show-plan --error-missing-start"


def detected(_app: str, tree: str) -> str:
    return f"{NAME}\n" if plans.is_there(NAME, tree) else ""


def build(builder: str, app: str, tree: str) -> None:
    """Build dokku/APP:latest. The app is the key to railpack's cache, which apps share otherwise."""
    if builder != NAME:
        return
    programs.build(
        NAME,
        app,
        tree,
        lambda image, source, flags, env: railpack.build(image, source, [f"--cache-key={app}", *flags], env),
        _VALUED,
        _BARE,
    )
