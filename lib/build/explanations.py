"""builder:explain: which builder an app will be built with, and why.

The source is judged as a deploy does it: as it is checked out, with build-dir, the paths of builders' files
and whatever plugins do to it in post-extract.
"""

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

from lib.base import log, triggers
from lib.base.errors import DokkuError
from lib.build import builder_settings, builders

OWN, GENERAL, SOURCE, PLUGIN, DEFAULT = "app", "global", "source", "plugin", "default"


class Explanation(NamedTuple):
    """builder: empty as long as nobody can know. answers: pairs of plugin and builder, the first one won."""

    app: str
    branch: str
    commit: str
    builder: str
    reason: str
    answers: list[tuple[str, str]]

    @property
    def obstacle(self) -> str:
        """What would make a build by this builder fail at once; empty for nothing."""
        if not self.builder:
            return ""
        if self.builder == builders.NULL:
            return "null builds nothing: the deploy fails unless a plugin leaves an image"
        if f"builder-{self.builder}" in triggers.barred("builder-build"):
            return f"The script builder-build of the plugin builder-{self.builder} is not executable"
        return "" if builders.can_build(self.builder) else f"Nobody here builds with {self.builder}"


def judged(app: str, tree: str, branch: str, commit: str) -> Explanation:
    """What becomes of a source tree. Raises: what would end the deploy before it has a builder."""
    with _said_on_failure():
        triggers.fire("core-post-extract", app, tree, commit)
        triggers.fire("post-extract", app, tree, commit)
    said = [(answer.plugin, answer.said) for answer in builders.answers(app, tree)]
    plugin, builder = said[0] if said else ("", builders.fallback(app))
    return Explanation(app, branch, commit, builder, _reason(app, plugin), said)


def without_code(app: str, branch: str) -> Explanation:
    """What is known of an app that has no commit yet: the choice, if there is one."""
    chosen = builder_settings.computed(app, "selected")
    said = [(builder_settings.PLUGIN, chosen)] if chosen else []
    reason = _reason(app, builder_settings.PLUGIN) if chosen else DEFAULT
    return Explanation(app, branch, "", chosen, reason, said)


def show(explanation: Explanation, shape: str) -> None:
    """Print an explanation, in words or as JSON."""
    if shape not in ("stdout", "json"):
        raise DokkuError(f"Invalid output format specified, supported formats: json, stdout: {shape}")
    if shape == "json":
        _show_json(explanation)
        return
    app, builder, branch = explanation.app, explanation.builder, explanation.branch
    log.info2_quiet(f"{app} builder explanation")
    if not explanation.commit:
        log.verbose(f"{app} has no code yet: there is no commit on its deploy branch, {branch}")
    if builder:
        log.verbose(f"{app} will be built with {builder}, because {_because(explanation)}")
    else:
        log.verbose("Nobody has chosen a builder, so its source will tell")
    if explanation.obstacle:
        log.warn(explanation.obstacle)
    log.verbose(f"Chosen for this app: {builder_settings.own(app, 'selected') or 'none'}")
    log.verbose(f"Chosen for every app: {builder_settings.general('selected') or 'none'}")
    if explanation.commit:
        log.verbose(f"Answers for {branch} at {explanation.commit[:8]}, of which the first counts:")
        rows = [(f"{plugin}:", said) for plugin, said in explanation.answers]
        log.columns(rows or [("none", "")], indent="         ", gap=1)


def _show_json(explanation: Explanation) -> None:
    import json

    app = explanation.app
    found = {
        "app": app,
        "answers": [{"plugin": plugin, "builder": said} for plugin, said in explanation.answers],
        "branch": explanation.branch,
        "builder": explanation.builder,
        "commit": explanation.commit,
        "global-selected": builder_settings.general("selected"),
        "obstacle": explanation.obstacle,
        "reason": explanation.reason,
        "selected": builder_settings.own(app, "selected"),
    }
    log.plain(json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def _reason(app: str, plugin: str) -> str:
    if plugin == builder_settings.PLUGIN:
        return OWN if builder_settings.own(app, "selected") else GENERAL
    if not plugin:
        return DEFAULT
    return SOURCE if plugin in triggers.core_listeners("builder-detect") else PLUGIN


def _because(explanation: Explanation) -> str:
    app, builder = explanation.app, explanation.builder
    plugin = explanation.answers[0][0] if explanation.answers else ""
    return {
        OWN: f"`builder:set {app} selected {builder}` chose it",
        GENERAL: f"`builder:set --global selected {builder}` chose it for apps without a choice of their own",
        SOURCE: f"its source or config ask for it, says {plugin}",
        PLUGIN: f"the plugin {plugin} says so",
        DEFAULT: "nobody has chosen and nothing in its source says otherwise",
    }[explanation.reason]


@contextlib.contextmanager
def _said_on_failure() -> Iterator[None]:
    """Keep what the block says to itself; show it when the block fails."""
    try:
        with log.collected() as said:
            yield
    except DokkuError:
        for stream, data in said:
            log.raw(data, stream)
        raise
