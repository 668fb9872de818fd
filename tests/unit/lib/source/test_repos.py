"""An app's repository: its branch, its hook, and the app that a client's path means."""

import os

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lib.base import files, log, properties, settings, values
from lib.base.errors import DokkuError
from lib.source import repos

APP = "blog"
TIP = "1" * 40
with_fs = hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100
)


@pytest.fixture(autouse=True)
def said(fs):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


def hook(app=APP):
    return os.path.join(settings.app_dir(app), "hooks/pre-receive")


def have_repository(app=APP):
    for name in ("refs/heads", "objects"):
        os.makedirs(os.path.join(settings.app_dir(app), name), exist_ok=True)
    files.replace(os.path.join(settings.app_dir(app), "HEAD"), "ref: refs/heads/master\n")


def test_a_repository_is_made_once(shell):
    shell.answers("git init …", does=lambda _: have_repository())
    repos.initialize(APP)
    repos.initialize(APP)
    assert shell.ran == [f"git init --quiet --bare --initial-branch=master -- {settings.app_dir(APP)}"]


def test_a_repository_starts_with_the_deploy_branch(shell):
    properties.write("git", "--global", "deploy-branch", "main")
    repos.initialize(APP)
    assert "--initial-branch=main" in shell.ran[0]


def test_the_hook_hands_a_push_over_with_the_root_and_the_app_in_quotes(monkeypatch):
    """GIT-13"""
    monkeypatch.setenv("DOKKU_ROOT", "/home/do kku")
    monkeypatch.setenv("DOKKU_PROGRAM", "/usr/bin/dok'ku")
    os.makedirs("/home/do kku/blog")
    repos.write_hook(APP)
    text = files.read("/home/do kku/blog/hooks/pre-receive")
    assert text.splitlines()[-1] == (
        """cat | DOKKU_ROOT='/home/do kku' '/usr/bin/dok'"'"'ku' git-hook "blog\""""
    )
    assert text.startswith("#!/usr/bin/env bash\nset -e\nset -o pipefail\n")
    assert os.stat("/home/do kku/blog/hooks/pre-receive").st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    "damage", [lambda: files.replace(hook(), "exit 0\n", 0o755), lambda: os.chmod(hook(), 0o644)]
)
def test_a_hook_that_was_changed_is_put_right(damage):
    """GIT-13"""
    repos.write_hook(APP)
    before = files.read(hook())
    damage()
    repos.write_hook(APP)
    assert files.read(hook()) == before
    assert os.access(hook(), os.X_OK)


def test_a_hook_that_is_right_is_left_alone():
    repos.write_hook(APP)
    os.utime(hook(), (1, 1))
    repos.write_hook(APP)
    assert os.stat(hook()).st_mtime == 1


def test_the_deploy_branch_is_the_apps_else_the_hosts_else_master():
    assert repos.deploy_branch(APP) == "master"
    assert repos.configured_branch(APP) == ""
    properties.write("git", "--global", "deploy-branch", "main")
    assert repos.deploy_branch(APP) == repos.configured_branch(APP) == "main"
    properties.write("git", APP, "deploy-branch", "release")
    assert repos.deploy_branch(APP) == "release"


def test_an_app_without_a_repository_has_no_tip_and_git_is_not_asked(shell):
    assert repos.head(APP) == ""
    assert shell.ran == []


def test_the_tip_is_that_of_the_deploy_branch(shell):
    have_repository()
    shell.answers("git …refs/heads/master…", out=f"{TIP}\n")
    assert repos.head(APP) == repos.deployable(APP) == TIP


def test_without_a_commit_there_is_nothing_to_deploy(shell, said):
    have_repository()
    shell.answers("git …", status=1)
    with pytest.raises(DokkuError):
        repos.deployable(APP)
    assert said == [
        (1, b"-----> WARNING: Cannot build from 'master' as there are no commits stored at that branch.\n")
    ]


def test_the_tip_moves_and_a_clone_starts_there(shell):
    """GIT-17"""
    files.replace(os.path.join(settings.app_dir(APP), "HEAD"), "ref: refs/heads/main\n")
    repos.advance(APP, TIP)
    git = f"git --git-dir={settings.app_dir(APP)}"
    assert shell.ran == [
        f"{git} update-ref --end-of-options refs/heads/master {TIP}",
        f"{git} symbolic-ref HEAD refs/heads/master",
    ]


def test_a_head_that_is_right_is_left_alone(shell):
    files.replace(os.path.join(settings.app_dir(APP), "HEAD"), "ref: refs/heads/master\n")
    repos.follow_deploy_branch(APP)
    assert shell.ran == []


def test_the_revision_variable_is_the_apps_else_the_hosts_else_git_rev():
    assert repos.rev_variable(APP) == "GIT_REV"
    properties.write("git", "--global", "rev-env-var", "REV")
    assert repos.rev_variable(APP) == "REV"
    properties.write("git", APP, "rev-env-var", "")
    assert repos.rev_variable(APP) == ""


def test_builds_see_git_only_when_asked_for():
    assert not repos.keeps_git_dir(APP)
    properties.write("git", "--global", "keep-git-dir", "true")
    assert repos.keeps_git_dir(APP)
    properties.write("git", APP, "keep-git-dir", "false")
    assert not repos.keeps_git_dir(APP)


@pytest.mark.parametrize(
    "word", ["blog", "/blog", "'blog'", "'/blog'", "blog/", "'blog/'", " blog ", "'blog' "]
)
def test_a_clients_path_means_an_app(word):
    """NAME-3"""
    assert repos.app_of(word) == "blog"


@pytest.mark.parametrize(
    "word",
    [
        *("", "/", "'", "''", "//blog", "../blog", "a/../b", "/home/dokku/blog", "~/blog", "$(x)", "`x`"),
        *("x;touch${IFS}canary", "'a'\\''b'", "Blog", "-x", "a b", "blog\n/x", ".ssh", "blog//", '"blog"'),
    ],
)
def test_a_path_that_can_mean_no_app_is_refused_and_makes_nothing(word):
    """NAME-3"""
    with pytest.raises(DokkuError) as refused:
        repos.app_of(word)
    assert refused.value.exit_code == 1
    assert os.listdir(settings.root()) == [APP]


@with_fs
@given(st.text(alphabet="ab'/\\.-_A ;$\n", max_size=10))
def test_whatever_a_client_asks_for_is_a_name_or_refused(word):
    """NAME-3"""
    try:
        app = repos.app_of(word)
    except DokkuError:
        return
    assert values.is_app_name(app)
    assert app in word


def test_a_first_push_makes_app_repository_and_hook(shell):
    shell.answers("git init …", does=lambda _: have_repository("new"))
    repos.ensure("new")
    assert os.path.isfile(hook("new"))
    assert len([line for line in shell.ran if "init" in line]) == 1


def test_a_push_to_an_app_of_an_old_release_makes_its_repository(shell):
    repos.ensure(APP)
    assert shell.ran == [f"git init --quiet --bare --initial-branch=master -- {settings.app_dir(APP)}"]
    assert os.path.isfile(hook())


def test_a_push_to_what_can_be_no_app_makes_nothing(shell):
    with pytest.raises(DokkuError):
        repos.ensure("a_b")
    assert os.listdir(settings.root()) == [APP]
