"""`withheld`: files in memory that only root may read."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyfakefs import helpers

NOBODY = 65534


@pytest.fixture
def withheld(fs: Any) -> Iterator[Callable[[Path], None]]:
    """We are not root from here on; the file that this is called with becomes root's alone."""
    for top in ("DOKKU_ROOT", "DOKKU_LIB_PATH", "DOKKU_LOGS_DIR"):
        place = Path(os.environ[top])
        for path in (place.parent, place, *place.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    for path in (Path("/proc"), *Path("/proc").rglob("*")) if os.path.exists("/proc") else ():
        os.chown(path, NOBODY, NOBODY)
    helpers.set_uid(NOBODY)

    def withhold(path: Path) -> None:
        helpers.set_uid(0)
        path.chmod(0o600)
        os.chown(path, 0, 0)
        helpers.set_uid(NOBODY)

    yield withhold
    helpers.reset_ids()
