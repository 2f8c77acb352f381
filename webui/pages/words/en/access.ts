/** Signing in, and claiming a new box. */
export const access = {
  signIn: "Sign in",
  name: "Name",
  password: "Password",
  passwordHint: "10 to 256 characters, and not the name.",
  claimTitle: "This box is new",
  claimLead:
    "Whoever stands before it may claim it: the code is on its console, and futago web on the box prints it, too.",
  code: "Code from the console",
  yourName: "Your name",
  newPassword: "New password",
  claim: "Claim this box",
  claimNote: "You become its first admin. There is no default password.",
  resuming: "Going on here…",
  sessionEnded:
    "Your session has ended: it was ended elsewhere, nothing was done for too long, or the box has other accounts now.",
  noBox: "The box does not answer yet.",
};
