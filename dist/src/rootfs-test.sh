#!/usr/bin/env bash
# rootfs-test.sh ARCHIVE: runs what the image has, from a root file system that has nothing else, as a user that is not root. The base is
# made of what the machine's own loader says that the bundle and /bin/sh need, as a slim image has it. Needs bubblewrap, or root for chroot.
set -euo pipefail
archive=$(readlink -f "$1")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,opt,proc,dev,tmp,etc,run/sluice,sys}
tar -xJf "$archive" -C "$root/opt"
mv "$root"/opt/sluice-* "$root/opt/sluice"
(cd "$root/opt/sluice" && sha256sum -c --quiet SHA256SUMS)
cp "$(readlink -f /bin/sh)" "$root/bin/sh"
for tool in id env sleep; do cp "$(command -v $tool)" "$root/bin/$tool"; done
# libraries, at the places that they have here; the loader among them
{ find "$root/opt/sluice" -name '*.so' -o -path '*/bin/java'; echo "$root"/bin/* | tr ' ' '\n'; } |
  xargs -n1 ldd 2>/dev/null | grep -o '/[^ )]*\.so[^ )]*' | grep -v "^$root" | sort -u |
  while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -Ln "$library" "$root$library"
  done
for library in /lib/x86_64-linux-gnu/libnss_files.so.2 /lib/x86_64-linux-gnu/libgcc_s.so.1; do
  [ ! -e "$library" ] || { mkdir -p "$root$(dirname "$library")"; cp -Ln "$library" "$root$library"; }
done
echo 'sluice:x:65532:65532::/nonexistent:/bin/sh' >"$root/etc/passwd"
echo '127.0.0.1 localhost' >"$root/etc/hosts"
chmod 755 "$root"
if command -v bwrap >/dev/null && bwrap --ro-bind / / --unshare-user true 2>/dev/null; then
  how=bubblewrap
  inside() { bwrap --unshare-all --uid 65532 --gid 65532 --ro-bind "$root" / --proc /proc --dev /dev --tmpfs /tmp --tmpfs /run/sluice \
    --clearenv --setenv PATH /bin "$@"; }
elif [ "$(id -u)" = 0 ]; then
  how=chroot
  chmod 1777 "$root/tmp" "$root/run/sluice"
  inside() { unshare --mount --net --fork sh -c 'mount -t proc none "$0/proc" && mount --bind /dev "$0/dev" && ip link set lo up; r=$0
    exec chroot --userspec=65532:65532 "$r" /bin/env -i PATH=/bin "$@"' "$root" "$@"; }
else
  echo "rootfs-test: skipped: there is no bubblewrap and this is not root" >&2
  exit 0
fi
[ "$(inside /bin/id -u)" = 65532 ]
! inside /bin/sh -c 'command -v java' >/dev/null || { echo "rootfs-test: there is a Java on PATH" >&2; exit 1; }
inside /opt/sluice/bin/sluice --version
inside /opt/sluice/bin/sluice loopback --gpus 1 --channels 2 --size 1MiB --iters 2 --backend host --json >"$root/result.json"
grep -q '"mismatchedBytes": 0' "$root/result.json"
# the daemon as the image starts it, and its own question whether it is there
inside /bin/sh -c '/opt/sluice/bin/sluice daemon --socket /run/sluice/daemon --listen none --backend host --gpus 1 2>/tmp/log & d=$!
  n=0; while [ ! -S /run/sluice/daemon ] && [ $n -lt 300 ]; do n=$((n+1)); sleep 0.1; done
  /opt/sluice/bin/sluice daemon status --socket /run/sluice/daemon; kill $d; wait $d || true' | grep -q '"clients":\[\]'
echo "rootfs-test: $how: the image's contents run as user 65532 without Java on PATH"
