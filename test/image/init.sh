#!/bin/busybox sh
# The first program of a guest: the host's files, read-only, under a layer that is forgotten; then the job in them.
busybox() { /bin/busybox "$@"; }
p9() { busybox mount -t 9p -o "trans=virtio,version=9p2000.L,msize=512000,$3" "$1" "$2" || echo "guest: no $1"; }

busybox mount -t proc proc /proc
busybox mount -t devtmpfs dev /dev
for module in $(busybox cat /modules/order); do busybox insmod "/modules/$module" || echo "guest: no $module"; done
p9 host /lower ro,cache=loose
busybox mount -t tmpfs -o size=75% over /over
busybox mkdir /over/upper /over/work
busybox mount -t overlay -o lowerdir=/lower,upperdir=/over/upper,workdir=/over/work overlay /newroot
busybox mkdir -p /newroot/lib/modules
p9 modules /newroot/lib/modules ro,cache=loose
busybox mount -t tmpfs run /newroot/run
busybox mkdir /newroot/run/report
p9 report /newroot/run/report cache=none
busybox mount -t sysfs sys /newroot/sys
busybox mount --move /dev /newroot/dev
busybox mount --move /proc /newroot/proc
exec busybox switch_root /newroot /bin/bash /run/report/job.sh
