#!/usr/bin/env python3
"""Measures Sluice on real GPUs, next to a bare C pipeline and NCCL's sockets in the same run. Needs python3, an NVIDIA driver and
bench/gpu/target/kit (pack.sh); `pair` also nvcc for the ceiling, and PyTorch for NCCL.

  run.py tests     the cuda module's tests on the real GPU                                     1 min
  run.py unpack    the unpack kernel next to plain copies; launches of 1 to 2048 descriptors   1 min
  run.py plugin    a NCCL net plugin with bounce buffers in GPU memory, unpacked by a kernel   1 min
  run.py sweep     which channels, sockets and chunks are best, of all three                   4 min
  run.py pair      two processes, 64 MiB to 1 GiB, alternating; medians and ratios             5 min
  run.py duplex    both directions at once                                                     1 min
  run.py latency   8 B to 64 KiB, one way, next to NCCL                                        1 min
  run.py soak      10 000 transfers, memory before and after                                   1 min
  run.py all       everything above in turn; at most 10 minutes, see --seconds

Results go to --out (the environment's OUT, or bench/gpu/target/results) as JSON, and as tables to stdout. With one GPU both
processes use it; with two, client GPU 0 and server GPU 1.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
KIT = HERE / "target" / "kit"
JAVA = KIT / "jre" / "bin" / "java"
MIB = 1 << 20
SIZES = [64 * MIB, 256 * MIB, 1024 * MIB]
NCCL_COMMON = {
    "NCCL_P2P_DISABLE": "1",
    "NCCL_SHM_DISABLE": "1",
    "NCCL_NET": "Socket",
    "NCCL_SOCKET_IFNAME": "lo",
    "NCCL_IB_DISABLE": "1",
}
NCCL_TUNINGS = {
    "default": {},
    "4x4 p2p4 512K": {"NCCL_SOCKET_NTHREADS": "4", "NCCL_NSOCKS_PERTHREAD": "4", "NCCL_MIN_P2P_NCHANNELS": "4",
                      "NCCL_MAX_P2P_NCHANNELS": "4", "NCCL_P2P_NET_CHUNKSIZE": "524288"},
    "4x4 p2p4 1M": {"NCCL_SOCKET_NTHREADS": "4", "NCCL_NSOCKS_PERTHREAD": "4", "NCCL_MIN_P2P_NCHANNELS": "4",
                    "NCCL_MAX_P2P_NCHANNELS": "4", "NCCL_P2P_NET_CHUNKSIZE": "1048576", "NCCL_BUFFSIZE": "8388608"},
    "2x2 p2p8 512K": {"NCCL_SOCKET_NTHREADS": "2", "NCCL_NSOCKS_PERTHREAD": "2", "NCCL_MIN_P2P_NCHANNELS": "8",
                      "NCCL_MAX_P2P_NCHANNELS": "8", "NCCL_P2P_NET_CHUNKSIZE": "524288"},
    "4x2 p2p2 512K": {"NCCL_SOCKET_NTHREADS": "4", "NCCL_NSOCKS_PERTHREAD": "2", "NCCL_MIN_P2P_NCHANNELS": "2",
                      "NCCL_MAX_P2P_NCHANNELS": "2", "NCCL_P2P_NET_CHUNKSIZE": "524288"},
    "4x2 p2p8 512K": {"NCCL_SOCKET_NTHREADS": "4", "NCCL_NSOCKS_PERTHREAD": "2", "NCCL_MIN_P2P_NCHANNELS": "8",
                      "NCCL_MAX_P2P_NCHANNELS": "8", "NCCL_P2P_NET_CHUNKSIZE": "524288"},
}
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

results = {}
out = None
deadline = None
port = 21000


def next_port():
    global port
    port += 40
    return port


def gpus():
    try:
        text = subprocess.run(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True).stdout
    except OSError:
        return []
    return [l for l in text.splitlines() if l.strip()]


def second_gpu():
    return 1 if len(gpus()) > 1 else 0


def environment(gpu, extra=None):
    e = dict(os.environ)
    e["CUDA_VISIBLE_DEVICES"] = str(gpu)
    e.update(extra or {})
    return e


def lines(text):
    found = []
    for l in text.splitlines():
        if l.startswith("{"):
            found.append(json.loads(l))
    return found


def two(server, client, server_env, client_env, limit):
    """Starts both, waits for both. Returns the JSON lines of each; raises with what they said when one fails."""
    s = subprocess.Popen(server, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=server_env)
    late = threading.Timer(limit, s.kill)
    late.start()
    try:
        first = s.stdout.readline()
        c = subprocess.run(client, capture_output=True, text=True, env=client_env, timeout=limit)
        if c.returncode:
            s.kill()
        rest, err = s.communicate()
    except subprocess.TimeoutExpired as e:
        s.kill()
        rest, err = s.communicate()
        raise RuntimeError(f"not done within {limit} s: {' '.join(map(str, server))}\n{rest[-500:]}\n{err[-1500:]}") from e
    finally:
        late.cancel()
    if s.returncode or c.returncode:
        raise RuntimeError(f"failed: {' '.join(map(str, server))}\nserver: {err[-1500:]}\nclient: {c.stderr[-1500:]}")
    return lines(first + rest), lines(c.stdout)


def java(main, *args):
    return [str(JAVA), "-Xmx512m", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{KIT}/lib/*", main, *args]


def sluice(settings, limit=120, **more):
    args = [f"{k}={v}" for k, v in {**settings, **more, "port": next_port()}.items()]
    main = "org.sluice.bench.gpu.GpuPair"
    other = second_gpu()
    return two(java(main, "server", *args), java(main, "client", *args), environment(other), environment(0), limit)


def sluice_rates(settings, sizes, rounds, total="4G"):
    server, _ = sluice(settings, mode="throughput", sizes=",".join(map(str, sizes)), rounds=rounds, total=total)
    return {s: statistics.median(l["gb_per_s"] for l in server if l.get("bytes") == s) for s in sizes}


def ceiling_program():
    program = HERE / "target" / "ceiling"
    if not program.exists():
        nvcc = shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
        subprocess.run([nvcc, "-O3", "-std=c++17", "-arch=native", str(HERE / "ceiling.cu"), "-o", str(program)], check=True)
    return str(program)


def ceiling(settings, seconds):
    args = [f"{k}={v}" for k, v in {**settings, "port": next_port(), "seconds": seconds}.items()]
    program = ceiling_program()
    other = second_gpu()
    server, _ = two([program, "server", *args], [program, "client", *args], environment(other), environment(0), 60)
    return next(l["gb_per_s"] for l in server if "gb_per_s" in l)


def nccl(tuning, mode, sizes, limit=150):
    common = {**NCCL_COMMON, **NCCL_TUNINGS[tuning], "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(next_port())}
    other = second_gpu()
    ranks = []
    for rank, gpu in ((0, 0), (1, other)):
        e = environment(gpu, {**common, "NCCL_HOSTID": f"sluice-rank-{rank}"})
        ranks.append(subprocess.Popen([sys.executable, str(HERE / "nccl.py"), str(rank), mode, ",".join(map(str, sizes))],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=e))
    said = []
    try:
        for r in ranks:
            said.append(r.communicate(timeout=limit))
    except subprocess.TimeoutExpired as e:
        for r in ranks:
            r.kill()
        raise RuntimeError(f"NCCL {tuning} not done within {limit} s") from e
    if any(r.returncode for r in ranks):
        raise RuntimeError(f"NCCL {tuning} failed: {said[0][1][-800:]} {said[1][1][-800:]}")
    return lines(said[0][0]) + lines(said[1][0])


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
        "FAKE_NET_LOG": str(out / "plugin.log"),
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
    log = out / "plugin.log"
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


def save(name, value):
    results[name] = value
    (out / "gpu.json").write_text(json.dumps(results, indent=1))


def attempt(label, call):
    """One setting that does not work is reported, and the others go on."""
    if time.time() > deadline:
        print(f"  {label:>24}  (no time left)", flush=True)
        return None
    try:
        return call()
    except Exception as e:  # whatever it was, it is this setting's
        print(f"  {label:>24}  FAILED {type(e).__name__} {str(e)[:2500]}", flush=True)
        return None


def tests():
    names = ["org.sluice.cuda.RealGpuTest"]
    p = subprocess.run([str(JAVA), "-Xmx1g", "--enable-native-access=ALL-UNNAMED", "-cp", f"{KIT}/test/classes:{KIT}/test/*:{KIT}/lib/*",
                        "RunTests", *names], capture_output=True, text=True, env=environment(0), timeout=300)
    print(f"tests on the real GPU: {p.stdout.strip()} {p.stderr[-3000:]}", flush=True)
    save("tests", {"exit": p.returncode, "summary": lines(p.stdout)})


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
    got = attempt("duplex", lambda: sluice({}, mode="duplex", sizes=",".join(map(str, SIZES[:2])), rounds=5))
    if got:
        for s in SIZES[:2]:
            up = statistics.median(l["gb_per_s"] for l in got[0] if l.get("bytes") == s)
            down = statistics.median(l["gb_per_s"] for l in got[1] if l.get("bytes") == s)
            print(f"duplex {s // MIB} MiB: to server {up:.2f}, to client {down:.2f}, sum {up + down:.2f} GB/s", flush=True)
    save("duplex", got)


def latency():
    sizes = [8, 64, 512, 4096, 16384, 65536]
    ours = attempt("sluice", lambda: sluice({}, mode="latency", sizes=",".join(map(str, sizes)))[1]) or []
    theirs = attempt("NCCL", lambda: nccl("default", "latency", sizes)) or []
    save("latency", {"sluice": ours, "nccl": theirs})
    print("one way, us:   bytes  sluice p50    p99   NCCL p50    p99")
    for s in sizes:
        a = next((l for l in ours if l.get("bytes") == s), {})
        b = next((l for l in theirs if l.get("bytes") == s), {})
        print(f"            {s:>8} {a.get('p50_us')!s:>11} {a.get('p99_us')!s:>6} {b.get('p50_us')!s:>10} {b.get('p99_us')!s:>6}", flush=True)


def soak():
    got = attempt("soak", lambda: sluice({}, mode="soak", sizes=str(3 * MIB), times=10000))
    save("soak", got)
    for side, said in zip(("server", "client"), got or ()):
        for l in said:
            print(f"soak {side}: {l}", flush=True)


def main():
    global out, deadline
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", nargs="+", choices=["tests", "unpack", "plugin", "sweep", "pair", "duplex", "latency", "soak", "all"])
    p.add_argument("--rounds", type=int, default=3, help="alternating rounds of pair (3)")
    p.add_argument("--seconds", type=int, default=570, help="nothing new is started after so long (570)")
    p.add_argument("--out", default=os.environ.get("OUT") or str(HERE / "target" / "results"))
    a = p.parse_args()
    out = pathlib.Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    deadline = time.time() + a.seconds
    what = ["tests", "unpack", "plugin", "soak", "latency", "duplex", "sweep", "pair"] if "all" in a.what else a.what
    save("machine", {"gpus": gpus(), "cpus": os.cpu_count(), "what": what})
    print(f"{gpus()}, {os.cpu_count()} CPUs", flush=True)
    for w in what:
        if time.time() < deadline:
            began = time.time()
            step = {"tests": tests, "unpack": unpack, "plugin": plugin, "sweep": sweep, "pair": lambda: pair(a.rounds), "duplex": duplex,
                    "latency": latency, "soak": soak}[w]
            attempt(w, step)
            print(f"({w}: {time.time() - began:.0f} s)\n", flush=True)


main()
