"""An image, an archive, a push and a sync, one after another into one app: each adds a commit and serves."""

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.git_servers import HttpServer, Upstream, serving
from tests.system.conftest import Instance, Result

# Four apps; each begins with another way in, and together they go every way from every way.
ORDERS = {
    "image": ["image", "image", "archive", "image", "push"],
    "archive": ["archive", "archive", "push", "archive", "sync"],
    "push": ["push", "push", "sync", "push", "image"],
    "sync": ["sync", "sync", "image", "sync", "archive"],
}


class Ways:
    """The ways into one app. Who pushes, and who owns the upstream, has fetched what the app has by then."""

    def __init__(self, instance: Instance, app: str, server: HttpServer, upstream: Upstream) -> None:
        self.instance, self.app, self.server, self.upstream = instance, app, server, upstream
        self.images: list[str] = []

    def image(self, page: str) -> Result:
        context = self.instance.new_repo(self.instance.sample(page))
        self.images.append(f"{self.instance.prefix}/ways:{page}")
        self.instance.build(self.images[-1], context)
        return self.instance.dokku("git:from-image", self.app, self.images[-1])

    def archive(self, page: str) -> Result:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for name, content in self.instance.sample(page).items():
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(content), 0o755 if content.startswith("#!") else 0o644
                tar.addfile(member, io.BytesIO(content.encode()))
        return self.instance.dokku("git:from-archive", self.app, "--", input=packed.getvalue())

    def push(self, page: str) -> Result:
        repo = self.instance.new_repo({})
        self._start_from_app(repo)
        self.instance.commit(repo, self.instance.sample(page))
        words = ("push", self.instance.remote(self.app), "HEAD:refs/heads/main")  # without --force
        return self.instance.git(repo, *words, check=False)

    def sync(self, page: str) -> Result:
        if (self.instance.root / self.app / "refs/heads/main").exists():
            self.upstream.git("fetch", "--quiet", str(self.instance.root / self.app), "main")
            self.upstream.git("reset", "--quiet", "--hard", "FETCH_HEAD")
        self.upstream.commit_files(self.instance.sample(page))
        return self.instance.dokku("git:sync", "--build-if-changes", self.app, self.server.url(), "main")

    def _start_from_app(self, repo: Path) -> None:
        remote = self.instance.remote(self.app)
        if self.instance.git(repo, "fetch", "--quiet", remote, "main", check=False).code == 0:
            self.instance.git(repo, "reset", "--quiet", "--hard", "FETCH_HEAD")
        else:
            self.instance.git(repo, "update-ref", "-d", "refs/heads/main")  # the app's history begins here


@pytest.fixture
def ways(instance: Instance, request: pytest.FixtureRequest) -> Iterator[Ways]:
    app = instance.name(f"ways-{request.node.callspec.params['first']}")
    assert instance.dokku("apps:create", app).code == 0
    assert instance.dokku("git:set", app, "deploy-branch", "main").code == 0
    upstream = Upstream(instance.place / f"upstream-{app}" / "served")
    with serving(upstream.path.parent) as server:
        ways = Ways(instance, app, server, upstream)
        yield ways
    instance.dokku("--force", "apps:destroy", app)
    if ways.images:
        instance.docker("image", "rm", "--force", *ways.images, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("first", ORDERS)
def test_every_way_in_adds_a_commit_to_what_any_other_left(
    instance: Instance, ways: Ways, first: str
) -> None:
    seen: list[str] = []
    for number, way in enumerate(ORDERS[first]):
        page = f"{number}-{way}"
        come_in: Callable[[str], Result] = getattr(ways, way)

        done = come_in(page)

        assert done.code == 0, (page, done)
        assert (done.out + done.err).count("Application deployed:") == 1
        assert instance.get(ways.app) == (200, page)
        repo = instance.root / ways.app
        history = instance.git(repo, "rev-list", "main").out.split()
        assert history[1:] == seen, page
        seen = history
        assert instance.git(repo, "rev-list", "--merges", "main").out == ""
        assert instance.git(repo, "rev-parse", "HEAD").out.strip() == history[0]
        assert instance.dokku("config:get", ways.app, "GIT_REV").out.strip() == history[0]
        checked = instance.git(repo, "fsck", "--full", "--strict", "--no-dangling")
        assert checked.out == ""
        assert "error" not in checked.err
