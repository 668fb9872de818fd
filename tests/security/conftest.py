"""`instance`, as tests/system has it: attacks run for real."""

from tests.system.conftest import instance

__all__ = ["instance"]
