"""builder-build BUILDER APP DIR: leave an image dokku/APP:latest. A handler not addressed does nothing.

Fired by: lib/build/builders.py build. Stdout: the user's.
"""

from lib.build import dockerfile, herokuish, nixpacks, pack, railpack

HANDLERS = {
    "builder-dockerfile": dockerfile.build,
    "builder-herokuish": herokuish.build,
    "builder-nixpacks": nixpacks.build,
    "builder-pack": pack.build,
    "builder-railpack": railpack.build,
}
