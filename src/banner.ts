import type { Config } from './config/settings.js';
import type { DemoPerson } from './demo/people.js';

/** What the person who started it reads first; on stderr, since stdout carries the log. */
export function startBanner(config: Config, people: readonly DemoPerson[]): string {
  const origin = config.issuer.origin;
  const lines = ['', `SSO ASN serves ${config.issuerText}`, ''];
  if (config.demo) {
    lines.push(`  Front door     ${origin}/`);
    lines.push(`  Sample apps    ${origin}/demo/myasn  /demo/siasn  /demo/sscasn  /demo/dms`);
  }
  if (config.smtpUrl === undefined) lines.push(`  Local mailbox  ${origin}/dev/mail`);
  if (config.demo) {
    const width = Math.max(...people.map(({ name }) => name.length));
    lines.push('', '  Demo accounts (NIP, password, e-mail):', '');
    for (const { nip, name, password, email, shows } of people) {
      lines.push(`  ${nip}  ${name.padEnd(width)}  ${password ?? '(RESET makes one)'}  ${email ?? '-'}`);
      lines.push(`                      ${shows}`);
    }
  }
  lines.push('', '');
  return lines.join('\n');
}
