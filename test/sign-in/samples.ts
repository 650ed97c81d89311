/** One after the other, so that limits see them in order. */
export async function forAll<T, R>(samples: readonly T[], ask: (sample: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  for (const sample of samples) answers.push(await ask(sample));
  return answers;
}
