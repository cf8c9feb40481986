#!/usr/bin/env python3
"""Two daemons on one host, and Python processes whose GPU memory is written from one's into the other's, next to the library in the same run.
Needs python3, an NVIDIA driver and bench/gpu/target/kit (pack.sh). PyTorch where it can be imported, with its plain allocator and with
expandable segments; else memory of the same two kinds straight from the driver, which the table says.

  daemon.py                 rates of 64 MiB, 256 MiB and lists of 4096 x 16 KiB over tcp and ipc, every byte compared; kill -9 of clients and what
                            nvidia-smi says before and after; with PyTorch also beside matrix products without pause. Under 9 minutes
  daemon.py rates kill busy only these
  daemon.py --transports ipc --kinds plain --time 2

Results go to --out (the environment's OUT, or bench/gpu/target/results) as daemon.json, and as one table to stdout. With one GPU both
sides use it; with two, GPU 0 writes to GPU 1, and one client numbers the two the other way round than its daemon.
"""
import argparse
import itertools
import json
import os
import pathlib
import queue
import random
import subprocess
import sys
import threading
import time

import kit
from kit import HERE, KIT, MIB, attempt, cli, environment, gpus, next_port, second_gpu, served

ROOT = HERE.parent.parent
RAILS = "lo1,lo2,lo3,lo4"
BLOCK = 16 << 10
BLOCKS = 4096
POOL = 256 * MIB
VICTIM = 2048 * MIB
UNDER_WAY = 4
KINDS = ("plain", "expandable")
results = {}


def client_environment(visible, kind):
    """Of a Python process that is a client."""
    packed, here = KIT / "python", ROOT / "client-python"
    paths = [packed] if packed.exists() else [here, here / "tests"]
    e = environment(visible, {
        "PYTHONPATH": ":".join(map(str, [*paths, HERE])),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SLUICE_LIBRARY": os.environ.get("SLUICE_LIBRARY") or str(KIT / "libsluice.so"),
    })
    if kind == "expandable":
        e["PYTORCH_CUDA_ALLOC_CONF"] = "expandable_segments:True"
    return e


# ---- what a client process does: told by lines of JSON on stdin, answers each by one on stdout ----


class TorchMemory:
    """A tensor; the allocator is what the environment says."""

    def __init__(self, nbytes, ordinal):
        import torch

        self.torch = torch
        self.device = torch.device("cuda", ordinal)
        self.tensor = torch.empty(nbytes, dtype=torch.uint8, device=self.device)
        self.made_by = f"torch {torch.__version__}"

    def content(self, nbytes, seed):
        t = self.torch
        x = t.arange(nbytes // 8, dtype=t.int64, device=self.device)
        x = (x + seed) * -7046029254386353131
        return (x ^ (x >> 29)).view(t.uint8)

    def fill(self, nbytes, seed):
        self.tensor[:nbytes].copy_(self.content(nbytes, seed))
        self.torch.cuda.synchronize(self.device)

    def is_right(self, nbytes, seed, source_order, target_order):
        self.torch.cuda.synchronize(self.device)
        expected, found = self.content(nbytes, seed), self.tensor[:nbytes]
        if source_order:
            expected = expected.view(-1, BLOCK)[self.torch.tensor(source_order, device=self.device)]
            found = found.view(-1, BLOCK)[self.torch.tensor(target_order, device=self.device)]
        return bool(self.torch.equal(expected, found))


class DriverMemory:
    """The driver's, without PyTorch."""

    def __init__(self, nbytes, ordinal, kind):
        from gpu_memory import Buffer

        self.tensor = Buffer(nbytes, kind, ordinal)
        self.made_by = "cuMemAlloc" if kind == "plain" else "cuMemCreate in pieces of 20 MiB"

    def content(self, nbytes, seed):
        made = random.Random(seed)
        whole, rest = divmod(nbytes, 16 * MIB)
        return b"".join([made.randbytes(16 * MIB) for _ in range(whole)] + [made.randbytes(rest)])

    def fill(self, nbytes, seed):
        self.tensor.put(self.content(nbytes, seed))

    def is_right(self, nbytes, seed, source_order, target_order):
        expected, found = self.content(nbytes, seed), self.tensor.get(0, nbytes)
        if not source_order:
            return expected == found
        return all(expected[s * BLOCK:(s + 1) * BLOCK] == found[t * BLOCK:(t + 1) * BLOCK]
                   for s, t in zip(source_order, target_order))


class Products:
    """Matrix products on a client's GPU, without pause."""

    def __init__(self, torch, device):
        self.torch, self.device = torch, device
        self.a = torch.randn(4096, 4096, device=device, dtype=torch.bfloat16)
        self.stop = False
        self.done = 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        stream = self.torch.cuda.Stream(self.device)
        events = []
        with self.torch.cuda.stream(stream):
            while not self.stop:
                for _ in range(8):
                    self.a @ self.a
                event = self.torch.cuda.Event()
                event.record(stream)
                events.append(event)
                if len(events) > 2:
                    events.pop(0).synchronize()
                    self.done += 8
            stream.synchronize()


def order(seed, count=BLOCKS):
    blocks = list(range(count))
    random.Random(seed).shuffle(blocks)
    return blocks


class Worker:
    def __init__(self, socket, kind, ordinal, nbytes, name):
        import sluice

        if os.environ.get("WITHOUT_TORCH"):
            found = False
        else:
            try:
                import torch

                found = torch.cuda.is_available()
            except ImportError:
                found = False
        self.memory = TorchMemory(nbytes, ordinal) if found else DriverMemory(nbytes, ordinal, kind)
        self.client = sluice.Client(socket, name=name)
        self.mine = self.client.register_tensor(self.memory.tensor)
        self.name = name
        self.products = None
        self.rounds = 0

    def hello(self, **_):
        return {"gpu": self.mine.gpu, "made_by": self.memory.made_by}

    def share(self, **_):
        self.mine.share(self.name)
        return {}

    def link(self, address, to, gpu, **_):
        self.over = self.client.connect(address, local_gpu=self.mine.gpu, remote_gpu=gpu, timeout=60)
        self.there = self.over.remote(to, timeout=60)
        return {}

    def fill(self, nbytes, seed, **_):
        self.memory.fill(nbytes, seed)
        return {}

    def check(self, nbytes, seed, listed=False, **_):
        return {"right": self.memory.is_right(nbytes, seed, order(1) if listed else None, order(2) if listed else None)}

    def posting(self, nbytes, listed):
        if not listed:
            return lambda: self.over.write(self.mine, self.there, nbytes)
        prepared = self.client.prepare([(self.mine, b * BLOCK, BLOCK) for b in order(1)],
                                       [(self.there, b * BLOCK, BLOCK) for b in order(2)])
        return lambda: self.over.write_prepared(prepared)

    def rate(self, nbytes, seconds, listed=False, **_):
        post = self.posting(nbytes, listed)
        flying, took = [], []
        began = time.monotonic()
        warm, end, start = began + min(1.0, seconds / 2), None, None
        while True:
            now = time.monotonic()
            if start is None and now >= warm and flying:
                flying.pop(0)[1].wait(60)
                start = time.monotonic()
                end = start + seconds
                continue
            if end is not None and now >= end:
                break
            while len(flying) < UNDER_WAY:
                flying.append((time.monotonic(), post()))
            posted, transfer = flying.pop(0)
            transfer.wait(60)
            if start is not None:
                took.append(time.monotonic() - posted)
        for _, transfer in flying:
            transfer.wait(60)
            took.append(0.0)
        lasted = time.monotonic() - start
        durations = sorted(t for t in took if t > 0)
        # the one that ended as the clock started is not counted; those under way then are, in full
        return {"gb_per_s": round(nbytes * len(took) / lasted / 1e9, 3), "transfers": len(took),
                "p50_us": round(durations[len(durations) // 2] * 1e6, 1), "p99_us": round(durations[len(durations) * 99 // 100] * 1e6, 1)}

    def traffic(self, nbytes, **_):
        """Writes until the process is killed."""
        def run():
            post = self.posting(nbytes, False)
            flying = []
            while True:
                flying.append(post())
                if len(flying) >= UNDER_WAY:
                    flying.pop(0).wait(60)
                    self.rounds += 1

        threading.Thread(target=run, daemon=True).start()
        end = time.monotonic() + 30
        while self.rounds < 3 and time.monotonic() < end:
            time.sleep(0.01)
        return {"rounds": self.rounds}

    def busy(self, on, **_):
        if on:
            self.products = Products(self.memory.torch, self.memory.device)
        else:
            self.products.stop = True
            self.products.thread.join()
        return {}

    def products_in(self, seconds, **_):
        before, began = self.products.done, time.monotonic()
        time.sleep(seconds)
        return {"per_second": (self.products.done - before) / (time.monotonic() - began)}

    def end(self, **_):
        self.client.close()
        return {}


def work(arguments):
    socket, kind, ordinal, nbytes, name = arguments
    said = os.dup(1)
    os.dup2(2, 1)  # what libraries print is no answer
    out = os.fdopen(said, "w")
    worker = Worker(socket, kind, int(ordinal), int(nbytes), name)
    for line in itertools.chain(['{"do": "hello"}'], iter(sys.stdin.readline, "")):
        command = json.loads(line)
        try:
            answer = getattr(worker, command.pop("do"))(**command)
        except Exception as e:  # the one who asked is told
            answer = {"error": f"{type(e).__name__}: {e}"}
        out.write(json.dumps(answer) + "\n")
        out.flush()


# ---- what orders them about ----


class Client:
    """A process of the above."""

    def __init__(self, name, socket, visible, ordinal, kind, nbytes=POOL):
        self.name = name
        self.log = open(kit.out / f"daemon-{name}.log", "w+")
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "daemon.py"), "--work", str(socket), kind, str(ordinal), str(nbytes), name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, env=client_environment(visible, kind))
        self.answers = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        ready = self.answer(120)
        self.gpu, self.made_by = ready["gpu"], ready["made_by"]

    def read(self):
        for line in self.process.stdout:
            self.answers.put(line)
        self.answers.put("")

    def tell(self, do, **more):
        self.process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self.process.stdin.flush()

    def answer(self, limit=90):
        try:
            line = self.answers.get(timeout=limit)
        except queue.Empty:
            self.process.kill()
            line = ""
        if not line:
            self.process.wait()
            self.log.seek(0)
            raise RuntimeError(f"client {self.name} ended or did not answer: {self.log.read()[-1500:]}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"client {self.name}: {answer['error']}")
        return answer

    def ask(self, do, limit=90, **more):
        self.tell(do, **more)
        return self.answer(limit)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        try:
            if self.process.poll() is None:
                self.ask("end", 30)
        except (RuntimeError, OSError):
            pass
        self.kill()


class Daemons:
    """One beside each GPU, which reach each other."""

    def __init__(self, transport):
        two = second_gpu() == 1
        # by ipc each daemon has to see the other's GPU; its own comes first
        self.visible = ("0,1", "1,0") if two else ("0", "0")
        self.folder = pathlib.Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
        self.port = next_port()
        self.processes = []
        for side, listen in ((0, "none"), (1, f"127.0.0.1:{self.port}")):
            log = open(kit.out / f"daemon-{transport}-{side}.log", "w")
            command = cli("daemon", "--socket", str(self.socket(side)), "--listen", listen, "--backend", "cuda", "--gpus", "1",
                          "--nics", RAILS, "--transport", transport)
            self.processes.append((subprocess.Popen(command, stdout=log, stderr=log, env=environment(self.visible[side])), log))
        end = time.time() + 60
        while not all(self.socket(s).exists() for s in (0, 1)):
            if time.time() > end or any(p.poll() is not None for p, _ in self.processes):
                said = "".join(pathlib.Path(log.name).read_text()[-1500:] for _, log in self.processes)
                self.close()
                raise RuntimeError(f"a daemon did not start: {said}")
            time.sleep(0.05)

    def socket(self, side):
        return self.folder / f"socket{side}"

    def address(self):
        return f"127.0.0.1:{self.port}"

    def pair(self, kind, label, nbytes=POOL):
        """A client that writes and one that is written to, linked. The latter sees the GPUs the other way round than its daemon."""
        two = second_gpu() == 1
        target = Client(f"{label}-target", self.socket(1), "0,1" if two else "0", 1 if two else 0, kind, nbytes)
        try:
            source = Client(f"{label}-source", self.socket(0), self.visible[0], 0, kind, nbytes)
        except RuntimeError:
            target.kill()
            raise
        target.ask("share")
        source.ask("link", address=self.address(), to=target.name, gpu=target.gpu)
        return source, target

    def lives(self):
        return all(p.poll() is None for p, _ in self.processes)

    def close(self):
        for p, log in self.processes:
            p.terminate()
        for p, log in self.processes:
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
            log.close()
        subprocess.run(["rm", "-rf", str(self.folder)], check=False)


def save(name, value):
    results[name] = value
    (kit.out / "daemon.json").write_text(json.dumps(results, indent=1))


def library(transport, nbytes, listed, seconds):
    """The same bytes by two processes that are nodes themselves, with the same settings."""
    number = next_port()
    common = ["--backend=cuda", f"--port={number}", f"--nics={RAILS}", f"--transport={transport}"]
    client = [*common, f"--sizes={nbytes}", f"--under-way={UNDER_WAY}", f"--time={seconds}s", "--op=write", "--json"]
    if listed:
        client += [f"--layout=blocks:{BLOCK}", "--shuffle"]
    one, other = ("0,1", "1,0") if second_gpu() else ("0", "0")
    said = served(cli("bench", "--serve", *common), cli("bench", "127.0.0.1", *client), number, environment(other), environment(one), 90)
    point = json.loads(said[said.index("{"):])["points"][0]
    if point["wrong"]:
        raise RuntimeError(f"{point['wrong']} wrong bytes")
    return point["algbw"]


SHAPES = (("64 MiB", 64 * MIB, False), ("256 MiB", 256 * MIB, False), ("4096 x 16 KiB", BLOCKS * BLOCK, True))


def one_rate(source, target, nbytes, listed, seconds, seed):
    source.ask("fill", nbytes=nbytes, seed=seed)
    target.ask("fill", nbytes=nbytes, seed=seed + 1)
    got = source.ask("rate", nbytes=nbytes, listed=listed, seconds=seconds, limit=seconds + 90)
    if not target.ask("check", nbytes=nbytes, seed=seed, listed=listed)["right"]:
        raise RuntimeError("wrong bytes")
    return {**got, "verified": True}


def rates(a):
    rows = []
    print(f"{'transport':<10}{'memory':<12}{'shape':<15}{'library GB/s':>13}{'daemon GB/s':>13}{'share':>8}{'p50 us':>10}{'p99 us':>10}  verified, made by",
          flush=True)
    seed = 100
    for transport in a.transports:
        theirs = {}
        for shape, nbytes, listed in SHAPES:
            theirs[shape] = attempt(f"library {transport} {shape}", lambda: library(transport, nbytes, listed, a.time))
        daemons = attempt(f"daemons {transport}", lambda: Daemons(transport))
        if daemons is None:
            continue
        try:
            for kind in a.kinds:
                pair = attempt(f"clients {transport} {kind}", lambda: daemons.pair(kind, f"{transport}-{kind}"))
                if pair is None:
                    continue
                for shape, nbytes, listed in (SHAPES[2], SHAPES[0]):  # the daemons' JVMs compile in these
                    attempt("warming up", lambda: pair[0].ask("rate", nbytes=nbytes, listed=listed, seconds=a.time))
                for shape, nbytes, listed in SHAPES:
                    seed += 10
                    got = attempt(f"{transport} {kind} {shape}", lambda: one_rate(*pair, nbytes, listed, a.time, seed))
                    if got is None:
                        if any(c.process.poll() is not None for c in pair):
                            break
                        continue
                    share = got["gb_per_s"] / theirs[shape] if theirs[shape] else float("nan")
                    rows.append({"transport": transport, "kind": kind, "made_by": pair[0].made_by, "shape": shape, "bytes": nbytes,
                                 "library_gb_per_s": theirs[shape], "share": share, **got})
                    save("rates", rows)
                    print(f"{transport:<10}{kind:<12}{shape:<15}{theirs[shape] or float('nan'):>13.2f}{got['gb_per_s']:>13.2f}{share:>8.3f}"
                          f"{got['p50_us']:>10.1f}{got['p99_us']:>10.1f}  {got['transfers']} transfers, {pair[0].made_by}", flush=True)
                for c in pair:
                    c.close()
        finally:
            daemons.close()


def used():
    """MiB of each GPU that are taken, as nvidia-smi says."""
    try:
        said = subprocess.run(["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"], capture_output=True, text=True).stdout
        return [int(l) for l in said.split()]
    except (OSError, ValueError):
        return []


def freed(wanted, limit=10.0):
    """Seconds until nvidia-smi says of every GPU what is wanted, or at most 32 MiB more; None when it does not, or there is none."""
    began = time.monotonic()
    while wanted and time.monotonic() - began < limit:
        now = used()
        took = time.monotonic() - began
        if all(n <= w + 32 for n, w in zip(now, wanted)):
            return round(took, 2)
        time.sleep(0.02)
    return None


def kill(a):
    """A pair goes on while others are killed in the middle of their transfers."""
    rows = []
    for transport in a.transports:
        daemons = attempt(f"daemons {transport}", lambda: Daemons(transport))
        if daemons is None:
            continue
        try:
            for kind in a.kinds:
                row = attempt(f"kill {transport} {kind}", lambda: killed(daemons, transport, kind, a.victim * MIB))
                if row:
                    rows.append(row)
                    save("kill", rows)
                    print(f"kill -9, {transport} {kind}: MiB used before {row['before']}, with the victims {row['with']}, after {row['after']}; its "
                          f"memory back after {row['seconds_source']} s (writer killed), {row['seconds_target']} s (target killed); the pair beside them: "
                          f"{row['steady']['transfers']} transfers, verified {row['steady_right']}", flush=True)
        finally:
            daemons.close()


def killed(daemons, transport, kind, victim):
    steady = daemons.pair(kind, f"steady-{transport}-{kind}")
    try:
        nbytes = 16 * MIB
        # everything that daemons take once, they take here
        first = daemons.pair(kind, f"first-{transport}-{kind}", victim)
        first[0].ask("traffic", nbytes=nbytes)
        for c in first:
            c.kill()
        time.sleep(2)
        steady[0].ask("fill", nbytes=nbytes, seed=5)
        steady[1].ask("fill", nbytes=nbytes, seed=6)
        before = used()
        steady[0].tell("rate", nbytes=nbytes, seconds=12)
        row = {"transport": transport, "kind": kind, "before": before}
        for which in (0, 1):
            pair = daemons.pair(kind, f"victim{which}-{transport}-{kind}", victim)
            pair[0].ask("traffic", nbytes=nbytes)
            row["with"] = used()
            gpu = which * second_gpu()
            without = [u - (victim // MIB if g == gpu else 0) for g, u in enumerate(row["with"])]
            pair[which].kill()
            # its memory goes though the other of the two is still there
            row["seconds_source" if which == 0 else "seconds_target"] = freed(without)
            pair[1 - which].kill()
            row["seconds_both"] = max(row.get("seconds_both") or 0, freed(before) or -1)
        row["after"] = used()
        row["steady"] = steady[0].answer(60)
        row["steady_right"] = steady[1].ask("check", nbytes=nbytes, seed=5)["right"]
        row["daemons_live"] = daemons.lives()
        return row
    finally:
        for c in steady:
            c.close()


def busy(a):
    """Rates while the GPUs of both clients run matrix products, and what those lose. PyTorch only."""
    rows = []
    for transport in a.transports:
        daemons = attempt(f"daemons {transport}", lambda: Daemons(transport))
        if daemons is None:
            continue
        try:
            pair = attempt(f"clients {transport}", lambda: daemons.pair("plain", f"busy-{transport}"))
            if pair is None:
                continue
            if not pair[0].made_by.startswith("torch"):
                print("beside matrix products: not measured, there is no PyTorch", flush=True)
                return
            for shape, nbytes, listed in SHAPES:
                row = attempt(f"busy {transport} {shape}", lambda: beside_products(pair, nbytes, listed, a.time))
                if row:
                    rows.append({"transport": transport, "shape": shape, **row})
                    save("busy", rows)
                    print(f"beside matrix products, {transport} {shape}: {row['gb_per_s']} GB/s (idle {row['idle']['gb_per_s']}), p99 {row['p99_us']} us (idle "
                          f"{row['idle']['p99_us']}); products go at {row['products_share']:.3f} of their rate alone", flush=True)
            for c in pair:
                c.close()
        finally:
            daemons.close()


def beside_products(pair, nbytes, listed, seconds):
    idle = one_rate(*pair, nbytes, listed, seconds, 900)
    for c in pair:
        c.ask("busy", on=True)
    try:
        time.sleep(0.5)
        alone = pair[1].ask("products_in", seconds=seconds)["per_second"]
        pair[0].ask("fill", nbytes=nbytes, seed=905)
        pair[1].tell("products_in", seconds=seconds + 1)
        got = pair[0].ask("rate", nbytes=nbytes, listed=listed, seconds=seconds, limit=seconds + 90)
        beside = pair[1].answer(seconds + 30)["per_second"]
    finally:
        for c in pair:
            c.ask("busy", on=False)
    if not pair[1].ask("check", nbytes=nbytes, seed=905, listed=listed)["right"]:
        raise RuntimeError("wrong bytes")
    return {**got, "idle": idle, "products_share": beside / alone if alone else float("nan"), "verified": True}


STEPS = {"rates": rates, "kill": kill, "busy": busy}


def main():
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2:])
        return
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", nargs="*", metavar="rates|kill|busy", help="all of them when none is named")
    p.add_argument("--transports", default="tcp,ipc", type=lambda s: s.split(","))
    p.add_argument("--kinds", default=",".join(KINDS), type=lambda s: s.split(","))
    p.add_argument("--time", type=int, default=3, help="seconds of each rate (3)")
    p.add_argument("--victim", type=int, default=VICTIM // MIB, help="MiB of a client that is killed (2048)")
    p.add_argument("--seconds", type=int, default=510, help="nothing new is started after so long (510)")
    p.add_argument("--out", default=os.environ.get("OUT") or str(HERE / "target" / "results"))
    a = p.parse_args()
    a.what = a.what or list(STEPS)
    if not set(a.what) <= set(STEPS) or not set(a.kinds) <= set(KINDS) or not set(a.transports) <= {"tcp", "ipc"}:
        p.error("steps are rates, kill and busy; kinds plain and expandable; transports tcp and ipc")
    if a.victim > POOL // MIB * 64 or a.victim < 64:
        p.error("a victim has 64 MiB to 16 GiB")
    kit.begin(a.out, a.seconds, a.what)
    save("machine", {"gpus": gpus(), "cpus": os.cpu_count()})
    for w in a.what:
        began = time.time()
        attempt(w, lambda: STEPS[w](a))
        print(f"({w}: {time.time() - began:.0f} s)\n", flush=True)


if __name__ == "__main__":
    main()
