import type { Employee } from '../../support/employees.js';
import { PASSWORD } from '../../support/employees.js';
import { attribute, type Person, type Shown } from '../../support/person.js';
import { totp } from '../../support/totp.js';
import type { Asking, House } from '../../sign-in/house.js';
import {
  due,
  isOvertaken,
  next,
  START,
  STEP_SECONDS,
  type Action,
  type Phase,
  type SlotName,
  type State,
  type Who,
} from './model.js';

/** Where the pages of a step lie below `/sign-in/<uid>`. */
const PATHS: Partial<Record<Phase, string>> = {
  password: '',
  otp: '/otp',
  mailbox: '/mailbox',
  enrol: '/enrol',
  codes: '/recovery-codes',
};
const PAGES: Partial<Record<Phase, string>> = {
  password: 'sign-in/password',
  otp: 'sign-in/otp',
  mailbox: 'sign-in/prove-mailbox',
  enrol: 'sign-in/enrol',
  codes: 'sign-in/recovery-codes',
};
/** What somebody without the page would make up. */
const OWN_KEY = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const CODE = /\b[0-9A-Z]{5}-[0-9A-Z]{5}\b/;

const wrongFor = (right: string): string => String((Number(right) + 500_000) % 1_000_000).padStart(6, '0');

interface Opened {
  readonly asking: Asking;
  readonly uid: string;
  readonly csrf: string;
  readonly resume: string;
}

export interface World {
  readonly state: State;
  /** Does what the action says and throws when anything but what the model says comes of it. */
  act(action: Action): Promise<void>;
  /** How many codes a service got. */
  readonly codes: number;
}

/** One browser, two people, two sign-ins. */
export async function openWorld(house: House, people: Readonly<Record<Who, Employee>>): Promise<World> {
  const browser: Person = house.browser();
  // The browser may stand at a service: addresses of ours are told whole.
  const get = (path: string): Promise<Shown> => browser.get(`${house.site.origin}${path}`);
  await get('/');
  const opened: Record<SlotName, Opened | undefined> = { 0: undefined, 1: undefined };
  const lastPost: Record<SlotName, { action: Action; path: string; fields: Record<string, string> } | undefined> = {
    0: undefined,
    1: undefined,
  };
  const usedOtp: Record<Who, string> = { A: '000000', B: '000000' };
  const began = house.time.now().getTime();
  let asked: Asking = house.ask();
  let state = START;
  let codes = 0;
  let seenMails = house.site.mailbox.mails.length;

  const fail = (why: string): never => {
    throw new Error(why);
  };
  const uidOf = (slot: SlotName): string => opened[slot]?.uid ?? 'none';
  const otpNow = (who: Who | undefined): string => totp(people[who ?? 'A'].secret ?? OWN_KEY, house.time.now());

  async function mailedCode(): Promise<string> {
    for (let round = 0; round < 1_000; round += 1) {
      const mail = house.site.mailbox.mails
        .slice(seenMails)
        .find(({ to, text }) => to.includes(people.B.email) && CODE.test(text));
      if (mail !== undefined) return CODE.exec(mail.text)?.[0] ?? '';
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return fail('no code was mailed');
  }
  /** In the last mail. */
  let code = '';

  /** Takes in a page that the browser has come to: a new sign-in, or a service with its code. */
  function arrive(shown: Shown, slot: SlotName, asking: Asking): string | undefined {
    const uid = /^\/sign-in\/([\w-]+)$/.exec(shown.url.pathname)?.[1];
    if (shown.page === 'sign-in/password' && uid !== undefined && uid !== uidOf(slot)) {
      const csrf = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(shown.html)?.[0] ?? '', 'value') ?? '';
      const resume = browser.cookies.get(`res|/oidc/auth/${uid}`)?.value ?? '';
      opened[slot] = { asking, uid, csrf, resume };
      lastPost[slot] = undefined;
    }
    return house.codeOf(shown.url);
  }

  /** A post goes nowhere by itself; where it would go tells which step is due. */
  async function post(action: Action, slot: SlotName, path: string, fields: Record<string, string>): Promise<void> {
    const before = due(state, slot);
    const full = `/sign-in/${uidOf(slot)}${path}`;
    const answer = await browser.post(`${house.site.origin}${full}`, { csrf: opened[slot]?.csrf ?? '', ...fields });
    lastPost[slot] = { action, path, fields };
    if (opened[slot] === undefined) {
      if (answer.status !== 403) fail(`${answer.status} without a sign-in`);
      return;
    }
    const after = due(next(state, action, action).state, slot);
    const location = answer.headers.get('location') ?? '';
    if (house.codeOf(new URL(location, house.site.origin)) !== undefined) fail('a code came straight from a form');
    const isRefused = answer.status === 422 && answer.page === PAGES[before];
    const expected = PATHS[after];
    if (after === before && isRefused) return;
    if (answer.status !== 303) fail(`${answer.status} ${answer.page ?? ''} after ${before}`);
    if (expected !== undefined && location !== `/sign-in/${uidOf(slot)}${expected}`)
      fail(`${location} instead of ${after}`);
    if (after === 'finished' && !location.endsWith(`/oidc/auth/${uidOf(slot)}`))
      fail(`${location} instead of resuming`);
    if (after === 'spent' && location !== 'http://127.0.0.1:9/start') fail(`${location} instead of the service`);
  }

  /** With the other sign-in's cookie in place of this one's. */
  async function asTheOther(name: 'int' | 'res', slot: SlotName, path: string): Promise<Shown> {
    const theirs = opened[slot === 0 ? 1 : 0];
    const kept = [name, `${name}.sig`].map((each) => [each, browser.cookies.get(`${each}|${path}`)] as const);
    for (const [each] of kept) {
      const from = name === 'int' ? `/sign-in/${theirs?.uid ?? ''}` : `/oidc/auth/${theirs?.uid ?? ''}`;
      const cookie = browser.cookies.get(`${each}|${from}`);
      if (cookie === undefined) browser.cookies.delete(`${each}|${path}`);
      else browser.cookies.set(`${each}|${path}`, { value: cookie.value, path });
    }
    const shown = await get(path);
    for (const [each, cookie] of kept) {
      if (cookie === undefined) browser.cookies.delete(`${each}|${path}`);
      else browser.cookies.set(`${each}|${path}`, cookie);
    }
    return shown;
  }

  /** What the action is over HTTP; answers the code that a service got. */
  async function perform(action: Action): Promise<string | undefined> {
    if (action.do === 'prompt none') {
      asked = house.ask(undefined, { prompt: 'none' });
      const { url } = await get(asked.path);
      if (state.session === undefined && url.searchParams.get('error') !== 'login_required') fail('no login_required');
      return house.codeOf(url);
    }
    const { slot } = action;
    const phase = due(state, slot);
    const { who } = state.slots[slot];
    switch (action.do) {
      case 'auth':
        asked = house.ask();
        opened[slot] = undefined;
        return arrive(await get(asked.path), slot, asked);
      case 'password': {
        const username = people[action.as === 'B' ? 'B' : 'A'].nip;
        const password = action.as === 'wrong' ? 'Salah-Sekali-1' : PASSWORD;
        await post(action, slot, '/password', { username, password });
        if (action.as === 'B' && phase === 'password' && !state.enrolledB && !state.isMailOpen)
          code = await mailedCode();
        seenMails = house.site.mailbox.mails.length;
        return undefined;
      }
      case 'otp': {
        if (action.code === 'right') house.time.pass({ seconds: STEP_SECONDS });
        const right = otpNow(who);
        const otp = { right, wrong: wrongFor(right), used: usedOtp[who ?? 'A'] }[action.code];
        await post(action, slot, '/otp', { otp });
        if (action.code === 'right' && phase === 'otp') usedOtp[who ?? 'A'] = right;
        return undefined;
      }
      case 'mailbox':
        await post(action, slot, '/mailbox', { code: action.code === 'right' ? code : 'AAAAA-AAAAA' });
        return undefined;
      case 'enrol': {
        if (action.code === 'right') house.time.pass({ seconds: STEP_SECONDS });
        const page = phase === 'enrol' ? await get(`/sign-in/${uidOf(slot)}/enrol`) : undefined;
        const key = page === undefined ? OWN_KEY : attribute(page.html, 'data-secret');
        if (key === undefined) return fail('no key on the page');
        const right = totp(key, house.time.now());
        await post(action, slot, '/enrol', {
          otp: action.code === 'right' ? right : wrongFor(right),
          device_name: 'Ponsel',
        });
        if (phase === 'enrol' && action.code === 'right') {
          people.B.secret = key;
          usedOtp.B = right;
        }
        return undefined;
      }
      case 'saved':
        await post(action, slot, '/recovery-codes', { saved: '1' });
        return undefined;
      case 'resume':
        asked = opened[slot]?.asking ?? asked;
        return arrive(await get(`/oidc/auth/${uidOf(slot)}`), slot, asked);
      case 'resume as the other': {
        const theirs: SlotName = slot === 0 ? 1 : 0;
        asked = opened[theirs]?.asking ?? asked;
        return arrive(await asTheOther('res', slot, `/oidc/auth/${uidOf(slot)}`), theirs, asked);
      }
      case 'open as the other': {
        const { page, status } = await asTheOther('int', slot, `/sign-in/${uidOf(slot)}`);
        if (opened[slot] !== undefined && status !== 410)
          fail(`${status} ${page ?? ''} with the other sign-in's cookie`);
        return undefined;
      }
      case 'back': {
        if (opened[slot] === undefined) return undefined;
        asked = opened[slot].asking;
        const shown = await get(`/sign-in/${uidOf(slot)}`);
        if (PAGES[phase] !== undefined && shown.page !== PAGES[phase] && !isOvertaken(state, slot))
          fail(`${shown.page ?? ''} instead of ${phase}`);
        if (phase !== 'enrol' && attribute(shown.html, 'data-secret') !== undefined) fail('a key without a proof');
        return arrive(shown, slot, asked);
      }
      case 'replay': {
        const last = lastPost[slot];
        if (last !== undefined) await post(action, slot, last.path, last.fields);
        lastPost[slot] = last;
        return undefined;
      }
    }
  }

  return {
    get state() {
      return state;
    },
    get codes() {
      return codes;
    },
    async act(action) {
      const replayed = action.do === 'replay' ? lastPost[action.slot]?.action : undefined;
      const expected = next(state, action, replayed);
      const sid = browser.cookies.get('sid|/')?.value;
      const code = await perform(action);
      const logsIn = expected.state.session !== state.session && expected.state.session !== undefined;
      state = expected.state;
      // Left behind: a new request took its place, or its own was answered without it.
      for (const slot of [0, 1] as const) if (state.slots[slot].phase === 'none') opened[slot] = undefined;
      if (code === undefined) {
        if (expected.code !== undefined) fail('no code, and both factors were given');
        return;
      }
      codes += 1;
      if (expected.code === undefined) return fail('a code, and not both factors were given');
      const claims = await house.redeem(asked, code);
      const at = Math.floor(began / 1000) + expected.code.factorAt;
      if (claims.sub !== people[expected.code.who].id) fail('the code is another person');
      if (claims.acr !== 'urn:asn:aal2' || [...claims.amr].sort().join() !== 'mfa,otp,pwd') fail('untrue claims');
      if (claims.auth_time !== at) fail(`auth_time ${claims.auth_time} instead of ${at}`);
      if (logsIn && browser.cookies.get('sid|/')?.value === sid) fail('the session kept its id');
    },
  };
}
