import pytest

from lib.app import certs
from lib.proxy import certificate_names
from tests.unit.lib.proxy.conftest import Host


def test_a_star_in_a_certificate_stands_for_one_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certs, "names", lambda _app: ["*.a.com", "B.com"])
    names = ["x.a.com", "a.com", "x.y.a.com", "b.com", "x.b.com", "*.a.com"]
    assert certificate_names.covered("web", names) == ["x.a.com", "b.com", "*.a.com"]


def test_a_certificate_for_other_names_is_told(
    host: Host, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    host.app("web", "10.0.0.2", domains="a.com b.com")
    monkeypatch.setattr(certs, "names", lambda _app: ["c.com"])
    certificate_names.warn_of_mismatch("web")
    assert capfd.readouterr().out.splitlines() == [
        "-----> No matching configured domains for web found in SSL certificate. "
        "Your app will show as insecure in a browser if accessed via SSL",
        "-----> Please add appropriate domains via the dokku domains command",
        "-----> Configured domains for app:",
        "=====> a.com",
        "=====> b.com",
        "-----> Domains found in SSL certificate:",
        "=====> c.com",
    ]
    monkeypatch.setattr(certs, "names", lambda _app: ["b.com"])
    certificate_names.warn_of_mismatch("web")
    assert capfd.readouterr().out == ""
