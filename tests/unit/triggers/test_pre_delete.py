"""Before an app goes: what of it only root may remove."""

import os

from lib.base import files, settings
from triggers import pre_delete

APP = "blog"


def test_the_cache_goes_before_anything_else_does(fs):
    files.replace(f"{settings.app_dir(APP)}/cache/gems/rack", "x")
    pre_delete.HANDLERS["builder-herokuish"](APP, "latest")
    assert not os.path.exists(f"{settings.app_dir(APP)}/cache")
