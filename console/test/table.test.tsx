import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { Problem } from '../src/api/http';
import { compare, ResourceTable } from '../src/components/resource-table';
import type { List } from '../src/api/types';
import { show } from './page';

interface Row {
  id: string;
  name: string;
  size: number;
}

const rows: Row[] = [
  { id: 'thing-1', name: 'bridge', size: 10 },
  { id: 'thing-2', name: 'pier', size: 2 },
];

function Things({ load }: { load: (page: { cursor?: string }) => Promise<List<Row>> }) {
  return (
    <ResourceTable<Row>
      label="things"
      queryKey={['things']}
      load={load}
      rowKey={(r) => r.id}
      nameTitle="name"
      nameText={(r) => r.name}
      name={(r) => <b>{r.name}</b>}
      columns={[{ key: 'size', title: 'size', cell: (r) => `${r.size} m`, text: (r) => r.size }]}
      csv="things"
      empty={{ title: 'nothing yet', action: <button type="button">make one</button> }}
      actions={(r) => <button type="button">open {r.name}</button>}
    />
  );
}

const page = (items: Row[], next = '') => Promise.resolve({ items, next_cursor: next });

test('shows rows with their cells and actions', async () => {
  await show(<Things load={() => page(rows)} />);
  const table = await screen.findByRole('table');
  expect(within(table).getByText('10 m')).toBeTruthy();
  expect(within(table).getByRole('button', { name: 'open pier' })).toBeTruthy();
  expect(screen.getByText('Total: 2')).toBeTruthy();
});

test('is cards on a phone', async () => {
  window.innerWidth = 390;
  await show(<Things load={() => page(rows)} />);
  expect((await screen.findAllByRole('article')).length).toBe(2);
  expect(screen.queryByRole('table')).toBeNull();
});

test('says that there is nothing and what to do', async () => {
  await show(<Things load={() => page([])} />);
  expect(await screen.findByText('nothing yet')).toBeTruthy();
  expect(screen.getByRole('button', { name: 'make one' })).toBeTruthy();
});

test('searches in names, ids and cells', async () => {
  await show(<Things load={() => page(rows)} />);
  const box = await screen.findByRole('textbox', { name: 'Find in this list' });
  for (const [text, want] of [
    ['PIER', 'pier'],
    ['thing-2', 'pier'],
    ['10', 'bridge'],
  ] as const) {
    fireEvent.change(box, { target: { value: text } });
    expect(screen.getByText('Total: 1')).toBeTruthy();
    expect(screen.getByText(want)).toBeTruthy();
  }
  fireEvent.change(box, { target: { value: 'absent' } });
  expect(screen.getByText('Nothing matches')).toBeTruthy();
});

test('tells an error with its code and tries again', async () => {
  const load = vi
    .fn()
    .mockRejectedValueOnce(new Problem(409, 'x.broken', 'It broke.', 'req_7'))
    .mockImplementation(() => page(rows));
  await show(<Things load={load} />);
  expect(await screen.findByText(/It broke\./)).toBeTruthy();
  expect(screen.getByText('x.broken')).toBeTruthy();
  expect(screen.getByText('req_7')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('bridge')).toBeTruthy();
});

test('no permission is not an error to repeat', async () => {
  await show(<Things load={() => Promise.reject(new Problem(403, 'api.forbidden', 'Not yours.'))} />);
  expect(await screen.findByText('No permission')).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull();
});

test('reads on with the cursor', async () => {
  const load = vi.fn((p: { cursor?: string }) =>
    p.cursor ? page(rows.slice(1)) : page(rows.slice(0, 1), 'c1'),
  );
  await show(<Things load={load} />);
  fireEvent.click(await screen.findByRole('button', { name: 'Load more' }));
  await waitFor(() => expect(screen.getByText('Total: 2')).toBeTruthy());
  expect(load.mock.calls.map(([p]) => p.cursor)).toEqual([undefined, 'c1']);
});

test('compare orders numbers as numbers', () => {
  expect([10, 2, 33].toSorted(compare)).toEqual([2, 10, 33]);
  expect(['b', undefined, 'a'].toSorted(compare)).toEqual(['a', 'b', undefined].toSorted(compare));
});
