"""git:sync's fetch: which remotes and refs git gets to see, what it is asked, and what each answer means."""

import os
import pathlib
import time

import hypothesis
import pytest
from hypothesis import strategies as st

from lib.base import log, properties, settings
from lib.base.errors import DokkuError
from lib.source import remotes, repos

APP = "blog"
URL = "https://git.example.com/me/blog.git"
OLD, NEW, TAG = "1" * 40, "2" * 40, "3" * 40
MISSING = "fatal: couldn't find remote ref refs/heads/x\n"


@pytest.fixture(autouse=True)
def said(shell, monkeypatch):
    """What the code under test writes. On real files, and nobody waits between two attempts."""
    for name in ("objects", "refs"):
        os.makedirs(os.path.join(settings.app_dir(APP), name))
    pathlib.Path(settings.app_dir(APP), "HEAD").write_text("ref: refs/heads/master\n")
    monkeypatch.setattr("time.sleep", lambda _: None)
    with log.collected() as lines:
        yield lines


def text_of(said, stream=1):
    return b"".join(data for where, data in said if where == stream).decode()


def write_ref(name, commit):
    path = pathlib.Path(settings.app_dir(APP), name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{commit}\n")


def fetched(source, commit=NEW):
    """What a fetch of one ref does to the repository."""

    def fetch(argv):
        assert argv[-1] == f"+{source}:{remotes.FETCHED}"
        write_ref(remotes.FETCHED, commit)

    return fetch


def fetches(shell):
    return [call for call in shell.calls if "fetch" in call.argv]


def test_a_branch_is_asked_for_alone_and_found_without_another_question(shell, said):
    write_ref("refs/heads/master", OLD)
    shell.answers("git …fetch…", does=fetched("refs/heads/master"))
    shell.answers("git …rev-parse…", out=f"{NEW}\n")
    found = remotes.fetch(APP, URL)
    assert found == remotes.Found(NEW, "master", URL, "master", is_first=False, is_new=True)
    assert len(fetches(shell)) == 1
    assert text_of(said) == f"       Fetching remote code for {APP} from {URL}#master\n"


def test_an_unchanged_branch_costs_one_program(shell):
    repos.initialize(APP)
    write_ref("refs/heads/master", OLD)
    shell.answers("git …fetch…", does=fetched("refs/heads/master", OLD))
    assert not remotes.fetch(APP, URL).is_new
    assert len(shell.ran) == 1


def test_a_tag_is_peeled_to_its_commit(shell):
    write_ref("refs/heads/master", OLD)
    shell.answers("git …fetch…refs/heads/v1…", err=MISSING, status=128)
    shell.answers("git …fetch…refs/tags/v1…", does=fetched("refs/tags/v1", TAG))
    shell.answers(f"git …rev-parse…{remotes.FETCHED}^{{commit}}'", out=f"{NEW}\n")
    found = remotes.fetch(APP, URL, "v1")
    assert (found.commit, found.branch) == (NEW, "")


def test_a_commit_of_the_apps_own_history_is_not_fetched(shell):
    write_ref("refs/heads/master", OLD)
    assert remotes.fetch(APP, URL, NEW).commit == NEW
    assert fetches(shell) == []


def test_a_ref_that_nobody_has_is_refused(shell):
    shell.answers("git …fetch…", err=MISSING, status=128)
    with pytest.raises(DokkuError, match="has no branch, tag or commit x"):
        remotes.fetch(APP, URL, "x")


def test_git_gets_a_deadline_and_no_prompt(shell):
    """RUN-7, SYN-5"""
    properties.write("git", "--global", "fetch-timeout", "7")
    shell.answers("git …fetch…", does=fetched("refs/heads/master"))
    shell.answers("git …rev-parse…", out=f"{NEW}\n")
    remotes.fetch(APP, URL)
    call = fetches(shell)[0]
    assert call.timeout == 7
    assert (call.env["GIT_TERMINAL_PROMPT"], call.env["GIT_ALLOW_PROTOCOL"]) == ("0", "http:https:ssh:git")
    assert "BatchMode=yes" in call.env["GIT_SSH_COMMAND"]
    assert call.argv[-3] == "--"


def test_what_may_pass_is_tried_four_times(shell, said):
    """SYN-1"""
    text = "fatal: unable to access 'x': Could not resolve host: git.example.com\n"
    shell.answers("git …fetch…", err=text, status=128)
    with pytest.raises(DokkuError, match="Unable to fetch blog"):
        remotes.fetch(APP, URL)
    assert len(fetches(shell)) == 4
    assert text_of(said, 2).count(text) == 1
    assert text_of(said, 2).count("attempt") == 3


@pytest.mark.parametrize(
    "text",
    [
        "fatal: could not read Username for 'https://x': terminal prompts disabled\n",
        "fatal: Authentication failed for 'https://x/'\n",
        "git@x: Permission denied (publickey).\nfatal: Could not read from remote repository.\n",
        "fatal: unable to access 'https://x/': The requested URL returned error: 403\n",
    ],
)
def test_whoever_is_not_let_in_is_told_once_how_to_be(shell, said, text):
    shell.answers("git …fetch…", err=text, status=128)
    with pytest.raises(DokkuError, match="There is no deploy key associated") as failed:
        remotes.fetch(APP, URL)
    assert len(fetches(shell)) == 1
    assert text_of(said, 2) == text
    assert "git:auth" in failed.value.more[-1]


def test_an_unknown_host_is_no_matter_of_keys(shell):
    shell.answers("git …fetch…", err="Host key verification failed.\n", status=128)
    with pytest.raises(DokkuError, match="Unable to fetch"):
        remotes.fetch(APP, "git@x:y")


def test_a_key_that_exists_is_not_said_to_be_missing(shell):
    key = pathlib.Path(settings.root(), ".ssh", "id_ed25519.pub")
    key.parent.mkdir()
    key.write_text("ssh-ed25519 AAAA\n")
    shell.answers("git …fetch…", err="x: Permission denied (publickey).\n", status=128)
    with pytest.raises(DokkuError, match="Allow the deploy key"):
        remotes.fetch(APP, "git@x:y")


def test_the_credentials_of_a_url_are_in_a_file_and_in_no_word(shell, said):
    """SEC-4"""
    secret = "hunter2"
    seen = []

    def look(argv):
        home = fetches(shell)[-1].env["HOME"]
        path = os.path.join(home, "0")
        seen.append((pathlib.Path(path).read_text(), os.stat(path).st_mode & 0o777))
        write_ref(remotes.FETCHED, NEW)

    shell.answers("git …fetch…", does=look)
    shell.answers("git …rev-parse…", out=f"{NEW}\n")
    found = remotes.fetch(APP, f"https://joe:{secret}%20x@git.example.com/me/blog.git")
    assert seen == [(f"username=joe\npassword={secret} x\n", 0o600)]
    assert found.remote == URL
    assert not any(secret in line for line in shell.ran)
    assert secret not in text_of(said) + text_of(said, 2)
    assert not any(secret in value for call in shell.calls for value in call.env.values())


REFUSED = [
    "--upload-pack=touch x",
    "-u x",
    "ext::sh -c id",
    "foo::bar",
    "fd::17",
    "rsync://x/y",
    "ftp://x/y",
    "file:///etc",
    "/home/dokku/other",
    "./x",
    "../x",
    "x.bundle",
    "https://-oProxyCommand=x/y",
    "ssh://-oProxyCommand=x/y",
    "-oX:path",
    "https://x/y\nz",
    "https://x/y\0",
    "https://x/\x1b[2J",
    " https://x/y",
    "https://x/y ",
    "https:///y",
    "https://x",
    "https://x/" + "y" * 5000,
]


@pytest.mark.parametrize("remote", REFUSED)
def test_git_never_sees_such_a_remote(shell, remote):
    with pytest.raises(DokkuError, match="Invalid git remote"):
        remotes.fetch(APP, remote)
    assert shell.ran == []


@pytest.mark.parametrize(
    "remote",
    [
        URL,
        "http://127.0.0.1:8080/x.git",
        "ssh://git@example.com:2222/~/x",
        "git@example.com:me/blog.git",
        "example.com:blog.git",
        "[::1]:blog",
        "git://example.com/x",
    ],
)
def test_git_is_asked_for_such_a_remote(shell, remote):
    shell.answers("git …fetch…", does=fetched("refs/heads/master"))
    shell.answers("git …rev-parse…", out=f"{NEW}\n")
    assert remotes.fetch(APP, remote).remote == remote


@pytest.mark.parametrize(
    "ref",
    [
        "-x",
        "--upload-pack=x",
        "a..b",
        "a~1",
        "a:b",
        "@{-1}",
        "a b",
        "a\nb",
        "refs/heads/../x",
        "HEAD",
        "x.lock",
    ],
)
def test_git_never_sees_such_a_ref(shell, ref):
    with pytest.raises(DokkuError, match="Invalid git ref"):
        remotes.fetch(APP, URL, ref)
    assert shell.ran == []


@hypothesis.settings(max_examples=150, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(remote=st.text(max_size=60), ref=st.text(max_size=30))
def test_whatever_comes_is_refused_or_stands_behind_the_dashes(shell, remote, ref):
    """RUN-2, GIT-1"""
    shell.ran.clear()
    shell.calls.clear()
    shell.answers("git …fetch…", err=MISSING, status=128)
    with pytest.raises(DokkuError):
        remotes.fetch(APP, remote, ref)
    for call in fetches(shell):
        url = call.argv[call.argv.index("--") + 1]
        assert url.split("://")[0].lower() in ("https", "http", "ssh", "git") or ":" in url


def test_a_first_branch_becomes_the_deploy_branch(said):
    found = remotes.Found(NEW, "main", URL, "main", is_first=True, is_new=True)
    remotes.choose_branch(APP, found, keeps_branch=False)
    assert repos.deploy_branch(APP) == "main"
    assert text_of(said) == "       Detected branch, setting deploy-branch to main\n"


def test_a_first_branch_becomes_nothing_when_that_is_asked_for(said):
    found = remotes.Found(NEW, "main", URL, "main", is_first=True, is_new=True)
    remotes.choose_branch(APP, found, keeps_branch=True)
    assert repos.deploy_branch(APP) == "master"
    assert text_of(said) == "       Detected branch main, skipping deploy-branch setting\n"


@pytest.mark.parametrize(
    ("others", "in_the_way"),
    [
        ("main\nother", ""),
        ("main/old", "main/old"),
        ("mainly\nma", ""),
        ("a\nmain/a/b", "main/a/b"),
        ("", ""),
    ],
)
def test_a_first_branch_needs_room(shell, others, in_the_way):
    shell.answers("git …for-each-ref…", out=others)
    found = remotes.Found(NEW, "main", URL, "main", is_first=True, is_new=True)
    if not in_the_way:
        remotes.choose_branch(APP, found, keeps_branch=False)
        assert repos.deploy_branch(APP) == "main"
        return
    with pytest.raises(DokkuError, match=f"Branch {in_the_way} of {APP} is in the way of main"):
        remotes.choose_branch(APP, found, keeps_branch=False)
    assert repos.configured_branch(APP) == ""


def test_a_deploy_branch_that_stays_needs_room_too(shell):
    shell.answers("git …for-each-ref…", out="main\nmaster/old")
    found = remotes.Found(NEW, "main", URL, "main", is_first=True, is_new=True)
    with pytest.raises(DokkuError, match="in the way of master"):
        remotes.choose_branch(APP, found, keeps_branch=True)


def test_a_later_branch_changes_no_setting(said):
    found = remotes.Found(NEW, "main", URL, "main", is_first=False, is_new=True)
    remotes.choose_branch(APP, found, keeps_branch=False)
    assert repos.configured_branch(APP) == ""
    assert said == []


def test_what_was_found_becomes_the_tip(shell):
    remotes.adopt(APP, remotes.Found(NEW, "main", URL, "main", is_first=False, is_new=True))
    assert any(f"update-ref --end-of-options refs/heads/master {NEW}" in line for line in shell.ran)


def test_what_was_found_already_becomes_what_a_clone_starts_with(shell):
    write_ref("HEAD", "ref: refs/heads/other")
    remotes.adopt(APP, remotes.Found(OLD, "main", URL, "main", is_first=False, is_new=False))
    assert [line for line in shell.ran if "symbolic-ref HEAD refs/heads/master" in line]
    assert not [line for line in shell.ran if "update-ref" in line]


def test_where_the_code_comes_from_is_remembered():
    remotes.remember(APP, remotes.Found(NEW, "main", URL, "main", is_first=False, is_new=True))
    assert properties.get("git", APP, "sync-remote") == URL
    assert properties.get("git", APP, "sync-ref") == "main"


def test_what_cron_started_says_nothing_without_news(shell, said, monkeypatch):
    monkeypatch.setattr("lib.base.log.is_mail", lambda: True)
    write_ref("refs/heads/master", OLD)
    shell.answers("git …fetch…", does=fetched("refs/heads/master", OLD))
    remotes.fetch(APP, URL)
    remotes.say_unchanged()
    assert said == []
    shell.answers("git …fetch …", does=fetched("refs/heads/master", NEW))
    shell.answers("git …rev-parse…", out=f"{NEW}\n")
    remotes.fetch(APP, URL)
    assert "Fetching remote code" in text_of(said)


def test_locks_of_a_killed_git_are_cleared_away(shell, said):
    """CRS-6"""
    write_ref("refs/heads/master.lock", "")
    write_ref("packed-refs.lock", "")
    write_ref("objects/pack/tmp_pack_x", "")
    write_ref("objects/tmp_objdir-incoming-x/pack/pack-1.pack", "")
    left = pathlib.Path(settings.app_dir(APP))
    for name in ("packed-refs.lock", "objects/pack/tmp_pack_x", "objects/tmp_objdir-incoming-x"):
        os.utime(left / name, (time.time(), time.time()))
    repos.clear_away(APP)
    assert not (left / "refs/heads/master.lock").exists()
    assert (left / "packed-refs.lock").exists()  # somebody may be writing it
    for name in ("packed-refs.lock", "objects/pack/tmp_pack_x", "objects/tmp_objdir-incoming-x"):
        assert (left / name).exists()
        os.utime(left / name, (0, 0))
    repos.clear_away(APP)
    assert not (left / "objects/tmp_objdir-incoming-x").exists()
    assert not (left / "packed-refs.lock").exists()
    assert not (left / "objects/pack/tmp_pack_x").exists()
    assert text_of(said, 2).count("which a killed git left") == 4


@pytest.mark.parametrize("part", ["HEAD", "objects", "refs"])
def test_a_repository_that_was_made_by_half_is_made_whole(shell, part):
    """GIT-17, SYN-6"""
    place = pathlib.Path(settings.app_dir(APP))
    place.joinpath(part).rename(place / "elsewhere")
    repos.initialize(APP)
    assert shell.ran == [f"git init --quiet --bare --initial-branch=master -- {place}"]


def test_a_repository_that_old_dokku_left_with_a_work_tree_is_bare_again(shell):
    """GIT-17"""
    pathlib.Path(settings.app_dir(APP), "config").write_text("[core]\n\tbare = false\n")
    repos.initialize(APP)
    assert shell.ran == [f"git --git-dir={settings.app_dir(APP)} config core.bare true"]
