// Every page is looked at: its picture is taken, and axe is asked about it. Serious and critical
// findings fail the test.
//
// Two languages, two themes and two widths make eight looks. Four of them already hold every pair
// of choices, which is where looks go wrong together; E2E_LOOKS=all takes the other four as well.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder, prefer } from './browser.mjs';
import { screenshots } from './environment.mjs';

const [zh, en, light, dark, wide, narrow] = ['zh-CN', 'en', 'light', 'dark', 1440, 390];
const of = (...all) => all.map(([language, theme, width]) => ({ language, theme, width }));

const pairs = of([zh, light, wide], [en, dark, wide], [en, light, narrow], [zh, dark, narrow]);
const rest = of([en, light, wide], [zh, dark, wide], [zh, light, narrow], [en, dark, narrow]);

/** The looks of this run. */
export const looks = process.env.E2E_LOOKS === 'all' ? [...pairs, ...rest] : pairs;

/** Shows a page in one look, takes its picture, and returns what is wrong with it. */
export async function look(context, page, name, path, { language, theme, width }) {
  await prefer(context, language, theme);
  await page.setViewportSize({ width, height: 900 });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto(path);
  await settled(page);
  mkdirSync(screenshots, { recursive: true });
  const place = `${name}-${language}-${theme}-${width}`;
  await page.screenshot({ path: join(screenshots, `${place}.png`), fullPage: true });
  return [...(await tooWide(page, place)), ...(await inaccessible(page, place))];
}

const open = new Set();

/** Follows what a page asks for, so that look knows when it has all answers. Call it once. */
export function follow(page) {
  page.on('request', (request) => request.resourceType() !== 'eventsource' && !request.url().endsWith('/events') && open.add(request));
  for (const end of ['requestfinished', 'requestfailed']) page.on(end, (request) => open.delete(request));
}

/** Waits until nothing has been asked for a fifth of a second; the stream of events never ends. */
async function answered(page) {
  const end = Date.now() + 20_000;
  for (let still = 0; still < 4 && Date.now() < end; still = open.size === 0 ? still + 1 : 0) await page.waitForTimeout(50);
}

/**
 * A page is settled when it has its answers, its skeletons are gone, its fonts are there and
 * nothing on it fades or slides any more: half-way, a colour is none that anybody reads.
 */
async function settled(page) {
  await answered(page);
  await page.locator('main, [role=main], #root > *').first().waitFor();
  await page.waitForFunction(() => {
    const coming = document.querySelector('.ant-skeleton-active, .ant-spin-spinning, .ant-btn-loading, .chart:not(:has(canvas))');
    const moving = document.getAnimations().some((a) => a.playState === 'running' && Number.isFinite(a.effect?.getComputedTiming().endTime));
    return !coming && !moving && document.fonts.status === 'loaded';
  });
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
