"""What the Hub of the tests answers, request by request."""

import base64
import json
import re
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from tests.datasets_card.hub_server import HubServer, Repository

__all__ = ["Handler"]

_API = r"/api/datasets/(?P<repo>[^/]+/[^/]+)"
_ROUTES = {
    "create": ("POST", r"/api/repos/create"),
    "validate": ("POST", r"/api/validate-yaml"),
    "whoami": ("GET", r"/api/whoami-v2"),
    "info": ("GET", _API + r"(?:/revision/(?P<revision>.+))?"),
    "tree": ("GET", _API + r"/tree/(?P<revision>[^/]+)(?:/(?P<path>.+))?"),
    "paths": ("POST", _API + r"/paths-info/(?P<revision>[^/]+)"),
    "refs": ("GET", _API + r"/refs"),
    "preupload": ("POST", _API + r"/preupload/(?P<revision>[^/]+)"),
    "commit": ("POST", _API + r"/commit/(?P<revision>[^/]+)"),
    "tag": ("POST", _API + r"/tag/(?P<revision>[^/]+)"),
    "untag": ("DELETE", _API + r"/tag/(?P<tag>[^/]+)"),
    "batch": ("POST", r"/datasets/(?P<repo>[^/]+/[^/]+)\.git/info/lfs/objects/batch"),
    "put": ("PUT", r"/storage/(?P<digest>[0-9a-f]{64})"),
    "part": ("PUT", r"/storage/(?P<digest>[0-9a-f]{64})/(?P<number>\d+)"),
    "complete": ("POST", r"/storage/(?P<digest>[0-9a-f]{64})/complete"),
    "resolve": ("(?:GET|HEAD)", r"/datasets/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)"),
}
# What a signed address lets anybody do.
_SIGNED = {"put", "part", "complete"}
_WRITES = {"create", "preupload", "commit", "tag", "untag", "batch"}
_PAGE = 10


class _RefusedError(Exception):
    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


class Handler(BaseHTTPRequestHandler):
    hub: "HubServer"
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a test says what it saw."""

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 as http.server calls them

    def _serve(self) -> None:
        self._url = urlsplit(self.path)
        route, found = self._find()
        self.hub.asked[route] += 1
        self.hub.meanwhile.pop(route, lambda: None)()
        fault = self.hub.next_fault(route)
        length = int(self.headers.get("Content-Length") or 0)
        if fault is not None and fault.status is None and not fault.late:
            self.rfile.read(min(fault.after, length))
            self._cut()
            return
        self._body = self.rfile.read(length) if length else self._read_chunks()
        if route in {"put", "part", "commit"}:
            self.hub.received[route] += len(self._body)
        if fault is not None and not fault.late:
            self._send(fault.status or 500, {"error": fault.message}, dict(fault.headers))
            return
        try:
            with self.hub.lock:
                if route == "other":
                    raise _RefusedError(404, "no such address")
                self._check_token(route, found)
                status, content, headers = getattr(self, f"_{route}")(**found)
        except _RefusedError as refused:
            status, content = refused.status, {"error": refused.message}
            headers = {"X-Error-Message": refused.message} | ({"X-Error-Code": refused.code} if refused.code else {})
        if fault is not None:
            self._cut()
            return
        self._send(status, content, headers)

    def _find(self) -> tuple[str, dict[str, str | None]]:
        for route, (method, pattern) in _ROUTES.items():
            match = re.fullmatch(pattern, self._url.path)
            if match and re.fullmatch(method, self.command):
                return route, {key: unquote(value) if value else None for key, value in match.groupdict().items()}
        return "other", {}

    def _read_chunks(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return b""
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _cut(self) -> None:
        self.close_connection = True
        # Without reading the rest: the other side meets a reset.
        self.connection.close()

    def _send(self, status: int, content: Any, headers: dict[str, str]) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        if not isinstance(content, bytes):
            headers = {"Content-Type": "application/json"} | headers
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _check_token(self, route: str, found: dict[str, str | None]) -> None:
        if route in _SIGNED:
            return
        given = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if given and given not in {self.hub.token, self.hub.read_only}:
            raise _RefusedError(401, "Invalid username or password.")
        if route in _WRITES and given != self.hub.token:
            raise _RefusedError(403 if given else 401, "You don't have the rights to do that")
        repo = found.get("repo")
        there = self.hub.repositories.get(repo) if repo else None
        if repo and (there is None or (there.private and not given)):
            raise _RefusedError(404 if given else 401, "Repository not found", "RepoNotFound")

    def _repository(self, repo: str) -> "Repository":
        return self.hub.repositories[repo]

    def _files(self, repo: str, revision: str | None) -> dict[str, str]:
        files = self._repository(repo).at(revision or "main")
        if files is None:
            raise _RefusedError(404, f"no revision {revision}", "RevisionNotFound")
        return files

    def _json(self) -> Any:
        return json.loads(self._body)

    def _create(self) -> Any:
        given = self._json()
        repo = f"{given['organization']}/{given['name']}"
        if repo in self.hub.repositories:
            raise _RefusedError(409, "You already created this dataset repo")
        self.hub.create(repo, private=given.get("visibility") == "private")
        return 200, {"url": f"{self.hub.endpoint}/datasets/{repo}", "name": repo}, {}

    def _validate(self) -> Any:
        if not self._json()["content"].startswith("---\n"):
            return 400, {"errors": [{"message": "there is no metadata"}]}, {}
        return 200, {"errors": [], "warnings": []}, {}

    def _whoami(self) -> Any:
        return 200, {"type": "user", "name": "tester", "orgs": []}, {}

    def _info(self, repo: str, revision: str | None) -> Any:
        files = self._files(repo, revision)
        there = self._repository(repo)
        commit = next(oid for oid, of in reversed(there.commits) if of is files)
        siblings = [{"rfilename": path} for path in files]
        return 200, {"id": repo, "sha": commit, "private": there.private, "siblings": siblings, "tags": []}, {}

    def _tree(self, repo: str, revision: str, path: str | None) -> Any:
        files = self._files(repo, revision)
        query = parse_qs(self._url.query)
        recursive = query.get("recursive", ["false"])[0].lower() in {"true", "1"}
        prefix = f"{path}/" if path else ""
        entries: dict[str, Any] = {}
        for name, digest in sorted(files.items()):
            if not name.startswith(prefix):
                continue
            parts = name.removeprefix(prefix).split("/")
            folders = [prefix + "/".join(parts[:depth]) for depth in range(1, len(parts))]
            for folder in folders if recursive else folders[:1]:
                entries[folder] = {"type": "directory", "path": folder, "oid": "0" * 40, "size": 0}
            if recursive or len(parts) == 1:
                entries[name] = self.hub.describe(name, digest)
        if prefix and not entries:
            raise _RefusedError(404, f"no folder {path}", "EntryNotFound")
        start = int(query.get("cursor", ["0"])[0])
        page = list(entries.values())[start : start + _PAGE]
        headers = {}
        if start + _PAGE < len(entries):
            after = f"{self.hub.endpoint}{self._url.path}?recursive={recursive}&cursor={start + _PAGE}"
            headers = {"Link": f'<{after}>; rel="next"'}
        return 200, page, headers

    def _paths(self, repo: str, revision: str) -> Any:
        paths = parse_qs(self._body.decode()).get("paths", [])
        files = self._files(repo, revision)
        found = [self.hub.describe(path, files[path]) for path in paths if path in files]
        folders = {path for path in paths if any(name.startswith(f"{path}/") for name in files)}
        return 200, [*found, *({"type": "directory", "path": path, "oid": "0" * 40} for path in folders)], {}

    def _refs(self, repo: str) -> Any:
        there = self._repository(repo)
        branch = {"name": "main", "ref": "refs/heads/main", "targetCommit": there.head}
        tags = [{"name": name, "ref": f"refs/tags/{name}", "targetCommit": oid} for name, oid in there.tags.items()]
        return 200, {"branches": [branch], "converts": [], "tags": tags}, {}

    def _preupload(self, repo: str, revision: str) -> Any:
        files = self._files(repo, revision)
        answers = []
        for asked in self._json()["files"]:
            path = asked["path"]
            kind = "lfs" if self.hub.is_apart(path) else "regular"
            told = self.hub.describe(path, files[path]) if path in files else None
            oid = None if told is None else told["lfs"]["oid"] if kind == "lfs" else told["oid"]
            answers.append({"path": path, "uploadMode": kind, "shouldIgnore": False, "oid": oid})
        return 200, {"files": answers}, {}

    def _batch(self, repo: str) -> Any:
        objects = []
        for asked in self._json()["objects"]:
            entry = {"oid": asked["oid"], "size": asked["size"]}
            if asked["oid"] not in self.hub.objects:
                entry["actions"] = {"upload": self._upload_action(asked)}
            objects.append(entry)
        return 200, {"transfer": "basic", "objects": objects}, {}

    def _upload_action(self, asked: dict[str, Any]) -> dict[str, Any]:
        address, size = f"{self.hub.endpoint}/storage/{asked['oid']}", self.hub.part_size
        if not size:
            return {"href": f"{address}?signature=secret", "header": {}}
        numbers = range(1, -(-asked["size"] // size) + 1)
        header = {str(number): f"{address}/{number}?signature=secret" for number in numbers}
        return {"href": f"{address}/complete?signature=secret", "header": {"chunk_size": str(size), **header}}

    def _put(self, digest: str) -> Any:
        if self.hub.keep(self._body) != digest:
            raise _RefusedError(400, "these bytes are others")
        return 200, b"", {"ETag": f'"{digest}"'}

    def _part(self, digest: str, number: str) -> Any:
        self.hub.parts[digest, int(number)] = self._body
        return 200, b"", {"ETag": f'"{digest}-{number}"'}

    def _complete(self, digest: str) -> Any:
        numbers = [part["partNumber"] for part in self._json()["parts"]]
        if self.hub.keep(b"".join(self.hub.parts.pop((digest, number)) for number in numbers)) != digest:
            raise _RefusedError(400, "these bytes are others")
        return 200, {}, {}

    def _commit(self, repo: str, revision: str) -> Any:
        there = self._repository(repo)
        lines = [json.loads(line) for line in self._body.splitlines()]
        header = lines[0]["value"]
        if header.get("parentCommit") not in {None, there.head}:
            raise _RefusedError(412, "A commit has happened since. Please refresh and try again.")
        files = dict(there.files)
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = self.hub.keep(base64.b64decode(value["content"]))
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.hub.objects:
                    raise _RefusedError(400, f"the content of {value['path']} was not uploaded")
                files[value["path"]] = value["oid"]
            elif files.pop(value["path"], None) is None:
                raise _RefusedError(404, "A file with this name doesn't exist", "EntryNotFound")
        oid = there.commit(files, header["summary"])
        return 200, {"commitUrl": f"{self.hub.endpoint}/datasets/{repo}/commit/{oid}", "commitOid": oid}, {}

    def _tag(self, repo: str, revision: str) -> Any:
        there, name = self._repository(repo), self._json()["tag"]
        if name in there.tags:
            raise _RefusedError(409, f"Tag {name} exists already")
        self._files(repo, revision)
        there.tags[name] = there.head if revision == "main" else revision
        return 200, {}, {}

    def _untag(self, repo: str, tag: str) -> Any:
        del self._repository(repo).tags[tag]
        return 200, {}, {}

    def _resolve(self, repo: str, revision: str, path: str) -> Any:
        files = self._files(repo, revision)
        if path not in files:
            raise _RefusedError(404, f"no file {path}", "EntryNotFound")
        there, content = self._repository(repo), self.hub.objects[files[path]]
        commit = next(oid for oid, of in reversed(there.commits) if of is files)
        headers = {"X-Repo-Commit": commit, "ETag": f'"{files[path]}"', "Accept-Ranges": "bytes"}
        headers |= {"Content-Type": "application/octet-stream"}
        if given := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or ""):
            start, end = int(given[1]), int(given[2]) if given[2] else len(content) - 1
            end = min(end, len(content) - 1)
            headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
            return 206, content[start : end + 1], headers
        return 200, content, headers
