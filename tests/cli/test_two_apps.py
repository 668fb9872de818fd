"""Commands that concern two apps, at the same time and in opposite orders."""

import subprocess

from tests.cli.conftest import TREE, Dokku

ROUNDS = 3


def test_commands_on_two_apps_in_opposite_orders_all_end(dokku: Dokku) -> None:
    """LCK-8: each takes the locks of both."""
    for app in ("ant", "bee"):
        dokku.make_app(app)
    for round_ in range(ROUNDS):
        lines = [
            ("apps:clone", "--skip-deploy", "ant", f"bee{round_}"),
            ("apps:clone", "--skip-deploy", "bee", f"ant{round_}"),
            ("apps:clone", "--skip-deploy", "--ignore-existing", "ant", "bee"),
            ("apps:clone", "--skip-deploy", "--ignore-existing", "bee", "ant"),
            ("apps:rename", "--skip-deploy", "ant", "bee"),
            ("apps:rename", "--skip-deploy", "bee", "ant"),
            ("config:set", "--no-restart", "ant", f"A={round_}"),
            ("config:set", "--no-restart", "--global", f"A={round_}"),
        ]
        calls = [
            subprocess.Popen(
                [str(TREE / "bin/dokku"), *line],
                env=dokku.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            for line in lines
        ]
        said = [call.communicate(timeout=60)[1] for call in calls]
        assert not [text for text in said if "Traceback" in text or "internal error" in text.lower()]
        assert all(call.returncode in (0, 1, 20) for call in calls), said
    for app in ("ant", "bee"):
        assert dokku("apps:exists", app).code == 0
        assert dokku("apps:locked", app).code == 1
