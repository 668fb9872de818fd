"""deploy-source-set APP TYPE [METADATA]: what the app's last deploy was made from.

TYPE: git-push, git-sync, docker-image, tar, tar.gz or zip. METADATA: a repository with #REF, an image, a url.
Fired by: lib/deploy.py, after a deploy that worked.
"""

from lib.base import properties
from lib.runtime import releases


def remember(app: str, type_: str = "", metadata: str = "", *_: str) -> None:
    for key, value in (("deploy-source", type_), ("deploy-source-metadata", metadata)):
        if properties.get("apps", app, key) != value:
            properties.write("apps", app, key, value)


def remember_image(app: str, type_: str = "", image: str = "", *_: str) -> None:
    if type_ == "docker-image":
        properties.write("git", app, "source-image", image)
    elif properties.is_set("git", app, "source-image"):
        properties.delete("git", app, "source-image")


HANDLERS = {
    "apps": remember,
    "git": remember_image,
    "releases": lambda app, type_="", metadata="", *_: releases.note_source(app, type_, metadata),
}
