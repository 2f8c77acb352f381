/** A role's mark inside a drawing. */

const marks: Readonly<Record<string, string>> = {
  active: "M2 1.500l9 5.500-9 5.500z",
  standby: "M3 2v10M9 2v10",
  spare: "M7 0v14M1 3.500l12 7M13 3.500l-12 7",
  maintenance: "M1 7h12M7 1v12",
  fault: "M7 1L14 13H0zM7 5v4M7 11v.3",
  silent: "M2 2l10 10M12 2L2 12",
  alone: "M7 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8",
};

export function RolePicture({ x, y, role }: { readonly x: number; readonly y: number; readonly role: string }) {
  return <path class={`role-mark ${role}`} transform={`translate(${x} ${y})`} d={marks[role] ?? "M1 7h12"} />;
}
