/** Whom a person wants asked: an address, or a name that is looked up once. Refuses what must not be asked in anybody's name. */
import { type IpAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import { refuseAsked, type Surroundings } from "../../../config/asked-address.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";

const NAME_LENGTH_MAX = 253;
const LOOKUP_MILLIS_MAX = 5_000;

/** The addresses of a name, the best first. Rejects where it has none. */
export type Lookup = (name: string) => Promise<readonly { readonly address: string }[]>;

export interface TargetOptions {
  readonly lookup: Lookup;
  readonly surroundings: () => Surroundings;
}

export class Targets {
  readonly #options: TargetOptions;
  /** getaddrinfo(3) holds one of the few threads that files and passwords need, too, for as long as it likes. */
  #isLookingUp = false;

  constructor(options: TargetOptions) {
    this.#options = options;
  }

  /** Rejects with RefusalError. */
  async find(to: string): Promise<IpAddress> {
    const address = parseIpAddress(to) ?? (await this.#lookUp(to));
    const wrong = refuseAsked(address, this.#options.surroundings());
    if (wrong === undefined) return address;
    const what = `${address === to ? address : `${to}, which is ${address},`} cannot be asked: it is ${wrong.sentence}`;
    throw new RefusalError({ exitCode: ExitCode.failed, what, reason: wrong.reason, parameters: { to, address } });
  }

  async #lookUp(name: string): Promise<IpAddress> {
    const isName = name.length <= NAME_LENGTH_MAX && /^[a-z0-9]([\w.-]*[a-z0-9])?\.?$/i.test(name);
    if (!isName)
      throw refusal("badTarget", { to: name.slice(0, NAME_LENGTH_MAX) }, "that is neither an address nor a name", "");
    if (this.#isLookingUp)
      throw refusal(
        "lookupBusy",
        {},
        "another name is being looked up",
        "Try again in some seconds, or name an address.",
      );
    this.#isLookingUp = true;
    const found = this.#options
      .lookup(name)
      .then(
        ([first]) => (first === undefined ? undefined : parseIpAddress(first.address)),
        () => undefined,
      )
      .finally(() => (this.#isLookingUp = false));
    const address = await within(found, LOOKUP_MILLIS_MAX);
    if (address === "late")
      throw refusal(
        "lookupSlow",
        { name },
        `the name ${name} was not looked up in ${LOOKUP_MILLIS_MAX / 1_000} s`,
        "Name an address.",
      );
    if (address === undefined)
      throw refusal(
        "nameUnknown",
        { name },
        `the name ${name} has no address`,
        "Look at its spelling, or name an address.",
      );
    return address;
  }
}

async function within<T>(promise: Promise<T>, millis: number): Promise<T | "late"> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => (timer = setTimeout(() => resolve("late"), millis)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function refusal(
  reason: string,
  parameters: Readonly<Record<string, string>>,
  what: string,
  mend: string,
): RefusalError {
  return new RefusalError({ exitCode: ExitCode.failed, what, ...(mend === "" ? {} : { mend }), reason, parameters });
}
