"""report, cleanup and deploy: the commands without a namespace."""

from tests.cli.conftest import Dokku

MISSING = " !     App nope does not exist\n"
NO_APP = " !     Please specify an app to run the command on\n"
ID, OTHER = "a" * 64, "b" * 64


def test_the_report_on_the_host_has_dokkus_headings_in_order(dokku: Dokku) -> None:
    dokku.plugin("letsencrypt")
    said = dokku("report")
    assert (said.err, said.code) == ("", 0)
    heads = [line.split(":")[0] for line in said.out.splitlines() if line.startswith("-----> ")]
    assert heads == [
        f"-----> {name}"
        for name in (
            *("uname", "memory", "docker version", "docker daemon info", "git version", "sigil version"),
            *("herokuish version", "dokku version", "plugn version", "dokku plugins"),
        )
    ]
    assert "\n-----> dokku version: dokku version 0.24." in said.out
    assert said.out.endswith("-----> dokku plugins: \n       letsencrypt\n")


def test_the_report_on_a_host_without_docker_is_whole(dokku: Dokku) -> None:
    dokku.program("docker", "#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n")
    said = dokku("report")
    assert said.code == 0
    assert "-----> dokku plugins:" in said.out


def test_the_report_on_an_app_is_what_its_namespaces_report(dokku: Dokku) -> None:
    dokku.make_app("blog")
    dokku.plugin("mine", report='#!/bin/sh\necho "mine $1"\n')
    said = dokku("report", "blog")
    assert (said.err, said.code) == ("", 0)
    for head in ("app information", "docker options information", "git information", "storage information"):
        assert f"=====> blog {head}\n" in said.out
    assert "mine blog\n" in said.out
    assert "uname" not in said.out


def test_a_report_on_what_is_no_app_is_refused(dokku: Dokku) -> None:
    assert dokku("report", "nope") == ("", MISSING, 20)
    assert dokku("report", "--format", "json").err == " !     --format flag not supported on global report\n"
    assert dokku("report", "--format=json").code == 1


def test_cleanup_removes_what_has_ended_and_is_no_deploys(dokku: Dokku) -> None:
    dokku.make_app("blog")
    dokku.program(
        "docker",
        f'#!/bin/sh\necho "$*" >>{dokku.log}/calls\ncase "$*" in\n'
        f"*status=exited*) echo {ID}; echo {OTHER} ;;\n*container-type=deploy*) echo {OTHER} ;;\nesac\n",
    )
    assert dokku("cleanup", "blog") == ("-----> Cleaning up...\n", "", 0)
    removed = [line for line in (dokku.log / "calls").read_text().splitlines() if " rm " in line]
    assert removed == [f"container rm --force {ID}"]


def test_cleanup_of_the_host_asks_for_what_is_some_apps_only(dokku: Dokku) -> None:
    calls = dokku.recorded("docker")
    assert dokku("cleanup") == ("-----> Cleaning up...\n", "", 0)
    listings = [call for call in calls() if call[1] == "ls" and "status" in " ".join(call)]
    assert listings
    assert all("--filter=label=com.dokku.app-name" in call for call in listings)
    assert dokku("cleanup", "nope") == ("", MISSING, 20)


def test_deploy_hands_an_image_to_the_scheduler(dokku: Dokku) -> None:
    dokku.make_app("blog")
    dokku.plugin("zz", scheduler_deploy='#!/bin/sh\necho "$*"\n')
    dokku("config:set", "--no-restart", "blog", "DOKKU_SCHEDULER=mine")
    assert dokku("deploy", "blog") == ("mine blog latest\n", "", 0)
    assert dokku("deploy", "blog", "v2") == ("mine blog v2\n", "", 0)
    assert dokku("deploy") == ("", NO_APP, 1)
    assert dokku("deploy", "nope") == ("", MISSING, 20)


def test_deploy_without_an_image_is_refused_and_changes_nothing(dokku: Dokku) -> None:
    app = dokku.make_app("blog")
    dokku.program("docker", "#!/bin/sh\necho 'Error response from daemon: No such image: x' >&2\nexit 1\n")
    said = dokku("deploy", "blog")
    assert (said.err, said.code) == (" !     App image (dokku/blog:latest) not found\n", 1)
    assert not list(app.glob("CONTAINER*"))


def test_deploy_waits_for_no_lock(dokku: Dokku) -> None:
    dokku.make_app("blog")
    dokku("apps:lock", "blog")
    said = dokku("deploy", "blog")
    assert said.code == 1
    assert said.err.startswith(" !     blog currently has a deploy lock in place. Exiting...\n")


def test_a_docker_that_is_down_is_named_by_what_needs_it_and_no_matter_to_the_rest(dokku: Dokku) -> None:
    """DKR-6"""
    dokku.make_app("blog")
    dokku.program("docker", "#!/bin/sh\necho 'Cannot connect to the Docker daemon at x.' >&2\nexit 1\n")
    down = " !     Unable to reach the docker daemon: Cannot connect to the Docker daemon at x.\n"
    for words in (("cleanup",), ("deploy", "blog")):
        said = dokku(*words)
        assert (said.err, said.code) == (down, 1)
    assert dokku("--force", "apps:destroy", "blog").code == 1
    assert (dokku.root / "blog/HEAD").exists()
    for words in (
        ("apps:list",),
        ("config:set", "--no-restart", "blog", "A=1"),
        ("domains:add", "blog", "a.test"),
        ("git:report", "blog"),
        ("apps:report",),
    ):
        assert dokku(*words).code == 0, words


def test_a_docker_that_is_not_installed_is_named(dokku: Dokku) -> None:
    """ENV-4"""
    dokku.make_app("blog")
    said = dokku("cleanup", env={"DOCKER_BIN": "/nowhere/docker"})
    assert (said.err, said.code) == (" !     /nowhere/docker not found\n", 127)
