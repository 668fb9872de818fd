"""Domain names in other scripts: `bücher.example` is `xn--bcher-kva.example` to DNS, nginx and certificates.

Two standards disagree on how to spell a few names (`straße.de`, names with joiners). A name is translated
only where the way back leads to the same name; the others have to be given in the form that DNS has.
"""


def as_ascii(name: str) -> str:
    """The name in small letters, in the spelling of DNS. What has no such spelling is left in its own."""
    if name.isascii():
        return name.lower()
    import unicodedata

    small = unicodedata.normalize("NFC", name).lower()
    wildcard = next((start for start in ("*.", ".") if small.startswith(start)), "")
    host = small.removeprefix(wildcard)
    try:
        spelled = host.encode("idna")
        back = spelled.decode("idna")
    except UnicodeError:
        return small
    return f"{wildcard}{spelled.decode('ascii').lower()}" if back == host else small
