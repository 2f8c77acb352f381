/** Long work as a generator: whoever carries it out may let others work between its steps. */

/** Carries out the steps without a rest. */
export function atOnce<T>(steps: Iterator<unknown, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
