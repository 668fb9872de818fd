"""The files of the host that an app's own template may use, and how nginx is kept from reaching others.

An author may have any uri: `rewrite`, a location that ends before a slash and a link in a directory that the
app's containers write into all lead out of a directory that looks harmless. So servers have a root that does
not exist, unless the template names a directory of the app; then links are not followed, and what may turn a
uri into one with `..` is refused.
"""

import os
import re
from collections.abc import Sequence

from lib.app import certs
from lib.base import files, settings
from lib.base.errors import DokkuError
from lib.proxy import conf_files
from lib.proxy.template_names import PASSES, refusal
from lib.tools import nginx_syntax
from lib.tools.nginx_syntax import Directive

_NAME = r"[A-Za-z0-9_@-][A-Za-z0-9._@-]*"
_BELOW = re.compile(rf"(?:/{_NAME})*/?", re.ASCII)
_PARAMETERS = re.compile(
    r"(?:/etc/nginx/)?(?:mime\.types|(?:fastcgi|uwsgi|scgi|proxy)_params|fastcgi\.conf)", re.ASCII
)
_AUTHORITIES = ("/etc/ssl/certs/ca-certificates.crt",)
_ERROR_PAGE = re.compile(r"/[A-Za-z0-9_-]+\.html")
_DOTS = re.compile(r"(?:^|/)\.{1,2}(?:/|$)")
_VARIABLE = re.compile(r"(\$(?:\{\w+\}|\w*))", re.ASCII)
_AS_ASKED_FOR = ("$uri", "$document_uri", "${uri}", "${document_uri}")  # nginx takes `..` out of these
_ELSEWHERE = re.compile(r"(?:https?://|\$scheme).*", re.DOTALL)
_TESTS = ("-f", "!-f", "-d", "!-d", "-e", "!-e", "-x", "!-x")


def public(app: str) -> tuple[str, str]:
    """The directories whose files an app's template may serve."""
    return os.path.join(settings.app_dir(app), "public"), settings.data("storage", app)


def error_pages() -> str:
    """The directory of the host's own error pages."""
    return os.path.join(settings.data("nginx-vhosts"), "dokku-errors")


def nowhere() -> str:
    """The root of servers that have no files: it never exists, so no uri leads anywhere from there."""
    return os.path.join(settings.data("nginx-vhosts"), "no-files")


def is_own(app: str, path: str) -> bool:
    """Whether a path is in a directory whose files the app may serve."""
    return any(_is_below(path, directory) for directory in public(app))


def include_problem(app: str, path: str) -> str:
    """Why a file may not be included; empty when it may."""
    directory = conf_files.includes(app)
    inside = path.removeprefix(f"{directory}/")
    if _PARAMETERS.fullmatch(path) or (
        inside != path and re.fullmatch(r"[A-Za-z0-9_*-][A-Za-z0-9._*-]*", inside)
    ):
        return ""
    return f"a template includes files of {directory} and nginx's own mime.types and *_params"


def certificate_problem(app: str, path: str) -> str:
    """Why a file may not be a certificate or key; empty when it may."""
    places = (certs.directory(app), os.path.join(settings.app_dir(app), "letsencrypt"))
    if path in _AUTHORITIES or any(_is_below(path, place) for place in places):
        return ""
    return f"certificates and keys are those of the app, in {places[0]}"


def password_problem(app: str, path: str) -> str:
    """Why a file may not hold the names and passwords of visitors; empty when it may."""
    top = settings.app_dir(app)
    names = ("htpasswd", ".htpasswd", "nginx.conf.d", "public")
    if any(path == f"{top}/{name}" or _is_below(path, f"{top}/{name}") for name in names):
        return ""
    return f"passwords are in {top}/htpasswd or a file of {top}/nginx.conf.d"


def test_problem(app: str, words: Sequence[str]) -> str:
    """Why an `if` may not look at a file; empty when it looks at none, or at one of the app."""
    plain = " ".join(words).strip("() ").split(" ")
    if plain[0] not in _TESTS:
        return ""
    path = " ".join(plain[1:])
    inside = path.removeprefix("$document_root")
    is_inside = inside != path and _BELOW.fullmatch(inside) is not None
    if path == "$request_filename" or is_inside or is_own(app, path):
        return ""
    return "it may only look at $request_filename, at $document_root and at files of the app"


def moved(tree: Sequence[Directive]) -> tuple[Directive, ...]:
    """The tree with each cache in a directory of its zone's name, wherever the author wanted it."""
    return tuple(_moved(one) if one.name.endswith("_cache_path") else one for one in tree)


def confined(tree: Sequence[Directive], app: str) -> tuple[Directive, ...]:
    """The tree with what keeps nginx in the app's directories. Raises: DokkuError for what may lead out."""
    added = _added(app)
    theirs = any(one.name in ("root", "alias", "include") for one in nginx_syntax.walk(added))
    served = [_has_files(server, app) for server in tree if server.name == "server"]  # each is judged
    if theirs or any(served):
        for one in tree:
            _verify_uris(one)
    has_root = any(one.name == "root" for one in added)
    return tuple(_confined(one, app, has_root) if one.name == "server" else one for one in tree)


def _moved(one: Directive) -> Directive:
    zone = next(word for word in one.arguments if word.startswith("keys_zone=")).split("=")[1].split(":")[0]
    return one._replace(words=(one.name, os.path.join(settings.nginx_caches(), zone), *one.words[2:]))


def _added(app: str) -> list[Directive]:
    """What people added to the app's servers; it holds beside what the template says."""
    directory = conf_files.includes(app)
    names = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    found: list[Directive] = []
    for name in (name for name in names if name.endswith(".conf")):
        try:
            found += nginx_syntax.read(files.read(os.path.join(directory, name)))
        except (OSError, DokkuError):
            found.append(Directive(1, ("include", name)))  # who knows
    return found


def _has_files(one: Directive, app: str) -> bool:
    """Whether there are files in a block. Raises: DokkuError for those of others."""
    found = False
    for inner in one.inside:
        if inner.name in ("root", "alias"):
            found |= _verify_directory(inner, one, app)
        found |= _has_files(inner, app)
    return found


def _verify_directory(one: Directive, block: Directive, app: str) -> bool:
    path = one.words[1] if len(one.words) == 2 else ""
    if one.name == "root" and path == error_pages() and _is_error_page(block):
        return False
    if not is_own(app, path):
        raise refusal(one, f"files are served from {' and '.join(public(app))}")
    if block.name not in ("location", "server"):
        raise refusal(one, "it stands in a location itself")
    if one.name == "alias":
        place = "".join(block.arguments)
        is_prefix = not place.startswith(("=", "~"))
        if is_prefix and place.endswith("/") != path.endswith("/"):
            raise refusal(one, f"end both it and location {place} with a slash, or neither")
    return True


def _is_error_page(block: Directive) -> bool:
    """Whether a location is for one page: no uri that begins like it names another file."""
    return block.name == "location" and _ERROR_PAGE.fullmatch(block.words[-1]) is not None


def _verify_uris(one: Directive, is_proxied: bool = False) -> None:
    """Raises: DokkuError for what may lead from a uri to another directory. is_proxied: no file answers."""
    for inner in one.inside:
        words = list(inner.arguments)
        if inner.name == "rewrite" and len(words) > 1:
            flag = words[2] if len(words) > 2 else ""
            is_redirect = flag in ("redirect", "permanent") or _ELSEWHERE.fullmatch(words[1])
            words = [] if is_redirect or (flag == "break" and is_proxied) else words[1:2]
        elif inner.name not in ("try_files", "error_page", "index", "auth_request", "mirror"):
            words = []
        if not all(_ELSEWHERE.fullmatch(word) or _is_safe(word) for word in words):
            raise refusal(inner, "where files are served a uri has no . and .., and no variable but $uri")
        names = {other.name for other in inner.inside}
        _verify_uris(inner, is_proxied=bool(names & {*PASSES}) and "try_files" not in names)


def _is_safe(word: str) -> bool:
    """Whether a uri that is made of this has no `..` when that of the request has none."""
    texts = _VARIABLE.split(word.removesuffix("$is_args$args").partition("?")[0])
    variables = texts[1::2]
    apart = all(texts[2:-1:2])
    return apart and all(one in _AS_ASKED_FOR for one in variables) and not any(map(_DOTS.search, texts[::2]))


def _confined(one: Directive, app: str, has_root: bool) -> Directive:
    """A block whose links are not followed; a server without files gets a root where there are none."""
    inner = [_confined(inside, app, has_root) for inside in one.inside]
    if one.words == ("error_log", "off"):  # to nginx that is the name of a file
        return one._replace(words=("error_log", os.devnull))
    if one.block is None:
        return one
    served = [inside.words[1] for inside in inner if inside.name in ("root", "alias")]
    if served:
        directory = next((place for place in public(app) if _is_below(served[0], place)), error_pages())
        inner.append(Directive(one.line, ("disable_symlinks", "on", f"from={directory}")))
    elif one.name == "server" and not has_root:
        inner.insert(0, Directive(one.line, ("root", nowhere())))
    return one._replace(block=tuple(inner))


def _is_below(path: str, directory: str) -> bool:
    rest = path.removeprefix(directory)
    return rest != path and rest[:1] in ("", "/") and _BELOW.fullmatch(rest) is not None
