import AxeBuilder from '@axe-core/playwright';
import { join } from 'node:path';
import { SIZES, type Size, type Tab } from '../support/chromium.js';
import { takePicture } from './pictures.js';
import { pageOf, pictureOf, TOURS, type Stop, type Tour } from './tour-stops.js';

export const FOLDER = join(process.cwd(), 'docs', 'tour');
/** Pictures take their time. */
export const UPDATES = process.env.UPDATE_TOUR === '1';
export const PATIENCE_MS = UPDATES ? 300_000 : 90_000;

export interface Guide {
  /** Looks at the page that is shown: axe in both sizes and schemes, narrow, with large text; takes its pictures. */
  stop(name: Stop): Promise<void>;
  /** That every stop was made, nothing was blocked or missing, and nothing was above 30 kB. */
  expectAllSeen(): void;
}

/** Somebody who looks closely at every page on the way. */
export function createGuide(tab: Tab, tour: Tour): Guide {
  const { page } = tab;
  const visited = new Set<string>();

  const axe = async (): Promise<readonly string[]> => {
    const { violations, incomplete } = await new AxeBuilder({ page })
      .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
      .setLegacyMode(true)
      .analyze();
    return [...violations, ...incomplete].flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  };
  const isSideways = (): Promise<boolean> =>
    tab.ask('document.documentElement.scrollWidth > document.documentElement.clientWidth');

  return {
    async stop(name) {
      expect((await tab.look()).page).toBe(pageOf(name));
      visited.add(name);
      for (const size of Object.keys(SIZES) as Size[]) {
        await page.setViewportSize(SIZES[size]);
        if (UPDATES) await takePicture(page, join(FOLDER, pictureOf(name, size)));
        await page.emulateMedia({ colorScheme: size === 'phone' ? 'light' : 'dark' });
        expect({ name, size, axe: await axe() }).toEqual({ name, size, axe: [] });
        await page.emulateMedia({ colorScheme: 'light' });
      }
      await page.setViewportSize({ width: 320, height: 640 });
      expect({ name, sidewaysAt320: await isSideways() }).toEqual({ name, sidewaysAt320: false });
      await page.setViewportSize(SIZES.phone);
      await tab.ask(`document.documentElement.style.fontSize = '200%'`);
      expect({ name, sidewaysWithLargeText: await isSideways() }).toEqual({ name, sidewaysWithLargeText: false });
      await tab.ask(`document.documentElement.style.fontSize = ''`);
    },

    expectAllSeen() {
      expect(tab.complaints).toEqual([]);
      const heavy = tab
        .weights()
        .filter(({ encodedBytes, decodedBytes }) => Math.max(encodedBytes, decodedBytes) > 30_000);
      expect(heavy).toEqual([]);
      for (const { captchaBytes } of tab.weights()) expect(captchaBytes).toBeLessThan(10_000);
      expect([...visited].sort()).toEqual(Object.keys(TOURS[tour]).sort());
    },
  };
}
