import { addAgencies } from '../../accounts/people.js';
import { addEmployees, PASSWORD } from '../../support/employees.js';
import { attribute, openPerson, type Person as Browser, type Shown } from '../../support/person.js';
import { startSite, type TestSite } from '../../support/site.js';
import { stopTime } from '../../support/stopped-time.js';
import type { Driver, TwoPeople } from './driver.js';
import { furnish } from './factors.js';
import { observe } from './observe.js';
import type { BrowserName } from './steps.js';

const CODE = /\b[0-9A-Z]{5}-[0-9A-Z]{5}\b/;
const REDIRECT_URI = 'https://myasn.asn.example/callback';
const AUTHORIZATION = `/oidc/auth?${new URLSearchParams({
  client_id: 'myasn',
  redirect_uri: REDIRECT_URI,
  response_type: 'code',
  scope: 'openid',
  prompt: 'none',
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  code_challenge_method: 'S256',
}).toString()}`;
/** What a login would leave. */
const SIGNED_IN = /^(sid|portal)\b/;
/** The cookies that hold the name of a captcha or a flow, with their signatures. */
const COOKIES = { captcha: ['captcha|/reset', 'captcha.sig|/reset'], flow: ['reset|/reset', 'reset.sig|/reset'] };

type Place = keyof typeof COOKIES;

/** A cookie and its signature as one name, to be put into any browser. */
const take = ({ cookies }: Browser, place: Place): string =>
  JSON.stringify(COOKIES[place].map((key) => cookies.get(key)?.value ?? ''));
function put({ cookies }: Browser, place: Place, name: string): void {
  const values = name.startsWith('[') ? (JSON.parse(name) as string[]) : [];
  COOKIES[place].forEach((key, index) => {
    const value = values[index] ?? '';
    if (value === '') cookies.delete(key);
    else cookies.set(key, { value, path: '/reset' });
  });
}

/** The whole program behind real browsers; the time stands still but for what the steps wait. */
export async function openHttpHouse() {
  const time = stopTime();
  const site: TestSite = await startSite({ DEMO: 'false', TRUSTED_PROXIES: '127.0.0.1' });
  const { services } = site.running;
  await addAgencies(services.db);
  let pairs = 0;
  let persons = 0;

  async function addTwo(): Promise<TwoPeople> {
    const [enrolled] = await addEmployees(services, { count: 1, state: 'enrolled' });
    const [fresh] = await addEmployees(services, { count: 1, state: 'new' });
    if (enrolled === undefined || fresh === undefined) throw new Error('nobody was added');
    persons += 1;
    const has = await furnish(services, enrolled.id, persons);
    const { secret, ...known } = enrolled;
    const factors = { secret: has.hasApp ? secret : undefined, recoveryCodes: has.recoveryCodes, hasFactor: true };
    return {
      A: { ...known, ...factors, password: PASSWORD },
      B: { ...fresh, secret: undefined, hasFactor: false, recoveryCodes: [], password: undefined },
    };
  }

  async function driver(): Promise<Driver> {
    pairs += 1;
    const open = async (number: BrowserName): Promise<{ browser: Browser; csrf: string }> => {
      const address = `10.${number}.${(pairs >> 8) % 256}.${pairs % 256}`;
      const browser = openPerson(site.origin, {
        headers: { 'x-forwarded-for': address },
        stopAt: (url) => url.origin !== site.origin,
      });
      const { html } = await browser.get('/reset/weak');
      const csrf = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(html)?.[0] ?? '', 'value') ?? '';
      return { browser, csrf };
    };
    const browsers = { 0: await open(0), 1: await open(1) };
    const post = async (at: BrowserName, path: string, fields: Record<string, string> = {}): Promise<Shown> => {
      const { browser, csrf } = browsers[at];
      const shown = await browser.post(path, { csrf, ...fields });
      if (shown.status >= 500) throw new Error(`${shown.status} at ${path}`);
      return shown;
    };
    const kind = ({ status }: Shown) => (status === 429 ? 'throttled' : 'other');
    let seen = site.mailbox.mails.length;
    return {
      now: () => time.now().getTime(),
      wait: (minutes) => {
        time.pass({ minutes });
      },
      async captcha(at) {
        await browsers[at].browser.get('/reset/password');
        return take(browsers[at].browser, 'captcha');
      },
      async start(at, { nip, captcha, answer }) {
        const { browser } = browsers[at];
        put(browser, 'captcha', captcha);
        const shown = await post(at, '/reset/password', { username: nip, captcha: answer });
        return shown.status === 303 ? take(browser, 'flow') : undefined;
      },
      async email(at, flow, email) {
        put(browsers[at].browser, 'flow', flow);
        return kind(await post(at, '/reset/password/email', { email }));
      },
      async resend(at, flow) {
        put(browsers[at].browser, 'flow', flow);
        return kind(await post(at, '/reset/password/resend'));
      },
      async code(at, flow, { code, password, confirmation, otp }) {
        put(browsers[at].browser, 'flow', flow);
        await post(at, '/reset/password/code', { code, new_password: password, confirm_password: confirmation, otp });
      },
      async weak(at, username, { old, password, confirmation, otp }) {
        const typed = { username, password: old, new_password: password, confirm_password: confirmation, otp };
        await post(at, '/reset/weak', typed);
      },
      async open(at, flow, page) {
        put(browsers[at].browser, 'flow', flow);
        const { status } = await browsers[at].browser.get(`/reset/password/${page}`);
        if (status >= 500) throw new Error(`${status} at ${page}`);
      },
      async codesMailed(awaited) {
        const look = () =>
          site.mailbox.mails.slice(seen).flatMap(({ to, text }) => {
            const code = CODE.exec(text)?.[0];
            return code === undefined ? [] : to.map((address) => ({ to: address, code }));
          });
        for (let round = 0; awaited !== undefined && !look().some(({ to }) => to === awaited); round += 1) {
          if (round > 1_000) throw new Error('no code was mailed');
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        const found = look();
        seen = site.mailbox.mails.length;
        return found;
      },
      observe: (people) => observe(services.db, people),
      async isPassword(id, password) {
        const [row] = await services.db.query('SELECT password_hash FROM credentials WHERE account_id = $1', [id]);
        return (await services.passwords.verify(row?.password_hash as string | undefined, password)).kind === 'match';
      },
      async requireNobodySignedIn() {
        for (const { browser } of Object.values(browsers)) {
          if ([...browser.cookies.keys()].some((key) => SIGNED_IN.test(key))) throw new Error('a cookie of a login');
          if ((await browser.get('/')).page !== 'front') throw new Error('the front door is open');
          const { searchParams } = (await browser.get(AUTHORIZATION)).url;
          if (searchParams.get('error') !== 'login_required') throw new Error('the provider knows the browser');
        }
      },
    };
  }

  return {
    addTwo,
    driver,
    async close() {
      time.release();
      await site.stop();
    },
  };
}
