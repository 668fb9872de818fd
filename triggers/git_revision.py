"""git-revision APP: the commit at the tip of the deploy branch, or nothing.

Fired by: plugins.
"""

from lib.source import repos

HANDLERS = {"git": lambda app, *_: repos.head(app) + "\n"}
