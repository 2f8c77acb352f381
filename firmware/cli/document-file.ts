/** Reads a configuration document that somebody names. */
import { readFileSync } from "node:fs";
import { documentText } from "../config/document-text.ts";
import { documentBytesMax } from "../config/limits.ts";
import { ExitCode, RefusalError } from "../runtime/exit-code.ts";
import { fileTrouble } from "../runtime/files.ts";

/**
 * The text as it is: the box judges it, with all that a JSON parser would hide, such as a key written twice. "-" is
 * standard input. Throws RefusalError.
 */
export function readDocumentFile(file: string): string {
  const bytes = readBytes(file);
  // The box would say so, too, once it had been sent all of it.
  if (bytes.length > documentBytesMax) {
    throw refused(
      file,
      `the document has ${bytes.length} bytes, at most ${documentBytesMax} are possible`,
      "Make it smaller.",
    );
  }
  const decoded = documentText(bytes);
  if (decoded.ok) return decoded.text;
  throw refused(file, decoded.problem.what, `${decoded.problem.mend}.`);
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file === "-" ? 0 : file);
  } catch (error) {
    throw refused(
      file,
      `the document cannot be read: ${fileTrouble(error)}`,
      "Give the path of a configuration document in JSON.",
    );
  }
}

function refused(where: string, what: string, mend: string): RefusalError {
  return new RefusalError({ exitCode: ExitCode.invalidConfiguration, what, where, mend });
}
