"""A clock that stands still until a test, or code that sleeps, moves it on."""

NOON = 1_893_499_200.0  # 2030-01-01 12:00 UTC; no machine that runs these tests has this time


class Clock:
    """Stands in for the module time. now: seconds since 1970. slept: each time that was waited, in order."""

    def __init__(self) -> None:
        self.now = NOON
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def time(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return round(self.now * 1e9)

    def monotonic(self) -> float:
        return self.now - NOON
