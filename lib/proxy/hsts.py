"""HSTS: what a proxy answers over https to have browsers insist on that, from options of the same names."""

from collections.abc import Mapping


def header(options: Mapping[str, str]) -> str:
    """The value of Strict-Transport-Security; empty when it is off."""
    if options["hsts"] == "false":
        return ""
    words = [f"max-age={options['hsts-max-age']}"]
    words += ["includeSubdomains"] if options["hsts-include-subdomains"] == "true" else []
    words += ["preload"] if options["hsts-preload"] == "true" else []
    return "; ".join(words)
