"""Labels that an image's author chose: containers inherit them, and we tell containers apart by labels."""

import json

from tests.system.conftest import BASE_IMAGE, Instance, wait_for


def test_odd_labels_do_not_keep_other_apps_containers_from_being_retired(instance: Instance) -> None:
    """RUN-7"""
    app, other = instance.name("odd"), instance.name("retiring")
    files = instance.sample(
        "odd", **{"app.json": json.dumps({"cron": [{"command": "sleep 99", "schedule": "@daily"}]})}
    )
    files["Dockerfile"] += "LABEL com.dokku.terminal-of=\u00b2:1 com.dokku.active-deadline-seconds=\u00b2\n"
    assert instance.push(instance.new_repo(files), app).code == 0
    repo = instance.new_repo(instance.sample("one"))
    assert instance.push(repo, other).code == 0
    assert instance.dokku("checks:set", other, "wait-to-retire", "1").code == 0
    (old,) = instance.containers(other)
    task = json.loads(instance.dokku("cron:list", app, "--format", "json").out)[0]["id"]
    assert instance.dokku("run:detached", "--cron-id", task, app, "sleep", "99").code == 0

    instance.commit(repo, instance.sample("two"))
    assert instance.push(repo, other).code == 0
    wait_for(lambda: instance.dokku("ps:retire").code == 0 and old not in instance.containers(other), 60)

    assert instance.dokku("run:stop", app).code == 0


def test_a_build_does_not_pass_for_a_task_of_another_app(instance: Instance) -> None:
    """RUN-7: of tasks that forbid company, one would never run as long as the build does."""
    author, victim = instance.name("pretender"), instance.name("punctual")
    assert instance.push(instance.new_repo(instance.sample("victim")), victim).code == 0
    files = instance.sample("author")
    labels = f"com.dokku.app-name={victim} com.dokku.cron-id=job com.dokku.container-type=run"
    files["Dockerfile"] = f"FROM {BASE_IMAGE}\nLABEL {labels}\nRUN sleep 120\n"
    push = instance.push_in_background(instance.new_repo(files), author)
    try:
        mark = f"label=com.dokku.app-name={victim}"
        marks = ("--filter", mark, "--filter", "label=com.dokku.cron-id=job")
        wait_for(lambda: instance.docker("container", "ls", "--quiet", *marks), 60)
        words = ("--cron-id", "job", "--concurrency-policy", "forbid", victim, "echo", "done")
        ran = instance.dokku("run", *words)
        assert (ran.code, ran.out) == (0, "done\n")
    finally:
        push.kill()
        push.wait()
        wait_for(lambda: not instance.docker("container", "ls", "--quiet", *marks), 60)
