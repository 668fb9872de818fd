"""The system user that owns the apps: in docker's group, and allowed a few commands as root."""

import os

from lib.base import log, run, settings
from lib.base.errors import DokkuError, ToolFailed
from lib.host import made, nginx_logs, placed, storage_directories
from lib.tools import haproxy

DOCKER = "docker"
LOGS = nginx_logs.GROUP
SUDOERS = "/etc/sudoers.d/dokku-nginx"


def set_up() -> None:
    """Make the user and its groups, as far as they are missing."""
    if _group(settings.group()):
        made.note(made.GROUP)
    _group(DOCKER)  # dockerd hands its socket to the group of this name
    if not _entry("passwd", settings.user()):
        # "*" is a password nobody has; "!" would be a locked account, which sshd refuses without PAM
        words = ("--system", "--gid", settings.group(), "--home-dir", settings.root(), "--no-create-home")
        run.run("useradd", *words, "--shell", "/bin/bash", "--password", "*", settings.user())
        made.note(made.USER)
        log.verbose(f"Added the user {settings.user()}")
    elif _entry("passwd", settings.user())[-1].endswith(("/nologin", "/false")):
        raise DokkuError(f"The user {settings.user()} may not log in; give it the shell /bin/bash")
    for group in (DOCKER, LOGS):
        entry = _entry("group", group)
        if entry and settings.user() not in entry[-1].split(","):
            run.run("usermod", "--append", "--groups", group, settings.user())
            log.verbose(f"Added {settings.user()} to the group {group}")


def set_up_sudoers() -> None:
    """Let the user control both proxies as root, these exact words, and give storage directories away."""
    nginx = (settings.nginx_test(), settings.nginx_reload(), settings.nginx_start(), settings.nginx_stop())
    control = [*nginx, haproxy.ENABLE, haproxy.DISABLE]
    # The last two look at their arguments themselves.
    commands = (*map(_plain, control), storage_directories.PROGRAM, nginx_logs.PROGRAM)
    text = "".join(f"{settings.user()} ALL=(root) NOPASSWD: {command}\n" for command in commands)
    placed.file(SUDOERS, f"# Written by dokku's bin/install.\n{text}", 0o440, check=_verify)


def remove() -> None:
    """Take the user and its group away again, if bin/install made them."""
    for table, name, what, program in (
        ("passwd", settings.user(), made.USER, "userdel"),
        ("group", settings.group(), made.GROUP, "groupdel"),
    ):
        if not _entry(table, name):
            continue
        if made.noted(what):
            run.run(program, name)
            log.verbose(f"Removed the {what} {name}")
        else:
            log.verbose(f"The {what} {name} was there before, and stays: {program} {name} removes it")


def _plain(words: list[str]) -> str:
    if not os.path.isabs(words[0]) or set("*?[]\\,:=!") & set("".join(words)):
        raise DokkuError(f"This is not a command that sudo may be told to allow: {' '.join(words)}")
    return " ".join(words)


def _verify(path: str) -> None:
    run.capture("visudo", "--check", "--quiet", "--file", path)


def _group(name: str) -> bool:
    """Make a group; whether it was missing."""
    if _entry("group", name):
        return False
    run.run("groupadd", "--system", name)
    log.verbose(f"Added the group {name}")
    return True


def _entry(table: str, name: str) -> list[str]:
    """The fields of a user or a group, from whatever source this host has; none if there is no such name."""
    try:
        return run.capture("getent", table, name, show_errors=False).rstrip("\n").split(":")
    except ToolFailed:
        return []
