import { expect, test } from 'vitest';
import { toOrder } from './admin-legal-orders';

const entry = {
  authority: 'A bureau',
  jurisdiction: 'cn',
  doc_no: '2026-17',
  law: 'CSL 28',
  authority_key: 'line',
  who: 'sub_a, acc_1\nsub_b',
  categories: ['contact.email'],
  from: '2026-10-01',
  until: '2026-10-31',
  expires: '2026-12-31',
};

test('days are whole days of Beijing, and people are told apart from accounts', () => {
  const o = toOrder(entry, { content: 'AA==', sha256: 'ab' });
  expect(o.scope).toEqual({
    subjects: ['sub_a', 'sub_b'],
    categories: ['contact.email'],
    from: '2026-09-30T16:00:00.000Z',
    until: '2026-10-31T16:00:00.000Z',
  });
  expect(o.accounts).toEqual(['acc_1']);
  expect(o.jurisdiction).toBe('CN');
  expect(o.expires).toBe('2026-12-31T16:00:00.000Z');
});

test('nothing is hidden and no approval claimed unless the form says so', () => {
  const o = toOrder(entry, { content: '', sha256: '' });
  expect('suppress_until' in o || 'approval' in o).toBe(false);
  const hidden = toOrder(
    { ...entry, hide: '2026-12-01', hide_law: 'CPL 75', approval_doc_no: '7' },
    { content: '', sha256: '' },
  );
  expect(hidden.suppress_until).toBe('2026-12-01T16:00:00.000Z');
  expect(hidden.approval).toEqual({ authority: '', doc_no: '7', sha256: '' });
});
