"""docker-options:* as a user calls it. What containers get of it is in tests/system."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest


@pytest.fixture
def blog(dokku):
    """An app that was never deployed; its directory."""
    return dokku.make_app("blog")


def refusal(text, code=1):
    return ("", f" !     {text}\n", code)


def options(blog, phase):
    path = blog / f"DOCKER_OPTIONS_{phase}"
    return path.read_text() if path.exists() else ""


def test_an_option_is_one_word_or_several(dokku, blog):
    assert dokku("docker-options:add", "blog", "build,run", "-v /tmp:/tmp") == ("", "", 0)
    assert dokku("docker-options:add", "blog", "run", "-e", "A=1", "--rm") == ("", "", 0)
    assert options(blog, "BUILD") == "-v /tmp:/tmp\n"
    assert options(blog, "RUN") == "-e A=1 --rm\n-v /tmp:/tmp\n"
    assert (blog / "DOCKER_OPTIONS_RUN").stat().st_mode & 0o777 == 0o600
    assert dokku("docker-options:remove", "blog", "build,run", "-v", "/tmp:/tmp") == ("", "", 0)
    assert (options(blog, "BUILD"), options(blog, "RUN")) == ("", "-e A=1 --rm\n")


def test_an_option_through_ssh_keeps_its_inner_quotes(dokku, blog):
    assert dokku.ssh("""docker-options:add blog deploy '-e "A=it is $(id)"'""").code == 0
    assert options(blog, "DEPLOY").splitlines()[-1] == '-e "A=it is $(id)"'


def test_docker_s_own_help_and_quiet_flags_are_options_here(dokku, blog):
    assert dokku("docker-options:add", "blog", "run", "--quiet") == ("", "", 0)
    assert dokku("docker-options:add", "blog", "run", "--help") == ("", "", 0)
    assert options(blog, "RUN") == "--help\n--quiet\n"


def test_bad_calls_are_refused_in_dokkus_words_and_change_nothing(dokku, blog):
    """NAME-14"""
    before = options(blog, "DEPLOY")
    phases = refusal("Phase(s) must be one of [build deploy run]")
    assert dokku("docker-options:add", "blog") == phases
    assert dokku("docker-options:add", "blog", "deploy,x", "-a") == phases
    assert dokku("docker-options:remove", "blog", "x", "-a") == phases
    nothing = refusal("Please specify docker options to add to the phase")
    assert dokku("docker-options:add", "blog", "deploy") == nothing
    assert dokku("docker-options:add", "blog", "deploy", "-e 'A").code == 1
    assert dokku("docker-options:add", "blog", "deploy", "-e A=1\n--privileged").code == 1
    assert dokku("docker-options:add", "nope", "deploy", "-a") == refusal("App nope does not exist", 20)
    assert options(blog, "DEPLOY") == before


def test_the_report_has_dokkus_rows(dokku, blog):
    assert dokku("docker-options:report", "blog").out.splitlines() == [
        "=====> blog docker options information",
        "       Docker options build:                                   ",
        "       Docker options deploy:         --restart=on-failure:10  ",
        "       Docker options run:                                     ",
    ]
    assert dokku("docker-options:report", "blog", "--docker-options-build") == ("\n", "", 0)
    known = "--docker-options-build --docker-options-deploy --docker-options-run"
    invalid = refusal(f"Invalid flag passed, valid flags: {known}")
    assert dokku("docker-options:report", "blog", "--docker-options-x") == invalid
    as_json = json.loads(dokku("docker-options:report", "blog", "--format", "json").out)
    assert as_json["deploy"] == as_json["docker-options-deploy"] == "--restart=on-failure:10"


def test_what_people_wrote_into_the_file_counts_without_its_comments(dokku, blog):
    (blog / "DOCKER_OPTIONS_DEPLOY").write_text("# comment\n-v /tmp\n\n")
    assert dokku("docker-options:report", "blog", "--docker-options-deploy").out == "-v /tmp\n"
    assert dokku("docker-options:list", "blog", "--phase", "deploy").out == "-v /tmp\n"
    assert json.loads(dokku("docker-options:list", "blog", "--format", "json").out) == ["-v /tmp"]


def test_options_of_a_process_type_are_listed_by_themselves(dokku, blog):
    added = dokku("docker-options:add", "--process", "web", "--process=worker", "blog", "deploy", "--cpus=1")
    assert added == ("", "", 0)
    assert dokku("docker-options:list", "--process", "worker", "blog").out == "--cpus=1\n"
    assert dokku("docker-options:report", "blog", "--docker-options-deploy.web").out == "--cpus=1\n"
    assert dokku("docker-options:remove", "--process", "web", "blog", "deploy", "--cpus=1").code == 0
    assert dokku("docker-options:list", "--process", "web", "blog").out == ""
    assert dokku("docker-options:clear", "--process", "worker", "blog", "deploy").code == 0
    assert dokku("docker-options:list", "--process", "worker", "blog").out == ""
    assert options(blog, "DEPLOY") == "--restart=on-failure:10\n"


def test_clearing_drops_some_phases_or_all(dokku, blog):
    dokku("docker-options:add", "blog", "build,run", "-a")
    cleared = dokku("docker-options:clear", "blog", "build")
    assert cleared == ("-----> Clearing docker-options for blog on phase build\n", "", 0)
    assert options(blog, "RUN") == "-a\n"
    cleared = dokku("docker-options:clear", "blog")
    assert cleared == ("-----> Clearing docker-options for blog on all phases\n", "", 0)
    assert options(blog, "DEPLOY") == ""


def test_options_and_resources_go_with_an_app_to_its_clone_and_new_name(dokku, blog):
    dokku("docker-options:add", "blog", "run", "-v /a:/b")
    dokku("docker-options:add", "--process", "web", "blog", "deploy", "--cpus=1")
    dokku("resource:limit", "--memory", "1g", "blog")
    assert dokku("apps:clone", "--skip-deploy", "blog", "copy").code == 0
    assert dokku("apps:rename", "--skip-deploy", "blog", "moved").code == 0
    for app in ("copy", "moved"):
        assert dokku("--quiet", "storage:report", app, "--storage-run-mounts").out == "-v /a:/b\n"
        assert dokku("docker-options:list", "--process", "web", app).out == "--cpus=1\n"
        assert dokku("resource:report", app, "--resource-_default_.limit.memory").out == "1g\n"
    assert dokku("apps:destroy", "--force", "moved").code == 0
    assert dokku.make_app("moved").exists()
    assert dokku("docker-options:list", "--process", "web", "moved").out == ""
    assert dokku("--quiet", "resource:report", "moved").out == ""


def test_of_many_that_add_at_once_none_is_lost(dokku, blog):
    """LCK-7"""
    names = [f"--label=n={number}" for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda name: dokku("docker-options:add", "blog", "run,deploy", name), names))
    assert done == [("", "", 0)] * 8
    assert options(blog, "RUN").splitlines() == names
    assert set(names) < set(options(blog, "DEPLOY").splitlines())
