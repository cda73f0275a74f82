"""The pages of ``opalux view``, served to this machine alone by Python's own HTTP server.

Requests that name another host are refused, so that no page of the web can read results through a
name that it makes point here; so are those that another page sends.
"""

import http.server
import json
import sys
import urllib.parse
import webbrowser
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, ClassVar

from opalux.base.errors import InputError, OpaluxError
from opalux.base.exit_codes import OK
from opalux.jobs.viewing.folder import scene_of
from opalux.jobs.viewing.paint import Easel
from opalux.jobs.viewing.scene import Scene, described

HOST = "127.0.0.1"
LARGEST = 2**20
"""Bytes that a request may bring."""

_FILES = {
    "/": ("view.html", "text/html"),
    "/paint": ("paint.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/drawing.js": ("drawing.js", "text/javascript"),
    "/view.js": ("view.js", "text/javascript"),
    "/paint.js": ("paint.js", "text/javascript"),
}


class Show:
    """What is shown: one or two scenes, and the easel."""

    def __init__(self, scenes: Sequence[Scene], easel: Easel) -> None:
        self.scenes, self.easel = list(scenes), easel

    def answer(self, path: str, asked: Mapping[str, str], body: Any) -> Any:
        """Return what the page asks for.

        Raises
        ------
        KeyError, IndexError, ValueError
            When there is no such thing.
        """
        if path == "/api/scenes":
            return [described(scene) for scene in self.scenes]
        if path in ("/api/maps", "/api/plots"):
            scene = self.scenes[int(asked["scene"])]
            position = int(asked["position"])
            if not 0 <= position < len(scene.slider[1]):
                raise IndexError(position)
            chosen = {name: asked[name] for name in scene.choices if name in asked}
            if path == "/api/maps":
                return [each.to_json() for each in scene.maps(position, chosen)]
            click = (float(asked["x"]), float(asked["y"])) if "x" in asked else None
            return [each.to_json() for each in scene.plots(position, chosen, click)]
        if path == "/api/easel":
            return self.easel.described()
        if path == "/api/light":
            return self.easel.light(body)
        if path == "/api/network":
            return self.easel.network_map(body)
        if path == "/api/invert":
            return self.easel.start_inversion(body)
        if path == "/api/inversion":
            return self.easel.inversion()
        raise KeyError(path)


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers the requests of the page."""

    show: ClassVar[Show]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a request for a page or for data."""
        self._answer(None)

    def do_POST(self) -> None:
        """Answer a request that brings a density."""
        try:
            length = int(self.headers.get("Content-Length", 0))
        except ValueError:
            length = -1
        if not 0 <= length <= LARGEST:
            self.close_connection = True
            self._send(HTTPStatus.BAD_REQUEST, {"error": "found too long a request"})
            return
        try:
            body = json.loads(self.rfile.read(length))
        except (ValueError, RecursionError):
            self._send(HTTPStatus.BAD_REQUEST, {"error": "found no JSON"})
            return
        self._answer(body)

    def _answer(self, body: Any) -> None:
        if not self._from_here():
            self._send(HTTPStatus.FORBIDDEN, {"error": "this page is for this machine alone"})
            return
        path, _, query = self.path.partition("?")
        if path in _FILES and body is None:
            self._send_file(*_FILES[path])
            return
        asked = dict(urllib.parse.parse_qsl(query))
        try:
            self._send(HTTPStatus.OK, self.show.answer(path, asked, body))
        except OpaluxError as error:
            self._send(HTTPStatus.UNPROCESSABLE_ENTITY, {"error": str(error)})
        except (KeyError, IndexError, ValueError, TypeError, OSError) as error:
            self._send(HTTPStatus.NOT_FOUND, {"error": f"found nothing for {path} ({error})"})

    def _from_here(self) -> bool:
        port = self.connection.getsockname()[1]
        here = {f"{name}:{port}" for name in (HOST, "localhost")}
        origin = self.headers.get("Origin")
        return self.headers.get("Host") in here and (
            origin is None or origin.removeprefix("http://") in here
        )

    def _send_file(self, name: str, kind: str) -> None:
        content = (Path(__file__).parent / name).read_bytes()
        self._send_bytes(HTTPStatus.OK, content, f"{kind}; charset=utf-8")

    def _send(self, status: HTTPStatus, content: Any) -> None:
        self._send_bytes(status, json.dumps(content).encode(), "application/json")

    def _send_bytes(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", "default-src 'self'; img-src 'self' data:")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of each request."""


def server(show: Show, port: int) -> http.server.ThreadingHTTPServer:
    """Return a server on the loopback interface; port 0: any that is free.

    Raises
    ------
    InputError
        When the port is taken, or is no port.
    """
    handler = type("Handler", (_Handler,), {"show": show})
    try:
        return http.server.ThreadingHTTPServer((HOST, port), handler)
    except (OSError, OverflowError) as error:
        raise InputError(
            f"--port {port}: cannot be used ({error}); give another one, or none for any that is "
            "free"
        ) from None


def serve(folders: Sequence[Path], *, paint: bool, port: int, browser: bool) -> int:
    """Serve the pages until Ctrl-C; return the exit code.

    Raises
    ------
    InputError
        When there is nothing to show.
    """
    if not folders and not paint:
        raise InputError("found no folder; give one or two folders of results, or --paint")
    if len(folders) > 2:
        raise InputError(f"found {len(folders)} folders, expected one or two")
    easel = Easel(folders[0] if paint and folders else None)
    scenes = [scene_of(folder) for folder in folders]
    with server(Show(scenes, easel), port) as listening:
        address = f"http://{HOST}:{listening.server_address[1]}/{'paint' if paint else ''}"
        print(f"{address}  (Ctrl-C ends)", flush=True)
        if browser and not webbrowser.open(address):
            print("found no browser; open the address yourself", file=sys.stderr)
        try:
            listening.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            easel.close()
    return OK
