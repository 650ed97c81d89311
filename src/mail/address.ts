import { domainToASCII } from 'node:url';

export interface Mailbox {
  readonly address: string;
  readonly name?: string | undefined;
}

/** The characters of an address that needs no quoting: `atext` and dots, RFC 5322 section 3.2.3. */
const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/**
 * The address as it goes to the mail server, its domain in ASCII (IDNA). Undefined for whatever is not one plain
 * address: lists, quoting, comments, spaces, control characters. They are how one recipient becomes two, or a
 * recipient becomes a header.
 */
export function plainAddress(address: string): string | undefined {
  const at = address.lastIndexOf('@');
  if (at < 1 || at > 64 || !LOCAL_PART.test(address.slice(0, at))) return undefined;
  const typed = address.slice(at + 1);
  // The URL rules behind domainToASCII drop tabs and line breaks instead of refusing them.
  if (!/^[\p{L}\p{M}\p{N}.-]+$/u.test(typed)) return undefined;
  const domain = domainToASCII(typed);
  const labels = domain.split('.');
  if (domain === '' || labels.length < 2 || !labels.every((label) => LABEL.test(label))) return undefined;
  const plain = `${address.slice(0, at)}@${domain}`;
  return plain.length <= 254 ? plain : undefined;
}

/** A display name on one line; nodemailer quotes or encodes the rest. */
export const plainName = (name: string | undefined): string =>
  (name ?? '')
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, 100);

/** Reads `MAIL_FROM`: an address alone or `Name <address>`. Throws when it is neither. */
export function parseSender(text: string): { address: string; name: string; domain: string } {
  const written = /^(?:(.*?)\s*<([^<>]+)>|([^<>\s]+))$/.exec(text.trim());
  const address = written?.[2] ?? written?.[3] ?? '';
  const at = address.lastIndexOf('@');
  // A single label is fine here: no-reply@localhost is the default outside production.
  if (
    at < 1 ||
    !LOCAL_PART.test(address.slice(0, at)) ||
    !address
      .slice(at + 1)
      .split('.')
      .every((label) => LABEL.test(label))
  ) {
    throw new Error('MAIL_FROM must be an address or "Name <address>"');
  }
  return { address, name: plainName(written?.[1]?.replace(/^"(.*)"$/, '$1')), domain: address.slice(at + 1) };
}
