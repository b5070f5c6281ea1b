// Carries out what the payment gateway asks the browser to do: the data goes by a form or an address
// to the gateway, from the customer's browser, and holds no more than the API put in.

import type { Instruction } from '../api/types';

const allowed = /^(https:\/\/|http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(:\d+)?\/)/;

/** Whether the address may be opened: https, or loopback in the demo. */
export function openable(url: string | undefined): url is string {
  return url !== undefined && allowed.test(url);
}

/** Leaves for the payment gateway; false if there is nowhere to leave to. */
export function leave(instruction: Instruction): boolean {
  if (instruction.qr || !openable(instruction.url)) return false;
  if (instruction.kind === 'form') submit(instruction.url, instruction.fields ?? {});
  else window.location.assign(instruction.url);
  return true;
}

function submit(action: string, fields: Record<string, string>): void {
  const form = document.createElement('form');
  form.method = 'post';
  form.action = action;
  form.acceptCharset = 'utf-8';
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement('input');
    input.type = 'hidden';
    input.name = name;
    input.value = value;
    form.append(input);
  }
  document.body.append(form);
  form.submit();
}
