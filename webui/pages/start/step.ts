/** What every step is given. */
export interface StepProps {
  readonly onDone: () => void;
  readonly onSkip: () => void;
}
