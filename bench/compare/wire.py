"""A link with a rate and a delay between two network namespaces, without tc: not every kernel has netem.

    python3 wire.py --rate MEGABITS --delay MILLISECONDS        (each way; as root)

Two network namespaces with a TUN device each; this process reads packets from one device and writes them to the other one
when a real wire would have delivered them. The kernel hands over up to 64 KB of a TCP stream at once (as it does to a
network card), so that a gigabit needs a few thousand packets a second and some percent of a core. A packet waits until
those before it have left at the given rate, then for the delay; when more waits than the buffer of the slowest device
on the way would hold, it is dropped. TCP on both ends is the kernel's own: slow start, windows and losses are real.

When the wire is up, a line of JSON says how to reach both ends. It lasts until standard input ends or the process that
started it does; namespaces and devices then go away by themselves.
"""

import argparse
import collections
import ctypes
import fcntl
import json
import os
import select
import signal
import struct
import subprocess
import sys
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF, TUNSETOFFLOAD = 0x400454CA, 0x400454D0
IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x0001, 0x1000, 0x4000
OFFLOAD_CHECKSUM, OFFLOAD_TSO4 = 1, 2
PR_SET_PDEATHSIG = 1
HEADER = 10        # struct virtio_net_hdr
PER_SEGMENT = 52   # IP and TCP headers with timestamps, repeated in each segment
PER_FRAME = 38     # Ethernet's preamble, addresses, checksum and gap
BUFFER_SECONDS = 0.05
SERVER, CLIENT = "10.99.0.1", "10.99.0.2"

libc = ctypes.CDLL(None, use_errno=True)


def checked(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def make_end(address, peer):
    """A new namespace with one TUN device: (device, handle of the namespace). This process is in it afterwards."""
    checked(libc.unshare(CLONE_NEWNET), "unshare")
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"wire", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR))
    fcntl.ioctl(device, TUNSETOFFLOAD, OFFLOAD_CHECKSUM | OFFLOAD_TSO4)
    for command in ("link set lo up", f"addr add {address}/32 dev wire", "link set wire mtu 1500 txqueuelen 5000 up",
                    f"route add {peer} dev wire congctl cubic"):
        subprocess.run(["ip", *command.split()], check=True)
    with open("/proc/sys/net/ipv4/tcp_no_metrics_save", "w") as setting:
        setting.write("1")  # every connection starts without what earlier ones learned
    return device, os.open("/proc/self/ns/net", os.O_RDONLY)


def bytes_on_wire(packet):
    """What this packet, maybe a bundle of segments, occupies of an Ethernet."""
    length = len(packet) - HEADER
    segment_size = packet[4] | packet[5] << 8 if packet[1] else 0
    segments = -(-length // segment_size) if segment_size else 1
    return length + (segments - 1) * PER_SEGMENT + segments * PER_FRAME


class Direction:
    def __init__(self, source, target, rate, delay):
        self.source, self.target = source, target
        self.seconds_per_byte, self.delay = 8 / rate, delay
        self.free_at = 0.0  # when everything before has left
        self.flying = collections.deque()  # (time of arrival, packet)

    def take(self, now):
        for _ in range(64):
            try:
                packet = os.read(self.source, 65535 + HEADER)
            except BlockingIOError:
                return
            start = max(self.free_at, now)
            if start - now > BUFFER_SECONDS:
                continue
            self.free_at = start + bytes_on_wire(packet) * self.seconds_per_byte
            self.flying.append((self.free_at + self.delay, packet))

    def deliver(self, now):
        flying = self.flying
        while flying and flying[0][0] <= now:
            try:
                os.write(self.target, flying.popleft()[1])
            except OSError:
                pass  # the receiver's queue is full: lost, as on a real wire


def pump(directions):
    sources = [direction.source for direction in directions] + [0]
    while True:
        now = time.monotonic()
        for direction in directions:
            direction.take(now)
            direction.deliver(now)
        due = [direction.flying[0][0] for direction in directions if direction.flying]
        timeout = max(min(due) - time.monotonic(), 0) if due else None
        if 0 in select.select(sources, [], [], timeout)[0] and not os.read(0, 100):
            return


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--delay", type=float, required=True)
    options = parser.parse_args()
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    os.nice(-15)  # a wire does not wait for the processors of its ends
    server, server_namespace = make_end(SERVER, CLIENT)
    client, client_namespace = make_end(CLIENT, SERVER)
    print(json.dumps({"address": SERVER, "server": f"/proc/{os.getpid()}/fd/{server_namespace}",
                      "client": f"/proc/{os.getpid()}/fd/{client_namespace}"}), flush=True)
    rate, delay = options.rate * 1e6, options.delay / 1e3
    pump([Direction(server, client, rate, delay), Direction(client, server, rate, delay)])


if __name__ == "__main__":
    sys.exit(main())
