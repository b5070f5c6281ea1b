// The settings of an SSL server as fields of a form: those everybody decides, and the rest folded.

import { Button, Collapse, Form, Input, InputNumber, Select, Space, Switch } from 'antd';
import { DeleteOutlined } from '@ant-design/icons';
import { useTranslation } from 'react-i18next';
import { DescriptionField } from './description';
import type { SSLServerSettings } from '../api/types';
import { useCertificates } from '../lib/catalog';
import {
  isIPv6,
  randomULA,
  usable,
  validCIDR,
  validCIDR6,
  validIPv4,
  validIPv6,
  validNetwork,
  validPrefix,
} from '../lib/network';
import { AccessFields } from './access-fields';

// trustedNetwork is the form of a trusted network, which no language changes.
const trustedNetwork = 'corp.example@10.77.0.80:443@pin-sha256:…';

export const defaults: Omit<SSLServerSettings, 'name' | 'local_subnets' | 'pool'> = {
  enable_dns: false,
  dns: [],
  two_factor: true,
  keep_seed: false,
  tunnel_mode: 'split',
  split_dns: [],
  default_domains: [],
  pool6: '',
  udp: true,
  client_bypass: false,
  exclude_routes: [],
  mtu: 1400,
  dpd: 90,
  mobile_dpd: 1800,
  keepalive: 300,
  idle_timeout: 3600,
  mobile_idle_timeout: 3600,
  session_timeout: 86400,
  cookie_timeout: 300,
  rekey_time: 172800,
  max_sessions_per_client: 1,
  client_isolation: true,
  banner: '',
  description: '',
  tls_min: '1.2',
  tls_max: '1.3',
  deny_roaming: false,
  large_segments: false,
  acl_rules: [],
  acl_default: 'allow',
  trusted_networks: [],
  client_trusted_networks: [],
  certificate: '',
  client_cas: [],
  client_cert_field: 'cn',
  client_cert_domain: '',
  login_mode: 'password_certificate',
  groups: [],
};

export const loginModes = ['password_certificate', 'password', 'certificate'] as const;

type Check = (text: string) => boolean;

/** A rule that every entry of a list passes check. */
export function every(check: Check, message: string) {
  return {
    validator: (_: unknown, list: string[] | undefined) => {
      const wrong = (list ?? []).find((item) => !check(item));
      return wrong === undefined ? Promise.resolve() : Promise.reject(new Error(`${message}: ${wrong}`));
    },
  };
}

/** DOMAIN@ADDRESS:PORT@pin-sha256:BASE64 of 32 bytes; the server judges the rest. */
export function validClientNetwork(text: string): boolean {
  return /^[a-z0-9.-]+@[0-9a-f.:[\]]+:\d+@pin-sha256:[A-Za-z0-9+/]{43}=$/i.test(text);
}

const separators = [',', ' ', ';', '，', '；', '\n'];

export function Entries(props: {
  value?: string[];
  onChange?: (v: string[]) => void;
  placeholder?: string;
  id?: string;
}) {
  return (
    <Select
      {...props}
      mode="tags"
      open={false}
      suffixIcon={null}
      tokenSeparators={separators}
      className="mono"
    />
  );
}

/** What everybody decides. prefixes are the networks of the gateway's VPC, as far as known. */
export function MainFields({ connections, prefixes }: { connections?: number; prefixes?: string[] }) {
  const { t } = useTranslation();
  const pool = Form.useWatch<string | undefined>('pool');
  const room = usable(pool ?? '');
  const required = { required: true, message: t('field.required') };
  return (
    <>
      <Form.Item name="name" label={t('server.name')} rules={[{ ...required, whitespace: true, max: 64 }]}>
        <Input maxLength={64} autoComplete="off" />
      </Form.Item>
      <DescriptionField />
      <Form.Item
        name="local_subnets"
        label={t('server.local_subnets')}
        extra={t('server.local_subnets_extra')}
        rules={[every(validNetwork, t('server.cidr_rule'))]}
      >
        <Entries placeholder={t('server.local_subnets_gateway')} />
      </Form.Item>
      <Form.Item
        name="pool"
        label={t('server.pool')}
        extra={room > 0 ? t('server.pool_room', { count: room }) : t('server.pool_extra')}
        rules={[
          required,
          {
            validator: (_, v: string) => {
              if (!v) return Promise.resolve();
              if (!validCIDR(v, 16, 29)) return Promise.reject(new Error(t('server.pool_rule')));
              if (connections && usable(v) < connections)
                return Promise.reject(new Error(t('server.pool_small', { count: connections })));
              return Promise.resolve();
            },
          },
        ]}
      >
        <Input className="mono" placeholder="10.250.0.0/24" autoComplete="off" />
      </Form.Item>
      <Pool6Field subnets={(prefixes ?? []).filter(isIPv6)} />
      <Form.Item name="login_mode" label={t('server.login_mode')} extra={t('server.login_mode_extra')}>
        <Select
          style={{ maxWidth: 320 }}
          options={loginModes.map((v) => ({ value: v, label: t(`server.login_mode_${v}`) }))}
        />
      </Form.Item>
      <Form.Item
        name="two_factor"
        label={t('server.two_factor')}
        extra={t('server.two_factor_extra')}
        valuePropName="checked"
      >
        <Switch />
      </Form.Item>
    </>
  );
}

/** IPv6 inside the tunnel: offered where the VPC has it, off unless asked. */
function Pool6Field({ subnets }: { subnets: string[] }) {
  const { t } = useTranslation();
  const form = Form.useFormInstance<SSLServerSettings>();
  const pool6 = Form.useWatch<string | undefined>('pool6', form);
  const generate = () => {
    const now = form.getFieldValue('local_subnets') as string[] | undefined;
    form.setFieldsValue({
      pool6: randomULA(),
      // Without any, the gateway's are meant, of both families.
      local_subnets: now?.length ? [...new Set([...now, ...subnets])] : [],
    });
    void form.validateFields(['pool6', 'local_subnets']);
  };
  if (subnets.length === 0 && !pool6) return <Form.Item name="pool6" hidden noStyle />;
  return (
    <Form.Item label={t('server.pool6')} extra={t('server.pool6_extra')} htmlFor="pool6">
      <Space.Compact block>
        <Form.Item
          name="pool6"
          noStyle
          rules={[
            {
              validator: (_, v: string | undefined) =>
                !v || validCIDR6(v, 48, 112)
                  ? Promise.resolve()
                  : Promise.reject(new Error(t('server.pool6_rule'))),
            },
          ]}
        >
          <Input className="mono" placeholder={t('server.pool6_off')} autoComplete="off" allowClear />
        </Form.Item>
        <Button onClick={generate}>{t('server.pool6_generate')}</Button>
      </Space.Compact>
    </Form.Item>
  );
}

interface NumberField {
  name: keyof SSLServerSettings;
  low: number;
  high: number;
  off?: boolean;
}

const numbers: NumberField[] = [
  { name: 'mtu', low: 576, high: 1500 },
  { name: 'max_sessions_per_client', low: 1, high: 10 },
  { name: 'idle_timeout', low: 60, high: 604800, off: true },
  { name: 'mobile_idle_timeout', low: 60, high: 604800, off: true },
  { name: 'session_timeout', low: 300, high: 2592000 },
  { name: 'cookie_timeout', low: 10, high: 86400 },
  { name: 'dpd', low: 10, high: 3600 },
  { name: 'mobile_dpd', low: 10, high: 86400 },
  { name: 'keepalive', low: 10, high: 3600, off: true },
  { name: 'rekey_time', low: 86400, high: 604800 },
];

const tlsVersions = ['1.2', '1.3'].map((v) => ({ value: v, label: `TLS ${v}` }));

/** The rest, sensible without a look. */
export function AdvancedFields() {
  const { t } = useTranslation();
  return (
    <Collapse
      ghost
      items={[{ key: 'advanced', label: t('server.advanced'), forceRender: true, children: <Rest /> }]}
    />
  );
}

/** Groups of clients, each with a door of its own: /name in the URL, or its label in the form. */
function Groups() {
  const { t } = useTranslation();
  return (
    <Form.Item label={t('server.groups')} extra={t('server.groups_extra')}>
      <Form.List name="groups">
        {(fields, { add, remove }) => (
          <div className="stack">
            {fields.map(({ key, name }) => (
              <div key={key} className="row" style={{ gap: 8 }}>
                <Form.Item
                  name={[name, 'name']}
                  noStyle
                  rules={[{ required: true, pattern: /^[a-z0-9_-]{1,32}$/, message: t('server.group_rule') }]}
                >
                  <Input
                    className="mono"
                    aria-label={t('server.group_name')}
                    placeholder={t('server.group_name')}
                    maxLength={32}
                  />
                </Form.Item>
                <Form.Item name={[name, 'label']} noStyle>
                  <Input
                    aria-label={t('server.group_label')}
                    placeholder={t('server.group_label')}
                    maxLength={64}
                  />
                </Form.Item>
                <Button
                  aria-label={t('server.group_remove')}
                  icon={<DeleteOutlined />}
                  onClick={() => remove(name)}
                />
              </div>
            ))}
            <Button onClick={() => add({ name: '', label: '' })}>{t('server.group_add')}</Button>
          </div>
        )}
      </Form.List>
    </Form.Item>
  );
}

function Rest() {
  const { t } = useTranslation();
  const dns = Form.useWatch<boolean | undefined>('enable_dns');
  const toggle = (name: keyof SSLServerSettings) => (
    <Form.Item
      key={name}
      name={name}
      label={t(`server.${name}`)}
      extra={t(`server.${name}_extra`)}
      valuePropName="checked"
    >
      <Switch />
    </Form.Item>
  );
  return (
    <>
      <Form.Item name="tunnel_mode" label={t('server.tunnel_mode')} extra={t('server.tunnel_mode_extra')}>
        <Select
          style={{ maxWidth: 320 }}
          options={['split', 'full'].map((v) => ({ value: v, label: t(`server.tunnel_mode_${v}`) }))}
        />
      </Form.Item>
      <Form.Item
        name="exclude_routes"
        label={t('server.exclude_routes')}
        extra={t('server.exclude_routes_extra')}
        rules={[every(validPrefix, t('server.cidr_rule'))]}
      >
        <Entries />
      </Form.Item>
      {toggle('enable_dns')}
      <div hidden={!dns}>
        <Form.Item
          name="dns"
          label={t('server.dns')}
          rules={[
            every((a) => validIPv4(a) || validIPv6(a), t('server.ip_rule')),
            { type: 'array', max: 3, min: dns ? 1 : 0, message: t('server.dns_rule') },
          ]}
        >
          <Entries placeholder="10.77.0.53" />
        </Form.Item>
        <Form.Item name="split_dns" label={t('server.split_dns')} extra={t('server.split_dns_extra')}>
          <Entries placeholder="corp.example" />
        </Form.Item>
      </div>
      <Form.Item
        name="default_domains"
        label={t('server.default_domains')}
        extra={t('server.default_domains_extra')}
        rules={[{ type: 'array', max: 6, message: t('server.default_domains_rule') }]}
      >
        <Entries placeholder="corp.example" />
      </Form.Item>
      {toggle('client_bypass')}
      <Groups />
      {toggle('client_isolation')}
      <AccessFields />
      <Form.Item
        name="trusted_networks"
        label={t('server.trusted_networks')}
        extra={t('server.trusted_networks_extra')}
        rules={[every(validPrefix, t('server.cidr_rule'))]}
      >
        <Entries placeholder="203.0.113.0/24" />
      </Form.Item>
      <Form.Item
        name="client_trusted_networks"
        label={t('server.client_trusted_networks')}
        extra={t('server.client_trusted_networks_extra')}
        rules={[every(validClientNetwork, t('server.client_trusted_networks_rule'))]}
      >
        <Entries placeholder={trustedNetwork} />
      </Form.Item>
      <CertificateFields />
      <Form.Item name="tls_min" label={t('server.tls_min')}>
        <Select style={{ width: 160 }} options={tlsVersions} />
      </Form.Item>
      <Form.Item
        name="tls_max"
        label={t('server.tls_max')}
        extra={t('server.tls_max_extra')}
        dependencies={['tls_min']}
        rules={[
          ({ getFieldValue }) => ({
            validator: (_, v: string) =>
              v >= (getFieldValue('tls_min') as string)
                ? Promise.resolve()
                : Promise.reject(new Error(t('server.tls_max_rule'))),
          }),
        ]}
      >
        <Select style={{ width: 160 }} options={tlsVersions} />
      </Form.Item>
      {toggle('keep_seed')}
      {toggle('udp')}
      {toggle('deny_roaming')}
      {toggle('large_segments')}
      <div className="tiles">
        {numbers.map((n) => (
          <Form.Item
            key={n.name}
            name={n.name}
            label={t(`server.${n.name}`)}
            extra={
              n.off
                ? t('server.range_off', { low: n.low, high: n.high })
                : t('server.range', { low: n.low, high: n.high })
            }
            rules={[
              {
                validator: (_, v: number) =>
                  (n.off && v === 0) || (v >= n.low && v <= n.high)
                    ? Promise.resolve()
                    : Promise.reject(new Error(t('server.range_rule'))),
              },
            ]}
          >
            <InputNumber style={{ width: '100%' }} precision={0} />
          </Form.Item>
        ))}
      </div>
      <Form.Item name="banner" label={t('server.banner')} extra={t('server.banner_extra')}>
        <Input.TextArea maxLength={500} rows={3} />
      </Form.Item>
    </>
  );
}

/** Which certificate the server shows, and whose certificates of clients it takes. */
function CertificateFields() {
  const { t } = useTranslation();
  const own = useCertificates('server');
  const trusted = useCertificates('client-ca');
  const cas = Form.useWatch<string[] | undefined>('client_cas') ?? [];
  const field = Form.useWatch<string | undefined>('client_cert_field');
  const foreign = cas.length > 0;
  return (
    <>
      <Form.Item name="certificate" label={t('server.certificate')} extra={t('server.certificate_extra')}>
        <Select
          loading={own.isPending}
          options={[
            { value: '', label: t('server.certificate_builtin') },
            ...(own.data?.items ?? []).map((c) => ({
              value: c.id,
              label: `${c.name} (${t(`state.certificate.${c.state}`)})`,
            })),
          ]}
        />
      </Form.Item>
      <Form.Item
        name="client_cas"
        label={t('server.client_cas')}
        extra={t('server.client_cas_extra')}
        rules={[{ type: 'array', max: 10, message: t('server.client_cas_rule') }]}
      >
        <Select
          mode="multiple"
          loading={trusted.isPending}
          placeholder={t('server.client_cas_none')}
          options={(trusted.data?.items ?? []).map((c) => ({ value: c.id, label: c.name }))}
        />
      </Form.Item>
      <div hidden={!foreign}>
        <Form.Item
          name="client_cert_field"
          label={t('server.client_cert_field')}
          extra={t('server.client_cert_field_extra')}
        >
          <Select
            style={{ maxWidth: 320 }}
            options={['cn', 'uid', 'email'].map((v) => ({
              value: v,
              label: t(`server.client_cert_field_${v}`),
            }))}
          />
        </Form.Item>
        <div hidden={field !== 'email'}>
          <Form.Item
            name="client_cert_domain"
            label={t('server.client_cert_domain')}
            extra={t('server.client_cert_domain_extra')}
            rules={[
              {
                required: foreign && field === 'email',
                message: t('field.required'),
              },
            ]}
          >
            <Input className="mono" placeholder="corp.example" autoComplete="off" maxLength={253} />
          </Form.Item>
        </div>
      </div>
    </>
  );
}

/** What a form holds as the API takes it: a domain only where e-mail addresses count. */
export function settled<T extends SSLServerSettings>(entry: T): T {
  const email = entry.client_cas.length > 0 && entry.client_cert_field === 'email';
  if (email) return entry;
  const field = entry.client_cert_field === 'email' ? 'cn' : entry.client_cert_field;
  return { ...entry, client_cert_field: field, client_cert_domain: '' };
}
