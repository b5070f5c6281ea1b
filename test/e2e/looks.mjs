// Every page is looked at: a picture in both languages, light and dark, wide and narrow, and
// axe's opinion of it. Serious and critical findings fail the test.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder, prefer } from './browser.mjs';
import { screenshots } from './environment.mjs';

const languages = ['zh-CN', 'en'];
const themes = ['light', 'dark'];
const widths = [1440, 390];

/** Each page in each look; axe is asked where the look differs in kind: theme and width. */
export const looks = languages.flatMap((language) =>
  themes.flatMap((theme) => widths.map((width) => ({ language, theme, width, axe: (language === 'en') === (width === 1440) }))),
);

/** Shows a page in one look, takes its picture, and returns what is wrong with it. */
export async function look(context, page, name, path, { language, theme, width, axe }) {
  await prefer(context, language, theme);
  await page.setViewportSize({ width, height: 900 });
  await page.goto(path);
  await settled(page);
  mkdirSync(screenshots, { recursive: true });
  const place = `${name}-${language}-${theme}-${width}`;
  await page.screenshot({ path: join(screenshots, `${place}.png`), fullPage: true });
  return [...(await tooWide(page, place)), ...(axe ? await inaccessible(page, place) : [])];
}

/** A page is settled when its skeletons are gone and its fonts are there. */
async function settled(page) {
  await page.locator('main, [role=main], #root > *').first().waitFor();
  await page.waitForFunction(() => !document.querySelector('.ant-skeleton-active, .ant-spin-spinning') && document.fonts.status === 'loaded');
}

async function tooWide(page, place) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  return over > 1 ? [`${place}: the page is ${over} pixels wider than the screen`] : [];
}

async function inaccessible(page, place) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map((v) => `${place}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(', ')}`);
}
