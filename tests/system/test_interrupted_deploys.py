"""A signal at each stage of a deploy: the old version serves on, and nothing is left over at once."""

import os
import signal

from tests.system.conftest import Instance

STAGES = {
    "checked-out": "hup",
    "built": "int",
    "created": "term",
    "checked": "hup",
    "journal-written": "int",
    "vhost-written": "term",
}
SWITCHING = ("journal-written", "vhost-written")


def test_a_deploy_that_a_signal_ends_clears_up_at_once(instance: Instance) -> None:
    """CRS-3, RUN-8"""
    app = instance.name("interrupted")
    assert instance.push(instance.new_repo(instance.sample("one")), app).code == 0
    before = instance.containers(app)

    for stage, name in STAGES.items():
        instance.set_environment(DOKKU_TEST_FAILPOINT=f"{stage}:{name}", DOKKU_WAIT_TO_RETIRE="0")
        ended = instance.dokku("ps:rebuild", app)
        instance.set_environment()

        number = signal.Signals[f"SIG{name.upper()}"]
        assert ended.code == 128 + number, (stage, ended)
        assert instance.get(app) == (200, "one"), stage
        if stage in SWITCHING:  # the proxy may have led to the new containers: they retire
            assert instance.dokku("ps:retire", app).code == 0
        assert instance.containers(app) == before, stage
        assert sorted(os.listdir(instance.lib / "tmp")) == ["locks"], stage
        assert instance.dokku("apps:locked", app).code == 1, stage
        assert not (instance.lib / "data/scheduler-docker-local" / app / "switching.json").exists(), stage

    instance.set_environment(DOKKU_WAIT_TO_RETIRE="0")
    assert instance.dokku("ps:rebuild", app).code == 0
    instance.set_environment()
    assert instance.dokku("ps:retire").code == 0
    assert len(instance.containers(app)) == 1
    instance.wait_for_images(app, 1)
