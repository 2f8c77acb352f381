/** The kernel's modules of a box: what a router's hardware and its tests need, decompressed, with everything they depend on. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { run } from "./unpack.ts";

/** Below kernel/. */
const LEFT_OUT = [
  ..."accel accessibility atm auxdisplay bluetooth comedi firewire gpu iio infiniband isdn media memstick mtd nfc ntb nvdimm"
    .split(" ")
    .map((name) => `drivers/${name}/`),
  ..."parport pcmcia rapidio soundwire staging target ufs uio vdpa vhost vfio video virt w1 xen"
    .split(" ")
    .map((name) => `drivers/${name}/`),
  ..."joystick tablet touchscreen gameport".split(" ").map((name) => `drivers/input/${name}/`),
  ..."arcnet can fddi hamradio ieee802154 plip slip thunderbolt wireless wwan"
    .split(" ")
    .map((name) => `drivers/net/${name}/`),
  ..."atm dsa/sja1105".split(" ").map((name) => `drivers/net/${name}/`),
  ..."aacraid aic7xxx arcmsr be2iscsi bfa bnx2fc bnx2i csiostor cxgbi elx esas2r fcoe fnic ibmvscsi isci libfc libsas lpfc"
    .split(" ")
    .map((name) => `drivers/scsi/${name}/`),
  ..."megaraid mvsas mvumi pcmcia pm8001 qedf qedi qla2xxx qla4xxx smartpqi snic"
    .split(" ")
    .map((name) => `drivers/scsi/${name}/`),
  ..."9p affs afs bcachefs befs btrfs cachefiles ceph coda dlm ecryptfs efs erofs f2fs freevxfs gfs2 hfs hfsplus hpfs jffs2 jfs"
    .split(" ")
    .map((name) => `fs/${name}/`),
  ..."lockd minix netfs nfs nfs_common nfsd nilfs2 ocfs2 omfs orangefs qnx4 qnx6 reiserfs romfs smb sysv ubifs udf ufs vboxsf xfs"
    .split(" ")
    .map((name) => `fs/${name}/`),
  ..."6lowpan 9p appletalk atm ax25 batman-adv bluetooth can ceph dccp ieee802154 lapb mac80211 mac802154 netrom nfc openvswitch"
    .split(" ")
    .map((name) => `net/${name}/`),
  ..."phonet qrtr rds rose rxrpc smc sunrpc tipc wireless x25 xfrm/none".split(" ").map((name) => `net/${name}/`),
  "arch/x86/kvm/",
  "sound/",
  "samples/",
];

export interface Modules {
  readonly release: string;
  readonly kept: number;
  readonly all: number;
}

/** Needs /usr/lib/modules/RELEASE in the tree, compressed as Debian ships it. */
export async function trimModules(tree: string): Promise<Modules> {
  const releases = readdirSync(`${tree}/usr/lib/modules`);
  const [release] = releases;
  if (release === undefined || releases.length > 1)
    throw new Error(`modules of one kernel expected: ${releases.join(" ")}`);
  const root = `${tree}/usr/lib/modules/${release}`;
  execFileSync("depmod", ["-b", `${tree}/usr`, release]);
  const dependsOn = new Map(
    readFileSync(`${root}/modules.dep`, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [module = "", needed = ""] = line.split(": ");
        return [module.replace(/:$/, ""), needed.split(" ").filter((one) => one !== "")] as const;
      }),
  );
  const isWanted = (module: string) => !LEFT_OUT.some((prefix) => module.startsWith(`kernel/${prefix}`));
  const wanted = [...dependsOn.keys()].filter(isWanted);
  // modules.dep lists what a module needs with what that needs.
  const kept = new Set(wanted.flatMap((module) => [module, ...(dependsOn.get(module) ?? [])]));
  for (const module of dependsOn.keys()) if (!kept.has(module)) rmSync(`${root}/${module}`);
  await run("bash", ["-c", 'find "$0" -name "*.ko.xz" -print0 | xargs -0 -r -P 2 -n 64 xz -d', root]);
  execFileSync("find", [root, "-type", "d", "-empty", "-delete"]);
  execFileSync("depmod", ["-b", `${tree}/usr`, release]);
  return { release, kept: kept.size, all: dependsOn.size };
}
