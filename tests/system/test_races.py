"""Two at the same time: exactly one wins, and everything is the winner's."""

import pytest

from tests.system.conftest import Instance

ROUNDS = 25  # twice


@pytest.mark.parametrize("half", ["first", "second"])
def test_of_two_pushes_at_the_same_instant_one_wins_and_the_other_is_told_who_holds_the_lock(
    instance: Instance, half: str
) -> None:
    """GIT-11, LCK-6"""
    app = instance.name(f"race-{half}")
    images = [_built(instance, page) for page in ("left", "right")]
    repos = [instance.new_repo({"Dockerfile": f"FROM {image}\n"}) for image in images]
    assert instance.push(repos[0], app).code == 0
    instance.set_environment(DOKKU_WAIT_TO_RETIRE="0")

    for round_ in range(ROUNDS):
        for repo in repos:
            instance.commit(repo, {"round": str(round_)})
        runs = [instance.push_in_background(repo, app) for repo in repos]
        said = [run.communicate(timeout=120)[0].decode() for run in runs]
        codes = [run.returncode for run in runs]

        assert sorted(codes)[0] == 0, said
        winner = codes.index(0)
        tip = instance.git(repos[0], "ls-remote", instance.remote(app), "refs/heads/main").out.split()[0]
        heads = [instance.git(repo, "rev-parse", "HEAD").out.strip() for repo in repos]
        if codes[1 - winner] == 0:  # the loser came so late that it was the next deploy
            assert tip in heads
            winner = heads.index(tip)
        else:
            assert f"{app} currently has a deploy lock in place. Exiting..." in said[1 - winner]
            assert "Held by tester (git-" in said[1 - winner]
            assert tip == heads[winner]
        assert instance.get(app) == (200, ("left", "right")[winner])
    instance.set_environment()
    assert len(instance.containers(app, "status=running")) <= 2


def _built(instance: Instance, page: str) -> str:
    """An image of the sample: what is pushed builds on it, from docker's cache, so rounds are short."""
    image = f"dokku-test/{instance.name(page)}"
    instance.build(image, instance.new_repo(instance.sample(page)))
    return image


def test_fifty_config_changes_at_once_lose_none(instance: Instance) -> None:
    """LCK-7"""
    import subprocess

    app = instance.name("many")
    assert instance.dokku("apps:create", app).code == 0
    argv = [str(instance.place / "bin" / "dokku"), "config:set", "--no-restart", app]
    runs = [subprocess.Popen([*argv, f"KEY_{i}={i}"], stdout=subprocess.DEVNULL) for i in range(50)]
    assert [run.wait(timeout=120) for run in runs] == [0] * 50

    assert (
        len([key for key in instance.dokku("config:keys", app).out.split() if key.startswith("KEY_")]) == 50
    )
