import { beforeAll, describe, expect, it } from '@jest/globals';
import { authoritiesIn, certificateIn, usable } from '#src/security/certificates.js';
import { saysOfItself, type SubjectKind } from '#src/security/certificate-subject.js';
import { byteSequence, escapedPem, issue, type Authority } from '../support/certificates.js';

const HOUR_MS = 3_600_000;
const ago = (hours: number): Date => new Date(Date.now() - hours * HOUR_MS);
const now = (): Date => new Date();

let root: Authority;
let client: Authority;
beforeAll(async () => {
  root = await issue({ name: 'CN=Otoritas Contoh,O=Contoh', isAuthority: true });
  client = await issue({}, root);
});

describe('a certificate in a header', () => {
  it('is read as RFC 9440 writes it, and as nginx does', () => {
    expect(certificateIn(byteSequence(client))?.fingerprint256).toBe(client.certificate.fingerprint256);
    expect(certificateIn(escapedPem(client))?.fingerprint256).toBe(client.certificate.fingerprint256);
    // Cloud balancers leave these as they are.
    const plain = escapedPem(client).replaceAll('%2B', '+').replaceAll('%2F', '/').replaceAll('%3D', '=');
    expect(certificateIn(plain)?.fingerprint256).toBe(client.certificate.fingerprint256);
  });

  it.each<[string, () => string]>([
    ['nothing', () => ''],
    ['no certificate', () => ':AAAA:'],
    ['base64 without its colons', () => client.certificate.raw.toString('base64')],
    ['two, as one header', () => `${byteSequence(client)}, ${byteSequence(client)}`],
    ['two in one text', () => escapedPem(client) + escapedPem(client)],
    ['something before it', () => `x${escapedPem(client)}`],
    ['a key', () => encodeURIComponent('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----')],
    ['a broken escape', () => `${escapedPem(client)}%`],
    ['a verdict of the proxy', () => 'SUCCESS'],
  ])('is not %s', (_, header) => {
    expect(certificateIn(header())).toBeUndefined();
  });

  it('is of use while it is in force, with a key that is large enough', async () => {
    const early = await issue({ from: ago(-1), to: ago(-2) });
    const late = await issue({ from: ago(2), to: ago(1) });
    const small = await issue({ rsaBits: 1024 });
    const large = await issue({ rsaBits: 2048 });
    expect(
      [client, early, late, small, large].map(({ certificate }) => usable(certificate, now()) !== undefined),
    ).toEqual([true, false, false, false, true]);
    expect(usable(undefined, now())).toBeUndefined();
  });
});

describe('authorities', () => {
  const believed = (): ReturnType<typeof authoritiesIn> => authoritiesIn(root.certificate.toString());

  it('are believed for what they issued themselves', async () => {
    const { certificate: second } = await issue({ name: 'CN=Lain', isAuthority: true });
    const bundle = authoritiesIn(`# dua otoritas\n${second.toString()}\n${root.certificate.toString()}`);
    expect(bundle.issued(client.certificate, now())).toBe(true);
    expect(believed().issued(client.certificate, now())).toBe(true);
  });

  it.each<[string, () => Promise<Authority>]>([
    ['signed by itself', () => issue()],
    ['of another authority', async () => issue({}, await issue({ name: 'CN=Lain', isAuthority: true }))],
    [
      'of another authority that calls itself the same',
      async () => issue({}, await issue({ name: 'CN=Otoritas Contoh,O=Contoh', isAuthority: true })),
    ],
    [
      'of an authority below that is not listed',
      async () => issue({}, await issue({ name: 'CN=Bawahan', isAuthority: true }, root)),
    ],
    ['of a client', () => issue({}, client)],
    ['of an authority itself', () => issue({ isAuthority: true }, root)],
    ['for servers only', () => issue({ isForServers: true }, root)],
  ])('do not answer for a certificate %s', async (_, make) => {
    expect(believed().issued((await make()).certificate, now())).toBe(false);
  });

  it('do not answer once they are over themselves', async () => {
    const over = await issue({ name: 'CN=Lama', isAuthority: true, from: ago(3), to: ago(1) });
    const theirs = await issue({}, over);
    expect(authoritiesIn(over.certificate.toString()).issued(theirs.certificate, now())).toBe(false);
    expect(authoritiesIn(over.certificate.toString()).issued(theirs.certificate, ago(2))).toBe(true);
  });

  it('are a bundle of authorities and nothing else', () => {
    expect(() => authoritiesIn('')).toThrow('holds no certificate');
    expect(() => authoritiesIn(client.certificate.toString())).toThrow('no authority');
    expect(() => authoritiesIn('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----')).toThrow();
  });
});

describe('what a certificate says of its holder', () => {
  let holder: Authority;
  let tricky: Authority;
  beforeAll(async () => {
    holder = await issue({
      name: 'C=ID, O=Badan Contoh\\, Pusat, CN=Arsip',
      names: [
        { type: 'dns', value: 'arsip.contoh.go.id' },
        { type: 'dns', value: '*.luas.go.id' },
        { type: 'url', value: 'urn:asn:arsip' },
        { type: 'ip', value: '192.0.2.7' },
        { type: 'email', value: 'arsip@contoh.go.id' },
      ],
    });
    tricky = await issue({
      name: 'CN=evil\\, CN=Arsip',
      names: [{ type: 'url', value: 'urn:evil, URI:urn:asn:arsip' }],
    });
  });

  it.each<[SubjectKind, string, boolean]>([
    ['dn', 'CN=Arsip,O=Badan Contoh\\, Pusat,C=ID', true],
    ['dn', 'cn=Arsip, o=Badan Contoh\\2C Pusat, c=ID', true],
    ['dn', 'C=ID,O=Badan Contoh\\, Pusat,CN=Arsip', false],
    ['dn', 'CN=Arsip', false],
    ['dn', 'CN=arsip,O=Badan Contoh\\, Pusat,C=ID', false],
    ['dn', 'CN=Arsip,O=Badan Contoh, Pusat,C=ID', false],
    ['dn', '', false],
    ['dns', 'arsip.contoh.go.id', true],
    ['dns', 'contoh.go.id', false],
    ['dns', 'x.luas.go.id', false],
    ['uri', 'urn:asn:arsip', true],
    ['uri', 'urn:asn', false],
    ['ip', '192.0.2.7', true],
    ['ip', '192.0.2.8', false],
    ['email', 'arsip@contoh.go.id', true],
    ['email', 'lain@contoh.go.id', false],
  ])('%s %s: %s', (kind, expected, says) => {
    expect(saysOfItself(holder.certificate, kind, expected)).toBe(says);
  });

  it.each<[SubjectKind, string]>([
    ['dn', 'CN=Arsip'],
    ['dn', 'CN=Arsip,CN=evil'],
    ['uri', 'urn:asn:arsip'],
  ])('a name that hides another is not %s %s', (kind, expected) => {
    expect(saysOfItself(tricky.certificate, kind, expected)).toBe(false);
  });

  it('a name in one part with another is nobody’s', async () => {
    const joined = await issue({ name: 'CN=Arsip+OU=Pusat' });
    expect(joined.certificate.subject).toContain(' + ');
    expect(saysOfItself(joined.certificate, 'dn', 'CN=Arsip')).toBe(false);
    expect(saysOfItself(joined.certificate, 'dn', 'CN=Arsip \\+ OU=Pusat')).toBe(false);
  });
});
