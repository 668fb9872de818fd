"""setpriv: a program that does not outlive the one that started it."""


def argv(*words: str) -> list[str]:
    """The words of a program that the kernel asks to end (SIGTERM) when its caller has ended, however."""
    return ["setpriv", "--pdeathsig=TERM", "--", *words]
