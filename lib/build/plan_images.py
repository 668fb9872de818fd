"""The images that the files of other builders name: nixpacks.toml, railpack.json, project.toml.

nixpacks writes commands into a Dockerfile as they are, so each text counts as what stands there after `RUN`.
"""

from collections.abc import Iterator
from typing import Any

from lib.app import image_names, json_text
from lib.base import files
from lib.base.errors import DokkuError
from lib.build import dockerfile_images, plans
from lib.build.dockerfile_images import Use

_BESIDE = {"nixpacks": ("nixpacks.json",)}  # which it reads, too
_IMAGES = ("image", "buildimage", "runimage")
_LARGEST = 200  # characters of what can be the name of an image


def uses(builder: str, tree: str) -> list[Use]:
    """Every image that a builder's files name. Raises: DokkuError for a file that can't be read."""
    found: list[Use] = []
    for name in (plans.PLANS[builder].name, *_BESIDE.get(builder, ())):
        text = files.read_beneath(tree, name)
        if text is not None and text.strip():
            found += [
                use for key, value in _texts(_parsed(name, text), "") for use in _of_text(name, key, value)
            ]
    return list(dict.fromkeys(found))


def _parsed(name: str, text: str) -> Any:
    import tomllib  # 18 ms

    try:
        return tomllib.loads(text) if name.endswith(".toml") else json_text.plain(json_text.parse(text))
    except (ValueError, RecursionError):
        raise DokkuError(f"{name} can't be read: it is no TOML") from None
    except DokkuError as error:
        raise DokkuError(f"{name} can't be read: {error.text}") from None


def _texts(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """Each text, and the key that it stands below."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield "", str(name)
            yield from _texts(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, key)
    elif isinstance(value, str):
        yield key, value


def _of_text(file: str, key: str, value: str) -> Iterator[Use]:
    what = f"{file} names"
    if key.replace("_", "").replace("-", "").lower() in _IMAGES:
        yield Use(value, 0, what)
    elif len(value) < _LARGEST and image_names.app_of(value.removeprefix("docker://")):
        yield Use(value.removeprefix("docker://"), 0, what, is_sure=False)
    for use in dockerfile_images.uses(f"FROM scratch\nRUN {value}\n", {}, with_buildkit=True):
        yield use._replace(line=0, what=f"{file} has {use.what}")
