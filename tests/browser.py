"""A Chromium without a window, told what to do through its debugging protocol."""

import asyncio
import base64
import contextlib
import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tornado.websocket import WebSocketClientConnection, websocket_connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
PATIENCE = 60.0  # [s]


class Browser:
    """One tab of a browser."""

    def __init__(self, address: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._socket: WebSocketClientConnection = self._loop.run_until_complete(_connect(address))
        self._numbers = itertools.count(1)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the protocol; return its result."""
        return self._loop.run_until_complete(self._send(method, parameters))

    async def _send(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        line = {"id": number, "method": method, "params": parameters}
        await self._socket.write_message(json.dumps(line))
        while True:
            told = json.loads(await self._socket.read_message() or "{}")
            if told.get("id") == number:
                found: dict[str, Any] = told["result"]
                return found

    def evaluate(self, expression: str, *, wait: bool = False) -> Any:
        """Return the value of an expression of JavaScript; ``wait`` for that of a promise."""
        found = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=wait
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait_for(self, expression: str, patience: float = PATIENCE) -> None:
        """Wait until an expression is true, for so long at most [s]."""
        end = time.monotonic() + patience
        while not self.evaluate(expression):
            assert time.monotonic() < end, f"waited in vain for {expression}"
            time.sleep(0.05)

    def open(self, url: str, width: int, *, dark: bool = False) -> None:
        """Open a page in a window of so many pixels."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setEmulatedMedia", features=scheme)
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.send("Page.navigate", url=url)
        self.wait_for(f"document.readyState === 'complete' && location.href === {json.dumps(url)}")

    def too_wide(self) -> list[str]:
        """Return what sticks out to the right of the window, but for what scrolls by itself."""
        found: list[str] = self.evaluate(
            """[...document.querySelectorAll('body *')].filter((each) => {
                 const box = each.getBoundingClientRect();
                 if (!box.width || box.right <= innerWidth + 1) return false;
                 for (let up = each; up; up = up.parentElement)
                   if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(up).overflowX))
                     return false;
                 return true;
               }).map((each) => each.tagName + '.' + each.className)"""
        )
        return found

    def click(self, x: float, y: float) -> None:
        """Click at a place of the window."""
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def picture(self, path: Path) -> None:
        """Keep a picture of the window."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))


async def _connect(address: str) -> WebSocketClientConnection:
    return await websocket_connect(address, max_message_size=2**28)


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Start a browser that keeps its files in ``folder``; end it at the end."""
    assert CHROMIUM is not None
    line = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-dev-shm-usage",
            "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"]  # fmt: skip
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            port_file, end = folder / "DevToolsActivePort", time.monotonic() + PATIENCE
            while not (port_file.is_file() and port_file.read_text().count("\n")):
                assert time.monotonic() < end, "the browser did not start"
                time.sleep(0.05)
            port = port_file.read_text().split("\n")[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
                tabs = json.load(answer)
            (tab,) = (each for each in tabs if each["type"] == "page")
            yield Browser(tab["webSocketDebuggerUrl"])
        finally:
            process.terminate()
