"""pre-build-buildpack APP DIR: the app is about to be built with herokuish.

Fired by: lib/build/herokuish.py. Where a plugin answers, the image dokku/APP:latest holds the source in /app,
and a plugin may put another in its place. Stdout: the user's.
"""

from lib.build import herokuish

HANDLERS = {"builder-herokuish": herokuish.prepare_environment}
