#!/usr/bin/env python3
"""Measures Sluice on real GPUs, next to a bare C pipeline and NCCL's sockets in the same run. Needs python3, an NVIDIA driver and
bench/gpu/target/kit (pack.sh); PyTorch for NCCL, and nvcc where the kit was packed without one.

  run.py tests     the cuda module's tests on the real GPU                                     1 min
  run.py unpack    the unpack kernel next to plain copies; launches of 1 to 2048 descriptors   1 min
  run.py plugin    a NCCL net plugin with bounce buffers in GPU memory, unpacked by a kernel   1 min
  run.py raw       what kernels and copy engines reach with lists, without Sluice              1 min
  run.py pieces    Sluice's queues of lists and pieces alone, without sockets                  1 min
  run.py lists     block lists between two processes, next to one range of as many bytes       2 min
  run.py sweep     which channels, sockets and chunks are best, of all three                   4 min
  run.py pair      two processes, 64 MiB to 1 GiB, alternating; medians and ratios             5 min
  run.py duplex    both directions at once, next to the C pipeline                             1 min
  run.py latency   8 B to 64 KiB, one way, next to NCCL                                        1 min
  run.py ipc       two processes of the host that pull from each other's GPU, next to the driver's own copies    2 min
  run.py prepared  120 000 blocks of 40 KiB, prepared: first chunk and rate, whole and by new selections    1 min
  run.py kills     51 peers killed or stopped while they pull from each other by ipc           5 min
  run.py soak      10 000 transfers, memory before and after                                   1 min
  run.py all       everything above in turn, until --seconds are over

Results go to --out (the environment's OUT, or bench/gpu/target/results) as JSON, and as tables to stdout. With one GPU both
processes use it; with two, client GPU 0 and server GPU 1.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import copies
import kit
from kit import (HERE, JAVA, KIT, MIB, NCCL_COMMON, NCCL_TUNINGS, attempt, ceiling, cli, environment, java, lines, nccl, next_port,
                 program, results, save, second_gpu, served, sluice, sluice_rates, two)

SIZES = [64 * MIB, 256 * MIB, 1024 * MIB]
SLUICE_TUNINGS = {
    "default": {},
    "8 ch x 1": {"channels": 8, "sockets": 1},
    "12 ch x 1": {"channels": 12, "sockets": 1},
    "16 ch x 1": {"channels": 16, "sockets": 1},
    "8 ch x 2": {"channels": 8, "sockets": 2},
    "16 ch x 1, 2 MiB": {"channels": 16, "sockets": 1, "chunk": 2 * MIB},
    "16 ch x 1, 512 KiB": {"channels": 16, "sockets": 1, "chunk": MIB // 2},
}
CEILING_TUNINGS = {
    f"{calls} {n} sockets": {"calls": calls, "sockets": n} for calls in ("agent", "threads") for n in (6, 8, 12, 16)
}

# rounds=N times=N for a shorter run of the unpack tables
UNPACK = os.environ.get("UNPACK_BENCH", "").split()
PIECES = os.environ.get("PIECE_BENCH", "").split()

PREPARED = os.environ.get("PREPARED_LIST", "120000 40K cuda").split()

# what step ipc measures: cuda, or host on a machine without a GPU
IPC_BACKEND = os.environ.get("IPC_BACKEND", "cuda")


def nccl_rates(tuning, sizes):
    got = nccl(tuning, "throughput", sizes)
    wrong = [l for l in got if l.get("verified") is False]
    if wrong:
        raise RuntimeError(f"NCCL gave wrong bytes: {wrong}")
    return {s: statistics.median(l["gb_per_s"] for l in got if l.get("bytes") == s) for s in sizes}


def plugin():
    """The testkit's plugin behaves as GPUDirect-TCPX does; its own copies into its bounce buffer set the rate, not Sluice."""
    own = {
        "FAKE_NET_MODE": "tcpx",
        "FAKE_NET_CUDA": os.environ.get("SLUICE_CUDA_LIBRARY", "libcuda.so.1"),
        "FAKE_NET_LOG": str(kit.out / "plugin.log"),
        "NCCL_DEBUG": "WARN",
    }
    common = {"backend": "cuda-timed", "transport": "nccl-net", "plugin": str(KIT / "libnccl-net-fake.so"), "rounds": 3, "warmup": 1,
              "mode": "throughput", "sizes": 64 * MIB}
    found = []
    print("plugin in TCPX mode, 8 channels, chunks of 512 KiB in 4 KiB pages, 64 MiB, every round verified", flush=True)
    for label, both, unpack, poison, total in (
        ("two processes, pages spoiled when given back", False, "kernel", 1, "256M"),
        ("two processes", False, "kernel", 0, "1G"),
        ("one process", True, "kernel", 0, "1G"),
        ("one process", True, "copies", 0, "256M"),
        ("one process", True, "host", 0, "256M"),
    ):
        said = attempt(f"{label}, {unpack}", lambda: plugin_run(common, both, unpack, total, {**own, "FAKE_NET_POISON": str(poison)}))
        if not said:
            continue
        rate = statistics.median(l["gb_per_s"] for l in said if "gb_per_s" in l)
        times = max((l for l in said if "unpack" in l), key=lambda l: l["chunks"], default={})
        found.append({"case": label, "unpack": unpack, "gb_per_s": rate, "times": times})
        save("plugin", found)
        print(f"  {label:<46} {unpack:<7} {rate:>6.2f} GB/s; a chunk: p50 {times.get('p50_us')} us, p99 {times.get('p99_us')} us, "
              f"of the host {times.get('host_us')} us, {times.get('chunks_a_launch')} a launch", flush=True)
    log = kit.out / "plugin.log"
    breaches = [l for l in log.read_text().splitlines() if l.startswith("violation")] if log.exists() else []
    save("plugin_violations", breaches)
    print(f"  violations of the plugin's contract: {len(breaches)} {breaches[:3]}", flush=True)


def plugin_run(common, both, unpack, total, own):
    settings = {**common, "unpack": unpack, "total": total, "port": next_port()}
    args = [f"{k}={v}" for k, v in settings.items()]
    main = "org.sluice.bench.gpu.GpuPair"
    other = second_gpu()
    if both:
        p = subprocess.run(java(main, "both", *args), capture_output=True, text=True, env=environment(0, own), timeout=120)
        if p.returncode:
            raise RuntimeError(p.stderr[-1500:])
        return lines(p.stdout)
    server, client = two(java(main, "server", *args), java(main, "client", *args), environment(other, own), environment(0, own), 120)
    return server + client


def tests():
    names = [f"org.sluice.cuda.{t.stem}" for t in sorted((HERE / "../../cuda/src/test/java/org/sluice/cuda").glob("Real*Test.java"))]
    p = subprocess.run([str(JAVA), "-Xmx1g", "--enable-native-access=ALL-UNNAMED", "-cp", f"{KIT}/test/classes:{KIT}/test/*:{KIT}/lib/*",
                        "RunTests", *names], capture_output=True, text=True, env=environment(0), timeout=300)
    print(f"tests on the real GPU: {p.stdout.strip()} {p.stderr[-3000:]}", flush=True)
    save("tests", {"exit": p.returncode, "summary": lines(p.stdout)})


def kills():
    p = subprocess.run([str(JAVA), "-Xmx1g", "--enable-native-access=ALL-UNNAMED", "-Dsluice.pull.rounds=34",
                        "-Djunit.jupiter.execution.timeout.mode=disabled", "-cp", f"{KIT}/test/classes:{KIT}/test/*:{KIT}/lib/*",
                        "RunTests", "org.sluice.cuda.RealPullTest"], capture_output=True, text=True, env=environment(0), timeout=560)
    print(f"34 killed and 17 stopped peers: {p.stdout.strip()} {p.stderr[-3000:]}", flush=True)
    save("kills", {"exit": p.returncode, "summary": lines(p.stdout)})


def prepared():
    options = [f"{k}={v}" for k, v in {"port": next_port(), "blocks": PREPARED[0], "block": PREPARED[1], "backend": PREPARED[2]}.items()]
    on = (environment(second_gpu()), environment(0)) if PREPARED[2] == "cuda" else (environment(0), environment(0))
    said = attempt("prepared", lambda: two(java("org.sluice.bench.gpu.PreparedList", "server", *options),
                                           java("org.sluice.bench.gpu.PreparedList", "client", *options), *on, 200))
    save("prepared", said)
    for what in ("one range", "whole", "selection"):
        found = [l for l in (said or [[], []])[1] if l.get("what") == what]
        if found:
            middle = {k: statistics.median(l[k] for l in found) for k in ("posted_ms", "first_chunk_ms", "gb_per_s", "cpu_s_per_gb")}
            print(f"  {what:<10} {middle} (medians of {len(found)})", flush=True)
    print(f"  behind the last block: {said and said[0]}", flush=True)


def unpack():
    p = subprocess.run(java("org.sluice.bench.gpu.UnpackBench", *UNPACK), capture_output=True, text=True, env=environment(0), timeout=300)
    found = lines(p.stdout)
    save("unpack", found)
    print("unpack                                     us/launch  host us  of it check    GB/s   of plain copy")
    for l in found:
        if l["table"] == "unpack":
            print(f"  {l['case']:<38} {l['us']:>9.2f} {l['host_us']:>9.2f} {l['check_us']:>9.2f} {l['gb_per_s']:>8.1f}   {l['of_plain_copy']}")
    print("descriptors of 4 KiB, one chunk a launch: aligned us, host us, GB/s | off by one us, host us, GB/s")
    table = [l for l in found if l["table"] == "descriptors"]
    for a, b in zip(table[::2], table[1::2]):
        print(f"  {a['descriptors']:>5} {a['us']:>9.2f} {a['host_us']:>7.2f} {a['gb_per_s']:>7.1f} | {b['us']:>9.2f} {b['host_us']:>7.2f} {b['gb_per_s']:>7.1f}")
    if p.returncode:
        print("FAILED", p.stderr[-2000:])
    sys.stdout.flush()


def sweep():
    size = [256 * MIB]
    found = {"ceiling": {}, "sluice": {}, "nccl": {}}
    print("sweep, 256 MiB, GB/s", flush=True)
    for name, t in CEILING_TUNINGS.items():
        found["ceiling"][name] = attempt(name, lambda: ceiling(t, 2))
        print(f"  C ceiling  {name:>24} {found['ceiling'][name]}", flush=True)
    for name, t in SLUICE_TUNINGS.items():
        r = attempt(name, lambda: sluice_rates(t, size, 3))
        found["sluice"][name] = r and r[size[0]]
        print(f"  sluice     {name:>24} {found['sluice'][name]}", flush=True)
    for name in NCCL_TUNINGS:
        r = attempt(name, lambda: nccl_rates(name, size))
        found["nccl"][name] = r and r[size[0]]
        print(f"  NCCL       {name:>24} {found['nccl'][name]}", flush=True)
        save("sweep", found)


def best(kind, otherwise):
    found = {k: v for k, v in results.get("sweep", {}).get(kind, {}).items() if v}
    return max(found, key=found.get) if found else otherwise


def pair(rounds):
    top = best("ceiling", "agent 16 sockets")
    tuned = best("nccl", "4x4 p2p4 512K")
    print(f"pair: ceiling {top}, NCCL tuned {tuned}, sluice with its defaults", flush=True)
    rows = []
    for r in range(rounds):
        row = {
            "ceiling": attempt("ceiling", lambda: ceiling(CEILING_TUNINGS[top], 3)),
            "sluice": attempt("sluice", lambda: sluice_rates({"cold": 15}, SIZES, 3)),
            "nccl_tuned": attempt("nccl", lambda: nccl_rates(tuned, SIZES)),
            "nccl_default": attempt("nccl default", lambda: nccl_rates("default", SIZES)),
        }
        rows.append(row)
        print(f"  round {r}: {row}", flush=True)
        save("pair", {"rounds": rows, "ceiling": top, "nccl_tuned": tuned, "nccl_settings": {**NCCL_COMMON, **NCCL_TUNINGS[tuned]}})

    def median(name, size):
        got = [(x[name] if name == "ceiling" else x[name][size]) for x in rows if x[name]]
        return statistics.median(got) if got else float("nan")

    print("   MiB   sluice  C ceiling  NCCL tuned  NCCL default   of ceiling  x tuned  x default   (GB/s, medians)")
    for s in SIZES:
        a, c, t, d = median("sluice", s), median("ceiling", s), median("nccl_tuned", s), median("nccl_default", s)
        print(f"  {s // MIB:>4} {a:>8.2f} {c:>10.2f} {t:>11.2f} {d:>13.2f} {a / c:>12.2f} {a / t:>8.2f} {a / d:>10.2f}", flush=True)


def duplex():
    bound = {}
    for name, t in (("agents 8 sockets", {"calls": "agents", "sockets": 8}), ("agents 16 sockets", {"calls": "agents", "sockets": 16}),
                    ("threads 8 sockets", {"calls": "threads", "sockets": 8})):
        rates = attempt(name, lambda: ceiling(t, 3, duplex=True))
        if rates:
            bound[name] = rates
            print(f"duplex, C {name}: to server {rates[0]:.2f}, to client {rates[1]:.2f}, sum {sum(rates):.2f} GB/s", flush=True)
    got = attempt("duplex", lambda: sluice({}, mode="duplex", sizes=",".join(map(str, SIZES[:2])), rounds=5, cold=10))
    if got:
        top = max((sum(r) for r in bound.values()), default=float("nan"))
        for s in SIZES[:2]:
            up = statistics.median(l["gb_per_s"] for l in got[0] if l.get("bytes") == s)
            down = statistics.median(l["gb_per_s"] for l in got[1] if l.get("bytes") == s)
            print(f"duplex {s // MIB} MiB: to server {up:.2f}, to client {down:.2f}, sum {up + down:.2f} GB/s, "
                  f"{(up + down) / top:.2f} of C", flush=True)
    save("duplex", {"ceiling": bound, "sluice": got})


def raw():
    p = subprocess.run([program("lists")], capture_output=True, text=True, timeout=120)
    found = lines(p.stdout)
    save("raw", found)
    for l in found:
        print(f"  {l['count']:>6} x {l['block']:>9} B  {l['raw']:<46} {l['gb_per_s']:>7.1f} GB/s")
    if p.returncode:
        print("FAILED", p.stderr[-2000:])
    sys.stdout.flush()


def pieces():
    p = subprocess.run(java("org.sluice.bench.gpu.ListBench"), capture_output=True, text=True, env=environment(0), timeout=60)
    found = lines(p.stdout)
    save("lists_on_one", found)
    for l in found:
        print(f"  lists of {l['bytes'] >> 20} MiB on one GPU, block {l['block']:>6}, {l['lists']:<10} {l['gb_per_s']:>8.1f} GB/s, "
              f"{l['thread_ns_per_piece']:.1f} ns a piece")
    if p.returncode:
        print("FAILED", p.stderr[-2000:])
    p = subprocess.run(java("org.sluice.bench.gpu.PieceBench", *PIECES), capture_output=True, text=True, env=environment(0), timeout=120)
    found = lines(p.stdout)
    save("pieces", found)
    for l in found:
        print(f"  chunk {l['chunk'] >> 10:>5} KiB, block {l['block']:>6}: {l['pieces']:<34} {l['gb_per_s']:>6.2f} GB/s, "
              f"{l['thread_ns_per_piece']:.0f} ns a piece")
    if p.returncode:
        print("FAILED", p.stderr[-2000:])
    sys.stdout.flush()


def bench_rate(size, layout, op, transport="tcp", backend="cuda", pair=None, seconds=4):
    """GB/s of transfers of one size by the command line's own bench, every byte compared."""
    number = next_port()
    common = [f"--backend={backend}", f"--port={number}", "--nics=lo1,lo2,lo3,lo4", f"--transport={transport}"]
    client = [*common, f"--sizes={size}", "--channels=8", "--chunk=1MiB", "--window=64", "--under-way=8", f"--time={seconds}s", "--json"]
    if layout:
        client += [f"--layout={layout}", "--shuffle", f"--op={op}"]
    one, other = pair or (0, second_gpu())
    said = served(cli("bench", "--serve", *common), cli("bench", "127.0.0.1", *client), number, environment(other), environment(one), 60)
    point = json.loads(said[said.index("{"):])["points"][0]
    if point["wrong"]:
        raise RuntimeError(f"{point['wrong']} wrong bytes: {point}")
    return point["algbw"]


def lists():
    if "--layout" not in subprocess.run(cli("help", "bench"), capture_output=True, text=True, env=environment(0)).stdout:
        print("this build's bench has no --layout", flush=True)
        return
    found = []
    for size in (64 * MIB, 256 * MIB):
        flat = attempt("one range", lambda: bench_rate(size, None, None))
        print(f"  {size // MIB:>4} MiB in one range {flat} GB/s", flush=True)
        for count, block in ((4096, size // 4096), (16384, size // 16384)):
            for op in ("write", "read"):
                rate = attempt(f"{count} x {block}, {op}", lambda: bench_rate(size, f"blocks:{block}", op))
                if rate:
                    found.append({"bytes": size, "block": block, "op": op, "gb_per_s": rate, "one_range": flat})
                    share = f"{rate / flat:.2f} of one range" if flat else ""
                    print(f"  {count:>6} x {block >> 10} KiB shuffled, {op:<5} {rate:>7.2f} GB/s {share}", flush=True)
                    save("lists", found)


def pulled(mode, pair, sizes, **more):
    """What two processes said that may use ipc alone."""
    small = IPC_BACKEND == "host"
    said = sluice({"backend": IPC_BACKEND, "transport": "ipc", "total": "1G" if small else "16G", "rounds": 3, "warmup": 1, "cold": 6, **more},
                  mode=mode, sizes=",".join(map(str, sizes)), pair=pair)
    if not all(any(l.get("path") == "ipc" for l in side) for side in said):
        raise RuntimeError(f"not by ipc: {said}")
    return said


def rate(lines_of_side, size):
    return statistics.median(l["gb_per_s"] for l in lines_of_side if l.get("bytes") == size)


def ipc():
    """By ipc alone, next to the driver's own copies, or a plain memcpy by one thread for host GPUs (IPC_BACKEND=host)."""
    sizes = [int(s) * MIB for s in os.environ.get("IPC_MIB", "64,1024").split(",")]
    # each process sees both GPUs, its own first; and once only its own
    pairs = {"two GPUs": ((0, 1), ("0,1", "1,0"))} if second_gpu() else {}
    pairs["one GPU"] = ((0, 0), ("0", "0"))
    found = {"one_way": [], "duplex": [], "lists": [], "latency": []}
    if second_gpu():
        hidden = attempt("hidden", lambda: rate(pulled("throughput", ("0", "1"), [64 * MIB])[0], 64 * MIB))
        print(f"two GPUs, each process sees its own alone: 64 MiB one way {hidden} GB/s", flush=True)
    for label, (ids, pair) in pairs.items():
        with_driver = attempt("driver", lambda: copies.rates(IPC_BACKEND, ids, sizes)) or {}
        print(f"{label}: the driver's own copies {with_driver}", flush=True)
        for s in sizes:
            own = with_driver.get(s, float("nan"))
            got = attempt(f"{label}, {s // MIB} MiB", lambda: rate(pulled("throughput", pair, [s])[0], s))
            if got:
                found["one_way"].append({"pair": label, "bytes": s, "gb_per_s": got, "driver": own})
                print(f"  {label} {s // MIB:>5} MiB one way {got:>8.2f} GB/s, {got / own:.3f} of the driver's", flush=True)
            both = attempt(f"{label}, {s // MIB} MiB both ways", lambda: [rate(side, s) for side in pulled("duplex", pair, [s])])
            if both:
                found["duplex"].append({"pair": label, "bytes": s, "gb_per_s": both, "driver": own})
                print(f"  {label} {s // MIB:>5} MiB both ways {both[0]:>8.2f} + {both[1]:>7.2f} GB/s, {sum(both) / 2 / own:.3f} of twice the driver's",
                      flush=True)
            save("ipc", found)
        for count, block in ((16384, 4 << 10), (4096, 16 << 10), (4096, 64 << 10)):
            for op in ("write", "read", "send") if label == "two GPUs" else ("write",):
                got = attempt(f"{count} x {block}, {op}",
                              lambda: bench_rate(count * block, f"blocks:{block}", op, "ipc", IPC_BACKEND, pair, 2))
                if got:
                    found["lists"].append({"pair": label, "count": count, "block": block, "op": op, "gb_per_s": got})
                    print(f"  {label} {count:>6} x {block >> 10} KiB, random at both ends, {op:<5} {got:>8.2f} GB/s", flush=True)
        # how long agents look for work before they rest: the default, and longer than a ping and its pong take
        for spin in ({}, {"spin": 500}):
            said = attempt("latency", lambda: pulled("latency", pair, [8, 4096, 65536], **spin)[1]) or []
            found["latency"].append({"pair": label, "spin_us": spin.get("spin"), "lines": said})
            for l in said:
                if "p50_us" in l:
                    print(f"  {label} {l['bytes']:>6} B one way{', spinning' if spin else ''}: p50 {l['p50_us']} us, p99 {l['p99_us']} us", flush=True)
        save("ipc", found)


def latency():
    sizes = [8, 64, 512, 4096, 16384, 65536]
    ours = attempt("sluice", lambda: sluice({}, mode="latency", sizes=",".join(map(str, sizes)))[1]) or []
    # agents that look for work longer than a ping and its pong take
    polling = attempt("sluice, spinning", lambda: sluice({"spin": 500}, mode="latency", sizes=",".join(map(str, sizes)))[1]) or []
    theirs = attempt("NCCL", lambda: nccl("default", "latency", sizes)) or []
    save("latency", {"sluice": ours, "spinning": polling, "nccl": theirs})
    print("one way, us:   bytes  sluice p50    p99  spinning    p99   NCCL p50    p99")
    for s in sizes:
        a, c, b = (next((l for l in of if l.get("bytes") == s), {}) for of in (ours, polling, theirs))
        print(f"            {s:>8} {a.get('p50_us')!s:>11} {a.get('p99_us')!s:>6} {c.get('p50_us')!s:>9} {c.get('p99_us')!s:>6} "
              f"{b.get('p50_us')!s:>10} {b.get('p99_us')!s:>6}", flush=True)


def soak():
    got = attempt("soak", lambda: sluice({}, mode="soak", sizes=str(3 * MIB), times=10000))
    save("soak", got)
    for side, said in zip(("server", "client"), got or ()):
        for l in said:
            print(f"soak {side}: {l}", flush=True)


STEPS = {"tests": tests, "unpack": unpack, "plugin": plugin, "soak": soak, "raw": raw, "pieces": pieces, "latency": latency, "duplex": duplex,
         "kills": kills, "prepared": prepared,
         "ipc": ipc, "lists": lists, "sweep": sweep, "pair": pair}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", nargs="+", choices=[*STEPS, "all"])
    p.add_argument("--rounds", type=int, default=3, help="alternating rounds of pair (3)")
    p.add_argument("--seconds", type=int, default=570, help="nothing new is started after so long (570)")
    p.add_argument("--out", default=os.environ.get("OUT") or str(HERE / "target" / "results"))
    a = p.parse_args()
    what = list(STEPS) if "all" in a.what else a.what
    kit.begin(a.out, a.seconds, what)
    for w in what:
        if time.time() < kit.deadline:
            began = time.time()
            attempt(w, lambda: pair(a.rounds) if w == "pair" else STEPS[w]())
            print(f"({w}: {time.time() - began:.0f} s)\n", flush=True)


if __name__ == "__main__":
    main()
