/**
 * A man in the middle of a ceremony, who has overheard the code and holds the only cable between the two boxes:
 *   middle.ts CODE TOWARDS_INVITER TOWARDS_JOINER
 * He joins the one and invites the other, by the same machine as an honest box, and says yes to everything.
 */
import { makeIdentity } from "@futago/firmware/runtime/core/pairing/identity.ts";
import { parseCode } from "@futago/firmware/pair/ceremony/code.ts";
import { Face } from "./ceremony-face.ts";

const [text = "", towardsInviter = "", towardsJoiner = ""] = process.argv.slice(2);
const code = parseCode(text);
if (!code.ok) throw new Error("no code");
const { certificate } = await makeIdentity();
const common = { code: code.value, release: "0.0.0", certificate, letter: "a" } as const;
new Face("joiner").join({ ...common, seed: "" }, towardsInviter);
new Face("inviter").invite({ ...common, seed: "00".repeat(16) }, towardsJoiner);
process.stdin.on("end", () => process.exit(0)).resume();
