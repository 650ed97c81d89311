const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** A day of Jakarta's calendar, `2026-11-01`: from its first moment on, and before the first of the next. */
export interface JakartaDay {
  readonly from: Date;
  readonly to: Date;
}

/** Undefined for what is no day. */
export function jakartaDay(text: string): JakartaDay | undefined {
  const from = DAY.test(text) ? new Date(`${text}T00:00:00+07:00`) : undefined;
  if (from === undefined || Number.isNaN(from.getTime())) return undefined;
  return { from, to: new Date(from.getTime() + 24 * 3600 * 1000) };
}
