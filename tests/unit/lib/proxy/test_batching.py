import threading
from collections.abc import Callable, Sequence

import pytest

from lib.base.errors import AppsFailed, DokkuError
from lib.proxy import batching


class Proxy:
    """One that writes down what it is called with, and refuses some apps."""

    def __init__(self, *refused: str) -> None:
        self.calls: list[list[str]] = []
        self.refused = refused

    def apply(self, apps: Sequence[str]) -> bool:
        self.calls.append(list(apps))
        bad = {app: f"{app} is bad" for app in apps if app in self.refused}
        if bad:
            raise AppsFailed(f"Refused: {', '.join(bad)}", bad)
        return True


def test_a_build_by_itself_is_applied_at_once() -> None:
    proxy = Proxy("bad")
    assert batching.build(proxy.apply, ["a"]) is True
    with pytest.raises(AppsFailed, match=r"^Refused: bad$"):
        batching.build(proxy.apply, ["bad"])
    assert proxy.calls == [["a"], ["bad"]]


def test_builds_in_a_block_are_applied_once_at_its_end_in_order() -> None:
    one, other = Proxy(), Proxy()
    with batching.batched():
        for app in ("b", "a", "b"):
            assert batching.build(one.apply, [app]) is False
        batching.build(other.apply, ["a"])
        assert one.calls == other.calls == []
    assert (one.calls, other.calls) == ([["b", "a"]], [["a"]])


def test_no_build_of_any_thread_is_lost() -> None:
    proxy = Proxy()

    def build(number: int) -> None:
        for count in range(50):
            batching.build(proxy.apply, [f"{number}-{count}", "shared"])

    with batching.batched():
        threads = [threading.Thread(target=build, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(proxy.calls) == 1
    assert set(proxy.calls[0]) == {"shared", *(f"{n}-{c}" for n in range(8) for c in range(50))}
    assert len(proxy.calls[0]) == 401


def test_a_block_within_a_block_waits_for_the_outer_one() -> None:
    proxy = Proxy()
    with batching.batched():
        with batching.batched():
            batching.build(proxy.apply, ["a"])
        assert proxy.calls == []
        batching.build(proxy.apply, ["b"])
    assert proxy.calls == [["a", "b"]]


def test_what_can_not_wait_does_not_and_only_in_its_own_thread() -> None:
    proxy = Proxy()
    with batching.batched():
        with batching.at_once():
            assert batching.build(proxy.apply, ["urgent"]) is True
            other = threading.Thread(target=batching.build, args=(proxy.apply, ["patient"]))
            other.start()
            other.join()
        assert batching.build(proxy.apply, ["late"]) is False
        assert proxy.calls == [["urgent"]]
    assert proxy.calls == [["urgent"], ["patient", "late"]]


def work(*proxies: Proxy, then: BaseException | None = None) -> Callable[[], None]:
    def run() -> None:
        with batching.batched():
            for proxy in proxies:
                batching.build(proxy.apply, ["a", "b"])
            if then:
                raise then

    return run


def test_failures_of_the_block_and_of_all_proxies_are_told_together() -> None:
    proxies = [Proxy("a"), Proxy("b"), Proxy()]
    with pytest.raises(AppsFailed, match=r"^Refused: a$") as caught:
        work(*proxies, then=DokkuError("one app failed", more=("why",)))()
    assert caught.value.more == ("a: a is bad", "Refused: b", "b: b is bad", "one app failed", "why")
    assert caught.value.reasons == {"a": "a is bad", "b": "b is bad"}
    assert [proxy.calls for proxy in proxies] == [[["a", "b"]]] * 3


def test_a_single_failure_is_itself() -> None:
    failure = DokkuError("one app failed", exit_code=7)
    with pytest.raises(DokkuError) as caught:
        work(Proxy(), then=failure)()
    assert caught.value is failure


def test_what_was_built_before_an_interruption_counts() -> None:
    proxies = [Proxy("a"), Proxy()]
    with pytest.raises(KeyboardInterrupt) as caught:
        work(*proxies, then=KeyboardInterrupt())()
    assert [proxy.calls for proxy in proxies] == [[["a", "b"]]] * 2
    assert isinstance(caught.value.__cause__, AppsFailed)
    assert batching.build(proxies[1].apply, ["c"]) is True


def test_nobody_waits_longer_than_the_block_has_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, now = Proxy("c"), [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def build_some() -> None:
        with batching.batched(patience=5):
            for app, moment in (
                ("a", 1.0),
                ("b", 5.9),
                ("c", 6.0),
                ("d", 7.0),
                ("e", 11.9),
                ("f", 12.0),
                ("g", 13.0),
            ):
                now[0] = moment
                batching.build(proxy.apply, [app])

    with pytest.raises(AppsFailed, match=r"^Refused: c$"):
        build_some()
    assert proxy.calls == [["a", "b", "c"], ["d", "e", "f"], ["g"]]
