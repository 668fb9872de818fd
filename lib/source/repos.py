"""An app's repository: the bare one that is its directory, its deploy branch, its hook, its checkouts."""

import contextlib
import os
import re
import shlex
import time
from collections.abc import Iterable, Iterator

from lib.app import apps
from lib.base import files, log, properties, scratch, settings, signals, values
from lib.base.errors import DokkuError
from lib.source import limits, logins
from lib.tools import git, git_transfers, git_trees

DEFAULT_BRANCH = "master"
REV_VARIABLE = "GIT_REV"
_NOT_BARE = re.compile(r"^\s*bare\s*=\s*false", re.MULTILINE | re.IGNORECASE)
_PARTS = ("HEAD", "objects", "refs")  # where one is missing, git sees no repository at all
_OURS = "branch-is-ours"  # property: the deploy branch holds nothing but archives and images
_PATH = 512  # characters: longer paths count as several files, since git keeps them in memory
ABANDONED = 3600  # seconds without a change


def deploy_branch(app: str) -> str:
    """The branch whose pushes are deployed: the app's own, else the host's, else master."""
    return configured_branch(app) or DEFAULT_BRANCH


def configured_branch(app: str) -> str:
    """The deploy branch that somebody chose; empty when nobody did."""
    return properties.get("git", app, "deploy-branch") or properties.get(
        "git", properties.GLOBAL, "deploy-branch"
    )


def has_chosen_branch(app: str) -> bool:
    """Whether a person has chosen the deploy branch: by a setting, or by what was pushed or synced."""
    return bool(configured_branch(app) or (head(app) and not properties.get("git", app, _OURS)))


def note_own_branch(app: str) -> None:
    """Write down that an archive or an image begins the deploy branch, unless a person has chosen one."""
    if not has_chosen_branch(app):
        properties.write("git", app, _OURS, "true")


def note_choice(app: str) -> None:
    """The deploy branch is a person's from now on."""
    if properties.get("git", app, _OURS):
        properties.delete("git", app, _OURS)


def refspec(app: str, ref: str) -> str:
    """What to push in place of a ref that is not deployed."""
    kind, _, name = ref.removeprefix("refs/").partition("/")
    if kind == "tags":
        return f"{name}^{{commit}}:refs/heads/{deploy_branch(app)}"
    return f"{name if kind == 'heads' else '<branch>'}:{deploy_branch(app)}"


def path(app: str) -> str:
    return settings.app_dir(app)


def exists(app: str) -> bool:
    return os.path.isdir(os.path.join(path(app), "refs"))


def initialize(app: str) -> None:
    """Make the app's repository where it is missing, and its hook what it should be."""
    if not all(os.path.exists(os.path.join(path(app), name)) for name in _PARTS):
        git.init(path(app), deploy_branch(app))
    if _NOT_BARE.search(files.read(os.path.join(path(app), "config"))):  # what 0.24's git:sync left
        git.set_config(path(app), "core.bare", "true")
    _close(app)
    write_hook(app)


def _close(app: str) -> None:
    """Keep nginx, which passes the app's directory, out of its source. What git adds is below these."""
    for name, mode in (("objects", 0o700), ("refs", 0o700), ("config", 0o600)):
        place = os.path.join(path(app), name)
        with contextlib.suppress(FileNotFoundError):
            if os.stat(place).st_mode & 0o077:
                os.chmod(place, mode)


def hook_program() -> str:
    """What a hook calls."""
    return os.environ.get("DOKKU_PROGRAM") or "dokku"


def write_hook(app: str) -> None:
    """Put our pre-receive hook in place, unless it is there: it hands a push to `dokku git-hook APP`.

    For who pushes to the directory on this machine; a push over ssh has the hooks of the program's own tree.
    """
    program = hook_program()
    variables = f"DOKKU_ROOT={shlex.quote(settings.root())}"
    text = (
        "#!/usr/bin/env bash\nset -e\nset -o pipefail\n\n"
        f'cat | {variables} {shlex.quote(program)} git-hook "{app}"\n'
    )
    hook = os.path.join(path(app), "hooks", "pre-receive")
    if files.read(hook) != text or not os.access(hook, os.X_OK):
        files.replace(hook, text, mode=0o755)


def head(app: str) -> str:
    """The commit at the tip of the deploy branch; empty when there is none."""
    return git.resolve(path(app), f"refs/heads/{deploy_branch(app)}") if exists(app) else ""


def ref(app: str, name: str) -> str:
    """The object that a ref of the app's repository names, read from its files; empty when there is none."""
    loose = files.read(os.path.join(path(app), name)).strip()
    if loose and not loose.startswith("ref:"):
        return loose
    packed = files.read(os.path.join(path(app), "packed-refs")).splitlines()
    return next((line.split(" ")[0] for line in packed if line.endswith(f" {name}")), "")


def tip(app: str) -> str:
    """The commit of the deploy branch without starting git; empty when there is none."""
    return ref(app, f"refs/heads/{deploy_branch(app)}")


def clear_away(app: str, ref: str = "") -> None:
    """Remove what a killed git left in the repository. The caller holds the deploy lock.

    ref: one that is about to be written, besides the deploy branch. Nobody else writes these, HEAD, and what
    `ours` names besides; of all others only what is too old to belong to anybody goes.
    """
    refs = {f"refs/heads/{deploy_branch(app)}", *filter(None, [ref])}
    ours = [*(f"{name}.lock" for name in sorted(refs)), "HEAD.lock", "refs/dokku/sync.lock", "config.lock"]
    ours.append("shallow.lock")
    old = ["packed-refs.lock", *_unfinished_packs(app)]
    for name in (*ours, *old):
        place = os.path.join(path(app), name)
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            age = time.time() - os.lstat(place).st_mtime
            if name in ours or age > ABANDONED:
                files.remove(place)
                log.warn(f"Removed {name}, which a killed git left in {app}")


def _unfinished_packs(app: str) -> list[str]:
    """What a killed git was writing: packs, and the directories of objects that a push had sent."""
    found = []
    for place in ("objects", os.path.join("objects", "pack")):
        with contextlib.suppress(FileNotFoundError):
            names = os.listdir(os.path.join(path(app), place))
            found += [os.path.join(place, name) for name in names if name.startswith(("tmp_", "incoming-"))]
    return found


def verify_room(app: str, branch: str, coming: Iterable[str] = ()) -> None:
    """Raises: DokkuError when another branch of the app keeps git from having this one: a/b beside a.

    coming: other branches that git writes before this one.
    """
    for other in (*git.branches(path(app)), *coming):
        if f"{other}/".startswith(f"{branch}/") is not f"{branch}/".startswith(f"{other}/"):
            raise DokkuError(f"Branch {other} of {app} is in the way of {branch}, git can't have both")


def verify_update(app: str, ref: str, new: str, old: str, coming: Iterable[str] = ()) -> None:
    """Raises: DokkuError for an update of a ref that git would refuse once our hook has accepted it.

    new, old: objects; old is all zeros for a ref that is not there. coming: as for `verify_room`.
    """
    if ref.startswith("refs/heads/"):
        verify_room(app, ref.removeprefix("refs/heads/"), coming)
        kind = git.kind(path(app), new)
        if kind == "tag":
            hint = f"git push <dokku> <tag>^{{commit}}:{ref}"
            raise DokkuError(f"{ref} takes a commit and this is an annotated tag, push its commit: {hint}")
        if kind != "commit":
            text = (
                f"{ref} takes a commit and this is a {kind}" if kind else f"Revision {new} of {app} not found"
            )
            raise DokkuError(text)
    problem = git.update_problem(path(app), ref, new, old)
    if problem:
        raise DokkuError(f"Git can't write {ref} of {app}: {values.printable(problem)}")


def deployable(app: str, revision: str = "") -> str:
    """The commit that a revision names, else the tip of the deploy branch.

    Raises: DokkuError when there is none.
    """
    found = git.resolve(path(app), revision) if revision else head(app)
    if not found and revision:
        raise DokkuError(f"Revision {values.printable(revision)} of {app} not found")
    if not found:
        branch = deploy_branch(app)
        log.info1(f"WARNING: Cannot build from '{branch}' as there are no commits stored at that branch.")
        raise DokkuError("")
    return found


def advance(app: str, commit: str) -> None:
    """Make commit the tip of the deploy branch, and the deploy branch the repository's HEAD."""
    git.update_ref(path(app), f"refs/heads/{deploy_branch(app)}", commit)
    follow_deploy_branch(app)


def follow_deploy_branch(app: str) -> None:
    """Make the deploy branch the one that a clone of the repository starts with."""
    if files.read(os.path.join(path(app), "HEAD")).strip() != f"ref: refs/heads/{deploy_branch(app)}":
        git.set_head(path(app), deploy_branch(app))


def tidy(app: str) -> None:
    """Have git pack what many deploys have left, once it is much; that it can't is no failure."""
    try:
        git.collect_garbage(path(app))
    except DokkuError as error:
        log.warn(f"Unable to pack the repository of {app}: {error}")


def take_tag(app: str, ref: str) -> None:
    """Move the deploy branch to the commit of a tag of the same name.

    The tag goes: a client that names the branch could mean either.
    """
    advance(app, deployable(app, ref))
    git.delete_refs(path(app), ref)
    log.info1(f"Set branch {deploy_branch(app)} to the commit of the tag")


def rev_variable(app: str) -> str:
    """The config variable that tells an app its commit; empty when it is switched off (set to nothing)."""
    if properties.is_set("git", app, "rev-env-var"):
        return properties.get("git", app, "rev-env-var")
    return properties.get("git", properties.GLOBAL, "rev-env-var", REV_VARIABLE)


def keeps_git_dir(app: str) -> bool:
    """Whether the app's builds see a .git directory."""
    chosen = properties.get("git", app, "keep-git-dir") or properties.get(
        "git", properties.GLOBAL, "keep-git-dir"
    )
    return chosen == "true"


def app_of(word: str) -> str:
    """The app that a git client's path means: app, /app, app/ or 'app'.

    Raises: DokkuError for what no app can be called.
    """
    word = word.strip()
    if len(word) > 1 and word[0] == word[-1] == "'":
        word = word[1:-1]
    name = word.replace("\\'", "'").removeprefix("/").removesuffix("/")
    if not values.is_app_name(name):
        raise values.bad_app_name(name)
    return name


def ensure(app: str) -> None:
    """The app and its repository are there: the first push makes both."""
    apps.create_if_missing(app)
    initialize(app)


@contextlib.contextmanager
def checked_out(app: str, revision: str) -> Iterator[str]:
    """A directory with the files of a commit, for as long as the block lasts.

    Without any .git, submodules' included, unless keep-git-dir is set. Raises: DokkuError when git can't, and
    for more than a checkout may hold.
    """
    _verify_size(app, revision)
    with scratch.directory("checkout") as place:
        tree = os.path.join(place, "tree")
        os.mkdir(tree, 0o755)
        has_modules = git.has_path(path(app), revision, ".gitmodules")
        for embedded in [] if has_modules else git_transfers.embedded(path(app), revision):
            log.warn(f"{values.printable(embedded)} is a git repository inside this one, and arrives empty:")
            log.warn("add it with git submodule add, or remove its .git and add its files")
        if keeps_git_dir(app) or has_modules:
            _clone(app, revision, tree)
        else:
            git.check_out(path(app), revision, os.path.join(place, "index"), tree)
        signals.failpoint("checked-out")
        yield tree


def _verify_size(app: str, revision: str) -> None:
    """Raises: DokkuError for a commit whose files are too many or too large.

    The repository may be small: each file, and each directory, stands in it once and in the commit any number
    of times.
    """
    most = limits.of_checkouts()
    size = count = 0

    def add(bytes_: int, length: int) -> None:
        nonlocal size, count
        size, count = size + bytes_, count + 1 + length // _PATH
        if count > most.files:
            raise _too_much(f"more than {most.files} files and directories", "checkout-max-files")
        if size > most.size:
            raise _too_much(f"more than {most.size} bytes", "checkout-max-size")

    git_trees.list_files(path(app), revision, add)


def _too_much(what: str, key: str) -> DokkuError:
    return DokkuError(
        f"The commit holds {what}", more=(f"To allow that: dokku git:set --global {key} NUMBER",)
    )


def _clone(app: str, revision: str, tree: str) -> None:
    pushed = (
        os.environ.get("GIT_OBJECT_DIRECTORY", ""),
        os.environ.get("GIT_ALTERNATE_OBJECT_DIRECTORIES", ""),
    )
    alternates = ":".join(filter(None, pushed))
    git.clone_work_tree(path(app), tree, revision, alternates)
    if properties.get("git", app, "sync-remote"):
        git.set_origin(tree, properties.get("git", app, "sync-remote"))
    patience, stall = limits.value("fetch-timeout"), limits.value("stall-timeout")
    with logins.for_git() as env:
        git_transfers.update_submodules(tree, alternates, env, timeout=patience, stall=stall)
    if keeps_git_dir(app):
        _stand_alone(app, tree, revision, alternates)
    else:
        _drop_git(tree)


def _stand_alone(app: str, tree: str, revision: str, alternates: str) -> None:
    """Let the work tree's .git do without the app's repository: it goes into the image."""
    inside = os.path.join(tree, ".git")
    branch = deploy_branch(app)
    env = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": alternates} if alternates else {}
    if not git.has_history(inside, revision, alternates):
        git.cut_off(tree, revision)
    git.pack_everything(tree, env)
    files.remove(os.path.join(inside, "objects", "info", "alternates"))
    git.update_ref(inside, f"refs/heads/{branch}", revision)
    git.set_head(inside, branch)


def _drop_git(tree: str) -> None:
    for parent, directories, names in os.walk(tree):
        for name in (*directories, *names):
            if name == ".git":
                files.remove(os.path.join(parent, name))
        directories[:] = [name for name in directories if name != ".git"]
