# SPDX-License-Identifier: MIT
"""What the daemons of the tests share: each runs in the foreground, in a session and a folder of its own."""
import http.client
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

STEP_S = 60  # until a test gives up waiting for what must come


class Daemon:
    NAME = "the daemon"

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"libspf-{self.NAME.lower()}-"))
        self.process = None
        self.environment = dict(os.environ)

    def start_until(self, command, ask):
        """Starts it; `ask` raises as long as it does not answer."""
        with (self.folder / "stderr").open("w") as stderr:
            self.process = subprocess.Popen(command, env=self.environment, start_new_session=True,
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr)
        end = time.monotonic() + STEP_S
        while True:
            try:
                ask()
                return self
            except (OSError, http.client.HTTPException):
                if self.process.poll() is not None or time.monotonic() > end:
                    raise AssertionError(f"{self.NAME} does not start: {self.read('stderr')}{self.log()}") from None
                time.sleep(0.02)

    def stop(self):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(STEP_S)
            finally:
                try:
                    os.killpg(self.process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                self.process.wait()
            self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder)

    def read(self, name):
        """A file of its folder; "" as long as it is not there."""
        file = self.folder / name
        return file.read_text(errors="replace") if file.exists() else ""

    def log(self):
        raise NotImplementedError

    def sanitizer_log(self):
        return "".join(file.read_text(errors="replace") for file in (self.folder / "sanitizer").iterdir())
