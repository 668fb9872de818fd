import os

import pytest

from lib.base import settings


def write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


@pytest.fixture(autouse=True)
def _memory(fs: object) -> None:
    pass


def test_the_environment_decides_where_everything_is() -> None:
    os.environ["DOKKU_ROOT"] = "/elsewhere"
    assert settings.app_dir("blog") == "/elsewhere/blog"
    os.environ["DOKKU_LIB_PATH"] = "/lib/elsewhere"
    assert settings.data("ps", "blog") == "/lib/elsewhere/data/ps/blog"
    assert settings.data("ps") == "/lib/elsewhere/data/ps"


def test_without_an_environment_there_are_the_places_of_a_host() -> None:
    for name in (
        "DOKKU_LIB_PATH",
        "DOKKU_LIB_ROOT",
        "DOKKU_LOGS_DIR",
        "DOKKU_SYSTEM_USER",
        "DOKKU_SYSTEM_GROUP",
    ):
        os.environ.pop(name, None)
    assert (settings.lib(), settings.logs()) == ("/var/lib/dokku", "/var/log/dokku")
    assert (settings.user(), settings.group(), settings.docker()) == ("dokku", "dokku", "docker")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME_=value", "value"),
        ("export NAME_=value", "value"),
        ("  export  NAME_=value  # why", "value"),
        ("NAME_='a b $c `d`'", "a b $c `d`"),
        ('NAME_="a b"', "a b"),
        ('NAME_=""', ""),
        ("NAME_=", ""),
        ("NAME_=a=b", "a=b"),
        ("NAME_=/usr/bin:/bin", "/usr/bin:/bin"),
        ("# NAME_=x\n\nNAME_=y", "y"),
        ("NAME_=x\nNAME_=y\n", "y"),
    ],
)
def test_plain_assignments_are_read_without_a_shell(line: str, value: str) -> None:
    os.environ.pop("NAME_", None)
    write(os.path.join(settings.root(), "dokkurc"), line)
    settings.load_user()
    assert os.environ["NAME_"] == value


def test_the_files_are_read_in_order() -> None:
    write(os.path.join(settings.root(), "dokkurc"), "export A_=1\nexport B_=1\nexport C_=1\n")
    write(os.path.join(settings.root(), ".dokkurc/20-b"), "C_=3\n")
    write(os.path.join(settings.root(), ".dokkurc/10-a"), "B_=2\nC_=2\n")
    settings.load_user()
    assert [os.environ[name] for name in ("A_", "B_", "C_")] == ["1", "2", "3"]


def test_the_defaults_file_of_the_host_is_read() -> None:
    os.environ["DOKKU_DEFAULTS_FILE"] = "/etc/default/dokku"
    settings.load_host()
    write("/etc/default/dokku", "DOCKER_BIN=podman\n")
    settings.load_host()
    assert settings.docker() == "podman"


def test_a_setting_of_the_host_counts_before_the_environment() -> None:
    os.environ |= {"DOKKU_DEFAULTS_FILE": "/etc/default/dokku", "DOKKU_ROOT": "/from/the/caller"}
    write("/etc/default/dokku", "export DOKKU_ROOT=/srv/dokku\n")
    settings.load_host()
    assert settings.root() == "/srv/dokku"


EXPORTED = """
DOKKU_ROOT DOKKU_HOST_ROOT DOKKU_DISTRO DOCKER_BIN DOKKU_IMAGE DOKKU_CNB_BUILDER DOKKU_LIB_ROOT PLUGIN_PATH
PLUGIN_AVAILABLE_PATH PLUGIN_ENABLED_PATH PLUGIN_CORE_PATH PLUGIN_CORE_AVAILABLE_PATH PLUGIN_CORE_ENABLED_PATH
DOKKU_SYSTEM_USER DOKKU_SYSTEM_GROUP DOKKU_API_VERSION DOKKU_NOT_IMPLEMENTED_EXIT DOKKU_VALID_EXIT DOKKU_PID
DOKKU_LOGS_DIR DOKKU_LOGS_HOST_DIR DOKKU_EVENTS_LOGFILE DOKKU_CONTAINER_LABEL DOKKU_GLOBAL_BUILD_ARGS
DOKKU_GLOBAL_RUN_ARGS SSH_USER SSH_NAME
"""


def test_plugins_find_every_variable_they_rely_on() -> None:
    settings.load_user()
    assert [name for name in EXPORTED.split() if name not in os.environ] == []
    assert os.environ["DOKKU_LIB_ROOT"] == settings.lib()
    assert os.environ["PLUGIN_ENABLED_PATH"] == settings.plugins_enabled()
    assert os.environ["PLUGIN_CORE_AVAILABLE_PATH"] == f"{settings.core_plugins()}/available"
    assert os.environ["DOKKU_GLOBAL_RUN_ARGS"] == (
        "--label=org.label-schema.schema-version=1.0 --label=org.label-schema.vendor=dokku --label=dokku"
    )


def test_the_distribution_comes_from_the_system() -> None:
    write("/etc/os-release", 'NAME="Debian"\nID=debian\nVERSION_ID="12"\n')
    settings.load_user()
    assert os.environ["DOKKU_DISTRO"] == "debian"


def test_who_calls_is_what_the_forced_command_says() -> None:
    """SSH-6"""
    os.environ |= {"NAME": "alice", "SSH_NAME": "admin"}
    settings.load_user()
    assert os.environ["SSH_NAME"] == "alice"


def test_a_local_caller_is_the_default() -> None:
    settings.load_user()
    assert os.environ["SSH_NAME"] == "default"


@pytest.mark.parametrize(
    "name",
    [
        "LD_PRELOAD",
        "PYTHONPATH",
        "BASH_ENV",
        "ENV",
        "IFS",
        "TAR_OPTIONS",
        "UNZIP",
        "TMPDIR",
        "GZIP",
        "CDPATH",
    ],
)
def test_variables_that_change_programs_are_dropped(name: str) -> None:
    """RUN-5"""
    os.environ[name] = "x"
    settings.clean_environment()
    assert name not in os.environ


def test_programs_are_found_and_speak_one_language() -> None:
    """RUN-6"""
    os.environ |= {"PATH": "/opt/bin", "LC_ALL": "de_DE.UTF-8"}
    os.environ.pop("HOME", None)
    settings.clean_environment()
    assert os.environ["PATH"] == f"/opt/bin:{settings.PATH}"
    assert (os.environ["LC_ALL"], os.environ["HOME"]) == ("C.UTF-8", settings.root())
    settings.clean_environment()
    assert os.environ["PATH"].count("/usr/bin") == 1


def test_an_empty_path_does_not_mean_the_current_directory() -> None:
    """RUN-5"""
    os.environ["PATH"] = ":/bin:"
    settings.clean_environment()
    assert "" not in os.environ["PATH"].split(":")


def test_nginx_is_tested_and_controlled_by_the_words_of_the_settings() -> None:
    os.environ["DOKKU_NGINX_TEST_COMMAND"] = "/usr/sbin/nginx -p /x -t"
    assert settings.nginx_test() == ["/usr/sbin/nginx", "-p", "/x", "-t"]
    assert settings.nginx_reload()[-3:] in (
        ["/usr/sbin/nginx", "-s", "reload"],
        ["/usr/bin/systemctl", "reload", "nginx"],
    )
    for words, word in ((settings.nginx_start(), "start"), (settings.nginx_stop(), "stop")):
        assert words[-3:] in (["/usr/sbin/service", "nginx", word], ["/usr/bin/systemctl", word, "nginx"])
