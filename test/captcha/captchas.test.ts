import { randomBytes } from 'node:crypto';
import { CAPTCHA_ALPHABET, CAPTCHA_LENGTH, captchas, type Captchas } from '#src/captcha/captchas.js';
import { OPEN_PER_ADDRESS } from '#src/captcha/places.js';
import { secondsAfter, type Clock } from '#src/kernel/clock.js';
import { openInProcess } from '#src/storage/in-process.js';
import type { KeyValue } from '#src/storage/key-value.js';

const start = new Date('2026-11-20T00:39:50Z');
let now: Date;
const clock: Clock = { now: () => now };

/** Everything that the store was ever told, as who reads it would see it. */
let written: Map<string, string>;
let store: KeyValue;
let service: Captchas;
const addressBucket = randomBytes(32);
const browser = 'browser-of-the-person';

beforeEach(() => {
  now = start;
  written = new Map();
  const memory = openInProcess(clock);
  store = {
    ...memory,
    set: (key, value, ttlSeconds) => {
      written.set(key, value);
      return memory.set(key, value, ttlSeconds);
    },
  };
  service = captchas({ keyValue: store, clock });
});

const issue = async (): Promise<string> => (await service.issue({ browser, addressBucket })).id;
const answerOf = (id: string): string =>
  (JSON.parse(written.get(`captcha:${id}`) ?? '{}') as { answer?: string }).answer ?? '';
const otherCase = (text: string): string =>
  text.replace(/[a-z]/gi, (letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()));

describe('redeeming', () => {
  it('accepts the right letters once (R-22)', async () => {
    const id = await issue();
    const answer = answerOf(id);
    expect(await service.redeem({ id, browser, answer })).toBe(true);
    expect(await service.redeem({ id, browser, answer })).toBe(false);
  });

  it('forgives spaces around the letters, and letters composed in another way', async () => {
    service = captchas({ keyValue: store, clock, testAnswer: 'Qé7' });
    expect(await service.redeem({ id: await issue(), browser, answer: ' Qe\u03017\t' })).toBe(true);
  });

  it.each<[string, (answer: string) => { browser?: string; answer?: string }]>([
    ['letters in the other case', (answer) => ({ answer: otherCase(answer) })],
    ['other letters', (answer) => ({ answer: `${answer.slice(1)}${answer.charAt(0)}x` })],
    ['no letters', () => ({ answer: '' })],
    ['another browser', () => ({ browser: 'another browser' })],
  ])('refuses %s, and the captcha is used up', async (_, wrong) => {
    service = captchas({ keyValue: store, clock, testAnswer: 'aB4dEf' });
    const id = await issue();
    const right = { id, browser, answer: 'aB4dEf' };
    expect(await service.redeem({ ...right, ...wrong(right.answer) })).toBe(false);
    expect(await service.redeem(right)).toBe(false);
    expect(await service.image(id, browser)).toBeUndefined();
  });

  it('refuses the answer of another captcha', async () => {
    const [one, other] = [await issue(), await issue()];
    expect(await service.redeem({ id: one, browser, answer: answerOf(other) })).toBe(false);
  });

  it('accepts one of sixteen racing tries (R-05)', async () => {
    const id = await issue();
    const answer = answerOf(id);
    const tries = await Promise.all(Array.from({ length: 16 }, () => service.redeem({ id, browser, answer })));
    expect(tries.filter(Boolean)).toHaveLength(1);
  });

  it('refuses after ten minutes', async () => {
    const [early, late] = [await issue(), await issue()];
    now = secondsAfter(start, 599);
    expect(await service.redeem({ id: early, browser, answer: answerOf(early) })).toBe(true);
    now = secondsAfter(start, 600);
    expect(await service.redeem({ id: late, browser, answer: answerOf(late) })).toBe(false);
  });

  it.each(['', 'unknown', '../../etc', 'x'.repeat(5_000), 'taken:AAAAAAAAAAAAAAAAA'])(
    'refuses %j, no id',
    async (id) => {
      expect(await service.redeem({ id, browser, answer: '' })).toBe(false);
      expect(await service.image(id, browser)).toBeUndefined();
    },
  );
});

describe('issuing', () => {
  it('draws from an alphabet without look-alikes, every character of it', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, async () => answerOf(await issue())));
    expect(new Set(answers.map((answer) => answer.length))).toEqual(new Set([CAPTCHA_LENGTH]));
    expect(new Set(answers.join(''))).toEqual(new Set(CAPTCHA_ALPHABET));
    expect(new Set(answers).size).toBe(200);
    expect(CAPTCHA_ALPHABET).not.toMatch(/[0O1IlSs5CcKkPpUuVvWwXxZz]/);
  });

  it('gives ids of 128 bits', async () => {
    const ids = await Promise.all(Array.from({ length: 50 }, issue));
    expect(new Set(ids).size).toBe(50);
    for (const id of ids) expect(Buffer.from(id, 'base64url')).toHaveLength(16);
  });

  it('keeps the answer in the value alone, and the id of the browser nowhere', async () => {
    const id = await issue();
    expect([...written.keys()]).toEqual([`captcha:${id}`]);
    expect(id).not.toContain(answerOf(id));
    expect(JSON.stringify([...written])).not.toContain(browser);
  });

  const opened = async (times: number): Promise<string[]> => {
    const ids: string[] = [];
    for (let time = 0; time < times; time += 1) ids.push(await issue());
    return ids;
  };
  const throttled = expect.objectContaining({ code: 'throttled', status: 429 }) as Error;

  it('has 300 open for one address and no more, whenever they were issued', async () => {
    const [first = ''] = await opened(OPEN_PER_ADDRESS / 2);
    now = secondsAfter(start, 300);
    await opened(OPEN_PER_ADDRESS / 2);
    for (let time = 0; time < 5; time += 1) await expect(issue()).rejects.toEqual(throttled);
    await service.redeem({ id: first, browser, answer: 'wrong' });
    await issue();
    await expect(issue()).rejects.toEqual(throttled);
    await service.issue({ browser, addressBucket: randomBytes(32) });
  });

  it('gives 300 places to 400 who race for them', async () => {
    const answers = await Promise.allSettled(Array.from({ length: 400 }, issue));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(OPEN_PER_ADDRESS);
  });

  it('has all places again when the captchas have expired', async () => {
    await opened(OPEN_PER_ADDRESS);
    now = secondsAfter(start, 1_200);
    await opened(OPEN_PER_ADDRESS);
    await expect(issue()).rejects.toEqual(throttled);
  });
});

describe('pictures', () => {
  it('are PNG and hold nothing but pixels (A8)', async () => {
    const id = await issue();
    const png = (await service.image(id, browser)) ?? Buffer.alloc(0);
    expect(png.subarray(0, 8)).toEqual(Buffer.from('89504e470d0a1a0a', 'hex'));
    const chunks: string[] = [];
    for (let offset = 8; offset < png.length; offset += 12 + png.readUInt32BE(offset)) {
      chunks.push(png.toString('latin1', offset + 4, offset + 8));
    }
    expect(chunks).toEqual(['IHDR', 'IDAT', 'IEND']);
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([512, 176]);
    expect(png.length).toBeLessThan(12_000);
    expect(png.includes(answerOf(id))).toBe(false);
  });

  it('stay the same for one captcha, so that its noise cannot be averaged away', async () => {
    const id = await issue();
    const [first, second] = [await service.audio(id, browser, 'id'), await service.audio(id, browser, 'id')];
    expect(first).toEqual(second);
  });

  it('differ between two captchas with one answer', async () => {
    service = captchas({ keyValue: store, clock, testAnswer: 'aB4dEf' });
    expect(await service.image(await issue(), browser)).not.toEqual(await service.image(await issue(), browser));
  });

  it('and sound are for the browser that asked', async () => {
    const id = await issue();
    expect(await service.image(id, 'another browser')).toBeUndefined();
    expect(await service.audio(id, 'another browser', 'id')).toBeUndefined();
    expect(await service.image(id, browser)).toBeDefined();
  });
});

describe('sound', () => {
  it.each(['id', 'en'] as const)('is WAV of 8 kHz with the length it says: %s', async (locale) => {
    const id = await issue();
    const wav = (await service.audio(id, browser, locale)) ?? Buffer.alloc(0);
    expect(wav.toString('latin1', 0, 4) + wav.toString('latin1', 8, 16)).toBe('RIFFWAVEfmt ');
    expect(wav.readUInt32LE(4)).toBe(wav.length - 8);
    expect(wav.readUInt32LE(24)).toBe(8_000);
    expect(wav.readUInt32LE(40)).toBe(wav.length - 44);
    const seconds = (wav.length - 44) / 8_000;
    expect(seconds).toBeGreaterThan(5);
    expect(seconds).toBeLessThan(18);
  });
});
