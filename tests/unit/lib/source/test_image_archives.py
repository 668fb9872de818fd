"""Archives of images: what docker gets holds the image that was asked for, under its one name."""

import gzip
import io
import json
import tarfile

import pytest

from lib.base.errors import DokkuError
from lib.source import image_archives

CONFIG, LAYER = b'{"rootfs": {}}', b"layer"
OURS = {
    "Config": "a.json",
    "RepoTags": ["mine:1", "dokku/other:latest", "busybox:latest"],
    "Layers": ["l/layer.tar"],
}
OTHER = {"Config": "b.json", "RepoTags": ["dokku/victim:latest"], "Layers": ["l/layer.tar"]}
PARTS = {"a.json": CONFIG, "b.json": CONFIG, "l/layer.tar": LAYER}


def archive(files, *members):
    """A tar archive of files by name, and of members as tarfile has them."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        for member in members:
            tar.addfile(member)
    return content.getvalue()


def saved(*manifest, **more):
    return {**PARTS, "manifest.json": json.dumps(manifest).encode(), **more}


def copied(data, wanted="mine:1"):
    """The members of the copy by name, in order; links as the text that they hold."""
    target = io.BytesIO()
    image_archives.copy(io.BytesIO(data), target, wanted)
    return read(target)


def read(target):
    target.seek(0)
    with tarfile.open(fileobj=target) as tar:
        return {
            one.name: tar.extractfile(one).read() if one.isreg() else one.linkname for one in tar.getmembers()
        }


def refused(data, wanted="mine:1"):
    """The error of a copy, which is whole all the same and names no image."""
    target = io.BytesIO()
    with pytest.raises(DokkuError) as error:
        image_archives.copy(io.BytesIO(data), target, wanted)
    assert read(target)["manifest.json"] == b"[]"
    return error.value


def test_other_names_of_the_image_and_other_images_are_left_out():
    found = copied(archive(saved(OTHER, OURS, repositories=b'{"dokku/victim": {"latest": "x"}}')))
    assert json.loads(found.pop("manifest.json")) == [
        {"Config": "a.json", "RepoTags": ["mine:1"], "Layers": ["l/layer.tar"]}
    ]
    assert found == PARTS


def test_what_names_images_comes_last_wherever_it_stood():
    files = {"manifest.json": json.dumps([OURS]).encode(), **PARTS}
    assert list(copied(archive(files)))[-1] == "manifest.json"


@pytest.mark.parametrize("kind", ["plain", "gzip", "bz2", "xz"])
def test_a_compressed_archive_is_read(kind):
    import bz2
    import lzma

    pack = {"plain": bytes, "gzip": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[kind]
    assert "manifest.json" in copied(pack(archive(saved(OURS))))


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        ("busybox:latest", "busybox"),
        ("busybox:latest", "docker.io/library/busybox"),
        ("docker.io/team/app:1", "team/app:1"),
        ("localhost:5000/app:latest", "localhost:5000/app"),
    ],
)
def test_names_are_compared_as_docker_reads_them(held, wanted):
    found = json.loads(copied(archive(saved({**OURS, "RepoTags": [held]})), wanted)["manifest.json"])
    assert len(found) == 1


def test_an_archive_without_the_image_is_refused_with_the_names_it_holds():
    """ARC-19"""
    error = refused(archive(saved(OTHER)))
    assert error.text == "Loaded image tarball but the specified docker image was not found: mine:1"
    assert error.more == ("The archive holds dokku/victim:latest",)
    assert refused(archive(saved({**OTHER, "RepoTags": None}))).more == (
        "The archive holds no image with a name",
    )


def test_names_that_only_the_old_file_gives_are_not_enough():
    assert "not found" in refused(archive({**PARTS, "repositories": b'{"mine": {"1": "x"}}'})).text


def link(name, target, kind=tarfile.SYMTYPE):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def test_links_between_layers_stay():
    assert (
        copied(archive(saved(OURS), link("m/layer.tar", "../l/layer.tar")))["m/layer.tar"] == "../l/layer.tar"
    )


@pytest.mark.parametrize(
    "member",
    [
        *(link("x", target) for target in ("/etc/passwd", "../x", "a/../../x")),
        *(
            link("x", "../../x", tarfile.LNKTYPE),
            link("../x", "y"),
            link("/x", "y"),
            link("manifest.json", "x"),
        ),
        *(link("x", "", kind) for kind in (tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.BLKTYPE)),
    ],
    ids=lambda member: f"{member.name}-{member.linkname}-{member.type!r}",
)
def test_an_entry_that_docker_does_not_write_is_refused(member):
    error = refused(archive(saved(OURS), member))
    assert "does not write" in error.text or "no single file" in error.text


def test_a_name_below_a_link_is_refused():
    """Else a second manifest.json could be written through a link to the top."""
    whole = archive({"manifest.json": json.dumps([OURS]).encode()}, link("d", "."))
    more = archive({"d/manifest.json": json.dumps([OTHER]).encode()})
    assert (
        "d/manifest.json" in refused(whole[: whole.index(b"\0" * 1024, 1024) // 512 * 512 + 512] + more).text
    )


@pytest.mark.parametrize("name", ["./manifest.json", "x/../manifest.json", "manifest.json/"])
def test_a_second_file_that_names_images_is_refused_however_it_is_spelled(name):
    files = {**saved(OURS), name: json.dumps([OTHER]).encode()}
    assert "no single file" in refused(archive(files)).text


@pytest.mark.parametrize(
    "manifest", [b"{}", b"[1]", b'[{"RepoTags": ["mine:1"]}]', b"[" * 100_000, b'{"a"', b"\xff", b'["x"]']
)
def test_a_manifest_of_another_shape_is_refused_in_one_line(manifest):
    assert "\n" not in refused(archive({**PARTS, "manifest.json": manifest})).text


def test_a_manifest_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(image_archives, "LARGEST", 100)
    assert "too large" in refused(archive(saved(OURS))).text


def test_a_header_that_is_too_large_is_refused():
    member = tarfile.TarInfo("x")
    member.type, member.size = tarfile.XHDTYPE, 10**9
    assert "Failed to load image" in refused(member.tobuf() + bytes(10240)).text


@pytest.mark.parametrize("data", [b"", b"junk", b"junk" * 1000, b"\x28\xb5\x2f\xfd" + bytes(2000)])
def test_what_is_no_archive_is_refused(data):
    assert refused(data).text.startswith(("Failed to load image: mine:1", "Loaded image tarball"))


def test_an_oci_layout_without_dockers_manifest_names_one_image():
    def one(name, digest):
        return {"digest": digest, "size": 1, "annotations": {"io.containerd.image.name": name}, "urls": ["x"]}

    index = {
        "manifests": [
            one("docker.io/dokku/victim:latest", "sha256:b"),
            one("docker.io/library/mine:1", "sha256:a"),
        ]
    }
    files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": json.dumps(index).encode()}
    found = copied(archive(files))
    (kept,) = json.loads(found["index.json"])["manifests"]
    assert (kept["digest"], kept["annotations"]["io.containerd.image.name"]) == (
        "sha256:a",
        "docker.io/library/mine:1",
    )
    assert "urls" not in kept
    assert found["oci-layout"] == files["oci-layout"]
