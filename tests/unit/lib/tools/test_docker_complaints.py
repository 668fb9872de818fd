import pytest

from lib.base.errors import DokkuError
from lib.tools import docker

ID, OTHER = "a" * 64, "b" * 64
RUNC = "runc did not terminate successfully: exit status 1: container not running\n: unknown"


@pytest.mark.parametrize(
    "said",
    [
        f"Error: No such container: {ID}",
        f"Error response from daemon: Cannot update container {ID}: {RUNC}",
        f"Error response from daemon: Cannot update container {ID}: no such container",
        f"Error response from daemon: {RUNC}\nError: No such container: {OTHER}",
    ],
)
def test_what_stops_or_goes_while_one_is_at_it_is_no_failure(shell, said):
    shell.answers("docker container update …", err=f"{said}\n", status=1)
    docker.never_restart(ID, OTHER)


@pytest.mark.parametrize(
    "said",
    [
        f"Error: No such container: {ID}\nError response from daemon: device busy",
        "dial unix /run/docker.sock: connect: no such file or directory",
        "Error response from daemon: lookup nowhere: no such host",
        "",
    ],
)
def test_any_other_complaint_is_a_failure(shell, said):
    shell.answers("docker container update …", err=f"{said}\n", status=1)
    with pytest.raises(DokkuError):
        docker.never_restart(ID, OTHER)


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("/bin/sh", "The command needs a shell, and the image has no /bin/sh"),
        ("cd", "The command needs a shell for cd, and none reads it: use sh -c '...'"),
        ("A=b", "The command needs a shell for A=b, and none reads it: use sh -c '...'"),
    ],
)
def test_a_command_that_needs_a_shell_which_is_not_there_says_so(shell, program, text):
    said = f'OCI runtime create failed: exec: "{program}": executable file not found in $PATH: unknown'
    shell.answers("docker container start …", err=f"Error response from daemon: {said}\n", status=1)
    with pytest.raises(DokkuError) as caught:
        docker.start(ID)
    assert caught.value.text == text
