"""git-deploy-branch APP: the branch whose pushes are deployed.

Fired by: plugins.
"""

from lib.source import repos

HANDLERS = {"git": lambda app, *_: repos.deploy_branch(app) + "\n"}
