/** Certificates for tests, made by openssl(1): an authority, and what it signs. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const DAY_MILLIS = 86_400_000;

export interface ServerCertificate {
  readonly key: string;
  readonly cert: string;
}

export class TestAuthority {
  /** The authority's own certificate, as a list of trusted ones. */
  readonly listPath: string;
  readonly #directory = mkdtempSync(join(tmpdir(), "futago-certificates-"));
  #count = 0;

  constructor() {
    this.listPath = join(this.#directory, "ca.pem");
    mkdirSync(join(this.#directory, "new"));
    writeFileSync(join(this.#directory, "index.txt"), "");
    writeFileSync(join(this.#directory, "ca.cnf"), authorityConfiguration(this.#directory));
    this.#openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=authority", [
      "-keyout",
      join(this.#directory, "ca.key"),
      "-out",
      this.listPath,
    ]);
  }

  /** Signs a certificate for the names ("DNS:a.test,IP:127.0.0.1") that ends `endsInDays` from now, which may be past. */
  sign(names: string, endsInDays: number): ServerCertificate {
    const path = (kind: string) => join(this.#directory, `${this.#count}.${kind}`);
    this.#count += 1;
    this.#openssl("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=server", [
      "-addext",
      `subjectAltName=${names}`,
      "-keyout",
      path("key"),
      "-out",
      path("csr"),
    ]);
    const dates = ["-startdate", dateFrom(-100), "-enddate", dateFrom(endsInDays)];
    const files = ["-config", join(this.#directory, "ca.cnf"), "-in", path("csr"), "-out", path("pem")];
    this.#openssl("ca -batch -notext", [...files, ...dates]);
    return { key: readFileSync(path("key"), "utf8"), cert: readFileSync(path("pem"), "utf8") };
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #openssl(command: string, more: readonly string[]): void {
    execFileSync("openssl", [...command.split(" "), ...more], { cwd: this.#directory, stdio: "pipe" });
  }
}

/** YYYYMMDDHHMMSSZ, with an hour to spare so that the days are whole. */
function dateFrom(days: number): string {
  const date = new Date(Date.now() + days * DAY_MILLIS + DAY_MILLIS / 24);
  return `${date.toISOString().replaceAll(/[-:T]|\.\d+Z$/g, "")}Z`;
}

function authorityConfiguration(directory: string): string {
  return `[ca]
default_ca = test
[test]
database = ${directory}/index.txt
new_certs_dir = ${directory}/new
certificate = ${directory}/ca.pem
private_key = ${directory}/ca.key
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
`;
}
