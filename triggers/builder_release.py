"""builder-release BUILDER APP TAG: make a built image ready to run. A handler not addressed does nothing.

Fired by: lib/build/builders.py release.
"""

from lib.build import dockerfile, herokuish, pack

HANDLERS = {
    "builder-dockerfile": dockerfile.release,
    "builder-herokuish": herokuish.release,
    "builder-pack": pack.release,
}
