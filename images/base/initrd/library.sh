# What `init` and `rescue` both need. Names of partitions are those of the GPT; which disk is meant is in $disk.

# Given to the disk when the image was made. A box's own replace them at its first start.
factory_id=@FACTORY_ID@
rescue_data=/run/futago/rescue-data
# What the tools said.
log=/run/futago/disk.log

# The value of a word of the kernel's command line.
word() {
	for one in $(cat /proc/cmdline); do
		case $one in "$1"=*) printf '%s' "${one#*=}" && return ;; esac
	done
}

has_word() {
	for one in $(cat /proc/cmdline); do
		[ "$one" = "$1" ] && return 0
	done
	return 1
}

# To the screen and to the serial line, whichever of them is the console.
say() {
	for terminal in $terminals; do printf 'futago: %s\r\n' "$1" >"$terminal"; done
}

terminals=/dev/console
for one in tty0 ttyS0 ttyAMA0; do
	grep -q -w "console=$one" /proc/cmdline 2>/dev/null && terminals="$terminals /dev/$one"
done

fail() {
	say "$1; restarting"
	sleep 5
	sync
	echo b >/proc/sysrq-trigger
	reboot -f
	sleep 60
}

# Armed as soon as there is one: a kernel that hangs from here on is reset. It is left running to whoever feeds it next.
start_watchdog() {
	load $(cat /watchdogs)
	# Their devices are there with the bus.
	load_found
	[ -c /dev/watchdog0 ] || return 0
	# One that cannot wait so long would reset every start: 15 s is the most that a Raspberry Pi's waits. 0 is no limit.
	read -r longest </sys/class/watchdog/watchdog0/max_timeout || longest=0
	[ "$longest" -eq 0 ] || [ "$longest" -ge 180 ] || return 0
	watchdog -F -T 180 -t 15 /dev/watchdog0 >/dev/null 2>&1 &
	watchdog_pid=$!
}

# Killed, and not told to end, so that it does not disarm.
stop_watchdog() {
	[ -n "$watchdog_pid" ] && kill -9 "$watchdog_pid"
}

load() {
	for module in "$@"; do modprobe -q "$module"; done 2>/dev/null
}

# Modules for whatever the buses have shown so far.
load_found() {
	find /sys/devices -name modalias -exec cat {} + 2>/dev/null | sort -u >/found
	# An empty list of patterns would fit everything.
	[ -e /known ] || echo none >/known
	grep -v -x -F -f /known /found >/new
	[ -s /new ] || return 0
	xargs modprobe -q -a </new 2>/dev/null
	cat /new >>/known
}

# All of a disk's partitions, as "NAME DEVICE" lines.
partitions_of() {
	for entry in /sys/class/block/"$1"/*/partition; do
		[ -e "$entry" ] || continue
		directory=${entry%/partition}
		printf '%s %s\n' "$(sed -n 's/^PARTNAME=//p' "$directory/uevent")" "${directory##*/}"
	done
}

partition() {
	partitions_of "$disk" | sed -n "s/^$1 //p" | head -n 1
}

# Disks laid out as ours.
candidates() {
	for one in /sys/block/*; do
		name=${one##*/}
		[ "$(partitions_of "$name" | grep -c -E '^(esp|bs0|bs1|boot-a|boot-b|root-a|root-b|data) ')" = 8 ] && printf '%s\n' "$name"
	done
}

# What the loader told of its disk's boot state, and what a disk has: generation and both slots' tries.
state_of() {
	# The loader writes both copies, and reads the first that counts.
	for copy in bs0 bs1; do
		text=$(read_state "$1" $copy)
		case $text in *" end=1"*) ;; *) continue ;; esac
		printf '%s' "$text" | sed -n 's/.*generation=\([0-9]*\) .*a_tries=\([0-9]*\) .*b_tries=\([0-9]*\) .*/\1.\2.\3/p'
		return
	done
}

# The lines of a copy of the boot state, in one line; nothing where there is none.
read_state() {
	device=$(partitions_of "$1" | sed -n "s/^$2 //p" | head -n 1)
	dd if="/dev/$device" bs=512 skip=@STATE_SECTOR@ count=1 2>/dev/null | tr -d '\000' | tr '\n' ' ' |
		sed -n 's/^# GRUB Environment Block \(futago=1 .*end=1 \).*/\1/p'
}

id_of() {
	sfdisk --part-uuid "/dev/$1" 2 2>/dev/null | tr A-Z a-z
}

# Two disks with the same image have the same names. The loader tells the ESP's unique GUID of the disk it came from, which
# a box makes its own at its first start; two disks that were never started are told apart by the tries that the loader
# has just lowered on one of them. Where even that is the same, a restart lowers them again.
find_disk() {
	wanted=$(word futago.disk | tr A-Z a-z)
	state=$(word futago.state)
	for waited in $(seq 60); do
		load_found
		fitting=
		for name in $(candidates); do
			[ -z "$wanted" ] || [ "$(id_of "$name")" = "$wanted" ] || continue
			fitting="$fitting $name"
		done
		set -- $fitting
		if [ $# -gt 1 ] && [ -n "$state" ]; then
			told=
			for name in "$@"; do [ "$(state_of "$name")" = "$state" ] && told="$told $name"; done
			set -- $told
		fi
		[ $# -gt 1 ] && fail "disks that cannot be told apart: $*"
		# A second disk may still be on its way, but then it is no twin of the one that was told.
		if [ $# = 1 ] && { [ -n "$wanted" ] || [ "$waited" -gt 3 ]; }; then
			disk=$1
			return 0
		fi
		[ "$waited" -lt 5 ] || sleep 1
	done
	return 1
}

open_root() {
	open_verity root "/dev/$(partition "$1")" "$2" panic_on_corruption
}

# As which name, of which device, by hash:salt:data blocks, and what the kernel does about a wrong block besides refusing it.
open_verity() {
	hash=${3%%:*}
	salt=${3#*:}
	salt=${salt%%:*}
	blocks=${3##*:}
	load dm_verity squashfs
	dmsetup create "$1" --readonly --table \
		"0 $((blocks * 8)) verity 1 $2 $2 4096 4096 $blocks $blocks sha256 $hash $salt${4:+ 1 $4}" >>$log 2>&1 || return 1
	mkdir -p /dev/mapper
	dmsetup mknodes "$1" 2>/dev/null
	[ -b "/dev/mapper/$1" ]
}

# At the first start: data to the end of the disk, a file system on them, and GUIDs that no other disk has. The file
# system comes before the GUIDs: while they are the image's, nothing was ever kept there.
settle_disk() {
	data=/dev/$(partition data)
	grow_data
	[ "$(id_of "$disk")" = "$factory_id" ] || return 0
	: >/run/futago/first-boot
	load ext4
	# By its path: the shell would take busybox's own, which knows no ext4.
	/bin/mke2fs -q -t ext4 -b 4096 -m 1 -L data -E lazy_itable_init=1,lazy_journal_init=1 -F "$data" >>$log 2>&1 || return 0
	sync
	sfdisk --dump "/dev/$disk" >/table 2>>$log || return 0
	new_guids </table >/table.new
	write_table || say "the disk kept the GUIDs of the image"
}

# The second table first, then the first one: at any moment one of them is whole.
write_table() {
	sfdisk --quiet --force --no-reread --no-tell-kernel --wipe never --wipe-partitions never "/dev/$disk" </table.new >>$log 2>&1
	written=$?
	sync
	return $written
}

new_guids() {
	while IFS= read -r line; do
		case $line in
		label-id:*) line="label-id: $(guid)" ;;
		*uuid=*) line=$(printf '%s' "$line" | sed "s/uuid=[0-9A-Fa-f-]*/uuid=$(guid)/") ;;
		esac
		printf '%s\n' "$line"
	done
}

guid() {
	tr a-z A-Z </proc/sys/kernel/random/uuid
}

# Less than 2 MiB at the end are not worth a write.
grow_data() {
	number=$(cat "/sys/class/block/${data#/dev/}/partition")
	end=$(($(cat "/sys/class/block/${data#/dev/}/start") + $(cat "/sys/class/block/${data#/dev/}/size")))
	[ $(($(cat "/sys/class/block/$disk/size") - end)) -gt 4096 ] || return 0
	# The data's size and the table's own end are left out, so both become what the disk has.
	sfdisk --dump "/dev/$disk" >/table 2>>$log || return 0
	sed -e '/^last-lba:/d' -e "\\|^$data |s/size= *[0-9]*, *//" /table >/table.new
	write_table || say "the data could not be given the rest of the disk"
	# The root is in use, so the kernel is told of this partition alone.
	start=$(sed -n "s|^$data .*start= *\\([0-9]*\\).*|\\1|p" /table.new)
	partx --update --nr "$number" "/dev/$disk" || say "the kernel keeps the old size of the data"
}

mount_data() {
	load ext4
	e2fsck -p "$data" >>$log 2>&1
	# 4: what needs a decision. Nobody is there to make it.
	[ $? -lt 4 ] || e2fsck -y -f "$data" >>$log 2>&1
	mount -t ext4 -o noatime,nosuid,nodev "$data" /newroot/data || broken_data "its file system cannot be mounted"
	if [ ! -e $rescue_data ]; then
		resize2fs "$data" >>$log 2>&1
		mkdir -p /newroot/data/system && touch /newroot/data/system/.writable && rm /newroot/data/system/.writable ||
			{ umount /newroot/data && broken_data "its file system cannot be written"; }
	fi
}

broken_data() {
	say "the data partition is not used: $1"
	printf '%s\n' "$1" >$rescue_data
	mount -t tmpfs -o mode=755,nosuid,nodev,size=25% data /newroot/data
	mkdir -p /newroot/data/system
}

# Not in the image, and the same at every start.
give_machine_id() {
	own=/newroot/data/system/machine-id
	if ! grep -q -x -E '[0-9a-f]{32}' $own 2>/dev/null; then
		tr -d - </proc/sys/kernel/random/uuid >$own.new && sync && mv $own.new $own && sync
	fi
	mount -o bind $own /newroot/etc/machine-id
}
