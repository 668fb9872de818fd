"""railpack, which makes an image of a directory by what it finds in there."""

from collections.abc import Sequence

from lib.base import run


def build_argv(image: str, source: str, options: Sequence[str]) -> list[str]:
    """options: flags already split, in the order they were given."""
    return ["railpack", "build", f"--name={image}", *options, source]


def build(image: str, source: str, options: Sequence[str], env: run.Env) -> None:
    """Build an image from a directory. env: the values of `--env=KEY` options."""
    run.run(*build_argv(image, source, options), cwd=source, env=env)
