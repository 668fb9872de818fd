from typing import Any

from lib.host import made


def test_what_was_made_is_known_until_it_is_forgotten(fs: Any) -> None:
    assert not made.noted(made.USER)
    for _ in range(2):
        made.note(made.USER)
    made.note(made.HOME)
    assert made.noted(made.USER)
    made.forget(made.USER)
    assert not made.noted(made.USER)
    assert made.noted(made.HOME)
