import { useEffect, useState } from 'react';
import { Button, Checkbox, Collapse, Form, Input, Modal, Result, Select } from 'antd';
import { DownloadOutlined } from '@ant-design/icons';
import { Link, useSearchParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { ClientSecret, SSLClient } from '../api/types';
import { ClientBatch } from '../components/client-batch';
import { ClientTable } from '../components/client-table';
import { Page } from '../components/page';
import { DescriptionField } from '../components/description';
import { PEMField } from '../components/pem-field';
import { EmptyState, ProblemAlert } from '../components/problem';
import { SecretDialog } from '../components/secret-dialog';
import { useServers } from '../lib/catalog';
import { useChange, useCreate } from '../lib/use';

export function Clients() {
  const { t } = useTranslation();
  const [params, setParams] = useSearchParams();
  const creating = params.get('create') === '1';
  return (
    <Page
      title={t('nav.clients')}
      lead={t('client.lead')}
      action={
        <>
          <Button onClick={() => setParams({ batch: '1' })}>{t('batch.title')}</Button>
          <Button type="primary" onClick={() => setParams({ create: '1' })}>
            {t('client.create')}
          </Button>
        </>
      }
    >
      <ClientTable />
      {creating ? <Create server={params.get('server') ?? undefined} close={() => setParams({})} /> : null}
      {params.get('batch') === '1' ? (
        <ClientBatch server={params.get('server') ?? undefined} close={() => setParams({})} />
      ) : null}
    </Page>
  );
}

interface Entry {
  server: string;
  name: string;
  description?: string;
  csr_pem?: string;
  token_kind?: 'totp' | 'stoken';
  enrols?: boolean;
  device_approval?: boolean;
}

function Create({ server, close }: { server?: string; close: () => void }) {
  const { t } = useTranslation();
  const [form] = Form.useForm<Entry>();
  const servers = useServers();
  const create = useCreate((in_: Entry, key) => api.vpn.createClient(in_, key), [['clients'], ['server']]);
  const chosen = Form.useWatch<string | undefined>('server', form);
  const kind = Form.useWatch<string | undefined>('token_kind', form);
  const coded = servers.data?.items.find((s) => s.id === chosen)?.two_factor ?? false;
  const usual = server ?? servers.data?.items[0]?.id;
  useEffect(() => {
    if (usual && !form.getFieldValue('server')) form.setFieldValue('server', usual);
  }, [form, usual]);
  const none = servers.isSuccess && servers.data.items.length === 0;
  if (create.isSuccess) return <Created client={create.data} close={close} />;
  return (
    <Modal
      open
      title={t('client.create')}
      onCancel={close}
      okText={t('client.create')}
      okButtonProps={{ loading: create.isPending, disabled: none }}
      onOk={() => form.submit()}
    >
      {none ? (
        <EmptyState
          title={t('client.no_server')}
          text={t('client.no_server_text')}
          action={
            <Link to="/ssl-servers/new">
              <Button type="primary">{t('server.create')}</Button>
            </Link>
          }
        />
      ) : (
        <Form<Entry>
          form={form}
          layout="vertical"
          requiredMark={false}
          initialValues={{ token_kind: 'totp' }}
          onFinish={(v) =>
            create.mutate({
              server: v.server,
              name: v.name.trim(),
              ...(v.description ? { description: v.description.trim() } : {}),
              ...(v.token_kind ? { token_kind: v.token_kind } : {}),
              ...(v.device_approval ? { device_approval: true } : {}),
              ...(v.enrols && v.token_kind !== 'stoken' ? { enrols: true } : {}),
              ...(v.csr_pem?.trim() ? { csr_pem: v.csr_pem } : {}),
            })
          }
        >
          <Form.Item
            name="server"
            label={t('client.server')}
            rules={[{ required: true, message: t('field.required') }]}
          >
            <Select
              loading={servers.isPending}
              options={servers.data?.items.map((s) => ({ value: s.id, label: s.name }))}
            />
          </Form.Item>
          <Form.Item
            name="name"
            label={t('client.name')}
            extra={t('client.name_extra')}
            rules={[{ required: true, whitespace: true, max: 64, message: t('field.required') }]}
          >
            <Input autoComplete="off" maxLength={64} autoCapitalize="none" spellCheck={false} />
          </Form.Item>
          <DescriptionField />
          <Collapse
            ghost
            items={[
              {
                key: 'csr',
                label: t('client.own_key'),
                forceRender: true,
                children: (
                  <PEMField
                    name="csr_pem"
                    label={t('client.csr')}
                    extra={t('client.csr_extra')}
                    head="CERTIFICATE REQUEST"
                  />
                ),
              },
            ]}
          />
          {coded ? (
            <Form.Item name="token_kind" label={t('client.token')} extra={t('client.token_extra')}>
              <Select
                options={(['totp', 'stoken'] as const).map((v) => ({
                  value: v,
                  label: t(`client.token_${v}`),
                }))}
              />
            </Form.Item>
          ) : null}
          {coded && kind !== 'stoken' ? (
            <Form.Item name="enrols" valuePropName="checked" extra={t('client.enrols_extra')}>
              <Checkbox>{t('client.enrols')}</Checkbox>
            </Form.Item>
          ) : null}
          <Form.Item name="device_approval" valuePropName="checked" extra={t('device.lead')}>
            <Checkbox>{t('device.approval')}</Checkbox>
          </Form.Item>
          <ProblemAlert error={create.error} />
        </Form>
      )}
    </Modal>
  );
}

/** The two things that the client's user needs, at once. */
function Created({ client, close }: { client: SSLClient; close: () => void }) {
  const { t } = useTranslation();
  const [secret, setSecret] = useState<ClientSecret>();
  const show = useChange(async () => setSecret(await api.vpn.secret(client.id)));
  return (
    <Modal open title={null} onCancel={close} footer={null} mask={{ closable: false }}>
      <Result
        status="success"
        style={{ padding: '16px 0' }}
        title={t('client.created', { name: client.name })}
        subTitle={t('client.created_text')}
        extra={
          <div className="stack" style={{ alignItems: 'center' }}>
            <Button type="primary" icon={<DownloadOutlined />} href={api.vpn.bundle(client.id)} download>
              {t('client.download_bundle')}
            </Button>
            <Button loading={show.isPending} onClick={() => show.mutate(undefined)}>
              {t('client.show_secret')}
            </Button>
            <Link to={`/ssl-clients/${client.id}`}>{t('client.how_to_connect')}</Link>
            <ProblemAlert error={show.error} />
          </div>
        }
      />
      {secret ? (
        <SecretDialog secret={secret} coded={client.two_factor} close={() => setSecret(undefined)} />
      ) : null}
    </Modal>
  );
}
