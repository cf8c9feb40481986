"""What the scripts of this folder share: the kit that pack.sh made, environments, pairs of processes, results as JSON."""
import itertools
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
KIT = HERE / "target" / "kit"
JAVA = KIT / "jre" / "bin" / "java"
MIB = 1 << 20
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
results = {}
out = HERE / "target" / "results"
deadline = 0.0
ports = itertools.count(21040, 40)


def begin(folder, seconds, what):
    """Results go to the folder; nothing new is started after so many seconds."""
    global out, deadline
    out = pathlib.Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    deadline = time.time() + seconds
    save("machine", {"gpus": gpus(), "cpus": os.cpu_count(), "what": what})
    print(f"{gpus()}, {os.cpu_count()} CPUs", flush=True)


def next_port():
    """The first of 40 that nobody else of these scripts uses."""
    return next(ports)


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


def cli(*args):
    return java("org.sluice.cli.Main", *args)


def listens(number):
    """Whether somebody on this host listens on the port."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for l in pathlib.Path(table).read_text().splitlines()[1:]:
            field = l.split()
            if field[3] == "0A" and int(field[1].rsplit(":", 1)[1], 16) == number:
                return True
    return False


def served(server, client, number, server_env, client_env, limit):
    """Starts the server, the client once the port listens, and ends the server after it. Returns what the client printed."""
    with tempfile.TemporaryFile("w+") as said:
        s = subprocess.Popen(server, stdout=said, stderr=said, text=True, env=server_env)
        try:
            end = time.time() + 30
            while not listens(number) and s.poll() is None and time.time() < end:
                time.sleep(0.05)
            c = subprocess.run(client, capture_output=True, text=True, env=client_env, timeout=limit)
            if c.returncode:
                said.seek(0)
                raise RuntimeError(f"failed: {' '.join(map(str, client))}\nclient: {c.stdout[-500:]} {c.stderr[-1500:]}\n"
                                   f"server: {said.read()[-1500:]}")
            return c.stdout
        finally:
            s.terminate()
            try:
                s.wait(10)
            except subprocess.TimeoutExpired:
                s.kill()
                s.wait()


def sluice(settings, limit=120, pair=None, **more):
    """What server and client said. @param pair the client's GPU and the server's"""
    args = [f"{k}={v}" for k, v in {**settings, **more, "port": next_port()}.items()]
    main = "org.sluice.bench.gpu.GpuPair"
    one, other = pair or (0, second_gpu())
    return two(java(main, "server", *args), java(main, "client", *args), environment(other), environment(one), limit)


def sluice_rates(settings, sizes, rounds, total="4G"):
    server, _ = sluice(settings, mode="throughput", sizes=",".join(map(str, sizes)), rounds=rounds, total=total)
    return {s: statistics.median(l["gb_per_s"] for l in server if l.get("bytes") == s) for s in sizes}


def program(name):
    """A program of this folder's .cu file: the kit's, where pack.sh had nvcc, or built here."""
    for built in (KIT / name, HERE / "target" / name):
        if built.exists():
            return str(built)
    nvcc = shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
    subprocess.run([nvcc, "-O3", "-std=c++17", "-arch=native", str(HERE / f"{name}.cu"), "-o", str(built)], check=True)
    return str(built)


def ceiling(settings, seconds, duplex=False, pair=None):
    """GB/s from client to server; with duplex, that and the other way. @param pair the client's GPU and the server's"""
    args = [f"{k}={v}" for k, v in {**settings, "port": next_port(), "seconds": seconds, "duplex": int(duplex)}.items()]
    one, other = pair or (0, second_gpu())
    path = program("ceiling")
    server, client = two([path, "server", *args], [path, "client", *args], environment(other), environment(one), 60)
    rates = [next(l["gb_per_s"] for l in side if "gb_per_s" in l) for side in ((server, client) if duplex else (server,))]
    return rates if duplex else rates[0]


def nccl(tuning, mode, sizes, limit=150, pair=None):
    common = {**NCCL_COMMON, **NCCL_TUNINGS[tuning], "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(next_port())}
    one, other = pair or (0, second_gpu())
    ranks = []
    for rank, gpu in ((0, one), (1, other)):
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


