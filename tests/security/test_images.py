"""Images are an app's own: no archive replaces another app's, and no build reads what is in one."""

import io
import json
import tarfile
from collections.abc import Iterator

import pytest

from tests.system.conftest import Instance

SECRET = "the victim's own page"


@pytest.fixture(scope="module")
def victim(instance: Instance) -> str:
    """An app that is deployed, with a secret in its image."""
    app = instance.name("victim")
    assert instance.push(instance.new_repo(instance.sample(SECRET)), app).code == 0
    return app


@pytest.fixture
def evil(instance: Instance) -> Iterator[str]:
    """The name of an image that answers with another page, here as an archive only."""
    name = f"{instance.prefix}/evil:1"
    instance.build(name, instance.new_repo(instance.sample("evil")))
    yield name
    instance.docker("image", "rm", "--force", name, check=False)


def saved(instance: Instance, name: str, *more: str, legacy: str = "") -> bytes:
    """An archive of an image, which is then removed here. more: further names in its manifest.

    legacy: a name in the file that older docker read.
    """
    path = instance.place / "image.tar"
    instance.docker("image", "save", f"--output={path}", name)
    data = io.BytesIO()
    with tarfile.open(path) as source, tarfile.open(fileobj=data, mode="w") as target:
        for member in source.getmembers():
            content = source.extractfile(member)
            text = content.read() if content else b""
            if member.name == "manifest.json":
                (entry,) = json.loads(text)
                text = json.dumps(
                    [{**entry, "RepoTags": [*more, name]}, {**entry, "RepoTags": list(more)}]
                ).encode()
            if member.name == "repositories" and legacy:
                ((_, tags),) = json.loads(text).items()
                text = json.dumps({legacy.partition(":")[0]: {"latest": next(iter(tags.values()))}}).encode()
            member.size = len(text)
            target.addfile(member, io.BytesIO(text))
    instance.docker("image", "rm", "--force", name)
    return data.getvalue()


def id_of(instance: Instance, name: str) -> str:
    return instance.docker("image", "inspect", "--format={{.Id}}", name, check=False).strip()


def test_an_archive_that_carries_another_apps_name_loads_only_what_was_named(
    instance: Instance, victim: str, evil: str
) -> None:
    app, other = instance.name("loads"), f"{instance.prefix}/base:1"
    before = id_of(instance, f"dokku/{victim}:latest")
    assert instance.dokku("apps:create", app).code == 0
    archive = saved(instance, evil, f"dokku/{victim}:latest", other)

    done = instance.ssh("git:load-image", app, evil, input=archive)

    assert done.code == 0, done
    assert instance.get(app) == (200, "evil")
    assert id_of(instance, f"dokku/{victim}:latest") == before
    assert id_of(instance, other) == ""
    assert instance.get(victim).body == SECRET


@pytest.mark.parametrize("way", ["only-others", "only-legacy", "named-itself"])
def test_an_archive_without_the_image_that_was_named_loads_nothing(
    instance: Instance, victim: str, evil: str, way: str
) -> None:
    app, name = instance.name(f"loads-{way}"), f"dokku/{victim}:latest"
    before = id_of(instance, name), set(instance.docker("image", "ls", "--quiet", "--all").split())
    assert instance.dokku("apps:create", app).code == 0
    archive = saved(instance, evil, name, legacy=name if way == "only-legacy" else "")
    wanted = name if way == "named-itself" else f"{instance.prefix}/absent:1"

    done = instance.ssh("git:load-image", app, wanted, input=archive)

    assert done.code == 1
    assert " !     " in done.err
    assert id_of(instance, name) == before[0]
    assert id_of(instance, evil) == ""
