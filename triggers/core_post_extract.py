"""core-post-extract APP DIR REVISION: put the source in DIR into the shape that builders expect.

Fired by: lib/deploy.py receive and lib/build/explanations.py, before post-extract. Stdout: the user's. A
failure ends the deploy.
"""

from lib.build import dockerfile, plans, source_trees

HANDLERS = {
    "builder": source_trees.enter_build_dir,
    "builder-dockerfile": dockerfile.place,
    "builder-nixpacks": lambda app, tree, *_: plans.place("nixpacks", app, tree),
    "builder-pack": lambda app, tree, *_: plans.place("pack", app, tree),
    "builder-railpack": lambda app, tree, *_: plans.place("railpack", app, tree),
}
