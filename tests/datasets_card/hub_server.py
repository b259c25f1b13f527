"""A Hub for tests, on loopback: it speaks what huggingface_hub 2.4 asks for to publish and to load a dataset.

It keeps what it is given, counts what it is asked, and can be made to fail as the real one does.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import Any

from tests.datasets_card.hub_routes import Handler

__all__ = ["Fault", "HubServer", "Repository"]

# Its names of files that are kept apart from git, in small: .gitattributes of a new dataset repository has more.
_APART = (".parquet", ".png")


@dataclass
class Fault:
    """How the next requests of a kind fail.

    Attributes:
        route: which kind; see `HubServer.asked`.
        status: the answer; None for none: the connection is cut.
        times: how many requests fail.
        skip: how many are answered before.
        headers: of the answer.
        after: of a connection that is cut, the bytes of the request's body that are read before.
        message: of the answer.
        late: whether the work is done and only the answer is lost.
    """

    route: str
    status: int | None
    times: int = 1
    skip: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    after: int = 0
    message: str = "a fault of the test"
    late: bool = False


@dataclass
class Repository:
    """A dataset repository: its commits, each with all its files, and its tags."""

    private: bool
    commits: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    @property
    def head(self) -> str:
        return self.commits[-1][0]

    @property
    def files(self) -> dict[str, str]:
        """The SHA-256 of each file of the last commit."""
        return self.commits[-1][1]

    def at(self, revision: str) -> dict[str, str] | None:
        """The files of a branch, tag or commit."""
        commit = self.head if revision in {"main", "refs/heads/main"} else self.tags.get(revision, revision)
        return next((files for oid, files in self.commits if oid == commit), None)

    def commit(self, files: dict[str, str], message: str) -> str:
        oid = hashlib.sha1(f"{len(self.commits)} {sorted(files.items())}".encode(), usedforsecurity=False).hexdigest()
        self.commits.append((oid, files))
        self.messages.append(message)
        return oid


class HubServer:
    """The server, as a context manager.

    Attributes:
        token: the one that may write.
        read_only: one that may only read.
        repositories: by ORG/NAME.
        objects: what was uploaded, by its SHA-256.
        asked: how many requests of each kind came: `create`, `info`, `tree`, `refs`, `preupload`, `batch`, `put`,
            `part`, `complete`, `commit`, `tag`, `untag`, `validate`, `resolve`, `paths`, `whoami`, `other`.
        received: bytes of the bodies of `put`, `part` and `commit`.
        faults: of requests to come.
        meanwhile: what happens just before the next request of a kind is answered, once.
        part_size: bytes of a part; 0 for files in one piece.
    """

    def __init__(self, *, token: str, read_only: str = "hf_reads", part_size: int = 0) -> None:
        self.token, self.read_only, self.part_size = token, read_only, part_size
        self.repositories: dict[str, Repository] = {}
        self.objects: dict[str, bytes] = {}
        self.parts: dict[tuple[str, int], bytes] = {}
        self.asked: Counter[str] = Counter()
        self.received: Counter[str] = Counter()
        self.faults: list[Fault] = []
        self.meanwhile: dict[str, Callable[[], object]] = {}
        self.lock = threading.RLock()

    def __enter__(self) -> "HubServer":
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": self}))
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def reset_counts(self) -> None:
        self.asked.clear()
        self.received.clear()

    def next_fault(self, route: str) -> Fault | None:
        """The fault that a request of this kind is to have."""
        with self.lock:
            for fault in self.faults:
                if fault.route != route or fault.times <= 0:
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    return None
                fault.times -= 1
                return fault
        return None

    def keep(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self.objects[digest] = content
        return digest

    def create(self, repo_id: str, *, private: bool) -> Repository:
        """A repository as the Hub makes one: with a first commit."""
        repository = self.repositories[repo_id] = Repository(private)
        repository.commit({".gitattributes": self.keep(b"*.parquet filter=lfs\n*.png filter=lfs\n")}, "initial commit")
        return repository

    def is_apart(self, path: str) -> bool:
        return path.endswith(_APART)

    def describe(self, path: str, digest: str) -> dict[str, Any]:
        """A file as a tree tells of it."""
        content = self.objects[digest]
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        entry: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": blob}
        if self.is_apart(path):
            entry["oid"] = hashlib.sha1(digest.encode(), usedforsecurity=False).hexdigest()
            entry["lfs"] = {"oid": digest, "size": len(content), "pointerSize": 130}
        return entry
