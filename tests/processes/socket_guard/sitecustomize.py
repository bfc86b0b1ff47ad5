"""Loaded by every Python process of the test before anything else: writes down each attempt to reach a network.

An audit hook cannot be removed by the code it watches, and it also hears what is done behind the `socket` module's back
in Python. What compiled code does on its own is seen by strace.
"""

import os
import socket
import sys

OUT = os.environ["OFFHAND_SOCKET_LOG"]
NETWORK = {
    "socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname",
    "socket.gethostbyaddr", "socket.getnameinfo", "urllib.Request", "http.client.connect", "smtplib.connect",
}  # fmt: skip


def note(event: str, arguments: tuple[object, ...]) -> None:
    if event not in NETWORK:
        return
    if arguments and isinstance(arguments[0], socket.socket):
        if arguments[0].family not in (socket.AF_INET, socket.AF_INET6):
            return
        arguments = arguments[1:]
    descriptor = os.open(OUT, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{os.getpid()} {sys.argv[-1:]} {event} {arguments}\n".encode())
    os.close(descriptor)


sys.addaudithook(note)
