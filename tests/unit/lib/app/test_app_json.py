"""What app.json says, whose file counts, and what a failed deploy leaves of it."""

import json
import os

import hypothesis
import hypothesis.strategies as st
import pytest

from lib.app import app_json
from lib.base import files, settings
from lib.base.errors import DokkuError

APP = "blog"
TREE = "/tree"
OLD, NEW = '{"name": "old"}', '{"name": "new"}'


@pytest.fixture(autouse=True)
def _app(fs):
    os.makedirs(settings.app_dir(APP))
    os.makedirs(TREE)
    app_json._sources.clear()


def keep(**content):
    files.replace(app_json.file_path(APP), json.dumps(content))


def kept():
    return files.read(app_json.file_path(APP), "none")


def fail_to_deploy(text, serves):
    with app_json.restored_on_failure(APP, lambda: serves):
        app_json.adopt(APP, text)
        raise DokkuError("no luck")


def test_an_app_without_a_file_wants_nothing():
    assert app_json.scripts(APP) == ("", "", "")
    assert app_json.variables(APP) == []
    assert app_json.quantities(APP) == {}
    assert app_json.healthchecks(APP, "web") == []
    assert app_json.cron(APP) == []
    assert app_json.most_at_a_time(APP, "web") == 0


@pytest.mark.parametrize("text", ["", " \n", "null", "{}", '{"scripts": null, "env": null, "cron": null}'])
def test_an_empty_file_is_none(text):
    files.replace(app_json.file_path(APP), text)
    assert app_json.scripts(APP) == ("", "", "")
    assert app_json.variables(APP) == []


def test_tasks_come_from_two_places():
    keep(scripts={"postdeploy": "first", "dokku": {"predeploy": " before ", "postdeploy": "after"}})
    assert app_json.scripts(APP) == app_json.Scripts("before", "after", "first")
    keep(scripts={"dokku": {"predeploy": None}})
    assert app_json.scripts(APP) == ("", "", "")


def test_a_variable_is_a_text_or_says_more():
    keep(
        env={
            "B": {"description": "what", "required": False, "sync": True, "value": "v"},
            "A": "text",
            "C": {"generator": "secret"},
            "D": None,
        }
    )
    assert app_json.variables(APP) == [
        app_json.Variable("A", "text", "", True, False, False),
        app_json.Variable("B", "v", "what", False, False, True),
        app_json.Variable("C", "", "", True, True, False),
    ]


def test_counts_are_of_the_types_that_have_one():
    keep(formation={"web": {"quantity": 0, "max_parallel": 3}, "worker": {}, "clock": None})
    assert app_json.quantities(APP) == {"web": 0}
    assert (app_json.most_at_a_time(APP, "web"), app_json.most_at_a_time(APP, "worker")) == (3, 0)


def test_a_check_says_little_and_means_more():
    keep(
        healthchecks={
            "web": [
                {"path": "/health"},
                {
                    "type": "liveness",
                    "command": ["ok"],
                    "attempts": 0,
                    "httpHeaders": [{"name": "X", "value": "y"}],
                    "onFailure": {"url": "http://x"},
                    "warn": True,
                },
            ]
        }
    )
    first, second = app_json.healthchecks(APP, "web")
    assert (first.type, first.path, first.attempts, first.wait, first.timeout) == (
        "startup",
        "/health",
        3,
        5,
        5,
    )
    assert (first.scheme, first.port, first.headers, first.only_warns) == ("http", 0, [], False)
    assert (second.command, second.attempts, second.headers) == (["ok"], 3, [("X", "y")])
    assert (second.on_failure_url, second.only_warns) == ("http://x", True)
    assert app_json.healthchecks(APP, "worker") == []


@pytest.mark.parametrize(
    ("entry", "refusal"),
    [
        ({"path": "/", "uptime": 3}, " must be one of command, listening, path, uptime"),
        ({"command": ["x"], "listening": True}, " must be one of command, listening, path, uptime"),
        ({"uptime": 1, "content": "x"}, " must be of a path, since it has a content"),
        ({"path": "health"}, ".path must be a path that starts with / and has no blanks"),
        ({"path": "/a b"}, ".path must be a path that starts with / and has no blanks"),
        ({"path": "/\r\nX: y"}, ".path must be a path that starts with / and has no blanks"),
        ({"listening": True, "port": 65536}, ".port must be 65535 or less"),
        ({"path": "/", "scheme": "ftp"}, ".scheme must be one of http, https"),
        ({}, " must be a check with one of command, listening, path, uptime"),
        ({"name": "x", "warn": True}, " must be a check with one of command, listening, path, uptime"),
        ({"listening": False, "url": "/"}, " must be a check with one of command, listening, path, uptime"),
        ({"path": "/", "type": "ready"}, ".type must be one of startup, readiness, liveness"),
        (
            {"path": "/", "httpHeaders": [None, {"name": "a b"}]},
            ".httpHeaders[1].name must be the name of a header",
        ),
        (
            {"path": "/", "httpHeaders": [{"name": "X", "value": "a\nb"}]},
            ".httpHeaders[0].value must be a text without control characters",
        ),
    ],
)
def test_a_check_that_could_only_fail_is_refused_by_key_and_line(entry, refusal):
    text = f'{{"healthchecks": {{"web": [\nnull,\n{json.dumps(entry)}\n]}}}}'
    with pytest.raises(DokkuError) as refused:
        app_json.notes(text)
    assert refused.value.text == f"Cannot parse app.json: line 3: healthchecks.web[1]{refusal}"


@hypothesis.settings(max_examples=150, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(
    st.fixed_dictionaries(
        {},
        optional={
            "path": st.sampled_from(["", "/", "/a?b=c", "a", "/ä", "/ ", "//x"]) | st.text(max_size=4),
            "command": st.lists(st.text(max_size=3) | st.none(), max_size=2),
            "listening": st.booleans(),
            "uptime": st.integers(-1, 90000),
            "content": st.text(max_size=2),
            "port": st.integers(-1, 70000),
            "attempts": st.integers(0, 9) | st.none(),
            "scheme": st.sampled_from(["http", "https", "HTTP", ""]),
            "httpHeaders": st.lists(
                st.fixed_dictionaries({"name": st.text(max_size=2)}, optional={"value": st.text(max_size=2)})
                | st.none(),
                max_size=2,
            ),
            "onFailure": st.none() | st.fixed_dictionaries({"url": st.text(max_size=9)}),
        },
    )
)
def test_a_check_that_is_not_refused_asks_in_one_way_for_something_that_can_be_asked_for(entry):
    text = json.dumps({"healthchecks": {"web": [entry]}})
    try:
        app_json.parse(text)
    except DokkuError:
        return
    keep(healthchecks={"web": [entry]})
    for check in app_json.healthchecks(APP, "web"):
        assert [bool(check.command), check.is_listening, bool(check.path), bool(check.uptime)].count(
            True
        ) <= 1
        assert check.path == "" or (check.path[0] == "/" and not set(check.path) & set(" \r\n\t\0"))
        assert 0 <= check.port <= 65535
        assert check.attempts >= 1
        assert all(name and ":" not in name and "\n" not in value for name, value in check.headers)
        assert check.on_failure_url == "" or check.on_failure_url.startswith(("http://", "https://"))


def test_a_check_of_no_kind_that_was_deployed_by_an_older_release_can_be_read():
    keep(healthchecks={"web": [{"name": "x"}]}, scripts={"postdeploy": "y"})
    assert app_json.scripts(APP).first == "y"
    assert app_json.healthchecks(APP, "web")[0].uptime == 0


def test_a_check_for_a_content_asks_for_the_first_page():
    keep(healthchecks={"web": [{"content": "welcome"}]})
    assert app_json.healthchecks(APP, "web")[0].path == "/"


def test_a_cron_entry_may_overlap_unless_it_says_otherwise():
    keep(
        cron=[{"command": "a", "schedule": "@daily"}, {"command": "b", "schedule": "x", "maintenance": True}]
    )
    assert app_json.cron(APP) == [
        app_json.CronTask("a", "@daily", "allow", False),
        app_json.CronTask("b", "x", "allow", True),
    ]


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("{", "line 1: the end of the file where a key in quotes was expected"),
        ("[]", "line 1: it must be an object"),
        ('{\n"scripts": {"dokku": {"predeploy": ["x"]}}}', "line 2: scripts.dokku.predeploy must be a text"),
        ('{"cron": [\n{"command": "x"}]}', "line 2: cron[0].schedule is missing"),
    ],
)
def test_a_bad_file_is_refused_by_key_and_line(text, refusal):
    with pytest.raises(DokkuError) as caught:
        app_json.parse(text)
    assert caught.value.text == f"Cannot parse app.json: {refusal}"


def test_the_images_file_counts_before_the_sources():
    files.replace(f"{TREE}/app.json", OLD)
    app_json.take_from_source(APP, TREE)
    app_json.adopt(APP, NEW)
    assert kept() == NEW
    app_json.adopt(APP, None)
    assert kept() == OLD


def test_an_image_without_a_file_keeps_the_one_of_the_source_it_was_built_from():
    files.replace(f"{TREE}/app.json", OLD)
    app_json.take_from_source(APP, TREE)
    app_json.adopt(APP, None)
    app_json._sources.clear()  # a restart is another process
    app_json.adopt(APP, None)
    assert kept() == OLD
    app_json.adopt(APP, NEW)
    app_json.adopt(APP, None)  # an older image: the last file was its own image's
    assert kept() == "none"


def test_a_source_without_a_file_has_none():
    app_json.adopt(APP, OLD)
    app_json.take_from_source(APP, TREE)
    app_json.adopt(APP, None)
    assert kept() == "none"


def test_a_bad_file_changes_nothing():
    app_json.adopt(APP, OLD)
    with pytest.raises(DokkuError):
        app_json.adopt(APP, "{")
    files.replace(f"{TREE}/app.json", "{")
    with pytest.raises(DokkuError):
        app_json.take_from_source(APP, TREE)
    assert kept() == OLD


@pytest.mark.parametrize(("serves", "left"), [(False, OLD), (True, NEW)])
def test_a_failed_deploy_leaves_the_file_of_what_serves(serves, left):
    app_json.adopt(APP, OLD)
    with pytest.raises(DokkuError):
        fail_to_deploy(NEW, serves)
    assert kept() == left


def test_a_failed_first_deploy_leaves_none():
    with pytest.raises(DokkuError):
        fail_to_deploy(NEW, serves=False)
    assert kept() == "none"
    app_json.forget(APP)
    assert not os.path.exists(settings.data("app-json", APP))


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ('{"env": {"A B": "x"}}', "line 1: env.A B is no name of a variable; ignored"),
        ('{"env": {"A": {"generator": "dice"}}}', "line 1: env.A.generator must be one of secret; ignored"),
        ('{"env": {"A":\n3}}', 'line 2: env.A is read as the text "3"'),
        ('{"env": {\n"A": "a\\u0000b"}}', "line 2: env.A must be a text without NUL; ignored"),
        ('{"env": []}', "line 1: env is empty; ignored"),
        ('{"env": ""}', "line 1: env is empty; ignored"),
        ('{"env": "x"}', "line 1: env must be an object; ignored"),
        ('{"env": null}', "line 1: env is null; ignored"),
        ('{"scripts": []}', "line 1: scripts is empty; ignored"),
        ('{"formation": {"a.b": {}}}', "line 1: formation.a.b is no process type; ignored"),
        (
            '{"formation": {"web": {"quantity": "2"}}}',
            "line 1: formation.web.quantity must be a whole number; ignored",
        ),
        ('{"buildpacks": ["x"]}', "line 1: buildpacks[0] must be an object; ignored"),
        ('{"crom": []}', "line 1: crom is not a known key; ignored"),
        (
            '{"cron": [{"command": "x", "schedule": "@daily", "concurrency_policy": "no"}]}',
            "line 1: cron[0].concurrency_policy must be one of allow, forbid, replace; ignored",
        ),
        (
            '{"healthchecks": {"web": [{"path": "/", "wait": 86401}]}}',
            "line 1: healthchecks.web[0].wait must be 86400 or less; ignored",
        ),
        (
            '{"healthchecks": {"web": [{"path": "/", "onFailure": {"url": "file:///etc/passwd"}}]}}',
            "line 1: healthchecks.web[0].onFailure.url must be a url that starts with http:// or https://;"
            " ignored",
        ),
    ],
)
def test_what_dokku_did_not_look_at_is_told_once_and_fails_no_deploy(text, note, capfd):
    files.replace(f"{TREE}/app.json", text)
    app_json.take_from_source(APP, TREE)
    app_json.adopt(APP, text)
    app_json.adopt(APP, text)
    assert capfd.readouterr().err == f" !     app.json, {note}\n"
    for read in (app_json.scripts, app_json.variables, app_json.quantities, app_json.cron):
        read(APP)
    app_json.healthchecks(APP, "web")
    app_json.refused_variables(APP)


def test_many_ignored_values_are_counted(capfd):
    app_json.adopt(APP, json.dumps({f"key{number}": 1 for number in range(app_json.NOTED + 3)}))
    said = capfd.readouterr().err
    assert len(said.splitlines()) == app_json.NOTED + 1
    assert said.endswith("app.json: 3 more values are ignored\n")


def test_what_heroku_keeps_in_the_file_is_no_cause_for_a_warning():
    assert app_json.notes('{"name": "x", "addons": [], "success_url": "/", "stack": "heroku-22"}') == []


def test_a_variable_with_another_generator_is_not_required():
    keep(env={"A": {"generator": "dice"}, "B": {"value": 3, "required": "no"}})
    assert app_json.variables(APP) == [
        app_json.Variable("A", "", "", False, False, False),
        app_json.Variable("B", "3", "", True, False, False),
    ]


def test_keys_in_another_case_are_meant():
    keep(Cron=[{"Command": "a", "SCHEDULE": "@daily"}], Scripts={"Dokku": {"PreDeploy": "x"}})
    assert app_json.cron(APP) == [app_json.CronTask("a", "@daily", "allow", False)]
    assert app_json.scripts(APP).predeploy == "x"


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["url", "web", "value"]), inner)
    ),
    max_leaves=6,
)


@hypothesis.settings(max_examples=150, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(st.dictionaries(st.sampled_from(["env", "formation", "buildpacks", "name", "x"]), _JSON))
def test_nothing_in_sections_that_dokku_did_not_read_fails_a_deploy(content):
    keep(**content)
    app_json.variables(APP)
    app_json.quantities(APP)
    app_json.most_at_a_time(APP, "web")
    app_json.refused_variables(APP)
