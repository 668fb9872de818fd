"""git:from-image and git:load-image with real images, and a registry of our own on this machine."""

import contextlib
import hashlib
import http.server
import io
import json
import os
import pty
import select
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.conftest import BASE_IMAGE, Instance, Result

ALTERNATE_TAGS = "com.dokku.docker-image-labeler/alternate-tags"
INVALID = [
    *("bb\nRUN id", "--platform=x bb", "bb AS x", "$X", "-a", "Bb", "bb:", "bb\n", " bb", "é"),
    *('bb"', "bb\\", "a/../b", "$(touch /tmp/x)", "`id`", "bb;id", "http://x/bb", "bb@sha256:12", "b" * 300),
]
Make = Callable[..., str]


@pytest.fixture
def image(instance: Instance) -> Iterator[Make]:
    """Build an image that answers with a page; its name. more: files beside; lines: of its Dockerfile."""
    made = []

    def make(name: str, page: str, *lines: str, **more: str) -> str:
        repo = instance.new_repo(instance.sample(page, **more))
        with open(repo / "Dockerfile", "a") as dockerfile:
            dockerfile.write("\n".join([*lines, ""]))
        made.append(name if "/" in name else f"{instance.prefix}/{name}:1")
        instance.build(made[-1], repo)
        return made[-1]

    yield make
    pulled = instance.docker("image", "ls", "--quiet", f"--filter=reference=*/{instance.prefix}/*").split()
    instance.docker("image", "rm", "--force", *{*made, *pulled}, check=False)


@pytest.fixture
def app(instance: Instance, request: pytest.FixtureRequest) -> Iterator[str]:
    name = instance.name("i" + hashlib.sha256(request.node.name.encode()).hexdigest()[:8])
    assert instance.dokku("apps:create", name).code == 0
    yield name
    assert instance.dokku("--force", "apps:destroy", name).code == 0


def git(instance: Instance, app: str, *words: str) -> str:
    return instance.git(instance.root / app, *words, check=False).out.strip()


def history(instance: Instance, app: str) -> list[str]:
    """The commits of the deploy branch, newest first: author, e-mail, committer, subject."""
    return git(instance, app, "log", "--format=%an|%ae|%cn|%s", "refs/heads/master").splitlines()


def source_image(instance: Instance, app: str) -> str:
    path = instance.lib / "config/git" / app / "source-image"
    return path.read_text() if path.exists() else ""


def is_untouched(instance: Instance, app: str) -> bool:
    """Whether an app is as new: no commit, no image, no container, and nothing left over."""
    temporary = list((instance.lib / "tmp").glob("image.*"))
    return (
        not git(instance, app, "rev-list", "--all")
        and not instance.images(app)
        and not instance.containers(app)
        and not source_image(instance, app)
        and not temporary
    )


def test_an_image_is_committed_built_and_served(instance: Instance, image: Make, app: str) -> None:
    wanted = image("one", "from an image")

    done = instance.dokku("git:from-image", app, wanted)

    assert done.code == 0, done
    assert "-----> Image exists on host, skipping pull\n" in done.out
    assert done.out.count("Application deployed") == 1
    assert instance.get(app) == (200, "from an image")
    assert history(instance, app) == ["Dokku|automated@dokku.sh|Dokku|Initial commit"]
    assert git(instance, app, "symbolic-ref", "HEAD") == "refs/heads/master"
    assert git(instance, app, "ls-tree", "--name-only", "HEAD") == "Dockerfile"
    label = f'LABEL {ALTERNATE_TAGS}=[\\"{wanted}\\"]'
    assert git(instance, app, "show", "HEAD:Dockerfile") == f"FROM {wanted}\n{label}"
    (known,) = json.loads(instance.docker("image", "inspect", f"dokku/{app}:latest"))
    assert known["Config"]["Labels"][ALTERNATE_TAGS] == f'["{wanted}"]'
    assert known["Config"]["Labels"]["com.dokku.app-name"] == app
    assert source_image(instance, app) == wanted


def test_another_image_follows_and_the_first_stays_on_the_host(
    instance: Instance, image: Make, app: str
) -> None:
    first, second = image("older", "the older one"), image("newer", "the newer one")
    assert instance.dokku("git:from-image", app, first).code == 0

    done = instance.ssh("git:from-image", app, second, "'Ann Other'", "ann@example.com")

    assert done.code == 0, done
    assert instance.get(app) == (200, "the newer one")
    newest, oldest = history(instance, app)
    assert newest.startswith("Ann Other|ann@example.com|Ann Other|Automated commit @ ")
    assert oldest.endswith("|Initial commit")
    assert source_image(instance, app) == second
    assert instance.docker("image", "inspect", "--format={{.Id}}", first)


def test_the_same_image_again_is_no_change_and_no_failure(instance: Instance, image: Make, app: str) -> None:
    """GIT-15"""
    wanted = image("same", "as ever")
    assert instance.dokku("git:from-image", app, wanted).code == 0
    before = instance.containers(app)

    done = instance.dokku("git:from-image", app, wanted)

    assert done.code == 0, done
    assert " !     No changes detected, aborting git update\n" in done.err
    assert " !     No changes detected, skipping git commit\n" in done.err
    assert "ps:rebuild" in done.err
    assert instance.containers(app) == before
    assert len(history(instance, app)) == 1


def test_an_onbuild_image_takes_its_context_from_the_build_directory(
    instance: Instance, image: Make, app: str
) -> None:
    wanted = image("onbuild", "base", "ONBUILD COPY page /app/www/index.html", CHECKS="WAIT=0\n/ beside\n")
    beside = instance.new_repo(
        {"page": "beside", ".hidden": "x", "Dockerfile": "FROM scratch\n", "run": "#!x"}
    )

    without = instance.dokku("git:from-image", app, wanted)
    assert without.code != 0
    assert is_untouched(instance, app)

    done = instance.dokku("git:from-image", app, wanted, "Ann", "--build-dir", str(beside), "ann@example.com")
    assert done.code == 0, done
    assert "       Syncing build directory context\n" in done.out
    assert instance.get(app) == (200, "beside")
    assert history(instance, app) == ["Ann|ann@example.com|Ann|Initial commit"]
    listed = git(instance, app, "ls-tree", "-r", "--format=%(objectmode) %(path)", "HEAD").splitlines()
    assert listed == ["100644 .hidden", "100644 Dockerfile", "100644 page", "100755 run"]
    assert git(instance, app, "show", "HEAD:Dockerfile").startswith(f"FROM {wanted}\n")

    again = instance.dokku("git:from-image", app, wanted)
    assert again.code != 0, "the context of the last time must not be there"
    assert instance.get(app) == (200, "beside")


def test_a_deploy_that_failed_is_tried_again_with_the_same_image(
    instance: Instance, image: Make, app: str
) -> None:
    wanted = image(
        "failing", "fixed", serve=instance.sample()["serve"].replace("trap", ': "${READY:?}"\ntrap', 1)
    )

    failed = instance.dokku("git:from-image", app, wanted)
    assert failed.code != 0, failed
    assert is_untouched(instance, app)

    assert instance.dokku("config:set", "--no-restart", app, "READY=1").code == 0
    done = instance.dokku("git:from-image", app, wanted)
    assert done.code == 0, done
    assert instance.get(app) == (200, "fixed")
    assert len(history(instance, app)) == 1


def test_what_names_no_image_leaves_nothing(instance: Instance, app: str) -> None:
    """NAME-11, DKR-1"""
    for name in INVALID:
        done = instance.dokku("git:from-image", app, "--", name)
        assert (done.code, done.out) == (1, ""), done
        assert done.err.startswith(" !     Invalid docker image: "), done
        assert done.err.count("\n") == 1
        loaded = instance.dokku("git:load-image", app, "--", name, input="an archive")
        assert (loaded.code, loaded.out, loaded.err) == (1, "", done.err)
    assert is_untouched(instance, app)


@pytest.mark.parametrize("command", ["git:from-image", "git:load-image"])
@pytest.mark.parametrize(
    ("words", "text", "code"),
    [
        (["APP"], "Please specify a docker image", 1),
        (["no-such-app", "bb"], "App no-such-app does not exist", 20),
        (["--build-dir", "/none", "APP", "bb"], "Invalid BUILD_DIR specified for docker build context", 1),
        (["APP", "bb", "--build-dir=/none"], "Invalid BUILD_DIR specified for docker build context", 1),
    ],
)
def test_a_call_that_lacks_something_says_what(
    instance: Instance, app: str, command: str, words: list[str], text: str, code: int
) -> None:
    done = instance.dokku(command, *(app if word == "APP" else word for word in words))
    assert done == Result("", f" !     {text}\n", code)
    assert is_untouched(instance, app)


def test_an_odd_author_is_refused(instance: Instance, image: Make, app: str) -> None:
    """NAME-12"""
    for name, email in (("a\nb", "x@y"), ("a", "<x@y>"), ("a>", "x@y")):
        done = instance.dokku("git:from-image", app, BASE_IMAGE, name, email)
        assert done.code == 1
        assert " !     Invalid git user name or email\n" in done.err
    assert is_untouched(instance, app)


def test_a_build_directory_with_a_pipe_is_refused(instance: Instance, app: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = instance.dokku("git:from-image", f"--build-dir={tmp_path}", app, BASE_IMAGE)
    assert (done.code, done.err) == (1, " !     BUILD_DIR contains an unsupported file: pipe\n")
    assert is_untouched(instance, app)


def test_a_saved_image_is_loaded_from_stdin_and_served(instance: Instance, image: Make, app: str) -> None:
    """ARC-19"""
    wanted = image("saved", "from a file")
    archive = subprocess.run(["docker", "image", "save", wanted], capture_output=True, check=True).stdout
    instance.docker("image", "rm", wanted)

    done = instance.ssh("git:load-image", app, wanted, "Ann", "ann@example.com", input=archive)

    assert done.code == 0, done
    assert "pull" not in done.out.lower()
    assert instance.get(app) == (200, "from a file")
    assert history(instance, app) == ["Ann|ann@example.com|Ann|Initial commit"]
    assert source_image(instance, app) == wanted


def test_an_archive_without_the_image_is_refused(instance: Instance, image: Make, app: str) -> None:
    """ARC-19"""
    other = image("other", "another")
    archive = subprocess.run(["docker", "image", "save", other], capture_output=True, check=True).stdout

    done = instance.dokku("git:load-image", app, f"{instance.prefix}/lacking:1", input=archive)

    assert done.code == 1
    text = "Loaded image tarball but the specified docker image was not found"
    more = f" !     The archive holds {other}\n"
    assert done.err.endswith(f" !     {text}: {instance.prefix}/lacking:1\n{more}")
    assert is_untouched(instance, app)


def test_what_is_no_archive_is_refused(instance: Instance, image: Make, app: str) -> None:
    """ARC-19"""
    wanted = image("whole", "whole")
    archive = subprocess.run(["docker", "image", "save", wanted], capture_output=True, check=True).stdout
    for broken in (b"junk", archive[: len(archive) // 2]):
        done = instance.dokku("git:load-image", app, wanted, input=broken)
        assert done.code == 1, done
        assert f" !     Failed to load image: {wanted}\n" in done.err
    assert is_untouched(instance, app)


def test_an_empty_stdin_is_refused_whatever_it_is(instance: Instance, app: str, tmp_path: Path) -> None:
    """ARC-19, IO-2"""
    text = " !     Expecting tar archive containing docker image on STDIN, nothing arrived\n"
    (tmp_path / "empty").touch()
    for redirection in ("", "</dev/null", "<&-", f"<{tmp_path}/empty"):
        script = f'"$0" git:load-image "$1" "$2" {redirection}'
        done = subprocess.run(
            ["sh", "-c", script, str(instance.place / "bin/dokku"), app, BASE_IMAGE],
            input=b"",
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", text), redirection
    assert instance.ssh("git:load-image", app, BASE_IMAGE) == Result("", text, 1)
    assert is_untouched(instance, app)


def test_a_terminal_is_refused_at_once(instance: Instance, app: str) -> None:
    """ARC-19, IO-1"""
    master, slave = pty.openpty()
    try:
        argv = [str(instance.place / "bin/dokku"), "git:load-image", app, BASE_IMAGE]
        process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave)
        said = b""
        while process.poll() is None or select.select([master], [], [], 0)[0]:
            if select.select([master], [], [], 0.1)[0]:
                said += os.read(master, 1024)
    finally:
        os.close(slave)
        os.close(master)
    assert process.returncode == 1
    assert said == b" !     Expecting tar archive containing docker image on STDIN\r\n"
    assert is_untouched(instance, app)


def test_a_registry_that_does_not_answer(instance: Instance, image: Make, app: str) -> None:
    wanted = f"127.0.0.1:1/{instance.prefix}/nowhere:1"
    done = instance.dokku("git:from-image", app, wanted)
    assert done.code == 1, done
    assert "-----> Pulling image\n" in done.out
    said = done.err.splitlines()
    assert "refused" in said[0]
    assert said[1:] == [f" !     Failed to pull image: {wanted}"]
    assert is_untouched(instance, app)

    image(wanted, "local all the same")
    done = instance.dokku("--force", "git:from-image", app, wanted)
    assert done.code == 0, done
    assert "-----> Force pulling image\n" in done.out
    assert f" !     Failed to pull image: {wanted}\n" in done.err
    assert instance.get(app) == (200, "local all the same")


def test_an_image_comes_from_its_registry_and_a_newer_one_when_forced(
    instance: Instance, image: Make, app: str
) -> None:
    with registry() as (host, blobs):
        wanted = f"{host}/{instance.prefix}/web:1"
        publish(blobs, image(wanted, "published"), "1")
        instance.docker("image", "rm", wanted)

        done = instance.dokku("git:from-image", app, wanted)
        assert done.code == 0, done
        assert "-----> Pulling image\n" in done.out
        assert instance.get(app) == (200, "published")

        before = image_id(instance, wanted)
        publish(blobs, image(wanted, "published again"), "1")
        newer = image_id(instance, wanted)
        instance.docker("image", "tag", before, wanted)
        skipped = instance.dokku("git:from-image", app, wanted)
        assert "-----> Image exists on host, skipping pull\n" in skipped.out
        assert image_id(instance, wanted) == before
        forced = instance.dokku("git:from-image", app, wanted, "--force")
        assert forced.code == 0, forced
        assert image_id(instance, wanted) == newer
        assert "ps:rebuild" in forced.err
        rebuilt = instance.dokku("ps:rebuild", app)
        assert rebuilt.code == 0, rebuilt
        assert instance.get(app) == (200, "published again")

        missing = instance.dokku("git:from-image", app, f"{host}/{instance.prefix}/web:none")
        assert missing.code == 1
        assert missing.err.endswith(f" !     Failed to pull image: {host}/{instance.prefix}/web:none\n")
        assert instance.get(app) == (200, "published again")


def test_an_image_that_was_pulled_by_its_digest_is_not_cleared_away(
    instance: Instance, image: Make, app: str
) -> None:
    """LEAK-2"""
    with registry() as (host, blobs):
        published = image(f"{host}/{instance.prefix}/pinned:1", "x", CHECKS="WAIT=0\nATTEMPTS=1\n/ never\n")
        digest = publish(blobs, published, "1")
        instance.docker("image", "rm", published)
        pinned = f"{host}/{instance.prefix}/pinned@{digest}"

        assert instance.dokku("git:from-image", app, pinned).code != 0
        assert instance.dokku("git:from-image", app, image("unpinned", "another")).code == 0

        assert image_id(instance, pinned)


def image_id(instance: Instance, name: str) -> str:
    return instance.docker("image", "inspect", "--format={{.Id}}", name).strip()


def publish(blobs: dict[str, tuple[str, bytes]], image: str, tag: str) -> str:
    """Put an image of this host into a registry, under a tag; its digest there."""
    saved = subprocess.run(["docker", "image", "save", image], capture_output=True, check=True).stdout
    kinds = "application/vnd.docker.container.image.v1+json", "application/vnd.docker.image.rootfs.diff.tar"
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:

        def member(name: str) -> bytes:
            found = archive.getmember(name)
            if found.issym():
                found = archive.getmember(
                    os.path.normpath(os.path.join(os.path.dirname(name), found.linkname))
                )
            file = archive.extractfile(found)
            assert file is not None
            return file.read()

        (listed,) = json.loads(member("manifest.json"))
        parts = [(kinds[0], member(listed["Config"]))]
        parts += [(kinds[1], member(name)) for name in listed["Layers"]]
    described = []
    for kind, data in parts:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        blobs[digest] = (kind, data)
        described.append({"mediaType": kind, "size": len(data), "digest": digest})
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    content = {"schemaVersion": 2, "mediaType": kind, "config": described[0], "layers": described[1:]}
    manifest = json.dumps(content).encode()
    digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    blobs |= {tag: (kind, manifest), digest: (kind, manifest)}
    return digest


@contextlib.contextmanager
def registry() -> Iterator[tuple[str, dict[str, tuple[str, bytes]]]]:
    """An image registry (docker takes plain http from this machine): its host, and what it serves by name."""
    blobs: dict[str, tuple[str, bytes]] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            kind, data = blobs.get(name, ("application/json", b"{}"))
            self.send_response(200 if name in ("", *blobs) else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Docker-Content-Digest", f"sha256:{hashlib.sha256(data).hexdigest()}")
            self.send_header("Docker-Distribution-API-Version", "registry/2.0")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

        do_HEAD = do_GET  # noqa: N815 - http.server looks for this name

        def log_message(self, format: str, *words: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_port}", blobs
        server.shutdown()
        thread.join(timeout=10)
