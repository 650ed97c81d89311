import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOCALES } from '#src/web/locale.js';
import type { PageName, Pages, Shell } from '#src/web/pages.js';
import { createViews } from '#src/web/views.js';
import { describeInBrowser, launchChromium, type Tab, type TestBrowser } from '../support/chromium.js';
import { SAMPLES, SAMPLE_SHELL } from '../web/page-samples.js';

const directory = join(process.cwd(), 'views');
const views = createViews({ directory });
const style = `<style>${readFileSync(join(directory, 'assets', 'styles.css'), 'utf8')}</style>`;

function render<K extends PageName>(page: K, data: Pages[K], shell: Partial<Shell>): string {
  const html = views.render(page, data, { ...SAMPLE_SHELL, ...shell });
  return html.replace(/<link rel="stylesheet"[^>]*>/, style).replace(/<link rel="icon"[^>]*>/, '');
}

describeInBrowser('every page in every state, laid out by Chromium', () => {
  let browser: TestBrowser;
  let tab: Tab;
  beforeAll(async () => {
    browser = await launchChromium();
    tab = await browser.openTab({ origin: 'http://localhost', javaScript: true });
  });
  afterAll(() => browser.close());

  it.each(LOCALES)(
    'fits 320 pixels, and 360 with letters twice as large: %s',
    async (locale) => {
      const sideways: string[] = [];
      for (const [page, state, data, shell] of SAMPLES) {
        await tab.page.setContent(render(page, data, { ...shell, locale }));
        for (const [width, fontSize] of [
          [320, ''],
          [360, '200%'],
        ] as const) {
          await tab.page.setViewportSize({ width, height: 740 });
          await tab.ask(`document.documentElement.style.fontSize = '${fontSize}'`);
          const overflow = await tab.ask<number>(
            'document.documentElement.scrollWidth - document.documentElement.clientWidth',
          );
          if (overflow > 0) sideways.push(`${page}, ${state} at ${width} ${fontSize}: ${overflow} px too wide`);
        }
      }
      expect(sideways).toEqual([]);
    },
    60_000,
  );
});
