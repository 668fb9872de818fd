"""git:sync: what another repository has becomes an app's next version.

One fetch into a ref of our own, of nothing but what was asked for; the deploy branch moves at the end. What
fails on the way leaves every ref, the deploy branch's name and HEAD as they were.
"""

import contextlib
import re
import urllib.parse
from collections.abc import Iterator
from typing import NamedTuple

from lib.app import apps
from lib.base import log, properties, retry, values
from lib.base.errors import DokkuError, Transient
from lib.source import credentials, failures, limits, logins, repos
from lib.tools import git, git_transfers

FETCHED = "refs/dokku/sync"  # what the last sync of an app fetched
_PATIENCE = ("fetch-timeout", "stall-timeout")
_EVERYTHING = "refs/dokku/everything"
_URL = re.compile(r"(https?|ssh|git)://(?P<user>[^/@\s]*@)?(?P<host>[^-/@\s][^/@\s]*)/\S+", re.IGNORECASE)
_SSH = re.compile(
    r"(?!(https?|ssh|ftps?|file|rsync):/)"  # a url that lacks a slash
    r"([A-Za-z0-9_.][\w.+-]*@)?([A-Za-z0-9][\w.-]*|\[[0-9A-Fa-f:.]+\]):(?!//)[^:\s]\S*",
    re.ASCII | re.IGNORECASE,
)
_ID = re.compile(r"[0-9a-f]{7,64}")
_FULL_ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_MISSING = re.compile(r"couldn't find remote ref|not our ref|request for unadvertised object")
_UNKNOWN_TO_THEM = re.compile(
    r"could not read (Username|Password)|Authentication failed|Permission denied \(.*publickey"
    r"|(error:|HTTP(/[0-9.]+)?) 40[13]"
)
_ASIDE = re.compile(r"remote: |warning: |hint: ", re.IGNORECASE)


class Found(NamedTuple):
    """What a sync found. branch: the name, where the ref is a branch. remote: without credentials."""

    commit: str
    branch: str
    remote: str
    ref: str
    is_first: bool  # the app had no code
    is_new: bool  # the app had other code


def fetch(app: str, remote: str, ref: str = "") -> Found:
    """Fetch a branch, tag or commit of a remote repository; no branch of the app moves.

    ref: empty for the deploy branch. Raises: DokkuError for a remote or ref that is none, and after what git
    said when it failed; what may pass by itself is tried again before that.
    """
    wanted = ref or repos.deploy_branch(app)
    shown, user = _judged(remote, wanted)
    repos.clear_away(app)
    repos.initialize(app)
    tip = repos.tip(app)
    if not tip:
        log.info1_quiet(f"Cloning {app} from {shown}#{wanted}")
    elif not log.is_mail():
        log.verbose_quiet(_opening(app, shown, wanted))
    with _signed_in(remote, user) as env:
        branch, commit = _found(app, shown, wanted, tip, env)
    found = Found(commit, branch, shown, wanted, not tip, commit != tip)
    if tip and found.is_new and log.is_mail():
        log.verbose_quiet(_opening(app, shown, wanted))
    return found


def choose_branch(app: str, found: Found, keeps_branch: bool) -> None:
    """The branch that an app's first code comes from becomes its deploy branch, unless that is not wanted.

    Raises: DokkuError when git has no room for the deploy branch.
    """
    if not found.is_first:
        return
    chosen = "" if keeps_branch else found.branch
    repos.verify_room(app, chosen or repos.deploy_branch(app))
    if not found.branch:
        return
    if keeps_branch:
        log.verbose_quiet(f"Detected branch {found.branch}, skipping deploy-branch setting")
        return
    log.verbose_quiet(f"Detected branch, setting deploy-branch to {found.branch}")
    properties.write("git", app, "deploy-branch", found.branch)


def adopt(app: str, found: Found) -> None:
    """Make what was found the tip of the deploy branch."""
    repos.note_choice(app)
    if found.is_new:
        repos.advance(app, found.commit)
    else:
        repos.follow_deploy_branch(app)


def remember(app: str, found: Found) -> None:
    """Write down where the app's code comes from: what its submodules' relative urls are relative to."""
    for key, value in (("sync-remote", found.remote), ("sync-ref", found.ref)):
        if properties.get("git", app, key) != value:
            properties.write("git", app, key, value)


def remembered(app: str) -> tuple[str, str]:
    """The remote and the ref of the app's last sync; empty texts without one."""
    return properties.get("git", app, "sync-remote"), properties.get("git", app, "sync-ref")


def followers(*words: str) -> list[str]:
    """The apps that were synced before, for a call with --all. words: what else was given.

    Raises: DokkuError for any: each app has a remote of its own.
    """
    if any(words):
        raise DokkuError("With --all, git:sync takes no app, remote or ref: each app keeps its own")
    found = [app for app in apps.names() if remembered(app)[0]]
    if not found:
        log.warn("No app has been synced yet: name an app and its remote once")
    return found


def say_unchanged() -> None:
    if not log.is_mail():
        log.verbose_quiet("Skipping build as no changes were detected")


def _opening(app: str, remote: str, ref: str) -> str:
    return f"Fetching remote code for {app} from {remote}#{ref}"


def _judged(remote: str, ref: str) -> tuple[str, str]:
    """The remote without credentials, and the part of it that holds them.

    Raises: DokkuError for what git must not see.
    """
    if not remote:
        raise DokkuError("Missing GIT_REMOTE parameter")
    url = _URL.fullmatch(remote)
    odd = len(remote) > 4096 or values.has_control_characters(remote)
    if odd or not (url or _SSH.fullmatch(remote)):
        text = values.printable(values.without_credentials(remote))[:200]
        raise DokkuError(f"Invalid git remote, only https, http, ssh and git are supported: {text}")
    if not (values.is_ref(ref) or _ID.fullmatch(ref)):
        raise DokkuError(f"Invalid git ref: {values.printable(ref)[:200]}")
    if url and remote.lower().startswith("http") and url["user"]:
        return values.without_credentials(remote), url["user"]
    return remote, ""


@contextlib.contextmanager
def _signed_in(remote: str, user: str) -> Iterator[dict[str, str | None]]:
    """The environment in which git finds the credentials for a remote. user: those of its url, if any."""
    if not remote.lower().startswith("http"):
        yield {}
        return
    name, _, password = user.removesuffix("@").partition(":")
    own = logins.Login(urllib.parse.unquote(name), urllib.parse.unquote(password))
    with logins.for_git(remote, own) as env:
        yield env


def _found(app: str, remote: str, ref: str, tip: str, env: dict[str, str | None]) -> tuple[str, str]:
    """The branch that ref is (empty when it is none) and its commit. Raises: DokkuError."""
    if _FULL_ID.fullmatch(ref) and tip and (ref == tip or git.is_ancestor(repos.path(app), ref, tip)):
        return "", ref
    for source in _sources(ref):
        if _fetched(app, remote, ref, [f"+{source}:{FETCHED}"], env):
            commit = repos.ref(app, FETCHED)
            if commit != tip:  # a tag's object is not its commit
                commit = git.resolve(repos.path(app), FETCHED)
            if commit:
                is_branch = source.startswith("refs/heads/")
                return source.removeprefix("refs/heads/") if is_branch else "", commit
    if _ID.fullmatch(ref):  # a short one, or a server that gives refs only
        everything = [f"+refs/{kind}/*:{_EVERYTHING}/{kind}/*" for kind in ("heads", "tags")]
        _fetched(app, remote, ref, everything, env)
        commit = git.resolve(repos.path(app), ref)
        git.delete_refs(repos.path(app), _EVERYTHING)
        if commit.startswith(ref):
            return "", commit
    raise DokkuError(f"{remote} has no branch, tag or commit {values.printable(ref)}")


def _sources(ref: str) -> list[str]:
    """What ref may be called over there, the likeliest first. A branch goes before a tag of its name."""
    if ref.startswith("refs/") or _FULL_ID.fullmatch(ref):
        return [ref]
    return [f"refs/heads/{ref}", f"refs/tags/{ref}"]


def _fetched(app: str, remote: str, ref: str, refspecs: list[str], env: dict[str, str | None]) -> bool:
    """Fetch; False when the remote has no such ref. Raises: DokkuError, after what git said."""
    said = ""

    def once() -> bool:
        nonlocal said
        said = ""
        done = git_transfers.fetch(repos.path(app), remote, refspecs, env, *map(limits.value, _PATIENCE))
        said = git_transfers.told(done.errors)
        if done.status == 0 or _MISSING.search(said):
            return done.status == 0
        if failures.judged(said) == failures.TRANSIENT:
            raise Transient(_reason(said))
        raise DokkuError("")

    try:
        return retry.attempts(once, limits.value("retry-timeout"))
    except DokkuError as error:
        for line in said.split("\n") if said else ():
            log.note(line)
        if _UNKNOWN_TO_THEM.search(said):
            raise _advice(remote) from None
        why = error.text if error.text and not said else ""
        raise DokkuError(
            ": ".join(filter(None, (f"Unable to fetch {app} from {remote}#{ref}", why)))
        ) from None


def _advice(remote: str) -> DokkuError:
    """What to do about a remote that does not know us: of the reasons, the one that fits."""
    if logins.advice(remote):
        return DokkuError(logins.advice(remote))
    host = urllib.parse.urlsplit(remote).hostname if remote.lower().startswith("http") else None
    if host and logins.for_url(remote) != logins.NONE:
        return DokkuError(f"{host} refused the netrc authentication, the git:auth command sets another")
    if not credentials.has_deploy_key():
        first, *more = credentials.advice()
        return DokkuError(first, more=tuple(more))
    key = "Allow the deploy key that the git:public-key command shows to read the repository"
    return DokkuError(key, more=("or configure the netrc authentication via the git:auth command",))


def _reason(said: str) -> str:
    """What went wrong, for the announcement of another attempt: what git, or its ssh, said of it first."""
    lines = [line for line in said.splitlines() if line.strip() and not _ASIDE.match(line)]
    return (
        values.printable(lines[0].removeprefix("fatal: ").removeprefix("error: ")) if lines else "git failed"
    )
