"""No request is dropped while an app is replaced.

Bench/load.py does the same for longer, and prints the figures.
"""

import shutil

import pytest

from tests.system.conftest import Instance
from tests.system.load import Load


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_redeploys_restarts_and_scaling_drop_no_request_and_cross_no_apps(instance: Instance) -> None:
    """ZDT-1, ZDT-6"""
    app, other = instance.name("loaded"), instance.name("neighbour")
    repo = instance.new_repo(instance.sample("mark-of-this-app 0"))
    assert instance.push(repo, app).code == 0
    assert instance.push(instance.new_repo(instance.sample("somebody else")), other).code == 0

    with Load(instance, app, "mark-of-this-app") as load:
        for version in range(2):
            instance.commit(repo, instance.sample(f"mark-of-this-app {version + 1}"))
            assert instance.push(repo, app).code == 0
        assert instance.dokku("ps:restart", app).code == 0
        assert instance.dokku("ps:scale", app, "web=3").code == 0
        assert instance.dokku("ps:scale", app, "web=1").code == 0

    assert load.outcome.requests > 100
    assert (load.outcome.failed, load.outcome.wrong) == (0, 0)
