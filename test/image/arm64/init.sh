#!/bin/busybox sh
# The first program of the arm64 guest: its own libraries and Node, and this checkout, both read-only by 9p; then our code.
busybox() { /bin/busybox "$@"; }
p9() { busybox mount -t 9p -o "trans=virtio,version=9p2000.L,msize=512000,ro,cache=loose" "$1" "$2"; }

busybox mount -t proc proc /proc
busybox mount -t devtmpfs dev /dev
for module in $(busybox cat /modules/order); do busybox insmod "/modules/$module"; done
p9 root /host
p9 checkout /host/checkout
busybox mount -t sysfs sys /host/sys
busybox mount --move /proc /host/proc
busybox mount --move /dev /host/dev
busybox mount --bind /host/futago.node /host/checkout/hal/build/futago.node
exec busybox chroot /host /node /checkout/test/image/arm64/panel.ts
