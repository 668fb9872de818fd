"""What is expected here is what sigil 0.11 gives; what is refused it refuses too, or says `%!d(string=5)`."""

import pytest

from lib.base.errors import DokkuError
from lib.proxy import go_templates

VALUES = {"APP": "web", "A": "x y z", "NONE": ""}


def rendered(source: str) -> str:
    return go_templates.render(source, VALUES, {})


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ('.A | replace " " "_" | upper', "X_Y_Z"),
        ('"It\'s É-x a_b" | lower | capitalize', "It'S É-X A_b"),
        ('printf "%s-%4s|%-4s|%q|%v|%03d|%+d%%" .APP "a" "b" "c" true 7 5', 'web-   a|b   |"c"|true|007|+5%'),
        ('printf "%.2s" "abc"', "ab"),
        ('print "a" 1 2 "b" true nil', "a1 2btrue <nil>"),
        ('print 1 2 (split "," "a")', "1 2 [a]"),
        ('println "a" 1', "a 1\n"),
        ('default "d" .NONE | print (.APP | default "d")', "webd"),
        ('split "," "b,a,b" | uniq | join "+"', "b+a"),
        ('append "c" (split "," "a,b") | join "-"', "a-b-c"),
        ('split "," "b=1,a=2" | splitkv "=" | joinkv ":" | join ","', "a:2,b:1"),
        ('"a\\nb\\n" | indent "  "', "a\n  b\n"),
        ('"  x\\n" | trim', "x"),
        ('substr "1:3" "abcd" | print (substr ":2" "xyz")', "xybc"),
        ("and .APP .NONE .A | print (or .NONE .APP)", "web"),
        ('eq .APP "a" "web" | print (ne 1 2) (not .NONE)', "true true true"),
        ('lt 1 2 | print (gt "b" "a") (le 2 2) (ge 1 2)', "true true false true"),
        ('len .A | print (len (split " " .A))', "3 5"),
    ],
)
def test_functions_give_what_sigils_give(call: str, text: str) -> None:
    assert rendered(f"{{{{ {call} }}}}") == text


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('{{ eq 1 "1" }}', "line 1: eq: can't compare a number with a text"),
        ('\n{{ index (split " " .A) 7 }}', "line 2: index: no place 7 in a list of 3"),
        ("{{ split `,` .MISSING }}", "line 1: split: no value instead of a text"),
        ('{{ printf "%d" "5" }}', "line 1: printf: %d for a text"),
        ('{{ printf "%s" }}', "line 1: printf: no value for %s"),
        ("{{ seq 99999 }}", "line 1: seq: no number from 0 to 10000"),
    ],
)
def test_arguments_of_another_kind_are_refused(source: str, said: str) -> None:
    with pytest.raises(DokkuError) as caught:
        rendered(source)
    assert caught.value.text == said
