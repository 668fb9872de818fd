"""git:* - put source code into an app's repository, and deploy it."""

from typing import Annotated

import typer

from commands._params import (
    ANY_FLAG,
    App,
    Format,
    Global,
    Key,
    LiteralDashes,
    Owner,
    ReportWords,
    Value,
    Workers,
    addressed,
    name_and_email,
)
from lib import deploy
from lib.app import apps, batches, reports
from lib.base import values
from lib.base.report import SHELL
from lib.source import archives, branches, commits, credentials, image_contexts, remotes

namespace = typer.Typer(help="Manage app deploys via git")

AuthWords = Annotated[list[str] | None, typer.Argument(metavar="<host> [<username> [<password>]]")]
Host = Annotated[str, typer.Argument(metavar="<host>")]
Url = Annotated[str, typer.Argument(metavar="<archive-url>")]
Author = Annotated[list[str] | None, typer.Argument(metavar="[<git-username>] [<git-email>]")]
ArchiveType = Annotated[str, typer.Option("--archive-type", metavar="tar|tar.gz|zip")]
Checksum = Annotated[str, typer.Option("--checksum", metavar="sha256:HEX", help="refuse any other content")]
Image = Annotated[str, typer.Argument(metavar="<docker-image>")]
BuildDir = Annotated[str, typer.Option("--build-dir", metavar="DIR", help="what goes beside the Dockerfile")]
Force = Annotated[bool, typer.Option("--force", help="pull the image even if this host has it")]
Remote = Annotated[str, typer.Argument(metavar="<repository>")]
Ref = Annotated[str, typer.Argument(metavar="[<git-ref>]")]
Build = Annotated[  # the last of the two counts, as in Dokku
    bool | None,
    typer.Option("--build/--build-if-changes", help="build and deploy what was fetched (if it is new)"),
]
SkipDeployBranch = Annotated[bool, typer.Option("--skip-deploy-branch", help="keep the deploy branch's name")]
Forced = Annotated[bool, typer.Option("--force", hidden=True)]
AllSynced = Annotated[bool, typer.Option("--all", help="every app, with the remote and ref of its last sync")]


@namespace.command("allow-host", context_settings=ANY_FLAG)
def allow_host(host: Host = "") -> None:
    """Adds a host to known_hosts."""
    credentials.allow_host(host)


@namespace.command("auth", cls=LiteralDashes, context_settings=ANY_FLAG)
def auth(words: AuthWords = None) -> None:
    """Configures netrc authentication for a given git server."""
    credentials.authenticate(words or [])


@namespace.command("auth-status", cls=LiteralDashes, context_settings=ANY_FLAG)
def auth_status(words: AuthWords = None) -> None:
    """Checks if netrc authentication for a git server is as given."""
    credentials.verify(words or [])


@namespace.command("from-archive", cls=LiteralDashes)
def from_archive(
    app: App = "",
    url: Url = "",
    author: Author = None,
    archive_type: ArchiveType = "tar",
    checksum: Checksum = "",
) -> None:
    """Updates an app's git repository with a given archive file."""
    apps.verify_app_name(app)
    source = (archive_type, values.without_credentials(url))
    with archives.unpacked(url, archive_type, checksum) as tree:
        deploy.from_directory(app, tree, commits.author(*name_and_email(author)), source)


@namespace.command("from-image")
def from_image(
    app: App = "",
    image: Image = "",
    author: Author = None,
    build_dir: BuildDir = "",
    force: Force = False,
) -> None:
    """Updates an app's git repository with a given docker image."""
    apps.verify_app_name(app)
    with image_contexts.pulled(image, build_dir, force) as tree:
        deploy.from_directory(app, tree, commits.author(*name_and_email(author)), ("docker-image", image))


@namespace.command("generate-deploy-key")
def generate_deploy_key() -> None:
    """Generates a deploy key."""
    credentials.generate_deploy_key()


@namespace.command("initialize")
def initialize(app: App = "") -> None:
    """Initialize a git repository for an app."""
    branches.initialize(apps.verify_app_name(app))


@namespace.command("load-image")
def load_image(app: App = "", image: Image = "", author: Author = None, build_dir: BuildDir = "") -> None:
    """Updates an app's git repository with a docker image loaded from stdin."""
    apps.verify_app_name(app)
    with image_contexts.loaded(image, build_dir, app=app) as tree:
        deploy.from_directory(app, tree, commits.author(*name_and_email(author)), ("docker-image", image))


@namespace.command("public-key")
def public_key() -> None:
    """Outputs the dokku public deploy key."""
    credentials.show_public_key()


@namespace.command("report", context_settings=ANY_FLAG)
def report(words: ReportWords = None, format_: Format = "stdout") -> None:
    """Displays a git report for one or more apps."""
    reports.show(words, format_, "git information", "git-", branches.rows, SHELL, branches.general_rows)


@namespace.command("set")
def set_(owner: Owner = "", key: Key = "", value: Value = "", is_global: Global = False) -> None:
    """Set or clear a git property for an app."""
    branches.set_(*addressed(owner, key, value, is_global))


@namespace.command("status")
def status(app: App = "") -> None:
    """Show the working tree status of an app's repository."""
    branches.show_status(apps.verify_app_name(app))


@namespace.command("sync")
def sync(
    app: App = "",
    remote: Remote = "",
    ref: Ref = "",
    build: Build = None,
    skip_deploy_branch: SkipDeployBranch = False,
    all_apps: AllSynced = False,
    workers: Workers = 0,
) -> None:
    """Clone or fetch an app from remote git repo."""
    when = "" if build is None else deploy.ALWAYS if build else deploy.IF_CHANGED
    if not all_apps:
        deploy.synced(apps.verify_app_name(app), remote, ref, when, skip_deploy_branch)
    elif names := remotes.followers(app, remote, ref):
        batches.some(
            "sync", lambda name: deploy.synced(name, *remotes.remembered(name), when), names, workers
        )


@namespace.command("unlock")
def unlock(app: App = "", _force: Forced = False) -> None:
    """Removes what an interrupted clone of older releases left behind."""
    branches.unlock(apps.verify_app_name(app))
