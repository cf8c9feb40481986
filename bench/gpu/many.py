#!/usr/bin/env python3
"""The seed's own job on all GPUs of one host: a server process with the upper half of them, a client process with the lower half, over
loopback rails, every byte compared on the GPU. Needs what run.py needs.

  many.py            one way, both ways, every process with all GPUs (where there are 4 or more), the C pipeline and NCCL's sockets
                     for the same pairs at once; under 9 minutes
  many.py --gpus 4   as if the host had no more

Results go to --out (the environment's OUT, or bench/gpu/target/results) as many.json, and as a table to stdout.
"""
import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import tempfile
import time

import kit
from kit import HERE, attempt, ceiling, cli, environment, gpus, lines, listens, nccl, next_port, save

RAILS = "--nics=lo1,lo2,lo3,lo4"


def together(calls):
    """Runs all at the same time; the sum of what they return."""
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [f.result() for f in [pool.submit(c) for c in calls]]


def visible(which):
    return environment(",".join(map(str, which)))


def process(args, env, err):
    out = tempfile.TemporaryFile("w+")
    return subprocess.Popen(args, stdout=out, stderr=err, text=True, env=env), out


def finish(p, limit):
    """Waits. Returns the exit status and the CPU seconds; 124 when it had to be killed."""
    end = time.time() + limit
    while True:
        pid, status, usage = os.wait4(p.pid, os.WNOHANG)
        if pid:
            p.returncode = os.waitstatus_to_exitcode(status)
            return p.returncode, usage.ru_utime + usage.ru_stime
        if time.time() > end:
            p.kill()
            os.wait4(p.pid, 0)
            p.returncode = 124
            return 124, 0.0
        time.sleep(0.05)


def job(label, client_gpus, server_gpus, *more, size="256MiB", iters=20, limit=150):
    """One run of the seed's job. Returns its figures and the steps of making its links."""
    number = next_port() + 1000
    common = [f"--gpus={len(client_gpus)}", "--backend=cuda", "--transport=tcp", f"--port={number}", RAILS, f"--size={size}",
              "--verify", "--steps=stderr", "--json", *more]
    with tempfile.TemporaryFile("w+") as server_said, tempfile.TemporaryFile("w+") as client_said:
        began = time.time()
        s, s_out = process(cli("server", *common), visible(server_gpus), server_said)
        while not listens(number) and s.poll() is None and time.time() - began < 60:
            time.sleep(0.05)
        c, c_out = process(cli("client", "127.0.0.1", f"--iters={iters}", *common), visible(client_gpus), client_said)
        c_rc, c_cpu = finish(c, limit)
        s_rc, s_cpu = finish(s, 20)
        for f in (s_out, c_out, server_said, client_said):
            f.seek(0)
        documents = [json.loads(f.read() or "{}") for f in (s_out, c_out)]
        steps = server_said.read()
        if c_rc or s_rc:
            raise RuntimeError(f"{label}: server {s_rc}, client {c_rc}\n{steps[-1500:]}\n{client_said.read()[-1500:]}")
    server, client = documents
    (kit.out / f"many-{re.sub('[^a-z0-9]+', '-', label)}.steps").write_text(steps)
    rate, moved = server.get("gbPerSecond"), server.get("bytes")
    cpu = s_cpu + c_cpu
    row = {"case": label, "gb_per_s": rate, "bytes": moved, "cpu_seconds": cpu, "server": server, "client": client,
           "steps": [l for l in steps.splitlines() if "READY" in l or "channels" in l][-4:]}
    each = [g.get("gbPerSecond") for g in server.get("perGpu", [])]
    print(f"  {label:<52} {rate} GB/s in sum; each {each}; CPU of both processes {cpu:.0f} s (fill and compare included), "
          f"{cpu / moved * 1e9 if moved else 0:.2f} s/GB", flush=True)
    for l in row["steps"]:
        print(f"      {l}", flush=True)
    return row


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--gpus", type=int, help="use only so many")
    p.add_argument("--seconds", type=int, default=500, help="nothing new is started after so long (500)")
    p.add_argument("--out", default=os.environ.get("OUT") or str(HERE / "target" / "results"))
    a = p.parse_args()
    kit.begin(a.out, a.seconds, ["many"])
    n = min(a.gpus or 64, len(gpus()))
    if n < 2:
        raise SystemExit("needs two GPUs or more")
    half = n // 2
    lower, upper = list(range(half)), list(range(half, 2 * half))
    pairs = list(zip(lower, upper))
    found = []

    def step(label, call):
        row = attempt(label, call)
        if row:
            found.append(row)
            save("many", found)

    print(f"{half} GPUs a side: client {lower}, server {upper}; 8 channels a GPU", flush=True)
    step("one way", lambda: job(f"{half} GPUs to {half}, one way", lower, upper))
    step("both ways", lambda: job(f"{half} GPUs and {half}, both ways", lower, upper, "--bidirectional"))
    if n >= 4:
        turned = upper + lower
        step("all", lambda: job(f"all {2 * half} GPUs on both sides, GPU g to GPU g + {half}", lower + upper, turned, iters=10))
        step("all, both ways", lambda: job(f"all {2 * half} GPUs on both sides, both ways", lower + upper, turned, "--bidirectional", iters=10))
    sockets = max(2, min(16, (os.cpu_count() or 2) // (2 * half)))
    for duplex in (False, True):
        for calls in ("agents" if duplex else "agent", "threads"):
            t = {"calls": calls, "sockets": max(1, sockets // (2 if duplex else 1))}
            label = f"C pipeline, {len(pairs)} pairs at once, {t['sockets']} sockets each, {calls}{', both ways' if duplex else ''}"
            rates = attempt(label, lambda: together([lambda pair=pair, t=dict(t): ceiling(t, 5, duplex, pair) for pair in pairs]))
            if rates:
                total = sum(sum(r) if duplex else r for r in rates)
                found.append({"case": label, "gb_per_s": total, "each": rates})
                save("many", found)
                print(f"  {label:<72} {total:.2f} GB/s in sum", flush=True)
    size = 256 * kit.MIB
    for name in ("default", "2x2 p2p8 512K"):
        label = f"NCCL sockets, {len(pairs)} pairs at once, {name}"
        said = attempt(label, lambda: together([lambda pair=pair: nccl(name, "throughput", [size], 100, pair) for pair in pairs]))
        if said:
            rates = [sorted(l["gb_per_s"] for l in s if l.get("bytes") == size) for s in said]
            total = sum(r[len(r) // 2] for r in rates if r)
            found.append({"case": label, "gb_per_s": total, "each": rates})
            save("many", found)
            print(f"  {label:<72} {total:.2f} GB/s in sum", flush=True)
    if time.time() < kit.deadline:
        raw = subprocess.run([kit.program("lists"), "gpu=0", f"peer={half}"], capture_output=True, text=True, timeout=60)
        save("many_raw", lines(raw.stdout))
        print(raw.stdout, flush=True)


if __name__ == "__main__":
    main()
