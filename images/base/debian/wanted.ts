/** Which Debian packages an image is made of, and which its builder reads. */

export const SUITES = ["trixie", "trixie-updates", "trixie-security"] as const;
export const ARCHITECTURES = ["amd64", "arm64"] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** What a package is fetched for: to be unpacked into the tree, to boot it, or to compile for it. */
export const PURPOSES = ["tree", "boot", "build"] as const;
export type Purpose = (typeof PURPOSES)[number];

/**
 * Only called by the scripts that set a package up on a machine that is managed by dpkg. A box is not: its packages are
 * unpacked, and what those scripts would do is in tree/ and in files/.
 */
export const ASSUMED: Readonly<Record<string, string>> = {
  adduser: "",
  debconf: "debconf-2.0",
  debianutils: "",
  dpkg: "",
  "init-system-helpers": "",
  "initramfs-tools": "linux-initramfs-tool",
  "linux-base": "",
  "lsb-base": "",
  mawk: "awk",
  passwd: "",
  "perl-base": "",
  "readline-common": "",
  "runit-helper": "",
  "sensible-utils": "",
  "shared-mime-info": "",
  ucf: "",
};

const TREE = [
  "base-files base-passwd busybox-static ca-certificates coreutils dash libc-bin login mount tzdata util-linux",
  "dbus kmod systemd systemd-resolved systemd-sysv systemd-timesyncd udev",
  "dmsetup dosfstools e2fsprogs fdisk rauc rauc-service",
  "ethtool iproute2 nftables openssh-server",
  // Of the addon, of pulse, and of Node.
  "libbpf1 libsodium23 libstdc++6",
].flatMap((line) => line.split(" "));

const BOOT: Readonly<Record<Architecture, readonly string[]>> = {
  amd64: ["grub-common", "grub-pc-bin", "grub-efi-amd64-signed", "shim-signed"],
  arm64: ["grub-efi-arm64-signed", "shim-signed"],
};

const BUILD = ["libbpf-dev", "libsodium-dev", "libelf-dev", "libc6-dev", "linux-libc-dev"];

/** Roots of what is resolved (tree), or exactly those packages (boot, build). */
export function wanted(architecture: Architecture, purpose: Purpose): readonly string[] {
  switch (purpose) {
    case "tree":
      return [...TREE, `linux-image-${architecture}`];
    case "boot":
      return BOOT[architecture];
    case "build":
      return architecture === "arm64" ? BUILD : [];
  }
}
