"""A page in a real browser: Chromium without a window, driven through a pipe by its DevTools protocol."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fixtures.vulkan.outcomes import unsupported

NAMES = ("chromium", "chromium-browser", "google-chrome")
KEYS = {"Enter": "\r", "Escape": "\x1b"}
SECONDS = 30


@dataclass
class Page:
    """An open page; `said` are the messages of its console, `asked` the addresses that it tried to load."""

    to: int
    back: int
    session: str = ""
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    _left: bytes = b""
    _count: int = 0

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol; its result, or AssertionError with the browser's message."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        os.write(self.to, json.dumps(message | ({"sessionId": self.session} if self.session else {})).encode() + b"\0")
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            answer = self._receive()
            if answer.get("id") == self._count:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self._note(answer)
        raise AssertionError(f"the browser did not answer {method} within {SECONDS} s")

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            got = os.read(self.back, 1 << 20)
            assert got, "the browser went away"
            self._left += got
        text, _, self._left = self._left.partition(b"\0")
        return json.loads(text)

    def _note(self, event: dict[str, Any]) -> None:
        if event.get("method") == "Network.requestWillBeSent":
            self.asked.append(event["params"]["request"]["url"])
        elif event.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
            self.said.append(json.dumps(event["params"])[:500])

    def js(self, expression: str) -> Any:
        """The value of an expression in the page."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, *keys: str) -> None:
        """Press keys one after the other, each a character or a name of `KEYS`."""
        for key in keys:
            text = KEYS.get(key, key)
            for kind in ("keyDown", "keyUp"):
                code = ord(text.upper())
                self.send("Input.dispatchKeyEvent", type=kind, key=key, text=text, windowsVirtualKeyCode=code)

    def show(self, file: Path) -> float:
        """Open a file; milliseconds until it had drawn itself."""
        self.send("Page.navigate", url=file.as_uri())
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            ready = self.js("location.protocol == 'file:' && document.documentElement?.dataset.ready")
            if ready:
                return float(ready)
            time.sleep(0.02)
        raise AssertionError(f"{file} did not draw itself: {self.said}")

    def look(self, file: Path, width: int = 1300, height: int = 1600, **media: str) -> None:
        """Take a screenshot as PNG; `media` as in CSS, such as prefers_color_scheme="dark"."""
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
        self.send("Emulation.setEmulatedMedia", features=features)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        file.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))

    def paper(self, file: Path) -> None:
        """Print the page as PDF."""
        file.write_bytes(base64.b64decode(self.send("Page.printToPDF")["data"]))


@contextmanager
def browser() -> Iterator[Page]:
    """An empty page; `unsupported` on a machine without Chromium."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        unsupported("no Chromium on this machine: install Debian's `chromium`")
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        to_read, to = os.pipe()
        back, back_write = os.pipe()
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
        ]
        quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "about:blank"]
        far = fcntl.fcntl(back_write, fcntl.F_DUPFD, 10)  # out of the way of the two numbers that the browser wants

        def connect() -> None:
            os.dup2(to_read, 3)
            os.dup2(far, 4)

        child = subprocess.Popen(
            [found, *options, *quiet],
            pass_fds=(3, 4),
            preexec_fn=connect,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(far)
        os.close(to_read)
        os.close(back_write)
        page = Page(to, back)
        try:
            tab = next(t for t in page.send("Target.getTargets")["targetInfos"] if t["type"] == "page")
            page.session = page.send("Target.attachToTarget", targetId=tab["targetId"], flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Network", "Log"):
                page.send(f"{domain}.enable")
            yield page
        finally:
            child.kill()
            child.wait()
            os.close(to)
            os.close(back)
