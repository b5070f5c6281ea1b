import { Button, Form, Input, Modal, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Gateway } from '../api/types';
import { useNetworks } from '../lib/catalog';
import { validNetwork } from '../lib/network';
import { useChange, useOpened, useToggle } from '../lib/use';
import { DescriptionField } from './description';
import { ProblemAlert } from './problem';
import { Entries, every } from './server-fields';

interface Values {
  name: string;
  description: string;
  network: string;
  local_subnets: string[];
}

/** Changes the name of a gateway, its private network and what of that it is for. */
export function EditGateway({ gateway }: { gateway: Gateway }) {
  const { t } = useTranslation();
  const [open, show, hide] = useToggle();
  return (
    <>
      <Button onClick={show}>{t('common.edit')}</Button>
      {open ? <Edit gateway={gateway} close={hide} /> : null}
    </>
  );
}

function Edit({ gateway: g, close }: { gateway: Gateway; close: () => void }) {
  const { t } = useTranslation();
  const [form] = Form.useForm<Values>();
  const networks = (useNetworks().data?.items ?? []).filter((n) => n.region === g.region);
  const version = useOpened(g.version);
  const network = Form.useWatch<string | undefined>('network', form) ?? g.network;
  const prefixes = networks.find((n) => n.id === network)?.prefixes ?? [];
  const change = useChange(
    async (v: Values) => {
      await api.vpn.changeGateway(g.id, version, {
        ...v,
        name: v.name.trim(),
        description: (v.description ?? '').trim(),
      });
      close();
    },
    [['gateway', g.id], ['gateways']],
  );
  return (
    <Modal
      open
      title={`${t('common.edit')}: ${g.name}`}
      okText={t('common.save')}
      okButtonProps={{ loading: change.isPending }}
      onOk={() => form.submit()}
      onCancel={close}
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{
          name: g.name,
          description: g.description,
          network: g.network,
          local_subnets: g.local_subnets ?? [],
        }}
        onFinish={(v) => change.mutate(v)}
      >
        <Form.Item
          name="name"
          label={t('gateway.name')}
          rules={[{ required: true, whitespace: true, max: 64, message: t('field.required') }]}
        >
          <Input maxLength={64} autoComplete="off" />
        </Form.Item>
        <DescriptionField />
        <Form.Item name="network" label={t('gateway.network')} extra={t('gateway.network_change')}>
          <Select
            options={networks.map((n) => ({ value: n.id, label: n.name }))}
            onChange={() => form.setFieldValue('local_subnets', [])}
          />
        </Form.Item>
        <Form.Item
          name="local_subnets"
          label={t('gateway.local_subnets')}
          extra={t('gateway.local_subnets_extra', { prefixes: prefixes.join(', ') || '–' })}
          rules={[every(validNetwork, t('server.cidr_rule'))]}
        >
          <Entries placeholder={prefixes[0]} />
        </Form.Item>
        <ProblemAlert error={change.error} />
      </Form>
    </Modal>
  );
}
