"""What the host does for dokku on schedule and at boot: retire old containers, restore apps, rotate logs."""

import os

from lib.base import run, settings
from lib.host import placed
from lib.tools import haproxy

PROGRAM = "/usr/bin/dokku"
UNITS = "/etc/systemd/system"
CRON_RETIRE = "/etc/cron.d/dokku-retire"
CRON_REDEPLOY = "/etc/cron.d/dokku-redeploy"
LOGROTATE = "/etc/logrotate.d/dokku"
RSYSLOG = "/etc/rsyslog.d/99-dokku.conf"
ENABLED = ("dokku-retire.timer", "dokku-redeploy.service")
STARTED = ("dokku-retire.timer",)  # right away, not with the next boot
FORMER = ("dokku-before-nginx.service", "dokku-before-docker-stops.service")  # older releases had them

_NOTE = "# Written by dokku's bin/install; a changed file is written again.\n"

_UNITS = {
    "dokku-retire.service": """\
[Unit]
Description=Look after dokku's containers: retire replaced ones, start killed ones, have nginx follow
After=docker.service

[Service]
Type=oneshot
User={user}
ExecStart={program} ps:retire
# another one is at it
SuccessExitStatus=137
""",
    "dokku-retire.timer": """\
[Unit]
Description=Look after dokku's containers every minute

[Timer]
OnCalendar=minutely
AccuracySec=5s

[Install]
WantedBy=timers.target
""",
    # PartOf: when docker is restarted, so is this, and the apps are restored again.
    "dokku-redeploy.service": """\
[Unit]
Description=Bring dokku's apps back after docker has started
After=docker.service nginx.service
PartOf=docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
User={user}
ExecStart={program} ps:restore --all
TimeoutStartSec=infinity

[Install]
WantedBy=docker.service
""",
    # Not enabled: haproxy:start does that. It has the keys of apps that use it, and nothing else of dokku's.
    haproxy.UNIT: """\
[Unit]
Description=haproxy for dokku's apps
After=network-online.target

[Service]
Type=notify
User={user}
ExecStart=/usr/sbin/haproxy -Ws -S {haproxy.socket},mode,600 -p {haproxy.pid_file} -f {haproxy.configuration}
KillMode=mixed
KillSignal=SIGUSR1
TimeoutStopSec=10
SuccessExitStatus=143
Restart=always
StandardOutput=append:{haproxy.log}
StandardError=inherit
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=true
PrivateDevices=true
PrivateTmp=true
ProtectHome=true
ProtectSystem=strict
ReadWritePaths=-{haproxy_data}
InaccessiblePaths=-/run/docker.sock

[Install]
WantedBy=multi-user.target
""",
}

_CRON = {
    CRON_RETIRE: 'MAILTO=""\n* * * * * {user} {program} ps:retire >/dev/null 2>&1\n',
    CRON_REDEPLOY: 'MAILTO=""\n@reboot {user}'
    " timeout 600 sh -c 'until docker version; do sleep 1; done' >/dev/null 2>&1;"
    " {program} ps:restore --all >{log} 2>&1\n",
}

_LOGROTATE = """\
{logs}/*.log {{
    su root adm
    weekly
    rotate 8
    compress
    delaycompress
    missingok
    notifempty
    create
    sharedscripts
    postrotate
        [ ! -x /usr/lib/rsyslog/rsyslog-rotate ] || /usr/lib/rsyslog/rsyslog-rotate
    endscript
}}

{logs}/apps/*.log {{
    su {user} {group}
    weekly
    rotate 8
    compress
    delaycompress
    missingok
    notifempty
    create 0640 {user} {group}
}}

{logs}/haproxy/*.log {{
    su root adm
    weekly
    rotate 8
    compress
    missingok
    notifempty
    copytruncate
}}
"""

_RSYSLOG = ':syslogtag, contains, "dokku" {logs}/events.log\n& stop\n'


def set_up() -> None:
    """Place the units (or, without systemd, the cron lines) and the log rules that are missing or changed."""
    if settings.has_systemd():
        for path in _CRON:
            placed.gone(path)
        _remove_former()
        changed = [placed.file(f"{UNITS}/{name}", _filled(text)) for name, text in _UNITS.items()]
        if any(changed):
            run.run("systemctl", "daemon-reload")
        for name in ENABLED:
            if not run.succeeds("systemctl", "is-enabled", "--quiet", name):
                run.run("systemctl", "enable", "--quiet", name)
        for name in STARTED:
            if not run.succeeds("systemctl", "is-active", "--quiet", name):
                run.run("systemctl", "start", name)
    else:
        for path, text in _CRON.items():
            placed.file(path, _filled(text))
    placed.file(LOGROTATE, _filled(_LOGROTATE))
    if os.path.isdir(os.path.dirname(RSYSLOG)) and placed.file(RSYSLOG, _filled(_RSYSLOG)):
        run.succeeds("service", "rsyslog", "restart")  # it may be installed without running


def remove() -> None:
    """Take all of it away, and stop what the units run."""
    if settings.has_systemd():
        run.succeeds("systemctl", "disable", "--quiet", *ENABLED)
        run.succeeds(*haproxy.DISABLE)
    else:
        haproxy.stop(haproxy.ours(), patience=10)
    _remove_former()
    found = [placed.gone(f"{UNITS}/{name}") for name in _UNITS]
    if any(found) and settings.has_systemd():
        run.run("systemctl", "daemon-reload")  # first: the apps are to answer although a unit stops
        for name in ENABLED:
            run.succeeds("systemctl", "stop", "--quiet", name)
    for path in (*_CRON, LOGROTATE):
        placed.gone(path)
    if placed.gone(RSYSLOG):
        run.succeeds("service", "rsyslog", "restart")


def _remove_former() -> None:
    """Take away what closed the apps before docker stops: their containers keep their addresses now."""
    known = [name for name in FORMER if os.path.lexists(f"{UNITS}/{name}")]
    if known:
        run.succeeds("systemctl", "disable", "--quiet", *known)
        for name in known:
            placed.gone(f"{UNITS}/{name}")
        run.run("systemctl", "daemon-reload")  # first: the apps are to answer although a unit stops
        run.succeeds("systemctl", "stop", "--quiet", *known)


def _filled(text: str) -> str:
    return _NOTE + text.format(
        user=settings.user(),
        group=settings.group(),
        program=PROGRAM,
        logs=settings.logs(),
        log=f"{settings.logs()}/restore.log",
        haproxy=haproxy.ours(),
        haproxy_data=settings.data(haproxy.PLUGIN),
    )
