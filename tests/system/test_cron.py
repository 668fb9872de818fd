"""Cron tasks by a real cron: they run, nobody else's line is touched, a bad one stops the deploy."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.system import crons
from tests.system.conftest import Instance, wait_for

FOREIGN = (
    "# mine\n17 4 * * *  dokku letsencrypt:auto-renew >>/var/log/renew.log 2>&1\n\nMAILTO=me@example.com\n"
)


@pytest.fixture
def cron(instance: Instance) -> Iterator[crons.Cron]:
    """A cron of our own; the instance's crontab is the one it reads."""
    program = instance.place / "bin/crontab"
    with crons.running(instance.place / "cron-of-apps") as found:
        wait_for((found.place / "ready").exists, 30)
        crons.write_crontab(found, program)
        yield found
    program.unlink()


def source(instance: Instance, *tasks: tuple[str, str]) -> dict[str, str]:
    entries = [{"schedule": schedule, "command": command} for schedule, command in tasks]
    return instance.sample("cron", **{"app.json": json.dumps({"cron": entries})})


@pytest.mark.slow
def test_tasks_run_by_the_clock_and_leave_the_table_to_others(instance: Instance, cron: crons.Cron) -> None:
    app, other = instance.name("cron-tasks"), instance.name("cron-other")
    repo = instance.new_repo(source(instance, ("* * * * *", "echo ran '$(touch /x)' `id` ; $HOME")))
    subprocess.run([*cron.argv(), "-"], input=FOREIGN.encode(), check=True)
    pushed = instance.push(repo, app)
    assert pushed.code == 0, pushed.err
    assert "-----> Updated schedule file" in pushed.err
    (job,) = json.loads(instance.dokku("cron:list", app, "--format", "json").out)
    line = f"* * * * * {instance.place}/bin/dokku --quiet cron:run {app} {job['id']}\n"
    assert cron.table.startswith(FOREIGN)
    assert line in cron.table

    wait_for(lambda: "END\n" in cron.mail, 150)

    assert cron.mail.count("END\n") == 1
    assert cron.mail.split("\n\n", 1)[1] == "ran $(touch /x) `id` ; $HOME\nEND\n"
    assert "To: me@example.com\n" in cron.mail
    assert instance.dokku("cron:suspend", app, job["id"]).code == 0
    assert line not in cron.table

    second = instance.new_repo(source(instance, ("@daily", "true")))
    assert instance.push(second, other).code == 0
    for number in range(9):
        instance.commit(repo, source(instance, (f"{number} 3 * * *", "true")))
        assert instance.push(repo, app).code == 0
    assert cron.table.startswith(FOREIGN)
    assert f"\n8 3 * * * {instance.place}/bin/dokku --quiet cron:run {app} " in cron.table

    before, containers = cron.table, instance.containers(app)
    instance.commit(repo, {**source(instance, ("61 * * * *", "true")), "www/index.html": "never"})
    refused = instance.push(repo, app)
    assert refused.code != 0
    assert "Cannot parse app.json: cron[0]: invalid schedule 61 * * * *: bad minute" in refused.err
    assert (cron.table, instance.containers(app)) == (before, containers)
    assert instance.get(app) == (200, "cron")

    renamed = instance.name("cron-renamed")
    assert instance.dokku("apps:rename", app, renamed, env={"DOKKU_WAIT_TO_RETIRE": "0"}).code == 0
    assert f"cron:run {app} " not in cron.table
    assert f"cron:run {renamed} " in cron.table
    for name in (renamed, other):
        assert instance.dokku("--force", "apps:destroy", name).code == 0
    assert cron.table == FOREIGN
