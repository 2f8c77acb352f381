# The rescue mode: what a box starts when no slot of it may be tried any more, or when somebody chose it at the loader. One
# menu on every terminal. Where nobody comes, it gives each slot one more try after a while: a box far away must not
# wait for ever for a person.

wait_seconds=300
own=nobody
touched=/run/touched

rescue() {
	printf 'rescue\n' >/run/futago/slot
	# Between the menu's lines the kernel's words would be in the way; dmesg has them.
	echo 1 >/proc/sys/kernel/printk
	for terminal in $(menu_terminals); do
		# Each with places of its own: they look at the same disk at the same time.
		(
			own=${terminal##*/}
			mkdir -p "/mnt/$own"
			while :; do menu "$terminal" <"$terminal" >"$terminal" 2>&1; done
		) &
	done
	waited=0
	while [ $waited -lt $wait_seconds ] || [ -e $touched ]; do
		sleep 5
		waited=$((waited + 5))
	done
	say "nobody is here: each slot gets one more try"
	one_more_try
	restart
}

# A terminal that is the console by another name would show everything twice.
menu_terminals() {
	for one in tty0 ttyS0 ttyAMA0; do
		grep -q -w "console=$one" /proc/cmdline || grep -q "console=$one," /proc/cmdline || continue
		[ "$one" = tty0 ] && one=tty1
		(: <"/dev/$one") 2>/dev/null && printf '/dev/%s\n' "$one"
	done
}

menu() {
	stty sane <"$1" 2>/dev/null
	clear
	cat <<TEXT
Futago: rescue mode on disk ${disk:-(none found)}

$(slot_line a)
$(slot_line b)

  1  Try slot A        2  Try slot B
  3  Read both slots and compare them with their hashes
  4  Write both slots anew from a stick that holds a Futago image; data stay
  5  Shell             6  Restart           7  Power off

TEXT
	[ -e $touched ] || printf 'Without a key each slot gets one more try within %s minutes.\n' $((wait_seconds / 60))
	printf 'rescue> '
	read -r answer || sleep 5
	[ -n "$answer" ] && : >$touched
	case $answer in
	1) try_again a ;;
	2) try_again b ;;
	3) compare a; compare b ;;
	4) write_from_stick ;;
	5) setsid -c ash -l ;;
	6) restart ;;
	7) sync; poweroff -f ;;
	*) return ;;
	esac
	printf 'Enter goes on. '
	read -r answer
}

restart() {
	sync
	reboot -f
}

# Both slots in words, from the boot state and from the slot's own slot.cfg.
slot_line() {
	load_state
	eval "verdict=\$$1_state tries=\$$1_tries"
	printf 'Slot %s: %s, %s tries left, %s' "$(printf %s "$1" | tr ab AB)" "$verdict" "$tries" "$(version_of "$1")"
}

version_of() {
	mount_boot "$1" || { printf 'its boot partition cannot be read'; return; }
	sed -n 's/^# Futago /version /p' "/mnt/$own/slot.cfg" 2>/dev/null
	umount "/mnt/$own"
}

mount_boot() {
	load vfat nls_cp437 nls_ascii nls_utf8
	[ -n "$disk" ] && mount -t vfat -o ro "/dev/$(partition "boot-$1")" "/mnt/$own" 2>/dev/null
}

# The boot state, or what the loader takes where there is none.
load_state() {
	generation=0 primary=a a_state=good a_tries=8 b_state=good b_tries=8
	[ -n "$disk" ] || return 0
	for copy in bs0 bs1; do
		text=$(read_state "$disk" $copy)
		[ -n "$text" ] || continue
		for pair in $text; do
			case $pair in
			generation=*[!0-9]* | ?_tries=*[!0-9]*) ;;
			generation=[0-9]* | primary=[ab] | ?_state=good | ?_state=trial | ?_state=bad | ?_tries=[0-9]*) eval "$pair" ;;
			esac
		done
		return
	done
}

# One sector for each copy, as user space writes it. A copy that has lost its file system gets the one of the image first.
save_state() {
	generation=$((generation + 1))
	printf '# GRUB Environment Block\nfutago=1\ngeneration=%s\nprimary=%s\na_state=%s\na_tries=%s\nb_state=%s\nb_tries=%s\nend=1\n' \
		"$generation" "$primary" "$a_state" "$a_tries" "$b_state" "$b_tries" >"/state.$own"
	printf "%$((512 - $(wc -c <"/state.$own")))s" '' | tr ' ' '#' >>"/state.$own"
	for copy in bs0 bs1; do
		device=/dev/$(partition $copy)
		dd if="$device" bs=512 skip=@STATE_SECTOR@ count=1 2>/dev/null | grep -q '^# GRUB Environment Block' ||
			zcat /$copy.gz | dd of="$device" bs=64k conv=notrunc,fsync 2>/dev/null
		dd if="/state.$own" of="$device" bs=512 seek=@STATE_SECTOR@ count=1 conv=notrunc,fsync 2>/dev/null
	done
}

try_again() {
	[ -n "$disk" ] || { echo "There is no disk."; return; }
	load_state
	primary=$1
	eval "$1_tries=1"
	eval "[ \"\$$1_state\" != bad ] || $1_state=trial"
	save_state
	restart
}

one_more_try() {
	[ -n "$disk" ] || return 0
	load_state
	a_tries=1 b_tries=1
	# One that was found bad is better than nothing, where there is nothing else.
	if [ "$a_state" = bad ] && [ "$b_state" = bad ]; then a_state=trial b_state=trial; fi
	save_state
}

# Reads all of a slot's root: a block that is not what was built is told of by the kernel.
compare() {
	printf 'Slot %s: ' "$(printf %s "$1" | tr ab AB)"
	mount_boot "$1" || { echo "its boot partition cannot be read"; return; }
	told=$(sed -n 's/.* futago\.root=\([0-9a-f:]*\).*/\1/p' "/mnt/$own/slot.cfg")
	umount "/mnt/$own"
	if verify "/dev/$(partition "root-$1")" "$told"; then echo "as it was built"; else echo "damaged"; fi
}

# Of a device that begins with a root, and what slot.cfg tells of it.
verify() {
	[ -n "$2" ] || return 1
	dmsetup remove "$own" 2>/dev/null
	open_verity "$own" "$1" "$2" || return 1
	dd if="/dev/mapper/$own" of=/dev/null bs=1M 2>/dev/null
	verified=$?
	dmsetup remove "$own"
	return $verified
}

# A stick that was flashed with an image: its slot A goes into both slots of this box. Whoever puts a stick into a box and
# sits at its console has the box; the hashes are compared so that a bad stick is no slot.
write_from_stick() {
	[ -n "$disk" ] || { echo "There is no disk."; return; }
	load_found
	stick=$(candidates | grep -v -x "$disk" | head -n 1)
	[ -n "$stick" ] || { echo "There is no other disk with a Futago image."; return; }
	printf 'Write both slots of %s from %s? Type yes: ' "$disk" "$stick"
	read -r answer
	[ "$answer" = yes ] || return
	boot=/dev/$(partitions_of "$stick" | sed -n 's/^boot-a //p')
	root=/dev/$(partitions_of "$stick" | sed -n 's/^root-a //p')
	mount -t vfat -o ro "$boot" "/mnt/$own" || { echo "The stick's boot partition cannot be read."; return; }
	told=$(sed -n 's/.* futago\.root=\([0-9a-f:]*\).*/\1/p' "/mnt/$own/slot.cfg")
	umount "/mnt/$own"
	verify "$root" "$told" || { echo "The image on the stick is damaged."; return; }
	for slot in a b; do
		echo "Writing slot $slot ..."
		# First what makes the slot no slot, last what makes it one.
		dd if=/dev/zero of="/dev/$(partition boot-$slot)" bs=1M count=1 conv=notrunc,fsync 2>/dev/null
		dd if="$root" of="/dev/$(partition root-$slot)" bs=1M conv=notrunc,fsync 2>/dev/null &&
			dd if="$boot" of="/dev/$(partition boot-$slot)" bs=1M conv=notrunc,fsync 2>/dev/null ||
			{ echo "The disk refused."; return; }
	done
	load_state
	primary=a a_state=good a_tries=8 b_state=good b_tries=8
	save_state
	compare a
	compare b
}
