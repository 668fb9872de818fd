"""How source becomes a running app, in order. Start reading the project here.

`pushed` (which branch) -> `receive` (source to image) -> `release` (image to scheduler) -> `roll_out` (image
to traffic). What a plugin may replace or watch is a trigger; everything else is a call to its owner. The last
three are entered through triggers/receive_app.py, release_and_deploy.py and scheduler_deploy.py.
"""

import contextlib
import functools
from collections.abc import Iterator, Sequence

from lib.app import app_json, config, processes
from lib.base import locks, log, properties, scratch, signals, triggers
from lib.base.errors import DokkuError, reason
from lib.build import builders, exposed_ports, images, layers, manifests, records
from lib.proxy import batching, traffic, urls
from lib.runtime import checks, containers, launch, releases, retirement, schedulers
from lib.source import commits, remotes, repos

NOTHING = "0" * 40
ALWAYS, IF_CHANGED = "always", "if-changed"  # when git:sync builds


def pushed(app: str, updates: Sequence[tuple[str, str, str]]) -> None:
    """Judge a push before git accepts it: deploy the deploy branch, leave other branches alone.

    updates: (old commit, new commit, ref) per pushed ref. Raises: DokkuError, which rejects the whole push.
    """
    wanted = f"refs/heads/{repos.deploy_branch(app)}"
    is_chosen = repos.has_chosen_branch(app) or any(ref == wanted for *_, ref in updates)
    idle, is_idle = "", True  # the first ref that nothing was done with, and whether that is all there was
    coming: list[str] = []
    for old, new, ref in updates:
        branch = ref.removeprefix("refs/heads/")
        is_deployed = ref in (wanted, f"refs/tags/{repos.deploy_branch(app)}")
        if new == NOTHING:
            if ref == wanted:
                raise DokkuError(f"Refusing to delete the deploy branch {branch}")
        elif is_deployed or (ref == f"refs/heads/{branch}" and not is_chosen and not _is_for_plugins()):
            if not is_deployed:  # of several new branches, one is deployed
                log.info1(f"Set {branch} to DOKKU_DEPLOY_BRANCH.")
            with _pushed_to(app, ref, new, old, coming):
                triggers.fire("receive-app", app, new)
                if not is_deployed:
                    properties.write("git", app, "deploy-branch", branch)
            is_chosen, is_idle = True, False
        elif _is_for_plugins():
            triggers.fire("receive-branch", app, new, ref)
            is_idle = False
        else:
            idle = idle if idle.startswith("refs/heads/") else ref
            if ref != branch:
                log.info1(f"WARNING: deploy did not complete, you must push to {repos.deploy_branch(app)}.")
                log.info1(f"for example, try 'git push <dokku> {branch}:{repos.deploy_branch(app)}'")
        coming += [branch] if new != NOTHING and ref != branch else []
    if idle and is_idle:
        log.warn(f"Nothing was deployed, this deploys it: git push <dokku> {repos.refspec(app, idle)}")


def _is_for_plugins() -> bool:
    return triggers.has_plugins("receive-branch")


@contextlib.contextmanager
def _pushed_to(app: str, ref: str, new: str, old: str, coming: Sequence[str]) -> Iterator[None]:
    """The deploy of a push, after which git writes the ref: nothing may be in its way by then."""
    with locks.deploy(app):
        repos.clear_away(app, ref)
        repos.verify_update(app, ref, new, old, coming)
        yield
        repos.follow_deploy_branch(app)
        repos.note_choice(app)
        triggers.fire("deploy-source-set", app, "git-push", "")


def received(app: str, updates: Sequence[tuple[str, str, str]]) -> None:
    """See to a push that git has taken: a deployed tag called like the deploy branch becomes that branch."""
    tag = f"refs/tags/{repos.deploy_branch(app)}"
    if any(ref == tag and new != NOTHING for _, new, ref in updates):
        with locks.deploy(app, despite_operator=True):
            repos.clear_away(app, tag)
            repos.take_tag(app, tag)


def synced(app: str, remote: str, ref: str = "", build: str = "", keeps_branch: bool = False) -> None:
    """Make what a remote repository has the app's next version, and deploy it if asked to.

    ref: a branch, tag or commit; empty for the deploy branch. build: `always`, `if-changed` or not at all.
    keeps_branch: the branch of a first sync does not become the deploy branch. A failed build leaves the
    branch at what was fetched, as Dokku does; a killed one does not, so that the next sync builds.
    """
    with locks.deploy(app):
        found = remotes.fetch(app, remote, ref)
        signals.failpoint("fetched")
        remotes.choose_branch(app, found, keeps_branch)
        remotes.remember(app, found)
        if not build or (build == IF_CHANGED and not found.is_new):
            remotes.adopt(app, found)
            if build:
                remotes.say_unchanged()
            return
        try:
            triggers.fire("receive-app", app, found.commit)
        except DokkuError:
            remotes.adopt(app, found)
            raise
        remotes.adopt(app, found)
        triggers.fire("deploy-source-set", app, "git-sync", f"{found.remote}#{found.ref}")
        repos.tidy(app)


def from_directory(
    app: str, tree: str, author: tuple[str, str] = commits.AUTHOR, source: tuple[str, str] = ("", "")
) -> None:
    """Commit a directory as the app's next version and deploy it; its branch moves when that worked.

    source: what deploy-source-set tells of it, (type, metadata); nothing is told without a type.
    """
    with locks.deploy(app):
        repos.clear_away(app)
        log.info1("Updating git repository with specified build context")
        commit = commits.commit_directory(app, tree, author)
        if not commit:
            log.warn("No changes detected, aborting git update")
            log.warn("No changes detected, skipping git commit")
            log.warn("Call 'ps:rebuild' on app to rebuild the app from existing source")
            return
        signals.failpoint("committed")
        triggers.fire("receive-app", app, commit)
        repos.note_own_branch(app)
        repos.advance(app, commit)
        if source[0]:
            triggers.fire("deploy-source-set", app, *source)
        repos.tidy(app)


def receive(app: str, revision: str = "") -> None:
    """Build and roll out one commit of the app's repository: the one named, else its deploy branch's.

    Raises: Locked, when another deploy of the app is under way.
    """
    with locks.deploy(app):
        scratch.sweep()
        revision = repos.deployable(app, revision)
        old = containers.registered(app)
        switched = functools.partial(containers.differ, app, old)
        with (
            records.kept(app, revision),
            repos.checked_out(app, revision) as tree,
            images.restored_on_failure(app, unless=switched) as before,
            app_json.restored_on_failure(app, unless=switched),
            config.restored_on_failure(app, repos.rev_variable(app), unless=switched),
            exposed_ports.restored_on_failure(app, unless=switched),
        ):
            triggers.fire("core-post-extract", app, tree, revision)
            triggers.fire("post-extract", app, tree, revision)
            builder = builders.detect(app, tree)
            triggers.fire("pre-receive-app", app, builder, tree, revision)
            containers.remove_orphans(app, spared=retirement.ids(app))
            builders.clean(app)
            builders.build(app, builder, tree, before)
            if repos.rev_variable(app):
                config.set_values(app, {repos.rev_variable(app): revision})
            triggers.fire("release-and-deploy", app)


def release(app: str, tag: str = "latest", process: str = "") -> None:
    """Make a release of a built image and hand it to the app's scheduler; all of it, or one process type."""
    with _recorded(app, tag):
        log.info1(f"Releasing {app}...")
        manifests.take_over(app, tag)
        builders.release(app, tag)
        if config.is_true(app, "DOKKU_SKIP_DEPLOY"):
            log.info1("Skipping deployment")
            return
        log.info1(f"Deploying {app}...")
        triggers.fire("scheduler-deploy", schedulers.selected(app), app, tag, *filter(None, [process]))
        log.info2("Application deployed:")
        for url in urls.all_(app):
            log.verbose(url)
        log.plain("")


def rolled_back(app: str, word: str = "", with_config: bool = False) -> None:
    """Serve an older release again without building: `v2`, or without a word the last before the present one.

    with_config: with the app's variables as they were. When that fails, all is as it was before.
    Raises: DokkuError before anything has changed, for a release that is not there or has no image.
    """
    with locks.deploy(app):
        chosen = releases.chosen(app, word)
        switched = functools.partial(containers.differ, app, containers.registered(app))
        log.info1(f"Rolling {app} back to v{chosen.number}")
        with (
            images.restored_on_failure(app, unless=switched),
            app_json.restored_on_failure(app, unless=switched),
            releases.put_back(app, chosen, repos.rev_variable(app), with_config, unless=switched),
        ):
            triggers.fire("release-and-deploy", app)


def roll_out(app: str, tag: str = "latest", only: str = "") -> None:
    """Put a release in place of the running one: the docker-local scheduler.

    The old containers serve until every new one is ready and the proxy has switched;
    they are stopped DOKKU_WAIT_TO_RETIRE seconds (60) later. only: the type to replace, empty for all.
    Raises: checks.Failed, and whatever a task or plugin raises; what was started is then removed, and the old
    ones serve, unless some had to be stopped before.
    """
    with batching.at_once(), _recorded(app, tag):
        triggers.fire("pre-deploy", app, tag)  # the tasks before; one of them may change the image
        image = images.verify(app, tag)
        releases.note_image(app, image)
        log.info2("Processing deployment checks")
        led_to = functools.partial(traffic.leads_to, app)
        old = containers.registered(app)
        containers.remove_orphans(app, spared=retirement.ids(app))
        with launch.generation(app, image, tag, led_to) as new:  # on failure: removed, pointers put back
            wanted = [pair for pair in processes.wanted(app) if only in ("", pair[0])]
            new.verify_ports(wanted)
            for places in launch.batches(app, wanted):  # web.1 and web.2, then worker.1
                bring_up(new, places, old)
            signals.failpoint("checked")
            releases.note_containers(app, new.started)
            new.adopt(old, only)  # CONTAINER.*, IP.*, PORT.*: all pointers at once
            port, ip = new.web_listener()
            log.info1("Running post-deploy")
            triggers.fire("core-post-deploy", app, port, ip, tag)  # the proxy switches here
            signals.failpoint("switched")
            retired = new.settle() if new.is_one_way else []
            triggers.fire("post-deploy", app, port, ip, tag)  # the task after; when it fails, switched back
            retired = retired or new.settle()
        signals.failpoint("retired")
        with signals.deferred():
            retire(app, retired)


@contextlib.contextmanager
def _recorded(app: str, tag: str) -> Iterator[None]:
    """A release with its number; when it fails, Procfile and counts are those of the version that serves."""
    with locks.deploy(app):
        releases.mend(app, repos.rev_variable(app))
        switched = functools.partial(containers.differ, app, containers.registered(app))
        with releases.recorded(app, tag), processes.restored_on_failure(app, unless=switched):
            yield


def bring_up(
    new: launch.Generation, places: Sequence[launch.Place], old: Sequence[containers.Container]
) -> None:
    """Start some containers and wait until they are ready; types whose checks are off are stopped before."""
    app, made = new.app, new.create(places)
    for process in [process for process, index in places if index == 1 and checks.is_disabled(app, process)]:
        new.stop_old(process, old)
    checks.wait_until_all_ready(new.run(made))


def retire(app: str, ids: Sequence[str]) -> None:
    """Have replaced containers stopped after a while, and clear away what is due by now."""
    wait = schedulers.wait_to_retire(app)
    if ids:
        log.info1(f"Shutting down old containers in {wait} seconds")
        for id_ in ids:
            log.verbose_quiet(id_)
    try:
        retirement.work_off(app, schedulers.stop_timeout(app))
        images.remove_unused(app)
        layers.remove_abandoned(app)
    except (DokkuError, OSError) as error:  # the new version serves all the same
        log.warn(f"Unable to clear away what is old, the next deploy tries again: {reason(error)}")
