"""network-build-config APP: put the app's containers back on its networks, and note their addresses.

Fired by: lib/proxy/sites.py, plugins.
"""

from lib.runtime import attachments

HANDLERS = {"network": attachments.follow}
