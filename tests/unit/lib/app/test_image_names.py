"""Names of images: as docker compares them, and whose they are."""

import pytest

from lib.app import image_names


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("busybox", "busybox:latest"),
        ("docker.io/library/busybox:1", "busybox:1"),
        ("docker.io/team/app", "team/app:latest"),
        ("host:5000/app", "host:5000/app:latest"),
        ("app@sha256:00", "app@sha256:00"),
    ],
)
def test_a_name_is_written_as_docker_compares_it(name, wanted):
    assert image_names.canonical(name) == wanted


@pytest.mark.parametrize(
    ("name", "app"),
    [
        *(
            (name, "blog")
            for name in ("dokku/blog", "dokku/blog:v1", "docker.io/dokku/blog", "dokku/blog@sha256:0")
        ),
        *((name, "") for name in ("blog", "dokku/a/b", "other/blog", "host:5000/dokku/blog", "dokku/")),
    ],
)
def test_an_apps_images_are_known_by_their_names(name, app):
    assert image_names.app_of(name) == app
