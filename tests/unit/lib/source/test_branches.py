"""git:set and git:report: which values are taken, and what is told of an app's repository."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base import files, log, properties, settings
from lib.base.errors import AppNotFound, DokkuError, ToolFailed
from lib.source import branches

APP = "blog"
TIP = "1" * 40
GENERAL = {
    "archive-max-files": "10000",
    "archive-max-size": "1073741824",
    "checkout-max-files": "500000",
    "checkout-max-size": "4294967296",
    "deploy-branch": "master",
    "fetch-timeout": "1800",
    "keep-git-dir": "false",
    "retry-timeout": "60",
    "rev-env-var": "GIT_REV",
    "stall-timeout": "60",
}


@pytest.fixture(autouse=True)
def said(fs, shell):
    """What the code under test writes: pairs of stream and bytes."""
    os.makedirs(settings.app_dir(APP))
    with log.collected() as lines:
        yield lines


def text_of(said):
    return b"".join(data for _, data in said).decode()


def row(flag):
    return next(row.value for row in branches.rows(APP) if row.flag == f"--git-{flag}")


@pytest.mark.parametrize("owner", [APP, "--global"])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("deploy-branch", "release/1"),
        ("keep-git-dir", "true"),
        ("keep-git-dir", "false"),
        ("rev-env-var", "REV"),
    ],
)
def test_a_value_is_kept(said, owner, key, value):
    branches.set_(owner, key, value)
    assert properties.get("git", owner, key) == value
    assert text_of(said) == f"=====> Setting {key} to {value}\n"


@pytest.mark.parametrize("key", ["deploy-branch", "keep-git-dir"])
def test_no_value_takes_it_away(said, key):
    properties.write("git", APP, key, "true")
    branches.set_(APP, key, "")
    branches.set_(APP, key, "")
    assert not properties.is_set("git", APP, key)
    assert text_of(said) == f"=====> Unsetting {key}\n" * 2


def test_no_revision_variable_is_a_value_of_its_own():
    branches.set_(APP, "rev-env-var", "")
    assert properties.is_set("git", APP, "rev-env-var")
    assert row("rev-env-var") == ""


def test_limits_of_archives_are_the_hosts(said):
    branches.set_("--global", "archive-max-size", "1000")
    assert properties.get("git", "--global", "archive-max-size") == "1000"
    for key in ("archive-max-files", "archive-max-size", "fetch-timeout", "retry-timeout", "stall-timeout"):
        with pytest.raises(DokkuError, match="Property can only be specified globally"):
            branches.set_(APP, key, "10")


def test_the_image_an_app_came_from_is_the_apps_own():
    branches.set_(APP, "source-image", "registry.example:5000/a/b:1")
    assert row("source-image") == "registry.example:5000/a/b:1"
    with pytest.raises(DokkuError, match="Property cannot be specified globally"):
        branches.set_("--global", "source-image", "a")
    for bad in ("-x", "a b", "a\nRUN id", ""):
        with pytest.raises(DokkuError, match="Invalid docker image"):
            branches._judge(APP, "source-image", bad)


REFUSED = [
    ("deploy-branch", "-x", "Invalid branch name: -x"),
    ("deploy-branch", "a..b", "Invalid branch name: a..b"),
    ("deploy-branch", "a b", "Invalid branch name: a b"),
    ("deploy-branch", "HEAD", "Invalid branch name: HEAD"),
    ("deploy-branch", "a\n", "Invalid branch name: a\\x0a"),
    ("deploy-branch", "@{-1}", "Invalid branch name: @{-1}"),
    ("deploy-branch", "x.lock", "Invalid branch name: x.lock"),
    ("deploy-branch", "../../x", "Invalid branch name: ../../x"),
    ("keep-git-dir", "yes", "Invalid value for keep-git-dir, must be true or false"),
    ("rev-env-var", "A-B", "Invalid key name: 'A-B'"),
    ("rev-env-var", "A\x1b", "Invalid key name: 'A\\x1b'"),
    ("archive-max-size", "0", "Invalid value for archive-max-size, must be a positive number"),
    ("archive-max-size", "1G", "Invalid value for archive-max-size, must be a positive number"),
    ("archive-max-files", "-1", "Invalid value for archive-max-files, must be a positive number"),
    ("archive-max-files", "٣", "Invalid value for archive-max-files, must be a positive number"),
    ("fetch-timeout", "0", "Invalid value for fetch-timeout, must be a positive number"),
    ("retry-timeout", "1.5", "Invalid value for retry-timeout, must be a positive number"),
    ("sync-remote", "x", f"Invalid key specified, valid keys include: {', '.join(branches.KEYS)}"),
    ("nope", "x", f"Invalid key specified, valid keys include: {', '.join(branches.KEYS)}"),
    ("../x", "x", f"Invalid key specified, valid keys include: {', '.join(branches.KEYS)}"),
    ("", "x", "No key specified"),
]


@pytest.mark.parametrize(("key", "value", "text"), REFUSED)
def test_a_bad_value_is_refused_and_not_kept(said, key, value, text):
    with pytest.raises(DokkuError) as refused:
        branches.set_("--global", key, value)
    assert (refused.value.text, refused.value.exit_code) == (text, 1)
    assert properties.get_all("git", "--global") == {}
    assert said == []


def test_the_keys_are_told_in_their_order():
    assert list(branches.KEYS) == sorted(branches.KEYS)


def test_an_app_has_to_exist_before_anything_else_is_judged():
    with pytest.raises(AppNotFound):
        branches.set_("none", "nope", "x")


@given(st.text(max_size=12), st.sampled_from(["deploy-branch", "keep-git-dir", "rev-env-var"]))
def test_whatever_is_taken_is_one_plain_line(value, key):
    try:
        branches._judge(APP, key, value)
    except DokkuError:
        return
    assert value == "" or value.isprintable() or not value.isascii()
    assert not any(character in value for character in "\0\n\r\t\x1b\\*?[~^: ")
    assert not value.startswith("-")


def test_the_rows_are_dokkus_and_stand_in_its_order():
    assert [row.flag for row in branches.rows(APP) if not row.newer] == [
        "--git-deploy-branch",
        "--git-global-deploy-branch",
        "--git-keep-git-dir",
        "--git-rev-env-var",
        "--git-sha",
        "--git-last-updated-at",
    ]


def test_an_app_where_nothing_was_set_has_the_defaults(shell):
    told = {row.flag.removeprefix("--git-"): row.value for row in branches.rows(APP)}
    assert told == {
        "deploy-branch": "master",
        "global-deploy-branch": "master",
        "keep-git-dir": "false",
        "rev-env-var": "GIT_REV",
        "sha": "",
        "last-updated-at": "",
        "archive-max-files": "",
        "archive-max-size": "",
        "checkout-max-files": "",
        "checkout-max-size": "",
        "fetch-timeout": "",
        "retry-timeout": "",
        "source-image": "",
        "stall-timeout": "",
        "sync-remote": "",
        "sync-ref": "",
        **{f"{kind}-{key}": value for kind in ("global", "computed") for key, value in GENERAL.items()},
    }
    assert shell.ran == []


def test_the_hosts_branch_counts_where_the_app_has_none():
    properties.write("git", "--global", "deploy-branch", "main")
    assert [row(flag) for flag in ("deploy-branch", "global-deploy-branch", "computed-deploy-branch")] == [
        *("master", "main", "main")
    ]
    properties.write("git", APP, "deploy-branch", "release")
    assert [row("deploy-branch"), row("computed-deploy-branch")] == ["release", "release"]


def test_the_host_has_values_of_its_own(shell):
    branches.set_("--global", "fetch-timeout", "5")
    told = {row.flag: (row.value, row.newer) for row in branches.general_rows()}
    general = {**GENERAL, "fetch-timeout": "5"}
    assert told == {
        f"--git-{kind}-{key}": (value, False)
        for kind in ("global", "computed")
        for key, value in general.items()
    }
    assert (row("global-fetch-timeout"), row("computed-fetch-timeout")) == ("5", "5")
    assert shell.ran == []


@pytest.mark.parametrize("key", ["deploy-branch", "keep-git-dir", "rev-env-var"])
def test_what_counts_is_the_apps_then_the_hosts_value(key):
    branches.set_("--global", key, "true")
    assert (row(f"global-{key}"), row(f"computed-{key}")) == ("true", "true")
    branches.set_(APP, key, "false")
    assert (row(key), row(f"global-{key}"), row(f"computed-{key}")) == ("false", "true", "false")


def test_no_revision_variable_counts_as_chosen():
    branches.set_("--global", "rev-env-var", "REV")
    branches.set_(APP, "rev-env-var", "")
    assert (row("rev-env-var"), row("computed-rev-env-var"), row("global-rev-env-var")) == ("", "", "REV")


def test_where_a_sync_came_from_is_told():
    properties.write("git", APP, "sync-remote", "https://git.example/x")
    properties.write("git", APP, "sync-ref", "main")
    assert (row("sync-remote"), row("sync-ref")) == ("https://git.example/x", "main")


def test_the_status_is_gits_own(said, shell):
    shell.answers("git …status", out="fatal: x\n", status=128)
    with pytest.raises(ToolFailed) as failed:
        branches.show_status(APP)
    assert (failed.value.text, failed.value.exit_code) == ("", 128)
    assert text_of(said) == "fatal: x\n"
    assert shell.ran == [f"git --git-dir={settings.app_dir(APP)} status"]
    assert shell.calls[0].cwd == settings.app_dir(APP)


def test_an_unlocked_app_has_no_old_clone():
    files.replace(os.path.join(settings.data("git", APP), "HEAD"), "x")
    branches.unlock(APP)
    branches.unlock(APP)
    assert not os.path.exists(settings.data("git", APP))


def test_the_commit_is_told_in_short_and_with_its_time(shell):
    ref = os.path.join(settings.app_dir(APP), "refs/heads/master")
    files.replace(ref, f"{TIP}\n")
    os.utime(ref, (1000, 2000))
    shell.answers("git …rev-parse --verify …", out=f"{TIP}\n")
    shell.answers("git …rev-parse --short …", out="1111111\n")
    assert (row("sha"), row("last-updated-at")) == ("1111111", "2000")


@pytest.mark.parametrize(("line", "time"), [("refs/heads/master", "2000"), ("refs/heads/masterpiece", "")])
def test_a_packed_branch_has_the_time_of_the_pack(shell, line, time):
    os.makedirs(os.path.join(settings.app_dir(APP), "refs"))
    packed = os.path.join(settings.app_dir(APP), "packed-refs")
    files.replace(packed, f"# pack-refs with: peeled fully-peeled sorted \n{TIP} {line}\n")
    os.utime(packed, (1000, 2000))
    assert row("last-updated-at") == time
