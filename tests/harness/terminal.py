"""An interactive shell at a pseudo terminal, as a person has it: prompts, questions, rc files."""

import os
import pty
import re
import select
import signal
import struct
import termios
import time
from fcntl import ioctl

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07|\x1b[=>]|\r")


class Terminal:
    """One shell; `run` types a line and waits for the next prompt."""

    def __init__(self, command, environment, folder, columns=1000, timeout=120):
        self.timeout, self.text, self.number, self.mark = timeout, "", 0, 0
        self.child, self.fd = pty.fork()
        if self.child == 0:
            try:
                os.chdir(folder)
                os.execvpe(command[0], command, environment | {"TERM": "xterm"})
            finally:
                os._exit(127)
        ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self.run(":")  # what the shell says when it starts

    def _read(self):
        if not select.select([self.fd], [], [], 0.2)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        if not data:
            raise AssertionError(f"the shell has ended\n{self.text}")
        self.text += ESCAPES.sub("", data.decode(errors="replace"))
        return True

    def wait_for(self, pattern, start=0):
        """Reads until the pattern is there, behind position `start`; returns the match."""
        end = time.monotonic() + self.timeout
        while not (match := re.compile(pattern).search(self.text, start)):
            if not self._read() and time.monotonic() > end:
                raise AssertionError(f"{pattern!r} does not come\n{self.text[start:]}")
        return match

    def type(self, text):
        os.write(self.fd, text.encode())

    def _wait_for_prompt(self):
        """Only then the shell itself shows what is typed; before, the terminal does, in front of the prompt."""
        self.wait_for(r"[^\n]", self.mark)

    def run(self, line, answers=()):
        """Types a line. `answers` are (question, what to type), in order. Returns (status, output)."""
        self.number += 1
        self._wait_for_prompt()
        start = len(self.text)
        # What is typed is shown; only the answer has the number without the quotes.
        self.type(f"{line}; echo \"<$?:\"\"{self.number}>\"\n")
        at = start
        for question, answer in answers:
            at = self.wait_for(question, at).end()
            self.type(answer + "\n")
        match = self.wait_for(rf"<(\d+):{self.number}>\n", start)
        self.mark = match.end()
        return int(match[1]), self.text[start:match.start()].partition("\n")[2]

    def prompt(self):
        """The prompt as it is shown now."""
        self._wait_for_prompt()
        start = self.mark
        self.type("#here\n")
        match = self.wait_for(r"([^\n]*)#here\n", start)
        self.mark = match.end()
        return match[1]

    def close(self):
        os.close(self.fd)
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
