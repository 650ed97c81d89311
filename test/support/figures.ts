/** Prints what a race or a fault test measured, when FIGURES is set: for reports, never for a verdict. */
export function figures(name: string, values: object): void {
  if (process.env.FIGURES !== undefined) process.stdout.write(`${name}: ${JSON.stringify(values)}\n`);
}
