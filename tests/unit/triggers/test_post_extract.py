"""post-extract APP DIR REVISION: a bad Procfile stops the deploy before anything is built."""

import os

import pytest

from lib.base.errors import DokkuError
from triggers import post_extract

HANDLER = post_extract.HANDLERS["ps"]


def test_a_good_procfile_and_none_pass(tmp_path):
    HANDLER("blog", str(tmp_path), "f" * 40)
    (tmp_path / "Procfile").write_text("web: serve\n")
    HANDLER("blog", str(tmp_path), "f" * 40)


def test_a_bad_procfile_stops_the_deploy(tmp_path):
    (tmp_path / "Procfile").write_text("web: serve\nnonsense\n")
    with pytest.raises(DokkuError, match="Invalid Procfile: invalid line in procfile, line 2"):
        HANDLER("blog", str(tmp_path), "f" * 40)


def test_a_procfile_that_leads_out_of_the_tree_is_not_read(tmp_path):
    os.symlink("/etc/passwd", tmp_path / "Procfile")
    HANDLER("blog", str(tmp_path), "f" * 40)
