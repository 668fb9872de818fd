import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.base.errors import DokkuError
from lib.proxy import go_templates


def refusal(source: str) -> str:
    """Empty for a template that is rendered."""
    try:
        go_templates.render(source, {"A": "x y", "APP": "web", "NONE": ""}, {}).encode()
    except DokkuError as error:
        return error.text
    return ""


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('\n{{ sh "id" }}', "line 2: function sh is not supported"),
        ('{{ if .NONE }}\n{{ include "/etc/passwd" }}{{ end }}', "line 2: function include is not supported"),
        ('{{ "a" | file }}', "line 1: function file is not supported"),
        ('\n\n{{ define "x" }}{{ end }}', "line 3: {{define}} is not supported"),
        ('{{ template "x" }}', "line 1: {{template}} is not supported"),
        ("{{ range seq 3 }}{{ break }}{{ end }}", "line 1: {{break}} is not supported"),
        ("{{ $nope }}", "line 1: $nope is not defined"),
        ("{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}", "line 1: $x is not defined"),
        ("\n{{ if .A }}x", "line 2: {{if}} without {{end}}"),
        ("{{ end }}", "line 1: {{end}} without a beginning"),
        ("{{ if true }}{{ else }}{{ else }}{{ end }}", "line 1: {{if}} without {{end}}"),
        ("{{ if true }}{{ end 1 }}", "line 1: 1 after end"),
        ("{{ .A", "line 1: {{ without }}"),
        ('{{ "a\n" }}', "line 1: can't read \"a"),
        ("{{ /* a }}", "line 1: can't read /* a }}"),
        ("{{/* a }}", "line 1: a comment that is not closed by */}}"),
        ("{{ }}", "line 1: nothing between {{ and }}"),
        ("{{ (.A }}", "line 1: ( without )"),
        ("{{ .A ) }}", "line 1: unexpected )"),
        ("{{ if }}{{ end }}", "line 1: a value is missing"),
        ("{{ nil }}", "line 1: nil stands alone"),
        ('{{ .APP "x" }}', "line 1: arguments for what is no function"),
        ('{{ "x" | .APP }}', "line 1: only a function can stand after |"),
        ("{{ print upper .A }}", "line 1: upper needs parentheses here: (upper ...)"),
        ("{{ 1.5 }}", "line 1: unexpected 1.5"),
        ('{{ "\\d" }}', "line 1: can't read \\d"),
        ('{{ "\\ud800" }}', "line 1: can't read \\ud800"),
        ('{{ "\\xc3\\xa9" }}', "line 1: can't read \\xc3"),
    ],
)
def test_what_is_no_template_of_ours_is_refused_with_its_line(source: str, said: str) -> None:
    assert refusal(source) == said


SIGNS = ["{{", "}}", "{{-", "-}}", " ", "\n", ":=", "=", "|", "(", ")", ",", "/*", "*/", "\\", '"', "x"]
WORDS = ["if", "else", "end", "range", "with", "eq", "index", "split", "print", "printf"]
OPERANDS = ["$x", ".A", ".", "$", '"a"', "`b`", "1"]
SOURCES = st.lists(st.sampled_from([*SIGNS, *WORDS, *OPERANDS]), max_size=25).map("".join)


@settings(max_examples=300)
@given(SOURCES | st.text(max_size=40))
def test_whatever_it_is_it_is_rendered_or_refused(source: str) -> None:
    assert re.fullmatch(r"(line [0-9]+: .+)?", refusal(source))
