import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { attribute } from '../support/person.js';
import { PASSWORD } from '../support/employees.js';
import { totp } from '../support/totp.js';
import type { Answer } from '../support/visitor.js';
import { bodyOf, formsOn, plausible, type Form } from './support/forms.js';
import { atPassword, openHouse, STATIONS, type Station } from './support/stations.js';
import { FORM, pageOf, type Reply } from './support/wire.js';

/** Closes an attribute and an element, whatever it stands in; short enough for the name of a device. */
const MARKUP = `'"></p><b onx=1>&amp;`;
const ESCAPED = '&#39;&quot;&gt;&lt;/p&gt;&lt;b onx=1&gt;&amp;amp;';

const house = await openHouse();
const { db } = house.site.running.services;
const stations: Station[] = [];
afterAll(() => house.stop());
beforeAll(async () => {
  for (const way of Object.values(STATIONS)) stations.push(await way(house));
});

const post = (form: Form, body: string): Promise<Reply> =>
  house.wire.send({
    method: 'POST',
    path: form.path,
    headers: { ...FORM, cookie: form.visitor.cookiesFor(form.path) },
    body,
  });

/** Sends a form until it is refused, as everything is after a while: limits are refusals too. */
async function refuse(form: Form, given: Readonly<Record<string, string>>): Promise<Reply> {
  const body = bodyOf(form, given);
  for (let turn = 0; turn < 10; turn += 1) {
    const reply = await post(form, body);
    if (reply.status >= 400) return reply;
  }
  throw new Error(`${form.path} takes everything`);
}

const refusable = (station: Station): Form[] => formsOn(station).filter(({ showsAgain }) => showsAgain !== true);

const inputOf = ({ body }: Reply, name: string): string =>
  body.match(/<input[^>]*>/g)?.find((tag) => attribute(tag, 'name') === name) ?? '';

describe('a refused form', () => {
  it('shows again what was typed, and no secret (R-30, A36)', async () => {
    const forms = stations.flatMap(refusable).filter(({ inputs }) => inputs.some(({ name }) => name !== 'saved'));
    expect(forms.length).toBeGreaterThan(8);
    for (const form of forms) {
      const typed = form.inputs.map((input) => {
        const secret = input.name.includes('password') ? 'rahasia-sekali-zz' : `zz${plausible(input)}zz`;
        return { ...input, value: input.isSecret ? secret : MARKUP };
      });
      const given = Object.fromEntries(typed.map(({ name, value }) => [name, encodeURIComponent(value)]));
      const reply = await refuse(form, given);
      expect([form.path, pageOf(reply)]).toEqual([form.path, form.page.page]);
      expect([422, 429]).toContain(reply.status);
      for (const { name, value, isSecret } of typed) {
        if (isSecret) expect([name, reply.body.includes(value)]).toEqual([name, false]);
        else expect([name, attribute(inputOf(reply, name), 'value')]).toEqual([name, value]);
      }
      expect(reply.body).not.toContain(MARKUP);
      expect(reply.body).not.toContain('<b onx');
      // One error, told in words, at the input or above the form.
      expect(reply.body.match(/data-error=/g)).toHaveLength(1);
    }
  });

  it('keeps nothing that was typed when its token is wrong', async () => {
    for (const form of stations.flatMap(refusable).filter(({ inputs }) => inputs.length > 0)) {
      const given = Object.fromEntries(form.inputs.map(({ name }) => [name, encodeURIComponent(`zz-${MARKUP}`)]));
      const reply = await post({ ...form, hidden: { csrf: MARKUP } }, bodyOf({ ...form, hidden: {} }, given));
      expect([form.path, reply.status]).toEqual([form.path, 403]);
      expect(reply.body).not.toMatch(/zz-|onx/);
    }
  });
});

describe('markup (R-30, A36)', () => {
  it('in an address or a cookie is written on no page', async () => {
    const markup = encodeURIComponent(MARKUP);
    const cookies = [...'browser,lang,known,portal,notice,reset,captcha,from,int,sid,login'.split(',')];
    const forged = cookies.map((name) => `${name}=${MARKUP.replaceAll(/[;"]/g, '')}; ${name}.sig=x`).join('; ');
    for (const { visitor, page } of stations) {
      const [path = ''] = page.path.split('?');
      const parameters = ['lang', 'from', 'q', 'code', 'state', 'error', 'error_description', 'client_id', 'x'];
      const query = parameters.map((name) => `${name}=${markup}`).join('&');
      const replies = [
        await house.wire.send({ path: `${path}?${query}`, headers: { cookie: visitor.cookiesFor(path) } }),
        await house.wire.send({ path: `${path}/${markup}?${query}`, headers: { cookie: visitor.cookiesFor(path) } }),
        await house.wire.send({ path, headers: { cookie: forged, 'accept-language': MARKUP, 'user-agent': MARKUP } }),
      ];
      for (const { asked, status, body, headers } of replies) {
        expect([asked, status < 500, body.includes('<b onx'), body.includes(MARKUP)]).toEqual([
          asked,
          true,
          false,
          false,
        ]);
        expect(JSON.stringify(headers)).not.toContain('<b onx');
      }
    }
  });

  it('in an error of the protocol is written on no page', async () => {
    const markup = encodeURIComponent(MARKUP);
    for (const query of [
      `client_id=${markup}`,
      `client_id=myasn&redirect_uri=${markup}&response_type=code`,
      `client_id=myasn&redirect_uri=${encodeURIComponent(`${house.issuer}/demo/myasn/callback`)}&response_type=${markup}&scope=${markup}`,
      `client_id=myasn&client_id=${markup}`,
      `request_uri=${markup}`,
    ]) {
      const reply = await house.wire.send({ path: `/oidc/auth?${query}` });
      expect([reply.status >= 300 && reply.status < 500, reply.body.includes('<b onx')]).toEqual([true, false]);
    }
    for (const name of ['post_logout_redirect_uri', 'id_token_hint', 'state', 'client_id', 'ui_locales']) {
      const reply = await house.wire.send({ path: `/oidc/logout?${name}=${markup}` });
      expect([name, reply.status < 500, reply.body.includes('<b onx')]).toEqual([name, true, false]);
    }
  });

  it("in people's and devices' names is text, on pages and in mails", async () => {
    const person = await house.person('password');
    await db.query('UPDATE accounts SET name = $2 WHERE id = $1', [person.id, MARKUP]);
    const { visitor, page } = await atPassword(house);
    const began = new Date();
    const mailbox = await visitor.submit(page, '/password', { username: person.nip, password: PASSWORD });
    const enrol = await visitor.submit(mailbox, '/mailbox', { code: await house.codeTo(person, began) });
    const enrolled = new Date();
    const otpNow = totp(attribute(enrol.body, 'data-secret') ?? '', enrolled);
    const codes = await visitor.submit(enrol, '/enrol', { otp: otpNow, device_name: MARKUP });
    const launcher = await visitor.submit(codes, '/recovery-codes', { saved: '1' });
    const sample = await visitor.follow('/demo/myasn/login');
    const next = await atPassword(house);
    const otp = await next.visitor.submit(next.page, '/password', { username: person.nip, password: PASSWORD });
    const shown: [string, Answer][] = [
      ['launcher', launcher],
      ['demo/signed-in', sample],
      ['sign-in/otp', otp],
    ];
    for (const [name, answer] of shown) {
      expect(answer.page).toBe(name);
      expect([name, answer.body.includes(ESCAPED), answer.body.includes('<b onx')]).toEqual([name, true, false]);
    }
    const { html, text } = await house.site.mailbox.next(person.email, enrolled);
    expect([html.includes(ESCAPED), html.includes('<b onx'), text.includes(MARKUP)]).toEqual([true, false, true]);
  });
});
