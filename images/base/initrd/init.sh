#!/bin/ash
# The first program of a box: finds the disk that the loader read, opens the root against the hash that the loader told,
# mounts the data, and hands over. Whatever is wrong with the slot ends in a restart, so that the loader's tries fall and
# the other slot has its turn. Data that are broken end in memory instead: the box must come up and say so.
export PATH=/bin
. /library

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs -o mode=755,nosuid,nodev run /run
mkdir -p /run/futago

slot=$(word futago.slot)
root=$(word futago.root)
start_watchdog
if has_word futago.rescue; then
	find_disk
	. /rescue
	rescue
fi
find_disk || fail "the disk that the loader read is not there"
printf '%s\n' "$disk" >/run/futago/disk

case $slot in a | b) ;; *) fail "the loader told no slot" ;; esac
printf '%s\n' "$slot" >/run/futago/slot
mkdir -p /newroot
open_root "root-$slot" "$root" || fail "the root of slot $slot is not what it was built as"
mount -t squashfs -o ro,nodev /dev/mapper/root /newroot || fail "the root of slot $slot is no file system"
[ -x /newroot/sbin/init ] || fail "the root of slot $slot has no init"
settle_disk
mount_data
mount -t tmpfs -o mode=755,nosuid,nodev,size=25% var /newroot/var
give_machine_id

stop_watchdog
for place in dev proc sys run; do mount --move /$place /newroot/$place; done
exec switch_root /newroot /sbin/init
