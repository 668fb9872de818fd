"""What holds for archives of every kind: one tree from each, nothing outside, and a word for who listens."""

import bz2
import gzip
import io
import lzma
import os
import shutil
import stat
import subprocess
import tarfile
import zipfile

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lib.base import properties, settings
from lib.base.errors import DokkuError
from lib.source import archives
from tests import zips
from tests.archives import GOOD, HELLO, REFUSED, TAKEN, TAR, archive, hard_link, member, symlink

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("git", "tar", "unzip"))), reason="there is no git, tar or unzip"
)
with_files = hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25
)
VALID = "valid archive types include: tar, tar.gz, zip"


@pytest.fixture
def outside(tmp_path):
    """Every path of the instance that archives have no business with, and the canary."""
    os.makedirs(settings.temporary())

    def listed():
        ours = (str(tmp_path / "stdin"), settings.temporary(), settings.app_dir("blog"))
        walk = os.walk(tmp_path)
        found = {os.path.join(parent, name) for parent, dirs, names in walk for name in (*dirs, *names)}
        strays = {path for path in ("/tmp/canary", "/canary") if os.path.lexists(path)}
        return strays | {path for path in found if not path.startswith(ours)}

    return listed


# --- the corpus of tar, compressed ----------------------------------------------------------------------


PLAIN = [name for name in REFUSED if not REFUSED[name].data.startswith(b"\x1f\x8b")]


@pytest.mark.parametrize("name", PLAIN)
def test_a_hostile_archive_is_refused_when_it_is_compressed_too(committed, left_over, outside, name):
    """ARC-1, ARC-2, ARC-3, ARC-4, ARC-5, ARC-6, ARC-8, ARC-10, ARC-11, ARC-12"""
    before = outside()
    text = TAR if name in ("a zip", "nothing") else REFUSED[name].text
    with pytest.raises(DokkuError) as refused:
        committed(gzip.compress(REFUSED[name].data, 1), "tar.gz")
    assert text in refused.value.text
    assert (left_over(), outside()) == ([], before)


@pytest.mark.parametrize("name", [name for name in TAKEN if name != "compressed"])
def test_a_good_archive_is_taken_when_it_is_compressed_too(committed, name):
    assert committed(gzip.compress(TAKEN[name].data, 1), "tar.gz") == TAKEN[name].tree


# --- what an archive is ---------------------------------------------------------------------------------


def test_compression_is_followed_and_noted(committed, said, told):
    """ARC-14"""
    assert committed(gzip.compress(archive(GOOD)), "tar") == HELLO
    assert (2, b" !     Archive looks like a tar.gz archive, and is taken for one\n") in said
    assert "       Extracting gzipped tarball\n" in told()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (bz2.compress(archive(GOOD)), "bzip2"),
        (lzma.compress(archive(GOOD)), "xz"),
        (lzma.compress(archive(GOOD), format=lzma.FORMAT_ALONE), "lzma"),
        (b"\x28\xb5\x2f\xfd" + bytes(50), "zstd"),
        (b"\x1f\x9d" + bytes(50), "compress"),
        (b"\x04\x22\x4d\x18" + bytes(50), "lz4"),
        (b"LZIP" + bytes(50), "lzip"),
    ],
    ids=lambda value: value if isinstance(value, str) else "data",
)
@pytest.mark.parametrize("type_", archives.TYPES)
def test_other_compressions_are_refused_by_name(committed, left_over, data, name, type_):
    """ARC-14"""
    with pytest.raises(DokkuError) as refused:
        committed(data, type_)
    assert refused.value.text == f"Archive has an unsupported compression ({name}), {VALID}"
    assert left_over() == []


@pytest.mark.parametrize(
    ("data", "type_", "looks"),
    [
        (zips.zipped(zips.GOOD), "tar", "ZIP"),
        (zips.zipped(zips.GOOD), "tar.gz", "ZIP"),
        (zips.zipped(), "tar", "ZIP"),
        (archive(GOOD), "zip", "TAR"),
        (gzip.compress(archive(GOOD), mtime=0), "zip", "TAR.GZ"),
        (b"Rar!\x1a\x07\x01\0", "tar", "RAR"),
        (b"7z\xbc\xaf\x27\x1c", "zip", "7Z"),
    ],
    ids=range(7),
)
def test_an_archive_of_another_kind_is_refused(committed, data, type_, looks):
    """ARC-14"""
    with pytest.raises(DokkuError) as refused:
        committed(data, type_)
    assert refused.value.text == f"Archive does not look like a {type_} archive (looks like {looks})"


@pytest.mark.parametrize("name", ["BZhang.txt", "PK00", "Rar!", "LZIP", "7z"])
def test_a_first_file_may_be_called_like_another_kind(committed, name):
    assert committed(archive(member(name, b"x"), GOOD)).keys() == {name, "index.html"}


# --- one tree -------------------------------------------------------------------------------------------


NAMES = st.text(alphabet="ab.-~ 'ä;[", min_size=1, max_size=4).filter(lambda part: part.strip(".") != "")
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
FILES = st.tuples(st.binary(max_size=600), st.sampled_from([0o644, 0o755, 0o600, 0o4711, 0o400]))


def _is_consistent(paths):
    parents = {"/".join(path.split("/")[:depth]) for path in paths for depth in range(1, path.count("/") + 1)}
    return not parents & set(paths)


@with_files
@given(
    st.dictionaries(PATHS, FILES, min_size=1, max_size=6).filter(_is_consistent),
    st.lists(NAMES, max_size=2),
    st.booleans(),
    st.sampled_from(["", "./", "top/", "./top dir/"]),
)
def test_the_same_files_make_the_same_tree_in_every_kind(committed, files, links, listed, prefix):
    """ARC-16"""
    shutil.rmtree(settings.app_dir("blog"))
    os.makedirs(settings.app_dir("blog"))
    names = {path.split("/")[0] for path in files}
    links = [name for name in dict.fromkeys(links) if name not in names]
    target = next(iter(files))
    pairs = files.items()
    as_tar = [member(prefix + name, content, mode=mode) for name, (content, mode) in pairs]
    as_zip = [
        zips.entry(prefix + name, content, stat.S_IFREG | mode) for name, (content, mode) in files.items()
    ]
    as_tar += [symlink(prefix + name, target) for name in links]
    as_zip += [zips.symlink(prefix + name, target) for name in links]
    if listed and prefix:
        as_tar.insert(0, member(prefix, type_=tarfile.DIRTYPE, mode=0o700))
        as_zip.insert(0, zips.directory(prefix, mode=0o700))
    plain = archive(*as_tar)
    trees = [
        committed(plain),
        committed(gzip.compress(plain), "tar.gz"),
        committed(zips.zipped(*as_zip), "zip"),
    ]
    assert trees[0] == trees[1] == trees[2]
    assert len(trees[0]) == len(files) + len(links)
    assert {mode for mode, _ in trees[0].values()} <= {"100644", "100755", "120000"}


# --- nothing outside ------------------------------------------------------------------------------------


GOOD_NAMES = ["a", "b", "a/b", "a/b/c", "c d", "./a", "d//e", "f"]
BAD_NAMES = ["..", "../canary", "a/..", "/tmp/canary", ".", "x\\y", "", ".git", ".git/x", "\x1b[m"]
ODD = st.sampled_from(GOOD_NAMES * 4 + BAD_NAMES)
ANY_TAR = st.one_of(
    st.builds(member, ODD, st.binary(max_size=20)),
    st.builds(
        member, ODD, type_=st.sampled_from([b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"S", b"Z"]), link=ODD
    ),
    st.builds(symlink, ODD, ODD),
    st.builds(hard_link, ODD, ODD),
    st.binary(min_size=512, max_size=512),
)
ANY_ZIP = st.one_of(
    st.builds(zips.entry, ODD, st.binary(max_size=20)),
    st.builds(zips.symlink, ODD, ODD),
    st.builds(zips.entry, ODD.map(lambda name: f"{name}/"), mode=st.just(stat.S_IFDIR | 0o700)),
    st.builds(
        zips.entry,
        ODD,
        st.binary(max_size=20),
        local_name=ODD.map(str.encode),
        mode=st.integers(0, 0xFFFF),
        flags=st.integers(0, 0xFFFF),
        method=st.sampled_from([0, 8, 8, 8, 9]),
    ),
)
DATA = st.one_of(
    st.lists(ANY_TAR, max_size=6).map(lambda parts: (archive(*parts), "tar")),
    st.lists(ANY_TAR, max_size=6).map(lambda parts: (gzip.compress(archive(*parts)), "tar.gz")),
    st.lists(ANY_ZIP, max_size=6).map(lambda parts: (zips.zipped(*parts), "zip")),
)


@hypothesis_settings(with_files, max_examples=250)
@given(DATA)
def test_any_members_are_refused_or_stay_inside(committed, left_over, outside, made):
    """ARC-4"""
    shutil.rmtree(settings.app_dir("blog"))
    os.makedirs(settings.app_dir("blog"))
    before = outside()
    tree, text = {}, "taken"
    try:
        tree = committed(*made)
    except DokkuError as error:
        text = error.text
    assert text.isprintable()
    assert text
    assert not [name for name in tree if {"..", ".git"} & set(name.split("/"))]
    assert (left_over(), outside()) == ([], before)


# --- as others make them --------------------------------------------------------------------------------


def _checkout(place):
    """A project as GitHub would pack it: one directory, scripts, links, blanks and letters of all kinds."""
    top = place / "blog-1.2.3"
    for name in ("src/app.js", "docs/read me.md", "docs/größe.txt", ".gitignore", "node_modules/tool/cli.js"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(name)
    (top / "node_modules/.bin").mkdir()
    (top / "node_modules/.bin/tool").symlink_to("../tool/cli.js")
    (top / "node_modules/tool/cli.js").chmod(0o755)
    (top / "empty").mkdir()
    return {
        **{name: ("100644", name.encode()) for name in ("src/app.js", "docs/read me.md", "docs/größe.txt")},
        ".gitignore": ("100644", b".gitignore"),
        "node_modules/tool/cli.js": ("100755", b"node_modules/tool/cli.js"),
        "node_modules/.bin/tool": ("120000", b"../tool/cli.js"),
    }


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_project_packed_by_python_is_taken(committed, tmp_path, form, mode):
    tree = _checkout(tmp_path)
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode, format=form) as made:
        made.add(tmp_path / "blog-1.2.3", "blog-1.2.3")
    assert committed(data.getvalue(), "tar" if mode == "w" else "tar.gz") == tree


def test_an_archive_of_git_is_taken(committed, tmp_path):
    """With the commit in a global header, as GitHub sends it."""
    tree = _checkout(tmp_path)
    top = tmp_path / "blog-1.2.3"
    us = ("-c", "user.name=a", "-c", "user.email=a@b")
    for words in (["init", "-q"], ["add", "-A", "-f"], [*us, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", *words], cwd=top, check=True)
    for type_ in archives.TYPES:
        argv = ["git", "archive", f"--format={type_}", "--prefix=blog-1.2.3/", "HEAD"]
        made = subprocess.run(argv, cwd=top, check=True, capture_output=True).stdout
        assert committed(made, type_) == tree


def test_twenty_thousand_small_files_are_taken_under_a_raised_limit(committed):
    """ARC-8"""
    properties.write("git", "--global", "archive-max-files", "20500")
    names = [f"top/d{number % 100}/f{number}" for number in range(20_000)]
    as_zip = io.BytesIO()
    with zipfile.ZipFile(as_zip, "w") as made:
        for name in names:
            made.writestr(name, name[-2:])
    expected = {name.removeprefix("top/"): ("100644", name[-2:].encode()) for name in names}
    assert committed(archive(*(member(name, name[-2:].encode()) for name in names))) == expected
    assert committed(as_zip.getvalue(), "zip") == expected


# --- for who listens ------------------------------------------------------------------------------------


def _audited(said):
    lines = [
        data.decode() for stream, data in said if stream == 2 and data.startswith(b"[archive-security] ")
    ]
    return [dict(word.split("=", 1) for word in line.split(" details=")[0].split()[1:]) for line in lines]


def test_programs_hear_what_becomes_of_an_archive(committed, said):
    committed(archive(GOOD))
    events = _audited(said)
    assert [event["event"] for event in events] == ["extraction_started", "extraction_completed"]
    assert all((event["archive_type"], event["source"]) == ("tar", "stdin") for event in events)
    assert all(event.keys() == {"timestamp", "user", "event", "archive_type", "source"} for event in events)


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("an absolute path", "rejected_absolute_path"),
        ("the parent", "rejected_path_traversal"),
        ("an absolute link", "rejected_absolute_symlink"),
        ("a link that leaves", "rejected_symlink_escape"),
        ("a sparse terabyte", "rejected_size"),
        ("a fifo", "rejected_unsupported_entry"),
        ("nothing", "rejected_empty"),
        ("an escape in a name", "rejected_unsupported_entry"),
    ],
)
def test_programs_hear_why_an_archive_was_refused(committed, said, name, event):
    with pytest.raises(DokkuError) as refused:
        committed(REFUSED[name].data)
    assert _audited(said)[-1]["event"] == event
    assert said[-1][1].decode().endswith(f" details={refused.value.text}\n")


def test_a_person_gets_no_audit(committed, said, monkeypatch):
    monkeypatch.setattr(os, "isatty", lambda descriptor: descriptor == 2)
    committed(archive(GOOD))
    assert _audited(said) == []
