"""Argilla's server on SQLite alone: no Elasticsearch, no Redis, one process, its data in one folder.

Run by its path with the Python of the server's environment; `annotation.server.control` does.
"""

import argparse
import asyncio
import fcntl
import json
import logging
import os
import shutil
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from annotation.server.app.jobs import Jobs

# The process holds this file as long as it lives, however it ends.
LOCK = ".lock"
DATABASE = "argilla.db"
OWNER = "owner"
# How long a lock that someone else tries for a moment (to see whether a server is here) is waited for, in seconds.
_LOCK_WAIT = 1.0


def fail(message: str) -> NoReturn:
    """End with what the user did wrong in the log, which a server that runs here may share; exit code 2 says so."""
    print(f"process {os.getpid()}: {message}", file=sys.stderr, flush=True)
    sys.exit(2)


def expose_package() -> None:
    """Make `annotation.server.app` importable, and nothing else of the folder that it is in.

    That folder may be a site-packages with other versions of what Argilla needs.
    """
    folder = Path(__file__).resolve().parent
    for name, path in (
        ("annotation", folder.parents[1]),
        ("annotation.server", folder.parent),
        ("annotation.server.app", folder),
    ):
        package = ModuleType(name)
        package.__path__ = [str(path)]
        sys.modules[name] = package


def open_home(home: Path) -> IO[str]:
    """Make the folder private and hold it. Gives the lock, to be kept open."""
    os.umask(0o077)
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    lock = (home / LOCK).open("w")
    deadline = time.monotonic() + _LOCK_WAIT
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                fail(f"{home}: another server is running on this folder; use that one or stop it, or give another")
            time.sleep(0.05)
        else:
            return lock


def bind(host: str, port: int) -> socket.socket:
    """A socket at the address, taken before anything slow is done."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        fail(f"{host} port {port}: can't be listened at: {error.strerror}; stop what has it, or give another port")
    return listener


def configure(home: Path, *, hub: bool) -> None:
    """Set Argilla's settings, which are environment variables; those of the user's are for other servers."""
    for name in [name for name in os.environ if name.startswith("ARGILLA_")]:
        del os.environ[name]
    from annotation.server.app.credentials import keep_secret

    os.environ |= {
        "ARGILLA_HOME_PATH": str(home),
        "ARGILLA_SEARCH_ENGINE": "sql",
        # A bulk of records holds the database for seconds; Argilla's 5 s then end in "database is locked".
        "ARGILLA_DATABASE_SQLITE_TIMEOUT": "60",
        "ARGILLA_CORS_ORIGINS": "[]",
        "ARGILLA_AUTH_SECRET_KEY": keep_secret(home / "auth_key"),
        # Read from the working folder otherwise.
        "ARGILLA_AUTH_OAUTH_CFG": str(home / "oauth.yaml"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_OFFLINE": "0" if hub else "1",
    }
    # Argilla copies its web page into a temporary folder at each start, and leaves it there.
    temporary = home / "tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    tempfile.tempdir = str(temporary)
    # Before Argilla does: its own breaks lines at 80 characters.
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)


def discard_unborn(database: Path) -> None:
    """Remove a database that a start left before it had its first user: SQLite's migrations can't be gone on with."""
    if not database.exists():
        return
    with sqlite3.connect(database) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        born = "users" in tables and connection.execute("SELECT count(*) FROM users").fetchone()[0]
    connection.close()
    if not born:
        for suffix in ("", "-wal", "-shm", "-journal"):
            database.with_name(database.name + suffix).unlink(missing_ok=True)


def migrate(database: Path) -> None:
    """Bring the tables to what this version of Argilla has."""
    import alembic.command
    from alembic.config import Config
    from argilla_server.database import ALEMBIC_CONFIG_FILE

    # Not the file itself: reading it sets up logging anew.
    config = Config()
    config.set_main_option("script_location", str(Path(ALEMBIC_CONFIG_FILE).with_name("alembic")))
    alembic.command.upgrade(config, "head")
    connection = sqlite3.connect(database)
    # Readers and the writer then don't wait for one another. The database keeps it.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


async def make_owner(home: Path) -> None:
    """Make the first user, and keep the key and password in files."""
    from argilla_server.contexts.accounts import hash_password
    from argilla_server.database import AsyncSessionLocal
    from argilla_server.models import User, UserRole

    from annotation.server.app.credentials import keep_secret, write_secret

    async with AsyncSessionLocal() as session:
        owner = await User.get_by(session, username=OWNER)
        if owner is None:
            key, password = keep_secret(home / "owner_api_key"), keep_secret(home / "owner_password")
            facts = {"first_name": OWNER, "username": OWNER, "role": UserRole.owner, "api_key": key}
            await User.create(session, **facts, password_hash=hash_password(password))
        elif not (home / "owner_api_key").exists():
            write_secret(home / "owner_api_key", owner.api_key)


def make_server(home: Path, listener: socket.socket, jobs: "Jobs", *, with_parent: bool) -> Any:
    """The web server, which tells where it is once it answers."""
    import uvicorn
    from argilla_server import _app

    host, port = listener.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    told = home / "server.json"

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await make_owner(home)
            await jobs.recover()
            await super().startup(sockets)
            if self.started:
                part = told.with_name(".server.json.part")
                part.write_text(json.dumps({"url": address, "pid": os.getpid()}))
                part.replace(told)

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            told.unlink(missing_ok=True)
            await super().shutdown(sockets)
            await jobs.finish()

    told.unlink(missing_ok=True)
    from annotation.server.app.policy import keep_to_itself

    app = keep_to_itself(_app.app)
    server = Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=10))
    if with_parent:

        def wait_for_parent() -> None:
            # It ends when the other process does, however it ends.
            sys.stdin.read()
            server.should_exit = True

        threading.Thread(target=wait_for_parent, daemon=True).start()
    return server


def main() -> None:
    """Start the server, and stop it cleanly at SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--hub", action="store_true", help="let users import from and export to the Hub")
    parser.add_argument("--with-parent", action="store_true", help="stop when standard input ends")
    options = parser.parse_args()
    home = options.home.absolute()
    lock = open_home(home)
    listener = bind(options.host, options.port)
    expose_package()
    configure(home, hub=options.hub)
    discard_unborn(home / DATABASE)
    migrate(home / DATABASE)

    from annotation.server.app import bulk, search, work

    search.install()
    bulk.install()
    jobs = work.install(home / "jobs.db", hub=options.hub)
    server = make_server(home, listener, jobs, with_parent=options.with_parent)
    server.config.setup_event_loop()
    asyncio.run(server.serve([listener]))
    lock.close()
    if not server.started:
        sys.exit(3)


if __name__ == "__main__":
    main()
