// A new person uses their rights in the browser: opens what is held, takes a copy, asks for an
// explanation and a restriction, and reports misuse, which signs them out.

import { after, test } from 'node:test';
import { expect, launch, prefer, watch } from './browser.mjs';
import * as customer from './customer.mjs';
import { profile } from './environment.mjs';
import { somebody } from './person.mjs';
import { story } from './story.mjs';
import { t } from './words.mjs';

const context = await launch();
const page = context.pages()[0] ?? (await context.newPage());
context.setDefaultTimeout(30_000);
const complaints = [];
watch(page, complaints);
after(() => context.close());

const button = (scope, key) => scope.getByRole('button', { name: t(key), exact: true });

/** Asks for something in the form, in words. */
async function ask(kind, words) {
  await button(page, 'rights.ask').click();
  const form = page.getByRole('dialog');
  await form.getByLabel(t('rights.what')).click();
  await page.locator(`.ant-select-item-option[title="${t(`rights.kind_${kind}`)}"]`).click();
  await form.getByLabel(t('rights.words')).fill(words);
  await button(form, 'rights.send').click();
  await form.waitFor({ state: 'hidden' });
  await button(page, `rights.kind_${kind}`).first().waitFor();
}

test(`a person uses their rights (${profile})`, async (walk) => {
  const step = story(walk, page);
  const person = somebody();
  await step('prefers English', () => prefer(context, 'en', 'light'));
  await step('registers and signs in', async () => {
    await customer.register(page, person);
    await customer.signIn(page, person);
  });
  await step('opens what is held, in words', async () => {
    await page.goto('/my-data');
    await page.getByRole('row').filter({ hasText: t('held.account_person') }).getByRole('button', { name: t('rights.look') }).click();
    const sheet = page.getByRole('dialog');
    await sheet.getByText(t('data.account_person.name'), { exact: true }).first().waitFor();
    await sheet.getByText(person.email, { exact: true }).first().waitFor();
    await page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'hidden' });
  });
  await step('takes a copy', async () => {
    await button(page, 'rights.take_copy').click();
    const take = page.getByRole('button', { name: t('rights.download') }).first();
    await take.waitFor();
    const [file] = await Promise.all([page.waitForEvent('download'), take.click()]);
    expect(/^dsr_.*\.zip$/.test(file.suggestedFilename()), `the copy is called ${file.suggestedFilename()}`);
  });
  await step('asks for an explanation and for a restriction', async () => {
    await page.goto('/my-data?tab=requests');
    await ask('explain', 'How long is my address kept?');
    await ask('restrict', 'Please stop until this is answered.');
  });
  await step('reports misuse, and is signed out', async () => {
    await button(page, 'rights.misuse_act').click();
    await button(page.getByRole('dialog'), 'rights.misuse_act').click();
    await page.waitForURL(/\/login/);
    await button(page, 'login.submit').waitFor();
  });
  await step('the pages complained of nothing', () => expect(complaints.length === 0, complaints.join('\n')));
});
