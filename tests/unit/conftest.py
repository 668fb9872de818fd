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
    """The file that this is called with becomes root's alone; from then on we are somebody else."""

    def withhold(path: Path) -> None:
        helpers.set_uid(0)
        for top in (Path(os.environ["DOKKU_ROOT"]).parent, Path("/proc")):
            for one in (top, *top.rglob("*")):
                os.chown(one, NOBODY, NOBODY, follow_symlinks=False)
        path.chmod(0o600)
        os.chown(path, 0, 0)
        helpers.set_uid(NOBODY)

    yield withhold
    helpers.reset_ids()
