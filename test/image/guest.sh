# What every job of a guest begins with (sourced): the file systems and settings of a small Linux.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LANG=C.UTF-8 TMPDIR=/dev/shm/tmp CI=true NO_COLOR=1
mkdir -p /dev/shm /dev/pts
mount -t tmpfs shm /dev/shm
# Not in /run, which some tests cover with an empty one of their own.
mkdir "$TMPDIR"
mount -t devpts pts /dev/pts
mount -t bpf bpf /sys/fs/bpf
ip link set lo up
sysctl -qw net.core.bpf_jit_enable=1
echo "guest: Linux $(uname -r) after $(cut -d' ' -f1 /proc/uptime) s"

# Ends the guest; the argument is its exit code.
finish() {
  echo "$1" >/run/report/exit
  echo "guest: done after $(cut -d' ' -f1 /proc/uptime) s"
  echo o >/proc/sysrq-trigger
  sleep 60
}
