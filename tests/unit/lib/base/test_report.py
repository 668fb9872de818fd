import json

import pytest

from lib.base import report
from lib.base.errors import DokkuError
from lib.base.report import Row

Capture = pytest.CaptureFixture[str]
ROWS = [Row("--git-rev.env-var", "GIT_REV"), Row("--git-branch", "main"), Row("--git-new", "x", newer=True)]


def show(**options: object) -> None:
    report.show("git information", "git-", lambda app: ROWS, **{"apps": ["blog"], **options})  # type: ignore[arg-type]


def test_text_has_a_title_and_sorted_padded_rows_without_newer_ones(capfd: Capture) -> None:
    show()
    assert capfd.readouterr().out == (
        "=====> blog git information\n"
        "       Git branch:                    main\n"
        "       Git rev env var:               GIT_REV\n"
    )


def test_text_of_a_shell_report_keeps_its_order_and_pads_values(capfd: Capture) -> None:
    show(family=report.SHELL)
    assert capfd.readouterr().out.splitlines()[1:] == [
        f"       {'Git rev env var:':<30} {'GIT_REV':<25}",
        f"       {'Git branch:':<30} {'main':<25}",
    ]


def test_values_stand_in_the_same_column_in_both_kinds() -> None:
    go, shell = (report.as_text(ROWS[1:2], family)[0] for family in (report.GO, report.SHELL))
    assert go.index("main") == shell.index("main") == 38


def test_a_label_that_fills_its_column_moves_all_values() -> None:
    rows = [Row("--app-json-computed-appjson-path", "app.json"), Row("--git-branch", "main")]
    computed, branch = report.as_text(rows, report.GO)
    assert computed == "       App json computed appjson path: app.json"
    assert branch.index("main") == computed.index("app.json")


def test_a_flag_gives_the_bare_value(capfd: Capture) -> None:
    show(flag="--git-new")
    assert capfd.readouterr() == ("x\n", "")


def test_an_unknown_flag_is_answered_with_the_known_ones() -> None:
    with pytest.raises(DokkuError) as failure:
        show(flag="--git-x")
    assert (
        failure.value.text == "Invalid flag passed, valid flags: --git-branch, --git-new, --git-rev.env-var"
    )
    with pytest.raises(DokkuError, match=r"valid flags: --git-rev\.env-var --git-branch --git-new"):
        show(flag="--git-x", family=report.SHELL)


def test_json_has_every_row_under_both_keys(capfd: Capture) -> None:
    show(shape="json")
    said = capfd.readouterr().out
    assert json.loads(said) == {
        "git-branch": "main",
        "git-rev.env-var": "GIT_REV",
        "git-new": "x",
        "branch": "main",
        "rev.env-var": "GIT_REV",
        "new": "x",
    }
    assert " " not in said


def test_a_flag_has_no_json() -> None:
    with pytest.raises(DokkuError, match="--format flag cannot be specified when specifying an info flag"):
        show(shape="json", flag="--git-new")


def test_an_unknown_shape_is_refused() -> None:
    with pytest.raises(
        DokkuError, match="Invalid output format specified, supported formats: json, stdout: xml"
    ):
        show(shape="xml")


def test_no_apps_is_a_warning(capfd: Capture) -> None:
    show(apps=[])
    assert capfd.readouterr() == ("", " !     You haven't deployed any applications yet\n")


def test_a_value_that_an_app_has_to_have_is_refused_while_there_is_none(capfd: Capture) -> None:
    rows = [Row("--git-sha", "", refusal="not deployed"), Row("--git-branch", "")]
    with pytest.raises(DokkuError, match="not deployed"):
        report.show("git information", "git-", lambda app: rows, ["blog"], flag="--git-sha")
    report.show("git information", "git-", lambda app: rows, ["blog"], flag="--git-branch")
    report.show("git information", "git-", lambda app: rows, ["blog", "shop"], flag="--git-sha")
    assert capfd.readouterr().out == "\n\n\n"
