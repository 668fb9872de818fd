"""Giving one app what another has on disk: for apps:clone and apps:rename."""

import os
import shutil

from lib.base import files, properties, settings

_STAYS = ("CONTAINER", "IP", "PORT")
_STAYS_EXACTLY = (
    ".deploy.lock",
    "nginx.conf",
    "nginx.conf.last-good",
    "nginx.conf.invalid",
    "cache",
    ".cache",
    "worktrees",
    "hooks",
)
_STAYS_IN_CLONES = ("VHOST", "URLS", "tls")
_DATA = ("ps", "app-json")


def copy(old: str, new: str, all_of_it: bool) -> None:
    """Copy an app's repository, config, options and properties; not its containers, locks and vhost.

    all_of_it: also domains and certificates, which only one app can have.
    """
    source, target = settings.app_dir(old), settings.app_dir(new)
    for name in sorted(os.listdir(source)):
        if name.split(".")[0] in _STAYS or name in _STAYS_EXACTLY:
            continue
        if all_of_it or name not in _STAYS_IN_CLONES:
            _copy(os.path.join(source, name), os.path.join(target, name))
    for plugin in _DATA:
        if os.path.isdir(settings.data(plugin, old)):
            _copy(settings.data(plugin, old), settings.data(plugin, new))
    created = properties.get("apps", new, "created-at")
    properties.copy(old, new)
    if created and not all_of_it:
        properties.write("apps", new, "created-at", created)
    properties.delete("common", new, "deployed")
    if properties.get("common", old, "deployed") == "true":  # what new has to work with is set up already
        properties.write("app-json", new, "heroku.postdeploy", "executed")


def _copy(source: str, target: str) -> None:
    if os.path.isdir(source) and not os.path.islink(source):
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        return
    mode = os.lstat(source).st_mode & 0o777
    if os.path.islink(source):
        files.remove(target)
        os.symlink(os.readlink(source), target)
    else:
        with open(source, "rb") as file:
            files.replace(target, file.read(), mode)
