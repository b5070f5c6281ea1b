import { Form, Input } from 'antd';
import { fireEvent, screen, waitFor } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { WizardForm } from '../src/components/wizard-form';
import { show } from './page';

function Making({ done }: { done: (values: unknown) => void }) {
  const [form] = Form.useForm();
  const field = (name: string) => (
    <Form.Item name={name} label={name} rules={[{ required: true, message: `${name} missing` }]}>
      <Input />
    </Form.Item>
  );
  return (
    <WizardForm
      form={form}
      submit="Make"
      submitting={false}
      onSubmit={() => done(form.getFieldsValue(true))}
      summary={<p>the price</p>}
      steps={[
        { key: 'a', title: 'first', content: field('size'), fields: ['size'] },
        { key: 'b', title: 'second', content: field('title'), fields: ['title'] },
      ]}
    />
  );
}

test('goes on only when its step is right, and keeps what was entered', async () => {
  const done = vi.fn();
  await show(<Making done={done} />);
  expect(screen.getByText('the price')).toBeTruthy();

  fireEvent.click(screen.getByRole('button', { name: 'Next' }));
  expect(await screen.findByText('size missing')).toBeTruthy();
  expect(done).not.toHaveBeenCalled();

  fireEvent.change(screen.getByLabelText('size'), { target: { value: '10' } });
  fireEvent.click(screen.getByRole('button', { name: 'Next' }));
  const last = await screen.findByRole('button', { name: 'Make' });

  fireEvent.change(screen.getByLabelText('title'), { target: { value: 'x' } });
  fireEvent.click(screen.getByRole('button', { name: 'Back' }));
  fireEvent.click(await screen.findByRole('button', { name: 'Next' }));
  fireEvent.click(await screen.findByRole('button', { name: 'Make' }));
  await waitFor(() => expect(done).toHaveBeenCalledWith({ size: '10', title: 'x' }));
  expect(last).toBeTruthy();
});
