/** The modules of the first file system: by name, or all below a directory of kernel/. With what each needs. */
export const MODULES = [
  ..."virtio_pci virtio_mmio virtio_blk virtio_scsi sd_mod ahci ata_piix ata_generic nvme uas usb_storage".split(" "),
  ..."hv_storvsc vmw_pvscsi mptspi mmc_block".split(" "),
  "drivers/mmc/host/",
  "drivers/usb/host/",
  "drivers/usb/dwc3/",
  "drivers/phy/",
  // The watchdog of Intel's chip sets is a part of either.
  ..."lpc_ich i2c_i801".split(" "),
  ..."usbhid hid_generic".split(" "),
  ..."dm_mod dm_verity squashfs ext4 vfat nls_cp437 nls_ascii nls_utf8".split(" "),
  ..."crc32c_generic crc32c_intel libcrc32c sha256_generic sha256_ssse3 sha256_arm64 sha2_ce".split(" "),
];

export const WATCHDOGS = ["i6300esb", "iTCO_wdt", "sp5100_tco", "sbsa_gwdt", "sp805_wdt", "dw_wdt", "bcm2835_wdt"];
