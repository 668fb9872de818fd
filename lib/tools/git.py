"""git: one function, one invocation, on a bare repository and with an index and a work tree of our choice.

We run inside git's own hooks, so its variables are dropped, but for the two that show where a push under way
keeps its objects. Nothing prompts, no hook and no helper of a repository runs.
"""

import os
import shlex
from collections.abc import Mapping

from lib.base import files, run, settings
from lib.base.errors import ToolFailed
from lib.tools import ssh

# What git complains of in old and honest histories.
_RELAXED = ("badTimezone", "missingSpaceBeforeDate", "zeroPaddedFilemode")
_CONFIG = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.autocrlf": "false",
    "core.quotePath": "false",
    "protocol.ext.allow": "never",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "credential.helper": "",
    "core.askPass": "",
    "advice.detachedHead": "false",
    "fetch.recurseSubmodules": "false",
    "fetch.fsckObjects": "true",
    "http.followRedirects": "initial",
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "60",  # seconds
    **{f"fetch.fsck.{kind}": "ignore" for kind in _RELAXED},
}
_TO_HOOK = ("GIT_PROTOCOL", "GIT_SSH_COMMAND")  # of git's own variables: what a push and our hook may need
_PUSHED = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")


def init(repository: str, branch: str) -> None:
    """Make a bare repository, or mend one; its HEAD names branch only when it is new."""
    _git("init", "--quiet", "--bare", f"--initial-branch={branch}", "--", repository)


def resolve(repository: str, name: str) -> str:
    """The commit that a ref or an id names, 40 hex digits; empty when there is none."""
    words = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"]
    done = run.result(*_argv(*words, repository=repository), env=environment())
    return done.output.decode().strip() if done.status == 0 else ""


def tree_of(repository: str, commit: str) -> str:
    """The id of a commit's tree."""
    return _git(
        "rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}", repository=repository
    ).strip()


def has_path(repository: str, commit: str, path: str) -> bool:
    """Whether a commit holds a file of that path."""
    words = ["ls-tree", "--name-only", "--end-of-options", commit, "--", path]
    return bool(_git(*words, repository=repository).strip())


def check_out(repository: str, commit: str, index: str, tree: str) -> None:
    """Write a commit's files below tree (which exists); the repository itself is not touched."""
    env = {"GIT_INDEX_FILE": index, "GIT_WORK_TREE": tree}
    _git("read-tree", "--end-of-options", commit, repository=repository, env=env)
    _git("checkout-index", "--all", "--force", f"--prefix={tree}/", repository=repository, env=env)


def write_tree(repository: str, index: str, tree: str) -> str:
    """Store every file below tree, also ignored ones, as a tree object; its id."""
    env = {"GIT_INDEX_FILE": index, "GIT_WORK_TREE": tree}
    _git("add", "--all", "--force", "--", ".", repository=repository, env=env, cwd=tree)
    return _git("write-tree", repository=repository, env=env).strip()


def commit_tree(repository: str, tree: str, parent: str, message: str, author: tuple[str, str]) -> str:
    """Make a commit of a tree object by author (name, e-mail), who is the committer too; its id."""
    name, email = author
    env = {f"GIT_{who}_NAME": name for who in ("AUTHOR", "COMMITTER")}
    env |= {f"GIT_{who}_EMAIL": email for who in ("AUTHOR", "COMMITTER")}
    parents = ["-p", parent] if parent else []
    words = ["commit-tree", *parents, "-m", message, "--end-of-options", tree]
    return _git(*words, repository=repository, env=env).strip()


def update_ref(repository: str, ref: str, commit: str) -> None:
    _git("update-ref", "--end-of-options", ref, commit, repository=repository)


def kind(repository: str, name: str) -> str:
    """What an object is: commit, tag, tree or blob; empty when there is none of that name."""
    done = run.result(*_argv("cat-file", "-t", name, repository=repository), env=environment())
    return done.output.decode().strip() if done.status == 0 else ""


def update_problem(repository: str, ref: str, new: str, old: str) -> str:
    """Why git would not let a ref go from one object to another, in its words; empty when it would.

    It takes the locks that the real update takes, and changes nothing.
    """
    script = f"start\nupdate {ref} {new} {old}\nprepare\nabort\n".encode("utf-8", "surrogateescape")
    done = run.result(*_argv("update-ref", "--stdin", repository=repository), env=environment(), stdin=script)
    said = done.errors.decode("utf-8", "replace").strip().splitlines()
    return said[0].removeprefix("fatal: ").removeprefix("prepare: ") if done.status and said else ""


def delete_refs(repository: str, prefix: str) -> None:
    """Remove every ref below a prefix."""
    listing = _git("for-each-ref", "--format=delete %(refname)", prefix, repository=repository)
    words = _argv("update-ref", "--stdin", repository=repository)
    run.run(*words, env=environment(), stdin=listing.encode("utf-8", "surrogateescape"))


def set_head(repository: str, branch: str) -> None:
    _git("symbolic-ref", "HEAD", f"refs/heads/{branch}", repository=repository)


def branches(repository: str) -> list[str]:
    """The names of all branches."""
    words = ["for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads"]
    return _git(*words, repository=repository).splitlines()


def is_ancestor(repository: str, commit: str, tip: str) -> bool:
    """Whether a commit is part of the history of another."""
    words = ["merge-base", "--is-ancestor", "--end-of-options", commit, tip]
    return run.result(*_argv(*words, repository=repository), env=environment()).status == 0


def collect_garbage(repository: str) -> None:
    """Pack a repository's objects if there are many loose ones or many packs."""
    words = ["-c", "gc.auto=6700", "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet"]
    _git(*words, repository=repository)


def set_config(repository: str, key: str, value: str) -> None:
    _git("config", key, value, repository=repository)


def abbreviated(repository: str, name: str) -> str:
    """The short id of a commit; empty when there is none."""
    commit = resolve(repository, name)
    return _git("rev-parse", "--short", commit, repository=repository).strip() if commit else ""


def clone_work_tree(repository: str, tree: str, commit: str, alternates: str) -> None:
    """Make tree a work tree of its own at a commit, with the repository's objects at hand.

    alternates: directories of objects that a push under way has not settled yet.
    """
    env = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": alternates} if alternates else {}
    ours = {"GIT_ALLOW_PROTOCOL": "file"}  # this one repository is on this machine
    if is_shallow(repository):  # git would copy what the branches need, and no more
        _git("init", "--quiet", "--", tree, pushed=False)
        files.replace(os.path.join(tree, ".git/objects/info/alternates"), f"{repository}/objects\n")
    else:
        _git("clone", "--quiet", "--shared", "--no-checkout", "--", repository, tree, env=ours, pushed=False)
    _git("-C", tree, "checkout", "--quiet", "--force", "--detach", commit, env=env, pushed=False)


def is_shallow(repository: str) -> bool:
    """Whether some history of a repository is cut off: it came from a shallow clone."""
    return bool(files.read(os.path.join(repository, "shallow")))


def has_history(repository: str, commit: str, alternates: str) -> bool:
    """Whether all commits are there from which a commit comes."""
    env = {**environment(), **({"GIT_ALTERNATE_OBJECT_DIRECTORIES": alternates} if alternates else {})}
    words = ["rev-list", "--quiet", "--end-of-options", commit]
    return run.result(*_argv(*words, repository=repository), env=env).status == 0


def cut_off(tree: str, commit: str) -> None:
    """Let the history of a work tree begin with a commit."""
    files.replace(os.path.join(tree, ".git", "shallow"), f"{commit}\n")


def set_origin(tree: str, url: str) -> None:
    """What submodules with a relative url are relative to."""
    _git("-C", tree, "config", "remote.origin.url", url, pushed=False)


def pack_everything(tree: str, env: run.Env) -> None:
    """Copy all objects that a work tree needs into it, so that it stands alone."""
    _git("-C", tree, "repack", "-a", "-d", "-q", env=env, pushed=False)


def receive_pack(repository: str, hooks: str, env: run.Env) -> None:
    """Become git-receive-pack, which checks what arrives and runs the hooks of a directory, and no others.

    A shallow push is taken as it is: the repository is shallow from then on.
    """
    config = ["receive.fsckObjects=true", "receive.autogc=false", "receive.denyNonFastForwards=false"]
    config += ["receive.shallowUpdate=true", f"core.hooksPath={hooks}"]
    config += [f"receive.fsck.{kind}=ignore" for kind in _RELAXED]
    flags = [word for setting in config for word in ("-c", setting)]
    ours = {name: os.environ[name] for name in os.environ if name in _TO_HOOK or not name.startswith("GIT_")}
    run.become("git", *flags, "receive-pack", repository, env={**ours, **env})


def upload(service: str, repository: str) -> int:
    """Run git-upload-pack or git-upload-archive on our own stdin and stdout; its status."""
    return run.status("git", service, repository, stdin=run.INHERIT, env=environment())


def status(repository: str) -> int:
    """Let git tell about a repository on our own streams; its status."""
    return run.status(*_argv("status", repository=repository), cwd=repository, env=environment())


def environment(pushed: bool = True) -> dict[str, str | None]:
    """What changes for git in our environment. pushed: keep the objects of a push under way in sight."""
    return {
        **{name: os.environ[name] for name in _PUSHED if pushed and name in os.environ},
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "http:https:ssh:git",
        "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND") or shlex.join(ssh.batch_argv()),
        "HOME": settings.root(),
        **configured({}),
    }


def configured(more: Mapping[str, str]) -> dict[str, str]:
    """The variables that set git's configuration for one call: ours, and more."""
    config = {**_CONFIG, **more}
    return {
        "GIT_CONFIG_COUNT": str(len(config)),
        **{f"GIT_CONFIG_KEY_{i}": key for i, key in enumerate(config)},
        **{f"GIT_CONFIG_VALUE_{i}": value for i, value in enumerate(config.values())},
    }


def _argv(*words: str, repository: str) -> list[str]:
    return ["git", *([f"--git-dir={repository}"] if repository else []), *words]


def _git(
    *words: str,
    repository: str = "",
    env: run.Env | None = None,
    cwd: str = "",
    pushed: bool = True,
) -> str:
    changed = {**environment(pushed), **(env or {})}
    done = run.result(*_argv(*words, repository=repository), env=changed, cwd=cwd)
    if done.status:
        raise ToolFailed("git", done.status, done.errors.decode("utf-8", "replace").strip())
    return done.output.decode("utf-8", "surrogateescape")
