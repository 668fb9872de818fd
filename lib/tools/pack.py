"""pack, the client of Cloud Native Buildpacks."""

from collections.abc import Sequence

from lib.base import run


def build_argv(builder: str, image: str, source: str, options: Sequence[str]) -> list[str]:
    """options: flags already split, in the order they were given."""
    return [
        *("pack", "build", image, f"--builder={builder}", f"--path={source}", "--default-process=web"),
        *options,
    ]


def build(builder: str, image: str, source: str, options: Sequence[str], env: run.Env) -> None:
    """Build an image from a directory with a builder image. env: the values of `--env=KEY` options."""
    run.run(*build_argv(builder, image, source, options), cwd=source, env=env)
