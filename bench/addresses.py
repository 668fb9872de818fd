"""What the address costs at which nginx finds a container: own networks and published ports, against docker0.

    bench/addresses.py [--starts 5] [--seconds 4] [--networks 0]

Starts the same container in three ways: on docker's bridge alone, with a network of its app beside it, and
with a port published at the bridge's own address. Prints the time to create and start one, and requests per
second through an nginx of its own to each, in turns, as ratios to the first way. --networks makes so many
networks more and prints what the first and the last take. Needs docker, nginx, wrk and root.
"""

import argparse
import json
import pathlib
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tests.ports import free_port
from tests.system.conftest import BASE_IMAGE, _build_base_image

MARK = "dokku-bench-" + secrets.token_hex(3)
NETWORK = f"10.{100 + secrets.randbelow(100)}"  # the first two numbers of what the networks get
ROUNDS = 3
WAYS = ("docker0 alone", "own network", "published port")
NGINX = """
user nobody nogroup; worker_processes 2; daemon off; pid {place}/pid; error_log {place}/log;
events {{ worker_connections 1024; }}
http {{ access_log off; proxy_temp_path {place}/proxy; client_body_temp_path {place}/body;
{servers} }}
"""
SERVER = "server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://{address}; }} }}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--networks", type=int, default=0)
    wanted = parser.parse_args()
    absent = [name for name in ("docker", "nginx", "wrk") if not shutil.which(name)]
    if absent:
        sys.exit(f"needs {', '.join(absent)}")
    _build_base_image()
    try:
        addresses = measure_starts(wanted.starts)
        measure_requests(addresses, wanted.seconds)
        measure_networks(wanted.networks)
    finally:
        clear()


def measure_starts(count: int) -> list[str]:
    """Start `count` containers each way; where the last of each is reached."""
    network = f"{MARK}-0"
    docker("network", "create", "--internal", f"--subnet={NETWORK}.0.0/25", network)
    gateway = ""
    times: list[list[float]] = [[], [], []]
    found = ["", "", ""]
    for number in range(count):
        for way in range(3):
            port = free_port()
            began = time.monotonic()
            id_ = create([f"--publish={gateway}:{port}:5000"] if way == 2 else [])
            own = f"{NETWORK}.0.{number + 2}"
            if way == 1:
                docker("network", "connect", f"--ip={own}", network, id_)
            docker("container", "start", id_)
            times[way].append(time.monotonic() - began)
            there = json.loads(docker("inspect", id_))[0]["NetworkSettings"]
            gateway = there["Gateway"]
            found[way] = (f"{there['IPAddress']}:5000", f"{own}:5000", f"{gateway}:{port}")[way]
    medians = [statistics.median(one) for one in times]
    for name, seconds in zip(WAYS, medians, strict=True):
        print(f"create and start, {name:<16}{seconds * 1000:7.0f} ms   x {seconds / medians[0]:.2f}")
    return found


def measure_requests(addresses: list[str], seconds: int) -> None:
    ports = [free_port() for _ in addresses]
    pairs = zip(ports, addresses, strict=True)
    servers = "".join(SERVER.format(port=port, address=address) for port, address in pairs)
    with tempfile.TemporaryDirectory(dir="/var/lib") as place:
        pathlib.Path(place, "conf").write_text(NGINX.format(place=place, servers=servers))
        server = subprocess.Popen(["nginx", "-p", place, "-c", f"{place}/conf"])
        try:
            time.sleep(1)
            rates: list[list[float]] = [[], [], []]
            for _ in range(ROUNDS):
                for way, port in enumerate(ports):
                    rates[way].append(rate(port, seconds))
        finally:
            server.terminate()
            server.wait()
    medians = [statistics.median(one) for one in rates]
    for name, requests in zip(WAYS, medians, strict=True):
        print(f"through nginx,    {name:<16}{requests:7.0f} /s   x {requests / medians[0]:.2f}")


def rate(port: int, seconds: int) -> float:
    """Requests per second that get a page."""
    said = run("wrk", "-t2", "-c16", f"-d{seconds}s", f"http://127.0.0.1:{port}/")
    assert "Non-2xx" not in said, said
    return float(said.partition("Requests/sec:")[2].split()[0])


def measure_networks(count: int) -> None:
    for number in range(count):
        began = time.monotonic()
        subnet = f"--subnet={NETWORK}.{1 + number // 2}.{number % 2 * 128}/25"
        docker("network", "create", "--internal", subnet, f"{MARK}-{number + 1}")
        if number in (0, count - 1):
            print(f"network number {number + 1:<4}{(time.monotonic() - began) * 1000:7.0f} ms")


def create(flags: list[str]) -> str:
    """A container that answers with a short page at port 5000; its id."""
    serve = "mkdir -p /www && echo hello > /www/index.html && exec httpd -f -p 5000 -h /www"
    return docker("create", f"--label={MARK}", *flags, BASE_IMAGE, "sh", "-c", serve).strip()


def clear() -> None:
    ids = docker("ps", "--all", "--quiet", f"--filter=label={MARK}").split()
    if ids:
        docker("rm", "--force", *ids)
    networks = docker("network", "ls", "--quiet", f"--filter=name={MARK}").split()
    if networks:
        docker("network", "rm", *networks)


def docker(*words: str) -> str:
    return run("docker", *words)


def run(*argv: str) -> str:
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
