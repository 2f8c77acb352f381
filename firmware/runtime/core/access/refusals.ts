/** What is refused to whoever wants to use the web UI or the API, in sentences. */
import { type PasswordRefusal, PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN } from "../../../access/rules.ts";
import type { Scope } from "../../control-access.ts";
import { ExitCode, type Refusal, RefusalError } from "../../exit-code.ts";
import type { CertificateRefusal } from "./given-certificate.ts";

export type AccessRefusal =
  | "notSignedIn"
  | "notAllowed"
  | "tooManyAttempts"
  | "wrongPassword"
  | "wrongCode"
  | "alreadyClaimed"
  | "badName"
  | "nameTaken"
  | "lastAdmin"
  | "noSuchUser"
  | "noSuchToken"
  | "noSuchSession"
  | "tooManyUsers"
  | "tooManyTokens"
  | "badExpiry";

export function refused(
  reason: AccessRefusal,
  what: string,
  mend: string,
  more: Pick<Refusal, "parameters"> & { readonly exitCode?: ExitCode } = {},
): RefusalError {
  return new RefusalError({ exitCode: ExitCode.failed, what, mend, reason, ...more });
}

export function notSignedIn(): RefusalError {
  return refused("notSignedIn", "nobody is signed in", "Sign in, or give a token.");
}

/** `scope`: what the role or the token would need; left out where no scope helps. */
export function notAllowed(what: string, scope?: Scope): RefusalError {
  if (scope === undefined) return refused("notAllowed", `${what} is not allowed to you`, "It is root's, on the box.");
  const needed = `${what} needs the scope ${scope}, which you do not have`;
  return refused("notAllowed", needed, "Ask an admin of the pair for a role or a token that has it.", {
    parameters: { scope },
  });
}

export function notForTokens(what: string): RefusalError {
  return refused("notAllowed", `${what} is for people who signed in, not for tokens`, "Sign in.");
}

export function tooManyAttempts(seconds: number): RefusalError {
  return refused("tooManyAttempts", "there were too many attempts to sign in", `Try again in ${seconds} s.`, {
    parameters: { seconds },
  });
}

export function wrongPassword(): RefusalError {
  return refused("wrongPassword", "the name or the password is wrong", "Try again.");
}

export function wrongCode(): RefusalError {
  return refused("wrongCode", "that is not the code of this box", "`futago web` on the box and its console show it.");
}

export function alreadyClaimed(): RefusalError {
  return refused("alreadyClaimed", "this box is claimed", "Sign in; an admin adds more users.", {
    exitCode: ExitCode.conflict,
  });
}

export function badName(of: string): RefusalError {
  return refused(
    "badName",
    `the name of ${of} is made of 1 to 32 small letters, digits, dots, hyphens and underscores, and begins with a letter or a digit`,
    "Take another name.",
    { exitCode: ExitCode.usage },
  );
}

const PASSWORDS: Readonly<Record<PasswordRefusal, readonly [what: string, mend: string]>> = {
  passwordTooShort: [
    `a password has at least ${PASSWORD_CHARACTERS_MIN} characters`,
    "Take a longer one; a few words do well.",
  ],
  passwordTooLong: [`a password has at most ${PASSWORD_CHARACTERS_MAX} characters`, "Take a shorter one."],
  passwordIsName: ["the password is the name", "Take another one."],
};

export function badPassword(reason: PasswordRefusal): RefusalError {
  const [what, mend] = PASSWORDS[reason];
  const parameters = { min: PASSWORD_CHARACTERS_MIN, max: PASSWORD_CHARACTERS_MAX };
  return new RefusalError({ exitCode: ExitCode.usage, what, mend, reason, parameters });
}

const CERTIFICATES: Readonly<Record<CertificateRefusal, readonly [what: string, mend: string]>> = {
  certificateUnreadable: [
    "the certificate is none in PEM",
    "Give the text that begins with -----BEGIN CERTIFICATE-----, and nothing of the key with it.",
  ],
  certificateTooLong: ["the certificate or the key is longer than 64 KiB", "Give the chain without its root."],
  keyUnreadable: ["the key is none in PEM, or needs a passphrase", "Give it as `openssl pkey -in FILE` writes it."],
  keyUnsuitable: [
    "browsers do not take a key of this sort",
    "Take RSA of 2,048 bits or more, or ECDSA with P-256, P-384 or P-521.",
  ],
  keyOfAnother: ["the key is that of another certificate", "Give the key that the certificate was requested with."],
  chainOrder: [
    "the certificates do not follow each other",
    "Put the box's own first, then whoever signed it, and so on.",
  ],
  certificateExpired: ["a certificate of the chain has ended", "Get a new one."],
  certificateNotForServers: ["the certificate is not for servers", "Ask for one with the purpose serverAuth."],
};

export function badCertificate(reason: CertificateRefusal): RefusalError {
  const [what, mend] = CERTIFICATES[reason];
  return new RefusalError({ exitCode: ExitCode.usage, what, mend, reason });
}
