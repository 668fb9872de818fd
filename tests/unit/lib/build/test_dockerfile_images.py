"""The images that a Dockerfile names, in whatever way it is written."""

import pytest

from lib.base.errors import DokkuError
from lib.build import dockerfile_images

FOREIGN = "dokku/victim"


def named(text, arguments=None, with_buildkit=False):
    """The images of a Dockerfile."""
    return {use.image for use in dockerfile_images.uses(text, arguments or {}, with_buildkit)}


WRITTEN = {
    "plain": "FROM dokku/victim",
    "small letters": "from dokku/victim as x",
    "blanks": "\t FROM\t \vdokku/victim ",
    "byte order mark": "\ufeffFROM dokku/victim",
    "carriage returns": "FROM \\\r\ndokku/victim\r\n",
    "platform": "FROM --platform=linux/amd64 dokku/victim AS x",
    "platform after a blank": "FROM --platform linux/amd64 dokku/victim",
    "continued": "FROM \\\n  dokku/victim",
    "continued inside": "FROM dokku/\\\nvictim",
    "continued over a comment": "FROM \\\n# no\n\n  dokku/victim",
    "continued with blanks": "FR\\ \t\nOM dokku/victim",
    "two escapes": "FROM busybox AS b\\\\\n\nFROM dokku/victim",
    "single quotes": "FROM 'dokku/victim'",
    "double quotes": 'FROM "dokku"/victim',
    "escaped": "FROM dokku/\\v\\ictim",
    "default": "ARG X=dokku/victim\nFROM $X",
    "quoted default": 'ARG X="dokku/victim"\nFROM ${X}',
    "default of another": "ARG A=victim\nARG X=dokku/$A\nFROM $X",
    "several in one line": "ARG A=victim X=dokku\nFROM $X/$A",
    "unset": "FROM dokku/vic${NOTHING}tim",
    "fallback": "FROM ${X:-dokku/victim}",
    "fallback of nothing": "FROM ${X-dokku/victim}",
    "fallback in quotes": 'FROM "${X:-dokku/${Y:-victim}}"',
    "alternative": "ARG X=1\nFROM ${X:+dokku/victim}",
    "required": "ARG X=dokku/victim\nFROM ${X:?no}",
    "second stage": "FROM busybox\nFROM dokku/victim",
    "stage named like it later": "FROM dokku/victim\nFROM busybox AS dokku/victim",
    "copy": "FROM busybox\nCOPY --from=dokku/victim /x /x",
    "copy with a chown": "FROM busybox\nCOPY --chown=0:0 --from=dokku/victim /x /x",
    "copy after a blank": "FROM busybox\nCOPY --from dokku/victim /x /x",
    "copy in quotes": "FROM busybox\nCOPY --fr\"om\"='dokku/victim' /x /x",
    "copy escaped": "FROM busybox\nCOPY --fr\\om=dokku/victi\\m /x /x",
    "copy continued": "FROM busybox\nCOPY --from=dokku/vic\\\ntim /x /x",
    "mount": "FROM busybox\nRUN --mount=type=bind,from=dokku/victim,target=/x true",
    "mount in other letters": "FROM busybox\nRUN --mount=FROM=dokku/victim,target=/x true",
    "mount in quotes": 'FROM busybox\nRUN --mount=type=bind,\\"from=dokku/victim\\",target=/x true',
    "second mount": "FROM busybox\nRUN --network=none --mount=target=/y --mount=from=dokku/victim x",
    "onbuild copy": "FROM busybox AS a\nONBUILD COPY --from=dokku/victim /x /x\nFROM a",
    "onbuild mount": "FROM busybox\nonbuild \\\nrun --mount=from=dokku/victim,target=/x true",
    "other escape": "# escape=`\nFROM `\n  dokku/victim",
    "escape after syntax": "# syntax=docker/dockerfile:1\n# escape = `\nFROM dokku/vic`\ntim",
    "escape and backslash": "# escape=`\nFROM busybox\nCOPY `\n--fr\\om=dokku/victim /x /x",
    "escape that is no directive": "FROM \\\ndokku/victim\n# escape=`",
    "below a heredoc": "FROM busybox\nRUN <<END\ntrue\nEND\nFROM dokku/victim",
    "in what is no heredoc to all": "FROM busybox\nRUN <<END\nFROM dokku/victim\nEND\n",
    "below one that does not end": "FROM busybox\nRUN cat <<END\nFROM dokku/victim",
    "below one with tabs": "FROM busybox\nRUN <<-END\n\ttrue\n\tEND\nFROM dokku/victim",
}


@pytest.mark.parametrize("with_buildkit", [False, True], ids=["classic", "buildkit"])
@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_an_image_is_found_however_it_is_written(text, with_buildkit):
    assert FOREIGN in named(f"{text}\n", {}, with_buildkit)


def test_build_arguments_override_defaults():
    text = "ARG X=busybox\nARG Y\nFROM $X\nFROM dokku/$Y\n"
    assert named(text, {"X": "debian", "Y": "victim"}) == {"debian", "dokku/victim"}


def test_an_argument_of_a_stage_is_none_of_the_next():
    assert named("FROM busybox\nARG X=dokku/victim\nFROM debian$X\n") == {"busybox", "debian"}


def test_a_name_that_a_stage_has_is_not_sure():
    copies = [f"COPY --from={name} /x /x" for name in ("0", "base", "later")]
    text = "\n".join(["FROM busybox AS Base", "FROM base", *copies, ""])
    found = {use.image: use.is_sure for use in dockerfile_images.uses(text, {}, False)}
    assert found == {"busybox": True, "base": False, "0": False, "later": True}


def test_ordinary_files_name_what_they_show():
    lines = [
        "# syntax=docker/dockerfile:1",
        "ARG NODE_VERSION=20",
        "FROM --platform=$BUILDPLATFORM node:${NODE_VERSION}-alpine AS build",
        'LABEL title="Café \u00a0"',
        "COPY package.json ./",
        'RUN --mount=type=cache,target="/root/.npm" npm ci && echo "from here" \'é\'',
        "COPY <<END /etc/x",
        "FROM is",
        "END",
        "FROM scratch",
        "COPY --from=build --chown=1000:1000 /app /app",
    ]
    found = dockerfile_images.uses("\n".join(lines), {}, True)
    assert {use.image for use in found if use.is_sure} == {"docker/dockerfile:1", "node:20-alpine"}
    assert {use.image for use in found if not use.is_sure} == {"build", "is", "node:20-alpine"}


@pytest.mark.parametrize(
    "text",
    [
        *(
            "FROM ${X#a}",
            "FROM ${X/a/b}",
            "FROM ${X",
            "FROM $1",
            "FROM $$",
            "FROM '",
            "FROM dokku\u00a0/victim",
        ),
        *("ARG A=x\u00a0X=dokku/victim\nFROM $X", "ARG A=x\udc85X=dokku/victim\nFROM $X"),
        *("FROM busybox\nCOPY --from=$X /x /x", "FROM busybox\nRUN --mount=from=${X},target=/x true"),
        "FROM busybox\nCOPY --chown=0:0\udc85--from=dokku/victim /x /x",
        "FROM busybox\nCOPY --chown=0\u00e0b --from=dokku/victim /x /x",
        "FROM --platform=\u00e0dokku/victim AS x",
    ],
)
def test_what_cannot_be_told_is_refused_with_its_line(text):
    with pytest.raises(DokkuError, match=r"Dockerfile, line \d: the image that \w+ names can't be told"):
        named(f"{text}\n")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "# syntax=evil/frontend\nFROM x",
            "#syntax = evil/frontend more",
            "# escape=\\\n# SYNTAX=evil/frontend",
        ),
        *("#!/x\n# syntax=evil/frontend", "// syntax=evil/frontend\nFROM x", "\ufeff# syntax=evil/frontend"),
    ],
)
def test_a_program_that_buildkit_reads_the_file_by_is_found(text):
    found = dockerfile_images.uses(text, {}, True)
    assert "evil/frontend" in {use.image for use in found if use.what == "syntax"}
    assert "evil/frontend" not in named(text)


def test_a_file_in_json_is_refused_for_buildkit():
    with pytest.raises(DokkuError, match="line 1"):
        named('{"syntax": "evil/frontend"}', {}, True)


def test_instructions_of_a_base_image_are_read():
    lines = ["COPY . /app", "COPY --from=dokku/victim / /x", "RUN --mount=from=dokku/other,target=/y true"]
    assert {use.image for use in dockerfile_images.triggered(lines)} == {"dokku/victim", "dokku/other"}
