"""buildpack-stack-name APP: the image to build the app on; nothing where nobody has chosen one.

Fired by: lib/build/herokuish.py and other builders. Stdin: empty.
"""

from lib.build import buildpacks


def chosen(app: str, *_: str) -> str:
    stack = buildpacks.stack(app)
    return f"{stack}\n" if stack else ""


HANDLERS = {"buildpacks": chosen}
