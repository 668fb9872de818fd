"""How a certificate and its key get to certs:add: as files of the host, or as an archive on stdin."""

import gzip
import shutil
import stat
from pathlib import Path

import pytest

from tests.archives import archive, directory, hard_link, member, symlink
from tests.certificates import Authority, Leaf, in_force, written
from tests.cli.conftest import NOBODY, Dokku, as_nobody

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
EXPECTED = " !     Tar archive containing server.crt and server.key expected on stdin\n"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Leaf:
    return Authority(tmp_path_factory.mktemp("authority")).leaf("old.example.com")


@pytest.fixture
def web(dokku: Dokku) -> Path:
    return dokku.make_app("web")


@pytest.mark.parametrize("shape", ["tar", "tar.gz", "of a Mac", "hard link", "directories"])
def test_a_pair_comes_in_an_archive_on_stdin(dokku: Dokku, web: Path, old: Leaf, shape: str) -> None:
    halves = (member("server.crt", old.certificate), member("server.key", old.key))
    data = {
        "tar": archive(*halves),
        "tar.gz": gzip.compress(archive(*halves)),
        "of a Mac": archive(member("._server.crt", b"x"), *halves, member("._server.key", b"x")),
        "hard link": archive(
            member("a", old.certificate), hard_link("my.site.crt", "a"), member("b/my.site.key", old.key)
        ),
        "directories": archive(directory(".old/"), member(".old/old.crt", b"x"), directory("./d/"), *halves),
    }[shape]
    added = dokku("certs:add", "web", input=data)
    assert (added.err, added.code) == ("", 0)
    assert in_force(web) == old


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ([("server.key", b"x")], "Tar archive is missing .crt file"),
        ([("server.crt", b"x")], "Tar archive is missing .key file"),
        ([("a.crt", b"x"), ("b.crt", b"x")], "Tar archive contains more than one .crt file"),
        (
            [("a.crt", b"x"), ("b.key", b"x"), ("d/b.key", b"x")],
            "Tar archive contains more than one .key file",
        ),
        ([("._a.crt", b"x"), (".d/b.crt", b"x"), ("b.key", b"x")], "Tar archive is missing .crt file"),
        ([("a.crt", b"x"), ("../b.key", b"x")], "Archive contains entries with parent directory traversal"),
        ([("/a.crt", b"x"), ("b.key", b"x")], "Archive contains entries with absolute paths"),
        ([("a.crt", b"x" * 1048577), ("b.key", b"x")], "CRT file is larger than 1048576 bytes"),
    ],
)
def test_an_archive_without_one_of_each_is_refused(
    dokku: Dokku, web: Path, members: list[tuple[str, bytes]], text: str
) -> None:
    refused = dokku("certs:add", "web", input=archive(*(member(*words) for words in members)))
    assert (refused.err, refused.code) == (f" !     {text}\n", 1)
    assert not (web / "tls").exists()


def test_links_in_an_archive_lead_nowhere(dokku: Dokku, web: Path, tmp_path: Path, old: Leaf) -> None:
    certificate, key = written(tmp_path, old)
    data = archive(symlink("a.crt", certificate), symlink("a.key", key))
    assert dokku("certs:add", "web", input=data).err == (
        " !     Archive contains symlinks with absolute targets\n"
    )
    data = archive(member("a.crt", old.certificate), member("k", old.key), symlink("a.key", "k"))
    assert dokku("certs:add", "web", input=data).err == " !     Tar archive is missing .key file\n"


@pytest.mark.parametrize("data", [b"<html>no archive</html>", b"PK\3\4zip", b"\x1f\x8bcut off"])
def test_what_is_no_archive_is_refused(dokku: Dokku, web: Path, data: bytes) -> None:
    refused = dokku("certs:add", "web", input=data)
    assert refused.err == " !     Archive does not look like a tar archive, or is cut off\n"
    assert refused.code == 1


def test_a_key_that_a_killed_one_left_is_swept_away(dokku: Dokku, web: Path) -> None:
    left = dokku.lib / "tmp/certificate.999999.1.abc"
    left.mkdir(parents=True)
    dokku("certs:add", "web", input=b"")
    assert not left.exists()


def test_without_files_and_without_an_archive_it_says_what_it_wants(dokku: Dokku, web: Path) -> None:
    assert dokku("certs:add", "web") == ("", EXPECTED, 1)
    assert dokku.pty("certs:add", "web").out == EXPECTED
    assert dokku("certs:add").err == " !     Please specify an app to run the command on\n"
    assert dokku("certs:add", "nope", "a", "b").code == 20


def test_files_that_are_not_there_are_named(dokku: Dokku, web: Path, tmp_path: Path, old: Leaf) -> None:
    certificate, _ = written(tmp_path, old)
    for words, which in (
        ((str(tmp_path / "no"), certificate), "CRT"),
        ((str(tmp_path), certificate), "CRT"),
        ((certificate, str(tmp_path / "no")), "KEY"),
        ((certificate, "/dev/null"), "KEY"),
    ):
        text = f" !     {which} file specified not found, please check file paths\n"
        assert dokku("certs:add", "web", *words) == ("", text, 1)


def test_files_may_be_links_have_dotted_names_and_any_mode(
    dokku: Dokku, web: Path, tmp_path: Path, old: Leaf
) -> None:
    certificate, key = written(tmp_path, old, "my.site.com")
    (tmp_path / "link.crt").symlink_to(certificate)
    Path(key).chmod(0o666)
    assert dokku("certs:add", "web", "link.crt", "my.site.com.key", cwd=tmp_path).code == 0
    assert in_force(web) == old
    assert stat.S_IMODE((web / "tls/server.key").stat().st_mode) == 0o600
    assert not Path(key).is_symlink()


def test_a_file_that_the_system_user_may_not_read_is_told_from_one_that_is_not_there(
    nobodys: Dokku, old: Leaf
) -> None:
    assert as_nobody("version", env=nobodys.environment).code == 0
    nobodys.make_app("web")
    certificate, key = written(nobodys.lib.parent, old)
    Path(key).chmod(0o600)
    refused = nobodys("certs:add", "web", certificate, key)
    assert (refused.out, refused.code) == ("", 1)
    assert refused.err.splitlines() == [
        " !     KEY file specified not found, please check file paths",
        " !     User nobody is not allowed to read it",
    ]
    Path(key).chmod(0o644)
    assert nobodys("certs:add", "web", certificate, key) == ("", "", 0)
    assert in_force(nobodys.root / "web") == old
    stored = (nobodys.root / "web/tls/server.key").stat()
    assert (stat.S_IMODE(stored.st_mode), stored.st_uid) == (0o600, NOBODY)


def test_modes_in_an_archive_that_nobody_could_read_by_do_not_count(nobodys: Dokku, old: Leaf) -> None:
    nobodys.make_app("web")
    halves = (member("d/e/a.crt", old.certificate, mode=0), member("d/e/a.key", old.key, mode=0o200))
    data = archive(directory("d/", mode=0o600), directory("d/e/", mode=0o400), *halves)
    assert nobodys("certs:add", "web", input=data).err == ""
    assert in_force(nobodys.root / "web") == old


@pytest.mark.parametrize("name", ["server.crt", "server.key"])
def test_a_half_that_only_root_reads_is_replaced(nobodys: Dokku, old: Leaf, name: str) -> None:
    web = nobodys.make_app("web")
    certificate, key = written(nobodys.lib.parent, old)
    Path(key).chmod(0o644)
    assert nobodys("certs:add", "web", certificate, key).code == 0
    (web / "tls" / name).unlink()
    (web / "tls" / name).write_text("of root")
    (web / "tls" / name).chmod(0o600)
    assert nobodys("certs:add", "web", certificate, key) == ("", "", 0)
    assert in_force(web) == old
    assert (web / "tls" / name).stat().st_uid == NOBODY
