"""What an ENV file may look like, the one way it is written, and the forms it is exported in."""

import io
import json
import shlex
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.app import env_text
from lib.base.errors import DokkuError

KEYS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
# Any bytes but NUL: those that are no UTF-8 arrive as lone surrogates.
VALUES = st.binary(max_size=60).map(lambda data: data.replace(b"\0", b"").decode("utf-8", "surrogateescape"))
ANYTHING = st.one_of(VALUES, st.text(alphabet="\"'\\\n\r\t $!`#=:nr aé\u2028\x85", max_size=30))
ENVIRONMENTS = st.dictionaries(KEYS, ANYTHING, max_size=8)


@given(ENVIRONMENTS)
def test_what_is_written_is_read_back_to_the_byte(values):
    assert env_text.parse(env_text.render(values)) == values


@given(ENVIRONMENTS)
def test_what_is_written_has_one_line_per_variable(values):
    text = env_text.render(values)
    assert text.count("\n") == max(len(values) - 1, 0)
    assert "\r" not in text


@given(ENVIRONMENTS)
def test_exports_give_a_shell_the_values_back(values):
    words = shlex.split(env_text.export(values, "exports"))
    assert words == [word for key in sorted(values) for word in ("export", f"{key}={values[key]}")]


@given(ENVIRONMENTS)
def test_shell_format_gives_a_shell_the_values_back(values):
    assert shlex.split(env_text.export(values, "shell")) == [f"{key}={values[key]}" for key in sorted(values)]


@given(st.dictionaries(KEYS, st.text(alphabet=st.characters(codec="utf-8"), max_size=30)))
def test_json_gives_the_values_back(values):
    assert json.loads(env_text.export(values, "json")) == values
    listed = json.loads(env_text.export(values, "json-list"))
    assert {entry["name"]: entry["value"] for entry in listed} == values


@given(ENVIRONMENTS)
def test_a_bundle_holds_one_private_file_per_variable(values):
    with tarfile.open(fileobj=io.BytesIO(env_text.bundle(values))) as tar:
        found = {member.name: tar.extractfile(member).read() for member in tar}
        assert all(member.isreg() and member.mode == 0o600 for member in tar)
    assert found == {key: value.encode("utf-8", "surrogateescape") for key, value in values.items()}


def test_the_written_form_is_that_of_release_0_24():
    """UPG-4"""
    values = {"b": "plain", "A": 'a "b" $c `d` e! \\ \n\r', "Z": "007"}
    assert env_text.render(values) == 'A="a \\"b\\" \\$c \\`d\\` e\\! \\\\ \\n\\r"\nZ="007"\nb="plain"'


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("K=v", "v"),
        ("K=", ""),
        ("  K = v  ", "v"),
        ("export K=v", "v"),
        ("K: v", "v"),
        ("K: a=b", "a=b"),
        ("K=a:b", "a:b"),
        ("K=a=b==", "a=b=="),
        ("K=v # why", "v"),
        ("K=# why", ""),
        ("K=http://h/#part", "http://h/#part"),
        ('K="v # w" # why', "v # w"),
        ("K='v'#why", "v"),
        ('K="a\\nb\\rc"', "a\nb\rc"),
        ("K='a\\nb'", "a\nb"),
        ('K="a\\$b\\!\\`\\\\\\""', 'a$b!`\\"'),
        ('K="$HOME ${HOME} $(id)"', "$HOME ${HOME} $(id)"),
        ("K=$HOME", "$HOME"),
        ('K="a\n b\n\nc"', "a\n b\n\nc"),
        ("K='a\n\"b\"'", 'a\n"b"'),
        ("K='don't'", "don't"),
        ('K="a" "b"', 'a" "b'),
        ("K='C:\\'", "C:\\"),
        ('K="it\'s"', "it's"),
        ("K=it's", "it's"),
        ("K=007", "007"),
        ("K=v\r", "v"),
        ("\ufeffK=v", "v"),
        ("# c\n\n  # d\nK=v\n", "v"),
        ("K=old\nK=v", "v"),
        ('K="a\u2028b\x85c"', "a\u2028b\x85c"),
    ],
)
def test_a_file_of_people_and_other_releases_is_understood(text, value):
    """UPG-1"""
    assert env_text.parse(text) == {"K": value}


@pytest.mark.parametrize(
    ("text", "line"),
    [("A=1\nB", 2), ('A="1', 1), ('A=1\n\nB="x\ny\nC=2', 3), ("A='1\nB=2", 1), ('A="a\\"', 1), ('A="', 1)],
)
def test_a_broken_line_is_refused_by_name_and_number(text, line):
    with pytest.raises(DokkuError) as refusal:
        env_text.parse(text, "/home/dokku/app/ENV")
    assert refusal.value.text.startswith(f"/home/dokku/app/ENV, line {line}: ")


def test_a_refusal_does_not_show_the_value():
    with pytest.raises(DokkuError) as refusal:
        env_text.parse('TOKEN="hunter2')
    assert "hunter2" not in refusal.value.text


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ("exports", "export A='it'\\''s'\nexport b='x y'\n"),
        ("envfile", 'A="it\'s"\nb="x y"\n'),
        ("docker-args", "--env=A='it'\\''s' --env=b='x y'\n"),
        ("docker-args-keys", "--env=A --env=b\n"),
        ("pack-keys", "--env A --env b\n"),
        ("shell", "A='it'\\''s' b='x y' "),
        ("pretty", "A:  it's\nb:  x y\n"),
        ("json", '{"A":"it\'s","b":"x y"}\n'),
        ("json-list", '[{"name":"A","value":"it\'s"},{"name":"b","value":"x y"}]\n'),
    ],
)
def test_each_format_is_that_of_dokku_to_the_byte(shape, text):
    assert env_text.export({"b": "x y", "A": "it's"}, shape) == text


@pytest.mark.parametrize(
    ("shape", "text"),
    [("exports", "\n"), ("shell", " "), ("pretty", "\n"), ("json", "{}\n"), ("json-list", "[]\n")],
)
def test_an_empty_environment_still_ends_its_line(shape, text):
    assert env_text.export({}, shape) == text


def test_pretty_aligns_and_trims_values():
    assert env_text.export({"LONG_KEY": " v ", "K": ""}, "pretty") == "K:         \nLONG_KEY:  v\n"


def test_json_escapes_what_go_escapes():
    assert env_text.export({"K": "<a>&é\u2028"}, "json") == '{"K":"\\u003ca\\u003e\\u0026é\\u2028"}\n'


def test_json_replaces_bytes_that_are_no_text():
    assert env_text.export({"K": "a\udcff"}, "json") == '{"K":"a\ufffd"}\n'


def test_an_unknown_format_is_refused():
    with pytest.raises(DokkuError, match="Unknown export format: yaml"):
        env_text.export({}, "yaml")


_KEYS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True)
_VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12) | st.text(
    "'\\\\\"\\n$` =#-en", max_size=8
)


@given(st.dictionaries(_KEYS, _VALUES, min_size=1, max_size=4))
@pytest.mark.parametrize("shape", ["exports", "envfile", "docker-args", "shell", "json", "json-list"])
def test_what_is_exported_is_read_back_exactly(shape, values):
    assert env_text.read(env_text.export(values, shape), "in") == values


def test_what_people_write_is_read_as_an_env_file():
    assert env_text.read("export A='x' # y\nB: z\n", "in") == {"A": "x", "B": "z"}


@pytest.mark.parametrize("text", ["[1]", '[{"name": "A"}]', '{"A": 1}', "{"])
def test_json_of_another_kind_is_refused(text):
    with pytest.raises(DokkuError, match="Unable to read in: "):
        env_text.read(text, "in")
