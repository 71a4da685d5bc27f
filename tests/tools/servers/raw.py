"""An MCP server that says what it is told to, without any SDK: `raw.py SCRIPT`, the path of a JSON file.

The script: `tools` are listed as they are, `pages` times over with cursors; `result` answers every call;
`pid` names a file for its process id; `modern` speaks the protocol of 2026. And one misbehaviour, by name, in `does`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SCRIPT: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
CACHING = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"}  # what the protocol of 2026 wants
DOES = SCRIPT.get("does", "")


def say(message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def answer(request: dict[str, Any]) -> Any:
    method, params = request["method"], request.get("params") or {}
    if method == "server/discover" and SCRIPT.get("modern"):
        return {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}, **CACHING}
    if method == "initialize":
        return {
            "protocolVersion": params["protocolVersion"],
            "capabilities": SCRIPT.get("capabilities", {"tools": {}}),
            "serverInfo": {"name": "raw", "version": "1"},
            "instructions": SCRIPT.get("instructions"),
        }
    if method == "tools/list":
        page = int(params.get("cursor") or 0) + 1
        more = {"nextCursor": str(page)} if page < SCRIPT.get("pages", 1) else {}
        return {"tools": SCRIPT["tools"], **more, **(CACHING if SCRIPT.get("modern") else {})}
    if method == "tools/call":
        return called(params)
    return None


def called(params: dict[str, Any]) -> Any:
    if DOES == "die at a call":
        sys.stderr.write("\x1b[31mno more ink\x1b[0m\n")
        sys.stderr.flush()
        os._exit(7)
    if DOES == "be killed at a call":
        os.kill(os.getpid(), signal.SIGKILL)
    if DOES == "hang at a call":
        note(os.getpid())
        time.sleep(120)
    if DOES == "hang up at a call":
        os.close(1)
        time.sleep(60)
    if DOES == "send without end":
        while True:
            sys.stdout.write("x" * 1_000_000)
    if DOES == "flood with notifications":
        for _ in range(2_000):
            say({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "\x1b[31m"}})
    if DOES == "write to stderr without end of line":
        for _ in range(200):
            sys.stderr.write("y" * 100_000)
    if DOES == "echo":
        return {"content": [{"type": "text", "text": json.dumps(params["arguments"])}]}
    return SCRIPT.get("result", {"content": [{"type": "text", "text": "fine"}]})


def note(pid: int) -> None:
    with Path(SCRIPT["pid"]).open("a") as file:
        file.write(f"{pid}\n")


def start() -> None:
    if "pid" in SCRIPT:
        note(os.getpid())
    if DOES == "print beside the protocol":
        sys.stdout.write("Starting up …\n")
    if DOES == "die at the start":
        sys.exit("no configuration")
    if DOES == "die at a second start" and len(Path(SCRIPT["pid"]).read_text().split()) > 1:
        sys.exit("spent")
    if DOES == "die after the listing":
        signal.signal(signal.SIGALRM, lambda *_: os._exit(5))
    if DOES == "hang at the start":
        time.sleep(60)
    if DOES == "not go":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        note(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid)


def main() -> None:
    start()
    for line in sys.stdin:
        request = json.loads(line)
        if "id" not in request:
            continue
        head = {"jsonrpc": "2.0", "id": request["id"]}
        if DOES == "refuse calls" and request["method"] == "tools/call":
            say({**head, "error": {"code": -32602, "message": "bad\x1b[2J arguments"}})
        elif (result := answer(request)) is None:
            say({**head, "error": {"code": -32601, "message": "Method not found"}})
        else:
            say({**head, "result": result})
        if DOES == "die after the listing" and request["method"] == "tools/list":
            signal.setitimer(signal.ITIMER_REAL, 0.05)
    if DOES == "not go":
        time.sleep(60)


if __name__ == "__main__":
    main()
