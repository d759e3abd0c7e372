"""Lambda's Runtime API, as far as the worker uses it, and the processes that it invokes."""

import json
import os
import queue
import subprocess
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE = 120
# The worker treats this as a tick of its schedule.
EVENT = {}
FUNCTION = {
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    "AWS_LAMBDA_LOG_GROUP_NAME": "bench",
    "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
}


class RuntimeApi:
    """Hands out one event for each `invoke`. Answers every other request as a CodePipeline without jobs, and notes the first one."""

    def __init__(self):
        self.events, self.responses, self.others = queue.Queue(), queue.Queue(), queue.Queue()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if self.path.endswith("/invocation/next"):
                    self.reply(json.dumps(api.events.get()))
                else:
                    self.other()

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if "/runtime/" in self.path:
                    api.responses.put((time.monotonic(), self.path, body))
                    self.reply("{}")
                else:
                    self.other()

            def other(self):
                api.others.put(time.monotonic())
                self.reply('{"jobs": []}')

            def reply(self, text):
                body = text.encode()
                deadline = int((time.time() + 900) * 1000)
                self.send_response(200)
                for name, value in {
                    "Content-Type": "application/x-amz-json-1.1",
                    "Content-Length": len(body),
                    "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
                    "Lambda-Runtime-Deadline-Ms": deadline,
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:bench",
                }.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """A process that has been measured is killed, and its connections break."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def invoke(self):
        """Returns the response of one invocation and the seconds that it took."""
        began = time.monotonic()
        self.events.put(EVENT)
        ended, path, body = self.responses.get(timeout=PATIENCE)
        if not path.endswith("/response"):
            raise AssertionError(f"the worker reported an error: {body.decode()}")
        return json.loads(body), ended - began

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def runtime_api():
    api = RuntimeApi()
    try:
        yield api
    finally:
        api.close()


@contextmanager
def worker(bench, api, endpoint, **variables):
    """The release binary of the worker. Yields its process."""
    folder = bench.scratch / "work"
    folder.mkdir(exist_ok=True)
    variables = {**FUNCTION, "AWS_LAMBDA_RUNTIME_API": api.address, "WORK_FOLDER": str(folder), **variables}
    with open(bench.scratch / "worker.log", "wb") as log:
        command = bench.command([bench.programs / "codepipeline-worker"])
        process = subprocess.Popen(command, stdout=log, stderr=log, env=bench.environment(endpoint, **variables))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def peak_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def log_of(bench):
    path = bench.scratch / "worker.log"
    return path.read_text("utf-8", "replace")[-4000:] if os.path.exists(path) else ""
