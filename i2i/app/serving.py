"""Open the page: its folder, its port, its server."""

import errno
import importlib.util
import ipaddress
import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from i2i.app.guard import Guard
from i2i.app.limits import Limits
from i2i.app.shelf import Shelf
from i2i.app.workspace import Workspace
from i2i.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from i2i.app.drawing import Colour

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})
QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_RUN_HISTORY": "False",
    "GRADIO_SSR_MODE": "False",
    "GRADIO_MCP_SERVER": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}
"""Read when Gradio is imported: it counts its uses and looks for its newer versions otherwise."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who may see the page."""

    user: str
    password: str


class Server:
    """A page on a port of this machine, until it is closed. One a process: Gradio keeps its folder for all of it."""

    def __init__(
        self,
        shelf: Shelf,
        limits: Limits,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        login: Login | None = None,
        palette: "Sequence[Colour]" = (),
    ) -> None:
        """Port 0 is any that is free. Raises SettingsError where Gradio is missing, or the port cannot be had."""
        require_gradio()
        self.host = host
        self.socket = bind(host, port)
        self.port: int = self.socket.getsockname()[1]
        self.workspace = Workspace()
        try:
            self._server = self._made(shelf, limits, login, palette)
        except BaseException:
            self.close()
            raise

    def _made(self, shelf: Shelf, limits: Limits, login: Login | None, palette: "Sequence[Colour]") -> Any:
        os.environ.update(QUIET)
        os.environ["GRADIO_TEMP_DIR"] = str(self.workspace.root)
        import fastapi
        import gradio
        import uvicorn

        from i2i.app import page

        blocks = page.build(page.Setup(shelf, self.workspace, limits, palette))
        blocks.has_launched = True  # of others Gradio does not look whether a file was uploaded; the guard does, too
        application = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        gradio.mount_gradio_app(
            application,
            blocks,
            "/",
            server_name=self.host,
            server_port=self.port,
            footer_links=[],
            run_history=False,
            app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
            auth=(login.user, login.password) if login else None,
            auth_message="This page asks who you are.",
            allowed_paths=[],
            show_error=False,
            max_file_size=limits.upload_bytes,
            ssr_mode=False,
            enable_monitoring=False,
            pwa=False,
            mcp_server=False,
            theme=page.theme(),
            css=page.style(),
        )
        guard = Guard(
            application,
            files=self.workspace.root,
            upload_bytes=limits.upload_bytes,
            hosts=hosts_of(self.host),
        )
        config = uvicorn.Config(
            guard,
            access_log=False,
            log_level="critical",  # what a user has to know, the command says
            ws="none",
            timeout_graceful_shutdown=1,  # every open page holds a connection for ever
            server_header=False,
        )
        return uvicorn.Server(config)

    @property
    def url(self) -> str:
        """What to open on this machine."""
        host = self.host if self.host not in ("0.0.0.0", "::", "") else "127.0.0.1"
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"

    def serve(self) -> None:
        """Answer until `stop`, or an interrupt, which is raised as KeyboardInterrupt."""
        self._server.run(sockets=[self.socket])

    def stop(self) -> None:
        """End `serve`, from another thread."""
        self._server.should_exit = True

    def close(self) -> None:
        """Give the port back, and remove all that was uploaded and made."""
        self.socket.close()
        self.workspace.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def require_gradio() -> None:
    """Raise SettingsError where the extra is not installed; nothing is imported for it."""
    if not all(installed(name) for name in ("gradio", "fastapi", "uvicorn")):
        raise SettingsError("the page needs Gradio, which is not installed. Install it: pip install 'i2i-toolkit[app]'")


def installed(name: str) -> bool:
    """Whether a package is here, found without loading it."""
    return importlib.util.find_spec(name) is not None


def bind(host: str, port: int) -> socket.socket:
    """A socket that is listening. Raises SettingsError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # a port just left is free; on Windows it would be shared with whoever has it
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(128)
    except (OSError, OverflowError) as error:
        made.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            reason = "is taken, by another page perhaps. Choose another, or 0 for any free one"
            raise SettingsError(f"--port {port}: {reason}.") from None
        if isinstance(error, socket.gaierror) or getattr(error, "errno", None) == errno.EADDRNOTAVAIL:
            raise SettingsError(
                f"--host {host}: is no address of this machine. Wanted 127.0.0.1 for this machine alone, or 0.0.0.0 "
                f"for all that reach it."
            ) from None
        raise SettingsError(f"--port {port} on {host}: cannot be used ({error}). Choose another.") from None
    return made


def hosts_of(host: str) -> frozenset[str] | None:
    """The names that the page may be asked for by; None, which is any, where others reach it by names of theirs."""
    return LOOPBACK | {host} if is_loopback(host) else None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    if host in LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
