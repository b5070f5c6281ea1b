import { Form } from 'antd';
import { fireEvent, screen, waitFor } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { AdvancedFields, defaults } from '../src/components/server-fields';
import { serve, show } from './page';

async function filled(initial: Partial<typeof defaults>, done: (values: unknown) => void) {
  serve({ 'GET /certificates': { items: [] } });
  function Making() {
    const [form] = Form.useForm();
    return (
      <Form
        form={form}
        initialValues={{ ...defaults, ...initial }}
        onFinish={() => done(form.getFieldsValue(true))}
      >
        <AdvancedFields />
        <button type="submit">Save</button>
      </Form>
    );
  }
  await show(<Making />);
  fireEvent.click(screen.getByText('Advanced settings'));
}

test('what concerns the wire is explained and can be changed', async () => {
  const done = vi.fn();
  await filled({}, done);
  expect(screen.getByText(/Only for end hosts/)).toBeTruthy();
  for (const name of [
    'Keep sessions at their address',
    'Large segments to Linux clients',
    'DTLS beside TLS (UDP)',
  ])
    fireEvent.click(screen.getByRole('switch', { name }));
  fireEvent.change(screen.getByLabelText('Idle timeout, mobile (s)'), { target: { value: '0' } });
  fireEvent.click(screen.getByText('Save'));
  await waitFor(() => expect(done).toHaveBeenCalled());
  expect(done.mock.calls[0]?.[0]).toMatchObject({
    deny_roaming: true,
    large_segments: true,
    udp: false,
    mobile_idle_timeout: 0,
    tls_max: '1.3',
  });
});

test('a highest TLS version below the lowest, and a rekey interval under a day, are refused', async () => {
  const done = vi.fn();
  await filled({ tls_min: '1.3', tls_max: '1.2', rekey_time: 3600 }, done);
  fireEvent.click(screen.getByText('Save'));
  expect(await screen.findByText('Not below the lowest version')).toBeTruthy();
  expect(screen.getByText('Out of range')).toBeTruthy();
  expect(done).not.toHaveBeenCalled();
});
