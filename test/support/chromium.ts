import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import type { Locale } from '#src/web/locale.js';

/** What people hold: a small phone, an office computer. */
export const SIZES = { phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 800 } } as const;

export type Size = keyof typeof SIZES;

export interface TabOptions {
  /** Where addresses without a host lead. */
  readonly origin: string;
  readonly size?: Size;
  /** What the browser asks for; the person may still choose the other language on the page. */
  readonly locale?: Locale;
  /** Off unless asked for: no page of ours needs it, but axe does. */
  readonly javaScript?: boolean;
  /** The pages already opened stay in the browser's cache; else every page loads everything anew. */
  readonly caches?: boolean;
}

/** The page in front of the person. */
export interface Shown {
  /** `data-page` of the main element. */
  readonly page: string | undefined;
  /** Codes of all errors shown. */
  readonly errors: readonly string[];
  readonly url: URL;
  readonly title: string;
  readonly lang: string;
}

/** What one page cost, with everything it loaded but the captcha's picture. */
export interface Weight {
  readonly path: string;
  /** On the wire, headers included. */
  readonly encodedBytes: number;
  readonly decodedBytes: number;
  readonly captchaBytes: number;
}

/** One tab of a browser that knows nothing yet: cookies and cache of its own. */
export interface Tab {
  readonly page: Page;
  readonly context: BrowserContext;
  open(path: string): Promise<Shown>;
  /** Presses the link or button of this name and waits for the page it leads to. */
  press(name: string | RegExp): Promise<Shown>;
  /** Waits for the page that something else leads to. */
  arrive(act: () => Promise<unknown>): Promise<Shown>;
  /** Types into the fields of these names. */
  type(fields: Readonly<Record<string, string>>): Promise<void>;
  look(): Promise<Shown>;
  /**
   * The value of a JavaScript expression on the page; runs even where the page's own scripts do not. It must be done
   * at once: with JavaScript off, Chromium does not survive a promise here.
   */
  ask<Value>(expression: string): Promise<Value>;
  /** Blocked forms, styles, pictures, scripts; missing files; anything else the browser reported. */
  readonly complaints: readonly string[];
  weights(): readonly Weight[];
  close(): Promise<void>;
}

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Letters of equal shape on every machine, as far as its fonts are the same.
  '--font-render-hinting=none',
];

const PATIENCE_MS = 10_000;

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome']
  .flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)))
  .find(isExecutable);

/** A group that needs Chromium: skipped by name where there is none, but never in CI. */
export const describeInBrowser =
  CHROMIUM === undefined && process.env.CI !== 'true' ? describe.skip.bind(describe) : describe;

export interface TestBrowser {
  openTab(options: TabOptions): Promise<Tab>;
  close(): Promise<void>;
}

export async function launchChromium(): Promise<TestBrowser> {
  if (CHROMIUM === undefined) throw new Error('Chromium is not installed');
  // The way back is as quick as in any Chromium, and must still show nothing secret.
  const ignoreDefaultArgs = ['--disable-back-forward-cache'];
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS, ignoreDefaultArgs });
  return { openTab: (options) => openTab(browser, options), close: () => browser.close() };
}

const LOOK = `({
  page: document.querySelector('main')?.getAttribute('data-page') ?? undefined,
  errors: Array.from(document.querySelectorAll('[data-error]'), (element) => element.getAttribute('data-error')),
  url: document.URL,
  title: document.title,
  lang: document.documentElement.lang,
})`;

async function openTab(browser: Browser, options: TabOptions): Promise<Tab> {
  const { origin, size = 'phone', locale = 'id', javaScript = false, caches = false } = options;
  const context = await browser.newContext({
    baseURL: origin,
    viewport: SIZES[size],
    locale: locale === 'id' ? 'id-ID' : 'en-GB',
    javaScriptEnabled: javaScript,
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints = collectComplaints(page);
  const weights = await weigh(page, caches);

  const ask = <Value>(expression: string): Promise<Value> => page.evaluate<Value>(expression);
  const look = async (): Promise<Shown> => {
    const { url, ...shown } = await ask<Omit<Shown, 'url'> & { url: string }>(LOOK);
    return { ...shown, url: new URL(url) };
  };
  const arrive = async (act: () => Promise<unknown>): Promise<Shown> => {
    const loaded = page.waitForEvent('load').catch((cause: unknown) => {
      throw new Error(`no page came: ${complaints.join(' ')}`, { cause });
    });
    await Promise.all([loaded, act()]);
    return look();
  };

  return {
    page,
    context,
    complaints,
    weights,
    look,
    ask,
    arrive,
    async open(path) {
      await page.goto(path);
      return look();
    },
    press: (name) => {
      const by = typeof name === 'string' ? { name, exact: true } : { name };
      return arrive(() => page.getByRole('link', by).or(page.getByRole('button', by)).click());
    },
    async type(fields) {
      for (const [name, text] of Object.entries(fields)) await page.locator(`[name="${name}"]`).fill(text);
    },
    close: () => context.close(),
  };
}

/** A refused form is an answer, not a fault: Chromium reports its status, the tests look at its page. */
const isRefusal = (text: string, url: string, page: Page): boolean =>
  /^Failed to load resource: the server responded with a status of (?:4\d\d|503)/.test(text) && url === page.url();

function collectComplaints(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    const text = message.text();
    // What Chromium only advises is verbose, and not shown to anybody.
    if (!['error', 'warning'].includes(message.type())) return;
    if (!isRefusal(text, message.location().url, page)) complaints.push(`${new URL(page.url()).pathname}: ${text}`);
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return complaints;
}

interface Load {
  readonly loader: string;
  readonly url: string;
  encodedBytes: number;
  decodedBytes: number;
}

/** Adds up what each page loads, as the browser's network saw it. */
async function weigh(page: Page, caches: boolean): Promise<() => readonly Weight[]> {
  const network = await page.context().newCDPSession(page);
  const loads = new Map<string, Load>();
  const shown: { loader: string; path: string }[] = [];
  network.on('Network.requestWillBeSent', ({ requestId, loaderId: loader, request }) => {
    // A redirect comes with the same id: what was weighed so far was not the page.
    loads.set(requestId, { loader, url: request.url, encodedBytes: 0, decodedBytes: 0 });
  });
  network.on('Network.dataReceived', ({ requestId, dataLength }) => {
    const load = loads.get(requestId);
    if (load !== undefined) load.decodedBytes += dataLength;
  });
  network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const load = loads.get(requestId);
    if (load !== undefined) load.encodedBytes = encodedDataLength;
  });
  network.on('Page.frameNavigated', ({ frame }) => {
    if (frame.url.startsWith('http')) shown.push({ loader: frame.loaderId, path: new URL(frame.url).pathname });
  });
  await network.send('Network.enable');
  await network.send('Page.enable');
  if (!caches) await network.send('Network.setCacheDisabled', { cacheDisabled: true });

  const sum = (parts: readonly Load[], size: (load: Load) => number): number =>
    parts.reduce((total, load) => total + size(load), 0);
  return () => {
    const all = [...loads.values()];
    // Chromium asks for the icon once; every page is charged for it.
    const icon = all.find(({ url }) => url.includes('/assets/mark.svg'));
    if (icon === undefined) throw new Error('Chromium did not ask for the icon');
    return shown.map(({ loader, path }) => {
      const own = all.filter((load) => load.loader === loader);
      const captcha = own.filter(({ url }) => new URL(url).pathname.startsWith('/captcha/'));
      const counted = own.filter((load) => !captcha.includes(load) && load !== icon).concat(icon);
      return {
        path,
        encodedBytes: sum(counted, ({ encodedBytes }) => encodedBytes),
        decodedBytes: sum(counted, ({ decodedBytes }) => decodedBytes),
        captchaBytes: sum(captcha, ({ decodedBytes }) => decodedBytes),
      };
    });
  };
}
