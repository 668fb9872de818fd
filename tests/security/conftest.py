"""What the attacks need: a whole instance beside the host's, and one whose system user is nobody."""

from tests.cli.conftest import dokku, nobodys
from tests.system.conftest import instance

__all__ = ["dokku", "instance", "nobodys"]
