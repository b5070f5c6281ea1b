import { useState } from 'react';
import { Button, Card, Form, Input, Modal, QRCode } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Enrolment, Proof } from '../api/types';
import { useMe } from '../lib/session';
import { useChange, useToggle } from '../lib/use';
import { CopyText } from './copy-text';
import { ProblemAlert } from './problem';
import { RecoveryCodes } from './recovery-codes';

/** Turning the time-based code on and off. The QR code is drawn here and goes nowhere. */
export function SecondFactor() {
  const { t } = useTranslation();
  const me = useMe();
  const [enrolment, setEnrolment] = useState<Enrolment>();
  const [codes, setCodes] = useState<string[]>();
  const [removing, ask, stop] = useToggle();
  const start = useChange(async () => setEnrolment(await api.account.enrolTOTP()));
  return (
    <Card title={t('totp.title')}>
      <div className="stack">
        <span>{me.totp ? t('totp.on') : t('totp.off')}</span>
        <ProblemAlert error={start.error} />
        {codes ? <RecoveryCodes title={t('totp.done')} codes={codes} /> : null}
        {enrolment ? (
          <Confirm
            enrolment={enrolment}
            done={(recovery) => {
              setEnrolment(undefined);
              setCodes(recovery);
            }}
          />
        ) : (
          <div>
            {me.totp ? (
              <Button danger onClick={ask}>
                {t('totp.remove')}
              </Button>
            ) : (
              <Button type="primary" loading={start.isPending} onClick={() => start.mutate(undefined)}>
                {t('totp.start')}
              </Button>
            )}
          </div>
        )}
        {removing ? <Remove close={stop} /> : null}
      </div>
    </Card>
  );
}

function Confirm({ enrolment, done }: { enrolment: Enrolment; done: (codes: string[]) => void }) {
  const { t } = useTranslation();
  const confirm = useChange(
    async (code: string) => done((await api.account.confirmTOTP(code.replaceAll(' ', ''))).recovery_codes),
    [['me']],
  );
  return (
    <div className="row" style={{ gap: 24, alignItems: 'flex-start' }}>
      <span className="qr">
        <QRCode
          aria-label={t('common.qr')}
          value={enrolment.url}
          type="svg"
          size={180}
          bordered={false}
          color="#000"
          bgColor="#fff"
        />
      </span>
      <Form<{ code: string }>
        layout="vertical"
        requiredMark={false}
        style={{ flex: 1, minWidth: 240, maxWidth: 420 }}
        onFinish={(v) => confirm.mutate(v.code)}
      >
        <p style={{ marginTop: 0 }}>{t('totp.scan')}</p>
        <p>
          {t('totp.key')} <CopyText text={enrolment.secret} wrap />
        </p>
        <Form.Item
          name="code"
          label={t('totp.code')}
          rules={[{ required: true, pattern: /^[\d ]{6,7}$/, message: t('totp.code_rule') }]}
        >
          <Input
            className="mono"
            inputMode="numeric"
            autoComplete="one-time-code"
            maxLength={7}
            style={{ maxWidth: 160 }}
          />
        </Form.Item>
        <div className="stack">
          <ProblemAlert error={confirm.error} />
          <div>
            <Button type="primary" htmlType="submit" loading={confirm.isPending}>
              {t('totp.confirm')}
            </Button>
          </div>
        </div>
      </Form>
    </div>
  );
}

function Remove({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const [form] = Form.useForm<Proof>();
  const remove = useChange(
    async (in_: Proof) => {
      await api.account.removeTOTP(in_);
      close();
    },
    [['me']],
  );
  return (
    <Modal
      open
      title={t('totp.remove')}
      onCancel={close}
      okText={t('totp.remove')}
      okButtonProps={{ danger: true, loading: remove.isPending }}
      onOk={() => form.submit()}
    >
      <Form form={form} layout="vertical" requiredMark={false} onFinish={remove.mutate}>
        <p>{t('totp.remove_text')}</p>
        <Form.Item
          name="password"
          label={t('field.current_password')}
          rules={[{ required: true, message: t('field.required') }]}
        >
          <Input.Password autoComplete="current-password" />
        </Form.Item>
        <Form.Item
          name="code"
          label={t('field.code')}
          rules={[{ required: true, message: t('field.required') }]}
        >
          <Input className="mono" autoComplete="one-time-code" />
        </Form.Item>
        <ProblemAlert error={remove.error} />
      </Form>
    </Modal>
  );
}
