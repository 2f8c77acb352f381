/**
 * Where the sectors of one file in the root directory of a FAT12 file system lie, for whoever writes them in place. Reads
 * the boot sector, the table and the directory; knows no other directory, no long names, and no FAT16.
 *
 * @see Microsoft, FAT: General Overview of On-Disk Format, 1.03
 */
import { ok, refuse, type Result } from "@futago/hal/units/result.ts";

export type Fat12Reason = "notFat12" | "noSuchFile" | "wrongLength" | "inPieces";

const DIRECTORY_ENTRY_BYTES = 32;
const DELETED = 0xe5;
const VOLUME_LABEL_OR_LONG_NAME = 0x08;
/** More clusters than that make a FAT16 of it. */
const CLUSTERS_MAX = 4_084;

interface Geometry {
  readonly clusterBytes: number;
  readonly tableAt: number;
  readonly directoryAt: number;
  readonly directoryEntries: number;
  readonly dataAt: number;
  readonly clusters: number;
}

/** The offset of the file's first byte on the volume. The file has this length and lies in one piece. */
export function findFile(volume: Uint8Array, name: string, length: number): Result<number, Fat12Reason> {
  const geometry = geometryOf(volume);
  if (geometry === undefined) return refuse("notFat12");
  const view = viewOf(volume);
  const at = entryOf(volume, geometry, shortName(name));
  if (at === undefined) return refuse("noSuchFile");
  if (view.getUint32(at + 28, true) !== length || length === 0) return refuse("wrongLength");
  const first = view.getUint16(at + 26, true);
  const needed = Math.ceil(length / geometry.clusterBytes);
  for (let cluster = first; cluster < first + needed; cluster++) {
    if (cluster < 2 || cluster >= geometry.clusters + 2) return refuse("inPieces");
    const next = nextCluster(view, geometry, cluster);
    const isLast = cluster === first + needed - 1;
    if (isLast ? next < 0xff8 : next !== cluster + 1) return refuse("inPieces");
  }
  return ok(geometry.dataAt + (first - 2) * geometry.clusterBytes);
}

/** Undefined unless each part that it names lies on the volume. */
function geometryOf(volume: Uint8Array): Geometry | undefined {
  if (volume.length < 512 || volume[510] !== 0x55 || volume[511] !== 0xaa) return undefined;
  const view = viewOf(volume);
  const sectorBytes = view.getUint16(11, true);
  const sectorsPerCluster = view.getUint8(13);
  const tables = view.getUint8(16);
  const directoryEntries = view.getUint16(17, true);
  const sectors = view.getUint16(19, true) || view.getUint32(32, true);
  const sectorsPerTable = view.getUint16(22, true);
  if (sectorBytes !== 512 || sectorsPerCluster === 0 || tables === 0 || sectorsPerTable === 0) return undefined;
  const tableAt = view.getUint16(14, true) * sectorBytes;
  const directoryAt = tableAt + tables * sectorsPerTable * sectorBytes;
  const dataAt = directoryAt + Math.ceil((directoryEntries * DIRECTORY_ENTRY_BYTES) / sectorBytes) * sectorBytes;
  const end = Math.min(sectors * sectorBytes, volume.length);
  const clusterBytes = sectorsPerCluster * sectorBytes;
  const clusters = Math.floor((end - dataAt) / clusterBytes);
  const isInTable = Math.ceil(((clusters + 2) * 3) / 2) <= sectorsPerTable * sectorBytes;
  if (clusters < 1 || clusters > CLUSTERS_MAX || !isInTable) return undefined;
  return { clusterBytes, tableAt, directoryAt, directoryEntries, dataAt, clusters };
}

function entryOf(volume: Uint8Array, geometry: Geometry, name: string): number | undefined {
  for (let n = 0; n < geometry.directoryEntries; n++) {
    const at = geometry.directoryAt + n * DIRECTORY_ENTRY_BYTES;
    const first = volume[at];
    if (first === 0) return undefined;
    const attributes = volume[at + 11] ?? 0;
    if (first === DELETED || (attributes & VOLUME_LABEL_OR_LONG_NAME) !== 0) continue;
    if (String.fromCharCode(...volume.subarray(at, at + 11)) === name) return at;
  }
  return undefined;
}

/** Eight and three signs, filled with blanks. */
function shortName(name: string): string {
  const [base = "", extension = ""] = name.toUpperCase().split(".");
  return base.padEnd(8) + extension.padEnd(3);
}

/** Twelve bits for each cluster. */
function nextCluster(view: DataView, { tableAt }: Geometry, cluster: number): number {
  const pair = view.getUint16(tableAt + cluster + Math.floor(cluster / 2), true);
  return cluster % 2 === 0 ? pair & 0xfff : pair >> 4;
}

function viewOf(volume: Uint8Array): DataView {
  return new DataView(volume.buffer, volume.byteOffset, volume.byteLength);
}
