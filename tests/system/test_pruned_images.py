"""What somebody's `docker image prune -a` leaves of an app is enough to restart it, or that fails aloud."""

from tests.system.conftest import Instance


def _prune(instance: Instance, app: str) -> None:
    """As `docker image prune -a`, for the images of one app."""
    instance.docker(
        *("image", "prune", "--all", "--force", f"--filter=label=com.dokku.app-name={app}"),
    )
    for tag in ("latest", "release-v1"):  # docker leaves one name of an image that has a container
        instance.docker("image", "rm", f"dokku/{app}:{tag}", check=False)


def test_a_restart_after_a_prune_of_all_images_uses_the_image_that_serves(instance: Instance) -> None:
    app = instance.name("pruned")
    assert instance.push(instance.new_repo(instance.sample("still there")), app).code == 0

    for words in (
        ("ps:restart", app),
        ("config:set", app, "KEY=value"),
        ("ps:scale", app, "web=2"),
    ):
        _prune(instance, app)
        instance.docker("image", "rm", f"dokku/{app}:latest", check=False)
        before = instance.containers(app)
        done = instance.dokku(*words)
        assert done.code == 0, done
        assert set(instance.containers(app)) - set(before), f"{words} started nothing: {done}"
        assert instance.docker("image", "ls", "--quiet", f"dokku/{app}:latest"), words
    assert instance.get(app) == (200, "still there")

    (container, *_) = instance.containers(app, "status=running")
    assert (
        instance.docker("inspect", "--format={{.Config.Image}}", container).strip() == f"dokku/{app}:latest"
    )
    run = instance.dokku("run", app, "cat", "/www/index.html")
    assert (run.code, run.out) == (0, "still there"), run


def test_a_restart_without_any_image_fails_and_says_what_to_do(instance: Instance) -> None:
    app = instance.name("imageless")
    assert instance.push(instance.new_repo(instance.sample("gone")), app).code == 0
    assert instance.dokku("ps:stop", app).code == 0
    instance.docker("container", "rm", "--force", *instance.containers(app))
    _prune(instance, app)
    names = instance.docker("image", "ls", "--format={{.Repository}}:{{.Tag}}", f"dokku/{app}").split()
    if names:
        instance.docker("image", "rm", "--force", *names)

    for words in (("ps:restart", app), ("ps:start", app), ("ps:scale", app, "web=2")):
        done = instance.dokku(*words)
        assert done.code == 1, done
        assert f" !     App image (dokku/{app}:latest) not found, build it with ps:rebuild\n" in done.err
    assert instance.dokku("ps:rebuild", app).code == 0
    assert instance.get(app) == (200, "gone")
