from types import ModuleType

import pytest

from lib.proxy import haproxy_options, hsts, nginx_options


@pytest.mark.parametrize(
    ("changes", "header"),
    [
        ({}, "max-age=15724800; includeSubdomains"),
        ({"hsts": "false"}, ""),
        ({"hsts-include-subdomains": "false", "hsts-max-age": "1"}, "max-age=1"),
        ({"hsts-preload": "true"}, "max-age=15724800; includeSubdomains; preload"),
    ],
)
@pytest.mark.parametrize("options", [nginx_options, haproxy_options])
def test_the_header_follows_from_the_options_of_any_proxy(
    fs: object, options: ModuleType, changes: dict[str, str], header: str
) -> None:
    assert hsts.header({**options.effective("web"), **changes}) == header
