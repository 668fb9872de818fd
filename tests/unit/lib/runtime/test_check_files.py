"""CHECKS files: what they say, and how a container is asked. The container is a server in this process."""

import contextlib
import gzip
import http.server
import threading
import time
from typing import ClassVar

import hypothesis
import hypothesis.strategies as st
import pytest

from lib.base.errors import DokkuError
from lib.runtime import check_files
from lib.runtime.check_files import Check


def parse(text, **variables):
    return check_files.parse(text, variables, wait=5, timeout=30, attempts=5)


def test_a_path_and_the_text_it_has_to_hold():
    assert parse("/health.txt  all is well \n").checks == [
        Check("http://localhost/health.txt", "http", "", "/health.txt", "all is well", (), True)
    ]


def test_a_request_may_name_a_host_and_a_scheme():
    urls = [
        (check.scheme, check.host, check.path, check.expected)
        for check in parse(
            "//admin.example.com/login Sign in\nhttp://example.com/\nhttps://example.com\nhttps:/x y\n"
        ).checks
    ]
    assert urls == [
        ("http", "admin.example.com", "/login", "Sign in"),
        ("http", "example.com", "/", ""),
        ("https", "example.com", "/", ""),
        ("https", "", "/x", "y"),
    ]


def test_a_file_may_set_how_patient_its_checks_are():
    plan = parse("WAIT=2 # a comment\nTIMEOUT=60\nATTEMPTS=10\n/\n")
    assert (plan.wait, plan.timeout, plan.attempts, len(plan.checks)) == (2, 60, 10, 1)


def test_what_a_file_does_not_set_is_as_given():
    plan = parse("/\nWAIT=\nOTHER=1\n")
    assert (plan.wait, plan.timeout, plan.attempts) == (5, 30, 5)
    assert plan.notes == ("CHECKS, line 3: OTHER is not known; ignored",)


def test_numbers_may_be_quoted_and_have_a_fraction():
    plan = parse('WAIT=\'0.5\'\nTIMEOUT="7s" # a comment\nATTEMPTS="1"\n/\n')
    assert (plan.wait, plan.timeout, plan.attempts) == (1, 7, 1)


def test_comments_and_blank_lines_are_no_checks():
    assert parse("# /a\n\n  \n/b # not a comment\n").checks == [
        Check("http://localhost/b", "http", "", "/b", "# not a comment", (), True)
    ]


@pytest.mark.parametrize(
    "line", ["example.com/ x", "ftp://x/", "GET /", "WAIT=soon", "ATTEMPTS=-1", "x", "WAIT=1 2"]
)
def test_a_line_that_cannot_be_understood_is_refused_by_number(line):
    with pytest.raises(DokkuError, match=r"^CHECKS, line 3: "):
        parse(f"/a\n\n{line}\n")


@pytest.mark.parametrize("blank", [" ", "\t", "\xa0", " \t ", "\u3000", "\v"])
def test_any_blank_parts_the_request_from_the_text(blank):
    (check,) = parse(f"{blank}/a{blank}all is{blank}well{blank}\n").checks
    assert (check.path, check.expected) == ("/a", f"all is{blank}well")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_a_byte_order_mark_drop_no_check(end):
    plan = parse(f"\ufeff/a one{end}WAIT=3{end}HTTP://x/b two")
    assert [(check.path, check.expected) for check in plan.checks] == [("/a", "one"), ("/b", "two")]
    assert plan.wait == 3


@hypothesis.given(st.lists(st.text("/aW=1#\"' \t\r\xa0\ufeff", max_size=8), max_size=5))
def test_each_line_is_a_check_a_number_a_comment_or_refused(lines):
    text = "\n".join(lines)
    try:
        plan = parse(text)
    except DokkuError:
        return
    read = text.removeprefix("\ufeff").replace("\r", "\n").split("\n")
    assert len(plan.checks) == sum(line.strip().startswith("/") for line in read)


def test_windows_line_ends_are_read():
    assert [check.expected for check in parse("/a one\r\n/b two\r\n").checks] == ["one", "two"]


def test_variables_of_the_app_are_filled_in():
    text = '//{{ var "HOST" }}/ {{var "MISSING"}}{{ $GREETING }} {{"{"}} {{ var "NONE" | default "well" }}'
    assert parse(text, HOST="a.example.com", GREETING="hi").checks == [
        Check("http://a.example.com/", "http", "a.example.com", "/", "hi { well", (), True)
    ]


def test_any_other_template_expression_is_refused_with_its_line():
    """RUN-10"""
    with pytest.raises(DokkuError, match="CHECKS: unknown template expression on line 2"):
        parse('/a\n/b {{ exec "id" }}\n')


class App(http.server.BaseHTTPRequestHandler):
    answers: ClassVar[dict[str, tuple[int, dict[str, str], bytes]]] = {}
    asked: ClassVar[list[tuple[str, str, str]]] = []

    def do_GET(self):
        self.asked.append((self.path, self.headers["Host"], self.headers.get("X-Forwarded-Proto", "")))
        if self.path == "/drip":
            with contextlib.suppress(OSError):
                for _ in range(3000):  # five minutes, unless it is cut off
                    self.wfile.write(b"H")
                    self.wfile.flush()
                    time.sleep(0.1)
            return
        status, headers, body = self.answers.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def app():
    """A container. app.answers: (status, headers, body) by path; app.asked: what came."""
    App.answers, App.asked = {"/": (200, {}, b"hello world")}, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), App)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    App.port = str(server.server_port)
    yield App
    server.shutdown()
    server.server_close()


def ask(app, line, timeout=5, secure=False):
    (check,) = parse(line).checks
    check_files.ask(check, "127.0.0.1", app.port, timeout, secure)


def test_an_answer_that_holds_the_text_passes(app):
    ask(app, "/ lo wor")
    assert app.asked == [("/", f"127.0.0.1:{app.port}", "")]


def test_an_answer_without_the_text_is_refused(app):
    with pytest.raises(check_files.Refused) as refused:
        ask(app, "/ goodbye")
    assert refused.value.text == 'http://localhost/: expected to but did not find: "goodbye"'


@pytest.mark.parametrize("code", [0, 1])
def test_the_text_is_an_extended_regular_expression(app, shell, code):
    shell.answers("…grep -E…", status=code)
    if code:
        with pytest.raises(check_files.Refused, match="expected to but did not find"):
            ask(app, "/ w.*d|x")
    else:
        ask(app, "/ w.*d|x")
    assert len(shell.ran) == 1


def test_a_text_that_is_there_as_it_stands_needs_no_expression(app, shell):
    app.answers["/"] = (200, {}, b"f(x) [")
    ask(app, "/ f(x) [")
    assert shell.ran == []


def test_an_expression_that_is_none_is_refused_and_says_so(app, shell):
    shell.answers("…grep -E…", status=2)
    with pytest.raises(check_files.Refused, match="it is no extended regular expression"):
        ask(app, "/ w(")


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_an_error_is_refused_whatever_it_says(app, status):
    app.answers["/"] = (status, {}, b"hello world")
    with pytest.raises(
        check_files.Refused, match=f"http://localhost/: the requested URL returned error: {status}"
    ):
        ask(app, "/ hello")


def test_a_host_is_asked_for_by_name(app):
    ask(app, "//admin.example.com/ hello")
    assert app.asked == [("/", "admin.example.com", "")]


def test_an_app_with_a_certificate_hears_that_the_client_came_by_https(app):
    ask(app, "/ hello", secure=True)
    assert app.asked[0][2] == "https"


def test_a_redirect_is_followed(app):
    app.answers["/old"] = (302, {"Location": "/?a=b"}, b"")
    app.answers["/?a=b"] = (200, {}, b"new")
    ask(app, "/old new")


def test_a_redirect_to_another_host_stays_in_the_container(app):
    app.answers["/old"] = (301, {"Location": "https://elsewhere.example.com/"}, b"")
    ask(app, "/old hello")
    assert app.asked[1] == ("/", "elsewhere.example.com", "https")


def test_redirects_that_never_end_are_refused(app):
    app.answers["/loop"] = (302, {"Location": "/loop"}, b"")
    with pytest.raises(check_files.Refused, match="more than 10 redirects"):
        ask(app, "/loop")


def test_a_compressed_answer_is_unpacked(app):
    app.answers["/"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"hello world"))
    ask(app, "/ hello")


@pytest.mark.real_clock
def test_an_answer_that_drips_is_cut_off_at_the_limit(app):
    with pytest.raises(check_files.Refused, match="no answer within"):
        ask(app, "/drip", timeout=0.5)


def test_a_container_that_does_not_listen_is_refused(app):
    app.port = "1"
    with pytest.raises(check_files.Refused, match=r"http://localhost/: Connection refused$"):
        ask(app, "/")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "{{" + " " * 300_000,
            "{{" * 300_000,
            '{{"' * 300_000,
            '{{"\\' * 300_000,
            '{{ "\\"' * 100_000 + "}}",
        ),
        *(
            "{{" * 100_000 + "}}",
            "{{ a\n" * 100_000,
            "{{" + '"' * 300_001 + "}}",
            "/ {{var " + " |" * 300_000 + "}}",
        ),
    ],
)
def test_a_file_made_to_take_long_does_not(text: str) -> None:
    began = time.monotonic()
    with contextlib.suppress(DokkuError):
        check_files.expand(text, {})
    assert time.monotonic() - began < 5


def test_braces_may_stand_in_a_literal() -> None:
    assert check_files.expand('/ {{"{{"}} {{ "}}" }} {{- "a\\"b" -}}', {}) == '/ {{ }} a"b'


def test_numbers_have_a_bound() -> None:
    plan = parse("WAIT=999999999999999\nTIMEOUT=999999999999999\nATTEMPTS=999999999999999\n/ a")
    assert (plan.wait, plan.timeout, plan.attempts) == (86400, 86400, 86400)
