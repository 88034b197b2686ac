"""A real HTTP server on loopback that speaks the chat completions of OpenAI and misbehaves on command."""

import gzip
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PACE = ("slow", "fast", "halting", "rushed", "even", "dragging", "clipped", "rolling", "jerky", "measured", "lilting")
TONE = ("bright", "dark", "hollow", "warm", "rough", "thin", "silky", "brittle", "husky", "ringing", "muffled", "sour")
MOOD = ("weary", "glad", "bitter", "serene", "tense", "playful", "grim", "tender", "frantic", "sullen", "eager", "numb")
BREATH = ("sighing", "breathless", "shaking", "steady", "trembling", "swelling", "fading", "pressed", "open", "tight")


def caption(number: int) -> str:
    """A good caption; no two of 15,840 are the same."""
    parts = []
    for words in (PACE, TONE, MOOD, BREATH):
        number, rest = divmod(number, len(words))
        parts.append(words[rest])
    pace, tone, mood, breath = parts
    return f"A {pace}, {tone} voice, {mood} and {breath}."


@dataclass
class Seen:
    """One request as it arrived."""

    run: int
    fault: str
    items: list[dict[str, Any]]
    text: str
    headers: dict[str, str]
    raw: dict[str, Any]
    at: float


@dataclass
class Server:
    """Its address, what it saw, and what it does wrong.

    Args:
        fault: number of the request -> how to misbehave, "" to behave.
    """

    fault: Callable[[int], str] = lambda number: ""
    delay: float = 0.0
    run: int = 0
    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    wanted: int = 10**6  # captions of every point; asking for more than are missing is remembered
    accepted: Counter[str] = field(default_factory=Counter)  # point -> captions that the client must have taken
    too_often: list[str] = field(default_factory=list)
    hang: float = 2.5
    wait: str = "0.05"
    body: Callable[[list[dict[str, Any]]], str] | None = None
    wrap: Callable[[str], Any] = lambda content: content  # a good answer -> what stands in the message
    refuse: Callable[[dict[str, Any]], tuple[int, str] | None] = lambda request: None  # request -> status and body
    error: tuple[int, str] = (400, "")
    lock: Any = field(default_factory=threading.Lock)
    number: int = 0
    gzip: bool = False

    def good(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        answer = []
        for item in items:
            first, self.number = self.number, self.number + item["captions"]
            answer.append({"id": item["id"], "captions": [caption(first + i) for i in range(item["captions"])]})
        return answer


FIELDS = ("valence", "arousal", "dominance", "speaker", "emotion", "words")


def point(item: dict[str, Any]) -> str:
    """What an item asks for, as the store writes it."""
    return json.dumps({name: item[name] for name in FIELDS if name in item})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        """Until the client hangs up, or is killed."""
        with suppress(ConnectionResetError):
            super().handle()

    def do_POST(self) -> None:
        state = self.state
        raw = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = raw["messages"][-1]["content"]
        items = json.loads(text)["items"]
        with state.lock:
            fault = state.fault(len(state.seen))
            state.too_often += [text for i in items if state.accepted[point(i)] + i["captions"] > state.wanted]
            run = state.run
            state.seen.append(
                Seen(run, fault, items, text, {k.lower(): v for k, v in self.headers.items()}, raw, time.monotonic())
            )
        time.sleep(state.delay)
        assert self.path.partition("?")[0].endswith("/v1/chat/completions")
        with suppress(BrokenPipeError, ConnectionResetError):
            refusal = state.refuse(raw)
            self.send(*refusal) if refusal else self.answer(fault, run, items)

    def answer(self, fault: str, run: int, items: list[dict[str, Any]]) -> None:
        state = self.state
        if fault == "429":
            return self.send(429, json.dumps({"error": {"message": "slow down"}}), {"Retry-After": state.wait})
        if fault == "500":
            return self.send(500, "<h1>oops</h1>")
        if fault == "error":
            return self.send(state.error[0], json.dumps({"error": {"message": state.error[1]}}))
        if fault == "hang":
            time.sleep(state.hang)
            self.close_connection = True
            return None
        if fault == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b'{"choices": [')
            self.close_connection = True
            return None
        if fault == "enormous":
            return self.flood()
        if fault == "refusal":
            return self.send(200, self.completion("I'm sorry, I can't help with that.", refusal=True))
        if fault == "invalid":
            return self.send(200, self.completion('{"items": [{"id": 1, "capt'))
        with state.lock:
            answer = state.good(items)
        if fault == "count":
            answer = answer[:-1] if len(answer) > 1 else []
        elif fault == "many":
            for each in answer:
                each["captions"] = each["captions"] + ["one too many, though it reads well"]
        elif fault == "duplicates":
            for each in answer:
                each["captions"] = [each["captions"][0]] * len(each["captions"])
        content = state.body(items) if state.body else json.dumps({"items": answer})
        with state.lock:  # before it is sent: the client may ask again at once
            for each in items if run == state.run else []:  # nobody is left to take what a killed run asked for
                state.accepted[point(each)] += {"": each["captions"], "duplicates": 1}.get(fault, 0)
        return self.send(200, self.completion(state.wrap(content)))

    def completion(self, content: Any, refusal: bool = False) -> str:
        message = {
            "role": "assistant",
            "content": None if refusal else content,
            "refusal": content if refusal else None,
        }
        return json.dumps(
            {
                "id": "c",
                "object": "chat.completion",
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150},
            }
        )

    def send(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        data = gzip.compress(body.encode()) if self.state.gzip else body.encode()
        self.send_response(status)
        if self.state.gzip:
            self.send_header("Content-Encoding", "gzip")
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def flood(self) -> None:
        """Two gigabytes, if anybody reads them."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.close_connection = True
        for _ in range(2048):
            self.wfile.write(b" " * (1 << 20))


@contextmanager
def serving(state: Server) -> Iterator[Server]:
    """The server, until the block ends."""
    handler = type("Handler", (_Handler,), {"state": state})
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    http.daemon_threads = True
    state.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        http.shutdown()
        http.server_close()
