"""Images are an app's own: no archive replaces another app's, and no build reads what is in one."""

import io
import json
import subprocess
import tarfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.base.errors import DokkuError
from lib.build import dockerfile_images
from tests.system.conftest import BASE_IMAGE, Instance, Result

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


def pushed(instance: Instance, app: str, dockerfile: str, **files: str) -> Result:
    """A push of an app whose image shows what it got from elsewhere as its page."""
    sample = instance.sample("own", **files)
    text = sample["Dockerfile"].replace(f"FROM {BASE_IMAGE}\n", "") + "RUN mkdir -p /www\n"
    return instance.push(instance.new_repo({**sample, "Dockerfile": dockerfile.replace("{rest}", text)}), app)


TAKING = {
    "from": 'FROM dokku/{victim}\nCMD ["/app/serve"]\n',
    "argument": "ARG A={victim}\nARG B=dokku/$A\nFROM ${B:-x}:latest\n",
    "continued": "FROM \\\n# no\n  dokku/{victim}\n",
    "escape": "# escape=`\nFROM dokku/`\n{victim}\n",
    "copy": f"FROM {BASE_IMAGE}\nCOPY --from=dokku/{{victim}} /app/www /stolen\n{{rest}}",
    "copy by id": f"FROM {BASE_IMAGE}\nCOPY --from={{id}} /app/www /stolen\n{{rest}}",
    "copy by a short id": f"FROM {BASE_IMAGE}\nCOPY --from={{short}} /app/www /stolen\n{{rest}}",
    "copy by a layer": f"FROM {BASE_IMAGE}\nCOPY --from={{layer}} /app/www /stolen\n{{rest}}",
    "copy by another name": f"FROM {BASE_IMAGE}\nCOPY --from={{alias}} /app/www /stolen\n{{rest}}",
    "onbuild": f"FROM {BASE_IMAGE} AS a\nONBUILD COPY --from=dokku/{{victim}} /app/www /x\nFROM a\n{{rest}}",
    "onbuild of a base image": "FROM {trap}\n{rest}",
    "release": f"FROM {BASE_IMAGE}\nCOPY --from=dokku/{{victim}}:release-v1 /app/www /stolen\n{{rest}}",
}


@pytest.fixture(scope="module")
def names(instance: Instance, victim: str) -> Iterator[dict[str, str]]:
    """What an author may know of the victim's image, and a base image with a trap."""
    whole = id_of(instance, f"dokku/{victim}:latest")
    layer = instance.docker("image", "inspect", "--format={{.Parent}}", f"dokku/{victim}:latest").strip()
    alias, trap = f"{instance.prefix}/alias:1", f"{instance.prefix}/trap:1"
    instance.docker("image", "tag", f"dokku/{victim}:latest", alias)
    text = f"FROM {BASE_IMAGE}\nONBUILD COPY --from=dokku/{victim} /app/www /stolen\n"
    instance.build(trap, instance.new_repo({"Dockerfile": text}))
    short = whole.removeprefix("sha256:")[:12]
    yield {"victim": victim, "id": whole, "short": short, "layer": layer, "alias": alias, "trap": trap}
    instance.docker("image", "rm", "--force", alias, trap, check=False)


@pytest.mark.parametrize("way", TAKING)
def test_a_build_takes_nothing_from_another_apps_image(
    instance: Instance, victim: str, names: dict[str, str], way: str
) -> None:
    app, text = instance.name(f"takes-{way.replace(' ', '-')}"), TAKING[way]
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)

    done = pushed(instance, app, text)

    assert done.code != 0
    assert "allowed-images" in done.err
    assert id_of(instance, f"dokku/{app}:latest") == ""
    assert instance.containers(app) == []


def test_what_is_refused_would_have_worked(instance: Instance, names: dict[str, str]) -> None:
    """Else the tests above show nothing: docker itself gives the files away."""
    for way in (
        "from",
        "argument",
        "copy",
        "copy by a short id",
        "copy by a layer",
        "onbuild of a base image",
    ):
        text = TAKING[way].replace("{rest}", "")
        for name, value in names.items():
            text = text.replace(f"{{{name}}}", value)
        name = f"{instance.prefix}/stolen:1"
        instance.build(name, instance.new_repo({"Dockerfile": text}))
        assert SECRET.encode() in content(instance, name), way
        instance.docker("image", "rm", "--force", name)


def test_the_operator_may_allow_it_and_nothing_more(
    instance: Instance, names: dict[str, str], victim: str
) -> None:
    app = instance.name("allowed")
    text = f"FROM {BASE_IMAGE}\nCOPY --from=dokku/{victim} /app/www /stolen\n"
    text += 'COPY . /app\nRUN ln -s /stolen /www\nCMD ["/app/serve"]\n'
    assert instance.dokku("apps:create", app).code == 0
    assert instance.dokku("builder:set", app, "allowed-images", f"dokku/{victim}").code == 0

    done = pushed(instance, app, text, CHECKS="WAIT=0\nATTEMPTS=100\n/\n")

    assert done.code == 0, done
    assert instance.get(app) == (200, SECRET)
    other = instance.name("other-victim")
    assert pushed(instance, app, f"FROM dokku/{other}\n").code != 0


def test_an_image_of_another_app_is_not_deployed_by_its_name(instance: Instance, victim: str) -> None:
    app = instance.name("from-image")
    assert instance.dokku("apps:create", app).code == 0
    done = instance.ssh("git:from-image", app, f"dokku/{victim}:latest")
    assert done.code == 1
    assert f"is an image of the app {victim}" in done.err
    assert instance.containers(app) == []


def content(instance: Instance, name: str) -> bytes:
    """All that is in the layers of an image."""
    return subprocess.run(["docker", "image", "save", name], capture_output=True, check=True).stdout


LINES = st.lists(
    st.sampled_from(
        [
            *("FROM {base}", "FROM scratch", "FROM {victim}", "FROM {base} AS a", "FROM a", "ARG A={victim}"),
            *(
                "FROM $A",
                "FROM ${{A:-{victim}}}",
                "FROM {base}$A",
                "FROM '{victim}'",
                "FROM \\",
                "{victim}",
                "\\",
            ),
            *(
                "# escape=`",
                "FROM `",
                "# note",
                "#",
                "",
                " ",
                "ARG A=\\",
                "COPY --from={victim} /s /s",
                "COPY \\",
            ),
            *(
                "--from={victim} /s /s",
                "COPY --from=a /s /s",
                "COPY --from=0 /s /s",
                "LABEL a=b \\\\",
                "COPY`",
            ),
            *(
                "ONBUILD COPY --from={victim} /s /s",
                "LABEL a='\\",
                "'",
                "LABEL <<E",
                "E",
                "COPY --from={id} /s /s",
            ),
        ]
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES)
def test_no_text_takes_from_an_image_that_is_not_seen_in_it(
    instance: Instance, secret_image: tuple[str, str], lines: list[str]
) -> None:
    """Docker's own reading of any text finds no image in it that ours has not found, or refused to tell."""
    name, id_ = secret_image
    text = "\n".join(lines).format(victim=name, base=BASE_IMAGE, id=id_) + "\n"
    try:
        found = {use.image for use in dockerfile_images.uses(text, {}, False)}
    except DokkuError:
        return
    if found & {name, id_}:
        return
    done = subprocess.run(
        ["docker", "build", "--quiet", "--force-rm", "-"],
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode == 0:
        built = done.stdout.decode().split()[-1]
        assert b"canary-of-an-image" not in content(instance, built), text
        if built != id_of(instance, BASE_IMAGE):
            instance.docker("image", "rm", built, check=False)


@pytest.fixture(scope="module")
def secret_image(instance: Instance) -> Iterator[tuple[str, str]]:
    """An image with a canary in it: its name and its id."""
    name = f"{instance.prefix}/secret:1"
    text = "FROM scratch\nCOPY s /s\n"
    instance.build(name, instance.new_repo({"Dockerfile": text, "s": "canary-of-an-image"}))
    yield name, id_of(instance, name).removeprefix("sha256:")[:12]
    instance.docker("image", "rm", "--force", name, check=False)
