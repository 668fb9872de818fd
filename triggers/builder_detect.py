"""builder-detect APP DIR: the name of a builder, or nothing; the first line of all answers wins.

Fired by: lib/build/builders.py detect. The order of plugin names decides, so an explicit choice (owner
`builder`) comes before the builders themselves.
"""

from lib.build import builder_settings, builders, dockerfile, nixpacks, railpack


def selected(app: str, _tree: str) -> str:
    chosen = builder_settings.computed(app, "selected")
    return f"{chosen}\n" if chosen else ""


HANDLERS = {
    "builder": selected,
    "builder-dockerfile": dockerfile.detected,
    "builder-herokuish": lambda app, tree: "herokuish\n" if builders.wants_herokuish(app, tree) else "",
    "builder-nixpacks": nixpacks.detected,
    "builder-pack": lambda app, tree: "pack\n" if builders.wants_pack(app, tree) else "",
    "builder-railpack": railpack.detected,
}
