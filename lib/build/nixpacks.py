"""The nixpacks builder. Source: dokku 0.38 plugins/builder-nixpacks."""

from lib.build import images, plans, programs
from lib.tools import nixpacks

NAME = "nixpacks"
_VALUED = programs.valued(
    "-t --tag -i --install-cmd -l --label -b --build-cmd -s --start-cmd -p --pkgs -a --apt -e --env",
    "--add-host --cache-from --cache-key --cpu-quota --incremental-cache-image --libs --memory --platform",
)
_BARE = "--no-cache --inline-cache --no-error-without-start --verbose"


def detected(_app: str, tree: str) -> str:
    return f"{NAME}\n" if plans.is_there(NAME, tree) else ""


def build(builder: str, app: str, tree: str) -> None:
    """Build dokku/APP:latest. The app is the key to nixpacks' cache: our directories live for one build."""
    if builder != NAME:
        return
    labels = [f"--label={key}={value}" for key, value in images.labels(app, NAME).items()]
    kept = [f"--cache-key={app}", *labels]
    programs.build(
        NAME,
        app,
        tree,
        lambda image, source, flags, env: nixpacks.build(image, source, [*kept, *flags], env),
        _VALUED,
        _BARE,
    )
