"""What is expected here is what sigil 0.11 gives for the same template, where it gives anything."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.base.errors import DokkuError
from lib.proxy import go_templates

VALUES = {"APP": "web", "A": "x y z", "MAP": "http:80:5000 https:443:5000", "NONE": ""}
CONFIG = {"COLOUR": "blue", "APP": "not this one"}


def rendered(source: str) -> str:
    return go_templates.render(source, VALUES, CONFIG)


def refusal(source: str) -> str:
    """Empty for a template that is rendered."""
    try:
        rendered(source)
    except DokkuError as error:
        return error.text
    return ""


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ .APP }}{{ $.APP }}{{ $APP }}", "webwebweb"),
        ("{{ .MISSING }}", "<no value>"),
        ('{{ var "COLOUR" }}{{ var "APP" }}{{ var "MISSING" }}', "blueweb"),
        ("a  {{- .APP -}}  \n b", "awebb"),
        ("a {{/* }} */}} {{- /* b */ -}}\n c", "a c"),
        ('{{ "}}" }}{{ `\\n "` }}{{ "\\t\\u00e9\\x41\\101\\"" }}', '}}\\n "\té' + 'AA"'),
        ('{{ $a := "1" \\}}\n{{ $b := .A \\}}\n{{ $a }}{{ $b }}', "1x y z"),
        ("{{ true }} {{ 12 }} {{ -3 }} {{ split ` ` .A }}", "true 12 -3 [x y z]"),
        ('{{ ("b=1,a" | split "," | splitkv "=").b }}', "1"),
        ('{{ splitkv "=" (split "," "b=1,a") }}', "map[a:true b:1]"),
    ],
)
def test_values_are_written_as_sigil_does(source: str, text: str) -> None:
    assert rendered(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ if .NONE }}a{{ else if .APP }}b{{ else }}c{{ end }}", "b"),
        ('{{ if (and (eq .APP "web") ($.A)) }}a{{ end }}', "a"),
        ("{{ if or .NONE .MISSING }}a{{ else }}b{{ end }}", "b"),
        ("{{ with .A }}{{ . }}{{ end }}{{ with .NONE }}{{ else with .APP }}{{ . }}{{ end }}", "x y zweb"),
        ("{{ with $x := .APP }}{{ $x }}{{ . }}{{ end }}", "webweb"),
        ("{{ range .A | split ` ` }}<{{ . }}{{ $.APP }}>{{ end }}", "<xweb><yweb><zweb>"),
        ("{{ range $i, $e := split ` ` .A }}{{ if $i }},{{ end }}{{ $i }}{{ $e }}{{ end }}", "0x,1y,2z"),
        ("{{ range $k, $v := splitkv `=` (split `,` `b=2,a=1`) }}{{ $k }}{{ $v }};{{ end }}", "a1;b2;"),
        ("{{ range .MISSING }}a{{ else }}none{{ end }}", "none"),
        ("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}", "1"),
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
        ("{{ $x := `` }}{{ range seq 3 }}{{ $x = print $x . }}{{ end }}{{ $x }}", "012"),
        (
            '{{ range $m := split " " .MAP }}{{ with split ":" $m }}{{ index . 1 }};{{ end }}{{ end }}',
            "80;443;",
        ),
    ],
)
def test_blocks_are_followed_as_sigil_does(source: str, text: str) -> None:
    assert rendered(source) == text


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ $x, $y := .A }}", "line 1: two variables outside of range"),
        ("{{ range .APP }}{{ end }}", "line 1: range over web, which is no list"),
        ("{{ .APP.X }}", "line 1: no .X in web"),
        ("{{ eq .A }}", "line 1: eq with 1 arguments"),
    ],
)
def test_what_goes_wrong_on_the_way_is_named_with_its_line(source: str, said: str) -> None:
    assert refusal(source) == said


LONG = "{{ $x := `0123456789abcdef` }}"


@pytest.mark.parametrize(
    "source",
    [
        "{{ range seq 10000 }}{{ range seq 10000 }}{{ end }}{{ end }}",
        f"{LONG}{{{{ range seq 99 }}}}{{{{ $x = print $x $x }}}}{{{{ end }}}}",
        f"{LONG}{{{{ range seq 99 }}}}{{{{ $x = replace `` $x $x }}}}{{{{ end }}}}",
        "{{ range seq 10000 }}{{ printf `%999s` `` }}{{ range seq 9 }}{{ $.A }}{{ end }}{{ end }}",
        f"{LONG}{{{{ range seq 9 }}}}{{{{ $x = split `` (join $x (split `` $x)) | join `` }}}}{{{{ end }}}}",
        "{{ $l := split `a` (printf `%999s` `` | replace ` ` `a`) }}"
        "{{ range seq 9999 }}{{ $x := join `` $l }}{{ end }}",
        f"{LONG}{{{{ $l := seq 1 }}}}{{{{ range seq 9999 }}}}{{{{ $l = append $x $l }}}}{{{{ end }}}}",
        "{{ " + "(" * 60 + ".A" + ")" * 60 + " }}",
        "{{ if .A }}" * 5000 + "{{ end }}" * 5000,
        "{{ if .A }}a" + "{{ else if .A }}" * 5000 + "{{ end }}",
        "{{ $l := seq 3 }}{{ range seq 99 }}{{ $l = append $l $l }}{{ end }}{{ $l }}",
    ],
)
def test_a_template_can_not_use_up_the_machine(source: str) -> None:
    assert refusal(source).startswith("line 1: ")


@settings(max_examples=200)
@given(st.text(max_size=60).filter(lambda text: "{{" not in text and "\\}}" not in text))
def test_text_outside_of_braces_stays_as_it_is(text: str) -> None:
    assert rendered(text) == text


@settings(max_examples=200)
@given(st.text(max_size=30))
def test_a_value_stays_as_it_is_whatever_is_in_it(value: str) -> None:
    assert go_templates.render("{{ .X }}{{ var `X` }}", {"X": value}, {}) == value * 2


@settings(max_examples=200)
@given(
    st.lists(
        st.text(st.characters(exclude_characters=",", codec="utf-8"), max_size=8), min_size=1, max_size=6
    )
)
def test_a_list_is_split_where_it_was_joined(items: list[str]) -> None:
    values = {"X": ",".join(items)}
    assert go_templates.render('{{ range split "," .X }}{{ . }}\0{{ end }}', values, {}) == "".join(
        f"{item}\0" for item in items
    )
    assert go_templates.render('{{ .X | split "," | join "," }}', values, {}) == values["X"]
