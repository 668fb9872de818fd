"""builder-release BUILDER APP TAG: make a built image ready to run. A handler not addressed does nothing.

Fired by: lib/build/builders.py release.
"""

from lib.build import dockerfile

HANDLERS = {"builder-dockerfile": dockerfile.release}
