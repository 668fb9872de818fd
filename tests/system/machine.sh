#!/bin/sh
# A machine inside this one, for tests/system/machine.py: run by `unshare --mount --pid --net --uts --ipc --fork`.
#   machine.sh enter ROOT NAME                what is on disk below ROOT becomes the whole machine
#   machine.sh join NAME PROGRAM [WORD ...]   run a program in the machine's cgroups
# Ends as process 1 of the machine: init (systemd) if ROOT/machine-init says so, else one that only reaps.
set -eu

# Each cgroup hierarchy of the host gets a group of ours; the cgroup namespace then makes it the top.
join_cgroups() {
    if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
        mkdir -p "/sys/fs/cgroup/$1"
        echo 0 >"/sys/fs/cgroup/$1/cgroup.procs"
        return
    fi
    for tree in /sys/fs/cgroup/*/; do
        mkdir -p "$tree/$1"
        for file in cpuset.cpus cpuset.mems; do
            [ ! -f "$tree/$file" ] || cat "$tree/$file" >"$tree/$1/$file"
        done
        echo 0 >"$tree/$1/cgroup.procs"
    done
}

mount_cgroups() {
    if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
        mount -t cgroup2 cgroup2 "$1"
        mkdir "$1/init" # a group that hands controllers down holds no process itself
        echo 0 >"$1/init/cgroup.procs"
        sed 's/^/+/; s/ / +/g' "$1/cgroup.controllers" >"$1/cgroup.subtree_control"
        return
    fi
    mount -t tmpfs -o mode=755 tmpfs "$1"
    for tree in /sys/fs/cgroup/*/; do
        name=$(basename "$tree")
        mkdir "$1/$name"
        case $name in
        unified) mount -t cgroup2 cgroup2 "$1/$name" ;;
        systemd) mount -t cgroup -o none,name=systemd cgroup "$1/$name" ;;
        *) mount -t cgroup -o "$name" cgroup "$1/$name" ;;
        esac
    done
}

mount_devices() {
    mount -t tmpfs -o mode=755 tmpfs "$1"
    for device in null zero full random urandom tty; do
        touch "$1/$device"
        mount --bind "/dev/$device" "$1/$device"
    done
    ln -s /proc/self/fd "$1/fd"
    for descriptor in 0:stdin 1:stdout 2:stderr; do
        ln -s "/proc/self/fd/${descriptor%:*}" "$1/${descriptor#*:}"
    done
    mkdir "$1/pts" "$1/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$1/pts"
    ln -s pts/ptmx "$1/ptmx"
    mount -t tmpfs -o mode=1777 tmpfs "$1/shm"
}

case $1 in
enter)
    join_cgroups "$3"
    shift
    exec unshare --cgroup sh "$0" inside "$@"
    ;;
join)
    name=$2
    [ ! -d "/sys/fs/cgroup/$name/init" ] || name=$name/init
    join_cgroups "$name"
    shift 2
    exec "$@"
    ;;
inside)
    root=$2
    hostname "$(cat "$root/etc/hostname")"
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys"
    mount_cgroups "$root/sys/fs/cgroup"
    mount_devices "$root/dev"
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mkdir -m 1777 "$root/run/lock"
    cd "$root"
    mkdir -p .outside
    pivot_root . .outside
    # shellcheck disable=SC2016 # for the shell of the machine
    exec chroot . /bin/sh -c '
        umount -l /.outside
        rmdir /.outside
        : >/run/machine-is-up
        [ ! -e /machine-init ] || exec /sbin/init
        # ignoring it has the kernel reap what is handed to process 1
        exec env --ignore-signal=CHLD sleep infinity'
    ;;
esac
