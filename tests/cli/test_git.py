"""git:* as a user meets it, and the commands that git itself calls; without docker, up to the build."""

import contextlib
import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.archives import ABSOLUTE, END, GOOD, REFUSED, archive, member, symlink
from tests.cli.conftest import TREE, Dokku

NO_APP = " !     Please specify an app to run the command on\n"
MISSING = " !     App nope does not exist\n"
KEYS = (
    "archive-max-files, archive-max-size, checkout-max-files, checkout-max-size, deploy-branch, "
    "fetch-timeout, keep-git-dir, retry-timeout, rev-env-var, source-image, stall-timeout"
)
BAD_NAME = " !     App name must begin with lowercase alphanumeric character, and"


def git(*words: str, cwd: Path, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
    """Git as a developer has it."""
    who = {f"GIT_{kind}_{what}": "x@y" for kind in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **who, **env}
    return subprocess.run(["git", *words], cwd=cwd, env=env, capture_output=True, text=True, check=check)


def state(dokku: Dokku) -> dict[str, bytes]:
    """Everything on disk that a refused command must leave as it is."""
    found = {}
    for top in (dokku.root, dokku.lib):
        for path in top.rglob("*"):
            if path.is_file() and "locks" not in path.parts and path.name != ".deploy.lock":
                found[str(path)] = path.read_bytes()
    return found


def temporary(dokku: Dokku) -> list[str]:
    place = dokku.lib / "tmp"
    return [name for name in os.listdir(place) if name != "locks"] if place.exists() else []


@pytest.fixture
def built(dokku: Dokku) -> Dokku:
    """A dokku whose builder and scheduler are a plugin's, which notes what it is given."""
    dokku.program(
        "docker",
        '#!/bin/sh\ncase "$*" in\n'
        f'*"image inspect"*) [ -f {dokku.log}/image ] || {{ echo "No such image: x" >&2; exit 1; }}\n'
        f' echo "{{\\"Id\\":\\"$(cat {dokku.log}/image)\\",\\"Config\\":{{}}}}" ;;\n'
        '*"container create"*) echo peek ;;\n'
        '*"container cp"*) echo "Could not find the file /x in container peek" >&2; exit 1 ;;\n'
        '*inspect*) echo "No such container: x" >&2; exit 1 ;;\nesac\n',
    )
    dokku.plugin(
        "00-notes",
        builder_detect="#!/bin/sh\necho notes\n",
        builder_build=(
            '#!/bin/sh\n[ "$1" = notes ] || exit 0\n'
            'if [ -e "$3/fail" ]; then echo "the build failed" >&2; exit 9; fi\n'
            f'date +%N >{dokku.log}/image\n(cd "$3" && find . -type f | sort) >{dokku.log}/tree\n'
            f'cat "$3/index.html" >{dokku.log}/page\necho "$2" >>{dokku.log}/built\n'
        ),
        scheduler_deploy=f'#!/bin/sh\necho "$*" >>{dokku.log}/deployed\n',
    )
    dokku.environment["DOKKU_SCHEDULER"] = "notes"
    (dokku.root / "ENV").write_text("DOKKU_SCHEDULER=notes\n")
    return dokku


def note(dokku: Dokku, name: str) -> str:
    return (dokku.log / name).read_text() if (dokku.log / name).exists() else ""


def tip(dokku: Dokku, branch: str = "master", app: str = "blog") -> str:
    found = git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", cwd=dokku.root / app, check=False)
    return found.stdout.strip()


# --- git:set --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("owner", ["blog", "--global"])
def test_a_property_is_set_and_taken_away(dokku: Dokku, owner: str) -> None:
    dokku.make_app("blog")
    kept = dokku.lib / "config/git" / owner / "deploy-branch"
    assert dokku("git:set", owner, "deploy-branch", "main") == (
        "=====> Setting deploy-branch to main\n",
        "",
        0,
    )
    assert kept.read_text() == "main"
    assert dokku("--quiet", "git:set", owner, "deploy-branch", "x") == ("", "", 0)
    for words in ((), ("",)):
        assert dokku("git:set", owner, "deploy-branch", *words) == ("=====> Unsetting deploy-branch\n", "", 0)
        assert not kept.exists()


@pytest.mark.parametrize(
    ("words", "text", "code"),
    [
        ((), NO_APP, 1),
        (("nope", "deploy-branch", "x"), MISSING, 20),
        (("nope",), MISSING, 20),
        (("blog",), " !     No key specified\n", 1),
        (("--global",), " !     No key specified\n", 1),
        (("blog", "branch", "x"), f" !     Invalid key specified, valid keys include: {KEYS}\n", 1),
        (("blog", "deploy-branch", "a b"), " !     Invalid branch name: a b\n", 1),
        (("blog", "deploy-branch", "a\nb"), " !     Invalid branch name: a\\x0ab\n", 1),
        (("blog", "deploy-branch", "HEAD"), " !     Invalid branch name: HEAD\n", 1),
        (("blog", "rev-env-var", "1A"), " !     Invalid key name: '1A'\n", 1),
        (
            ("blog", "keep-git-dir", "maybe"),
            " !     Invalid value for keep-git-dir, must be true or false\n",
            1,
        ),
        (("blog", "archive-max-size", "5"), " !     Property can only be specified globally\n", 1),
        (
            ("--global", "archive-max-size", "1G"),
            " !     Invalid value for archive-max-size, must be a positive number\n",
            1,
        ),
    ],
)
def test_a_bad_property_is_refused_and_changes_nothing(
    dokku: Dokku, words: tuple[str, ...], text: str, code: int
) -> None:
    """NAME-10"""
    dokku.make_app("blog")
    before = state(dokku)
    assert dokku("git:set", *words) == ("", text, code)
    assert state(dokku) == before


@pytest.mark.parametrize("value", ["-x", "--upload-pack=x"])
def test_a_branch_like_an_option_is_refused(dokku: Dokku, value: str) -> None:
    """RUN-2, NAME-10"""
    dokku.make_app("blog")
    before = state(dokku)
    assert dokku("git:set", "blog", "deploy-branch", value).code != 0
    assert dokku("git:set", "blog", "deploy-branch", "--", value).code != 0
    assert state(dokku) == before


# --- git:report and git:initialize ----------------------------------------------------------------------


def test_the_report_has_dokkus_rows_in_its_order(dokku: Dokku) -> None:
    dokku.make_app("blog")
    dokku("git:set", "--global", "deploy-branch", "main")
    dokku("git:set", "blog", "rev-env-var", "")
    said = dokku("git:report", "blog")
    assert (said.err, said.code) == ("", 0)
    head, *rows = said.out.splitlines()
    assert head == "=====> blog git information"
    assert rows == [
        f"       {label:<30} {value:<25}"
        for label, value in (
            ("Git deploy branch:", "master"),
            ("Git global deploy branch:", "main"),
            ("Git keep git dir:", "false"),
            ("Git rev env var:", ""),
            ("Git sha:", ""),
            ("Git last updated at:", ""),
        )
    ]


def test_one_value_is_told_by_its_flag(dokku: Dokku) -> None:
    dokku.make_app("blog")
    assert dokku("git:report", "blog", "--git-deploy-branch") == ("master\n", "", 0)
    assert dokku("git:report", "blog", "--git-last-updated-at") == ("\n", "", 0)
    assert dokku("git:report", "blog", "--git-sha") == ("", " !     not deployed\n", 1)
    assert dokku("git:report", "nope") == ("", MISSING, 20)


def test_an_unknown_flag_is_answered_with_the_known_ones(dokku: Dokku) -> None:
    dokku.make_app("blog")
    said = dokku("git:report", "blog", "--nope")
    assert (said.out, said.code) == ("", 1)
    assert said.err.startswith(
        " !     Invalid flag passed, valid flags: --git-deploy-branch --git-global-deploy-branch "
    )


def test_the_report_can_be_json(dokku: Dokku) -> None:
    dokku.make_app("blog")
    told = json.loads(dokku("git:report", "blog", "--format", "json").out)
    assert told["git-deploy-branch"] == told["deploy-branch"] == "master"
    assert told["computed-deploy-branch"] == "master"


def test_a_repository_is_made_and_mended(dokku: Dokku) -> None:
    """GIT-13"""
    (dokku.root / "blog").mkdir()
    said = "-----> Initializing git repository for blog\n"
    assert dokku("git:initialize", "blog") == (said, "", 0)
    hook = dokku.root / "blog/hooks/pre-receive"
    text = hook.read_text()
    hook.write_text("tampered")
    assert dokku("git:initialize", "blog") == (said, "", 0)
    assert hook.read_text() == text
    assert dokku("--quiet", "git:initialize", "blog") == ("", "", 0)
    assert dokku("git:initialize", "nope") == ("", MISSING, 20)


# --- git:from-archive: refused --------------------------------------------------------------------------


def refused(dokku: Dokku, data: bytes, *words: str) -> str:
    """The last line that is said of an archive which changes nothing."""
    before = state(dokku)
    said = dokku("git:from-archive", *(words or ("blog", "--")), input=data)
    assert said.code == 1, said
    assert state(dokku) == before
    assert temporary(dokku) == []
    lines = spoken(said.err)
    assert [line.startswith(" !     ") for line in lines] in ([True], [True, True]), said.err
    return lines[-1]


def spoken(err: str) -> list[str]:
    """The lines on stderr that are for a person: no audit."""
    return [line for line in err.splitlines() if not line.startswith("[archive-security] ")]


CHEAP = sorted(set(REFUSED) - {"a compressed header of 300 MB"})


def test_a_hostile_archive_is_refused_with_its_reason_and_changes_nothing(dokku: Dokku) -> None:
    """ARC-1, ARC-2, ARC-3, ARC-4, ARC-5, ARC-6, ARC-8, ARC-11, ARC-12, IO-3"""
    dokku.make_app("blog")
    wrong = {}
    for name in CHEAP:
        said = refused(dokku, REFUSED[name].data)
        if not said.startswith(" !     ") or REFUSED[name].text not in said:
            wrong[name] = said
    assert wrong == {}
    assert not Path("/tmp/canary").exists()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("blog",), "Please specify an archive url or -- to fetch the archive from stdin"),
        (
            ("blog", "--", "--archive-type", "rar"),
            "Invalid archive type specified, valid archive types include: tar, tar.gz, zip",
        ),
        (
            ("--archive-type=rar", "blog", "--"),
            "Invalid archive type specified, valid archive types include: tar, tar.gz, zip",
        ),
        (("blog", "--", "a\nb", "x@y"), "Invalid git user name or email"),
        (("blog", "--", "Jane", "<x>"), "Invalid git user name or email"),
    ],
)
def test_a_bad_call_is_refused_and_changes_nothing(dokku: Dokku, words: tuple[str, ...], text: str) -> None:
    """NAME-12, ARC-13"""
    dokku.make_app("blog")
    assert refused(dokku, archive(GOOD), *words) == f" !     {text}"


def test_the_app_is_judged_before_the_archive(dokku: Dokku) -> None:
    assert dokku("git:from-archive", "nope", "--", input=b"x") == ("", MISSING, 20)
    assert dokku("git:from-archive", "nope", "--", "--archive-type", "rar") == ("", MISSING, 20)
    assert dokku("git:from-archive").err == NO_APP


def test_the_limits_are_the_hosts(dokku: Dokku) -> None:
    """ARC-8"""
    dokku.make_app("blog")
    dokku("git:set", "--global", "archive-max-files", "2")
    three = archive(*(member(name, b"") for name in "abc"))
    assert refused(dokku, three) == " !     Archive contains 3 entries which exceeds the maximum of 2"
    dokku("git:set", "--global", "archive-max-size", "1500")
    assert refused(dokku, archive(GOOD)) == " !     Archive exceeds maximum allowed size of 1500 bytes"
    bomb = gzip.compress(archive(member("x", bytes(3_000_000))))[:1400]
    assert "exceeds maximum allowed size" in refused(dokku, bomb)


def test_a_terminal_is_no_archive(dokku: Dokku) -> None:
    """IO-1"""
    dokku.make_app("blog")
    said = dokku.pty("git:from-archive", "blog", "--")
    assert (said.out.splitlines()[-1], said.code) == (" !     Expecting archive on STDIN", 1)


def test_over_ssh_the_same_is_refused(dokku: Dokku) -> None:
    dokku.make_app("blog")
    said = dokku.ssh("git:from-archive blog --", input=archive(member("/tmp/canary", b"x")))
    assert (spoken(said.err), said.code) == ([f" !     {ABSOLUTE}"], 1)


# --- git:from-archive: taken ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("blog", "--"),
        ("--archive-type", "tar.gz", "blog", "--"),
        ("blog", "--", "--archive-type=tar"),
        ("blog", "--archive-type", "tar", "--", "Jane Doe", "jane@example.com"),
    ],
)
def test_an_archive_is_committed_built_and_deployed(built: Dokku, words: tuple[str, ...]) -> None:
    built.make_app("blog")
    data = archive(member("top/index.html", b"hello"), member("top/.gitignore", b"*\n"))
    data = gzip.compress(data) if "tar.gz" in words else data
    said = built("git:from-archive", *words, input=data)
    assert (said.code, spoken(said.err)) == (0, []), said
    assert f"file from stdin\n{len(data)}\n-----> Generating build context\n" in said.out
    way = (
        "Extracting gzipped tarball" if "tar.gz" in words else "Striping 1 worth of directories from tarball"
    )
    assert f"       {way}\n" in said.out
    assert "-----> Updating git repository with specified build context\n" in said.out
    assert note(built, "tree") == "./.gitignore\n./index.html\n"
    assert note(built, "deployed") == "notes blog latest\n"
    author = ("Jane Doe", "jane@example.com") if "Jane Doe" in words else ("Dokku", "automated@dokku.sh")
    log = git("log", "--format=%an|%ae|%cn|%ce|%s", "master", cwd=built.root / "blog").stdout
    assert log == f"{'|'.join(author * 2)}|Initial commit\n"
    assert (built.root / "blog/HEAD").read_text() == "ref: refs/heads/master\n"
    assert tip(built) == built("config:get", "blog", "GIT_REV").out.strip()
    assert built("git:report", "blog", "--git-sha").out.strip() == tip(built)[:7]
    assert built("git:report", "blog", "--git-last-updated-at").out.strip().isdigit()
    assert temporary(built) == []


def test_a_second_archive_is_a_second_commit_and_deletions_count(built: Dokku) -> None:
    built.make_app("blog")
    assert built("git:from-archive", "blog", "--", input=archive(GOOD, member("old", b""))).code == 0
    first = tip(built)
    said = built("git:from-archive", "blog", "--", input=archive(member("index.html", b"2")))
    assert said.code == 0
    assert note(built, "tree") == "./index.html\n"
    log = git("log", "--format=%s|%P", "-1", "master", cwd=built.root / "blog").stdout
    assert re.fullmatch(rf"Automated commit @ \d+\|{first}\n", log)


def test_the_same_archive_again_is_no_change(built: Dokku) -> None:
    """GIT-15"""
    built.make_app("blog")
    built("git:from-archive", "blog", "--", input=archive(GOOD))
    before = tip(built)
    again = built(
        "git:from-archive", "blog", "--", input=archive(member("./index.html", b"hello", mode=0o600))
    )
    assert again.code == 0
    assert spoken(again.err)[:2] == [
        " !     No changes detected, aborting git update",
        " !     No changes detected, skipping git commit",
    ]
    assert (tip(built), note(built, "built")) == (before, "blog\n")


def test_a_deploy_that_fails_moves_no_branch_and_may_be_tried_again(built: Dokku) -> None:
    """CRS-8, CRS-9"""
    built.make_app("blog")
    bad = archive(GOOD, member("fail", b""))
    for _ in range(2):
        said = built("git:from-archive", "blog", "--", input=bad)
        assert (said.code, spoken(said.err)) == (9, ["the build failed"])
        assert tip(built) == ""
    built("git:from-archive", "blog", "--", input=archive(GOOD))
    before = tip(built)
    assert built("git:from-archive", "blog", "--", input=bad).code == 9
    assert tip(built) == before
    assert note(built, "page") == "hello"
    assert temporary(built) == []


def test_only_the_content_that_was_announced_is_taken(built: Dokku) -> None:
    built.make_app("blog")
    data = archive(member("index.html", b"hello"))
    checksum = f"sha256:{hashlib.sha256(data).hexdigest()}"
    before = state(built)
    for wrong, text in (
        (f"sha256:{'0' * 64}", "Archive does not have the checksum"),
        ("md5:x", "Invalid checksum"),
    ):
        done = built("git:from-archive", "blog", "--", "--checksum", wrong, input=data)
        assert done.code == 1
        assert text in done.err
    assert state(built) == before
    assert temporary(built) == []
    assert built("git:from-archive", "blog", "--", "--checksum", checksum.upper(), input=data).code == 1
    assert built("git:from-archive", "blog", "--", f"--checksum={checksum}", input=data).code == 0


def test_git_of_an_archive_is_dropped_with_a_word(built: Dokku) -> None:
    """GIT-10, ARC-9"""
    built.make_app("blog")
    hook = f"#!/bin/sh\ntouch {built.log}/canary\n".encode()
    data = archive(
        GOOD,
        member(".git/config", f"[core]\n\tfsmonitor = touch {built.log}/canary\n".encode()),
        *(member(f".git/hooks/{name}", hook, mode=0o755) for name in ("post-checkout", "pre-commit")),
        member("sub/.git", f"gitdir: {built.root}/other\n".encode()),
    )
    said = built("git:from-archive", "blog", "--", input=data)
    assert said.code == 0
    assert spoken(said.err) == [
        " !     Dropping .git from the archive",
        " !     Dropping sub/.git from the archive",
    ]
    assert note(built, "tree") == "./index.html\n"
    assert not (built.log / "canary").exists()


def test_a_locked_app_takes_no_archive(built: Dokku) -> None:
    """ARC-18, LCK-2"""
    built.make_app("blog")
    built("apps:lock", "blog")
    said = built("git:from-archive", "blog", "--", input=archive(GOOD))
    assert said.code == 1
    assert spoken(said.err)[0] == " !     blog currently has a deploy lock in place. Exiting..."
    assert tip(built) == ""


def test_links_of_an_archive_stay_links(built: Dokku) -> None:
    """ARC-4"""
    built.make_app("blog")
    assert built("git:from-archive", "blog", "--", input=archive(GOOD, symlink("a", "index.html"))).code == 0
    assert git("ls-tree", "master", "a", cwd=built.root / "blog").stdout.startswith("120000 ")


# --- a push, and what git calls -------------------------------------------------------------------------


@pytest.fixture
def source(built: Dokku, tmp_path: Path) -> Path:
    """A developer's repository with one commit on main, and a way for git to call dokku as over ssh."""
    place = tmp_path / "source"
    git("init", "-q", "-b", "main", str(place), cwd=tmp_path)
    (place / "index.html").write_text("one")
    commit(place)
    exports = "".join(f"export {key}={value!r}\n" for key, value in built.environment.items())
    built.program(
        "over-ssh",
        f"#!/bin/sh\n{exports}export DOKKU_PROGRAM={TREE}/bin/dokku NAME=jane\nshift\n"
        f'SSH_ORIGINAL_COMMAND="$*" exec {TREE}/bin/dokku $*\n',
    )
    return place


def commit(place: Path, **files: str) -> None:
    for name, content in files.items():
        (place / name).write_text(content)
    git("add", ".", cwd=place)
    git("commit", "-qm", "x", "--allow-empty", cwd=place)


def push(dokku: Dokku, place: Path, *words: str, app: str = "blog") -> subprocess.CompletedProcess[str]:
    refs = words or ("main:master",)
    remote = f"ssh://dokku@host/{app}"
    return git(
        "push",
        remote,
        *refs,
        cwd=place,
        check=False,
        GIT_SSH_COMMAND=str(dokku.bin / "over-ssh"),
        GIT_SSH_VARIANT="simple",
    )


def test_a_push_makes_the_app_and_deploys_it(built: Dokku, source: Path) -> None:
    said = push(built, source)
    assert said.returncode == 0, said
    assert note(built, "page") == "one"
    assert tip(built) == git("rev-parse", "main", cwd=source).stdout.strip()
    assert built("apps:exists", "blog").code == 0
    assert built("config:get", "blog", "GIT_REV").out.strip() == tip(built)


def test_the_first_push_of_any_branch_chooses_it(built: Dokku, source: Path) -> None:
    said = push(built, source, "main:trunk")
    assert said.returncode == 0, said
    assert "-----> Set trunk to DOKKU_DEPLOY_BRANCH." in said.stderr
    assert built("git:report", "blog", "--git-deploy-branch").out == "trunk\n"
    assert note(built, "built") == "blog\n"
    assert (built.root / "blog/HEAD").read_text() == "ref: refs/heads/trunk\n"


def test_another_branch_is_accepted_and_not_deployed(built: Dokku, source: Path) -> None:
    """GIT-11"""
    push(built, source)
    said = push(built, source, "main:feature")
    assert said.returncode == 0
    assert said.stderr.count("deploy did not complete") == 1
    assert "try 'git push <dokku> feature:master'" in said.stderr
    assert note(built, "built") == "blog\n"
    assert tip(built, "feature")


def test_several_first_branches_are_deployed_once(built: Dokku, source: Path) -> None:
    """GIT-11"""
    said = push(built, source, "main:alpha", "main:beta", "main:master")
    assert said.returncode == 0, said
    assert note(built, "built") == "blog\n"
    assert built("git:report", "blog", "--git-deploy-branch").out == "master\n"


def test_a_push_whose_build_fails_is_rejected_whole(built: Dokku, source: Path) -> None:
    """CRS-8"""
    push(built, source)
    before = tip(built)
    commit(source, fail="")
    said = push(built, source)
    assert said.returncode == 1
    assert "the build failed" in said.stderr
    assert "pre-receive hook declined" in said.stderr
    assert tip(built) == before
    assert note(built, "page") == "one"
    assert temporary(built) == []
    git("rm", "-q", "fail", cwd=source)
    commit(source, **{"index.html": "two"})
    assert push(built, source).returncode == 0
    assert note(built, "page") == "two"


def test_the_deploy_branch_is_not_deleted(built: Dokku, source: Path) -> None:
    """GIT-11"""
    push(built, source)
    push(built, source, "main:feature")
    said = push(built, source, ":master")
    assert said.returncode == 1
    assert "Refusing to delete the deploy branch master" in said.stderr
    assert push(built, source, ":feature").returncode == 0
    assert tip(built)


def test_a_tag_that_is_called_like_the_branch_is_deployed(built: Dokku, source: Path) -> None:
    """GIT-11"""
    push(built, source)
    commit(source, **{"index.html": "tagged"})
    git("tag", "-a", "-m", "x", "master", cwd=source)
    assert push(built, source, "refs/tags/master").returncode == 0
    assert note(built, "page") == "tagged"
    assert built("config:get", "blog", "GIT_REV").out == git("rev-parse", "main", cwd=source).stdout


def test_a_forced_push_of_another_history_is_deployed(built: Dokku, source: Path) -> None:
    """GIT-11"""
    push(built, source)
    git("commit", "--amend", "-qm", "other", cwd=source)
    assert push(built, source, "+main:master").returncode == 0
    assert tip(built) == git("rev-parse", "main", cwd=source).stdout.strip()


def test_a_locked_app_rejects_a_push_and_names_the_holder(built: Dokku, source: Path) -> None:
    """GIT-11, LCK-2, LCK-5"""
    built.make_app("blog")
    built("apps:lock", "blog", env={"NAME": "joe"})
    said = push(built, source)
    assert said.returncode == 1
    assert "blog currently has a deploy lock in place. Exiting..." in said.stderr
    assert "Held by joe (apps:lock)" in said.stderr
    assert tip(built) == ""


def test_auto_creation_may_be_forbidden(built: Dokku, source: Path) -> None:
    with open(built.root / "ENV", "a") as file:
        file.write("DOKKU_DISABLE_APP_AUTOCREATION=true\n")
    said = push(built, source)
    assert said.returncode != 0
    assert " !     App auto-creation disabled.\n" in said.stderr
    assert "create an app with 'dokku apps:create APP'" in said.stderr
    assert not (built.root / "blog").exists()


@pytest.mark.parametrize(
    "app",
    ["x;touch${IFS}canary", "../blog", "a/b", "Blog", "$(touch canary)", "home/dokku/blog", "a_b", "-x"],
)
def test_a_push_to_what_can_be_no_app_makes_nothing(built: Dokku, app: str) -> None:
    """NAME-3, GIT-12"""
    before = sorted(os.listdir(built.root))
    for command in ("git-receive-pack", "git-upload-pack", "git-upload-archive"):
        for quoted in (f"'{app}'", f"'/{app}'"):
            said = built.ssh(f"{command} {quoted}", input=b"")
            assert said.code in (1, 2, 20)
    assert said.err
    assert sorted(os.listdir(built.root)) == before
    assert not Path("canary").exists()


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("100644 blob {blob}\t.git", "hasDotgit"),
        ("100644 blob {blob}\t.GIT", "hasDotgit"),
        ("100644 blob {blob}\t..", "hasDotdot"),
        ("120000 blob {blob}\t.gitmodules", "gitmodulesSymlink"),
    ],
)
def test_objects_that_would_harm_a_checkout_are_rejected(
    built: Dokku, source: Path, entry: str, reason: str
) -> None:
    """GIT-7"""
    blob = git("rev-parse", "main:index.html", cwd=source).stdout.strip()
    words = ["git", "mktree"]
    text = entry.format(blob=blob) + "\n"
    tree = subprocess.run(words, cwd=source, input=text, capture_output=True, text=True, check=True).stdout
    made = git("commit-tree", "-m", "x", tree.strip(), cwd=source).stdout.strip()
    said = push(built, source, f"{made}:refs/heads/master")
    assert said.returncode != 0
    assert reason in said.stderr
    assert note(built, "built") == ""
    assert tip(built) == ""


def test_a_source_with_submodules_of_this_machine_is_not_deployed(built: Dokku, source: Path) -> None:
    """GIT-8"""
    push(built, source)
    other = built.root / "other"
    git("init", "-q", "--bare", str(other), cwd=source)
    commit(source, **{".gitmodules": f'[submodule "x"]\n\tpath = x\n\turl = {other}\n'})
    blob = git("rev-parse", "main", cwd=source).stdout.strip()
    git("update-index", "--add", "--cacheinfo", f"160000,{blob},x", cwd=source)
    git("commit", "-qm", "x", cwd=source)
    said = push(built, source)
    assert said.returncode != 0
    assert "not allowed" in said.stderr
    assert note(built, "built") == "blog\n"


def test_a_build_may_see_git(built: Dokku, source: Path) -> None:
    built.make_app("blog")
    assert built("git:set", "blog", "keep-git-dir", "true").code == 0
    said = push(built, source)
    assert said.returncode == 0, said
    assert "./.git/HEAD\n" in note(built, "tree")


def test_a_clone_is_what_was_pushed(built: Dokku, source: Path, tmp_path: Path) -> None:
    push(built, source, "main:trunk")
    words = ("clone", "-q", "ssh://dokku@host/blog", str(tmp_path / "clone"))
    git(*words, cwd=tmp_path, GIT_SSH_COMMAND=str(built.bin / "over-ssh"), GIT_SSH_VARIANT="simple")
    assert (tmp_path / "clone/index.html").read_text() == "one"


def test_a_plugin_may_refuse_a_clone(built: Dokku, source: Path, tmp_path: Path) -> None:
    push(built, source)
    built.plugin("guard", git_pre_pull="#!/bin/sh\necho 'not for you' >&2\nexit 3\n")
    words = ("clone", "-q", "ssh://dokku@host/blog", str(tmp_path / "clone"))
    said = git(
        *words,
        cwd=tmp_path,
        check=False,
        GIT_SSH_COMMAND=str(built.bin / "over-ssh"),
        GIT_SSH_VARIANT="simple",
    )
    assert said.returncode != 0
    assert "not for you" in said.stderr
    assert not (tmp_path / "clone").exists()


def test_a_hook_takes_lines_of_git_and_no_others(dokku: Dokku) -> None:
    """GIT-13"""
    app = dokku.make_app("blog")
    before = state(dokku)
    canary = dokku.log / "canary"
    for line in (
        f"{'0' * 40} --index-output={canary} refs/heads/master",
        f"{'0' * 40} {'1' * 40} refs/heads/../../x",
        "x y z",
        f"{'0' * 40} {'1' * 40}",
    ):
        said = dokku("git-hook", "blog", input=f"{line}\n")
        assert (said.out, said.code) == ("", 1)
        assert said.err.startswith(" !     Invalid line from git: ")
    assert not canary.exists()
    assert state(dokku) == before
    assert dokku("git-hook", "nope", input="") == ("", MISSING, 20)
    assert dokku("git-hook", "blog", input="") == ("", "", 0)
    missing = dokku("git-hook", "blog", input=f"{'0' * 40} {'1' * 40} refs/heads/master\n")
    assert (missing.err, missing.code) == (f" !     Revision {'1' * 40} of blog not found\n", 1)
    assert sorted(os.listdir(app / "refs/heads")) == []


def test_the_help_names_every_command(dokku: Dokku) -> None:
    said = dokku("git:help")
    assert (said.err, said.code) == ("", 0)
    for usage in (
        "git:from-archive [--archive-type tar|tar.gz|zip] [--checksum sha256:HEX] <app> <archive-url>",
        *("git:allow-host <host>", "git:auth <host> [<username> [<password>]]", "git:auth-status <host>"),
        *("git:generate-deploy-key", "git:public-key", "git:status <app>", "git:unlock <app>"),
        *("git:initialize <app>", "git:report", "git:set"),
    ):
        assert f"    {usage}" in said.out


def test_reading_starts_no_docker(dokku: Dokku) -> None:
    dokku.make_app("blog")
    calls = dokku.recorded("docker")
    for words in (("git:report",), ("git:report", "blog"), ("git:set", "blog", "keep-git-dir", "true")):
        assert dokku(*words).code == 0
    assert calls() == []


def test_an_end_alone_is_no_archive(dokku: Dokku) -> None:
    dokku.make_app("blog")
    assert refused(dokku, END) == " !     Archive contains no files"


# --- killed, guarded ------------------------------------------------------------------------------------


KILLS = ["spooling", "tar:--extract", "git:commit-tree", "the builder", "git:update-ref"]


@pytest.mark.parametrize("at", KILLS)
def test_an_archive_that_is_killed_anywhere_leaves_no_change_or_a_whole_one(built: Dokku, at: str) -> None:
    """ARC-17, CRS-2"""
    built.make_app("blog")
    assert built("git:from-archive", "blog", "--", input=archive(GOOD)).code == 0
    before, data = tip(built), archive(GOOD, member("a/b", b"x" * 5000))
    name, _, word = at.partition(":")
    if word:
        real = shutil.which(name)
        script = f'case " $* " in *" {word} "*) kill -9 0 ;; esac\nexec {real} "$@"'
        built.program(name, f"#!/bin/sh\n{script}\n")
    elif at == "the builder":
        killer = built.plugin("00-killer", builder_build="#!/bin/sh\nkill -9 0\n")
    process = subprocess.Popen(
        [str(TREE / "bin/dokku"), "git:from-archive", "blog", "--"],
        env=built.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(data[:1024] if at == "spooling" else data)
    process.stdin.flush()
    if at == "spooling":
        deadline = time.monotonic() + 30
        while not list((built.lib / "tmp").glob("*/archive")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    assert process.wait(timeout=60) == -signal.SIGKILL

    files = git("ls-tree", "-r", "--name-only", "master", cwd=built.root / "blog").stdout.split()
    assert files == (["index.html"] if tip(built) == before else ["a/b", "index.html"])
    if word:
        (built.bin / name).unlink()
    elif at == "the builder":
        shutil.rmtree(killer)
    again = built("git:from-archive", "blog", "--", input=data)
    assert again.code == 0, again
    assert note(built, "tree").split() == ["./a/b", "./index.html"]
    assert git("ls-tree", "-r", "--name-only", "HEAD", cwd=built.root / "blog").stdout.split()[0] == "a/b"
    assert temporary(built) == []
    assert git("fsck", "--no-dangling", cwd=built.root / "blog").returncode == 0


ASKED = '#!/bin/sh\nshift\necho "$*" >>"{log}/asked"\ncase "$*" in {denied}) exit 1 ;; esac\n'


def test_who_guards_commands_is_asked_for_a_push_and_again_for_its_hook(built: Dokku, source: Path) -> None:
    """SSH-8: with the name that is used, however the client spells it."""
    built.plugin("acl", user_auth=ASKED.format(log=built.log, denied="nothing"))
    assert push(built, source).returncode == 0  # which asks for /blog
    assert note(built, "asked") == "jane git-receive-pack 'blog'\njane git-hook blog\n"
    for path in ("blog", "'blog'", "'/blog'", "/blog/", "'blog/'"):
        for service in ("git-upload-pack", "git-upload-archive"):
            built.ssh(f"{service} {path}", name="jane", input=b"0000")
            assert note(built, "asked").splitlines()[-1] == f"jane {service} 'blog'"


@pytest.mark.parametrize("denied", ["*git-receive-pack*", "*git-hook*", "*git-upload*"])
def test_a_push_or_fetch_that_a_guard_denies_changes_nothing(built: Dokku, source: Path, denied: str) -> None:
    """SSH-8, GIT-12"""
    built.plugin("acl", user_auth=ASKED.format(log=built.log, denied=denied))
    said = push(built, source)
    if denied == "*git-upload*":
        assert said.returncode == 0
        for word in ("git-upload-pack", "git-upload-archive"):
            refused = built.ssh(f"{word} 'blog'", input=b"0000")
            assert (refused.out, refused.err, refused.code) == ("", " !     Access denied\n", 1)
        return
    assert said.returncode != 0
    assert "Access denied" in said.stderr
    assert note(built, "built") == ""
    assert not (built.root / "blog").exists() or tip(built) == ""
