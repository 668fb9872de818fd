"""procfile-get-command APP PROCESS [PORT]: a process type's command line, $PORT (5000) filled in.

Fired by: plugins. Stdout: one line.
"""

from lib.app import processes


def command(app: str, process: str = "", port: str = "", *_: str) -> str:
    found = processes.command(app, process, port or "5000")
    return f"{found}\n" if found else ""


HANDLERS = {"ps": command}
