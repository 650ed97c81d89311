/** The service a person came from when RESET was chosen on its login page. */
export interface WayBack {
  /** Undefined when nothing leads back any more, or it began in another browser. */
  find(
    attemptUid: string | undefined,
    browserId: string,
  ): Promise<{ readonly service: string; readonly href: string } | undefined>;
  /** Where that service begins: for a reset that ends the sign-in it came from. */
  startOf(
    attemptUid: string | undefined,
    browserId: string,
  ): Promise<{ readonly service: string; readonly href: string } | undefined>;
}
