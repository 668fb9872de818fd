"""The last try to deploy an app: a release, or a build that did not become one."""

from typing import NamedTuple

from lib.build import records
from lib.runtime import release_records


class Deploy(NamedTuple):
    """release: `v3`, empty when the build failed. outcome: of the release, or `build failed`.

    user: the name of the ssh key. ended: seconds since 1970, when it began while nobody has seen the end.
    """

    release: str
    outcome: str
    user: str
    ended: int


def of(app: str) -> Deploy | None:
    """The last one; None for an app that was never deployed."""
    release, build = release_records.last(app), records.last(app)
    if build and build.outcome != records.SUCCEEDED and (not release or build.started >= release.started):
        return Deploy("", f"build {build.outcome}", build.user, build.ended or build.started)
    if release is None:
        return None
    return Deploy(f"v{release.number}", release.outcome, release.user, release.ended or release.started)
