"""A plugin is a directory with executables: dropped in by hand, it is run on the next deploy."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.conftest import Instance

HOOK = """#!/bin/sh
{
    printf 'args=%s,%s,%s,%s\\n' "$1" "$2" "$3" "$4"
    printf 'count=%s\\n' "$#"
    printf 'root=%s lib=%s api=%s enabled=%s pid=%s name=%s\\n' \\
        "$DOKKU_ROOT" "$DOKKU_LIB_ROOT" "$DOKKU_API_VERSION" "$PLUGIN_ENABLED_PATH" "$DOKKU_PID" "$SSH_NAME"
} > "$DOKKU_ROOT/.hook-ran"
echo "the hook speaks"
"""


@pytest.fixture
def plugin(instance: Instance) -> Iterator[Path]:
    path = instance.lib / "plugins" / "enabled" / "zz-by-hand"
    path.mkdir(parents=True)
    yield path
    for entry in path.iterdir():
        entry.unlink()
    path.rmdir()


def _drop(plugin: Path, trigger: str, script: str) -> None:
    (plugin / trigger).write_text(script)
    (plugin / trigger).chmod(0o755)


def test_a_post_deploy_hook_runs_with_the_documented_arguments_and_environment(
    instance: Instance, plugin: Path
) -> None:
    app = instance.name("hooked")
    _drop(plugin, "post-deploy", HOOK)

    pushed = instance.push(instance.new_repo(instance.sample("x")), app)

    assert pushed.code == 0, pushed
    assert "the hook speaks" in pushed.err
    args, count, environment = (instance.root / ".hook-ran").read_text().splitlines()
    ip = (instance.root / app / "IP.web.1").read_text()
    assert args == f"args={app},5000,{ip},latest"
    assert count == "count=4"
    assert f"root={instance.root} lib={instance.lib} api=1" in environment
    assert f"enabled={instance.lib}/plugins/enabled" in environment
    assert "name=tester" in environment


def test_a_failing_hook_stops_the_chain_with_its_status(instance: Instance, plugin: Path) -> None:
    app = instance.name("vetoed")
    assert instance.dokku("apps:create", app).code == 0
    repo = instance.new_repo(instance.sample("x"))
    assert instance.push(repo, app).code == 0
    _drop(plugin, "pre-deploy", "#!/bin/sh\necho not today >&2\nexit 42\n")

    restarted = instance.dokku("ps:restart", app)

    assert restarted.code == 42
    assert "not today" in restarted.err
    assert instance.get(app) == (200, "x")


def test_a_hook_that_is_not_executable_is_named_and_skipped(instance: Instance, plugin: Path) -> None:
    app = instance.name("inert")
    (plugin / "post-create").write_text("#!/bin/sh\nexit 1\n")
    os.chmod(plugin / "post-create", 0o644)

    created = instance.dokku("apps:create", app)

    assert created.code == 0
    assert "Trigger 'post-create' is not executable, skipping plugin (zz-by-hand)" in created.err
