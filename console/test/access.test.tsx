import { Form } from 'antd';
import { fireEvent, screen, waitFor } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { AccessFields } from '../src/components/access-fields';
import { validPorts } from '../src/lib/network';
import { show } from './page';

test('rules are added, put in order and removed, each with its line', async () => {
  const done = vi.fn();
  const first = { action: 'allow', protocol: 'tcp', destination: '10.77.0.0/24', ports: '22', comment: '' };
  function Making() {
    const [form] = Form.useForm();
    return (
      <Form
        form={form}
        initialValues={{ acl_rules: [first], acl_default: 'deny' }}
        onFinish={() => done(form.getFieldsValue(true))}
      >
        <AccessFields />
        <button type="submit">Save</button>
      </Form>
    );
  }
  await show(<Making />);
  expect(screen.getByText('1. Allow TCP → 10.77.0.0/24 ports 22')).toBeTruthy();

  fireEvent.click(screen.getByRole('button', { name: /Add a rule/ }));
  expect(await screen.findByText('2. Allow all → everywhere')).toBeTruthy();
  fireEvent.change(screen.getByLabelText('Rule 2: Destination'), { target: { value: '10.77.0.5' } });
  fireEvent.click(screen.getByText('Save'));
  expect(await screen.findByText('Not a network')).toBeTruthy();
  expect(done).not.toHaveBeenCalled();

  fireEvent.change(screen.getByLabelText('Rule 2: Destination'), { target: { value: '10.77.0.5/32' } });
  fireEvent.click(screen.getByRole('button', { name: 'Rule 2: Move up' }));
  expect(await screen.findByText('1. Allow all → 10.77.0.5/32')).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Rule 1: Move up' })).toHaveProperty('disabled', true);

  fireEvent.click(screen.getByRole('button', { name: 'Rule 2: Remove' }));
  await waitFor(() => expect(screen.queryByText(/10\.77\.0\.0\/24/)).toBeNull());
  fireEvent.click(screen.getByText('Save'));
  const second = { action: 'allow', protocol: 'any', destination: '10.77.0.5/32', ports: '', comment: '' };
  await waitFor(() => expect(done).toHaveBeenCalledWith({ acl_rules: [second], acl_default: 'deny' }));
});

test('ports are told by their form', () => {
  for (const good of ['22', '22,80', '8000-8099', ' 1 - 65535 ,7']) expect(validPorts(good), good).toBe(true);
  for (const bad of ['', '0', 'x', '1-', '9-8', '70000', '1,,2']) expect(validPorts(bad), bad).toBe(false);
});
