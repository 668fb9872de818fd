"""The words that docker is started with, and what its answers are taken for."""

import pytest

from lib.base.errors import DokkuError, ToolFailed
from lib.tools import docker, docker_builds

ID, OTHER = "a" * 64, "b" * 64
STUMBLED = 'unable to find image "sha256:0cc0"\n'
GONE = "Error response from daemon: No such container: x\n"


def test_many_containers_are_inspected_in_one_call(shell):
    shell.answers("docker container inspect …", out=f'{{"Id": "{ID}"}}\n{{"Id": "{OTHER}"}}\n')
    assert [known["Id"] for known in docker.inspect(ID, OTHER)] == [ID, OTHER]
    assert shell.ran == [f"docker container inspect '--format={{{{json .}}}}' -- {ID} {OTHER}"]


def test_nothing_to_inspect_starts_nothing(shell):
    assert docker.inspect() == []
    assert shell.ran == []


def test_what_is_gone_is_absent_from_an_inspection(shell):
    shell.answers("docker image inspect …", out='{"Id": "1"}\n', err="Error: No such image: x\n", status=1)
    assert docker.inspect_images("y", "x") == [{"Id": "1"}]


def test_line_separators_of_unicode_in_a_value_do_not_cut_an_answer(shell):
    shell.answers("docker container inspect …", out='{"Id": "a\u2028b\x85c"}\n')
    assert docker.inspect(ID) == [{"Id": "a\u2028b\x85c"}]


@pytest.mark.parametrize(
    "ask",
    [
        lambda: docker.inspect(ID),
        lambda: docker.containers("label=dokku"),
        lambda: docker.images("dangling=true"),
        lambda: docker.stop(ID, patience=1),
        lambda: docker.remove(ID),
        lambda: docker.never_restart(ID),
        lambda: docker.prune_images("dangling=true"),
        lambda: docker.copy_out(ID, "/x"),
        lambda: docker.start(ID),
        lambda: docker.rename(ID, "x"),
        lambda: docker.tag(ID, "x"),
    ],
)
def test_a_daemon_that_does_not_answer_is_named(shell, ask):
    said = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
    shell.answers("docker …", err=f"{said}\n", status=1)
    with pytest.raises(DokkuError) as refused:
        ask()
    assert refused.value.text == f"Unable to reach the docker daemon: {said}"
    assert refused.value.exit_code == 1


def test_any_other_complaint_is_passed_on_without_its_preface(shell):
    shell.answers("docker …", err="Error response from daemon: page not found\n", status=1)
    with pytest.raises(ToolFailed) as failed:
        docker.never_restart("../x")
    assert failed.value.text == "docker update: page not found"


def test_containers_are_listed_by_all_filters_whether_they_run_or_not(shell):
    shell.answers("docker container ls …", out=f"{ID}\n{OTHER}\n")
    assert docker.containers("label=dokku", "status=dead") == [ID, OTHER]
    assert docker.containers(all_=False) == [ID, OTHER]
    assert shell.ran == [
        "docker container ls --quiet --no-trunc --all --filter=label=dokku --filter=status=dead",
        "docker container ls --quiet --no-trunc",
    ]


def test_an_image_of_several_names_is_listed_once(shell):
    shell.answers("docker image ls …", out="sha256:2\nsha256:1\nsha256:2\n")
    assert docker.images("label=x=y") == ["sha256:1", "sha256:2"]
    assert shell.ran == ["docker image ls --quiet --no-trunc --filter=label=x=y"]


def test_the_words_of_a_container(shell):
    shell.answers("docker container create …", out=f"a warning\n{ID}\n")
    made = docker.create("blog.web.1", "img", ["sh", "-c", "a b"], {"dokku": "", "x": "y z"}, ["--env=A"])
    assert made == ID
    assert [call.argv for call in shell.calls] == [
        [
            *("docker", "container", "create", "--name=blog.web.1", "--label=dokku=", "--label=x=y z"),
            *("--env=A", "--", "img", "sh", "-c", "a b"),
        ]
    ]


def test_a_container_without_a_name_of_ours_gets_dockers(shell):
    assert docker.create_argv("", "img", [], {}, []) == ["docker", "container", "create", "--", "img"]


def test_values_reach_docker_by_a_relay_alone(shell):
    """DKR-2"""
    shell.answers("docker container create …", out=f"{ID}\n")
    docker.create("x", "img", [], {}, ["--env=SECRET"], {"SECRET": "hunter2"})
    assert shell.handed == [{"SECRET": "hunter2"}]
    assert "hunter2" not in repr(shell.calls)


def test_a_build_of_the_classic_builder_gets_values_by_a_relay_and_buildkit_those_named(shell):
    """DKR-3"""
    rest = ("/tree", "", "/id", {}, ["--build-arg", "A"], lambda line: None, {"A": "hunter2"})
    docker_builds.build(*rest, with_buildkit=False)
    docker_builds.build(*rest, with_buildkit=True)
    classic, buildkit = shell.calls
    assert shell.handed == [{"A": "hunter2"}]
    assert ("A" in classic.env, classic.env["DOCKER_HOST"]) == (False, "unix:///relay")
    assert buildkit.argv[:4] == ["setpriv", "--pdeathsig=TERM", "--", "docker"]
    assert (buildkit.env["A"], buildkit.env["BUILDX_GIT_INFO"]) == ("hunter2", "false")
    assert not any("hunter2" in word for call in shell.calls for word in call.argv)


def test_the_words_of_a_build(shell):
    assert docker_builds.build_argv("/tree", "", "/id", {"dokku": ""}, ["--build-arg", "A"]) == [
        *("docker", "image", "build", "--force-rm", "--iidfile=/id", "--label=dokku=", "--build-arg", "A"),
        *("--", "/tree"),
    ]
    assert "--file=other" in docker_builds.build_argv("/tree", "other", "/id", {}, [])


def test_labels_are_one_layer_and_come_with_the_name(shell):
    docker.label(
        "sha256:1", "dokku/blog:latest", {"dokku": "", "com.dokku.app-name": "blog", "x": '$a "b"\\'}
    )

    (call,) = shell.calls
    assert call.argv == ["docker", "image", "build", "--force-rm", "--tag=dokku/blog:latest", "-"]
    assert call.stdin.decode() == (
        'FROM sha256:1\nLABEL dokku="" com.dokku.app-name="blog" x="\\$a \\"b\\"\\\\"\n'
    )
    assert call.env["DOCKER_BUILDKIT"] == "0"


def test_labels_that_docker_will_not_give_are_a_failure(shell):
    shell.answers("docker image build …", err="no space left on device\n", status=1)
    with pytest.raises(ToolFailed, match="docker build: no space left on device"):
        docker.label("sha256:1", "dokku/blog:latest", {"dokku": ""})


@pytest.mark.parametrize("stumbles", [1, 2])
def test_labels_are_given_again_when_docker_stumbled_over_a_removed_image(shell, stumbles):
    for _ in range(stumbles):
        shell.answers("docker image build …", err=f"DEPRECATED: x\n{STUMBLED}", status=1)
    shell.answers("docker image build …")
    docker.label("sha256:1", "dokku/blog:latest", {"dokku": ""})
    assert {(call.stdin, call.env["DOCKER_BUILDKIT"]) for call in shell.calls} == {
        (b'FROM sha256:1\nLABEL dokku=""\n', "0")
    }
    assert len(shell.calls) == stumbles + 1


@pytest.mark.parametrize(
    ("text", "attempts"), [("no such luck\n", 1), (f"COPY {STUMBLED}", 1), (STUMBLED, docker.ATTEMPTS)]
)
def test_an_image_is_derived_again_for_no_other_reason_nor_for_ever(shell, text, attempts):
    shell.answers("docker image build …", err=text, status=1)
    with pytest.raises(ToolFailed, match=text.strip()):
        docker.derive("/context", "dokku/blog:latest")
    assert shell.ran == ["docker image build --force-rm --tag=dokku/blog:latest -- /context"] * attempts


def test_an_image_may_take_its_time_on_the_way_but_not_for_ever(shell, tmp_path):
    """RUN-7"""
    (tmp_path / "archive").write_bytes(b"layers")
    with open(tmp_path / "archive", "rb") as archive:
        docker.load(archive.fileno())
    docker.pull("bb:1")
    assert shell.ran == ["docker image load", "docker image pull -- bb:1"]
    assert shell.calls[0].stdin == b"layers"
    assert all(600 < call.timeout < 86400 for call in shell.calls)


def test_another_client_is_used_when_the_host_says_so(shell, monkeypatch):
    monkeypatch.setenv("DOCKER_BIN", "/usr/local/bin/podman")
    docker.start(ID)
    assert shell.ran == [f"/usr/local/bin/podman container start {ID}"]


def test_stopping_waits_longer_than_the_patience_it_is_given(shell):
    """RUN-7"""
    docker.stop(ID, OTHER, patience=100)
    assert shell.ran == [f"docker container stop -t 100 {ID} {OTHER}"]
    assert shell.calls[0].timeout > 100


@pytest.mark.parametrize(
    "said",
    [
        GONE,
        GONE + GONE,
        f"Error response from daemon: Container {ID} is not running\n",
        f"Error response from daemon: removal of container {ID} is already in progress\n",
        f"Error response from daemon: Cannot update container {ID}: Container is marked for removal and"
        ' cannot be "update".\n',
        *(
            f"Error response from daemon: Cannot update container {ID}: cannot update a {what}: unknown\n"
            for what in ("stopped container", "deleted process")
        ),
    ],
)
def test_a_container_that_is_gone_or_going_is_no_failure(shell, said):
    shell.answers("docker …", err=said, status=1)
    docker.never_restart(ID)
    docker.stop(ID, patience=1)
    docker.remove(ID)
    assert len(shell.ran) == 3


def test_a_complaint_among_harmless_ones_is_a_failure(shell):
    shell.answers("docker …", err=GONE + "Error response from daemon: device is busy\n", status=1)
    with pytest.raises(ToolFailed, match="device is busy"):
        docker.remove(ID)


def test_a_failure_without_a_word_is_a_failure(shell):
    shell.answers("docker …", status=1)
    with pytest.raises(ToolFailed):
        docker.remove(ID)


def test_pruning_while_another_process_prunes_is_left_to_it(shell):
    shell.answers(
        "docker …", err="Error response from daemon: a prune operation is already running\n", status=1
    )
    docker.prune_images("dangling=true", "label=com.dokku.app-name=blog")
    assert shell.ran == [
        "docker image prune --force --filter=dangling=true --filter=label=com.dokku.app-name=blog"
    ]


@pytest.mark.parametrize(
    "said",
    [
        "Error: No such container:path: c:/x",
        "Could not find the file /x in container c",
        "lstat /m/x: not a directory",
        "too many links in /m",
    ],
)
def test_a_file_that_a_container_has_not_is_none(shell, said):
    shell.answers("docker container cp …", err=f"Error response from daemon: {said}\n", status=1)
    shell.answers("docker container inspect …", out='{"Id":"c"}\n')
    assert docker.copy_out(ID, "/x") is None
    assert shell.ran[0] == f"docker container cp {ID}:/x -"


def test_a_client_that_says_the_same_of_a_missing_container_is_asked_again(shell):
    shell.answers("docker container cp …", err="Error: No such container:path: c:/x\n", status=1)
    shell.answers("docker container inspect …", err="Error: No such container: c\n", status=1)
    with pytest.raises(DokkuError, match="docker cp: No such container"):
        docker.copy_out(ID, "/x")


def test_a_copy_that_broke_off_is_not_taken_for_a_missing_file(shell):
    shell.answers("docker container cp …", out="half", err="unexpected EOF\n", status=1)
    with pytest.raises(ToolFailed):
        docker.copy_out(ID, "/x")


def test_removing_an_image_tells_whether_it_could_be(shell):
    shell.answers("docker image rm …", status=1)
    shell.answers("docker image rm …", status=0)
    assert [docker.remove_image("x"), docker.remove_image("x")] == [False, True]
    assert shell.ran[0] == "docker image rm -- x"


def test_the_words_of_logs():
    assert docker.logs_argv(ID, 10, follow=True, timestamps=True) == [
        *("docker", "container", "logs", "--tail=10", "--follow", "--timestamps", ID),
    ]
    assert docker.logs_argv(ID, 5, follow=False, timestamps=False)[-2:] == ["--tail=5", ID]
