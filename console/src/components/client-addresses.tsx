// The addresses of an SSL client: fixed ones, and the networks behind it.

import { Button, Form, Input, Modal } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { SSLClient, SSLServer } from '../api/types';
import { validIPv4, validIPv6, validNetwork } from '../lib/network';
import { useChange, useOpened, useToggle } from '../lib/use';
import { ProblemAlert } from './problem';
import { Entries, every } from './server-fields';

type Values = Pick<SSLClient, 'fixed_ip' | 'fixed_ip6' | 'routes'>;

export function ClientAddresses(p: { client: SSLClient; server?: SSLServer }) {
  const { t } = useTranslation();
  const [editing, edit, stop] = useToggle();
  return (
    <>
      <Button onClick={edit}>{t('client.addresses')}</Button>
      {editing ? <Edit {...p} close={stop} /> : null}
    </>
  );
}

function Edit({ client: c, server, close }: { client: SSLClient; server?: SSLServer; close: () => void }) {
  const { t } = useTranslation();
  const [form] = Form.useForm<Values>();
  const version = useOpened(c.version);
  const change = useChange(
    async (v: Values) => {
      await api.vpn.changeClient(c.id, version, {
        fixed_ip: v.fixed_ip ?? '',
        fixed_ip6: v.fixed_ip6 ?? '',
        routes: v.routes ?? [],
      });
      close();
    },
    [['client', c.id], ['clients'], ['vpn-sessions']],
  );
  const check = (valid: (text: string) => boolean) => ({
    validator: (_: unknown, v: string | undefined) =>
      !v || valid(v) ? Promise.resolve() : Promise.reject(new Error(t('client.address_rule'))),
  });
  return (
    <Modal
      open
      title={t('client.addresses')}
      onCancel={close}
      onOk={() => form.submit()}
      okText={t('common.save')}
      cancelText={t('common.cancel')}
      confirmLoading={change.isPending}
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={c}
        onFinish={(v) => change.mutate(v)}
      >
        <Form.Item
          name="fixed_ip"
          label={t('client.fixed_ip')}
          extra={t('client.fixed_ip_extra', { pool: server?.pool ?? '' })}
          rules={[check(validIPv4)]}
        >
          <Input className="mono" placeholder={t('client.from_pool')} autoComplete="off" allowClear />
        </Form.Item>
        {server?.pool6 || c.fixed_ip6 ? (
          <Form.Item
            name="fixed_ip6"
            label={t('client.fixed_ip6')}
            extra={t('client.fixed_ip_extra', { pool: server?.pool6 ?? '' })}
            rules={[check(validIPv6)]}
          >
            <Input className="mono" placeholder={t('client.from_pool')} autoComplete="off" allowClear />
          </Form.Item>
        ) : (
          <Form.Item name="fixed_ip6" hidden noStyle />
        )}
        <Form.Item
          name="routes"
          label={t('client.routes')}
          extra={t('client.routes_extra')}
          rules={[
            every(validNetwork, t('server.cidr_rule')),
            { type: 'array', max: 20, message: t('client.routes_rule') },
          ]}
        >
          <Entries placeholder="192.168.5.0/24" />
        </Form.Item>
        <ProblemAlert error={change.error} />
      </Form>
    </Modal>
  );
}
