/** Text of others, such that it moves nothing in a terminal and begins no line: `\u{1b}` for what is not seen. */
export const printable = (text: string): string =>
  text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
