"""ps-current-scale: the counts of an app's processes for plugins."""

from lib.base import settings
from lib.base.triggers import ask


def test_each_process_has_a_line(fs) -> None:
    fs.create_file(f"{settings.root()}/blog/DOKKU_SCALE", contents="worker=2\nweb=1\n")
    assert ask("ps-current-scale", "blog") == "web=1\nworker=2\n"


def test_an_app_that_says_nothing_has_one_web(fs) -> None:
    fs.create_dir(f"{settings.root()}/blog")
    assert ask("ps-current-scale", "blog") == "web=1\n"
