"""From the start of a process to its first request to CodePipeline, and its memory at that moment."""

import json
import queue
import subprocess
import time

from .bench import median
from .drain import ACTION_TYPE
from .runtime_api import EVENT, PATIENCE, log_of, peak_kib, runtime_api, worker

RUNS = 9


def compare(bench, _name):
    results = bench.in_turn(lambda: ours(bench), lambda: peer(bench), 1 if bench.smoke else RUNS)
    return {side: {"seconds": median(runs), "peakKib": median(runs, "peakKib")} for side, runs in results.items()}


def ours(bench):
    actions = json.dumps([{"actionType": ACTION_TYPE, "timeoutSeconds": 60, "run": {"command": ["true"]}}])
    with runtime_api() as api:
        api.events.put(EVENT)
        began = time.monotonic()
        with worker(bench, api, f"http://{api.address}", ACTIONS=actions) as process:
            return first_request(api, process, began, lambda: log_of(bench))


def peer(bench):
    with runtime_api() as api:
        command = bench.command(bench.peer("start"))
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=bench.environment(f"http://{api.address}"))
        try:
            return first_request(api, process, began, lambda: "")
        finally:
            process.kill()
            process.wait()


def first_request(api, process, began, log):
    try:
        at = api.others.get(timeout=PATIENCE)
    except queue.Empty:
        raise AssertionError(f"the process sent no request: {log()}") from None
    return {"seconds": at - began, "peakKib": peak_kib(process.pid)}
