// Another password or token for a VPN user, with the reason that the user reads.

import { Button, Form, Input, Modal, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import type { ResetReason } from '../api/types';
import { useToggle } from '../lib/use';

interface Props {
  label: string;
  /** What else it does. */
  text: string;
  busy: boolean;
  submit: (why: ResetReason) => void;
}

const reasons = ['forgotten', 'compromised', 'device_lost', 'handover', 'rotation', 'other'] as const;

export function ResetDialog({ label, text, busy, submit }: Props) {
  const { t } = useTranslation();
  const [shown, show, hide] = useToggle();
  const [form] = Form.useForm<ResetReason>();
  const reason = Form.useWatch('reason', form);
  return (
    <>
      <Button loading={busy} onClick={show}>
        {label}
      </Button>
      <Modal
        open={shown}
        title={label}
        okText={label}
        cancelText={t('common.cancel')}
        onOk={() => form.submit()}
        onCancel={hide}
        afterClose={() => form.resetFields()}
        destroyOnHidden
      >
        <p>{text}</p>
        <Form
          form={form}
          layout="vertical"
          onFinish={(why) => {
            submit(why);
            hide();
          }}
        >
          <Form.Item
            name="reason"
            label={t('user.reason')}
            extra={t('user.reason_text')}
            rules={[{ required: true, message: t('user.reason_needed') }]}
          >
            <Select
              placeholder={t('rights.choose')}
              options={reasons.map((r) => ({ value: r, label: t(`user.reason_${r}`) }))}
            />
          </Form.Item>
          <Form.Item
            name="reason_text"
            label={t('user.words')}
            style={{ marginBottom: 32 }}
            rules={[{ required: reason === 'other', whitespace: true, message: t('user.words_needed') }]}
          >
            <Input.TextArea rows={2} maxLength={200} showCount />
          </Form.Item>
        </Form>
      </Modal>
    </>
  );
}
