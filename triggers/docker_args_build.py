"""docker-args-build APP BUILDER: options for the build, each with its own leading blank.

Fired by: lib/build/dockerfile.py. Stdin: empty.
"""

from lib.app import options

HANDLERS = {"docker-options": lambda app, *_: "".join(f" {line}" for line in options.lines(app, "build"))}
