import type { X509Certificate } from 'node:crypto';

/** What a certificate is compared by (RFC 8705 section 2.1.2). */
export type SubjectKind = 'dn' | 'dns' | 'uri' | 'ip' | 'email';

const EXACT = { subject: 'never', wildcards: false, partialWildcards: false } as const;

/** Parts of a name at commas or line ends that are not escaped. */
const partsOf = (name: string, at: RegExp): string[] => name.match(at)?.filter((part) => part !== '') ?? [];

/** `CN=a\2Cb` and `CN=a\,b` are one name (RFC 4514 section 2.4). */
function plain(part: string): string | undefined {
  const [, type, value] = /^\s*([A-Za-z0-9.-]+)=([^]*)$/.exec(part) ?? [];
  if (type === undefined || value === undefined) return undefined;
  const bytes = value
    .trimStart()
    .replace(
      /\\([0-9a-fA-F]{2})|\\(.)|([^\\]+)/gsu,
      (_, hex: string | undefined, escaped: string | undefined, rest: string | undefined) =>
        hex === undefined ? encodeURIComponent(escaped ?? rest ?? '') : `%${hex}`,
    );
  try {
    return `${type.toUpperCase()}=${decodeURIComponent(bytes)}`;
  } catch {
    return undefined;
  }
}

/** The certificate's name as RFC 4514 writes it, last part first. Undefined where two share one part. */
function nameOf(certificate: X509Certificate): readonly (string | undefined)[] | undefined {
  // Absent for an empty name, whatever the types say.
  const subject = certificate.subject as string | undefined;
  if (subject === undefined) return undefined;
  const parts = subject.split('\n');
  return parts.some((part) => /(?<!\\)(?:\\\\)* \+ /.test(part)) ? undefined : parts.map(plain).toReversed();
}

function isNamed(certificate: X509Certificate, expected: string): boolean {
  const name = nameOf(certificate);
  const wanted = partsOf(expected, /(?:\\.|[^\\,])+/gs).map(plain);
  return name?.length === wanted.length && wanted.every((part, index) => part !== undefined && part === name[index]);
}

/** Node writes what could be misread in quotes, so that a name cannot pass for two. */
const urisOf = ({ subjectAltName = '' }: X509Certificate): readonly string[] =>
  partsOf(subjectAltName, /(?:"(?:\\.|[^"\\])*"|[^",])+/gs)
    .map((part) => part.trim())
    .filter((part) => part.startsWith('URI:'))
    .map((part) => {
      const value = part.slice(4);
      return value.startsWith('"') ? (JSON.parse(value) as string) : value;
    });

/** Whether a certificate says exactly this of its holder. A wildcard is nobody's name. */
export function saysOfItself(certificate: X509Certificate, kind: SubjectKind, expected: string): boolean {
  switch (kind) {
    case 'dn':
      return isNamed(certificate, expected);
    case 'dns':
      return certificate.checkHost(expected, EXACT) !== undefined;
    case 'uri':
      return urisOf(certificate).includes(expected);
    case 'ip':
      return certificate.checkIP(expected) !== undefined;
    case 'email':
      return certificate.checkEmail(expected, { subject: 'never' }) !== undefined;
  }
}
