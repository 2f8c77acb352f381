/** Progress of a build in build.sh's own words: seconds, then what is done. */
export function step(text: string): void {
  process.stderr.write(`[${String(Math.round(performance.now() / 1_000)).padStart(4)}s] ${text}\n`);
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
