"""domains-urls APP url|urls: the preferred URL of an app, or all of them, one per line (0.29).

Fired by: plugins.
"""

from lib.proxy import urls


def list_(app: str, which: str = "urls", *_: str) -> str:
    found = [urls.preferred(app)] if which == "url" else urls.all_(app)
    return "".join(f"{url}\n" for url in found)


HANDLERS = {"domains": list_}
