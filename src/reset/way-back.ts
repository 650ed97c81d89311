/** The service a person came from when RESET was chosen on its login page. */
export interface WayBack {
  /** Undefined when nothing leads back any more. */
  find(attemptUid: string | undefined): Promise<{ readonly service: string; readonly href: string } | undefined>;
}
